use std::ops::Range;

use super::ParseError;

/// A place in a text that moves forward.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn at_end(&self) -> bool {
        self.position == self.text.len()
    }

    /// Whether white space, or nothing, stands before the cursor.
    pub(super) fn after_space(&self) -> bool {
        self.text[..self.position].chars().next_back().is_none_or(char::is_whitespace)
    }

    pub(super) fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    pub(super) fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.position += length;
        &rest[..length]
    }

    pub(super) fn take_if(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.position += prefix.len();
        }
        found
    }

    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>) -> ParseError {
        ParseError { text: self.text.to_owned(), span, message: message.into(), help: None }
    }

    /// An error at the word that begins here.
    pub(super) fn error_here(&self, message: impl Into<String>) -> ParseError {
        let length = self.peek().map_or(0, char::len_utf8);
        self.error(self.position..self.position + length, message)
    }
}

/// A character of a name, except the dot between namespace and name.
pub(super) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// Whether a name can begin with it.
pub(super) fn begins_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A character of a value that is not quoted.
pub(super) fn is_value(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-+*.,:=%^~/\\".contains(c)
}
