use spack_wasm_spec::AbstractSpec;

use crate::{
    Conflict, DeclaredVersion, Dependency, Extension, License, Patch, Permission, Provided, ProvidedTogether,
    Redistribution, Requirement, Resource, VariantDefinition,
};

/// Everything that one recipe declares.
///
/// Lists are in the order of the recipe's directives unless a field says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// The package's name, for example `hdf5`.
    pub name: String,
    /// The repository that it belongs to, for example `builtin`.
    pub namespace: String,
    /// What it is, in plain text.
    pub description: String,
    /// The project's web page.
    pub homepage: Option<String>,
    /// Addresses of archives in which the version that they contain is replaced; the first one is tried first.
    pub urls: Vec<String>,
    /// The repository of checkouts that name none.
    pub repository: Option<String>,
    /// Whether the user has to download the sources.
    pub manual_download: bool,
    /// Versions; [`by_preference`](crate::by_preference) sorts them.
    pub versions: Vec<DeclaredVersion>,
    /// Variants, `build_system` included. One name may be defined more than once: of the definitions whose condition
    /// holds, the last one counts.
    pub variants: Vec<VariantDefinition>,
    /// `depends_on`.
    pub dependencies: Vec<Dependency>,
    /// `conflicts`.
    pub conflicts: Vec<Conflict>,
    /// `requires`.
    pub requirements: Vec<Requirement>,
    /// `provides`.
    pub provides: Vec<Provided>,
    /// Virtual packages that are provided together or not at all.
    pub provides_together: Vec<ProvidedTogether>,
    /// `extends`; each is a dependency too and stands among those.
    pub extends: Vec<Extension>,
    /// `resource`.
    pub resources: Vec<Resource>,
    /// `patch`, those of the package itself.
    pub patches: Vec<Patch>,
    /// `license`.
    pub licenses: Vec<License>,
    /// Build systems that the recipe knows; the variant `build_system` chooses one.
    pub build_systems: Vec<BuildSystem>,
    /// `redistribute`.
    pub redistribute: Vec<Redistribution>,
    /// GitHub names of the maintainers.
    pub maintainers: Vec<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What its build wants beyond its sandbox.
    pub permissions: Vec<Permission>,
    /// The hash over the recipe's sources, part of each concrete node's identity.
    pub package_hash: String,
    /// How an installed copy is found on a machine.
    pub detection: Detection,
    /// Where upstream lists its versions.
    pub listing: Option<Listing>,
    /// Tests of the package as it is installed.
    pub tests: Vec<StandAloneTest>,
}

/// A build system and what it does, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildSystem {
    /// The value of the variant `build_system`, for example `autotools`.
    pub name: String,
    /// Its phases, for example `configure`, `build`, `install`.
    pub phases: Vec<String>,
    /// When it may be chosen.
    pub when: AbstractSpec,
}

/// Pages on which upstream lists versions: `list_url` and `list_depth`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The first page.
    pub url: String,
    /// How many links away from it further pages are looked at.
    pub depth: u32,
}

/// A test of the package as it is installed, which the recipe runs when it is asked to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StandAloneTest {
    /// Its name, for example `test_version`.
    pub name: String,
    /// What it shows.
    pub purpose: String,
    /// Whether it calls compilers.
    pub compiles: bool,
    /// When there is such a test.
    pub when: AbstractSpec,
}

/// How an installed copy is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detection {
    /// Regular expressions for names of programs.
    pub executables: Vec<String>,
    /// Regular expressions for names of libraries.
    pub libraries: Vec<String>,
    /// The arguments with which a program tells its version.
    pub version_arguments: Vec<String>,
}

impl Package {
    /// `namespace.name`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.namespace, self.name)
    }

    /// The setting that allows all that it wants beyond its sandbox, as the option `-c` takes it.
    pub fn permission_setting(&self) -> String {
        let quoted = |wanted: &Permission| format!("'{}'", wanted.name().replace('\'', "''"));
        let all: Vec<_> = self.permissions.iter().map(quoted).collect();
        format!("config:permissions:{}:[{}]", self.name, all.join(", "))
    }

    /// The definitions of one variant; of those whose condition holds, the last one counts.
    pub fn definitions<'a>(&'a self, variant: &'a str) -> impl Iterator<Item = &'a VariantDefinition> {
        self.variants.iter().filter(move |definition| definition.name == variant)
    }

    /// The names of all variants, each once, in the order of their first definitions.
    pub fn variant_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for definition in &self.variants {
            if !names.contains(&definition.name.as_str()) {
                names.push(&definition.name);
            }
        }
        names
    }

    /// Whether it provides the virtual package `name` under some condition.
    pub fn may_provide(&self, name: &str) -> bool {
        self.provides.iter().any(|provided| provided.name() == Some(name))
    }
}
