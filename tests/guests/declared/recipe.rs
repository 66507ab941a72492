//! A recipe that declares what `files/declared` beside it says, and installs its sources as they are. Used by the end-to-end
//! tests of sources; one component stands for many packages.
//!
//! ```text
//! version 1.0 sha256=7b38… url=https://example.org/a.tar.gz
//! version 2.0 git=file:///srv/a commit=1234…
//! resource data third_party sha256=71fe… url=https://example.org/d.tar place=x:y when=@1:
//! patch patches/fix.patch when=@1.0
//! depends-on libfoo patch=files/libfoo.patch
//! ```

use spack_wasm_sdk::bindings::spack_wasm::recipe::context;
use spack_wasm_sdk::prelude::*;
use spack_wasm_sdk::recipe_file;

struct Declared;

/// The words behind a directive: those without a name, and `name=value`.
struct Words<'a> {
    plain: Vec<&'a str>,
    named: Vec<(&'a str, &'a str)>,
}

impl<'a> Words<'a> {
    fn of(line: &'a str) -> Self {
        let (named, plain): (Vec<_>, Vec<_>) =
            line.split_whitespace().partition(|word| word.contains('=') && !word.starts_with('@'));
        Self { plain, named: named.into_iter().filter_map(|word| word.split_once('=')).collect() }
    }

    fn plain(&self, index: usize) -> &'a str {
        self.plain.get(index).copied().unwrap_or_default()
    }

    fn named(&self, name: &str) -> Option<&'a str> {
        self.named.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn when(&self) -> &'a str {
        self.named("when").unwrap_or_default()
    }
}

/// What a version and a resource have in common.
macro_rules! with_origin {
    ($builder:expr, $words:expr) => {{
        let mut builder = $builder;
        let words: &Words<'_> = $words;
        for (name, value) in &words.named {
            builder = match *name {
                "sha256" => match words.named("url") {
                    Some(url) => builder.sha256_at(value, url),
                    None => builder.sha256(value),
                },
                "unchecked" => builder.unchecked_at(value),
                "git" => builder.git(value),
                "svn" => builder.repository(spack_wasm_sdk::VersionControl::Subversion, value),
                "branch" => builder.branch(value),
                "commit" => builder.commit(value),
                "submodules" => builder.submodules(),
                "expand" => builder.unexpanded(),
                _ => builder,
            };
        }
        match (words.named("tag"), words.named("commit")) {
            (Some(tag), Some(commit)) => builder.tag(tag, commit),
            _ => builder,
        }
    }};
}

fn declare(package: Package, line: &str) -> Package {
    let words = Words::of(line);
    match words.plain(0) {
        "version" => package.version(with_origin!(version(words.plain(1)), &words)),
        "resource" => {
            let declared = resource(words.plain(1), words.plain(2)).when(words.when());
            let places = words.named.iter().filter(|(name, _)| *name == "place");
            let places = places.filter_map(|(_, value)| value.split_once(':'));
            let declared = with_origin!(declared, &words);
            package.resource(places.fold(declared, |declared, (from, to)| declared.place(from, to)))
        }
        "patch" => package.patch(patch(words.plain(1)).when(words.when())),
        "depends-on" => {
            let depended = dependency(words.plain(1)).when(words.when());
            package.depends_on(match words.named("patch") {
                Some(file) => depended.patch(patch(file)),
                None => depended,
            })
        }
        "name" => package,
        other => panic!("'{other}' is no directive"),
    }
}

impl Recipe for Declared {
    fn describe() -> Package {
        let declared = recipe_file("files/declared").map(fs_err::read_to_string);
        let Ok(Ok(declared)) = declared else {
            panic!("there is no file 'files/declared' beside the recipe")
        };
        // One that is installed from a file has no name yet.
        let stated = declared.lines().find_map(|line| line.strip_prefix("name "));
        let name = stated.map_or_else(context::package_name, str::to_owned);
        let base = package(&name, "What a file beside the recipe says.")
            .license("MIT")
            // Nobody listens there: archives come from a mirror.
            .url("https://127.0.0.1:9/sources-1.0.tar")
            .build_system(GENERIC);
        declared.lines().filter(|line| !line.is_empty()).fold(base, declare)
    }

    fn phase(build: &Build, _phase: &str) -> Result {
        build.install_tree(build.source(), build.prefix().join("src"))?;
        let own = build.recipe_file("files/declared")?;
        // The tools see the recipe's own files at the same path, and can't change them.
        build
            .tool("cp")
            .arg(own.display().to_string())
            .arg(build.prefix().join("declared").display().to_string())
            .run()?;
        let writable = build.tool("sh").args(["-c", "echo x > \"$0\"", &own.display().to_string()]).run();
        match writable {
            Ok(()) => Err(Failure::new("a tool could write the recipe's own files")),
            Err(_) => Ok(()),
        }
    }
}

recipe!(Declared);
