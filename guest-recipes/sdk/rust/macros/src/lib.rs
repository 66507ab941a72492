//! What the recipe SDK does at compile time: the package hash.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use fs_err as fs;
use proc_macro::TokenStream;
use sha2::{Digest, Sha256};

/// The package hash of the crate that is compiled: SHA-256 over its sources, as a string literal of 64 hexadecimal digits.
///
/// Sources are the files of the recipe's folder that decide what the recipe does: `*.rs`, `*.patch`, `*.diff`, and all of
/// `files/` and `patches/`.
/// Each counts with its path below the folder, its length and its bytes, in the order of the paths. `Cargo.toml` does
/// not count: a new version of the workspace is no other recipe.
#[proc_macro]
pub fn package_hash(_: TokenStream) -> TokenStream {
    match hash_of_sources() {
        Ok((hash, files)) => expression(&hash, &files),
        Err(error) => format!("compile_error!({error:?})").parse().unwrap_or_default(),
    }
}

fn hash_of_sources() -> Result<(String, Vec<PathBuf>), String> {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo did not name the recipe's folder")?;
    let folder = Path::new(&folder);
    let mut files = Vec::new();
    collect(folder, folder, &mut files)?;
    files.sort();
    let mut hash = Sha256::new();
    for file in &files {
        let bytes = fs::read(folder.join(file)).map_err(|error| error.to_string())?;
        hash.update(format!("{}\0{}\0", file.display(), bytes.len()));
        hash.update(bytes);
    }
    let files = files.into_iter().map(|file| folder.join(file)).collect();
    Ok((HEXLOWER.encode(&hash.finalize()), files))
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        let below = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
        if path.is_dir() {
            if !below.starts_with("target") && !below.starts_with(".git") {
                collect(root, &path, found)?;
            }
        } else if is_source(&below) {
            found.push(below);
        }
    }
    Ok(())
}

fn is_source(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    path.starts_with("files")
        || path.starts_with("patches")
        || matches!(extension, Some("rs" | "patch" | "diff"))
}

/// The literal, and an `include_bytes!` of each file, so that cargo compiles the recipe again when one changes.
fn expression(hash: &str, files: &[PathBuf]) -> TokenStream {
    let watched: String = files
        .iter()
        .map(|file| format!("const _: &[u8] = include_bytes!({:?});", file.display().to_string()))
        .collect();
    format!("{{ {watched} {hash:?} }}").parse().unwrap_or_default()
}
