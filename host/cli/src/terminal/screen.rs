//! Rows at the end of a terminal that are drawn again and again, with lines that scroll away above them.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::text::Text;

/// Goes to the first column, and clears from there to the end of the screen.
const CLEAR_BELOW: &str = "\r\x1b[J";

/// A terminal on which rows are kept. The cursor always stands in front of the first free line, so that nothing has to be
/// put right when the program ends.
#[derive(Debug)]
pub(crate) struct Screen<W> {
    writer: W,
    colors: bool,
    /// How wide each row is that is on the screen.
    drawn: Vec<usize>,
}

impl<W: Write> Screen<W> {
    /// A terminal with nothing of ours on it. `writer` passes escape sequences on, also where there are no colours: the
    /// cursor is moved by them.
    pub(crate) fn new(writer: W, colors: bool) -> Self {
        Self { writer, colors, drawn: Vec::new() }
    }

    /// Takes the rows away, prints `lines`, and draws `rows` below them. No row may be wider than `width` less one.
    ///
    /// # Errors
    /// The terminal can't be written.
    pub(crate) fn draw(&mut self, lines: &Text, rows: &[Text], width: usize) -> io::Result<()> {
        let mut output = String::new();
        let up = self.height(width);
        if up > 0 {
            output.push_str(&format!("\x1b[{up}A"));
        }
        if up > 0 || !lines.as_str().is_empty() {
            output.push_str(CLEAR_BELOW);
        }
        output.push_str(&self.shown(lines));
        for row in rows {
            output.push_str(&self.shown(row));
            output.push('\n');
        }
        self.drawn = rows.iter().map(Text::width).collect();
        self.writer.write_all(output.as_bytes())?;
        self.writer.flush()
    }

    fn shown<'a>(&self, text: &'a Text) -> Cow<'a, str> {
        if self.colors { Cow::Borrowed(text.as_str()) } else { Cow::Owned(text.unstyled()) }
    }

    /// How many lines of the screen the drawn rows take, also when it has become narrower since.
    fn height(&self, width: usize) -> usize {
        let width = width.max(1);
        self.drawn.iter().map(|columns| columns.div_ceil(width).max(1)).sum()
    }
}
