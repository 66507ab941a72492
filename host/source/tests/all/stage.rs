//! A folder to unpack into, with something beside it that must stay as it is.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use spack_wasm_source::unpack::{UnpackError, UnpackLimits, Unpacked, unpack};
use std::path::PathBuf;

pub(crate) struct Scene {
    pub(crate) root: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs_err::create_dir(root.path().join("stage")).unwrap();
        fs_err::write(root.path().join("outside"), "untouched").unwrap();
        Scene { root }
    }

    pub(crate) fn stage(&self) -> PathBuf {
        self.root.path().join("stage")
    }

    pub(crate) fn dir(&self) -> Dir {
        Dir::open_ambient_dir(self.stage(), ambient_authority()).unwrap()
    }

    pub(crate) fn unpack_within(
        &self,
        archive: &[u8],
        limits: &UnpackLimits,
    ) -> Result<Unpacked, UnpackError> {
        let path = self.root.path().join("archive");
        fs_err::write(&path, archive).unwrap();
        let result = unpack(&path, "single", &self.dir(), limits);
        self.assert_nothing_outside();
        result
    }

    pub(crate) fn unpack(&self, archive: &[u8]) -> Result<Unpacked, UnpackError> {
        self.unpack_within(archive, &UnpackLimits::default())
    }

    /// The text of the error, without the archive's path.
    pub(crate) fn refusal(&self, archive: &[u8]) -> String {
        let error = self.unpack(archive).expect_err("the archive was unpacked").to_string();
        error.replace(&format!("{}: ", self.root.path().join("archive").display()), "")
    }

    pub(crate) fn assert_nothing_outside(&self) {
        let mut names: Vec<_> = fs_err::read_dir(self.root.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["archive", "outside", "stage"]);
        assert_eq!(fs_err::read_to_string(self.root.path().join("outside")).unwrap(), "untouched");
    }
}
