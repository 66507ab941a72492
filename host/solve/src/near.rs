/// How many names are proposed.
const PROPOSALS: usize = 3;

/// The names that a person may have meant by `wanted`, the nearest first.
pub(crate) fn near<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let small = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        // One that is known and can't be used is not what was meant.
        .filter(|name| *name != wanted)
        .map(|name| (strsim::jaro_winkler(&small, &name.to_lowercase()), name))
        .filter(|(score, name)| *score > 0.8 || (small.len() > 2 && name.contains(&small)))
        .collect();
    scored.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    scored.dedup_by(|(_, a), (_, b)| a == b);
    scored.into_iter().take(PROPOSALS).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn the_nearest_names_come_first() {
        let names = ["hdf", "hdf5", "netcdf-c", "zlib", "zlib-ng", "libzip"];
        assert_eq!(near("hfd5", names), ["hdf5", "hdf"]);
        assert_eq!(near("HDF5", names), ["hdf5", "hdf"]);
        assert_eq!(near("zlb", names), ["zlib", "zlib-ng"]);
        assert_eq!(near("openmpi", names), Vec::<String>::new());
    }
}
