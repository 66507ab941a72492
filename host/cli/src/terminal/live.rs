//! Rows on a terminal.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use spack_wasm_monitor::{Event, EventKind, Sink, SinkError};
use spack_wasm_spec::Dag;

use super::Progress;
use super::screen::Screen;
use crate::text::{DIM, Text};
use crate::ui::terminal_size;

/// How often the rows are drawn at most.
const INTERVAL: Duration = Duration::from_millis(100);

/// Draws a row a build that runs, and the lines that stay above them.
#[derive(Debug)]
pub(crate) struct LiveSink<W> {
    display: Arc<Mutex<Display<W>>>,
    stop: mpsc::Sender<()>,
    ticker: JoinHandle<()>,
}

#[derive(Debug)]
struct Display<W> {
    progress: Progress,
    screen: Screen<W>,
    /// Lines that are not printed yet.
    lines: Text,
}

impl<W: Write + Send + 'static> LiveSink<W> {
    /// Draws on the terminal behind `writer`, with colours or without them.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(writer: W, colors: bool) -> std::io::Result<Self> {
        let screen = Screen::new(writer, colors);
        let display = Display { progress: Progress::default(), screen, lines: Text::new() };
        let display = Arc::new(Mutex::new(display));
        let (stop, stopped) = mpsc::channel();
        let shared = Arc::clone(&display);
        let ticker = thread::Builder::new().name("terminal".into()).spawn(move || tick(&shared, &stopped))?;
        Ok(Self { display, stop, ticker })
    }
}

/// Draws until the sink ends.
fn tick<W: Write>(display: &Mutex<Display<W>>, stopped: &mpsc::Receiver<()>) {
    while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(INTERVAL) {
        lock(display).draw(Instant::now(), terminal_size());
    }
}

fn lock<W>(display: &Mutex<Display<W>>) -> MutexGuard<'_, Display<W>> {
    display.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: Write> Display<W> {
    fn draw(&mut self, now: Instant, (columns, lines): (usize, usize)) {
        let width = columns.saturating_sub(1);
        // The last line of the screen stays free for the cursor, and one for the summary.
        let space = lines.saturating_sub(2);
        let mut rows: Vec<Text> = self.progress.rows().take(space).map(|row| row.text(now, width)).collect();
        if !rows.is_empty() && space > rows.len() {
            rows.push(self.summary(rows.len(), width));
        }
        let lines = std::mem::take(&mut self.lines);
        // A terminal that has gone wants no more, and the builds go on without it.
        let _ = self.screen.draw(&lines, &rows, columns);
    }

    fn summary(&self, shown: usize, width: usize) -> Text {
        let (done, total) = self.progress.count();
        let hidden = self.progress.rows().count().saturating_sub(shown);
        let more = if hidden > 0 { format!(", {hidden} more running") } else { String::new() };
        let mut text = Text::new();
        text.styled(DIM, &super::row::cut(&format!("{done} of {total} done{more}"), width));
        text
    }
}

impl<W: Write + Send + 'static> Sink for LiveSink<W> {
    fn accept(&mut self, event: &Event) {
        let mut display = lock(&self.display);
        for line in display.progress.accept(event, Instant::now()) {
            if !line.in_row {
                display.lines.append(&line.text);
            }
        }
        if matches!(event.kind, EventKind::Plan { .. }) {
            // At once: there may be a question about it, which is written where the rows would be.
            display.draw(Instant::now(), terminal_size());
        }
    }

    fn concretized(&mut self, dag: &Arc<Dag>) {
        lock(&self.display).progress.concretized(dag);
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        // The ticker is gone only when it panicked, and then there is nothing to stop.
        let _ = self.stop.send(());
        let ended = self.ticker.join().map_err(|_| SinkError::Panicked);
        lock(&self.display).draw(Instant::now(), terminal_size());
        ended
    }
}
