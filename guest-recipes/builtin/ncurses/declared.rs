//! What the package is, with Spack's names.
//!
//! Of Spack's declarations are left out: 5.9 and 6.0, which Spack patches for today's compilers; its patches for nvhpc. The
//! build dependency on pkg-config holds for the releases that write no `.pc` files without the program.

use spack_wasm_sdk::prelude::*;

const DESCRIPTION: &str = "A free emulation of the curses of System V Release 4.0, and more.
It uses the terminfo format, has colour, pads, multiple highlights, forms and function keys.";

pub(crate) fn ncurses() -> Package {
    package("ncurses", DESCRIPTION)
        .homepage("https://invisible-island.net/ncurses/ncurses.html")
        .url("https://ftpmirror.gnu.org/ncurses/ncurses-6.1.tar.gz")
        .url("https://ftp.gnu.org/gnu/ncurses/ncurses-6.1.tar.gz")
        .license("X11")
        .build_system(AUTOTOOLS)
        .detection(detected_by(&[r"^ncursesw?(?:\d+(?:\.\d+)*)?-config$"]).asked_with(&["--version"]))
        .release("6.6", "355b4cbbed880b0381a04c46617b7656e362585d52e9cf84a67e2009b749ff11")
        .version(version("6.5-20250705").sha256_at(
            "73f6c22db6c3fcac562e7b35aebf7d4cbb253ea30ba2ee465ab84d7d1b5cefc1",
            "https://invisible-mirror.net/archives/ncurses/current/ncurses-6.5-20250705.tgz",
        ))
        .release("6.5", "136d91bc269a9a5785e5f9e980bc76ab57428f604ce3e5a5a90cebc767971cc6")
        .preferred_release("6.4", "6931283d9ac87c5073f30b6290c4c75f21632bb4fc3603ac8100812bed248159")
        .release("6.3", "97fc51ac2b085d4cde31ef4d2c3122c21abc217e9090a43a30fc5ec21684e059")
        .release("6.2", "30306e0c76e0f9f1f0de987cf1c82a5c21e1ce6568b9227f7da5b71cbea86c9d")
        .release("6.1", "aa057eeeb4a14d470101eff4597d5833dcef5965331be3528c08d99cebaa0d17")
        .variant(boolean("symlinks", false, "Enables symlinks. Needed on AFS filesystem."))
        .variant(boolean(
            "termlib",
            true,
            "Enables termlib features. This is an extra lib and optional internal dependency.",
        ))
        .variant(choice("abi", "none", &["none", "5", "6"], "choose abi compatibility"))
        .depends_on(build_dependency("c"))
        .depends_on(build_dependency("cxx"))
        .depends_on(build_dependency("pkgconfig").when("@:6.3"))
        .patch(patch("rxvt-unicode.patch").when("@6.1:"))
        .conflicts(conflict("%nvhpc").when("@:6.2").message("Spack patches its makefiles for nvhpc"))
}
