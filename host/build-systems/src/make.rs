use crate::{PlannedCommand, UnknownPhase};

/// How plain make is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Makefile {
    /// The folder with the makefile.
    pub source: String,
    /// Targets of the phase `build`; empty: the default target.
    pub build_targets: Vec<String>,
    /// Targets of the phase `install`; empty: `install`.
    pub install_targets: Vec<String>,
    /// Targets that test the build; empty: `check`.
    pub check_targets: Vec<String>,
}

const PHASES: &[&str] = &["edit", "build", "install", "check"];

impl Makefile {
    /// The commands of a phase; `edit` has none, since it is the recipe's own work.
    ///
    /// # Errors
    /// There is no such phase.
    pub fn plan(&self, phase: &str) -> Result<Vec<PlannedCommand>, UnknownPhase> {
        match phase {
            "edit" => Ok(Vec::new()),
            "build" => Ok(vec![make(&self.source, &self.build_targets, &[])]),
            "install" => Ok(vec![make(&self.source, &self.install_targets, &["install"])]),
            "check" => Ok(vec![make(&self.source, &self.check_targets, &["check"])]),
            _ => Err(UnknownPhase { build_system: "makefile", phase: phase.to_owned(), known: PHASES }),
        }
    }
}

/// `make` with `targets`, or with `usual` ones where there are none.
pub(crate) fn make(directory: &str, targets: &[String], usual: &[&str]) -> PlannedCommand {
    let command = PlannedCommand::new("make", directory);
    if targets.is_empty() {
        command.arguments(usual.iter().copied())
    } else {
        command.arguments(targets.iter().cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lua's makefile has its version in `V`, by which automake's know whether to be verbose.
    #[test]
    fn a_makefile_keeps_its_variables() {
        let options = Makefile { source: "/build/src".into(), ..Makefile::default() };
        assert_eq!(options.plan("build").unwrap()[0].arguments, [""; 0]);
        assert_eq!(options.plan("install").unwrap()[0].arguments, ["install"]);
    }
}
