//! The operating system's name in Spack's manner: `debian12`, `ubuntu22.04`, `rhel8`.

/// Name of an operating system whose `os-release` says nothing.
const UNKNOWN: &str = "unknown";

/// The name made from the contents of an `os-release` file: the identifier, then the first number of the version
/// (the first two for Ubuntu, whose April and October releases differ).
///
/// Identifiers are normalized as Python's `distro` does, which Spack asks.
pub(crate) fn spack_name(os_release: &str) -> String {
    let id = field(os_release, "ID").map(|id| normalized(&id)).unwrap_or_default();
    if id.is_empty() {
        return UNKNOWN.to_owned();
    }
    let version = field(os_release, "VERSION_ID").unwrap_or_default();
    let mut parts = version.split(|char: char| !char.is_alphanumeric() && char != '_' && char != '-');
    let first = parts.next().unwrap_or_default();
    match parts.next().filter(|_| id.contains("ubuntu")) {
        Some(second) => format!("{id}{first}.{second}"),
        None => format!("{id}{first}"),
    }
}

fn normalized(id: &str) -> String {
    match id.to_lowercase().replace(' ', "_").as_str() {
        "ol" => "oracle".to_owned(),
        "opensuse-leap" => "opensuse".to_owned(),
        id => id.to_owned(),
    }
}

/// The value of the last line `KEY=value`, without its quotes (os-release(5)).
fn field(os_release: &str, key: &str) -> Option<String> {
    let lines = os_release.lines().filter_map(|line| line.trim().split_once('='));
    let (_, value) = lines.rev().find(|(name, _)| *name == key)?;
    let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    Some(quoted.unwrap_or(value).replace('\\', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spacks() {
        let cases = [
            ("ID=debian\nVERSION_ID=\"12\"\n", "debian12"),
            ("NAME=\"Ubuntu\"\nID=ubuntu\nVERSION_ID=\"22.04\"\n", "ubuntu22.04"),
            ("ID=\"rhel\"\nVERSION_ID=\"8.9\"\n", "rhel8"),
            ("ID='rocky'\nVERSION_ID='9.3'\n", "rocky9"),
            ("ID=\"opensuse-leap\"\nVERSION_ID=\"15.5\"\n", "opensuse15"),
            ("ID=\"ol\"\nVERSION_ID=\"8.8\"\n", "oracle8"),
            ("ID=arch\n", "arch"),
            ("VERSION_ID=3\n", "unknown"),
            ("", "unknown"),
        ];
        for (contents, name) in cases {
            assert_eq!(spack_name(contents), name, "{contents}");
        }
    }
}
