//! What a build system brings along: the dependencies and variants that Spack's base classes declare.

/// A dependency that comes with a build system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImpliedDependency {
    /// What is needed, as a spec.
    pub spec: &'static str,
    /// Under which condition besides the build system's own.
    pub when: &'static str,
}

/// A variant that comes with a build system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImpliedVariant {
    /// Its name.
    pub name: &'static str,
    /// The default; `true` and `false` for a boolean.
    pub default: &'static str,
    /// The values; empty for a boolean.
    pub values: &'static [&'static str],
    /// What it is for.
    pub description: &'static str,
    /// Under which condition besides the build system's own.
    pub when: &'static str,
}

/// All that comes with a build system; every dependency is of type build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Implied {
    /// Its dependencies.
    pub dependencies: &'static [ImpliedDependency],
    /// Its variants.
    pub variants: &'static [ImpliedVariant],
    /// Its phases in order, for a recipe that names none.
    pub phases: &'static [&'static str],
}

const MAKE: ImpliedDependency = ImpliedDependency { spec: "gmake", when: "" };

const AUTOTOOLS: Implied = Implied {
    dependencies: &[MAKE],
    variants: &[],
    phases: &["autoreconf", "configure", "build", "install"],
};

const MAKEFILE: Implied =
    Implied { dependencies: &[MAKE], variants: &[], phases: &["edit", "build", "install"] };

const CMAKE: Implied = Implied {
    dependencies: &[
        ImpliedDependency { spec: "cmake", when: "" },
        ImpliedDependency { spec: "gmake", when: "generator=make" },
        ImpliedDependency { spec: "ninja", when: "generator=ninja" },
    ],
    variants: &[
        ImpliedVariant {
            name: "build_type",
            default: "Release",
            values: &["Debug", "Release", "RelWithDebInfo", "MinSizeRel"],
            description: "CMake build type",
            when: "",
        },
        ImpliedVariant {
            name: "generator",
            default: "make",
            values: &["make", "ninja"],
            description: "the build system generator to use",
            when: "",
        },
        ImpliedVariant {
            name: "ipo",
            default: "false",
            values: &[],
            description: "CMake interprocedural optimization",
            when: "%cmake@3.9:",
        },
    ],
    phases: &["cmake", "build", "install"],
};

const NOTHING: Implied = Implied { dependencies: &[], variants: &[], phases: &["install"] };

/// What comes with `build_system`, by the counts of Spack's own packages: what holds in all packages of a base class
/// comes from the class. Nothing for a build system that is not known.
pub fn implied_by(build_system: &str) -> &'static Implied {
    match build_system {
        "autotools" => &AUTOTOOLS,
        "cmake" => &CMAKE,
        "makefile" => &MAKEFILE,
        _ => &NOTHING,
    }
}
