//! The voice of one part of a running show: its name, the clock, the event log.

use std::sync::Arc;
use std::time::Duration;

use media::Time;

use crate::clock::{Clock, Stop};
use crate::event::{EventLog, Level};
use crate::seldom::Account;

/// Says what happens to one part, e.g. the line `main/fiber`.
#[derive(Clone)]
pub(crate) struct Reporter {
    subject: Arc<str>,
    clock: Arc<dyn Clock>,
    log: Arc<EventLog>,
    stop: Arc<Stop>,
}

impl Reporter {
    pub(crate) fn new(clock: Arc<dyn Clock>, log: Arc<EventLog>, stop: Arc<Stop>) -> Self {
        Self { subject: "show".into(), clock, log, stop }
    }
    /// The same voice for another part.
    pub(crate) fn of(&self, subject: impl AsRef<str>) -> Self {
        Self { subject: subject.as_ref().into(), ..self.clone() }
    }
    /// The same voice for a part that may stop alone, and what stops it.
    pub(crate) fn apart(&self) -> (Self, Arc<Stop>) {
        let stop = self.stop.part();
        (Self { stop: Arc::clone(&stop), ..self.clone() }, stop)
    }
    /// Whose voice it is.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }
    pub(crate) fn event(&self, level: Level, code: &str, message: impl Into<String>) {
        self.log.push(self.clock.now(), level, code, &self.subject, message);
    }
    /// This part has begun to count what happens too often to be told.
    pub(crate) fn owes(&self, account: &Arc<Account>) {
        self.log.owes(account, &self.subject);
    }
    /// Of something that happened at this show time.
    pub(crate) fn event_at(&self, at: Time, level: Level, code: &str, message: impl Into<String>) {
        self.log.push(at, level, code, &self.subject, message);
    }
    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }
    /// Waits this long, or until the show is stopping.
    pub(crate) fn wait(&self, how_long: Duration) {
        self.stop.wait(how_long);
    }
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_asked()
    }
}

/// Any number, for a back-off; when the system gives none, the middle.
pub(crate) fn roll() -> u64 {
    getrandom::u64().unwrap_or(u64::MAX / 2)
}
