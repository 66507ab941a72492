/// A compiler is not known to do what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFlag {
    /// Nobody told us how this compiler is asked for anything.
    #[error(
        "the flags of the compiler '{0}' are not known; known are those of gcc, clang and compilers that take clang's"
    )]
    Compiler(String),
    /// There is no such thing to ask for.
    #[error(
        "'{0}' is nothing that a compiler is asked for: openmp, pic, rpath, or a standard such as c99 or cxx17"
    )]
    Feature(String),
    /// The compiler is too old.
    #[error("{compiler}@{version} has no flag for '{feature}'; it takes {compiler} {since} or a newer one")]
    TooOld {
        /// The compiler.
        compiler: String,
        /// Its version.
        version: String,
        /// What was asked for.
        feature: String,
        /// The first version that has one.
        since: String,
    },
}

/// Major and minor number of a compiler.
type Number = (u32, u32);

/// A standard by the contract's name, and from which version on it is asked for by which flag, the newest first.
type Standard = (&'static str, &'static [(Number, &'static str)]);

/// From the manuals of gcc, "Options Controlling C Dialect" and "C++ Standards Support".
const GCC: &[Standard] = &[
    ("c99", &[((4, 5), "-std=c99")]),
    ("c11", &[((4, 7), "-std=c11")]),
    ("c17", &[((8, 0), "-std=c17")]),
    ("c23", &[((14, 0), "-std=c23"), ((9, 0), "-std=c2x")]),
    ("cxx98", &[((3, 0), "-std=c++98")]),
    ("cxx11", &[((4, 7), "-std=c++11"), ((4, 3), "-std=c++0x")]),
    ("cxx14", &[((5, 0), "-std=c++14"), ((4, 8), "-std=c++1y")]),
    ("cxx17", &[((8, 0), "-std=c++17"), ((5, 0), "-std=c++1z")]),
    ("cxx20", &[((10, 0), "-std=c++20"), ((8, 0), "-std=c++2a")]),
    ("cxx23", &[((11, 0), "-std=c++23")]),
];

/// From clang's page of language support.
const CLANG: &[Standard] = &[
    ("c99", &[((3, 0), "-std=c99")]),
    ("c11", &[((3, 1), "-std=c11")]),
    ("c17", &[((6, 0), "-std=c17")]),
    ("c23", &[((18, 0), "-std=c23"), ((9, 0), "-std=c2x")]),
    ("cxx98", &[((3, 0), "-std=c++98")]),
    ("cxx11", &[((3, 3), "-std=c++11")]),
    ("cxx14", &[((3, 5), "-std=c++14"), ((3, 4), "-std=c++1y")]),
    ("cxx17", &[((5, 0), "-std=c++17"), ((3, 5), "-std=c++1z")]),
    ("cxx20", &[((10, 0), "-std=c++20"), ((5, 0), "-std=c++2a")]),
    ("cxx23", &[((17, 0), "-std=c++23"), ((12, 0), "-std=c++2b")]),
];

/// How a compiler, by Spack's name for it, is asked for `openmp`, `pic`, `rpath` or a standard of C or C++.
///
/// # Errors
/// The compiler or what is asked for is not known, or the compiler is too old.
pub fn compiler_flag(compiler: &str, version: &str, feature: &str) -> Result<String, NoFlag> {
    let standards = match compiler {
        "gcc" => GCC,
        "clang" | "llvm" | "apple-clang" | "aocc" | "intel-oneapi-compilers" => CLANG,
        other => return Err(NoFlag::Compiler(other.to_owned())),
    };
    match (feature, compiler) {
        ("pic", _) => Ok("-fPIC".to_owned()),
        ("rpath", _) => Ok("-Wl,-rpath,".to_owned()),
        ("openmp", "apple-clang") => Ok("-Xpreprocessor -fopenmp".to_owned()),
        ("openmp", "intel-oneapi-compilers") => Ok("-fiopenmp".to_owned()),
        ("openmp", _) => Ok("-fopenmp".to_owned()),
        _ => standard(standards, compiler, version, feature),
    }
}

fn standard(standards: &[Standard], compiler: &str, version: &str, feature: &str) -> Result<String, NoFlag> {
    let known = standards.iter().find(|(name, _)| *name == feature);
    let (_, flags) = known.ok_or_else(|| NoFlag::Feature(feature.to_owned()))?;
    let number = number(version);
    if let Some((_, flag)) = flags.iter().find(|(since, _)| number >= *since) {
        return Ok((*flag).to_owned());
    }
    let since = flags.last().map_or((0, 0), |(since, _)| *since);
    Err(NoFlag::TooOld {
        compiler: compiler.to_owned(),
        version: version.to_owned(),
        feature: feature.to_owned(),
        since: format!("{}.{}", since.0, since.1),
    })
}

fn number(version: &str) -> Number {
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_is_asked_for_as_the_version_takes_it() {
        assert_eq!(compiler_flag("gcc", "12.2.0", "cxx17").unwrap(), "-std=c++17");
        assert_eq!(compiler_flag("gcc", "7.5", "cxx17").unwrap(), "-std=c++1z");
        assert_eq!(compiler_flag("clang", "14.0.6", "cxx23").unwrap(), "-std=c++2b");
        assert_eq!(compiler_flag("gcc", "12.2.0", "openmp").unwrap(), "-fopenmp");
    }

    #[test]
    fn what_a_compiler_can_not_do_is_said() {
        let refused =
            |compiler, version, feature| compiler_flag(compiler, version, feature).unwrap_err().to_string();
        assert_eq!(
            refused("gcc", "4.8.5", "cxx17"),
            "gcc@4.8.5 has no flag for 'cxx17'; it takes gcc 5.0 or a newer one"
        );
        assert!(refused("gcc", "12", "cxx").starts_with("'cxx' is nothing"));
        assert!(refused("tcc", "1", "pic").starts_with("the flags of the compiler 'tcc' are not known"));
    }
}
