use crate::ToolRequest;
use crate::bindings::tools::{Capture, Host, Request};
use crate::state::State;
use crate::types::{Command, ToolError, ToolOutcome};

/// The longest command line that is passed on, in bytes; the kernel's own limit is of this order.
const LONGEST: usize = 2 << 20;

impl Host for State {
    fn run(&mut self, request: Request) -> wasmtime::Result<Result<ToolOutcome, ToolError>> {
        if let Err(reason) = check(&request.command) {
            return Ok(Err(ToolError::Invalid(reason)));
        }
        let request = ToolRequest {
            command: request.command,
            input: request.input,
            capture_output: request.capture != Capture::Nothing,
            capture_error: request.capture == Capture::Both,
            accept_failure: request.accept_failure,
        };
        Ok(self.serve(|services| services.run(request)))
    }

    fn find(&mut self, program: String) -> wasmtime::Result<Option<String>> {
        Ok(self.serve(|services| services.find(&program)))
    }
}

fn check(command: &Command) -> Result<(), String> {
    if command.program.is_empty() {
        return Err("the program's name is empty".to_owned());
    }
    let changes = command.environment.iter().flat_map(|change| [&change.name, &change.value]);
    let texts =
        [&command.program].into_iter().chain(&command.arguments).chain(&command.directory).chain(changes);
    let mut length = 0;
    for text in texts {
        if text.contains('\0') {
            return Err(format!("'{}' has a NUL character in it", text.escape_debug()));
        }
        length += text.len() + 1;
    }
    if let Some(change) = command.environment.iter().find(|change| !is_variable_name(&change.name)) {
        return Err(format!("'{}' is not the name of an environment variable", change.name.escape_debug()));
    }
    if length > LONGEST {
        return Err(format!("its command line has {length} bytes, and {LONGEST} are the most"));
    }
    Ok(())
}

/// Whether a text can name an environment variable, also in a shell: letters, digits and underscores, no digit first.
pub fn is_variable_name(name: &str) -> bool {
    let mut characters = name.chars();
    let first = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    first && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
}
