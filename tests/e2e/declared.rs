//! What a recipe's sources are: its own files, archives, resources and patches. No network, and no compiler.

use std::path::{Path, PathBuf};

use spack_wasm_source::Algorithm;
use spack_wasm_tests::{DECLARED, Output, TestContext, require};

use crate::user;

/// A folder of recipes that declare what files beside them say, and a mirror with their archives.
pub(crate) struct Shelf {
    pub(crate) user: TestContext,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        let user = user();
        let mirror = user.root().join("mirror");
        fs_err::create_dir_all(&mirror).unwrap();
        let shelf = Shelf { user: user.with_mirror(&mirror) };
        shelf.write("shelf/repo.yaml", "repo:\n  namespace: shelf\n");
        fs_err::create_dir_all(shelf.path("shelf/packages")).unwrap();
        shelf.user.run(["repo", "add", "shelf"]).succeeded();
        shelf
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.user.work().join(below)
    }

    fn write(&self, below: &str, content: &str) {
        let path = self.path(below);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content).unwrap();
    }

    /// Puts a recipe on the shelf that declares this, with files of its own.
    pub(crate) fn recipe(&self, name: &str, declared: &str, files: &[(&str, &str)]) {
        let folder = format!("shelf/packages/{name}");
        self.write(&format!("{folder}/files/declared"), declared);
        for (path, content) in files {
            self.write(&format!("{folder}/{path}"), content);
        }
        fs_err::copy(DECLARED, self.path(&folder).join("recipe.wasm")).unwrap();
    }

    /// Puts bytes into the mirror; returns their SHA-256.
    fn mirrored(&self, bytes: &[u8], extension: &str) -> String {
        let sha256 = sha256(bytes);
        let folder = self.user.root().join("mirror/_source-cache/archive").join(&sha256[..2]);
        fs_err::create_dir_all(&folder).unwrap();
        fs_err::write(folder.join(format!("{sha256}{extension}")), bytes).unwrap();
        sha256
    }

    /// Puts a tar archive of these files into the mirror; returns its SHA-256.
    pub(crate) fn archive(&self, files: &[(&str, &str)]) -> String {
        self.mirrored(&tar(files), ".tar")
    }

    pub(crate) fn install(&self, name: &str) -> Output {
        self.user.run(["install", "--show-log-on-error", name])
    }

    pub(crate) fn prefix(&self, name: &str) -> PathBuf {
        self.user.run(["location", name]).succeeded().stdout.trim_end().into()
    }

    fn record(&self, name: &str) -> String {
        fs_err::read_to_string(self.prefix(name).join(".spack/spack-wasm.json")).unwrap()
    }
}

fn sha256(bytes: &[u8]) -> String {
    let mut hasher = Algorithm::Sha256.hasher();
    hasher.update(bytes);
    hasher.finish().hex().to_owned()
}

/// A tar archive (ustar) of text files.
fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in files {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[136..148].copy_from_slice(b"14000000000\0");
        header[148..156].copy_from_slice(b"        ");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend(header);
        archive.extend(content.as_bytes());
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.extend([0; 1024]);
    archive
}

fn read(prefix: &Path, below: &str) -> String {
    fs_err::read_to_string(prefix.join("src").join(below)).unwrap()
}

const PATCH: &str = "--- a/greeting\n+++ b/greeting\n@@ -1 +1 @@\n-hello\n+good day\n";

#[test]
fn a_recipes_own_files_are_seen_used_and_kept() {
    let shelf = Shelf::new();
    let own = shelf.archive(&[("own-1.0/greeting", "hello\n")]);
    let declared = format!("version 1.0 sha256={own}\npatch patches/day.patch\n");
    shelf.recipe("own", &declared, &[("patches/day.patch", PATCH), ("notes/more.txt", "more\n")]);
    shelf.install("own").succeeded();
    let prefix = shelf.prefix("own");
    assert_eq!(read(&prefix, "greeting"), "good day\n");
    assert_eq!(fs_err::read_to_string(prefix.join("declared")).unwrap(), declared);
    let kept = prefix.join(".spack/repos/shelf/packages/own");
    assert_eq!(fs_err::read(kept.join("recipe.wasm")).unwrap(), fs_err::read(DECLARED).unwrap());
    assert_eq!(fs_err::read_to_string(kept.join("patches/day.patch")).unwrap(), PATCH);
    assert_eq!(fs_err::read_to_string(kept.join("notes/more.txt")).unwrap(), "more\n");
    assert_eq!(fs_err::read_to_string(kept.join("files/declared")).unwrap(), declared);
    let record = shelf.record("own");
    assert!(record.contains(&own) && record.contains("the files of own's recipe"), "{record}");

    // Another file beside the component is another package.
    let before = shelf.user.run(["spec", "-l", "own"]).succeeded().stdout;
    shelf.recipe("own", &declared, &[("notes/more.txt", "even more\n")]);
    assert_ne!(shelf.user.run(["spec", "-l", "own"]).succeeded().stdout, before);
}

