//! Changing the user's `repos.yaml`. Everything else in the file, comments included, stays as it is.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::{ConfigError, Repositories, Variables};
use crate::paths::Paths;

/// The user's `repos.yaml`.
#[derive(Debug)]
pub(crate) struct RepositoryFile {
    path: PathBuf,
    variables: Variables,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Contents {
    repos: Option<Repositories>,
}

impl RepositoryFile {
    /// The file in the user's folder of configuration; it need not be there.
    pub(crate) fn new(paths: &Paths) -> Self {
        Self { path: paths.config.join("repos.yaml"), variables: Variables::new(paths) }
    }

    /// Puts a folder in front of the others.
    ///
    /// # Errors
    /// The file can't be read or written, or is written in a way that can't be changed safely.
    pub(crate) fn add(&self, folder: &Path) -> Result<(), ConfigError> {
        let text = self.text()?;
        let quoted = serde_json::Value::from(folder.display().to_string());
        let changed = insert(&text, &quoted.to_string());
        let mut expected = vec![folder.to_owned()];
        expected.extend(self.folders(&text)?);
        self.write(changed, &expected)
    }

    /// Takes a folder out; false when the file does not have it.
    ///
    /// # Errors
    /// As [`RepositoryFile::add`].
    pub(crate) fn remove(&self, folder: &Path) -> Result<bool, ConfigError> {
        let text = self.text()?;
        let mut expected = self.folders(&text)?;
        let Some(position) = expected.iter().position(|known| known == folder) else { return Ok(false) };
        expected.remove(position);
        self.write(remove(&text, position), &expected)?;
        Ok(true)
    }

    fn text(&self) -> Result<String, ConfigError> {
        match fs_err::read_to_string(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            text => Ok(text?),
        }
    }

    fn folders(&self, text: &str) -> Result<Vec<PathBuf>, ConfigError> {
        let wrong =
            |reason: String| ConfigError::Malformed { place: self.path.display().to_string(), reason };
        let contents: Option<Contents> =
            serde_saphyr::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let repositories = contents.and_then(|contents| contents.repos);
        let folders = repositories.iter().flat_map(|repositories| repositories.folders());
        folders.map(|folder| self.variables.path(folder).map_err(wrong)).collect()
    }

    /// Writes the changed text, when it says what it should.
    fn write(&self, text: Option<String>, expected: &[PathBuf]) -> Result<(), ConfigError> {
        let right = |text: &String| self.folders(text).is_ok_and(|folders| folders == expected);
        let text = text.filter(right).ok_or_else(|| ConfigError::Malformed {
            place: self.path.display().to_string(),
            reason: "it is written in a way that can't be changed safely: change it by hand, one folder a line below \
                     `repos:`"
                .to_owned(),
        })?;
        replace(&self.path, &text).map_err(ConfigError::Write)
    }
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// The text with an item in front of the list below `repos:`.
fn insert(text: &str, item: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let Some(start) = lines.iter().position(|line| line.starts_with("repos:")) else {
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return Some(format!("{text}{gap}repos:\n- {item}\n"));
    };
    let empty = matches!(lines[start]["repos:".len()..].trim(), "" | "[]" | "{}");
    let indent = lines[start + 1..].iter().find_map(|line| item_indent(line)).unwrap_or("");
    let added = format!("{indent}- {item}");
    let mut changed = lines[..start].to_vec();
    changed.extend(["repos:", &added]);
    changed.extend(&lines[start + 1..]);
    empty.then(|| changed.join("\n") + "\n")
}

/// The text without the item at a position of the list below `repos:`.
fn remove(text: &str, position: usize) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|line| line.starts_with("repos:"))?;
    let items = lines.iter().enumerate().skip(start + 1).filter(|(_, line)| item_indent(line).is_some());
    let items: Vec<usize> = items.map(|(number, _)| number).collect();
    let line = *items.get(position)?;
    if items.len() == 1 {
        lines[start] = "repos: []";
    }
    lines.remove(line);
    Some(lines.join("\n") + "\n")
}

/// The spaces in front of a list's item, on a line that is one.
fn item_indent(line: &str) -> Option<&str> {
    let content = line.trim_start();
    content.starts_with("- ").then(|| &line[..line.len() - content.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_and_go_and_comments_stay() {
        let text = "# mine\nrepos:\n  # the old one\n  - /old\n";
        let added = insert(text, "\"/new\"").unwrap();
        assert_eq!(added, "# mine\nrepos:\n  - \"/new\"\n  # the old one\n  - /old\n");
        assert_eq!(remove(&added, 0).unwrap(), text);
        assert_eq!(remove(text, 0).unwrap(), "# mine\nrepos: []\n  # the old one\n");
        assert_eq!(insert("repos: []\n", "\"/a\"").unwrap(), "repos:\n- \"/a\"\n");
        assert_eq!(insert("", "\"/a\"").unwrap(), "repos:\n- \"/a\"\n");
        assert_eq!(insert("repos: [/a]\n", "\"/b\""), None);
        assert_eq!(remove("repos: [/a]\n", 0), None);
    }

    #[test]
    fn a_file_that_would_say_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let environment = crate::environment::Environment {
            home: Some(folder.path().to_owned()),
            user_config_path: Some(folder.path().to_owned()),
            ..Default::default()
        };
        let file = RepositoryFile::new(&Paths::new(&environment).unwrap());
        file.add(Path::new("/a")).unwrap();
        file.add(Path::new("/b: c")).unwrap();
        assert_eq!(file.folders(&file.text().unwrap()).unwrap(), [Path::new("/b: c"), Path::new("/a")]);
        assert!(file.remove(Path::new("/b: c")).unwrap() && !file.remove(Path::new("/x")).unwrap());

        fs_err::write(&file.path, "repos: {mine: /m}\n").unwrap();
        let error = file.add(Path::new("/a")).unwrap_err();
        assert!(error.to_string().contains("by hand"), "{error}");
    }
}
