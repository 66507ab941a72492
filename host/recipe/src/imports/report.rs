use crate::bindings::report::{Host, Level, PartOutcome};
use crate::state::State;

/// How many failed parts of a test are remembered: all of them stand in the log.
const MOST_PARTS: usize = 100;

impl Host for State {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.services.log(level == Level::Warning, &message);
        Ok(())
    }

    fn test_part(&mut self, name: String, outcome: PartOutcome, message: String) -> wasmtime::Result<()> {
        let word = match outcome {
            PartOutcome::Passed => "PASSED",
            PartOutcome::Failed => "FAILED",
            PartOutcome::Skipped => "SKIPPED",
        };
        let why = if message.is_empty() { String::new() } else { format!(": {message}") };
        self.services.log(false, &format!("{word}: {name}{why}"));
        if outcome == PartOutcome::Failed && self.failed_parts.len() < MOST_PARTS {
            self.failed_parts.push(name);
        }
        Ok(())
    }

    fn progress(&mut self, done: u32, total: u32, message: String) -> wasmtime::Result<()> {
        self.services.progress(done, total, &message);
        Ok(())
    }
}
