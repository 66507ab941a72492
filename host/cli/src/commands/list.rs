//! `list`: packages that there are recipes for.

use regex::Regex;
use spack_wasm_package::Repository;

use crate::args::{Format, ListArgs};
use crate::error::CommandError;
use crate::session::Session;
use crate::text::{Text, counted};

pub(super) fn run(session: &Session, args: &ListArgs) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text, Format::Json])?;
    let patterns = args.patterns.iter().map(|pattern| expression(pattern)).collect::<Result<Vec<_>, _>>()?;
    let (catalog, _) = session.catalog(&[])?;
    let mut names = catalog.names();
    names.retain(|name| patterns.is_empty() || patterns.iter().any(|pattern| pattern.is_match(name)));
    if session.is_json(false) {
        return session.ui.print_json(&names);
    }
    let mut text = Text::new();
    for name in &names {
        text.push(name).push("\n");
    }
    session.ui.print(&text);
    if session.ui.stdout_is_terminal() {
        session.ui.status(&counted(names.len(), "package"));
    }
    Ok(())
}

/// What a pattern means: a part of the name, or with `*` and `?` the whole name.
fn expression(pattern: &str) -> Result<Regex, CommandError> {
    let escaped = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
    let whole = if pattern.contains(['*', '?']) { format!("^(?:{escaped})$") } else { escaped };
    Regex::new(&format!("(?i){whole}"))
        .map_err(|error| CommandError::usage(format!("the pattern `{pattern}` is too large: {error}")))
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn patterns_are_parts_or_wholes() {
        let matches = |pattern: &str, name: &str| expression(pattern).unwrap().is_match(name);
        assert!(matches("lib", "zlib") && matches("ZLIB", "zlib") && matches("hdf*", "hdf5"));
        assert!(!matches("hdf?", "hdf") && !matches("lib*", "zlib") && !matches("h.f5", "hdf5"));
    }
}
