//! Installations that something else made, by what `h5cc -showconfig` prints.

/// Label in the summary and variant.
const SWITCHES: &[(&str, &str)] = &[
    ("High-level library", "hl"),
    ("Parallel HDF5", "mpi"),
    ("C++", "cxx"),
    ("Fortran", "fortran"),
    ("Java", "java"),
    ("Threadsafety", "threadsafe"),
    ("Build HDF5 Tools", "tools"),
];

const ON: &[&str] = &["t", "true", "enabled", "yes", "1", "on"];

const APIS: &[&str] = &["v200", "v114", "v112", "v110", "v18", "v16"];

/// The spec that a summary describes; none where it is not one of HDF5.
pub(crate) fn spec(summary: &str) -> Option<String> {
    let mut spec = format!("hdf5@{}", release(value(summary, "HDF5 Version")?)?);
    for (label, variant) in SWITCHES {
        let on = value(summary, label).is_some_and(|value| ON.contains(&value.to_lowercase().as_str()));
        // The variant `java` exists from 1.10 on.
        if *variant != "java" || on {
            spec.push_str(if on { " +" } else { " ~" });
            spec.push_str(variant);
        }
    }
    let szip = value(summary, "I/O filters (external)").is_some_and(|value| value.contains("szip(encoder)"));
    spec.push_str(if szip { " +szip" } else { " ~szip" });
    if let Some(api) = value(summary, "Default API mapping").filter(|api| APIS.contains(api)) {
        spec.push_str(" api=");
        spec.push_str(api);
    }
    Some(spec)
}

/// `1.10.8` of `1.10.8-patch1`; none where there is no number.
fn release(version: &str) -> Option<&str> {
    let end = version
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(version.len());
    Some(version[..end].trim_end_matches('.')).filter(|release| !release.is_empty())
}

/// The first word behind a label; the summary aligns its labels to the right.
fn value<'a>(summary: &'a str, wanted: &str) -> Option<&'a str> {
    summary.lines().find_map(|line| {
        let (label, value) = line.split_once(':')?;
        (label.trim() == wanted).then(|| value.split_whitespace().next()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::spec;

    const SUMMARY: &str = "\
General Information:
-------------------
                   HDF5 Version: 1.10.8
             Installation point: /opt/hdf5
                            C++: yes
                        Fortran: no
                  Parallel HDF5: no
             High-level library: yes
               Build HDF5 Tools: yes
                   Threadsafety: no
            Default API mapping: v110
          I/O filters (external): deflate(zlib),szip(encoder)
";

    #[test]
    fn a_summary_becomes_a_spec() {
        assert_eq!(
            spec(SUMMARY).as_deref(),
            Some("hdf5@1.10.8 +hl ~mpi +cxx ~fortran ~threadsafe +tools +szip api=v110")
        );
    }

    #[test]
    fn another_program_is_no_installation() {
        assert_eq!(spec("cc: error: unrecognized option"), None);
        assert_eq!(spec("HDF5 Version: develop").as_deref(), None);
    }
}
