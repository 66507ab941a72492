/// A setting of configure or CMake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// On or off.
    Boolean(bool),
    /// One text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
}

impl Setting {
    /// `--enable-NAME`, `--disable-NAME` or `--enable-NAME=VALUE`.
    pub fn enable_or_disable(&self, name: &str) -> String {
        self.switch(name, "enable", "disable")
    }

    /// `--with-NAME`, `--without-NAME` or `--with-NAME=VALUE`.
    pub fn with_or_without(&self, name: &str) -> String {
        self.switch(name, "with", "without")
    }

    fn switch(&self, name: &str, on: &str, off: &str) -> String {
        match self {
            Self::Boolean(true) => format!("--{on}-{name}"),
            Self::Boolean(false) => format!("--{off}-{name}"),
            Self::Text(value) => format!("--{on}-{name}={value}"),
            Self::Texts(values) => format!("--{on}-{name}={}", values.join(",")),
        }
    }

    /// `-DNAME:BOOL=ON`, `-DNAME:STRING=VALUE`, or a list joined by semicolons, as CMake reads it.
    pub fn define(&self, name: &str) -> String {
        match self {
            Self::Boolean(true) => format!("-D{name}:BOOL=ON"),
            Self::Boolean(false) => format!("-D{name}:BOOL=OFF"),
            Self::Text(value) => format!("-D{name}:STRING={value}"),
            Self::Texts(values) => format!("-D{name}:STRING={}", values.join(";")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_read_as_configure_takes_them() {
        assert_eq!(Setting::Boolean(true).enable_or_disable("cxx"), "--enable-cxx");
        assert_eq!(Setting::Boolean(false).enable_or_disable("cxx"), "--disable-cxx");
        assert_eq!(Setting::Text("/opt/zlib".into()).with_or_without("zlib"), "--with-zlib=/opt/zlib");
        assert_eq!(Setting::Boolean(false).with_or_without("zlib"), "--without-zlib");
        let several = Setting::Texts(vec!["a".into(), "b".into()]);
        assert_eq!(several.enable_or_disable("langs"), "--enable-langs=a,b");
    }

    #[test]
    fn definitions_read_as_cmake_takes_them() {
        assert_eq!(Setting::Boolean(false).define("BUILD_TESTING"), "-DBUILD_TESTING:BOOL=OFF");
        assert_eq!(
            Setting::Text("Release".into()).define("CMAKE_BUILD_TYPE"),
            "-DCMAKE_BUILD_TYPE:STRING=Release"
        );
        assert_eq!(Setting::Texts(vec!["a".into(), "b".into()]).define("LIST"), "-DLIST:STRING=a;b");
    }
}
