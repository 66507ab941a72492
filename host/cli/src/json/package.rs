use serde::Serialize;
use spack_wasm_package::{
    DeclaredVersion, Dependency, Listing, Package, Permission, StandAloneTest, VariantDefinition,
    by_preference,
};
use spack_wasm_spec::Version;

/// What a recipe declares: `info`.
#[derive(Serialize)]
pub(crate) struct PackageInfo<'a> {
    name: &'a str,
    namespace: &'a str,
    description: &'a str,
    homepage: Option<&'a str>,
    listing: Option<ListingInfo<'a>>,
    /// The best one first.
    versions: Vec<VersionInfo<'a>>,
    variants: Vec<VariantInfo<'a>>,
    dependencies: Vec<DependencyInfo>,
    provides: Vec<String>,
    tests: Vec<TestInfo<'a>>,
    licenses: Vec<&'a str>,
    permissions: Vec<PermissionInfo<'a>>,
}

#[derive(Serialize)]
struct VersionInfo<'a> {
    version: &'a Version,
    preferred: bool,
    deprecated: bool,
    cached: bool,
}

#[derive(Serialize)]
struct ListingInfo<'a> {
    url: &'a str,
    depth: u32,
}

#[derive(Serialize)]
struct TestInfo<'a> {
    name: &'a str,
    purpose: &'a str,
    compiles: bool,
    when: String,
}

#[derive(Serialize)]
struct VariantInfo<'a> {
    name: &'a str,
    when: String,
    multi: bool,
    default: Vec<&'a str>,
    values: Vec<&'a str>,
    description: &'a str,
}

#[derive(Serialize)]
struct DependencyInfo {
    spec: String,
    when: String,
    types: Vec<&'static str>,
}

#[derive(Serialize)]
struct PermissionInfo<'a> {
    kind: &'a str,
    value: &'a str,
    reason: &'a str,
}

impl<'a> From<&'a Package> for PackageInfo<'a> {
    fn from(package: &'a Package) -> Self {
        Self {
            name: &package.name,
            namespace: &package.namespace,
            description: &package.description,
            homepage: package.homepage.as_deref(),
            listing: package.listing.as_ref().map(ListingInfo::from),
            versions: by_preference(&package.versions).into_iter().map(VersionInfo::from).collect(),
            variants: package.variants.iter().map(VariantInfo::from).collect(),
            dependencies: package.dependencies.iter().map(DependencyInfo::from).collect(),
            provides: package.provides.iter().map(|provided| provided.spec.to_string()).collect(),
            tests: package.tests.iter().map(TestInfo::from).collect(),
            licenses: package.licenses.iter().map(|license| license.expression.as_str()).collect(),
            permissions: package.permissions.iter().map(PermissionInfo::from).collect(),
        }
    }
}

impl<'a> From<&'a DeclaredVersion> for VersionInfo<'a> {
    fn from(declared: &'a DeclaredVersion) -> Self {
        let DeclaredVersion { version, preferred, deprecated, cached, .. } = declared;
        Self { version, preferred: *preferred, deprecated: *deprecated, cached: *cached }
    }
}

impl<'a> From<&'a Listing> for ListingInfo<'a> {
    fn from(Listing { url, depth }: &'a Listing) -> Self {
        Self { url, depth: *depth }
    }
}

impl<'a> From<&'a StandAloneTest> for TestInfo<'a> {
    fn from(test: &'a StandAloneTest) -> Self {
        let StandAloneTest { name, purpose, compiles, when } = test;
        Self { name, purpose, compiles: *compiles, when: when.to_string() }
    }
}

impl<'a> From<&'a VariantDefinition> for VariantInfo<'a> {
    fn from(definition: &'a VariantDefinition) -> Self {
        Self {
            name: &definition.name,
            when: definition.when.to_string(),
            multi: definition.multi,
            default: definition.default.texts(),
            values: definition.listed_values(),
            description: &definition.description,
        }
    }
}

impl From<&Dependency> for DependencyInfo {
    fn from(dependency: &Dependency) -> Self {
        Self {
            spec: dependency.spec.to_string(),
            when: dependency.when.to_string(),
            types: dependency.types.iter().map(|kind| kind.as_str()).collect(),
        }
    }
}

impl<'a> From<&'a Permission> for PermissionInfo<'a> {
    fn from(Permission { kind, value, reason }: &'a Permission) -> Self {
        Self { kind, value, reason }
    }
}
