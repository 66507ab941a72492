//! The libraries for dependents.

use spack_wasm_sdk::prelude::*;

/// What may be asked for; each is a variant, too.
const QUERIES: &[&str] = &["cxx", "fortran", "hl", "java"];

pub(crate) fn libraries(spec: &Spec, query: &[String]) -> Result<Libraries> {
    for word in query {
        if !QUERIES.contains(&word.as_str()) {
            return Err(format!("hdf5 offers no libraries '{word}'; it offers {}", QUERIES.join(", ")).into());
        }
        if !spec.has(&format!("+{word}")) {
            return Err(format!("this hdf5 has no libraries '{word}': it was built without +{word}").into());
        }
    }
    let folder = spec.prefix().join("lib");
    let extension = if spec.has("+shared") { "so" } else { "a" };
    let asked = |word| query.iter().any(|asked| asked == word);
    let names = names(asked("hl"), asked("cxx"), asked("fortran"), asked("java"));
    Ok(names.iter().map(|name| folder.join(format!("{name}.{extension}"))).collect())
}

/// In the order in which they have to be linked. configure names the high-level Fortran library without the underscore.
fn names(hl: bool, cxx: bool, fortran: bool, java: bool) -> Vec<&'static str> {
    let all = [
        (hl && fortran, "libhdf5hl_fortran"),
        (hl && cxx, "libhdf5_hl_cpp"),
        (hl, "libhdf5_hl"),
        (fortran, "libhdf5_fortran"),
        (cxx, "libhdf5_cpp"),
        (java, "libhdf5_java"),
        (true, "libhdf5"),
    ];
    all.into_iter().filter(|(asked, _)| *asked).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_library_stands_before_those_that_it_needs() {
        assert_eq!(names(false, false, false, false), ["libhdf5"]);
        assert_eq!(
            names(true, true, false, false),
            ["libhdf5_hl_cpp", "libhdf5_hl", "libhdf5_cpp", "libhdf5"]
        );
        assert_eq!(
            names(true, false, true, false),
            ["libhdf5hl_fortran", "libhdf5_hl", "libhdf5_fortran", "libhdf5"]
        );
    }
}
