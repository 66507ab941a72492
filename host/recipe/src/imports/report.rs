use crate::bindings::report::{Host, Level, PartOutcome};
use crate::state::State;

/// How many failed parts of a test are remembered: all of them stand in the log.
const MOST_PARTS: usize = 100;

/// How long a message is at most, in bytes.
const LONGEST: usize = 64 << 10;
/// How long what stands beside a progress bar is at most, in bytes.
const LONGEST_PROGRESS: usize = 1 << 10;

/// The beginning of a text that is too long, with a word about the rest.
fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = text.floor_char_boundary(most);
        let rest = text.len() - end;
        text.truncate(end);
        text.push_str(&format!("... ({rest} more bytes)"));
    }
    text
}

impl Host for State {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.services.log(level == Level::Warning, &cut(message, LONGEST));
        Ok(())
    }

    fn test_part(&mut self, name: String, outcome: PartOutcome, message: String) -> wasmtime::Result<()> {
        let word = match outcome {
            PartOutcome::Passed => "PASSED",
            PartOutcome::Failed => "FAILED",
            PartOutcome::Skipped => "SKIPPED",
        };
        let why = if message.is_empty() { String::new() } else { format!(": {message}") };
        self.services.log(false, &cut(format!("{word}: {name}{why}"), LONGEST));
        if outcome == PartOutcome::Failed && self.failed_parts.len() < MOST_PARTS {
            self.failed_parts.push(cut(name, LONGEST));
        }
        Ok(())
    }

    fn progress(&mut self, done: u32, total: u32, message: String) -> wasmtime::Result<()> {
        // Without a total, nobody knows how much there is.
        let done = if total > 0 { done.min(total) } else { done };
        self.services.progress(done, total, &cut(message, LONGEST_PROGRESS));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_between_characters() {
        assert_eq!(cut("short".to_owned(), 5), "short");
        assert_eq!(cut("a\u{e9}bc".to_owned(), 2), "a... (4 more bytes)");
    }
}
