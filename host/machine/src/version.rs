//! Versions in what programs print, and their comparison.

/// The version behind the first occurrence of `marker`: digits and dots, so that a distributor's suffix is left out.
pub(crate) fn after(marker: &str, text: &str) -> Option<String> {
    let (_, rest) = text.split_once(marker)?;
    let end = rest.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(rest.len());
    let version = rest[..end].trim_end_matches('.');
    version.starts_with(|char: char| char.is_ascii_digit()).then(|| version.to_owned())
}

/// The numbers of a version's numeric beginning, to be compared one after the other as archspec does.
pub(crate) fn numbers(version: &str) -> Vec<u64> {
    let end = version.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(version.len());
    version[..end].split('.').map_while(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_behind_their_marker() {
        let cases = [
            ("GNU Make ", "GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu\n", Some("4.3")),
            ("(v", "This is perl 5, version 36, subversion 0 (v5.36.0) built for", Some("5.36.0")),
            ("clang version ", "Debian clang version 14.0.6\nTarget:", Some("14.0.6")),
            ("clang version ", "Ubuntu clang version 14.0.0-1ubuntu1.1\n", Some("14.0.0")),
            ("", "12.2.0\n", Some("12.2.0")),
            ("git version ", "git version 2.39.2 (Apple Git)", Some("2.39.2")),
            ("GNU Make ", "bmake 20200710", None),
            ("version ", "version unknown", None),
            ("", "...", None),
        ];
        for (marker, text, version) in cases {
            assert_eq!(after(marker, text).as_deref(), version, "{text}");
        }
    }

    #[test]
    fn numbers_of_a_version() {
        assert_eq!(numbers("12.2.0"), [12, 2, 0]);
        assert_eq!(numbers("14.0-rc1"), [14, 0]);
        assert!(numbers("").is_empty());
    }
}
