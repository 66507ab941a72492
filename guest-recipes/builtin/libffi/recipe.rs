//! libffi. Of Spack's patches the two for old releases on PowerPC are left out.

use spack_wasm_sdk::prelude::*;

struct Libffi;

impl Recipe for Libffi {
    fn describe() -> Package {
        package("libffi", "A portable, high-level interface to the calling conventions of many machines.")
            .homepage("https://sourceware.org/libffi/")
            .url("https://github.com/libffi/libffi/releases/download/v3.4.2/libffi-3.4.2.tar.gz")
            .license("MIT")
            .build_system(AUTOTOOLS)
            .release("3.5.2", "f3a3082a23b37c293a4fcd1053147b371f2ff91fa7ea1b2a52e335676bac82dc")
            .release("3.4.8", "bc9842a18898bfacb0ed1252c4febcc7e78fa139fd27fdc7a3e30d9d9356119b")
            .release("3.4.7", "138607dee268bdecf374adf9144c00e839e38541f75f24a1fcf18b78fda48b2d")
            .release("3.4.6", "b0dea9df23c863a7a50e825440f3ebffabd65df1497108e5d437747843895a4e")
            .release("3.4.5", "96fff4e589e3b239d888d9aa44b3ff30693c2ba1617f953925a70ddebcc102b2")
            .preferred_release("3.4.4", "d66c56ad259a82cf2a9dfc408b32bf5da52371500b84745f7fb8b645712df676")
            .release("3.4.3", "4416dd92b6ae8fcb5b10421e711c4d3cb31203d77521a77d85d0102311e6c3b8")
            .release("3.4.2", "540fb721619a6aba3bdeef7d940d8e9e0e6d2c193595bc243241b77ff9e93620")
            .release("3.3", "72fba7922703ddfa7a028d513ac15a85c8d54c8d67f55fa5a4802885dc652056")
            .release("3.2.1", "d06ebb8e1d9a22d19e38d63fdb83954253f39bedc5d46232a05645685722ca37")
            .depends_on(build_dependency("c"))
            .depends_on(build_dependency("cxx"))
            .depends_on(build_dependency("dejagnu").test_only())
            .patch(patch("declare-open_temp_exec_file.patch").when("@3.4.3:3.4.4"))
            .conflicts(conflict("%apple-clang@17.0.0").when("@:3.4.6"))
    }

    /// Without DejaGnu `make check` warns and succeeds.
    fn prepare(build: &Build) -> Result {
        if build.run_tests() && build.find_tool("runtest").is_none() {
            return Err("the tests of libffi need DejaGnu, and there is no runtest".into());
        }
        Ok(())
    }

    fn configure_args(build: &Build) -> Result<Vec<String>> {
        // The machine to compile for is the compiler wrapper's business.
        let own_target = build.spec().has("@3.3:").then_some("--without-gcc-arch");
        Ok(["--with-pic"].into_iter().chain(own_target).map(str::to_owned).collect())
    }
}

recipe!(Libffi);
