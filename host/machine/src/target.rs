//! Targets, and the flags by which compilers build for them, from the archspec table.

use std::sync::Arc;

use archspec::cpu::Microarchitecture;
use archspec::schema::{Compiler, CompilerSet, MicroarchitecturesSchema};

use crate::version::numbers;

/// A target for which there are no flags.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No target of this name.
    #[error("`{target}` is not a target that archspec knows")]
    Unknown {
        /// Name that was asked for.
        target: String,
    },
    /// The compiler's version cannot build for the target.
    #[error("{compiler}@{version} cannot build for `{target}`: choose an older target, or another compiler")]
    Unsupported {
        /// Target that was asked for.
        target: String,
        /// Spack's name of the compiler.
        compiler: String,
        /// Its version.
        version: String,
    },
}

/// The targets whose programs run on `target` as well, closest first.
///
/// # Errors
///
/// An unknown target.
pub fn ancestors(target: &str) -> Result<Vec<String>, TargetError> {
    let target = known(target)?;
    Ok(target.ancestors().iter().map(|ancestor| ancestor.name().to_owned()).collect())
}

/// The flags with which a compiler, by its package's name, builds for `target`; none where archspec's table does not
/// know the compiler at all.
///
/// # Errors
///
/// An unknown target, and one that this version of the compiler cannot build for.
pub fn flags_for(target: &str, compiler: &str, version: &str) -> Result<Vec<String>, TargetError> {
    let family = known(target)?.family().name();
    let vendor = archspec_name(compiler);
    if entries(family, vendor).is_none() {
        return Ok(Vec::new());
    }
    let mut entries = entries(target, vendor).unwrap_or_default().iter();
    let entry = entries.find(|entry| covers(&entry.versions, version)).ok_or_else(|| {
        let (target, compiler) = (target.to_owned(), compiler.to_owned());
        TargetError::Unsupported { target, compiler, version: version.to_owned() }
    })?;
    let flags = entry.flags.replace("{name}", entry.name.as_deref().unwrap_or(target));
    Ok(flags.split_whitespace().map(str::to_owned).collect())
}

/// The best of `host` and its ancestors that a compiler can build for, as Spack chooses it.
///
/// # Errors
///
/// An unknown host, and a compiler too old for every one of its targets.
pub fn best_target(host: &str, compiler: &str, version: &str) -> Result<String, TargetError> {
    let candidates = std::iter::once(host.to_owned()).chain(ancestors(host)?);
    let mut supported = candidates.filter(|target| flags_for(target, compiler, version).is_ok());
    supported.next().ok_or_else(|| TargetError::Unsupported {
        target: host.to_owned(),
        compiler: compiler.to_owned(),
        version: version.to_owned(),
    })
}

fn known(target: &str) -> Result<&'static Arc<Microarchitecture>, TargetError> {
    Microarchitecture::known_targets()
        .get(target)
        .ok_or_else(|| TargetError::Unknown { target: target.to_owned() })
}

/// What the table says of a compiler's versions at a target; nothing when it does not know the compiler there.
fn entries(target: &str, vendor: &str) -> Option<&'static [Compiler]> {
    let target = MicroarchitecturesSchema::schema().microarchitectures.get(target)?;
    match target.compilers.as_ref()?.get(vendor)? {
        CompilerSet::Several(entries) => Some(entries),
        CompilerSet::Single(entry) => Some(std::slice::from_ref(entry)),
    }
}

/// archspec's name of a compiler for that of Spack's package.
fn archspec_name(package: &str) -> &str {
    match package {
        "llvm" => "clang",
        "intel-oneapi-compilers" => "oneapi",
        "intel-oneapi-compilers-classic" => "intel",
        "acfl" => "arm",
        other => other,
    }
}

/// Whether a range such as `4.9:12.1` (either side may be empty) holds a version; compared as lists of numbers.
fn covers(range: &str, version: &str) -> bool {
    let (low, high) = range.split_once(':').unwrap_or((range, range));
    let version = numbers(version);
    (low.is_empty() || numbers(low) <= version) && (high.is_empty() || version <= numbers(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(target: &str, compiler: &str, version: &str) -> String {
        flags_for(target, compiler, version).map_or_else(|error| error.to_string(), |flags| flags.join(" "))
    }

    /// Answers of the archspec package for Python, version 0.2.7.
    #[test]
    fn flags_are_archspecs() {
        assert_eq!(flags("zen3", "gcc", "12.2.0"), "-march=znver3 -mtune=znver3");
        assert_eq!(flags("skylake_avx512", "gcc", "12.2.0"), "-march=skylake-avx512 -mtune=skylake-avx512");
        assert_eq!(flags("x86_64_v3", "gcc", "12.2.0"), "-march=x86-64-v3 -mtune=generic");
        assert_eq!(
            flags("x86_64_v3", "gcc", "8.5.0"),
            "-march=x86-64 -mtune=generic -mcx16 -msahf -mpopcnt -msse3 -msse4.1 -msse4.2 -mssse3 -mavx -mavx2 \
             -mbmi -mbmi2 -mf16c -mfma -mlzcnt -mmovbe -mxsave"
        );
        assert_eq!(flags("icelake", "llvm", "14.0.6"), "-march=icelake-client -mtune=icelake-client");
        assert_eq!(flags("zen3", "unheard-of", "1"), "");
    }

    #[test]
    fn what_a_compiler_cannot_do_is_said() {
        assert_eq!(
            flags("sapphirerapids", "gcc", "9.4.0"),
            "gcc@9.4.0 cannot build for `sapphirerapids`: choose an older target, or another compiler"
        );
        assert_eq!(flags("zen9", "gcc", "12.2.0"), "`zen9` is not a target that archspec knows");
    }

    #[test]
    fn an_old_compiler_gets_an_older_target() {
        assert_eq!(best_target("sapphirerapids", "gcc", "12.2.0").unwrap(), "sapphirerapids");
        assert_eq!(best_target("zen3", "gcc", "9.4.0").unwrap(), "zen2");
        assert_eq!(best_target("sapphirerapids", "gcc", "9.4.0").unwrap(), "icelake");
        assert_eq!(best_target("x86_64", "gcc", "12.2.0").unwrap(), "x86_64");
        assert!(best_target("zen9", "gcc", "12.2.0").is_err());
    }

    #[test]
    fn ancestors_end_in_the_family() {
        let ancestors = ancestors("zen3").unwrap();
        assert_eq!(ancestors.first().map(String::as_str), Some("zen2"));
        assert!(ancestors.contains(&"x86_64".to_owned()));
    }

    #[test]
    fn ranges_compare_number_by_number() {
        assert!(covers("4.8:11.0", "11.0") && !covers("4.8:11.0", "11.0.1"));
        assert!(covers("11.1:", "11.1.0") && covers(":", "1") && !covers("4.10:", "4.9"));
    }
}
