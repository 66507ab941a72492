//! The address of a version's archive, made from that of another version.

/// Puts `version` in the place of the version that `url` names, wherever it stands in it; none where the file name has none.
///
/// The version of an address is the last run of digits and dots in its file name that begins with a digit, as in
/// `zlib-1.2.11.tar.gz`. Recipes whose addresses follow other rules say so themselves (`url-for-version`).
pub(crate) fn with_version(url: &str, version: &str) -> Option<String> {
    let file = url.rsplit('/').next()?;
    let old = version_in(file)?;
    let mut replaced = url.replace(old, version);
    for separator in ['_', '-'] {
        let (from, to) =
            (old.replace('.', &separator.to_string()), version.replace('.', &separator.to_string()));
        if from != *old && replaced.contains(&from) {
            replaced = replaced.replace(&from, &to);
        }
    }
    Some(replaced)
}

fn version_in(file: &str) -> Option<&str> {
    let is_version = |c: char| c.is_ascii_digit() || c == '.';
    let runs = file.split(|c| !is_version(c)).map(|run| run.trim_matches('.'));
    let candidates: Vec<&str> = runs.filter(|run| run.starts_with(|c: char| c.is_ascii_digit())).collect();
    candidates.iter().rev().find(|run| run.contains('.')).or(candidates.last()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_replaced_wherever_it_stands() {
        let url = "http://zlib.net/fossils/zlib-1.2.11.tar.gz";
        assert_eq!(with_version(url, "1.3").unwrap(), "http://zlib.net/fossils/zlib-1.3.tar.gz");
        let url = "https://example.org/v1.14.5/v1_14_5/foo-1.14.5.tar.gz";
        assert_eq!(with_version(url, "2.0.1").unwrap(), "https://example.org/v2.0.1/v2_0_1/foo-2.0.1.tar.gz");
        assert_eq!(with_version("https://example.org/foo.tar.gz", "1.0"), None);
    }
}
