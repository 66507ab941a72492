//! What events mean to a person.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use spack_wasm_build_log::strip_escapes;
use spack_wasm_monitor::{
    BuildEnd, CancelCause, Certainty, Event, EventKind, OutputChunk, PlanAction, PlanStep, Stream,
};
use spack_wasm_spec::{Dag, DagHash, Node};

use super::row::Row;
use crate::render::tree::{HashLength, Status, tree};
use crate::text::{DIM, ERROR, GOOD, HINT, Text, counted};
use crate::ui::warning;

/// A line that stays on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its text, with its line break.
    pub(crate) text: Text,
    /// Whether a row that changes shows the same for as long as it is true.
    pub(crate) in_row: bool,
}

/// Follows a run.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    dag: Option<Arc<Dag>>,
    rows: BTreeMap<DagHash, Row>,
    /// In the order in which builds started.
    order: Vec<DagHash>,
    to_build: usize,
    done: usize,
}

impl Progress {
    /// The DAG whose hashes the events use.
    pub(crate) fn concretized(&mut self, dag: &Arc<Dag>) {
        self.dag = Some(Arc::clone(dag));
    }

    /// Takes an event that happened `now`, and gives the lines that it is worth.
    pub(crate) fn accept(&mut self, event: &Event, now: Instant) -> Vec<Line> {
        match (&event.node, &event.kind) {
            (_, EventKind::Warning { message }) => vec![stays(warning(message))],
            (_, EventKind::Plan { steps }) => vec![stays(self.plan(steps))],
            (Some(node), kind) => self.of_node(node, kind, now),
            (None, _) => Vec::new(),
        }
    }

