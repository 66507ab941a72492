//! Lua, with the libraries and the pkg-config file that its makefile does not make.
//!
//! Spack brings LuaRocks into every prefix, which makes it need unzip and curl or wget. Here that is a choice, and not the
//! default: `fetcher=curl` is what Spack installs.

use std::path::Path;

use spack_wasm_sdk::prelude::*;

struct Lua;

impl Recipe for Lua {
    fn describe() -> Package {
        let package = package("lua", "The Lua programming language interpreter and library.")
            .homepage("https://www.lua.org")
            .url("https://www.lua.org/ftp/lua-5.4.8.tar.gz")
            .license("MIT")
            .build_system(MAKEFILE)
            .release("5.4.8", "4f18ddae154e793e46eeab727c59ef1c0c0c2b744e7b94219710d76f530629ae")
            .release("5.4.6", "7d5ea1b9cb6aa0b59ca3dde1c6adcb57ef83a1ba8e5432c0ecd06bf439b3ad88")
            .preferred_release("5.4.4", "164c7849653b80ae67bec4b7473b884bf5cc8d2dca05653475ec2ed27b9ebf61")
            .release("5.4.3", "f8612276169e3bfcbcfb8f226195bfc6e466fe13042f1076cbde92b7ec96bbfb")
            .release("5.4.2", "11570d97e9d7303c0a59567ed1ac7c648340cd0db10d5fd594c09223ef2f524f")
            .release("5.4.1", "4ba786c3705eb9db6567af29c91a01b81f1c0ac3124fdbf6cd94bdd9e53cca7d")
            .release("5.4.0", "eac0836eb7219e421a96b7ee3692b93f0629e4cdb0c788432e3d10ce9ed47e28")
            .release("5.3.6", "fc5fd69bb8736323f026672b1b7235da613d7177e72558893a0bdcd320466d60")
            .release("5.3.5", "0c2eed3f960446e1a3e4b9a1ca2f3ff893b6ce41942cf54d5dd59ab4b3b058ac")
            .release("5.3.4", "f681aa518233bc407e23acf0f5887c884f17436f000d453b2491a9f11a52400c")
            .release("5.3.2", "c740c7bb23a936944e1cc63b7c3c5351a8976d7867c5252c8854f7b2af9da68f")
            .release("5.3.1", "072767aad6cc2e62044a66e8562f51770d941e972dc1e4068ba719cd8bffac17")
            .release("5.3.0", "ae4a5eb2d660515eb191bfe3e061f2b8ffe94dce73d32cfd0de090ddcc0ddb01")
            .release("5.2.4", "b9e2e4aad6789b3b63a056d442f7b39f0ecfca3ae0f1fc0ae4e9614401b69f4b")
            .release("5.2.3", "13c2fb97961381f7d06d5b5cea55b743c163800896fd5c5e2356201d3619002d")
            .release("5.2.2", "3fd67de3f5ed133bf312906082fa524545c6b9e1b952e8215ffbd27113f49f00")
            .release("5.2.1", "64304da87976133196f9e4c15250b70f444467b6ed80d7cfd7b3b982b5177be5")
            .release("5.2.0", "cabe379465aa8e388988073d59b69e76ba0025429d2c1da80821a252cdf6be0d")
            .release("5.1.5", "2640fc56a795f29d28ef15e13c34a47e223960b0240e8cb0a82d9b0738695333")
            .release("5.1.4", "b038e225eaf2a5b57c9bcc35cd13aa8c6c8288ef493d52970c9545074098af3a")
            .release("5.1.3", "6b5df2edaa5e02bf1a2d85e1442b2e329493b30b0c0780f77199d24f087d296d")
            .variant(boolean("shared", true, "Builds a shared version of the library"))
            .depends_on(build_dependency("c"))
            .depends_on(dependency("ncurses+termlib"))
            .depends_on(dependency("readline"))
            .provides(provision("lua-lang@5.1").when("@5.1:5.1.99"))
            .provides(provision("lua-lang@5.2").when("@5.2:5.2.99"))
            .provides(provision("lua-lang@5.3").when("@5.3:5.3.99"))
            .provides(provision("lua-lang@5.4").when("@5.4:5.4.99"));
        luarocks(package)
    }

