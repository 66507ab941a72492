use crate::bindings::spack_wasm::recipe::build_systems::{self, Setting};

/// `--enable-NAME` or `--disable-NAME`; with a text, `--enable-NAME=TEXT`.
pub fn enable_or_disable(name: &str, value: impl Into<Setting>) -> String {
    build_systems::enable_or_disable(name, &value.into())
}

/// `--with-NAME` or `--without-NAME`; with a text, `--with-NAME=TEXT`.
pub fn with_or_without(name: &str, value: impl Into<Setting>) -> String {
    build_systems::with_or_without(name, &value.into())
}

/// `-DNAME:TYPE=VALUE` for CMake.
pub fn define(name: &str, value: impl Into<Setting>) -> String {
    build_systems::define(name, &value.into())
}

impl From<bool> for Setting {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<&str> for Setting {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Setting {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<String>> for Setting {
    fn from(values: Vec<String>) -> Self {
        Self::Texts(values)
    }
}
