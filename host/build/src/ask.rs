//! What a dependency's recipe is asked, in an instance of its own, and what holds where it has no answer of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use spack_wasm_recipe_host::types::{EnvironmentAction, EnvironmentChange};
use spack_wasm_recipe_host::{Answer, AskError, Headers, NoServices, Question, RunError, Session};
use spack_wasm_spec::{Dag, DagHash, Node};

use crate::Installer;
use crate::error::BuildError;

/// Asks the recipes of a DAG's nodes.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) installer: Installer,
    pub(crate) dag: Arc<Dag>,
    pub(crate) prefixes: Arc<BTreeMap<DagHash, PathBuf>>,
}

impl Asker {
    pub(crate) fn ask(&self, node: &Arc<Node>, question: Question) -> Result<Answer, AskError> {
        let prefix = self.installer.store.prefix_of(node);
        let mut session = self.session(node)?;
        let own = match &mut session {
            Some(session) => own_answer(session, &question).map_err(failed)?,
            None => None,
        };
        own.or_else(|| usual_answer(node, &prefix, &question))
            .ok_or_else(|| AskError::Nothing(describe(&question)))
    }

    /// What the recipe of `node` changes in the environment in which `dependent` is built.
    pub(crate) fn for_dependent(
        &self,
        node: &Arc<Node>,
        dependent: &Arc<Node>,
    ) -> Result<Vec<EnvironmentChange>, BuildError> {
        let failed = |source| BuildError::Dependency { name: node.name().to_owned(), source };
        match self.session(node).map_err(failed)? {
            Some(mut session) => {
                session.dependent_build_environment(dependent).map_err(|error| failed(self::failed(error)))
            }
            None if node.is_external() => Ok(Vec::new()),
            None => Err(BuildError::NoRecipe(node.name().to_owned())),
        }
    }

    /// An instance of a node's recipe; an external may have none.
    fn session(&self, node: &Arc<Node>) -> Result<Option<Session>, AskError> {
        let entry =
            self.installer.catalog.entry(node.name()).map_err(|error| AskError::Failed(error.to_string()))?;
        let Some(entry) = entry else { return Ok(None) };
        let subject = self.installer.asked(&entry, &self.dag, node, &self.prefixes);
        entry.recipe.session(subject, Box::new(NoServices)).map(Some).map_err(failed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn failed(error: RunError) -> AskError {
    AskError::Failed(error.to_string())
}

fn own_answer(session: &mut Session, question: &Question) -> Result<Option<Answer>, RunError> {
    Ok(match question {
        Question::Libraries(query) => session.libraries(query)?.map(Answer::Libraries),
        Question::Headers(query) => session.headers(query)?.map(Answer::Headers),
        Question::Command(query) => session.command(query)?.map(Answer::Text),
        Question::Home => session.home()?.map(Answer::Text),
        Question::Offered(name) => session.offered(name)?.map(Answer::Text),
        Question::RunEnvironment => Some(Answer::Environment(session.run_environment()?)),
    })
}

/// What Spack's packages answer where the recipe says nothing.
fn usual_answer(node: &Node, prefix: &Path, question: &Question) -> Option<Answer> {
    match question {
        Question::Libraries(_) => library(node, prefix).map(|path| Answer::Libraries(vec![path])),
        Question::Headers(_) => headers(prefix).map(Answer::Headers),
        Question::Command(_) => command(node, prefix).map(Answer::Text),
        Question::Home => Some(Answer::Text(prefix.display().to_string())),
        Question::Offered(_) => None,
        Question::RunEnvironment => Some(Answer::Environment(usual_environment(prefix))),
    }
}

/// `lib<name>` below the prefix, the shared one first.
fn library(node: &Node, prefix: &Path) -> Option<String> {
    let stem = node.name().strip_prefix("lib").unwrap_or(node.name());
    let names = ["so", "a"].map(|ending| format!("lib{stem}.{ending}"));
    let places = ["lib", "lib64"].map(|folder| prefix.join(folder));
    let mut candidates = names.iter().flat_map(|name| places.iter().map(move |place| place.join(name)));
    candidates.find(|path| path.is_file()).map(|path| path.display().to_string())
}

fn headers(prefix: &Path) -> Option<Headers> {
    let folder = prefix.join("include");
    folder.is_dir().then(|| Headers { directories: vec![folder.display().to_string()], files: Vec::new() })
}

fn command(node: &Node, prefix: &Path) -> Option<String> {
    let own = node.facts.external.as_ref().and_then(|external| external.executables.get(node.name()));
    let path = own.cloned().unwrap_or_else(|| prefix.join("bin").join(node.name()));
    path.is_file().then(|| path.display().to_string())
}

/// The usual folders of a prefix on the usual paths.
fn usual_environment(prefix: &Path) -> Vec<EnvironmentChange> {
    let folders = [
        ("PATH", "bin"),
        ("MANPATH", "share/man"),
        ("ACLOCAL_PATH", "share/aclocal"),
        ("PKG_CONFIG_PATH", "lib/pkgconfig"),
        ("PKG_CONFIG_PATH", "lib64/pkgconfig"),
        ("PKG_CONFIG_PATH", "share/pkgconfig"),
    ];
    let present = folders.into_iter().filter(|(_, folder)| prefix.join(folder).is_dir());
    let change = |name: &str, value: PathBuf| EnvironmentChange {
        action: EnvironmentAction::PrependPath,
        name: name.to_owned(),
        value: value.display().to_string(),
        separator: ":".to_owned(),
    };
    let cmake = change("CMAKE_PREFIX_PATH", prefix.to_owned());
    present.map(|(name, folder)| change(name, prefix.join(folder))).chain([cmake]).collect()
}

fn describe(question: &Question) -> String {
    match question {
        Question::Libraries(_) => "libraries".to_owned(),
        Question::Headers(_) => "headers".to_owned(),
        Question::Command(_) => "a command".to_owned(),
        Question::Home => "a home".to_owned(),
        Question::Offered(name) => format!("'{name}'"),
        Question::RunEnvironment => "an environment".to_owned(),
    }
}
