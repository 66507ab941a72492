//! The recipe host: wasmtime engine, component cache, limits, the host side of the contract.
//!
//! A recipe is not trusted. Before anything of a component runs, its contract version and the names of its imports are
//! read from its bytes. A [`Session`] is one instance with limits on memory, time and handles; whatever a guest does, it
//! ends in an error of that session with the recipe's name on it, never in a panic of the host.

mod addresses;
mod bindings;
mod cache;
mod catalog;
mod choices;
mod clocks;
mod component;
mod convert;
mod deadline;
mod engine;
mod error;
mod folder_repository;
mod folders;
mod imports;
mod inspect;
mod limits;
mod open_files;
mod output;
mod own_files;
mod services;
mod session;
mod stand_alone;
mod state;
mod wasi;

pub use bindings::metadata;
pub use bindings::types;
pub use catalog::{Catalog, CatalogError, Embedded, EmbeddedFiles, Entry, RepositoryInfo};
pub use choices::{ChoiceError, RefusedChoice};
pub use component::{RECIPE_FOLDER, Recipe, RecipeSource};
pub use convert::MetadataError;
pub use engine::RecipeHost;
pub use error::{LoadError, RunError};
pub use folder_repository::RepositoryError;
pub use folders::{Access, Folder};
pub use imports::is_variable_name;
pub use inspect::{CONTRACT, PACKAGE_HASH_SECTION};
pub use limits::Limits;
pub use own_files::{FilesError, RecipeFiles};
pub use services::{Answer, AskError, Headers, NoServices, Question, Services, ToolRequest};
pub use session::{Session, Subject};
pub use stand_alone::TestOutcome;
