//! Text for a terminal, in which nothing that a recipe or tool wrote can play tricks.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

/// `==>` in front of a line, as Spack has it.
pub(crate) const HEADER: Style = AnsiColor::Blue.on_default().bold();
/// What went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Warnings.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Errors.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Hints and paths.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();
/// What matters less.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Titles.
pub(crate) const BOLD: Style = Style::new().bold();

/// Styled text. What is written to it loses its control characters, line breaks and tabs excepted; only
/// [`Text::styled`] adds escape sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(String);

impl Text {
    /// No text.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Text without a style.
    pub(crate) fn plain(text: &str) -> Self {
        let mut made = Self::new();
        made.push(text);
        made
    }

    /// A line that begins with `==>`.
    pub(crate) fn header(text: &str) -> Self {
        let mut made = Self::new();
        made.styled(HEADER, "==>").push(" ").push(text);
        made
    }

    /// Adds text.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.0.extend(text.chars().filter(|c| is_harmless(*c)));
        self
    }

    /// Adds text in a style.
    pub(crate) fn styled(&mut self, style: Style, text: &str) -> &mut Self {
        self.0.push_str(&style.render().to_string());
        self.push(text);
        self.0.push_str(&style.render_reset().to_string());
        self
    }

    /// Adds text that was made before.
    pub(crate) fn append(&mut self, text: &Self) -> &mut Self {
        self.0.push_str(&text.0);
        self
    }

    /// With escape sequences where there is a style.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Without escape sequences.
    pub(crate) fn unstyled(&self) -> String {
        anstream::adapter::strip_str(&self.0).to_string()
    }

    /// How many columns of a terminal it takes.
    pub(crate) fn width(&self) -> usize {
        self.unstyled().width()
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

/// Whether a character only shows: no control character but line break and tab, and none that changes the direction
/// of writing, behind which a line may show something else than it says.
fn is_harmless(c: char) -> bool {
    match c {
        '\n' | '\t' => true,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        _ => !c.is_control(),
    }
}

/// A list for a sentence: `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A number with its noun: `1 package`, `2 packages`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The names that a person may have meant by `wanted`, the nearest first, at most three.
pub(crate) fn near<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let small = wanted.to_lowercase();
    let scored = names.into_iter().map(|name| (strsim::jaro_winkler(&small, &name.to_lowercase()), name));
    let mut scored: Vec<(f64, &str)> = scored.filter(|(score, _)| *score > 0.8).collect();
    scored.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    scored.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_get_through() {
        let hostile = "a\x1b[2Jb\x07c\u{9b}31md\u{202e}e\r\nf\tg\u{7f}";
        assert_eq!(Text::plain(hostile).as_str(), "a[2Jbc31mde\nf\tg");
        let mut styled = Text::new();
        styled.styled(ERROR, "x\x1b]0;title\x07");
        assert_eq!(styled.unstyled(), "x]0;title");
    }

    #[test]
    fn sentences() {
        let words = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(listed(&words[..1]), "a");
        assert_eq!(listed(&words), "a, b and c");
        assert_eq!(counted(1, "package"), "1 package");
        assert_eq!(counted(0, "package"), "0 packages");
        assert_eq!(near("buid_jobs", ["build_jobs", "ccache"]), ["build_jobs"]);
    }
}
