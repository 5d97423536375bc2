//! What a wire tells of the network behind it.

use media::Span;

/// All of it since the connection began; a wire that does not tell something has `None` there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Network {
    /// There and back.
    pub(crate) rtt: Option<Span>,
    /// By how much packets come unevenly.
    pub(crate) jitter: Option<Span>,
    /// Packets that never came, or too late to be of use.
    pub(crate) lost: Option<u64>,
    /// Packets that came at the second attempt.
    pub(crate) again: Option<u64>,
}

impl Network {
    /// Two ways of one line: what is lost on both adds up, and the slower one counts.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (one, none) => one.or(none),
        };
        Self {
            rtt: self.rtt.max(other.rtt),
            jitter: self.jitter.max(other.jitter),
            lost: sum(self.lost, other.lost),
            again: sum(self.again, other.again),
        }
    }
}
