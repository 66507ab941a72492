//! The only place that prints.

use std::io::{self, BufRead, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use crate::error::CommandError;
use crate::text::{Text, WARNING};

/// The size of a terminal that does not tell its own: columns and lines.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// The user's terminal, or whatever stands in its place: data to the standard output, everything else to the standard
/// error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ui {
    color: ColorChoice,
    debug: bool,
}

impl Ui {
    /// A terminal; `debug` shows what [`Ui::debug`] is told.
    pub(crate) fn new(color: ColorChoice, debug: bool) -> Self {
        Self { color, debug }
    }

    /// The standard output, with colours or without them.
    pub(crate) fn stdout(&self) -> AutoStream<io::Stdout> {
        AutoStream::new(io::stdout(), self.color)
    }

    /// The standard error, with colours or without them.
    pub(crate) fn stderr(&self) -> AutoStream<io::Stderr> {
        AutoStream::new(io::stderr(), self.color)
    }

    /// Prints data.
    pub(crate) fn print(&self, text: &Text) {
        self.print_bytes(text.as_str().as_bytes());
    }

    /// Prints data as it is.
    pub(crate) fn print_bytes(&self, bytes: &[u8]) {
        let mut stdout = self.stdout();
        // A reader that has gone, such as `head`, wants no more.
        let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
    }

    /// Prints data as JSON.
    pub(crate) fn print_json(&self, value: &impl Serialize) -> Result<(), CommandError> {
        let mut text = serde_json::to_string_pretty(value)
            .map_err(|error| CommandError::caused("the result can't be written as JSON", &error))?;
        text.push('\n');
        self.print_bytes(text.as_bytes());
        Ok(())
    }

    /// Says something that is no data.
    pub(crate) fn say(&self, text: &Text) {
        self.say_bytes(text.as_str().as_bytes());
    }

    /// Says something of our own that is no data, as it is.
    pub(crate) fn say_bytes(&self, bytes: &[u8]) {
        let mut stderr = self.stderr();
        let _ = stderr.write_all(bytes).and_then(|()| stderr.flush());
    }

    /// Says what is being done, or was.
    pub(crate) fn status(&self, message: &str) {
        let mut text = Text::header(message);
        self.say(text.push("\n"));
    }

    /// Says what the user may want to change.
    pub(crate) fn warn(&self, message: &str) {
        self.say(&warning(message));
    }

    /// Says what helps to find a mistake; only with `--debug`.
    pub(crate) fn debug(&self, message: impl FnOnce() -> String) {
        if self.debug {
            self.status(&format!("[debug] {}", message()));
        }
    }

    /// Says why the command failed.
    pub(crate) fn error(&self, error: &CommandError) {
        self.say(&error.text());
    }

    /// Whether data goes to a terminal.
    pub(crate) fn stdout_is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether data is shown in colours.
    pub(crate) fn stdout_has_colors(&self) -> bool {
        match self.color {
            ColorChoice::Auto => AutoStream::choice(&io::stdout()) != ColorChoice::Never,
            chosen => chosen != ColorChoice::Never,
        }
    }

    /// How many columns the terminal has that data goes to; `None` where it goes elsewhere.
    pub(crate) fn columns(&self) -> Option<usize> {
        self.stdout_is_terminal().then(|| terminal_size().0)
    }

    /// Asks a question that is answered by yes or no; no is the default. `None` where there is nobody to ask.
    pub(crate) fn confirm(&self, question: &str) -> Option<bool> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        let mut text = Text::header(question);
        self.say(text.push(" [y/N] "));
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

/// Columns and lines of the terminal at the standard output.
pub(crate) fn terminal_size() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or(USUAL_SIZE, |size| (usize::from(size.ws_col), usize::from(size.ws_row)))
}

/// A warning, as it is shown everywhere.
pub(crate) fn warning(message: &str) -> Text {
    let mut text = Text::new();
    text.styled(WARNING, "==> Warning:").push(" ").push(message).push("\n");
    text
}
