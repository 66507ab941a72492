use std::cmp::Reverse;

use crate::DeclaredVersion;

/// A package's versions, the best one first, as Spack prefers them: preferred ones, then numbers before git references
/// (`git.REF`) and `develop` and its like, releases before release candidates, and new before old.
///
/// Deprecated versions keep their place: whether they may be chosen is for the caller to say.
pub fn by_preference(versions: &[DeclaredVersion]) -> Vec<&DeclaredVersion> {
    let mut sorted: Vec<&DeclaredVersion> = versions.iter().collect();
    sorted.sort_by_cached_key(|declared| {
        let version = &declared.version;
        Reverse((
            declared.preferred,
            !version.is_git(),
            !version.is_develop(),
            !version.is_prerelease(),
            version.clone(),
        ))
    });
    sorted
}

#[cfg(test)]
mod tests {
    use spack_wasm_spec::Version;

    use super::*;

    fn declared(version: &str) -> DeclaredVersion {
        let version = Version::new(version);
        DeclaredVersion {
            version,
            sources: Vec::new(),
            expand: true,
            cached: true,
            preferred: false,
            deprecated: false,
        }
    }

    #[test]
    fn the_newest_release_comes_first() {
        let mut versions =
            ["develop", "git.topic=9", "2.0-rc1", "1.10", "1.9", "main"].map(declared).to_vec();
        let order = |versions: &[DeclaredVersion]| -> Vec<String> {
            by_preference(versions).iter().map(|declared| declared.version.to_string()).collect()
        };
        assert_eq!(order(&versions), ["1.10", "1.9", "2.0-rc1", "develop", "main", "git.topic=9"]);
        versions[4].preferred = true;
        assert_eq!(order(&versions)[0], "1.9");
    }
}
