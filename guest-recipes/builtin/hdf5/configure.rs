//! What configure is told.

use spack_wasm_sdk::prelude::*;

/// Compilers that know the flag by which undeclared functions are a warning.
const LENIENT: &[&str] = &["%gcc", "%clang", "%apple-clang", "%oneapi"];

pub(crate) fn arguments(build: &Build) -> Result<Vec<String>> {
    let spec = build.spec();
    let mut arguments = features(spec);
    arguments.extend(build_mode(spec));
    arguments.push(enable_or_disable("tests", build.run_tests()));
    arguments.extend(dependencies(spec)?);
    arguments.extend(languages(spec));
    Ok(arguments)
}

/// `--enable-unsupported` turns nothing on: it lets configure take combinations which it does not vouch for, such as a
/// thread-safe library with its C++ interface, that a DAG may well contain.
fn features(spec: &Spec) -> Vec<String> {
    let mut arguments = vec![
        "--enable-unsupported".to_owned(),
        "--disable-dependency-tracking".to_owned(),
        "--enable-static".to_owned(),
        // Dependents put the static library into shared ones.
        "--with-pic".to_owned(),
    ];
    for variant in ["shared", "hl", "cxx", "fortran", "threadsafe", "tools"] {
        arguments.push(enable_or_disable(variant, is_on(spec, variant)));
    }
    for (condition, variant, option) in [
        ("@1.10:", "java", "java"),
        ("@1.14:", "map", "map-api"),
        ("@1.14: +mpi", "subfiling", "subfiling-vfd"),
    ] {
        if spec.has(condition) {
            arguments.push(enable_or_disable(option, is_on(spec, variant)));
        }
    }
    arguments.extend(api(spec));
    arguments
}

fn is_on(spec: &Spec, variant: &str) -> bool {
    spec.has(&format!("+{variant}"))
}

fn api(spec: &Spec) -> Option<String> {
    let api = spec.variant("api").filter(|api| api != "default")?;
    Some(format!("--with-default-api-version={api}"))
}

/// 1.10 renamed the option; before it the Fortran 2003 interface had to be asked for.
fn build_mode(spec: &Spec) -> Vec<String> {
    if spec.has("@1.10:") {
        return vec!["--enable-build-mode=production".to_owned()];
    }
    let fortran2003 = spec.has("+fortran").then(|| "--enable-fortran2003".to_owned());
    fortran2003.into_iter().chain(["--enable-production".to_owned()]).collect()
}

/// Where the linked dependencies are. The run path is for `h5cc`, which keeps `LDFLAGS` and links its programs against the
/// static library and thereby directly against these.
fn dependencies(spec: &Spec) -> Result<Vec<String>> {
    let zlib = spec.dependency("zlib-api")?;
    let mut run_path = zlib.libraries()?.rpath_flags();
    let mut arguments = vec![format!("--with-zlib={}", folders(&zlib)?)];
    if spec.has("+szip") {
        let szip = spec.dependency("szip")?;
        run_path = format!("{run_path} {}", szip.libraries()?.rpath_flags());
        arguments.push(format!("--with-szlib={}", folders(&szip)?));
    } else {
        arguments.push("--without-szlib".to_owned());
    }
    arguments.push(format!("LDFLAGS={run_path}"));
    arguments.extend(mpi(spec)?);
    Ok(arguments)
}

/// The folders of headers and libraries, as configure takes them: `INCLUDE,LIB`.
fn folders(dependency: &Spec) -> Result<String> {
    let libraries = dependency.libraries()?.directories();
    let library = libraries.into_iter().next().unwrap_or_else(|| dependency.prefix().join("lib"));
    Ok(format!("{},{}", dependency.prefix().join("include").display(), library.display()))
}

fn mpi(spec: &Spec) -> Result<Vec<String>> {
    if !spec.has("+mpi") {
        return Ok(vec!["--disable-parallel".to_owned()]);
    }
    let mpi = spec.dependency("mpi")?;
    let mut arguments = vec!["--enable-parallel".to_owned()];
    for (condition, variable, compiler) in
        [("", "CC", "mpicc"), ("+cxx", "CXX", "mpicxx"), ("+fortran", "FC", "mpifc")]
    {
        if spec.has(condition) {
            arguments.push(format!("{variable}={}", mpi.offered(compiler)?));
        }
    }
    Ok(arguments)
}

/// Spack lets undeclared functions pass in every release. Here only in the old ones: 1.10.8 has none, and `h5cc` would keep
/// the flag for its users' programs.
fn languages(spec: &Spec) -> Vec<String> {
    let lenient = spec.has("@:1.8") && LENIENT.iter().any(|compiler| spec.has(compiler));
    let cflags = lenient.then(|| "CFLAGS=-Wno-error=implicit-function-declaration".to_owned());
    let cxxflags = spec.variant("cxxstd").map(|standard| format!("CXXFLAGS=-std=c++{standard}"));
    // AOCC has no `_Float16`.
    let float16 = spec.has("@1.14.4: %aocc").then(|| "--disable-nonstandard-feature-float16".to_owned());
    cflags.into_iter().chain(cxxflags).chain(float16).collect()
}
