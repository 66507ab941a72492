use crate::make::make;
use crate::{PlannedCommand, UnknownPhase};

/// How configure is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Autotools {
    /// The folder with `configure`.
    pub source: String,
    /// The folder in which it is built; the same as `source` for a build inside it.
    pub build: String,
    /// The prefix.
    pub prefix: String,
    /// Arguments on top of the usual ones.
    pub arguments: Vec<String>,
    /// Targets of `make` in the phase `build`; empty: the default target.
    pub build_targets: Vec<String>,
    /// Targets of `make` in the phase `install`; empty: `install`.
    pub install_targets: Vec<String>,
    /// Targets of `make` that test the build; empty: `check`.
    pub check_targets: Vec<String>,
}

const PHASES: &[&str] = &["autoreconf", "configure", "build", "install", "check"];

impl Autotools {
    /// The commands of a phase.
    ///
    /// # Errors
    /// There is no such phase.
    pub fn plan(&self, phase: &str) -> Result<Vec<PlannedCommand>, UnknownPhase> {
        match phase {
            "autoreconf" => Ok(vec![self.autoreconf()]),
            "configure" => Ok(self.configure()),
            "build" => Ok(vec![verbose(&self.build, &self.build_targets, &[])]),
            "install" => Ok(vec![verbose(&self.build, &self.install_targets, &["install"])]),
            "check" => Ok(vec![verbose(&self.build, &self.check_targets, &["check"])]),
            _ => Err(UnknownPhase { build_system: "autotools", phase: phase.to_owned(), known: PHASES }),
        }
    }

    fn autoreconf(&self) -> PlannedCommand {
        PlannedCommand::new("autoreconf", &self.source).arguments(["--install", "--verbose", "--force"])
    }

    fn configure(&self) -> Vec<PlannedCommand> {
        let configure = PlannedCommand::new(&format!("{}/configure", self.source), &self.build)
            .arguments([format!("--prefix={}", self.prefix)])
            .arguments(self.arguments.iter().cloned());
        if self.build == self.source {
            return vec![configure];
        }
        let folder = PlannedCommand::new("mkdir", &self.source).arguments(["-p", "--", &self.build]);
        vec![folder, configure]
    }
}

/// `make` for automake's makefiles, which show their command lines in the log when `V` is 1.
fn verbose(directory: &str, targets: &[String], usual: &[&str]) -> PlannedCommand {
    let mut command = make(directory, targets, usual);
    command.arguments.insert(0, "V=1".to_owned());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(build: &str) -> Autotools {
        Autotools {
            source: "/build/src".into(),
            build: build.into(),
            prefix: "/store/zlib".into(),
            arguments: vec!["--enable-shared".into()],
            ..Autotools::default()
        }
    }

    #[test]
    fn configure_gets_the_prefix_first() {
        let plan = example("/build/src").plan("configure").unwrap();
        assert_eq!(plan.len(), 1);
        assert_eq!(plan[0].program, "/build/src/configure");
        assert_eq!(plan[0].arguments, ["--prefix=/store/zlib", "--enable-shared"]);
    }

    #[test]
    fn what_make_does_is_shown() {
        assert_eq!(example("/build/src").plan("check").unwrap()[0].arguments, ["V=1", "check"]);
    }

    #[test]
    fn a_build_outside_of_the_source_gets_its_folder() {
        let plan = example("/build/out").plan("configure").unwrap();
        assert_eq!(plan[0].arguments, ["-p", "--", "/build/out"]);
        assert_eq!(plan[1].directory, "/build/out");
    }

    #[test]
    fn an_unknown_phase_names_the_known_ones() {
        let error = example("/build/src").plan("cmake").unwrap_err().to_string();
        assert_eq!(
            error,
            "autotools has no phase 'cmake': it has autoreconf, configure, build, install, check"
        );
    }
}
