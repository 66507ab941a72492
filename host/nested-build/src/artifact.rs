//! What a package is built into, and under which file name cargo leaves it.

/// A workspace package and the kind of file that it is built into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    package: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Program,
    Component,
}

impl Artifact {
    /// A package with one binary of the same name.
    pub fn program(package: impl Into<String>) -> Self {
        Artifact { package: package.into(), kind: Kind::Program }
    }

    /// A package whose `cdylib` becomes a component when built for `wasm32-wasip2`.
    pub fn component(package: impl Into<String>) -> Self {
        Artifact { package: package.into(), kind: Kind::Component }
    }

    /// The name that `cargo build --package` takes.
    pub fn package(&self) -> &str {
        &self.package
    }

    pub(crate) fn file_name(&self) -> String {
        match self.kind {
            Kind::Program => self.package.clone(),
            Kind::Component => format!("{}.wasm", self.package.replace('-', "_")),
        }
    }

    pub(crate) fn depinfo_name(&self) -> String {
        match self.kind {
            Kind::Program => format!("{}.d", self.package),
            Kind::Component => format!("{}.d", self.package.replace('-', "_")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_cargo() {
        let component = Artifact::component("recipe-zlib");
        assert_eq!(component.file_name(), "recipe_zlib.wasm");
        assert_eq!(component.depinfo_name(), "recipe_zlib.d");
        assert_eq!(Artifact::program("my-tool").file_name(), "my-tool");
    }
}
