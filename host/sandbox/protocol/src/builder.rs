//! Who builds are, given who we are. Both ends come to the same answer.

use rustix::process::geteuid;

/// Owned by the machine's root, in whatever user namespace it is looked at.
const ROOTS_OWN: &str = "/proc/version";

/// The maps of this process' user namespace.
const MAPS: [&str; 2] = ["/proc/self/uid_map", "/proc/self/gid_map"];

/// Whether builds must be another user than we are: we are root, and not only by name.
///
/// Root of a user namespace with a single user, as rootless containers have it, is an ordinary user to the kernel. There
/// is nobody else to become, and no need to.
pub fn must_change_user(build_uid: u32) -> bool {
    geteuid().is_root() && (is_the_machines_root() || is_mapped(build_uid))
}

/// Whether our user namespace has a user and a group with this number, so that they can be become.
pub fn is_mapped(id: u32) -> bool {
    MAPS.into_iter().all(|map| read(map).is_none_or(|map| maps(&map, id)))
}

/// Taken for true where it can't be seen.
fn is_the_machines_root() -> bool {
    rustix::fs::stat(ROOTS_OWN).map_or(true, |status| status.st_uid == 0)
}

#[expect(clippy::disallowed_methods, reason = "the helper has nobody to tell a path to")]
fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// Each line of a map: first number inside, first number outside, how many.
fn maps(map: &str, id: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().filter_map(|number| number.parse::<u64>().ok());
        let (Some(first), Some(count)) = (numbers.next(), numbers.nth(1)) else { return false };
        (first..first.saturating_add(count)).contains(&u64::from(id))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_read() {
        let whole = "         0          0 4294967295\n";
        let (single, several) = ("0 1000 1\n", "         0       1000          1\n 1 100000 65536\n");
        assert_eq!([whole, single, several].map(|map| maps(map, 65534)), [true, false, true]);
        assert_eq!([whole, single, several].map(|map| maps(map, 0)), [true; 3]);
        assert!(!maps("", 0) && !maps("nonsense", 0));
    }
}
