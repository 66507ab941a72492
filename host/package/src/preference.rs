use std::cmp::Reverse;

use crate::DeclaredVersion;

/// A package's versions, the best one first, as Spack prefers them: preferred ones, then archives before git
/// repositories, numbers before `develop` and its like, releases before release candidates, and new before old.
///
/// Deprecated versions keep their place: whether they may be chosen is for the caller to say.
pub fn by_preference(versions: &[DeclaredVersion]) -> Vec<&DeclaredVersion> {
    let mut sorted: Vec<&DeclaredVersion> = versions.iter().collect();
    sorted.sort_by_cached_key(|declared| {
        let version = &declared.version;
        Reverse((
            declared.preferred,
            !declared.is_git(),
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
    use crate::{Checkout, Source};

    fn declared(version: &str, sources: Vec<Source>) -> DeclaredVersion {
        DeclaredVersion {
            version: Version::new(version),
            sources,
            expand: true,
            preferred: false,
            deprecated: false,
        }
    }

    fn git() -> Source {
        Source::Checkout(Checkout { branch: Some("main".into()), ..Checkout::default() })
    }

    #[test]
    fn the_newest_release_comes_first() {
        let mut versions = vec![
            declared("develop", vec![git()]),
            declared("9.1", vec![git()]),
            declared("2.0-rc1", vec![]),
            declared("1.10", vec![]),
            declared("1.9", vec![]),
        ];
        let order = |versions: &[DeclaredVersion]| -> Vec<String> {
            by_preference(versions).iter().map(|declared| declared.version.to_string()).collect()
        };
        assert_eq!(order(&versions), ["1.10", "1.9", "2.0-rc1", "9.1", "develop"]);
        versions[4].preferred = true;
        assert_eq!(order(&versions)[0], "1.9");
    }
}
