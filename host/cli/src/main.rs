//! The program `spack-wasm`; everything is in the library.

fn main() -> std::process::ExitCode {
    spack_wasm::main()
}
