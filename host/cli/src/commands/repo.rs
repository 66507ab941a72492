//! `repo`: folders of recipes.

use std::path::{Path, PathBuf};

use serde::Serialize;
use spack_wasm_recipe_host::{Catalog, RepositoryInfo};

use crate::args::{Format, RepoCommand};
use crate::error::CommandError;
use crate::repositories::RepositoryFile;
use crate::session::Session;
use crate::text::{BOLD, HINT, Text, counted, listed};

/// A repository as JSON.
#[derive(Serialize)]
struct Row<'a> {
    namespace: &'a str,
    /// None for the program's own.
    path: Option<&'a Path>,
    recipes: usize,
}

impl<'a> From<&'a RepositoryInfo> for Row<'a> {
    fn from(RepositoryInfo { namespace, folder, recipes }: &'a RepositoryInfo) -> Self {
        Self { namespace, path: folder.as_deref(), recipes: *recipes }
    }
}

pub(super) fn run(session: &Session, command: RepoCommand) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text, Format::Json])?;
    match command {
        RepoCommand::Add(command) => add(session, &command.args.directory),
        RepoCommand::List(_) => list(session),
        RepoCommand::Remove(command) => remove(session, &command.args.repository),
    }
}

fn add(session: &Session, directory: &Path) -> Result<(), CommandError> {
    let path = session.environment.working_directory.join(directory);
    let folder = fs_err::canonicalize(&path)
        .map_err(|error| CommandError::failure(format!("there is no repository to add: {error}")))?;
    if session.settings.repositories.contains(&folder) {
        session.ui.status(&format!("{} is searched already", folder.display()));
        return Ok(());
    }
    let (mut catalog, _) = session.catalog(&[])?;
    catalog.add_repository(&folder)?;
    file(session).add(&folder)?;
    let added = catalog.repositories().into_iter().find(|known| known.folder.as_ref() == Some(&folder));
    if let Some(added) = added {
        let recipes = counted(added.recipes, "recipe");
        session.ui.status(&format!("Added repository '{}' with {recipes}", added.namespace));
    }
    let (catalog, _) = session_with(session, folder)?;
    say_shadowed(session, &catalog);
    Ok(())
}

/// The catalog as it is from now on, with the new folder in front.
fn session_with(session: &Session, folder: PathBuf) -> Result<(Catalog, Vec<String>), CommandError> {
    let mut settings = session.settings.clone();
    settings.repositories.insert(0, folder);
    let next = Session {
        ui: session.ui,
        environment: session.environment.clone(),
        paths: session.paths.clone(),
        settings,
        format: session.format,
    };
    next.catalog(&[])
}

fn list(session: &Session) -> Result<(), CommandError> {
    let (catalog, _) = session.catalog(&[])?;
    let repositories = catalog.repositories();
    if session.is_json(false) {
        return session.ui.print_json(&repositories.iter().map(Row::from).collect::<Vec<_>>());
    }
    session.ui.print(&table(&repositories));
    say_shadowed(session, &catalog);
    Ok(())
}

fn table(repositories: &[RepositoryInfo]) -> Text {
    let width = repositories.iter().map(|repository| repository.namespace.len()).max().unwrap_or(0);
    let mut text = Text::new();
    for repository in repositories {
        let folder = repository.folder.as_ref().map(|folder| folder.display().to_string());
        text.styled(BOLD, &format!("{:width$}", repository.namespace));
        text.push(&format!("  {:>12}  ", counted(repository.recipes, "recipe")));
        text.styled(HINT, folder.as_deref().unwrap_or("(part of the program)")).push("\n");
    }
    text
}

/// Says which of several recipes for a package is used.
fn say_shadowed(session: &Session, catalog: &Catalog) {
    for (name, namespaces) in catalog.shadowed() {
        if let [first, others @ ..] = namespaces.as_slice() {
            let others: Vec<String> = others.iter().map(|other| format!("'{other}'")).collect();
            session.ui.warn(&format!("`{name}` is taken from '{first}', and not from {}", listed(&others)));
        }
    }
}

fn remove(session: &Session, repository: &str) -> Result<(), CommandError> {
    let folders = &session.settings.repositories;
    let named = session.environment.working_directory.join(repository);
    let named = fs_err::canonicalize(&named).unwrap_or(named);
    let by_path =
        folders.iter().find(|folder| **folder == named || folder.as_path() == Path::new(repository));
    let Some(folder) = by_path.cloned().or_else(|| by_namespace(session, repository)) else {
        return Err(CommandError::failure(format!("`{repository}` is no repository that is searched"))
            .hinted("`spack-wasm repo list` shows them".to_owned()));
    };
    if !file(session).remove(&folder)? {
        return Err(CommandError::failure(format!(
            "{} does not come from the user's repos.yaml",
            folder.display()
        )));
    }
    session.ui.status(&format!("Removed {}", folder.display()));
    Ok(())
}

/// The folder of the repository with a namespace, where all repositories are in order.
fn by_namespace(session: &Session, namespace: &str) -> Option<PathBuf> {
    let (catalog, _) = session.catalog(&[]).ok()?;
    catalog.repositories().into_iter().find(|known| known.namespace == namespace)?.folder
}

fn file(session: &Session) -> RepositoryFile {
    RepositoryFile::new(&session.paths)
}
