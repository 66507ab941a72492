//! How many files of the host's an instance has open.

use std::fs::File;
use std::sync::{Arc, Weak};

use wasmtime_wasi::filesystem::Descriptor;

/// How many files a recipe may have open at a time. The process has a limit, and other builds are in it.
pub(crate) const MOST: usize = 256;

/// The files that a guest opened, as long as anything, such as a stream, holds them.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles {
    opened: Vec<Weak<File>>,
    told: bool,
}

impl OpenFiles {
    /// Whether one more may be opened.
    pub(crate) fn have_room(&mut self) -> bool {
        if self.opened.len() >= MOST {
            self.opened.retain(|file| file.strong_count() > 0);
        }
        self.opened.len() < MOST
    }

    /// Counts what was opened, until it is closed.
    pub(crate) fn note(&mut self, opened: &Descriptor) {
        let file = match opened {
            Descriptor::File(file) => &file.file,
            Descriptor::Dir(folder) => &folder.dir,
        };
        self.opened.push(Arc::downgrade(file));
    }

    /// What the log says of it, once: WASI has no error of this meaning.
    pub(crate) fn refusal(&mut self) -> Option<String> {
        let first = !std::mem::replace(&mut self.told, true);
        first.then(|| format!("the recipe has {MOST} files open, and may not have more at a time"))
    }
}

#[cfg(test)]
mod tests {
    use wasmtime_wasi::filesystem::File as Opened;
    use wasmtime_wasi::{FsPerms, OpenMode};

    use super::*;

    #[test]
    fn what_is_closed_makes_room() {
        let mut files = OpenFiles::default();
        let mut held: Vec<_> = (0..MOST)
            .map(|_| {
                assert!(files.have_room());
                let file = fs_err::File::open("/dev/null").unwrap().into_file();
                let file = Descriptor::File(Opened::new(file, FsPerms::ReadOnly, OpenMode::READ, true));
                files.note(&file);
                file
            })
            .collect();
        assert!(!files.have_room());
        // A stream holds the file that it reads from.
        let Some(Descriptor::File(last)) = held.pop() else { unreachable!() };
        let stream = Arc::clone(&last.file);
        drop(last);
        assert!(!files.have_room());
        drop(stream);
        assert!(files.have_room());
        assert!(files.refusal().is_some() && files.refusal().is_none());
    }
}
