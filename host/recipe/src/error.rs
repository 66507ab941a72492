use std::path::PathBuf;

use semver::Version;

use crate::FilesError;
use crate::types::{Failure, ToolError};

/// Why a component can't be used as a recipe. Whoever loads it says which file it was.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes are not a component.
    #[error(
        "{found}; a recipe is a WebAssembly component, for example `target/wasm32-wasip2/release/recipe_libfoo.wasm`"
    )]
    NotAComponent {
        /// What it is instead.
        found: String,
    },
    /// A component that was cut off or damaged.
    #[error("it begins as a WebAssembly component and is damaged or cut off: {reason} (at byte {at:#x})")]
    Damaged {
        /// What the parser says.
        reason: String,
        /// Where.
        at: usize,
    },
    /// The bytes are a core module.
    #[error(
        "it is a core WebAssembly module, not a component; build it for `wasm32-wasip2` or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    /// A component, but not of our world.
    #[error(
        "it is a WebAssembly component and not a recipe: it exports {}, and no 'spack-wasm:recipe/describe'",
        exported(exports)
    )]
    NotARecipe {
        /// What it exports.
        exports: Vec<String>,
    },
    /// It was built for a contract that this host does not speak.
    #[error("it is a recipe for contract {found}, and this version of spack-wasm speaks {}.{}; build the recipe again with a matching SDK, or use another version of spack-wasm", spoken.major, spoken.minor)]
    Contract {
        /// What it was built for.
        found: String,
        /// What this host speaks.
        spoken: Version,
    },
    /// It wants something from the host that no recipe gets.
    #[error("it imports '{import}', which recipes may not have")]
    ForbiddenImport {
        /// The import.
        import: String,
    },
    /// The custom section with the package hash is broken.
    #[error("its custom section 'spack-wasm:package-hash' is not 64 hexadecimal digits")]
    PackageHash,
    /// Its imports or exports have other types than the contract's, or are not all there.
    #[error(
        "it does not fit contract {}: {reason}; build the recipe again with a matching SDK",
        crate::CONTRACT
    )]
    Misfit {
        /// What does not fit.
        reason: String,
    },
    /// The component is malformed inside.
    #[error("it can't be compiled: {reason}")]
    Compile {
        /// What the compiler says.
        reason: String,
    },
    /// Its own files can't be shown to it.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The compiled form can't be kept or read.
    #[error("the compiled form of a recipe can't be kept in {}", folder.display())]
    Cache {
        /// The cache's folder.
        folder: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
}

/// The first few exports: a stranger's component may have any number, with any names.
fn exported(exports: &[String]) -> String {
    let shown: Vec<_> = exports.iter().take(3).map(|name| format!("'{}'", name.escape_debug())).collect();
    match (shown.is_empty(), exports.len() > shown.len()) {
        (true, _) => "nothing".to_owned(),
        (false, true) => format!("{} and more", shown.join(", ")),
        (false, false) => shown.join(", "),
    }
}

/// Why a call into a recipe has no result. The recipe's name is part of every message.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The guest trapped: a panic, an abort, an exception that nobody caught, an exhausted stack.
    #[error("the recipe of {recipe} crashed in {function}: {reason}{}", quoted(.stderr))]
    Trapped {
        /// The recipe.
        recipe: String,
        /// The exported function.
        function: String,
        /// What happened.
        reason: String,
        /// The tail of its standard error.
        stderr: String,
    },
    /// The guest used more time or memory than it may.
    #[error("the recipe of {recipe} was stopped in {function}: {reason}{}", quoted(.stderr))]
    Stopped {
        /// The recipe.
        recipe: String,
        /// The exported function.
        function: String,
        /// Which limit it met.
        reason: String,
        /// The tail of its standard error.
        stderr: String,
    },
    /// The recipe says that it failed.
    #[error("{}", failure_text(recipe, .failure))]
    Failed {
        /// The recipe.
        recipe: String,
        /// The exported function.
        function: String,
        /// Why.
        failure: Failure,
    },
    /// A session can't be set up.
    #[error("the recipe of {recipe} can't be started: {reason}")]
    Setup {
        /// The recipe.
        recipe: String,
        /// Why.
        reason: String,
    },
}

fn quoted(stderr: &str) -> String {
    let stderr = stderr.trim();
    let lines =
        stderr.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("\n  {line}") });
    if stderr.is_empty() { String::new() } else { format!("\nIt wrote:{}", lines.collect::<String>()) }
}

fn failure_text(recipe: &str, failure: &Failure) -> String {
    match failure {
        Failure::Other(reason) => format!("the recipe of {recipe} says: {reason}"),
        Failure::Tool(error) => tool_error_text(recipe, error),
    }
}

fn tool_error_text(recipe: &str, error: &ToolError) -> String {
    match error {
        ToolError::NotFound(program) => format!(
            "{recipe} wants to run '{program}', and there is no such program in its sandbox; a dependency of type build on the package that has it would bring it in"
        ),
        ToolError::Refused(reason) => format!("{recipe} may not run a tool: {reason}"),
        ToolError::Invalid(reason) => {
            format!("the recipe of {recipe} asks for a tool in a way that makes no sense: {reason}")
        }
        ToolError::Failed(failure) => {
            let how = match (failure.outcome.exit_code, failure.outcome.signal) {
                (Some(code), _) => format!("exited with status {code}"),
                (None, Some(signal)) => format!("was ended by signal {signal}"),
                (None, None) => "failed".to_owned(),
            };
            format!("`{}` {how}", failure.command_line)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_a_recipe_wrote_is_indented_where_there_is_something() {
        assert_eq!(quoted("\n  one\n\ntwo\n\n"), "\nIt wrote:\n  one\n\n  two");
        assert_eq!(quoted(" \n"), "");
    }
}
