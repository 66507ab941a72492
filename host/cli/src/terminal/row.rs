//! The row of one build that runs.

use std::time::{Duration, Instant};

use spack_wasm_monitor::OutputChunk;
use unicode_width::UnicodeWidthChar;

use super::progress::last_line;
use crate::text::Text;

/// How many columns of a name are shown at least.
const NAME_WIDTH: usize = 24;
/// How many columns a phase has.
const PHASE_WIDTH: usize = 12;

/// Below this width of a terminal, hash and columns would leave no room for what is going on.
const NARROW: usize = 64;

/// What is shown of a build while it runs.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    hash: String,
    label: String,
    /// What is being done: a phase of the recipe, or a step of ours.
    doing: String,
    /// Whether that is a phase.
    in_phase: bool,
    said: String,
    started: Instant,
}

impl Row {
    /// A build that starts now.
    pub(crate) fn new(hash: &str, label: &str, now: Instant) -> Self {
        let (hash, label) = (hash.to_owned(), label.to_owned());
        Self { hash, label, doing: "starting".to_owned(), in_phase: false, said: String::new(), started: now }
    }

    /// A phase of the recipe begins.
    pub(crate) fn phase(&mut self, name: &str) {
        self.step(name);
        self.in_phase = true;
    }

    /// A step of ours begins.
    pub(crate) fn step(&mut self, name: &str) {
        name.clone_into(&mut self.doing);
        self.in_phase = false;
        self.said.clear();
    }

    /// The last phase that ran, unless something else followed.
    pub(crate) fn phase_name(&self) -> Option<&str> {
        self.in_phase.then_some(self.doing.as_str())
    }

    /// There is something to be said in place of output.
    pub(crate) fn say(&mut self, text: &str) {
        text.clone_into(&mut self.said);
    }

    /// A tool wrote something.
    pub(crate) fn output(&mut self, chunk: &OutputChunk) {
        if let Some(line) = last_line(chunk) {
            self.said = line;
        }
    }

    /// The recipe says how far it is.
    pub(crate) fn progress(&mut self, done: u64, total: Option<u64>, text: &str) {
        let total = total.map(|total| format!("/{total}")).unwrap_or_default();
        self.said = format!("[{done}{total}] {text}");
    }

    /// How long it has been running.
    pub(crate) fn elapsed(&self, now: Instant) -> String {
        short(now.saturating_duration_since(self.started))
    }

    /// The row in at most `width` columns: hash where there is room, name, phase, time, last output; what does not fit is
    /// cut from the right.
    pub(crate) fn text(&self, now: Instant, width: usize) -> Text {
        let Self { hash, label, doing, .. } = self;
        let elapsed = self.elapsed(now);
        let head = if width < NARROW {
            format!("{label} {doing} {elapsed}  ")
        } else {
            format!("{hash} {label:NAME_WIDTH$} {doing:PHASE_WIDTH$} {elapsed:>6}  ")
        };
        let flat: String = (head + &self.said).replace(['\t', '\n', '\r'], " ");
        Text::plain(&cut(Text::plain(&flat).as_str(), width))
    }
}

/// `3.2s`, `45s`, `1m05s`, `2h03m`.
pub(crate) fn short(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=9 => format!("{seconds}.{}s", time.subsec_millis() / 100),
        10..=59 => format!("{seconds}s"),
        60..=3599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The first `width` columns of a line.
pub(super) fn cut(line: &str, width: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= width
    };
    line.chars().take_while(fits).collect()
}
