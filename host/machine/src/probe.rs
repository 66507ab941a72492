//! Asks one program a question: no input, a small environment, and not for ever.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// The most that is read of an answer, in bytes; versions stand at its beginning.
const ANSWER_LIMIT: u64 = 16 * 1024;

/// What came of a question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The program's output and error output, as they came.
    Said(String),
    /// The program failed, or could not be started.
    Failed,
    /// The program did not answer in time; another time it may.
    TimedOut,
}

/// Runs `program` with `arguments` and waits for its answer, `limit` at most.
pub(crate) fn ask(program: &Path, arguments: &[&str], limit: Duration) -> Answer {
    match start_when_written(program, arguments) {
        Ok((child, output)) => listen(child, output, limit),
        Err(_) => Answer::Failed,
    }
}

/// A file that somebody has open for writing cannot be started: an installer at work, or a process that another
/// thread is just starting and that has not closed what it inherited. Both are over soon.
fn start_when_written(program: &Path, arguments: &[&str]) -> io::Result<(Child, io::PipeReader)> {
    let mut waits = (0..5).map(|wait| Duration::from_millis(1 << (2 * wait)));
    loop {
        match (start(program, arguments), waits.next()) {
            (Err(error), Some(wait)) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                thread::sleep(wait);
            }
            (result, _) => return result,
        }
    }
}

fn start(program: &Path, arguments: &[&str]) -> io::Result<(Child, io::PipeReader)> {
    let (output, input) = io::pipe()?;
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C"), ("HOME", "/nonexistent")])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(input.try_clone()?)
        .stderr(input)
        .process_group(0)
        .spawn()?;
    Ok((child, output))
}

fn listen(mut child: Child, output: io::PipeReader, limit: Duration) -> Answer {
    let (send, answered) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = output.take(ANSWER_LIMIT).read_to_end(&mut bytes);
        // Nobody listens any more once the time is over.
        let _ = send.send(read.map(|_| bytes));
    });
    let answer = answered.recv_timeout(limit);
    if answer.is_err() {
        end_group(&child);
    }
    let status = child.wait();
    // The reader ends with the last process of the group, and does not panic.
    let _ = reader.join();
    match (answer, status) {
        (Err(_), _) => Answer::TimedOut,
        (Ok(Ok(bytes)), Ok(status)) if status.success() => {
            Answer::Said(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => Answer::Failed,
    }
}

/// Ends the program and what it started, which would hold its output open.
fn end_group(child: &Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself in the meantime.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const SHELL: &str = "/bin/sh";

    fn shell(script: &str, limit: Duration) -> Answer {
        ask(Path::new(SHELL), &["-c", script], limit)
    }

    #[test]
    fn both_outputs_are_heard() {
        let answer = shell("echo one; echo two >&2; cat", Duration::from_secs(20));
        assert_eq!(answer, Answer::Said("one\ntwo\n".to_owned()));
    }

    #[test]
    fn the_environment_is_small() {
        let Answer::Said(text) = shell("env", Duration::from_secs(20)) else { panic!("no answer") };
        let mut names: Vec<_> = text.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        names.sort_unstable();
        assert_eq!(names, ["HOME", "LC_ALL", "PATH", "PWD"]);
    }

    #[test]
    fn failures_are_no_answers() {
        assert_eq!(shell("echo 1.0; exit 3", Duration::from_secs(20)), Answer::Failed);
        assert_eq!(ask(Path::new("/nonexistent"), &[], Duration::from_secs(20)), Answer::Failed);
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_its_children() {
        let begin = Instant::now();
        assert_eq!(shell("sleep 60 & sleep 60", Duration::from_millis(50)), Answer::TimedOut);
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
}
