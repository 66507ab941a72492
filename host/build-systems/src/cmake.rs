use crate::{PlannedCommand, Setting, UnknownPhase};

/// How CMake is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CMake {
    /// The folder with `CMakeLists.txt`.
    pub source: String,
    /// The folder in which it is built.
    pub build: String,
    /// The prefix.
    pub prefix: String,
    /// `make` or `ninja`.
    pub generator: String,
    /// The value of `CMAKE_BUILD_TYPE`.
    pub build_type: String,
    /// Whether interprocedural optimization is on.
    pub interprocedural_optimization: bool,
    /// Prefixes of dependencies for `CMAKE_PREFIX_PATH`.
    pub prefix_path: Vec<String>,
    /// Folders that the installed files search at run time.
    pub run_path: Vec<String>,
    /// Arguments on top of the usual ones.
    pub arguments: Vec<String>,
    /// Targets of the phase `build`; empty: the default target.
    pub build_targets: Vec<String>,
    /// Targets of the phase `install`; empty: `install`.
    pub install_targets: Vec<String>,
    /// Targets that test the build; empty: `test`.
    pub check_targets: Vec<String>,
}

const PHASES: &[&str] = &["cmake", "build", "install", "check"];

impl CMake {
    /// The commands of a phase.
    ///
    /// # Errors
    /// There is no such phase.
    pub fn plan(&self, phase: &str) -> Result<Vec<PlannedCommand>, UnknownPhase> {
        match phase {
            "cmake" => Ok(vec![self.configure()]),
            "build" => Ok(vec![self.tool(&self.build_targets, &[])]),
            "install" => Ok(vec![self.tool(&self.install_targets, &["install"])]),
            // CTest has no jobserver client; its own variable shows the output of what failed.
            "check" => {
                Ok(vec![self.tool(&self.check_targets, &["test"]).variable("CTEST_OUTPUT_ON_FAILURE", "1")])
            }
            _ => Err(UnknownPhase { build_system: "cmake", phase: phase.to_owned(), known: PHASES }),
        }
    }

    fn configure(&self) -> PlannedCommand {
        PlannedCommand::new("cmake", &self.source)
            .arguments(["-S", &self.source, "-B", &self.build, "-G", self.generator_name()])
            .arguments(self.definitions())
            .arguments(self.arguments.iter().cloned())
    }

    fn generator_name(&self) -> &'static str {
        if self.generator == "ninja" { "Ninja" } else { "Unix Makefiles" }
    }

    /// What every package gets, as Spack's users know it.
    fn definitions(&self) -> Vec<String> {
        let text = |value: &str| Setting::Text(value.to_owned());
        vec![
            text(&self.prefix).define("CMAKE_INSTALL_PREFIX"),
            text(&self.build_type).define("CMAKE_BUILD_TYPE"),
            Setting::Boolean(true).define("CMAKE_VERBOSE_MAKEFILE"),
            Setting::Boolean(self.interprocedural_optimization).define("CMAKE_INTERPROCEDURAL_OPTIMIZATION"),
            Setting::Boolean(true).define("CMAKE_INSTALL_RPATH_USE_LINK_PATH"),
            Setting::Texts(self.run_path.clone()).define("CMAKE_INSTALL_RPATH"),
            Setting::Texts(self.prefix_path.clone()).define("CMAKE_PREFIX_PATH"),
            // The user's package registry is another machine's business.
            Setting::Boolean(false).define("CMAKE_FIND_USE_PACKAGE_REGISTRY"),
            Setting::Boolean(true).define("CMAKE_EXPORT_NO_PACKAGE_REGISTRY"),
        ]
    }

    fn tool(&self, targets: &[String], usual: &[&str]) -> PlannedCommand {
        if self.generator != "ninja" {
            return crate::make::make(&self.build, targets, usual);
        }
        let command = PlannedCommand::new("ninja", &self.build).arguments(["-v"]);
        match targets {
            [] => command.arguments(usual.iter().copied()),
            _ => command.arguments(targets.iter().cloned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cmake_builds_outside_of_the_source() {
        let options = CMake {
            source: "/build/src".into(),
            build: "/build/out".into(),
            prefix: "/store/snappy".into(),
            generator: "make".into(),
            build_type: "Release".into(),
            ..CMake::default()
        };
        let plan = options.plan("cmake").unwrap();
        assert_eq!(plan[0].arguments[..6], ["-S", "/build/src", "-B", "/build/out", "-G", "Unix Makefiles"]);
        assert!(plan[0].arguments.contains(&"-DCMAKE_INSTALL_PREFIX:STRING=/store/snappy".to_owned()));
        assert_eq!(options.plan("install").unwrap()[0].arguments, ["install"]);
    }

    #[test]
    fn ninja_is_called_by_its_own_name() {
        let options = CMake { generator: "ninja".into(), build: "/build/out".into(), ..CMake::default() };
        let plan = options.plan("install").unwrap();
        assert_eq!(
            (plan[0].program.as_str(), &plan[0].arguments[..]),
            ("ninja", &["-v".into(), "install".into()][..])
        );
    }
}
