//! The first real error of a log, however long that is.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use fs_err::File;
use spack_wasm_build_log::{Finding, first_error, lossy_utf8_lines};

/// How much of a log is searched, from its end: what made a build fail stands there.
const SEARCHED: u64 = 4 << 20;

/// The first real error in the last part of a log. A log that can't be read has none.
pub(crate) fn search(log: &Path) -> Option<Finding> {
    search_last(log, SEARCHED).ok()?
}

fn search_last(log: &Path, most: u64) -> io::Result<Option<Finding>> {
    let mut file = File::open(log)?;
    let skipped = file.metadata()?.len().saturating_sub(most);
    let lines = line_breaks((&mut file).take(skipped))?;
    file.seek(SeekFrom::Start(skipped))?;
    let mut end = Vec::new();
    file.take(most).read_to_end(&mut end)?;
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
