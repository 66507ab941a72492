//! GNU Readline, linked against the wide-character ncurses.

mod patches;

use spack_wasm_sdk::prelude::*;

struct Readline;

impl Recipe for Readline {
    fn describe() -> Package {
        package("readline", "Functions for programs that let users edit command lines as they are typed in.")
            .homepage("https://tiswww.case.edu/php/chet/readline/rltop.html")
            .url("https://ftpmirror.gnu.org/readline/readline-8.0.tar.gz")
            .url("https://ftp.gnu.org/gnu/readline/readline-8.0.tar.gz")
            .license("GPL-3.0-or-later")
            .build_system(AUTOTOOLS)
            .release("8.3", "fe5383204467828cd495ee8d1d3c037a7eba1389c22bc6a041f627976f9061cc")
            .preferred_release("8.2", "3feb7171f16a84ee82ca18a36d7b9be109a52c04f492a053331d7d1095007c35")
            .release("8.1", "f8ceb4ee131e3232226a17f51b164afc46cd0b9e6cef344be87c65962cb82b02")
            .release("8.0", "e339f51971478d369f8a053a330a190781acb9864cf4c541060f12078948e461")
            .release("7.0", "750d437185286f40a369e1e4f4764eda932b9459b5ec9a731628393dd3d32334")
            .release("6.3", "56ba6071b9462f980c5a72ab0023893b65ba6debb4eeb475d7a563dc65cafd43")
            .depends_on(build_dependency("c"))
            .depends_on(dependency("ncurses"))
            .patches(patches::declared())
    }

    /// The test for a broken `wcwidth` needs a locale that few machines have, and says yes without it.
    fn configure_args(_build: &Build) -> Result<Vec<String>> {
        Ok(vec!["bash_cv_wcwidth_broken=no".to_owned()])
    }

    /// configure leaves it to the program to link the terminal library.
    fn build_targets(build: &Build) -> Result<Vec<String>> {
        let ncurses = build.spec().dependency("ncurses")?.libraries_of(&["wide"])?;
        Ok(vec![format!("SHLIB_LIBS={}", ncurses.ld_flags())])
    }
}

recipe!(Readline);
