//! How many threads a build has, as `/proc` shows them to everybody.

use std::collections::BTreeMap;

/// A process as its `stat` tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    parent: u32,
    /// 0 when it has ended and only its number is left.
    threads: usize,
}

/// The number of threads below the helper's own processes: `launcher`, and its child, the executor. `None` where `/proc`
/// does not show them.
///
/// Processes that start or end meanwhile may be counted or not.
pub(crate) fn threads_below(launcher: u32) -> Option<usize> {
    let processes = processes();
    processes.contains_key(&launcher).then(|| count(&processes, launcher))
}

fn processes() -> BTreeMap<u32, Process> {
    let Ok(entries) = fs_err::read_dir("/proc") else { return BTreeMap::new() };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let read = |pid: u32| Some((pid, parse(&fs_err::read(format!("/proc/{pid}/stat")).ok()?)?));
    numbers.filter_map(read).collect()
}

/// The second field, the name, may hold anything, parentheses and bytes that are no text included.
fn parse(stat: &[u8]) -> Option<Process> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let text = str::from_utf8(&stat[end + 1..]).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    // The 20th of all, where the parent is the 4th.
    let threads = fields.nth(15)?.parse().ok()?;
    Some(Process { parent, threads: if matches!(state, "Z" | "X") { 0 } else { threads } })
}

fn count(processes: &BTreeMap<u32, Process>, launcher: u32) -> usize {
    let below = |above: &[u32]| -> Vec<u32> {
        processes.iter().filter(|(_, process)| above.contains(&process.parent)).map(|(pid, _)| *pid).collect()
    };
    let mut generation = below(&[launcher]);
    let mut threads = 0;
    while !generation.is_empty() {
        threads += generation.iter().map(|pid| processes[pid].threads).sum::<usize>();
        generation = below(&generation);
    }
    // The executor's one. Where there is no process namespace, orphans are the launcher's children, too.
    threads.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_be_called_anything() {
        let stat = b"12 (a) R 1 (\xff) S 7 12 12 0 -1 0 0 0 0 0 1 2 3 4 20 0 5 0 99 0";
        assert_eq!(parse(stat), Some(Process { parent: 7, threads: 5 }));
        assert_eq!(
            parse(b"12 (a) Z 7 12 12 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0"),
            Some(Process { parent: 7, threads: 0 })
        );
        assert_eq!(parse(b"nonsense"), None);
    }

    #[test]
    fn the_helpers_own_processes_do_not_count() {
        let process = |pid, parent, threads| (pid, Process { parent, threads });
        let all = [
            process(1, 0, 1),
            process(10, 1, 1),
            process(11, 10, 1),
            process(12, 11, 1),
            process(13, 12, 4),
            process(14, 12, 0),
            process(15, 10, 2),
            process(20, 1, 9),
        ];
        assert_eq!(count(&all.into(), 10), 7);
        assert_eq!(count(&all.into(), 99), 0);
    }
}
