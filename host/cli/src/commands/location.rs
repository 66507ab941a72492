//! `location`: where a package is.

use crate::args::{Format, LocationArgs, one_spec};
use crate::error::CommandError;
use crate::selection;
use crate::session::Session;

pub(super) fn run(session: &Session, args: &LocationArgs) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text, Format::Json])?;
    let store = session.store_for_reading()?;
    let installed = selection::one(store.as_ref(), &one_spec(&args.spec)?)?;
    if session.is_json(false) {
        return session.ui.print_json(&serde_json::json!({
            "name": installed.name, "version": installed.version, "hash": installed.hash, "prefix": installed.prefix,
        }));
    }
    // Bytes as they are: a script gives them to other programs.
    let mut line = installed.prefix.into_os_string().into_encoded_bytes();
    line.push(b'\n');
    session.ui.print_bytes(&line);
    Ok(())
}
