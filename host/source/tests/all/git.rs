//! Checkouts of repositories that lie in folders, with the machine's git.

use std::path::{Path, PathBuf};
use std::process::Command;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use spack_wasm_source::unpack::{UnpackLimits, unpack};
use spack_wasm_source::{Checkout, CheckoutRequest, FetchOptions, Fetcher, GitOptions, Mirror, Origin};

use crate::fetching::*;
use crate::skip;

/// A repository of somebody else's, and a cache.
struct Scene {
    bench: Bench,
}

impl Scene {
    /// None, said, where git is missing.
    fn new() -> Option<Self> {
        if !GitOptions::default().program.is_file() {
            skip("git: apt-get install git");
            return None;
        }
        let scene = Scene { bench: Bench::new() };
        scene.repository("upstream", &[("greeting", "hello\n"), ("sub/.gitattributes", "* export-ignore\n")]);
        Some(scene)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.bench.root.path().join(name)
    }

    fn url(&self, name: &str) -> String {
        format!("file://{}", self.path(name).display())
    }

    fn git(&self, repository: &str, arguments: &[&str]) -> String {
        let identity =
            ["user.name=somebody", "user.email=somebody@example.org", "protocol.file.allow=always"];
        let output = Command::new(GitOptions::default().program)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.bench.root.path())
            .args(identity.iter().flat_map(|setting| ["-c", setting]))
            .args(arguments)
            .current_dir(self.path(repository))
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Makes a repository with these files; returns the commit.
    fn repository(&self, name: &str, files: &[(&str, &str)]) -> String {
        fs_err::create_dir_all(self.path(name)).unwrap();
        self.git(name, &["init", "-q", "-b", "main"]);
        self.commit(name, files)
    }

    fn commit(&self, name: &str, files: &[(&str, &str)]) -> String {
        for (path, content) in files {
            let path = self.path(name).join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, content).unwrap();
        }
        self.git(name, &["add", "-A"]);
        self.git(name, &["commit", "-q", "-m", "a change"]);
        self.head(name)
    }

    fn head(&self, name: &str) -> String {
        self.git(name, &["rev-parse", "HEAD"])
    }

    fn request(&self) -> CheckoutRequest {
        CheckoutRequest {
            package: "pkg".into(),
            version: "1.0".into(),
            url: self.url("upstream"),
            commit: Some(self.head("upstream")),
            ..CheckoutRequest::default()
        }
    }

    fn options(&self) -> FetchOptions {
        let git = GitOptions { protocols: vec!["file".into()], ..GitOptions::default() };
        FetchOptions { git, ..self.bench.options() }
    }

    async fn checkout(&self, request: &CheckoutRequest) -> Result<Checkout, String> {
        self.checkout_with(self.options(), request).await
    }

    async fn checkout_with(
        &self,
        options: FetchOptions,
        request: &CheckoutRequest,
    ) -> Result<Checkout, String> {
        let fetched = Fetcher::new(options).unwrap().checkout(request, &|_| ()).await;
        fetched.map_err(|error| error.to_string())
    }
}

/// A file of the checkout's first tree.
fn read(checkout: &Checkout, tree: usize, path: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
    unpack(&checkout.trees[tree].archive, "tree", &dir, &UnpackLimits::default()).unwrap();
    dir.read_to_string(path).ok()
}

#[tokio::test]
async fn a_commit_comes_whole_and_is_kept() {
    let Some(scene) = Scene::new() else { return };
    scene.commit("upstream", &[("greeting", "good day\n")]);
    let request = scene.request();
    let fetched = scene.checkout(&request).await.unwrap();
    assert_eq!(fetched.commit, scene.head("upstream"));
    assert_eq!(read(&fetched, 0, "greeting").as_deref(), Some("good day\n"));
    // What an archive would leave out is part of a checkout.
    assert!(read(&fetched, 0, "sub/.gitattributes").is_some());
    let first = fetched.sha256.clone();
    drop(fetched);
    assert!(scene.bench.leftovers().is_empty(), "{:?}", scene.bench.leftovers());

    fs_err::remove_dir_all(scene.path("upstream")).unwrap();
    let again = scene.checkout(&request).await.unwrap();
    assert_eq!((again.origin, again.sha256), (Origin::Cache, first));
}

#[tokio::test]
async fn a_mirrors_folder_may_have_the_commit() {
    let Some(scene) = Scene::new() else { return };
    let request = scene.request();
    scene.checkout(&request).await.unwrap();
    fs_err::rename(scene.bench.cache(), scene.path("mirror")).unwrap();
    fs_err::remove_dir_all(scene.path("upstream")).unwrap();
    let mirror = Mirror::new("m", &scene.url("mirror")).unwrap();
    let options = FetchOptions { mirrors: vec![mirror], offline: true, ..scene.options() };
    let fetched = scene.checkout_with(options, &request).await.unwrap();
    assert!(matches!(fetched.origin, Origin::Mirror { .. }));
}

