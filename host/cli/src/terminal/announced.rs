//! Knowing when the plan can be read, so that a question about it comes behind it.

use std::sync::{Arc, mpsc};

use spack_wasm_monitor::{Event, EventKind, Sink, SinkError};
use spack_wasm_spec::Dag;

/// Passes everything on, and tells when the inner sink has shown the plan.
pub(crate) struct Announced<S: ?Sized> {
    shown: mpsc::Sender<()>,
    inner: Box<S>,
}

/// A sink, and what is told once it has shown the plan.
pub(crate) fn announced<S: Sink + ?Sized>(inner: Box<S>) -> (Announced<S>, mpsc::Receiver<()>) {
    let (shown, plan) = mpsc::channel();
    (Announced { shown, inner }, plan)
}

impl<S: Sink + ?Sized> Sink for Announced<S> {
    fn accept(&mut self, event: &Event) {
        self.inner.accept(event);
        if matches!(event.kind, EventKind::Plan { .. }) {
            // Nobody waits where nothing is asked.
            let _ = self.shown.send(());
        }
    }

    fn concretized(&mut self, dag: &Arc<Dag>) {
        self.inner.concretized(dag);
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        self.inner.finish()
    }
}
