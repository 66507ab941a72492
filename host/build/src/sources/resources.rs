//! Resources: further sources, put below the package's own.

use std::io;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::Dir;
use spack_wasm_package::{Checkout, Resource, Source};
use spack_wasm_store::SourceRecord;

use super::Sources;
use super::archive::Wanted;
use crate::error::BuildError;
use crate::stage::SOURCE;

/// Where a resource is unpacked before its parts go to their places.
const ASIDE: &str = "spack-resource";

impl Sources<'_> {
    /// The resources of this spec, those for tests only where there will be tests; one in a folder comes before those that may lie beneath it.
    pub(super) fn resources(&self) -> Vec<&Resource> {
        let wanted = |resource: &&Resource| {
            (self.tested || !resource.test_only) && self.node.satisfies(&resource.when, self.dag)
        };
        let mut resources: Vec<_> = self.package.resources.iter().filter(wanted).collect();
        resources.sort_by_key(|resource| resource.destination.len());
        resources
    }

    pub(super) fn resource(&self, resource: &Resource, stage: &Dir) -> Result<SourceRecord, BuildError> {
        let wanted = Wanted {
            resource: Some(&resource.name),
            version: self.node.facts.version.to_string(),
            sources: &resource.sources,
            expand: resource.expand,
            made_up: Vec::new(),
        };
        stage.create_dir(ASIDE).map_err(|source| self.stage_error(ASIDE, source))?;
        let (record, top) = self.bring(&wanted, stage, ASIDE)?;
        let content = top.as_ref().map_or(PathBuf::from(ASIDE), |top| Path::new(ASIDE).join(top));
        let destination = Path::new(SOURCE).join(&resource.destination);
        for (from, to) in places(resource, top) {
            let (from, to) = (content.join(from), destination.join(to));
            put(stage, &from, &to).map_err(|error| BuildError::Resource {
                name: resource.name.clone(),
                path: error.path,
                source: error.source,
            })?;
        }
        match stage.remove_dir_all(ASIDE) {
            // All of it may have gone to one place.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.stage_error(ASIDE, error)),
            _ => Ok(record),
        }
    }
}

/// What goes where below the destination. Without placements an unpacked resource goes under its own folder's name, a checkout
/// under its repository's, either under the resource's where there is none; a file under its own name.
fn places(resource: &Resource, top: Option<String>) -> Vec<(String, String)> {
    if !resource.placement.is_empty() {
        return resource.placement.clone();
    }
    let name = match (top, resource.sources.first()) {
        (Some(top), _) => top,
        (None, Some(Source::Checkout(checkout))) => {
            repository_name(checkout).unwrap_or(&resource.name).to_owned()
        }
        (None, _) if resource.expand => resource.name.clone(),
        (None, _) => String::new(),
    };
    vec![(String::new(), name)]
}

/// The folder that a clone of the repository would be.
fn repository_name(checkout: &Checkout) -> Option<&str> {
    let url = checkout.url.as_deref()?.trim_end_matches('/');
    let name = url.rsplit('/').next()?.trim_end_matches(".git");
    (!name.is_empty() && name != "." && name != "..").then_some(name)
}

/// Where something could not be put, and why.
struct PutError {
    path: PathBuf,
    source: io::Error,
}

