//! The table, and how its figures come about.

use std::fmt;
use std::time::{Duration, Instant};

/// How often each thing is measured.
pub(crate) const RUNS: usize = 5;

/// One measured thing.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) ours: Figure,
    /// Who does the same, and how.
    pub(crate) peer: Option<(String, Figure)>,
    /// What we want to keep to.
    pub(crate) goal: &'static str,
}

/// A figure with its unit.
#[derive(Clone, Copy)]
pub(crate) enum Figure {
    Time(Duration),
    /// In KiB.
    Memory(u64),
}

pub(crate) fn heading() -> String {
    format!("{:<44} {:>10} {:>10} {:>7}  {:<40} goal", "what", "ours", "peer", "ratio", "the peer")
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ours = self.ours.to_string();
        let (name, figure, ratio) = match &self.peer {
            Some((name, figure)) => {
                (name.as_str(), figure.to_string(), format!("{:.2}", self.ours.ratio(*figure)))
            }
            None => ("-", "-".to_owned(), "-".to_owned()),
        };
        write!(formatter, "{:<44} {ours:>10} {figure:>10} {ratio:>7}  {name:<40} {}", self.what, self.goal)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Figure::Time(time) if *time >= Duration::from_secs(1) => {
                write!(formatter, "{:.2} s", time.as_secs_f64())
            }
            Figure::Time(time) => write!(formatter, "{:.2} ms", time.as_secs_f64() * 1e3),
            Figure::Memory(kib) => write!(formatter, "{:.1} MiB", kib_as_mib(*kib)),
        }
    }
}

impl Figure {
    fn ratio(self, peer: Figure) -> f64 {
        match (self, peer) {
            (Figure::Time(ours), Figure::Time(peer)) => ours.as_secs_f64() / peer.as_secs_f64(),
            (Figure::Memory(ours), Figure::Memory(peer)) => kib_as_mib(ours) / kib_as_mib(peer),
            _ => f64::NAN,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of processes are far below 2^53")]
fn kib_as_mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// The medians of two things, measured in turn.
pub(crate) fn medians(runs: usize, mut ours: impl FnMut(), mut peer: impl FnMut()) -> (Figure, Figure) {
    let times: Vec<_> = (0..runs).map(|_| (time(&mut ours), time(&mut peer))).collect();
    let (ours, peer): (Vec<_>, Vec<_>) = times.into_iter().unzip();
    (Figure::Time(middle(ours)), Figure::Time(middle(peer)))
}

/// The median of one thing.
pub(crate) fn median(runs: usize, mut ours: impl FnMut()) -> Figure {
    Figure::Time(middle((0..runs).map(|_| time(&mut ours)).collect()))
}

pub(crate) fn time(run: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// The upper one of the two middle values of an even number.
pub(crate) fn middle<T: Ord>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    let middle = values.len() / 2;
    values.swap_remove(middle)
}
