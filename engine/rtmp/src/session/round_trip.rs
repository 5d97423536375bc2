//! How long a ping takes, there and back.

use media::{Span, Time};

/// A ping that is not answered within this is lost, or nobody answers any.
const LOST: Span = Span::from_secs(20);

/// The ping under way, and what the last one took.
#[derive(Debug, Default)]
pub(super) struct RoundTrip {
    asked: Option<(u32, Time)>,
    last: Option<Span>,
}

impl RoundTrip {
    /// A ping goes out; an answer to one before it is none any more.
    pub fn asked(&mut self, number: u32, now: Time) {
        self.asked = Some((number, now));
    }

    /// Whether an answer is still awaited.
    pub fn is_asking(&self, now: Time) -> bool {
        self.asked.is_some_and(|(_, at)| now - at < LOST)
    }

    /// An answer has come; one to no ping of ours says nothing.
    pub fn answered(&mut self, number: u32, now: Time) {
        if let Some((_, at)) = self.asked.take_if(|(asked, _)| *asked == number) {
            self.last = Some((now - at).max(Span::ZERO));
        }
    }

    /// What the last ping that was answered took.
    pub fn last(&self) -> Option<Span> {
        self.last
    }
}
