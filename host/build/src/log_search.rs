//! The first real error of a log, however long that is.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use fs_err::File;
use spack_wasm_build_log::{Finding, first_error, lossy_utf8_lines, strip_escapes};

/// How much of a log is searched, from its end: what made a build fail stands there.
const SEARCHED: u64 = 4 << 20;

/// How many lines are shown of a log in which no error was found.
const LAST_LINES: usize = 10;

/// How much of a log's end they are looked for in.
const SHOWN: u64 = 64 << 10;

/// The first real error in the last part of a log. A log that can't be read has none.
pub(crate) fn search(log: &Path) -> Option<Finding> {
    search_last(log, SEARCHED).ok()?
}

/// What tools printed last in a phase; nothing when the log can't be read.
pub(crate) fn last_lines(log: &Path, package: &str, phase: &str) -> Vec<String> {
    let Ok(end) = end_of(log, SHOWN) else { return Vec::new() };
    let opening = format!("==> {package}: Executing phase: '{phase}'\n");
    let text = lossy_utf8_lines(&end);
    let of_phase = text.rsplit_once(&opening).map_or(&*text, |(_, behind)| behind);
    // What the host itself says, and how it ends the phase, is in the error already.
    let end = of_phase.rfind(&format!("==> {package}: ")).unwrap_or(of_phase.len());
    let said = of_phase[..end].lines().filter(|line| !line.starts_with("==> "));
    let said: Vec<String> =
        said.map(|line| strip_escapes(line).into_owned()).filter(|line| !line.trim().is_empty()).collect();
    said[said.len().saturating_sub(LAST_LINES)..].to_vec()
}

fn end_of(log: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let skipped = file.metadata()?.len().saturating_sub(most);
    file.seek(SeekFrom::Start(skipped))?;
    let mut end = Vec::new();
    file.take(most).read_to_end(&mut end)?;
    Ok(end)
}

fn search_last(log: &Path, most: u64) -> io::Result<Option<Finding>> {
    let file = File::open(log)?;
    let skipped = file.metadata()?.len().saturating_sub(most);
    let lines = line_breaks(file.take(skipped))?;
    let end = end_of(log, most)?;
    let finding = first_error(&lossy_utf8_lines(&end));
    Ok(finding.map(|finding| Finding { line_number: finding.line_number + lines, ..finding }))
}

fn line_breaks(text: impl Read) -> io::Result<usize> {
    let (mut text, mut buffer, mut count) = (BufReader::new(text), vec![0; 64 << 10], 0);
    loop {
        match text.read(&mut buffer)? {
            0 => return Ok(count),
            read => count += buffer[..read].iter().filter(|byte| **byte == b'\n').count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_those_of_tools_in_the_phase() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let opening = |phase| format!("==> zlib: Executing phase: '{phase}'\n");
        let edit = format!("{}edited\n", opening("edit"));
        fs_err::write(
            &log,
            format!("{edit}{}==> [now] make\nno rule\n\n==> zlib: failed\nIt wrote:\n", opening("build")),
        )
        .unwrap();
        assert_eq!(last_lines(&log, "zlib", "build"), ["no rule"]);
        let many: String = (0..12).map(|line| format!("line {line}\n")).collect();
        fs_err::write(&log, edit + &opening("build") + &many).unwrap();
        let last = last_lines(&log, "zlib", "build");
        assert_eq!((last.len(), last[0].as_str(), last[9].as_str()), (10, "line 2", "line 11"));
        assert_eq!(last_lines(&folder.path().join("none"), "zlib", "build"), [""; 0]);
    }

    #[test]
    fn the_end_of_a_long_log_is_searched_and_its_lines_keep_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let quiet = "  CC a.o\n".repeat(1000);
        fs_err::write(
            &log,
            format!("a.c:1:1: error: old\n{quiet}b.c:1:1: error: new\nmake: *** [x] Error 1\n"),
        )
        .unwrap();
        let found = search_last(&log, 1 << 20).unwrap().unwrap();
        assert_eq!((found.line_number, found.line.as_str()), (1002, "b.c:1:1: error: new"));
        let found = search_last(&log, 200).unwrap().unwrap();
        assert_eq!((found.line_number, found.line.as_str()), (1002, "b.c:1:1: error: new"));
        assert_eq!(search(&folder.path().join("none")), None);
    }
}