#[tokio::test]
async fn a_bundle_that_was_changed_is_fetched_again() {
    let Some(scene) = Scene::new() else { return };
    let evil = scene.repository("evil", &[("greeting", "evil\n")]);
    let evil = CheckoutRequest { url: scene.url("evil"), commit: Some(evil), ..scene.request() };
    scene.checkout(&evil).await.unwrap();
    let request = scene.request();
    scene.checkout(&request).await.unwrap();
    let bundle = |name: &str| {
        let folder = scene.bench.cache().join("_source-cache/git").join(name);
        fs_err::read_dir(folder).unwrap().next().unwrap().unwrap().path()
    };
    // A bundle of another commit under the name of this one, and one with a flipped byte.
    fs_err::copy(bundle("evil"), bundle("upstream")).unwrap();
    let fetched = scene.checkout(&request).await.unwrap();
    assert_eq!(read(&fetched, 0, "greeting").as_deref(), Some("hello\n"));
    let mut bytes = fs_err::read(bundle("upstream")).unwrap();
    let middle = bytes.len() - 40;
    bytes[middle] ^= 1;
    fs_err::write(bundle("upstream"), bytes).unwrap();
    let fetched = scene.checkout(&request).await.unwrap();
    assert!(matches!(fetched.origin, Origin::Upstream { .. }));
}

#[tokio::test]
async fn a_branch_needs_the_users_word_and_a_moved_tag_is_refused() {
    let Some(scene) = Scene::new() else { return };
    scene.git("upstream", &["tag", "v1"]);
    let pinned = CheckoutRequest { tag: Some("v1".into()), ..scene.request() };
    scene.commit("upstream", &[("greeting", "evil\n")]);
    scene.git("upstream", &["tag", "-f", "v1"]);
    let error = scene.checkout(&pinned).await.unwrap_err();
    assert!(error.contains("refs/tags/v1 is commit") && error.contains("somebody moved it"), "{error}");

    let branch = CheckoutRequest { commit: None, branch: Some("main".into()), ..scene.request() };
    let error = scene.checkout(&branch).await.unwrap_err();
    assert_eq!(
        error,
        "cannot fetch pkg@1.0: its recipe names no commit, so nothing can vouch for what is fetched"
    );
    let options = FetchOptions { no_checksum: true, ..scene.options() };
    assert_eq!(scene.checkout_with(options, &branch).await.unwrap().commit, scene.head("upstream"));
}

#[tokio::test]
async fn submodules_come_at_the_commits_that_their_parents_name() {
    let Some(scene) = Scene::new() else { return };
    scene.repository("inner", &[("deep", "1\n")]);
    scene.git("upstream", &["submodule", "--quiet", "add", "../inner", "parts/inner"]);
    let request =
        CheckoutRequest { commit: Some(scene.commit("upstream", &[])), submodules: true, ..scene.request() };
    scene.commit("inner", &[("deep", "2\n")]);
    let fetched = scene.checkout(&request).await.unwrap();
    assert_eq!(fetched.trees.len(), 2);
    assert_eq!(fetched.trees[1].below, Path::new("parts/inner"));
    assert_eq!(read(&fetched, 1, "deep").as_deref(), Some("1\n"));
    let chosen = CheckoutRequest { submodule_paths: vec!["elsewhere".into()], ..request.clone() };
    assert_eq!(scene.checkout(&chosen).await.unwrap().trees.len(), 1);

    scene.commit(
        "upstream",
        &[(".gitmodules", "[submodule \"x\"]\n\tpath = parts/inner\n\turl = ext::sh -c evil\n")],
    );
    let evil = CheckoutRequest { submodules: true, ..scene.request() };
    let error = scene.checkout(&evil).await.unwrap_err();
    assert!(error.contains("its submodule 'parts/inner' can't be fetched"), "{error}");
}

#[tokio::test]
async fn only_configured_kinds_of_addresses_are_followed() {
    let Some(scene) = Scene::new() else { return };
    let options = scene.bench.options();
    let error = scene.checkout_with(options, &scene.request()).await.unwrap_err();
    assert!(error.contains("is not followed: only https addresses are"), "{error}");
    let missing = CheckoutRequest { commit: Some("0".repeat(40)), ..scene.request() };
    let error = scene.checkout(&missing).await.unwrap_err();
    assert!(error.contains("the repository has no commit 000"), "{error}");
    let small = FetchOptions { offline: true, ..scene.options() };
    let error = scene.checkout_with(small, &scene.request()).await.unwrap_err();
    assert!(error.contains("--offline leaves no other source"), "{error}");
}

/// Neither hooks nor settings of the user's have a say.
#[tokio::test]
async fn nothing_of_the_user_is_read() {
    let Some(scene) = Scene::new() else { return };
    let program = scene.path("git");
    fs_err::write(&program, "#!/bin/sh\nenv > \"$HOME/../../../environment\"\nexec /usr/bin/git \"$@\"\n")
        .unwrap();
    fs_err::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut options = scene.options();
    options.git.program = program;
    scene.checkout_with(options, &scene.request()).await.unwrap();
    let seen = fs_err::read_to_string(scene.bench.cache().join("environment")).unwrap();
    let names: Vec<&str> =
        seen.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let ours = |name: &&&str| {
        name.starts_with("GIT_")
            || ["PATH", "HOME", "LC_ALL", "SSH_ASKPASS", "PWD", "_", "SHLVL", "OLDPWD"].contains(*name)
    };
    assert!(names.iter().all(|name| ours(&name)), "{names:?}");
}
