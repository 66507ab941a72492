//! Mistakes of a user, and what they are told.

use spack_wasm_tests::assert_output;

use crate::user;

#[test]
fn the_nearest_names_are_shown_below_a_caret() {
    let user = user();
    assert_output!(user, user.run(["install", "zlb"]), @"
    exit status: 3
    ----- stderr -----
    ==> Error: there is no package `zlb`
        zlb
        ^^^
    hint: did you mean `zlib` or `zlib-api`?
    ");
    assert_output!(user, user.run(["install", "hdf5@9.9"]), @"
    exit status: 3
    ----- stderr -----
    ==> Error: this version does not exist: hdf5@9.9
        hdf5@9.9
             ^^^
    hint: there are `1.10.8`, `1.14.6`, `1.14.5`, `1.14.4-3`, `1.14.3` and `1.14.2`
    ");
    assert_output!(user, user.run(["spec", "hdf5+shraed"]), @"
    exit status: 3
    ----- stderr -----
    ==> Error: hdf5 has no variant `shraed`
        hdf5+shraed
            ^^^^^^^
    hint: did you mean `shared`?
    ");
    assert_output!(user, user.run(["spec", "hdf5", "api=v19"]), @"
    exit status: 3
    ----- stderr -----
    ==> Error: the variant `api` of hdf5 has no value `v19`
        hdf5 api=v19
                 ^^^
    hint: its values are `default`, `v200`, `v114`, `v112`, `v110`, `v18` and `v16`
    ");
    assert_output!(user, user.run(["spec", "hdf5", "^zlib+piic"]), @"
    exit status: 3
    ----- stderr -----
    ==> Error: zlib has no variant `piic`
        hdf5 ^zlib+piic
                  ^^^^^
    hint: did you mean `pic`?
    ");
}

#[test]
fn a_spec_that_is_none_is_pointed_at() {
    let user = user();
    assert_output!(user, user.run(["spec", "zlib@@1.2"]), @"
    exit status: 2
    ----- stderr -----
    ==> Error: a version is missing behind `@`
        zlib@@1.2
            ^
    ");
    assert_output!(user, user.run(["spec", "hdf5 +"]), @"
    exit status: 2
    ----- stderr -----
    ==> Error: a variant's name is missing behind `+`
        hdf5 +
             ^
    ");
}

#[test]
fn what_has_no_recipe_yet_is_said() {
    let user = user();
    assert_output!(user, user.run(["spec", "hdf5+mpi"]), @"
    exit status: 3
    ----- stderr -----
    ==> Error: `mpi` is needed by hdf5 +mpi, but no recipe provides it yet and no external was found
      - `hdf5+mpi` was asked for
      - hdf5 depends on `mpi` when `+mpi`
    hint: install `mpi` and name it as an external, or add a repository with a recipe for it
    ");
}

#[test]
fn a_wrong_key_of_the_configuration_is_found() {
    let user = user().configure("config.yaml", "config:\n  build_jobs: 4\n  instal_tree:\n    root: /x\n");
    assert_output!(user, user.run(["find"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: [HOME]/.spack/config.yaml:3: there is no key `instal_tree`; did you mean `install_tree`?
    ");
    let user = user.configure("config.yaml", "config:\n  build_jobs: many\n");
    assert_output!(user, user.run(["find"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: [HOME]/.spack/config.yaml:2: a whole number that is not too large is expected
    ");
    let user = user.configure("config.yaml", "config: [\n");
    assert_output!(user, user.run(["find"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: [HOME]/.spack/config.yaml:1: keys with values are expected
    ");
}

#[test]
fn the_command_line_counts_more_than_files() {
    let user = user().configure("config.yaml", "config:\n  install_tree:\n    root: /nowhere\n");
    let store = user.work().join("here");
    let setting = format!("config:install_tree:root:{}", store.display());
    user.run(["-c", &setting, "install", "--recipe", spack_wasm_tests::MISBEHAVING]).succeeded();
    assert!(store.is_dir());
    assert_output!(user, user.run(["-c", "config:build_jbs:4", "find"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: -c config:build_jbs:4: there is no key `build_jbs`; did you mean `build_jobs`?
    ");
    assert_output!(user, user.run(["-c", "config:build_jobs:0", "find"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: -c config:build_jobs:0: 0 jobs build nothing
    ");
    assert_output!(user, user.run(["-c", "config", "find"]), @"
    exit status: 2
    ----- stderr -----
    ==> Error: `-c config`: expected are a section, a key and a value with colons between them
    hint: for example `-c config:build_jobs:4`
    ");
}

#[test]
fn what_is_not_installed_is_not_found() {
    let user = user();
    assert_output!(user, user.run(["location", "zlib"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: no installed package is `zlib`
    hint: `spack-wasm find` lists what is installed
    ");
    assert_output!(user, user.run(["logs", "zlib"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: no build of `zlib` is known: it is not installed, and no build of it failed
    hint: `spack-wasm find` lists what is installed
    ");
    assert_output!(user, user.run(["uninstall", "-y", "zlib"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: no installed package is `zlib`
    hint: `spack-wasm find` lists what is installed
    ");
    assert_output!(user, user.run(["find"]), @"
    exit status: 0
    ----- stdout -----
    ==> 0 installed packages
    ");
}

#[test]
fn a_store_of_spacks_own_is_refused() {
    let user = user();
    let store = user.work().join("spack");
    fs_err::create_dir_all(store.join(".spack-db")).unwrap();
    fs_err::write(store.join(".spack-db/index.json"), "{\"database\": {}}").unwrap();
    let setting = format!("config:install_tree:root:{}", store.display());
    assert_output!(user, user.run(["-c", &setting, "find"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: [ROOT]/work/spack is the store of a real Spack (it holds .spack-db/index.json), and the two would not see each other's packages
    hint: set config:install_tree:root to a folder of spack-wasm's own
    ");
}

#[test]
fn a_hash_stands_for_what_is_installed() {
    let user = user();
    assert_output!(user, user.run(["spec", "/abcdefg"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: no installed package is `/abcdefg`
    hint: `spack-wasm find` lists what is installed
    ");
    assert_output!(user, user.run(["spec", "hdf5", "^zlib/abcdefg"]), @"
    exit status: 3
    ----- stderr -----
    ==> Error: `/abcdefg` asks for an installed package, and those are not reused yet: ask for it by name, version and variants
        hdf5 ^zlib/abcdefg
                  ^^^^^^^^
    ");
    crate::misbehave(&user, "nothing", &[]).succeeded();
    let prefix = user.run(["location", "misbehaving"]).succeeded().stdout;
    let hash = format!("/{}", &prefix.trim_end()[prefix.trim_end().len() - 32..][..7]);
    assert_output!(user, user.run(["spec", &hash]), @"
    exit status: 0
    ----- stdout -----
    [+]  misbehaving@1.0 act=nothing build_system=generic arch=linux-[OS]-[TARGET]
    ");
    let installed = user.run(["install", &hash]).succeeded();
    assert!(installed.stdout.ends_with(&format!("[+] {prefix}")), "{}", installed.report());
    user.run(["install", "--overwrite", "-y", &hash]).failed_with(2);
}

#[test]
fn blanks_are_no_spec() {
    let user = user();
    assert_output!(user, user.run(["install", " "]), @"
    exit status: 2
    ----- stderr -----
    ==> Error: a spec is expected, and there are only blanks
    ");
}
