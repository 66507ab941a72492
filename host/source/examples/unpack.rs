//! Unpacks an archive: `cargo run -p spack-wasm-source --example unpack ARCHIVE FOLDER`. Used to compare with `tar xf`.
use cap_std::{ambient_authority, fs::Dir};
fn main() {
    let args: Vec<_> = std::env::args().collect();
    fs_err::create_dir_all(&args[2]).unwrap();
    let into = Dir::open_ambient_dir(&args[2], ambient_authority()).unwrap();
    let t = std::time::Instant::now();
    match spack_wasm_source::unpack::unpack(args[1].as_ref(), "single", &into, &Default::default()) {
        Ok(done) => println!("{done:?} {:?}", t.elapsed()),
        Err(error) => println!("{error}"),
    }
}