#[test]
fn own_files_are_where_the_tools_see_them_without_a_mount_namespace() {
    let shelf = Shelf::new();
    shelf.recipe("own", "version 1.0\n", &[]);
    let open = open_folder(&shelf);
    let setting = |name: &str, below: &str| format!("config:{name}:{}", open.join(below).display());
    let (stages, store) = (setting("build_stage", "stages"), setting("install_tree:root", "store"));
    let arguments = ["-c", &stages, "-c", &store, "install", "--sandbox=landlock", "own"];
    shelf.user.run(arguments).succeeded();
}

/// A folder that the build's user may enter.
fn open_folder(shelf: &Shelf) -> PathBuf {
    let folder = shelf.user.root().join("open");
    fs_err::create_dir(&folder).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(&folder, mode).unwrap();
    folder
}

#[test]
fn a_single_recipe_brings_what_is_named_as_its_files() {
    let shelf = Shelf::new();
    shelf.recipe("own", "version 1.0\n", &[("secret.txt", "s\n"), ("fix.patch", PATCH)]);
    let component = shelf.path("shelf/packages/own/recipe.wasm");
    // A recipe from a file does not know its name before it has said it.
    fs_err::write(shelf.path("shelf/packages/own/files/declared"), "version 2.0\nname single\n").unwrap();
    let output = shelf.user.run(["install", "--recipe", component.to_str().unwrap(), "single"]);
    output.succeeded();
    let kept = shelf.prefix("single").join(".spack/repos/local/packages/single");
    assert!(kept.join("fix.patch").is_file() && kept.join("files/declared").is_file());
    assert!(!kept.join("secret.txt").exists(), "a folder may hold anything");
}

#[test]
fn links_out_of_a_recipes_folder_are_refused() {
    let shelf = Shelf::new();
    shelf.recipe("own", "version 1.0\n", &[]);
    shelf.write("secret", "s\n");
    std::os::unix::fs::symlink(shelf.path("secret"), shelf.path("shelf/packages/own/files/secret")).unwrap();
    let failed = shelf.install("own").failed_with(3);
    let said = "files/secret is a link that leads out of the recipe's folder";
    assert!(failed.stderr.contains(said), "{}", failed.report());
}

#[test]
fn resources_go_where_they_are_declared_to() {
    let shelf = Shelf::new();
    let own = shelf.archive(&[("own-1.0/greeting", "hello\n"), ("own-1.0/third_party/README", "r\n")]);
    let test =
        shelf.archive(&[("googletest-1.13/src/gtest.cc", "gtest\n"), ("googletest-1.13/LICENSE", "l\n")]);
    let flat = shelf.archive(&[("one", "1\n"), ("two", "2\n")]);
    let single = shelf.mirrored(b"data\n", "");
    let declared = format!(
        "version 1.0 sha256={own}\n\
         resource googletest third_party sha256={test} url=https://127.0.0.1:9/g.tar place=:googletest\n\
         resource again . sha256={test} url=https://127.0.0.1:9/g.tar\n\
         resource flat parts/here sha256={flat} url=https://127.0.0.1:9/f.tar\n\
         resource some parts sha256={flat} url=https://127.0.0.1:9/f.tar place=one:first place=two:deep/second\n\
         resource file data sha256={single} url=https://127.0.0.1:9/data.txt expand=no\n\
         resource never never sha256={flat} url=https://127.0.0.1:9/f.tar when=@2:\n\
         patch gtest.patch\n"
    );
    let patch = "--- a/third_party/googletest/src/gtest.cc\n+++ b/third_party/googletest/src/gtest.cc\n@@ -1 +1 @@\n-gtest\n+patched\n";
    shelf.recipe("own", &declared, &[("gtest.patch", patch)]);
    shelf.install("own").succeeded();
    let prefix = shelf.prefix("own");
    for (path, content) in [
        ("greeting", "hello\n"),
        ("third_party/README", "r\n"),
        ("third_party/googletest/src/gtest.cc", "patched\n"),
        ("googletest-1.13/LICENSE", "l\n"),
        ("parts/here/flat/one", "1\n"),
        ("parts/first", "1\n"),
        ("parts/deep/second", "2\n"),
        ("data/data.txt", "data\n"),
    ] {
        assert_eq!(read(&prefix, path), content, "{path}");
    }
    assert!(!prefix.join("src/never").exists());
    let record = shelf.record("own");
    for part in [&own, &test, &flat, &single, "googletest-1.0", "gtest.patch"] {
        assert!(record.contains(part), "{part} in {record}");
    }
}

