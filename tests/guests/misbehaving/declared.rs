//! What it declares besides: as the file `files/declares` beside it says.

use spack_wasm_sdk::bindings::spack_wasm::recipe::context;
use spack_wasm_sdk::prelude::*;

const DIGEST: &str = "b3a24de97a8fdbc835b9833169501030b8977031bcb54b3b3ac13740f846ab30";

pub(crate) fn more(package: Package) -> Package {
    let what = context::recipe_folder()
        .and_then(|folder| fs_err::read_to_string(format!("{folder}/files/declares")).ok())
        .unwrap_or_default();
    match what.trim() {
        "no-url" => package.version(version("1.0").sha256(DIGEST)),
        "two-versions" => package.versions(["1.0", "1.1", "1.0"].map(version)),
        what => mistaken(what, package.version(version("1.0"))),
    }
}

fn mistaken(what: &str, package: Package) -> Package {
    match what {
        "wrong-spec" => package.depends_on(dependency("zlib@@1")),
        "wrong-condition" => package.conflicts(conflict("act=panic").when("@1.0 +")),
        "unknown-variant" => package.depends_on(dependency("zlib-api").when("@1: +shraed")),
        "short-checksum" => package.version(version("1.1").sha256("abc")),
        "wrong-default" => package.variant(choice("color", "red", &["blue", "green"], "What it looks like")),
        "wrong-phase" => package.build_system(build_system(("makefile", &["edit", "buld"]))),
        "no-patch" => package.patch(patch("fix.patch")),
        "choices" => package
            .variant(predicate("count", "2", "An even number"))
            .variant(choice("fabrics", "ucx", &["ucx", "ofi", "tcp"], "Networks").multiple().validated()),
        "tests" => package
            .listing("https://example.org/releases")
            .stand_alone_test(stand_alone_test("test_done", "ensure that it is done")),
        _ => package,
    }
}
