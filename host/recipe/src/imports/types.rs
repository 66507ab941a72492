//! `types` has no functions; neither has `metadata`.

use crate::bindings::{metadata, types};
use crate::state::State;

impl types::Host for State {}
impl metadata::Host for State {}
