use std::path::{Path, PathBuf};

use crate::bindings::spack_wasm::recipe::build_systems::{self, Autotools, Cmake, Makefile};
use crate::bindings::spack_wasm::recipe::types::{Command, VariantValue};
use crate::bindings::spack_wasm::recipe::{context, machine, report, tools};
use crate::{Failure, Recipe, Result, Spec, Tool};

/// The build that is going on: its spec, its folders and its tools.
#[derive(Debug)]
pub struct Build {
    spec: Spec,
    source: PathBuf,
}

impl Build {
    pub(crate) fn current() -> Result<Self> {
        let source = context::source().ok_or_else(|| Failure::new("there is no build going on"))?;
        Ok(Self { spec: Spec::this(), source: source.into() })
    }

    /// The spec that is built.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The folder of the unpacked sources.
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// The stage: a scratch folder that the build owns, with the sources in it.
    ///
    /// # Errors
    /// There is no build going on.
    pub fn stage(&self) -> Result<PathBuf> {
        context::stage().map(PathBuf::from).ok_or_else(|| Failure::new("there is no build going on"))
    }

    /// The folder with the recipe's own files; none where the recipe has none.
    pub fn recipe_folder(&self) -> Option<PathBuf> {
        context::recipe_folder().map(PathBuf::from)
    }

    /// One of the recipe's own files, for example `files/site.conf`.
    ///
    /// # Errors
    /// The recipe has none of that name.
    pub fn recipe_file(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        recipe_file(path)
    }

    /// Where the package is installed.
    pub fn prefix(&self) -> PathBuf {
        context::prefix().into()
    }

    /// Whether the user wants the package's own tests to be run.
    pub fn run_tests(&self) -> bool {
        context::run_tests()
    }

    /// A tool by its name, or by its path.
    pub fn tool(&self, program: impl Into<String>) -> Tool {
        Tool::new(program)
    }

    /// A script of the sources, for example `configure`.
    pub fn script(&self, name: &str) -> Tool {
        Tool::new(self.source.join(name).display().to_string())
    }

    /// Looks a program up inside the sandbox; none where there is no such executable.
    pub fn find_tool(&self, program: &str) -> Option<PathBuf> {
        tools::find(program).map(PathBuf::from)
    }

    /// How many processors the recipe may count on: a fixed number, the same on every machine.
    pub fn cpu_count(&self) -> u32 {
        machine::cpu_count()
    }

    /// Says how far the phase is: `done` of `total` steps.
    pub fn progress(&self, done: u32, total: u32, message: &str) {
        report::progress(done, total, message);
    }

    /// Writes a line to the build log.
    pub fn log(&self, message: &str) {
        report::log(report::Level::Info, message);
    }

    /// Tells the user something that is repeated at the end of the install.
    pub fn warn(&self, message: &str) {
        report::log(report::Level::Warning, message);
    }

    /// The name of the spec's build system.
    pub fn build_system(&self) -> String {
        self.spec.variant("build_system").unwrap_or_else(|| "generic".to_owned())
    }

    /// What the spec's build system does in a phase, with the arguments and targets of the recipe.
    ///
    /// # Errors
    /// A tool failed, or the build system has no such phase.
    pub fn usual_phase<R: Recipe>(&self, phase: &str) -> Result {
        self.run_all(self.plan::<R>(phase)?)?;
        if phase == "build" && self.run_tests() {
            self.run_all(self.plan::<R>("check")?)?;
        }
        Ok(())
    }

    fn run_all(&self, commands: Vec<Command>) -> Result {
        commands.into_iter().try_for_each(|command| Tool::from(command).run())
    }

    fn plan<R: Recipe>(&self, phase: &str) -> Result<Vec<Command>> {
        let plan = match self.build_system().as_str() {
            "autotools" if phase == "autoreconf" && self.has_configure::<R>() => Ok(Vec::new()),
            "autotools" => build_systems::plan_autotools(&self.autotools::<R>()?, phase),
            "cmake" => build_systems::plan_cmake(&self.cmake::<R>()?, phase),
            "makefile" => build_systems::plan_makefile(&self.makefile::<R>()?, phase),
            other => Err(format!(
                "the build system '{other}' has no phase '{phase}' of its own; the recipe has to define it"
            )),
        };
        plan.map_err(Failure::new)
    }

    fn has_configure<R: Recipe>(&self) -> bool {
        R::source_directory(self).join("configure").exists()
    }

    fn autotools<R: Recipe>(&self) -> Result<Autotools> {
        Ok(Autotools {
            source: text(&R::source_directory(self)),
            build: text(&R::build_directory(self)),
            prefix: context::prefix(),
            arguments: R::configure_args(self)?,
            build_targets: R::build_targets(self)?,
            install_targets: R::install_targets(self)?,
            check_targets: R::check_targets(self)?,
        })
    }

    fn makefile<R: Recipe>(&self) -> Result<Makefile> {
        Ok(Makefile {
            source: text(&R::build_directory(self)),
            build_targets: R::build_targets(self)?,
            install_targets: R::install_targets(self)?,
            check_targets: R::check_targets(self)?,
        })
    }

    fn cmake<R: Recipe>(&self) -> Result<Cmake> {
        let variant =
            |name: &str, default: &str| self.spec.variant(name).unwrap_or_else(|| default.to_owned());
        let ipo = matches!(self.spec.contract().variant_value("ipo"), Some(VariantValue::Boolean(true)));
        let prefixes: Vec<PathBuf> = self.spec.link_dependencies().iter().map(Spec::prefix).collect();
        let run_path = prefixes.iter().map(|prefix| text(&prefix.join("lib")));
        let own = ["lib", "lib64"].map(|folder| text(&self.prefix().join(folder)));
        Ok(Cmake {
            source: text(&R::source_directory(self)),
            build: text(&R::build_directory(self)),
            prefix: context::prefix(),
            generator: variant("generator", "make"),
            build_type: variant("build_type", "Release"),
            interprocedural_optimization: ipo,
            run_path: own.into_iter().chain(run_path).collect(),
            prefix_path: prefixes.iter().map(|prefix| text(prefix)).collect(),
            arguments: R::cmake_args(self)?,
            build_targets: R::build_targets(self)?,
            install_targets: R::install_targets(self)?,
            check_targets: R::check_targets(self)?,
        })
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// One of the recipe's own files, for example a table that [`Recipe::describe`] reads.
///
/// # Errors
/// The recipe has none of that name.
pub fn recipe_file(path: impl AsRef<Path>) -> Result<PathBuf> {
    let file = context::recipe_folder().map(|folder| Path::new(&folder).join(path.as_ref()));
    file.filter(|file| file.is_file()).ok_or_else(|| {
        Failure::new(format!("'{}' is not among the recipe's own files", path.as_ref().display()))
    })
}
