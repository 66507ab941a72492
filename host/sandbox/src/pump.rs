//! Carries a command's output to its listener until the command has ended.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use spack_wasm_sandbox_protocol::{Reply, receive_value};

use crate::command::Stream;
use crate::trace::Trace;

/// How long a process that the command left behind can keep its output open after the command's end.
const GRACE: Duration = Duration::from_millis(50);

struct Source {
    stream: Stream,
    /// `None` once all writers have closed it.
    pipe: Option<OwnedFd>,
    /// Bytes that were in the pipe when the command ended: the command's own, however long the listener takes.
    owed: u64,
}

/// What a command leaves through.
pub(crate) struct Pump<'a> {
    sources: [Source; 2],
    reply: &'a OwnedFd,
    trace: Option<&'a Trace>,
    buffer: Vec<u8>,
}

impl<'a> Pump<'a> {
    pub(crate) fn new(
        stdout: OwnedFd,
        stderr: OwnedFd,
        reply: &'a OwnedFd,
        trace: Option<&'a Trace>,
    ) -> Self {
        let source = |stream, pipe| Source { stream, pipe: Some(pipe), owed: 0 };
        let sources = [source(Stream::Stdout, stdout), source(Stream::Stderr, stderr)];
        Pump { sources, reply, trace, buffer: vec![0; 64 * 1024] }
    }

    /// Returns the reply, and when it came; `None` when the executor ended without one.
    pub(crate) fn run(mut self, sink: &mut dyn FnMut(Stream, &[u8])) -> io::Result<Option<(Reply, Instant)>> {
        let mut answer = None;
        while !self.finished(answer.as_ref()) {
            let [stdout, stderr, replied, traced] = self.wait(answer.as_ref())?;
            if traced && let Some(trace) = self.trace {
                trace.drain()?;
            }
            for (index, readable) in [stdout, stderr].into_iter().enumerate() {
                if readable {
                    self.carry(index, sink)?;
                }
            }
            if replied {
                match receive_value(self.reply)? {
                    Some(reply) => answer = Some((reply, Instant::now())),
                    None => return Ok(None),
                }
                self.count_owed();
            }
        }
        Ok(answer)
    }

    fn finished(&self, answer: Option<&(Reply, Instant)>) -> bool {
        let Some((_, since)) = answer else { return false };
        let closed = self.sources.iter().all(|source| source.pipe.is_none());
        let paid = self.sources.iter().all(|source| source.pipe.is_none() || source.owed == 0);
        closed || (paid && since.elapsed() >= GRACE)
    }

    /// Which of standard output, standard error, the reply and the trace can be read. The reply is not waited for
    /// twice.
    fn wait(&self, answer: Option<&(Reply, Instant)>) -> io::Result<[bool; 4]> {
        let pipes = self.sources.iter().map(|source| source.pipe.as_ref());
        let wanted: Vec<_> =
            pipes.chain([answer.is_none().then_some(self.reply), self.trace.map(Trace::socket)]).collect();
        let mut polled: Vec<_> = wanted.iter().flatten().map(|fd| PollFd::new(*fd, PollFlags::IN)).collect();
        let left = answer.map(|(_, since)| GRACE.saturating_sub(since.elapsed()));
        let timeout = left.map(|left| Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() });
        rustix::io::retry_on_intr(|| poll(&mut polled, timeout.as_ref()))?;
        let mut events = polled.iter().map(|entry| !entry.revents().is_empty());
        let mut ready = [false; 4];
        for (ready, wanted) in ready.iter_mut().zip(&wanted) {
            *ready = wanted.is_some() && events.next().unwrap_or(false);
        }
        Ok(ready)
    }

    fn carry(&mut self, index: usize, sink: &mut dyn FnMut(Stream, &[u8])) -> io::Result<()> {
        let source = &mut self.sources[index];
        let Some(pipe) = &source.pipe else { return Ok(()) };
        let bytes = rustix::io::retry_on_intr(|| rustix::io::read(pipe, &mut self.buffer[..]))?;
        source.owed = source.owed.saturating_sub(bytes as u64);
        if bytes == 0 {
            source.pipe = None;
        } else {
            sink(source.stream, &self.buffer[..bytes]);
        }
        Ok(())
    }

    fn count_owed(&mut self) {
        for source in &mut self.sources {
            source.owed =
                source.pipe.as_ref().and_then(|pipe| rustix::io::ioctl_fionread(pipe).ok()).unwrap_or(0);
        }
    }
}
