//! How long to wait before a connection is tried again.

use media::Span;

/// Exponential back-off with full jitter: after the n-th failure in a row the wait
/// is anywhere between nothing and `first` × 2ⁿ, at most `most`, so that a hundred
/// lines that one failure cut do not come back in one moment.
///
/// Randomness is an argument, as time is.
///
/// ```
/// use media::Span;
/// use scheduling::Backoff;
///
/// let mut backoff = Backoff::new(Span::from_millis(100), Span::from_secs(5));
/// assert_eq!(backoff.failed(u64::MAX), Span::from_millis(100));
/// assert_eq!(backoff.failed(u64::MAX / 2), Span::from_millis(100));
/// backoff.worked();
/// assert_eq!(backoff.failed(u64::MAX), Span::from_millis(100));
/// ```
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Span,
    most: Span,
    failures: u32,
}

impl Backoff {
    /// At most `first` after one failure, at most `most` after many.
    pub const fn new(first: Span, most: Span) -> Self {
        Self { first, most, failures: 0 }
    }

    /// It failed, once more: how long to wait now. `roll` is any number, each as likely.
    pub fn failed(&mut self, roll: u64) -> Span {
        let doublings = self.failures.min(62);
        self.failures = self.failures.saturating_add(1);
        let longest = self.first.flicks().saturating_mul(1 << doublings).min(self.most.flicks()).max(0);
        // The product of two numbers below 2^64 and 2^63, taken down by 2^64: fits.
        let share = (u128::from(roll) * (longest as u128 + 1)) >> 64;
        Span::from_flicks(share as i64)
    }

    /// It worked: the next failure is the first again.
    pub fn worked(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}
