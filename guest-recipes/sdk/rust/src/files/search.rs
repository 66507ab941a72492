use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::{Libraries, Result};

/// The files and links below a folder whose names match a pattern with `*` (any text) and `?` (any character), sorted. Links are
/// found but not followed.
///
/// # Errors
/// The folder can't be read.
pub fn find(folder: impl AsRef<Path>, pattern: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(folder.as_ref(), pattern, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, pattern: &str, found: &mut Vec<PathBuf>) -> Result {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), pattern, found)?;
        } else if entry.file_name().to_str().is_some_and(|name| matches(name, pattern)) {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// The libraries of these names, for example `libz`, in the order of the names: shared or static ones, in `lib` or `lib64` below
/// `root`, else anywhere below it. Names that are not found are left out.
///
/// # Errors
/// A folder can't be read.
pub fn find_libraries(names: &[&str], root: impl AsRef<Path>, shared: bool) -> Result<Libraries> {
    let root = root.as_ref();
    let extension = if shared { "so" } else { "a" };
    let mut libraries = Vec::new();
    for name in names {
        libraries.extend(find_library(root, &format!("{name}.{extension}"))?);
    }
    Ok(Libraries::from_iter(libraries))
}

fn find_library(root: &Path, file: &str) -> Result<Option<PathBuf>> {
    let usual = ["lib", "lib64"].map(|folder| root.join(folder).join(file));
    match usual.into_iter().find(|path| path.exists()) {
        Some(path) => Ok(Some(path)),
        None => Ok(find(root, file)?.into_iter().next()),
    }
}

/// Whether a name matches a pattern. Tries the text behind the last `*` again further on until it fits, so it takes at most
/// the product of both lengths.
fn matches(name: &str, pattern: &str) -> bool {
    let (name, pattern): (Vec<char>, Vec<char>) = (name.chars().collect(), pattern.chars().collect());
    let (mut at_name, mut at_pattern, mut star) = (0, 0, None);
    while at_name < name.len() {
        match pattern.get(at_pattern) {
            Some('*') => {
                star = Some((at_pattern, at_name));
                at_pattern += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == name[at_name] => {
                at_name += 1;
                at_pattern += 1;
            }
            _ => {
                let Some((star_pattern, star_name)) = star else { return false };
                star = Some((star_pattern, star_name + 1));
                at_name = star_name + 1;
                at_pattern = star_pattern + 1;
            }
        }
    }
    pattern[at_pattern..].iter().all(|&character| character == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_read_as_in_a_shell() {
        for (name, pattern) in
            [("libz.so", "libz.so"), ("libz.so.1", "lib*.so*"), ("aab", "*ab"), ("x", "?"), ("", "*")]
        {
            assert!(matches(name, pattern), "{name} {pattern}");
        }
        for (name, pattern) in [("libz.a", "lib*.so*"), ("", "?"), ("abc", "ab"), ("ab", "abc"), ("é", "??")]
        {
            assert!(!matches(name, pattern), "{name} {pattern}");
        }
    }

    #[test]
    fn files_are_found_at_any_depth_in_order() {
        let root = std::env::temp_dir().join(format!("spack-wasm-sdk-find-{}", std::process::id()));
        for file in ["lib/libz.so", "lib64/libh.so", "deep/er/liby.so", "lib/libz.a", "include/z.h"] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let shared = find(&root, "*.so").unwrap();
        let found = find_libraries(&["liby", "libz", "libh", "libno"], &root, true).unwrap();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(shared, ["deep/er/liby.so", "lib/libz.so", "lib64/libh.so"].map(|file| root.join(file)));
        assert_eq!(
            found.to_vec(),
            ["deep/er/liby.so", "lib/libz.so", "lib64/libh.so"].map(|file| root.join(file))
        );
        assert!(find(&root, "*").unwrap_err().to_string().contains("spack-wasm-sdk-find"));
    }
}
