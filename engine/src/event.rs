//! What happened, for the crew: one stream of events, one shape.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use media::Time;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// How much it matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Something is not as it should be; viewers do not notice.
    Warn,
    /// Viewers notice, or will.
    Alarm,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Seconds of show time.
    pub t: f64,
    /// How much it matters.
    pub level: Level,
    /// A stable name for the kind of thing, e.g. `line-lost`.
    pub code: String,
    /// What it happened to, e.g. `main/fiber`.
    pub subject: String,
    /// For people.
    pub message: String,
}

/// How many events a report keeps; the rest is counted.
const KEPT: usize = 4096;

/// Collects events and passes them on to whoever listens.
#[derive(Debug)]
pub(crate) struct EventLog {
    kept: Mutex<Vec<Event>>,
    dropped: AtomicU64,
    live: broadcast::Sender<Event>,
}

impl EventLog {
    pub(crate) fn new() -> Self {
        Self { kept: Mutex::new(Vec::new()), dropped: AtomicU64::new(0), live: broadcast::channel(256).0 }
    }

    pub(crate) fn push(&self, t: Time, level: Level, code: &str, subject: &str, message: impl Into<String>) {
        let event = Event {
            t: t.as_secs_f64(),
            level,
            code: code.to_owned(),
            subject: subject.to_owned(),
            message: message.into(),
        };
        tracing::debug!(t = event.t, code, subject, "{}", event.message);
        let mut kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(event.clone());
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        drop(kept);
        // Nobody listening is no error.
        let _ = self.live.send(event);
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.live.subscribe()
    }

    /// The last `count` events, for a page that has just opened.
    pub(crate) fn latest(&self, count: usize) -> Vec<Event> {
        let kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept[kept.len().saturating_sub(count)..].to_vec()
    }

    /// Everything kept; a last line says how many were not.
    pub(crate) fn all(&self, now: Time) -> Vec<Event> {
        let mut all = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            all.push(Event {
                t: now.as_secs_f64(),
                level: Level::Warn,
                code: "events-dropped".to_owned(),
                subject: "report".to_owned(),
                message: format!("{dropped} further events are not listed: a report keeps {KEPT}"),
            });
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_bounded_and_said() {
        let log = EventLog::new();
        for _ in 0..KEPT + 3 {
            log.push(Time::ZERO, Level::Info, "x", "y", "z");
        }
        let all = log.all(Time::from_secs(1));
        assert_eq!(all.len(), KEPT + 1);
        assert!(all[KEPT].message.starts_with("3 further events"));
        assert_eq!(log.latest(2).len(), 2);
    }
}
