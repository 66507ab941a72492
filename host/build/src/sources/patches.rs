//! Patches: those of the package itself, then those that its dependents put on it.

use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use spack_wasm_package::{Patch, PatchLocation};
use spack_wasm_recipe_host::RecipeFiles;
use spack_wasm_source::{Algorithm, ArchiveChoice, Checksum, Request, patch, unpack};
use spack_wasm_spec::Node;
use spack_wasm_store::SourceRecord;

use super::Sources;
use crate::error::BuildError;
use crate::stage::SOURCE;

/// Where an archive that holds a patch is unpacked.
const ASIDE: &str = "spack-patch";

/// The largest patch that is read into memory.
const MOST_BYTES: u64 = 64 << 20;

/// A patch and the files of the recipe that declares it.
pub(super) struct Found {
    patch: Patch,
    files: RecipeFiles,
    /// The dependent that puts it on the package; none where it is the package's own.
    dependent: Option<String>,
}

/// The text of a patch, with its name and where it came from.
struct Text {
    name: String,
    bytes: Vec<u8>,
    origin: String,
}

impl Sources<'_> {
    /// The patches that the spec lists, in the order in which they apply: each is part of the node's hash, so none may be left
    /// out.
    pub(super) fn patches(&self) -> Result<Vec<Found>, BuildError> {
        let own = self.package.patches.iter().filter(|patch| self.node.satisfies(&patch.when, self.dag));
        let own = own.map(|patch| Found { patch: patch.clone(), files: self.files.clone(), dependent: None });
        let mut found: Vec<Found> = own.collect();
        for sha256 in &self.node.facts.patches {
            if !found.iter().any(|found| found.patch.sha256 == *sha256) {
                found.push(self.of_dependents(sha256)?);
            }
        }
        Ok(found)
    }

    /// A patch of one of the nodes that depend on this one.
    fn of_dependents(&self, sha256: &str) -> Result<Found, BuildError> {
        let dependents = self
            .dag
            .nodes()
            .filter(|node| node.dependencies.iter().any(|edge| edge.name == self.node.name()));
        for dependent in dependents {
            if let Some(found) = self.of_dependent(dependent, sha256)? {
                return Ok(found);
            }
        }
        Err(BuildError::PatchUnknown { sha256: sha256.to_owned() })
    }

    fn of_dependent(&self, dependent: &Node, sha256: &str) -> Result<Option<Found>, BuildError> {
        let Some(entry) = self.catalog().entry(dependent.name())? else { return Ok(None) };
        let mut patches = entry.package.dependencies.iter().flat_map(|dependency| &dependency.patches);
        let patch = patches.find(|patch| patch.sha256 == sha256);
        Ok(patch.map(|patch| Found {
            patch: patch.clone(),
            files: entry.recipe.source().files.clone(),
            dependent: Some(dependent.name().to_owned()),
        }))
    }

    pub(super) fn apply(&self, found: &Found, stage: &Dir) -> Result<SourceRecord, BuildError> {
        let patch = &found.patch;
        let text = self.text(found, stage)?;
        let digest = sha256(&text.bytes);
        if digest != patch.sha256 {
            return Err(BuildError::PatchChanged { name: text.name, found: digest });
        }
        let source = stage.open_dir(SOURCE).map_err(|source| self.stage_error(SOURCE, source))?;
        let working_dir = if patch.working_dir.is_empty() { "." } else { &patch.working_dir };
        let options = patch::PatchOptions { level: patch.level, working_dir, reverse: patch.reverse };
        patch::apply(&source, &text.bytes, &options)
            .map_err(|source| BuildError::Patch { name: text.name.clone(), source })?;
        let whose = found.dependent.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
        self.journal.say(&format!("Applied patch {}{whose}", text.name));
        Ok(SourceRecord { name: text.name, sha256: Some(digest), origin: text.origin })
    }

    fn text(&self, found: &Found, stage: &Dir) -> Result<Text, BuildError> {
        match &found.patch.location {
            PatchLocation::File(file) => {
                let whose = found.dependent.as_ref().unwrap_or(&self.package.name);
                let bytes = found.files.get(file).unwrap_or_default().to_vec();
                Ok(Text { name: file.clone(), bytes, origin: format!("the files of {whose}'s recipe") })
            }
            PatchLocation::Url { url, archive_sha256 } => {
                let digest = archive_sha256.as_ref().unwrap_or(&found.patch.sha256);
                let fetched = self.fetch(&self.patch_request(url, digest)?)?;
                let bytes = match archive_sha256 {
                    Some(_) => self.only_file(&fetched.path, url, stage)?,
                    None if fetched.size > MOST_BYTES => {
                        return Err(BuildError::PatchSize { name: url.clone() });
                    }
                    None => fs_err::read(&fetched.path)
                        .map_err(|source| self.stage_error(&fetched.path, source))?,
                };
                Ok(Text { name: url.clone(), bytes, origin: fetched.origin.to_string() })
            }
        }
    }

    fn patch_request(&self, url: &str, digest: &str) -> Result<Request, BuildError> {
        Ok(Request {
            package: self.package.name.clone(),
            version: self.node.facts.version.to_string(),
            resource: Some(format!("patch-{}", &digest[..8])),
            archives: vec![ArchiveChoice {
                checksum: Some(format!("sha256:{digest}").parse::<Checksum>()?),
                urls: vec![url.to_owned()],
                extension: None,
            }],
            expand: false,
        })
    }

    /// The file in an archive that holds nothing else.
    fn only_file(&self, archive: &Path, name: &str, stage: &Dir) -> Result<Vec<u8>, BuildError> {
        let at = |source| self.stage_error(ASIDE, source);
        stage.create_dir(ASIDE).map_err(at)?;
        let aside = stage.open_dir(ASIDE).map_err(at)?;
        let limits = unpack::UnpackLimits { total_bytes: MOST_BYTES, ..unpack::UnpackLimits::default() };
        unpack::unpack(archive, "patch", &aside, &limits)?;
        let mut files = Vec::new();
        list_files(&aside, Path::new("."), &mut files).map_err(at)?;
        let bytes = match files.as_slice() {
            [file] => aside.read(file).map_err(at)?,
            _ => return Err(BuildError::PatchArchive { name: name.to_owned(), files: files.len() }),
        };
        stage.remove_dir_all(ASIDE).map_err(at)?;
        Ok(bytes)
    }
}

fn list_files(dir: &Dir, folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in dir.read_dir(folder)? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            list_files(dir, &path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    let mut hasher = Algorithm::Sha256.hasher();
    hasher.update(bytes);
    hasher.finish().hex().to_owned()
}
