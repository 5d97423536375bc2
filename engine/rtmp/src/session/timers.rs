//! A session's deadlines.

use media::{Span, Time};

use super::error::TimeoutKind;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Ping,
    TimedOut(TimeoutKind, Span),
}

/// What the session waits for, besides any byte at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Goal {
    kind: TimeoutKind,
    since: Time,
    within: Span,
}

/// When a silent peer is pinged and when it is given up; never while it cannot
/// be expected to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Silence {
    pub ping: Span,
    pub idle: Span,
}

#[derive(Debug)]
pub(super) struct Timers {
    goal: Option<Goal>,
    silence: Option<Silence>,
    /// Before `connect` a ping would break the order of things.
    pings: bool,
    heard: Time,
    pinged: Time,
}

impl Timers {
    pub fn new(silence: Option<Silence>, now: Time) -> Self {
        // With no time between two pings there would be no end of them.
        let silence = silence.map(|s| Silence { ping: s.ping.max(Span::from_millis(1)), ..s });
        Self { goal: None, silence, pings: false, heard: now, pinged: now }
    }

    pub fn heard(&mut self, now: Time) {
        self.heard = self.heard.max(now);
    }

    /// From now on the peer may be pinged.
    pub fn allow_pings(&mut self) {
        self.pings = true;
    }

    /// Whether the peer may be pinged.
    pub fn may_ping(&self) -> bool {
        self.pings
    }

    /// Waits for this; if that is nothing new, since when it did before.
    pub fn await_within(&mut self, kind: TimeoutKind, within: Span, now: Time) {
        if self.goal.is_none_or(|goal| goal.kind != kind) {
            self.goal = Some(Goal { kind, since: now, within });
        }
    }

    /// Waits for nothing in particular.
    pub fn await_nothing(&mut self) {
        self.goal = None;
    }

    fn all(&self) -> [(Time, Due); 3] {
        let never = (Time::MAX, Due::Ping);
        let goal = self
            .goal
            .map_or(never, |Goal { kind, since, within }| (since + within, Due::TimedOut(kind, within)));
        let idle = self.silence.map_or(never, |Silence { idle, .. }| {
            (self.heard + idle, Due::TimedOut(TimeoutKind::Idle, idle))
        });
        let ping = match self.silence {
            Some(Silence { ping, .. }) if self.pings => (self.heard.max(self.pinged) + ping, Due::Ping),
            _ => never,
        };
        [goal, idle, ping]
    }

    pub fn next(&self) -> Option<Time> {
        let [a, b, c] = self.all().map(|(at, _)| at);
        Some(a.min(b).min(c)).filter(|&at| at < Time::MAX)
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