/// Moves a file or folder. A folder that is there already, such as the empty place of a submodule, takes in what it does not
/// have; nothing is replaced.
fn put(stage: &Dir, from: &Path, to: &Path) -> Result<(), PutError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| PutError { path, source }
    };
    let content = stage.symlink_metadata(from).map_err(at(from))?;
    let there = match stage.symlink_metadata(to) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = to.parent().unwrap_or(Path::new(SOURCE));
            stage.create_dir_all(parent).map_err(at(parent))?;
            stage.rename(from, stage, to).map_err(at(to))?;
            return check_links(stage, to);
        }
        Err(error) => return Err(at(to)(error)),
    };
    if !(content.is_dir() && there.is_dir()) {
        return Err(at(to)(io::Error::new(io::ErrorKind::AlreadyExists, "something is there already")));
    }
    for entry in stage.read_dir(from).map_err(at(from))? {
        let name = entry.map_err(at(from))?.file_name();
        put(stage, &from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

/// A link that stayed within the resource may lead out of the stage from where it was put.
fn check_links(stage: &Dir, path: &Path) -> Result<(), PutError> {
    let at = |source| PutError { path: path.to_owned(), source };
    let kind = stage.symlink_metadata(path).map_err(at)?.file_type();
    if kind.is_dir() {
        for entry in stage.read_dir(path).map_err(at)? {
            check_links(stage, &path.join(entry.map_err(at)?.file_name()))?;
        }
    } else if kind.is_symlink() && leaves(path, &stage.read_link_contents(path).map_err(at)?) {
        return Err(at(io::Error::other("it is a link that leads out of the stage")));
    }
    Ok(())
}

/// Whether a link's target, as text, is above the folder that the link's path begins in.
fn leaves(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count() - 1;
    for component in target.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;

    use super::*;

    fn stage(files: &[&str]) -> (tempfile::TempDir, Dir) {
        let folder = tempfile::tempdir().unwrap();
        for path in files {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(&path, path.file_name().unwrap().as_encoded_bytes()).unwrap();
        }
        let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        (folder, dir)
    }

    fn resource(expand: bool, placement: &[(&str, &str)]) -> Resource {
        Resource {
            name: "googletest".to_owned(),
            sources: Vec::new(),
            expand,
            destination: "third_party".to_owned(),
            placement: placement.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect(),
            test_only: false,
            when: spack_wasm_spec::AbstractSpec::default(),
        }
    }

    #[test]
    fn a_resource_has_the_name_of_its_folder_or_its_own() {
        let top = || Some("googletest-1.13.0".to_owned());
        let place = |resource: &Resource, top| places(resource, top).pop().unwrap().1;
        assert_eq!(place(&resource(true, &[]), top()), "googletest-1.13.0");
        assert_eq!(place(&resource(true, &[]), None), "googletest");
        assert_eq!(place(&resource(false, &[]), None), "");
        assert_eq!(place(&resource(true, &[("", "googletest")]), top()), "googletest");
    }

    #[test]
    fn an_empty_folder_in_the_way_is_filled() {
        let (folder, stage) = stage(&["aside/top/src/a.cc", "spack-src/CMakeLists.txt"]);
        fs_err::create_dir_all(folder.path().join("spack-src/third_party/googletest")).unwrap();
        put(&stage, Path::new("aside/top"), Path::new("spack-src/third_party/googletest"))
            .map_err(drop)
            .unwrap();
        assert!(folder.path().join("spack-src/third_party/googletest/src/a.cc").is_file());
    }

    #[test]
    fn nothing_is_replaced_and_what_stands_in_the_way_is_named() {
        let (folder, stage) = stage(&["aside/a/x", "aside/a/y", "spack-src/a/x"]);
        let error = put(&stage, Path::new("aside/a"), Path::new("spack-src/a")).unwrap_err();
        assert_eq!(error.path, Path::new("spack-src/a/x"));
        assert_eq!(error.source.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs_err::read(folder.path().join("spack-src/a/x")).unwrap(), b"x");
    }

    #[test]
    fn a_link_that_leads_out_from_its_place_is_refused() {
        let (folder, stage) = stage(&["aside/top/a/b/file", "spack-src/x"]);
        let link = folder.path().join("aside/top/a/b/link");
        std::os::unix::fs::symlink("../../../../file", link).unwrap();
        let error = put(&stage, Path::new("aside/top/a"), Path::new("spack-src/a")).unwrap_err();
        assert_eq!(error.path, Path::new("spack-src/a/b/link"));
        assert!(!leaves(Path::new("spack-src/a/link"), Path::new("../../x")));
        assert!(leaves(Path::new("spack-src/a"), Path::new("../../x")));
        assert!(leaves(Path::new("spack-src/a"), Path::new("/etc")));
    }

    #[test]
    fn a_link_of_the_archive_does_not_lead_out() {
        let (outside, _) = stage(&["x"]);
        let (folder, stage) = stage(&["aside/evil", "spack-src/x"]);
        for target in [outside.path().to_path_buf(), PathBuf::from("../../..")] {
            let link = folder.path().join("spack-src/out");
            std::os::unix::fs::symlink(target, &link).unwrap();
            assert!(put(&stage, Path::new("aside/evil"), Path::new("spack-src/out/evil")).is_err());
            fs_err::remove_file(link).unwrap();
        }
        assert_eq!(fs_err::read_dir(outside.path()).unwrap().count(), 1);
    }
}
