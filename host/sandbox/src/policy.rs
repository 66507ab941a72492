//! What a build may see and do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use spack_wasm_sandbox_protocol::{Link, OwnFile, Setup, SetupMount, is_mapped, must_change_user};

use crate::error::StartError;
use crate::{Access, Layer, Level, Limits, toolchain};

/// `nobody` of nearly every system; no account needs to exist.
const DEFAULT_BUILD_UID: u32 = 65534;

/// The walls of one build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Which walls are wanted.
    pub level: Level,
    /// Walls whose absence the user has accepted.
    pub allow_missing: BTreeSet<Layer>,
    /// Whether all walls are insisted on, so that the message about a missing one offers no way around it.
    pub required: bool,
    /// What of the host exists for the build.
    pub mounts: Vec<Mount>,
    /// Links of the root folder, such as `/bin`: where each stands and where it points.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// Files that exist in the sandbox only, such as `/etc/passwd`. Not at levels with real paths.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Device nodes that the build may use.
    pub devices: Vec<PathBuf>,
    /// The user and group that builds run as when started by root; 65534 when `None`. See [`Policy::other_user`].
    pub build_uid: Option<u32>,
    /// Name of the machine as the build sees it.
    pub hostname: String,
    /// Limits for each process.
    pub limits: Limits,
    /// Largest size of each private temporary folder in bytes; 0 for half of the memory.
    pub tmp_bytes: u64,
    /// Whether refused accesses are reported with each [`Outcome`](crate::Outcome); slows every open down.
    pub trace: bool,
}

/// A host path and where it appears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Absolute path on the host.
    pub source: PathBuf,
    /// Absolute path in the sandbox; the same as `source` at levels with real paths.
    pub target: PathBuf,
    /// What may be done beneath it.
    pub access: Access,
}

impl Mount {
    /// A path that appears where it is.
    pub fn same(path: impl Into<PathBuf>, access: Access) -> Self {
        let source = path.into();
        Mount { target: source.clone(), source, access }
    }
}

impl Policy {
    /// A policy with this machine's toolchain, private temporary folders, and nothing else.
    pub fn new(level: Level) -> Self {
        let (mounts, links) = toolchain::find();
        Policy {
            level,
            allow_missing: BTreeSet::new(),
            required: false,
            mounts,
            links,
            files: toolchain::own_files(),
            devices: toolchain::devices(),
            build_uid: None,
            hostname: "spack-wasm".to_owned(),
            limits: Limits {
                processes: Some(4096),
                open_files: Some(65_536),
                address_space: None,
                file_size: None,
                cpu_seconds: None,
            },
            tmp_bytes: 0,
            trace: false,
        }
    }

    /// Makes a host path exist for the build. At levels with real paths both must be the same.
    pub fn mount(
        &mut self,
        source: impl Into<PathBuf>,
        target: impl Into<PathBuf>,
        access: Access,
    ) -> &mut Self {
        self.mounts.push(Mount { source: source.into(), target: target.into(), access });
        self
    }

    /// Whether a path can appear elsewhere than where it is. Else the build has to be given real paths.
    pub fn remaps(&self) -> bool {
        self.level == Level::Namespaces
    }

    /// The user and group that builds are when they can't be us: we are root, and not only of a user namespace that has no
    /// other user.
    pub fn other_user(&self) -> Option<u32> {
        must_change_user(self.build_uid()).then(|| self.build_uid())
    }

    /// The user that owns what the build writes, given who we are: us, or the build user when we are root.
    pub fn owner(&self) -> u32 {
        self.other_user().unwrap_or_else(|| rustix::process::geteuid().as_raw())
    }

    /// Where a host path appears in the sandbox; `None` when it does not.
    pub fn inside(&self, outside: &Path) -> Option<PathBuf> {
        translate(&self.mounts, outside, |mount| (&mount.source, &mount.target)).map(|(path, _)| path)
    }

