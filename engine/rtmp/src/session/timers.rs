//! A session's deadlines.

use media::{Span, Time};

use super::config::Timeouts;
use super::error::TimeoutKind;

/// What the session is waiting for, besides any byte at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaits {
    /// The handshake and `connect`.
    Connect,
    /// A publish request.
    Publish,
    /// Nothing in particular: something is published, or our answer is due.
    Nothing,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Ping,
    TimedOut(TimeoutKind, Span),
}

#[derive(Debug)]
pub(super) struct Timers {
    timeouts: Timeouts,
    /// Since when `awaits` is awaited.
    since: Time,
    awaits: Awaits,
    heard: Time,
    pinged: Time,
}

impl Timers {
    pub fn new(timeouts: Timeouts, now: Time) -> Self {
        // With no time between two pings there would be no end of them.
        let timeouts = Timeouts { ping: timeouts.ping.max(Span::from_millis(1)), ..timeouts };
        Self { timeouts, since: now, awaits: Awaits::Connect, heard: now, pinged: now }
    }

    pub fn heard(&mut self, now: Time) {
        self.heard = self.heard.max(now);
    }

    pub fn await_now(&mut self, awaits: Awaits, now: Time) {
        if self.awaits != awaits {
            self.awaits = awaits;
            self.since = now;
        }
    }

    fn all(&self) -> [(Time, Due); 3] {
        let Timeouts { connect, publish, idle, ping } = self.timeouts;
        let never = (Time::MAX, Due::Ping);
        let goal = match self.awaits {
            Awaits::Connect => (self.since + connect, Due::TimedOut(TimeoutKind::Connect, connect)),
            Awaits::Publish => (self.since + publish, Due::TimedOut(TimeoutKind::Publish, publish)),
            Awaits::Nothing => never,
        };
        // Before `connect` a ping would break the order of things.
        let ping = match self.awaits {
            Awaits::Connect => never,
            _ => (self.heard.max(self.pinged) + ping, Due::Ping),
        };
        [goal, (self.heard + idle, Due::TimedOut(TimeoutKind::Idle, idle)), ping]
    }

    pub fn next(&self) -> Time {
        let [a, b, c] = self.all().map(|(at, _)| at);
        a.min(b).min(c)
    }

    /// What is due first of all that is due, if anything is.
    pub fn due(&mut self, now: Time) -> Option<Due> {
        let (_, due) = self
            .all()
            .into_iter()
            .filter(|&(at, _)| at <= now && at < Time::MAX)
            .min_by_key(|&(at, _)| at)?;
        if due == Due::Ping {
            self.pinged = now;
        }
        Some(due)
    }
}
