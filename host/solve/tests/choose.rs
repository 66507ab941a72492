//! What the concretizer chooses.

mod common;

use common::{Memory, builtin, dag, external, hdf5, machine, recipe, show, spec, try_solve, zlib};
use insta::assert_snapshot;
use spack_wasm_package::{ConditionalValue, RequirementPolicy, VariantValues};

#[test]
fn zlib_with_externals() {
    assert_snapshot!(show(&dag("zlib", &builtin())), @r"
    gcc@12.2.0 (external)
    gmake@4.3 (external)
    zlib@1.2.13 build_system=makefile +optimize +pic +shared
        gcc [build] c
        gmake [build]
    ");
}

#[test]
fn hdf5_takes_zlib_for_its_virtual() {
    assert_snapshot!(show(&dag("hdf5", &builtin())), @r"
    gcc@12.2.0 (external)
    gmake@4.3 (external)
    zlib@1.2.13 build_system=makefile +optimize +pic +shared
        gcc [build] c
        gmake [build]
    hdf5@1.10.8 api=default build_system=autotools ~cxx ~fortran ~hl ~mpi +shared +tools
        gcc [build] c
        gmake [build]
        zlib [build,link] zlib-api
    ");
}

#[test]
fn the_same_input_gives_the_same_hash() {
    let hash = || dag("hdf5+cxx+hl", &builtin()).roots().next().unwrap().hash.clone();
    let first = hash();
    assert!((0..20).all(|_| hash() == first));
}
