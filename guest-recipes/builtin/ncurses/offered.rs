//! What dependents get: both kinds of libraries, or one of them.

use spack_wasm_sdk::prelude::*;

/// Which of the two builds somebody asks for: `wide`, `nowide`, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flavours {
    wide: bool,
    nowide: bool,
}

impl Flavours {
    pub(crate) fn of(query: &[String]) -> Result<Self> {
        let known = |word: &&String| matches!(word.as_str(), "wide" | "nowide");
        if let Some(word) = query.iter().find(|word| !known(word)) {
            return Err(
                format!("ncurses offers nothing that is called '{word}'; it offers wide, nowide").into()
            );
        }
        let asked = |wanted| query.iter().any(|word| word == wanted);
        Ok(Self { wide: asked("wide"), nowide: asked("nowide") })
    }
}

pub(crate) fn libraries(flavours: Flavours, termlib: bool) -> Vec<String> {
    let both = flavours.wide == flavours.nowide;
    let names = ["libncurses"].into_iter().chain(termlib.then_some("libtinfo"));
    let nowide = names.clone().filter(|_| both || flavours.nowide).map(str::to_owned);
    let wide = names.filter(|_| both || flavours.wide).map(|name| format!("{name}w"));
    nowide.chain(wide).collect()
}

/// Folders below `include`; without a wish the folder itself, where links lead to the wide ones.
pub(crate) fn header_folders(flavours: Flavours) -> Vec<&'static str> {
    let Flavours { wide, nowide } = flavours;
    let all = [(!wide && !nowide, ""), (nowide, "ncurses"), (wide, "ncursesw")];
    all.into_iter().filter(|(wanted, _)| *wanted).map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &[&str]) -> Flavours {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        Flavours::of(&words).unwrap()
    }

    #[test]
    fn dependents_get_what_they_ask_for() {
        assert_eq!(libraries(asked(&["wide"]), true), ["libncursesw", "libtinfow"]);
        assert_eq!(libraries(asked(&["nowide"]), false), ["libncurses"]);
        assert_eq!(libraries(asked(&[]), true), ["libncurses", "libtinfo", "libncursesw", "libtinfow"]);
        assert_eq!(libraries(asked(&["wide", "nowide"]), false), ["libncurses", "libncursesw"]);
    }

    #[test]
    fn the_plain_headers_are_the_wide_ones() {
        assert_eq!(header_folders(asked(&[])), [""]);
        assert_eq!(header_folders(asked(&["wide", "nowide"])), ["ncurses", "ncursesw"]);
    }

    #[test]
    fn another_word_is_refused() {
        assert!(Flavours::of(&["narrow".to_owned()]).is_err());
    }
}
