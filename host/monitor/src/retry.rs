use std::time::{Duration, Instant};
use std::vec;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::StatusCode;

/// How often and how long a request is tried before it has failed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many tries there are; at least one is made.
    pub tries: usize,
    /// The wait before the second try. It doubles from try to try, with a random part.
    pub first_delay: Duration,
    /// No try starts later than this after the first one.
    pub total: Duration,
}

impl RetryPolicy {
    /// One try.
    pub const ONCE: Self = Self { tries: 1, first_delay: Duration::ZERO, total: Duration::ZERO };

    /// The waits between the tries of one request.
    pub(crate) fn schedule(&self) -> Schedule {
        let delays = ExponentialBuilder::default()
            .with_min_delay(self.first_delay)
            .with_max_delay(self.total)
            .with_max_times(self.tries.saturating_sub(1))
            .with_jitter();
        Schedule { delays: delays.build().collect::<Vec<_>>().into_iter(), end: Instant::now() + self.total }
    }
}

impl Default for RetryPolicy {
    /// Five tries within a minute.
    fn default() -> Self {
        Self { tries: 5, first_delay: Duration::from_millis(500), total: Duration::from_secs(60) }
    }
}

/// The waits that are left for one request.
pub(crate) struct Schedule {
    delays: vec::IntoIter<Duration>,
    end: Instant,
}

impl Schedule {
    /// How long to wait before the next try, at least `asked` when the server asks for it; `None` when the request
    /// has failed for good.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let delay = self.delays.next()?.max(asked.unwrap_or_default());
        (Instant::now() + delay <= self.end).then_some(delay)
    }

    /// How much of the time is left.
    pub(crate) fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

/// Whether a request that was answered with `status` may go well a moment later.
pub(crate) fn is_passing(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS)
        || status.is_server_error()
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::parse(value.trim()).ok()?.timestamp();
    Some(date.duration_since(Timestamp::now()).try_into().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_and_time_are_bounded() {
        let mut schedule = RetryPolicy::default().schedule();
        let delays: Vec<_> = std::iter::from_fn(|| schedule.next(None)).collect();
        assert_eq!(delays.len(), 4);
        assert!(delays.is_sorted(), "{delays:?}");
        assert_eq!(RetryPolicy::ONCE.schedule().next(None), None);
    }

    #[test]
    fn a_wait_that_the_server_asks_for_is_kept_or_given_up() {
        let mut schedule = RetryPolicy::default().schedule();
        assert!(schedule.next(Some(Duration::from_secs(20))) >= Some(Duration::from_secs(20)));
        assert_eq!(schedule.next(Some(Duration::from_secs(86_400))), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("120"), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert!(retry_after("Wed, 21 Oct 2415 07:28:00 GMT") > Some(Duration::from_secs(1_000_000)));
        assert_eq!(retry_after("soon"), None);
    }
}
