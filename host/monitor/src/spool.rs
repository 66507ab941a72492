use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where long texts wait until they are sent: a file without a name, one for all of them.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<Arc<File>>,
    end: u64,
}

/// A piece of a text, in the order of the pieces.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// A short one, or one for which the disk has no room.
    Memory(Arc<[u8]>),
    /// A part of a spool's file.
    File {
        /// The file.
        file: Arc<File>,
        /// Where the piece begins.
        at: u64,
        /// How long it is.
        length: usize,
    },
}

impl Spool {
    /// A spool whose file is made in a folder, when it is needed.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, state: Mutex::default() }
    }

    /// Puts a piece aside.
    pub(crate) fn put(&self, bytes: &[u8]) -> Piece {
        let mut state = self.lock();
        self.write(&mut state, bytes).unwrap_or_else(|_| Piece::Memory(bytes.into()))
    }

    fn write(&self, state: &mut State, bytes: &[u8]) -> io::Result<Piece> {
        let file = match &state.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(state.file.insert(Arc::new(tempfile::tempfile_in(&self.folder)?))),
        };
        let at = state.end;
        file.write_all_at(bytes, at)?;
        state.end += bytes.len() as u64;
        Ok(Piece::File { file, at, length: bytes.len() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked left an end that is right, or bytes behind it that nobody knows of.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Piece {
    /// Adds the bytes to `text`.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) fn append_to(&self, text: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Memory(bytes) => text.extend_from_slice(bytes),
            Self::File { file, at, length } => {
                let start = text.len();
                text.resize(start + length, 0);
                file.read_exact_at(&mut text[start..], *at)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_come_in_turns_come_back_each_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().to_owned());
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for index in 0..10 {
            first.push(spool.put(format!("a{index}").as_bytes()));
            second.push(spool.put(format!("b{index}").as_bytes()));
        }
        let text = |pieces: &[Piece]| {
            let mut text = Vec::new();
            pieces.iter().for_each(|piece| piece.append_to(&mut text).unwrap());
            String::from_utf8(text).unwrap()
        };
        assert_eq!(text(&first), "a0a1a2a3a4a5a6a7a8a9");
        assert_eq!(text(&second), "b0b1b2b3b4b5b6b7b8b9");
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
    }

    #[test]
    fn without_a_disk_they_stay_in_memory() {
        let spool = Spool::new("/nonexistent".into());
        let piece = spool.put(b"text");
        assert!(matches!(piece, Piece::Memory(_)));
        let mut text = Vec::new();
        piece.append_to(&mut text).unwrap();
        assert_eq!(text, b"text");
    }
}
