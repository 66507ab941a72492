//! The machine's own package sources, turned into source-package sources, in both of apt's formats (`sources.list(5)`).

use fs_err as fs;
use std::io;
use std::path::{Path, PathBuf};

/// Source-package sources in the two formats.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sources {
    pub(super) stanzas: String,
    pub(super) lines: String,
}

impl Sources {
    /// Reads apt's configuration folder. What is missing or unreadable is not there.
    pub(super) fn read(etc: &Path) -> io::Result<Self> {
        let mut sources = Sources::default();
        sources.add_lines(&text(&etc.join("sources.list"))?);
        for path in parts(&etc.join("sources.list.d"))? {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("sources") => sources.add_stanzas(&text(&path)?),
                Some("list") => sources.add_lines(&text(&path)?),
                _ => {}
            }
        }
        Ok(sources)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stanzas.is_empty() && self.lines.is_empty()
    }

    /// One-line style: `deb [options] uri suite components`.
    fn add_lines(&mut self, text: &str) {
        for line in text.lines().map(str::trim) {
            let Some(rest) = line.strip_prefix("deb").filter(|rest| rest.starts_with([' ', '\t'])) else {
                continue;
            };
            if !rest.contains("cdrom:") {
                self.lines.push_str(&format!("deb-src{rest}\n"));
            }
        }
    }

    /// Deb822 style: stanzas of fields.
    fn add_stanzas(&mut self, text: &str) {
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        for stanza in lines.split(|line| line.trim().is_empty()) {
            let value = |name: &str| field(stanza, name);
            let binary =
                value("Types").is_some_and(|types| types.split_whitespace().any(|kind| kind == "deb"));
            let disabled = value("Enabled").is_some_and(|enabled| enabled.eq_ignore_ascii_case("no"));
            if !binary || disabled {
                continue;
            }
            for line in stanza {
                let types = line.split(':').next().is_some_and(|name| name.eq_ignore_ascii_case("Types"));
                self.stanzas.push_str(if types { "Types: deb-src" } else { line });
                self.stanzas.push('\n');
            }
            self.stanzas.push('\n');
        }
    }
}

/// Value of a stanza's field, first line.
fn field<'a>(stanza: &[&'a str], name: &str) -> Option<&'a str> {
    stanza.iter().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn text(path: &Path) -> io::Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        // A list that only root may read has a password in it; it is apt's own affair.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
            Ok(String::new())
        }
        Err(error) => Err(error),
    }
}

fn parts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn one_line_entries() {
        let mut sources = Sources::default();
        sources.add_lines(
            "# deb http://example.org/old stable main\n\
             deb [signed-by=/usr/share/keyrings/a.gpg] http://example.org/debian bookworm main contrib\n\
             deb-src http://example.org/debian bookworm main\n\
             deb cdrom:[Debian]/ bookworm main\n\
             debug http://example.org\n",
        );
        assert_snapshot!(sources.lines, @"deb-src [signed-by=/usr/share/keyrings/a.gpg] http://example.org/debian bookworm main contrib");
    }

    #[test]
    fn stanzas() {
        let mut sources = Sources::default();
        sources.add_stanzas(
            "types: deb deb-src\nURIs: http://example.org/debian\n# a comment\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN-----\n .\n xyz\n\n\
             Types: deb-src\nURIs: http://example.org/only-source\n\n\
             Types: deb\nEnabled: no\nURIs: http://example.org/off\n",
        );
        assert_snapshot!(sources.stanzas, @"
        Types: deb-src
        URIs: http://example.org/debian
        Suites: bookworm
        Components: main
        Signed-By:
         -----BEGIN-----
         .
         xyz
        ");
    }

    #[test]
    fn a_folder_is_read_whole_and_a_missing_one_is_empty() {
        let etc = tempfile::tempdir().unwrap();
        assert!(Sources::read(&etc.path().join("nothing")).unwrap().is_empty());
        fs::create_dir(etc.path().join("sources.list.d")).unwrap();
        fs::write(etc.path().join("sources.list"), "deb http://a x y\n").unwrap();
        fs::write(etc.path().join("sources.list.d/b.list"), "deb http://b x y\n").unwrap();
        fs::write(etc.path().join("sources.list.d/c.sources"), "Types: deb\nURIs: http://c\n").unwrap();
        fs::write(etc.path().join("sources.list.d/d.list.disabled"), "deb http://d x y\n").unwrap();
        let sources = Sources::read(etc.path()).unwrap();
        assert_eq!(sources.lines, "deb-src http://a x y\ndeb-src http://b x y\n");
        assert_eq!(sources.stanzas, "Types: deb-src\nURIs: http://c\n\n");
    }
}