    /// The host path behind a path in the sandbox, and what may be done with it; `None` when there is none.
    pub fn outside(&self, inside: &Path) -> Option<(PathBuf, Access)> {
        translate(&self.mounts, inside, |mount| (&mount.target, &mount.source))
    }

    fn build_uid(&self) -> u32 {
        self.build_uid.unwrap_or(DEFAULT_BUILD_UID)
    }

    /// What the helper is sent.
    pub(crate) fn setup(&self) -> Result<Setup, StartError> {
        if self.build_uid() == 0 {
            return Err(StartError::BuildAsRoot);
        }
        if let Some(uid) = self.other_user().filter(|uid| !is_mapped(*uid)) {
            return Err(StartError::NoSuchUser { uid });
        }
        let mounts = self.mounts.iter().map(|mount| self.check(mount)).collect::<Result<_, _>>()?;
        let link = |(path, target): &(PathBuf, PathBuf)| Link { path: path.into(), target: target.into() };
        let file =
            |(path, content): &(PathBuf, Vec<u8>)| OwnFile { path: path.into(), content: content.clone() };
        Ok(Setup {
            level: self.level,
            allow_missing: self.allow_missing.clone(),
            mounts,
            links: self.links.iter().map(link).collect(),
            files: self.files.iter().map(file).collect(),
            devices: self.devices.iter().map(Into::into).collect(),
            build_uid: self.build_uid(),
            hostname: self.hostname.clone(),
            limits: self.limits,
            tmp_bytes: self.tmp_bytes,
            trace: self.trace,
        })
    }

    fn check(&self, mount: &Mount) -> Result<SetupMount, StartError> {
        for path in [&mount.source, &mount.target] {
            if !path.is_absolute() {
                return Err(StartError::RelativePath { path: path.clone() });
            }
        }
        if !self.remaps() && mount.source != mount.target {
            return Err(StartError::CannotRemap {
                level: self.level,
                source_path: mount.source.clone(),
                target: mount.target.clone(),
            });
        }
        let (source, target) = ((&mount.source).into(), (&mount.target).into());
        Ok(SetupMount { source, target, access: mount.access })
    }
}

/// Along the deepest mount whose one side is an ancestor of the path.
fn translate<'a>(
    mounts: &'a [Mount],
    path: &Path,
    sides: impl Fn(&'a Mount) -> (&'a PathBuf, &'a PathBuf),
) -> Option<(PathBuf, Access)> {
    let matching = mounts.iter().filter_map(|mount| {
        let (from, to) = sides(mount);
        let rest = path.strip_prefix(from).ok()?;
        let path = if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) };
        Some((from.components().count(), path, mount.access))
    });
    matching.max_by_key(|(depth, _, _)| *depth).map(|(_, path, access)| (path, access))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_counts() {
        let mut policy = Policy::new(Level::Namespaces);
        policy.mount("/scratch/s1", "/build", Access::ReadWrite);
        policy.mount("/scratch/s1/ro", "/build/ro", Access::ReadOnly);
        let (path, access) = policy.outside(Path::new("/build/ro/x")).unwrap();
        assert_eq!((path, access), (PathBuf::from("/scratch/s1/ro/x"), Access::ReadOnly));
        assert_eq!(policy.inside(Path::new("/scratch/s1/a")), Some(PathBuf::from("/build/a")));
        assert_eq!(policy.outside(Path::new("/home/user")), None);
    }

    #[test]
    fn real_paths_are_not_remapped() {
        let mut policy = Policy::new(Level::Landlock);
        policy.mount("/scratch/s1", "/build", Access::ReadWrite);
        assert!(matches!(policy.setup(), Err(StartError::CannotRemap { .. })));
    }

    #[test]
    fn never_as_root() {
        let mut policy = Policy::new(Level::None);
        policy.build_uid = Some(0);
        assert!(matches!(policy.setup(), Err(StartError::BuildAsRoot)));
    }
}
