use crate::bindings::exports::spack_wasm::recipe::answers::FoundInstallation;

/// An installation that something else made, by its spec, for example `hdf5@1.10.8 +cxx`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    spec: String,
    attributes: Vec<(String, String)>,
}

impl Found {
    /// A fact that the spec has no words for, for example the path of a compiler.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn into_contract(self) -> FoundInstallation {
        let Self { spec, attributes } = self;
        FoundInstallation { spec, attributes }
    }
}

impl<T: Into<String>> From<T> for Found {
    fn from(spec: T) -> Self {
        Self { spec: spec.into(), attributes: Vec::new() }
    }
}