#[test]
fn a_resource_replaces_nothing() {
    let shelf = Shelf::new();
    let own = shelf.archive(&[("own-1.0/data/one", "hello\n")]);
    let flat = shelf.archive(&[("one", "1\n")]);
    let declared = format!(
        "version 1.0 sha256={own}\nresource more . sha256={flat} url=https://127.0.0.1:9/f.tar place=one:data/one\n"
    );
    shelf.recipe("own", &declared, &[]);
    let failed = shelf.user.run(["install", "own"]).failed_with(1);
    let said = "failed: its resource more can't be put at spack-src/data/one: something is there already";
    assert!(failed.stderr.contains(said), "{}", failed.report());
}

#[test]
fn a_destination_outside_of_the_sources_is_refused() {
    let shelf = Shelf::new();
    let sum = "0".repeat(64);
    let line = format!("resource evil ../../x sha256={sum} url=https://127.0.0.1:9/f.tar\n");
    shelf.recipe("own", &format!("version 1.0\n{line}"), &[]);
    let failed = shelf.user.run(["install", "own"]);
    let said = "wrong in resource 1 'evil': its destination '../../x' is not a path below a folder";
    assert!(failed.stderr.contains(said), "{}", failed.report());
}

#[test]
fn a_dependent_patches_its_dependency() {
    let shelf = Shelf::new();
    let sum = shelf.archive(&[("base-1.0/greeting", "hello\n")]);
    shelf.recipe("base", &format!("version 1.0 sha256={sum}\n"), &[]);
    shelf.recipe(
        "user",
        "version 1.0\ndepends-on base patch=files/base.patch\n",
        &[("files/base.patch", PATCH)],
    );
    shelf.install("base").succeeded();
    let plain = shelf.prefix("base");
    let output = shelf.install("user").succeeded();
    let listed = shelf.user.run(["find", "--format", "{prefix}", "base"]);
    assert_eq!(read(&plain, "greeting"), "hello\n", "the plain one is another package");
    let patched: Vec<PathBuf> = fs_err::read_dir(plain.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("base-") && *path != plain)
        .collect();
    assert_eq!(patched.len(), 1, "{} {}", output.report(), listed.report());
    assert_eq!(read(&patched[0], "greeting"), "good day\n");
    let record = fs_err::read_to_string(patched[0].join(".spack/spack-wasm.json")).unwrap();
    assert!(record.contains("the files of user's recipe"), "{record}");
}

#[test]
fn an_archive_without_a_checksum_needs_the_users_word() {
    let shelf = Shelf::new();
    shelf.recipe("own", "version 1.0 unchecked=http://127.0.0.1:9/own-1.0.tar\n", &[]);
    let failed = shelf.user.run(["install", "own"]).failed_with(1);
    assert!(failed.stderr.contains("its recipe states no checksum"), "{}", failed.report());
    let named = shelf.user.root().join("mirror/own");
    fs_err::create_dir_all(&named).unwrap();
    fs_err::write(named.join("own-1.0.tar"), tar(&[("own-1.0/greeting", "hello\n")])).unwrap();
    shelf.user.run(["install", "--no-checksum", "own"]).succeeded();
    assert_eq!(read(&shelf.prefix("own"), "greeting"), "hello\n");
}

/// A repository with one commit; returns its address and the commit.
fn repository(shelf: &Shelf) -> (String, String) {
    let folder = shelf.path("upstream");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join("greeting"), "hello\n").unwrap();
    let git = |arguments: &[&str]| {
        let output = shelf.user.command("git").args(arguments).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "first"]);
    (format!("file://{}", folder.display()), git(&["rev-parse", "HEAD"]))
}

#[test]
fn a_commit_of_a_repository_is_a_source() {
    if !require("git") {
        return;
    }
    let shelf = Shelf::new();
    let (url, commit) = repository(&shelf);
    let declared = format!(
        "version 1.0 git={url} commit={commit}\nversion 0.9 svn=https://example.org/svn commit=12\n\
         resource again parts git={url} commit={commit}\n"
    );
    shelf.recipe("own", &declared, &[]);
    let refused = shelf.user.run(["install", "own"]).failed_with(1);
    assert!(refused.stderr.contains("only https addresses are"), "{}", refused.report());
    shelf.user.run(["-c", "config:git:protocols:[file]", "install", "own"]).succeeded();
    let prefix = shelf.prefix("own");
    assert_eq!(read(&prefix, "greeting"), "hello\n");
    assert_eq!(read(&prefix, "parts/upstream/greeting"), "hello\n");
    assert!(shelf.record("own").contains(&format!("at {commit}")));
    let subversion = shelf.user.run(["install", "own@0.9"]).failed_with(1);
    assert!(
        subversion.stderr.contains("Subversion repositories can't be fetched"),
        "{}",
        subversion.report()
    );
}
