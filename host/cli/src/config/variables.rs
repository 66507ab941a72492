//! `~` and Spack's variables in paths.

use std::path::{Path, PathBuf};

use crate::paths::Paths;

/// What stands for what in a path.
#[derive(Debug)]
pub(crate) struct Variables {
    values: [(&'static str, Option<String>); 4],
    home: Option<PathBuf>,
    base: PathBuf,
}

impl Variables {
    pub(crate) fn new(paths: &Paths) -> Self {
        let text = |path: &Path| Some(path.display().to_string());
        let values = [
            ("user_cache_path", text(&paths.user_cache)),
            ("user_config_path", text(&paths.config)),
            ("tempdir", text(&paths.temporary)),
            ("user", paths.user.clone()),
        ];
        Self { values, home: paths.home.clone(), base: paths.working_directory.clone() }
    }

    /// The path that a text means; a relative one is read against the working directory.
    pub(crate) fn path(&self, text: &str) -> Result<PathBuf, String> {
        let text = self.substitute(text)?;
        if text.is_empty() {
            return Err("a path is empty".to_owned());
        }
        let home = || self.home.clone().ok_or_else(|| format!("`{text}`: there is no home folder"));
        let path = match text.strip_prefix('~') {
            Some("") => home()?,
            Some(rest) if rest.starts_with('/') => home()?.join(rest.trim_start_matches('/')),
            _ => PathBuf::from(&text),
        };
        Ok(self.base.join(path))
    }

    /// Replaces `$name` and `${name}`.
    fn substitute(&self, text: &str) -> Result<String, String> {
        let (mut done, mut rest) = (String::new(), text);
        while let Some((before, behind)) = rest.split_once('$') {
            let (name, after) = match behind.strip_prefix('{') {
                Some(braced) => {
                    braced.split_once('}').ok_or_else(|| format!("`{text}`: a `}}` is missing"))?
                }
                None => behind.split_at(behind.find(|c: char| !is_word(c)).unwrap_or(behind.len())),
            };
            let known = self.values.iter().find(|(known, _)| *known == name);
            let value = known.and_then(|(_, value)| value.as_deref());
            let unknown = || format!("`{text}`: {}", self.unknown(name));
            done.push_str(before);
            done.push_str(value.ok_or_else(unknown)?);
            rest = after;
        }
        done.push_str(rest);
        Ok(done)
    }

    fn unknown(&self, name: &str) -> String {
        if name == "spack" {
            return "`$spack` is the folder that Spack itself is in, and this program has none: write the path"
                .to_owned();
        }
        let known = self.values.iter().filter(|(_, value)| value.is_some());
        let names: Vec<_> = known.map(|(known, _)| format!("`${known}`")).collect();
        format!("`${name}` is not known; there are {}", names.join(", "))
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