    /// The rows of the builds that run, in the order in which they started.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.order.iter().filter_map(|hash| self.rows.get(hash))
    }

    /// How many builds have ended, and how many there are.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.done, self.to_build)
    }

    fn of_node(&mut self, hash: &DagHash, kind: &EventKind, now: Instant) -> Vec<Line> {
        match kind {
            EventKind::BuildStarted => self.started(hash, now),
            EventKind::PhaseStarted { phase } => {
                self.row(hash, |row| row.phase(phase));
                vec![told(self.named(hash, &format!("Executing phase: '{phase}'")))]
            }
            EventKind::FetchStarted { origin } => {
                self.row(hash, |row| row.step("fetch"));
                vec![told(self.named(hash, &format!("Fetching {origin}")))]
            }
            EventKind::FetchProgress { bytes, total } => {
                self.row(hash, |row| row.say(&downloaded(*bytes, *total)));
                Vec::new()
            }
            EventKind::SourceFailed { origin, reason, next } => {
                let next = next.as_ref().map(|next| format!("; trying {next}")).unwrap_or_default();
                vec![stays(self.named(hash, &format!("{origin}: {reason}{next}")))]
            }
            EventKind::Output(chunk) => {
                self.row(hash, |row| row.output(chunk));
                said_by_host(chunk)
            }
            EventKind::Progress { done, total, text } => {
                self.row(hash, |row| row.progress(*done, *total, text));
                Vec::new()
            }
            EventKind::Refusal { path, certainty, setting, .. } => {
                let sure = if *certainty == Certainty::Certain { "" } else { "probably " };
                let mut text = format!("{sure}refused by the sandbox: {}", path.display());
                if !setting.is_empty() {
                    text += &format!(" (allowed by {setting})");
                }
                vec![stays(self.named(hash, &text))]
            }
            EventKind::BuildEnded(end) => self.ended(hash, end, now),
            _ => Vec::new(),
        }
    }

    fn started(&mut self, hash: &DagHash, now: Instant) -> Vec<Line> {
        let label = self.node(hash).map_or_else(|| hash.to_string(), |node| node.name_version());
        self.rows.insert(hash.clone(), Row::new(hash.short(), &label, now));
        self.order.push(hash.clone());
        let number = self.done + self.rows.len();
        let text = format!("Installing {} [{number}/{}]", self.directory(hash), self.to_build.max(number));
        let mut text = Text::header(&text);
        text.push("\n");
        vec![told(text)]
    }

    fn ended(&mut self, hash: &DagHash, end: &BuildEnd, now: Instant) -> Vec<Line> {
        let row = self.rows.remove(hash);
        self.order.retain(|known| known != hash);
        self.done += 1;
        let label = self.node(hash).map_or_else(|| hash.to_string(), |node| node.name_version());
        let elapsed = row.as_ref().map(|row| row.elapsed(now)).unwrap_or_default();
        let mut text = Text::new();
        match end {
            BuildEnd::Installed { prefix } | BuildEnd::AlreadyInstalled { prefix } => {
                let waited = matches!(end, BuildEnd::AlreadyInstalled { .. });
                text.styled(GOOD, "[+]").push(" ").styled(HINT, &prefix.display().to_string());
                text.styled(DIM, if waited { " (by another process)" } else { "" });
            }
            BuildEnd::Failed { .. } => {
                let phase = row.as_ref().and_then(Row::phase_name);
                let phase = phase.map(|phase| format!(" in phase '{phase}'")).unwrap_or_default();
                text.styled(ERROR, "[x]").push(&format!(" {label} failed{phase}"));
            }
            BuildEnd::Cancelled(cause) => {
                text.styled(DIM, "[-]").push(&format!(" {label} not built: {}", self.cause(cause)));
            }
        }
        text.styled(DIM, &if elapsed.is_empty() { elapsed } else { format!("  ({elapsed})") }).push("\n");
        vec![stays(text)]
    }

    fn cause(&self, cause: &CancelCause) -> String {
        let label =
            |hash: &DagHash| self.node(hash).map_or_else(|| hash.to_string(), |node| node.name_version());
        match cause {
            CancelCause::DependencyFailed { dependency } => format!("{} failed", label(dependency)),
            CancelCause::FailFast { failed } => format!("{} failed, and --fail-fast is given", label(failed)),
            CancelCause::Interrupted => "interrupted".to_owned(),
            CancelCause::Monitor => "the monitor failed".to_owned(),
            CancelCause::Declined => "not wanted".to_owned(),
        }
    }

    fn plan(&mut self, steps: &[PlanStep]) -> Text {
        let count = |action| steps.iter().filter(|step| step.action == action).count();
        self.to_build = count(PlanAction::Build);
        let mut text = Text::new();
        let Some(dag) = &self.dag else { return text };
        let actions: BTreeMap<&DagHash, PlanAction> =
            steps.iter().map(|step| (&step.hash, step.action)).collect();
        let status = |node: &Node| match actions.get(&node.hash) {
            Some(PlanAction::Build) => Status::Absent,
            Some(PlanAction::External) => Status::External,
            Some(PlanAction::Installed) => Status::Installed,
            None if node.is_external() => Status::External,
            None => Status::Unneeded,
        };
        for root in dag.roots() {
            text.append(&tree(dag, root, HashLength::Short, &status));
        }
        let summary = format!(
            "Plan: {} to build, {} installed already, {} of the system",
            counted(self.to_build, "package"),
            count(PlanAction::Installed),
            count(PlanAction::External)
        );
        text.append(Text::header(&summary).push("\n"));
        text
    }

    fn row(&mut self, hash: &DagHash, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.rows.get_mut(hash) {
            change(row);
        }
    }

    fn node(&self, hash: &DagHash) -> Option<&Arc<Node>> {
        self.dag.as_ref()?.get(hash)
    }

    /// `==> zlib: ...`.
    fn named(&self, hash: &DagHash, what: &str) -> Text {
        let name = self.node(hash).map_or(hash.short(), |node| node.name());
        let mut text = Text::header(&format!("{name}: {what}"));
        text.push("\n");
        text
    }

    /// The last part of the prefix, by which Spack names a package that is installed.
    fn directory(&self, hash: &DagHash) -> String {
        let named = |node: &Arc<Node>| format!("{}-{}-{hash}", node.name(), node.facts.version);
        self.node(hash).map_or_else(|| hash.to_string(), named)
    }
}

fn stays(text: Text) -> Line {
    Line { text, in_row: false }
}

fn told(text: Text) -> Line {
    Line { text, in_row: true }
}

/// What the host itself says of a build outside of its phases, for example whom it waits for.
fn said_by_host(chunk: &OutputChunk) -> Vec<Line> {
    if chunk.stream != Stream::Host || chunk.phase.is_some() {
        return Vec::new();
    }
    let lines = chunk.text.lines().filter_map(|line| line.strip_prefix("==> "));
    lines.map(|line| told(Text::header(&format!("{line}\n")))).collect()
}

/// `12.3 MB of 20.0 MB`.
fn downloaded(bytes: u64, total: Option<u64>) -> String {
    let megabytes = |bytes: u64| format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000);
    match total {
        Some(total) => format!("{} of {}", megabytes(bytes), megabytes(total)),
        None => megabytes(bytes),
    }
}

/// The last line in a piece of output that says something.
pub(super) fn last_line(chunk: &OutputChunk) -> Option<String> {
    let lines = chunk.text.lines().rev().map(|line| strip_escapes(line).trim().to_owned());
    lines.into_iter().find(|line| !line.is_empty())
}
