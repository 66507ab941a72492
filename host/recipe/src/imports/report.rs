use crate::bindings::report::{Host, Level};
use crate::state::State;

impl Host for State {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.services.log(level == Level::Warning, &message);
        Ok(())
    }

    fn progress(&mut self, done: u32, total: u32, message: String) -> wasmtime::Result<()> {
        self.services.progress(done, total, &message);
        Ok(())
    }
}