    /// Modules are looked for in the prefix and not in `/usr/local`, so that nobody has to set `LUA_PATH`.
    fn prepare(build: &Build) -> Result {
        let root = format!("{}/", build.prefix().display());
        build.filter_file(build.source().join("src/luaconf.h"), "/usr/local/", &root).map(drop)
    }

    fn build_targets(build: &Build) -> Result<Vec<String>> {
        let spec = build.spec();
        // From 5.4 on `linux` does without readline.
        let platform = if spec.has("@5.4:") { "linux-readline" } else { "linux" };
        let terminal = spec.dependency("ncurses")?.libraries_of(&["wide"])?;
        Ok(vec![
            format!("CC={} -std=gnu99 -fPIC", spec.compiler("c")?.path),
            format!("MYLIBS={}", terminal.link_flags()),
            platform.to_owned(),
        ])
    }

    fn install_targets(build: &Build) -> Result<Vec<String>> {
        Ok(vec![format!("INSTALL_TOP={}", build.prefix().display()), "install".to_owned()])
    }

    fn phase(build: &Build, phase: &str) -> Result {
        build.usual_phase::<Self>(phase)?;
        if phase != "install" {
            return Ok(());
        }
        if build.spec().has("+shared") {
            shared_library(build)?;
        }
        pkg_config(build)?;
        if build.spec().has("fetcher=none") { Ok(()) } else { install_luarocks(build) }
    }
}

/// LuaRocks with either program to fetch with. It unpacks some of its archives by unzip.
fn luarocks(package: Package) -> Package {
    let package = package.variant(choice(
        "fetcher",
        "none",
        &["none", "curl", "wget"],
        "Fetcher to use in the LuaRocks package manager; none: without LuaRocks",
    ));
    ["curl", "wget"].into_iter().fold(package, |package, fetcher| {
        let chosen = format!("fetcher={fetcher}");
        let sources = resource("luarocks", "").sha256_at(
            "c3fb3d960dffb2b2fe9de7e3cb004dc4d0b34bb3d342578af84f84325c669102",
            "https://luarocks.github.io/luarocks/releases/luarocks-3.11.1.tar.gz",
        );
        package
            .depends_on(dependency(fetcher).run_only().when(&chosen))
            .depends_on(build_dependency("unzip").and_run().when(&chosen))
            .resource(sources.named("luarocks").when(&chosen))
    })
}

/// The library, and the names under which the macros of autoconf's archive look for it.
fn shared_library(build: &Build) -> Result {
    let folder = build.prefix().join("lib");
    let library = build.shared_library_of(folder.join("liblua.a"), 2, &["-lm", "-ldl"])?;
    let file = library.file_name().map(Path::new).unwrap_or(&library);
    let series = build.spec().version_up_to(2);
    for version in [series.clone(), series.replace('.', "")] {
        for joiner in ["", "-"] {
            build.symlink(file, folder.join(format!("liblua{joiner}{version}.so")))?;
        }
    }
    Ok(())
}

fn pkg_config(build: &Build) -> Result {
    let series = build.spec().version_up_to(2);
    let description = "A powerful, fast, lightweight, embeddable scripting language";
    let file = PkgConfig::new("Lua", description)
        .variable("bindir", "${prefix}/bin")
        .variable("INSTALL_LMOD", &format!("${{prefix}}/share/lua/{series}"))
        .variable("INSTALL_CMOD", &format!("${{prefix}}/lib/lua/{series}"))
        .variable("INTERPRETER", "${bindir}/lua")
        .variable("COMPILER", "${bindir}/luac")
        .libraries("-llua -lm");
    build.install_pkg_config(&format!("lua{series}"), &file)?;
    build.symlink(format!("lua{series}.pc"), build.prefix().join("lib/pkgconfig/lua.pc"))
}

fn install_luarocks(build: &Build) -> Result {
    let (folder, prefix) = (build.source().join("luarocks"), build.prefix().display().to_string());
    build
        .tool("./configure")
        .args([format!("--prefix={prefix}"), format!("--with-lua={prefix}")])
        .directory(&folder)
        .run()?;
    ["build", "install"]
        .into_iter()
        .try_for_each(|target| build.tool("make").arg(target).directory(&folder).run())
}

recipe!(Lua);
