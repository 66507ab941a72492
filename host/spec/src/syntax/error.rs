use std::fmt;
use std::ops::Range;

/// A text is no spec. `Display` shows the text with a caret under the word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The whole text.
    pub text: String,
    /// The word in it, in bytes.
    pub span: Range<usize>,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl std::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.message, Caret { text: &self.text, span: self.span.clone() })?;
        match &self.help {
            Some(help) => write!(f, "\nhint: {help}"),
            None => Ok(()),
        }
    }
}

/// Draws a text with carets under a part of it, on two lines that are indented by four spaces.
#[derive(Clone, Debug)]
pub struct Caret<'a> {
    /// The text; line breaks are shown as spaces.
    pub text: &'a str,
    /// The part, in bytes; cut to the text, and to whole characters.
    pub span: Range<usize>,
}

impl fmt::Display for Caret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.text.replace(['\n', '\r', '\t'], " ");
        let width = |from: usize, to: usize| {
            line.char_indices().filter(|(index, _)| (from..to).contains(index)).count()
        };
        let indent = width(0, self.span.start);
        let carets = width(self.span.start, self.span.end).max(1);
        write!(f, "    {line}\n    {}{}", " ".repeat(indent), "^".repeat(carets))
    }
}
