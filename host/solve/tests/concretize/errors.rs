//! What is said when there is no answer.

use crate::common::{Memory, builtin, error, external, hdf5, machine, recipe, try_solve, zlib};
use insta::assert_snapshot;
use spack_wasm_package::RequirementPolicy;

#[test]
fn a_namespace_is_the_one_of_the_repository() {
    let builtin = builtin();
    assert!(try_solve("builtin.zlib", &builtin, &machine()).is_ok());
    assert!(try_solve("hdf5 ^builtin.zlib", &builtin, &machine()).is_ok());
    assert_snapshot!(error("hdf5 ^foo.zlib", &builtin), @r"
    `foo.zlib` can't be had: zlib comes from the namespace `builtin`
        hdf5 ^foo.zlib
              ^^^^^^^^
    hint: write `builtin.zlib`; `spack-wasm repo list` shows the repositories in their order
    ");
    assert_snapshot!(error("foo.zlb", &builtin), @r"
    there is no package `foo.zlb`
        foo.zlb
        ^^^^^^^
    hint: did you mean `zlib` or `zlib-api`?
    ");
}

#[test]
fn names_that_do_not_exist() {
    let builtin = builtin();
    assert_snapshot!(error("hfd5@1.10", &builtin), @r"
    there is no package `hfd5`
        hfd5@1.10
        ^^^^
    hint: did you mean `hdf5`?
    ");
    assert_snapshot!(error("HDF5", &builtin), @r"
    there is no package `HDF5`
        HDF5
        ^^^^
    hint: did you mean `hdf5`?
    ");
    assert_snapshot!(error("hdf5 %clang", &builtin), @r"
    there is no package `clang`
        hdf5 %clang
              ^^^^^
    hint: the compilers are `gcc@12.2.0`
    ");
    assert_snapshot!(error("tensorflow", &builtin), @r"
    there is no package `tensorflow`
        tensorflow
        ^^^^^^^^^^
    hint: `spack-wasm list` shows the packages that there are
    ");
    assert_snapshot!(error("hdf5@9.9 +hl", &builtin), @r"
    this version does not exist: hdf5@9.9
        hdf5@9.9 +hl
             ^^^
    hint: there are `1.10.8`, `1.14.5`, `1.12.3`, `1.8.22` and `develop-1.14`
    ");
    assert_snapshot!(error("hdf5@1.12.9", &builtin), @r"
    this version does not exist: hdf5@1.12.9
        hdf5@1.12.9
             ^^^^^^
    hint: there are `1.12.3`, `1.10.8`, `1.14.5`, `1.8.22` and `develop-1.14`
    ");
    assert_snapshot!(error("hdf5 +tool", &builtin), @r"
    hdf5 has no variant `tool`
        hdf5 +tool
             ^^^^^
    hint: did you mean `tools`?
    ");
    assert_snapshot!(error("zlib~static", &builtin), @r"
    zlib has no variant `static`
        zlib~static
            ^^^^^^^
    hint: its variants are `build_system`, `pic`, `shared` and `optimize`
    ");
    assert_snapshot!(error("hdf5 api=v19", &builtin), @r"
    the variant `api` of hdf5 has no value `v19`
        hdf5 api=v19
                 ^^^
    hint: its values are `default`, `v114`, `v112`, `v110`, `v18` and `v16`
    ");
    assert_snapshot!(error("hdf5 api=v18~hl", &builtin), @r"
    the variant `api` of hdf5 has no value `v18~hl`
        hdf5 api=v18~hl
                 ^^^^^^
    hint: a space is needed in front of `+`, `~`, `^` and `%` behind a value
    ");
    assert_snapshot!(error("hdf5 ^zlib@2", &builtin), @r"
    this version does not exist: zlib@2
        hdf5 ^zlib@2
                   ^
    hint: there are `1.2.13`, `1.3.2` and `1.3.1`
    ");
    assert_snapshot!(error("zlib@1.2.11", &builtin), @r"
    zlib@1.2.11 is deprecated, and deprecated versions are not allowed
        zlib@1.2.11
             ^^^^^^
    ");
    assert_snapshot!(error("@1.2:", &builtin), @r"
    a package's name is missing in `@1.2:`
        @1.2:
         ^^^^
    ");
    assert_snapshot!(error("hdf5/abcdef", &builtin), @r"
    `/abcdef` asks for an installed package, and those are not reused yet: ask for it by name, version and variants
        hdf5/abcdef
            ^^^^^^^
    ");
    assert_snapshot!(error("zlib target=neoverse_n1", &builtin), @r"
    `zlib target=neoverse_n1` can't be built for linux-debian12-x86_64_v3
        zlib target=neoverse_n1
             ^^^^^^^^^^^^^^^^^^
    ");
    assert_snapshot!(error("zlib platform=darwin", &builtin), @r"
    `zlib platform=darwin` can't be built for linux-debian12-x86_64_v3
        zlib platform=darwin
             ^^^^^^^^^^^^^^^
    ");
    assert_snapshot!(error("zlib-api+shared", &builtin), @r"
    zlib-api has no variant `shared`
        zlib-api+shared
                ^^^^^^^
    hint: name a provider behind `^` if `zlib-api` is a virtual package
    ");
    assert_snapshot!(error("zlib target=aarch64:", &builtin), @r"
    `zlib target=aarch64:` can't be built for linux-debian12-x86_64_v3
        zlib target=aarch64:
             ^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_dependency_that_nobody_has() {
    assert_snapshot!(error("hdf5+mpi", &builtin()), @r"
    `mpi` is needed by hdf5 +mpi, but no recipe provides it yet and no external was found
      - `hdf5+mpi` was asked for
      - hdf5 depends on `mpi` when `+mpi`
    hint: install `mpi` and name it as an external, or add a repository with a recipe for it
    ");
    assert_snapshot!(error("netcdf-c ^hdf5+mpi", &builtin()), @r"
    `mpi` is needed by hdf5 +mpi, but no recipe provides it yet and no external was found
      - `^hdf5+mpi` was asked for
      - hdf5 depends on `mpi` when `+mpi`
    hint: install `mpi` and name it as an external, or add a repository with a recipe for it
    ");
    let mut bare = machine();
    bare.externals.retain(|external| external.name != "gmake");
    assert_snapshot!(try_solve("zlib", &builtin(), &bare).unwrap_err(), @r"
    `gmake` is needed by zlib build_system=makefile, but no recipe provides it yet and no external was found
      - `zlib` was asked for
      - zlib depends on `gmake` when `build_system=makefile`
      - zlib takes `build_system=generic` only when `platform=windows`
    hint: install `gmake` and name it as an external, or add a repository with a recipe for it
    ");
    bare.externals.clear();
    assert_snapshot!(try_solve("zlib", &builtin(), &bare).unwrap_err(), @r"
    `c` is needed by zlib, but no recipe provides it yet and no external was found
      - `zlib` was asked for
      - zlib depends on `c`
    hint: `c` is a language: install a compiler for it, for example gcc
    ");
}

#[test]
fn a_dependency_that_nothing_needs() {
    assert_snapshot!(error("zlib ^hdf5", &builtin()), @r"
    zlib does not depend on hdf5
        zlib ^hdf5
              ^^^^
    ");
}

#[test]
fn conflicts_use_the_recipes_words() {
    assert_snapshot!(error("hdf5@1.12 api=v114", &builtin()), @r"
    `hdf5@1.12 api=v114` can't be had
      - `hdf5@1.12 api=v114` was asked for
      - hdf5 conflicts with `api=v114` when `@1.6:1.12`: hdf5: v114 is not compatible with this release
    ");
    let with_mpi = Memory::new([zlib(), hdf5(), recipe("mpich", &["4.2"]).provides("mpi@:4", "")]);
    assert_snapshot!(error("hdf5+mpi+cxx", &with_mpi), @r"
    `hdf5+cxx+mpi` can't be had
      - `hdf5+cxx+mpi` was asked for
      - hdf5 conflicts with `+cxx` when `+mpi`
    ");
    assert_snapshot!(error("hdf5@1.12+map", &builtin()), @r"
    `hdf5@1.12+map` can't be had
      - `hdf5@1.12+map` was asked for
      - hdf5 has the variant `map` only when `@1.14:`
    ");
}

#[test]
fn wishes_that_exclude_each_other() {
    let needs_old = Memory::new([
        zlib(),
        hdf5(),
        recipe("tool", &["1.0"]).depends_on("zlib@:1.2", "link").depends_on("hdf5", "link"),
    ]);
    assert_snapshot!(error("tool ^zlib@1.3", &needs_old), @r"
    `tool ^zlib@1.3` can't be had
      - `tool` was asked for
      - `^zlib@1.3` was asked for
      - tool depends on `zlib@:1.2`
    ");
    let needs_new = Memory::new([zlib(), recipe("tool", &["1.0"]).depends_on_when("zlib@2:", "link", "@1:")]);
    assert_snapshot!(error("tool", &needs_new), @r"
    `tool` can't be had
      - this version does not exist: zlib@2:; there are 1.2.13, 1.3.2, 1.3.1
      - `tool` was asked for
      - tool depends on `zlib@2:` when `@1:`
    ");
    let newer_cmake = Memory::new([recipe("tool", &["1.0"]).depends_on("cmake@3.30:", "build")]);
    assert_snapshot!(error("tool", &newer_cmake), @r"
    `tool` can't be had
      - `tool` was asked for
      - tool depends on `cmake@3.30:`
      - there is no recipe for cmake, and found was only cmake@3.25.1
    ");
    let no_variant = Memory::new([zlib(), recipe("tool", &["1.0"]).depends_on("zlib+minizip", "link")]);
    assert_snapshot!(error("tool", &no_variant), @r"
    `tool` can't be had
      - `tool` was asked for
      - tool depends on `zlib+minizip`
      - zlib has no variant `minizip`
    ");
}

#[test]
fn requirements_that_fail() {
    let one_of = recipe("tool", &["1.0"]).flag("a", true).flag("b", true);
    let one_of = Memory::new([one_of.requires(&["+a", "+b"], RequirementPolicy::OneOf, "@1:")]);
    assert_snapshot!(error("tool+a+b", &one_of), @r"
    `tool+a+b` can't be had
      - `tool+a+b` was asked for
      - tool requires `+a` or `+b` when `@1:`
    ");
    assert_snapshot!(error("tool~a~b", &one_of), @r"
    `tool~a~b` can't be had
      - `tool~a~b` was asked for
      - tool requires `+a` or `+b` when `@1:`
    ");
}

#[test]
fn an_external_that_can_not_be_changed() {
    let mut facts = machine();
    facts.externals.push(external("zlib@1.2.13~shared", &[]));
    facts.preferences.not_buildable.insert("zlib".into());
    assert_snapshot!(try_solve("hdf5 ^zlib+shared", &builtin(), &facts).unwrap_err(), @r"
    `hdf5 ^zlib+shared` can't be had
      - `^zlib+shared` was asked for
      - zlib@1.2.13 is installed already and can't be changed
    ");
}

#[test]
fn a_circle() {
    let circle = Memory::new([
        recipe("root", &["1"]).depends_on("first", "link"),
        recipe("first", &["1"]).depends_on("second", "link"),
        recipe("second", &["1"]).depends_on("first", "link"),
    ]);
    assert_snapshot!(error("root", &circle), @r"
    `root` can't be had
      - `root` was asked for
      - these packages would depend on each other: first -> second -> first
      - root depends on `first`
      - first depends on `second`
    ");
}
