//! What happened, for the crew: one stream of events, one shape.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::Time;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::seldom::{Account, Left};

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

/// The longest message, in characters. Peers' words are cut much shorter where they come in; this is
/// for those that somebody forgot.
const LONGEST: usize = 2_000;
/// How many events a report keeps; the rest is counted.
const KEPT: usize = 4096;
/// How many alarms it keeps beyond that: a flood of small things must not hide them.
const ALARMS: usize = 1024;
/// How many events of one code and subject it keeps that are no alarms: one thing
/// that goes on and on leaves room for others.
const OF_ONE_KIND: usize = 1024;
/// What a show's exit code depends on: always kept. There is at most one a rung or
/// thread, so these are bounded by the show itself.
pub(crate) const FAILURES: [&str; 2] = ["rung-failed", "channel-failed"];

#[derive(Debug, Default)]
struct Kept {
    events: Vec<Event>,
    /// How many of each code and subject there are: no more entries than events.
    kinds: HashMap<(String, String), usize>,
}

impl Kept {
    fn has_room_for(&self, event: &Event) -> bool {
        if FAILURES.contains(&event.code.as_str()) {
            return true;
        }
        if event.level == Level::Alarm {
            return self.events.len() < KEPT + ALARMS;
        }
        let kind = (event.code.clone(), event.subject.clone());
        self.events.len() < KEPT && self.kinds.get(&kind).is_none_or(|count| *count < OF_ONE_KIND)
    }

    fn keep(&mut self, event: Event) {
        *self.kinds.entry((event.code.clone(), event.subject.clone())).or_default() += 1;
        self.events.push(event);
    }
}

/// Collects events and passes them on to whoever listens.
#[derive(Debug)]
pub(crate) struct EventLog {
    kept: Mutex<Kept>,
    dropped: AtomicU64,
    live: broadcast::Sender<Event>,
    /// What was counted and is not told yet, and whose.
    owed: Mutex<Vec<(Arc<Account>, Arc<str>)>>,
}

impl EventLog {
    pub(crate) fn new() -> Self {
        let live = broadcast::channel(256).0;
        Self { kept: Mutex::default(), dropped: AtomicU64::new(0), live, owed: Mutex::default() }
    }

    pub(crate) fn push(&self, t: Time, level: Level, code: &str, subject: &str, message: impl Into<String>) {
        let event = Event {
            t: t.as_secs_f64(),
            level,
            code: code.to_owned(),
            subject: subject.to_owned(),
            // It goes to terminals and into logs, and who knows whose words are in it.
            message: rtmp::printable(&message.into(), LONGEST),
        };
        tracing::debug!(t = event.t, code, subject, "{}", event.message);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.has_room_for(&event) {
            kept.keep(event.clone());
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        // Nobody listening is no error. Under the lock, for `follow`'s sake.
        let _ = self.live.send(event);
        drop(kept);
    }

    fn owed(&self) -> MutexGuard<'_, Vec<(Arc<Account>, Arc<str>)>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody has begun to count: it is asked for what it owes.
    pub(crate) fn owes(&self, account: &Arc<Account>, subject: &Arc<str>) {
        self.owed().push((Arc::clone(account), Arc::clone(subject)));
    }

    /// Tells what was only counted, as far as it is due; to be called about once a second.
    pub(crate) fn catch_up(&self, now: Time) {
        self.owed().retain(|(account, subject)| {
            let (owed, left) = account.catch_up(now);
            if let Some((level, message)) = owed {
                self.push(now, level, account.code(), subject, message);
            }
            left == Left::Some
        });
    }

    /// Tells all that was only counted: the show is over.
    pub(crate) fn sum_up(&self, now: Time) {
        for (account, subject) in self.owed().drain(..) {
            if let Some((level, message)) = account.sum_up(now) {
                self.push(now, level, account.code(), &subject, message);
            }
        }
    }

    /// The last `count` events, and all that come after them: none is missed between the two, and
    /// none comes twice.
    pub(crate) fn follow(&self, count: usize) -> (Vec<Event>, broadcast::Receiver<Event>) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = kept.events[kept.events.len().saturating_sub(count)..].to_vec();
        (latest, self.live.subscribe())
    }

    /// Everything kept; a last line says how many were not.
    pub(crate) fn all(&self, now: Time) -> Vec<Event> {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner).events.clone();
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            all.push(Event {
                t: now.as_secs_f64(),
                level: Level::Warn,
                code: "events-dropped".to_owned(),
                subject: "report".to_owned(),
                message: format!(
                    "{dropped} further events are not listed: a report keeps {KEPT}, and {ALARMS} alarms more"
                ),
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
        for n in 0..KEPT + 3 {
            log.push(Time::ZERO, Level::Info, "x", &(n % 5).to_string(), "z");
        }
        let all = log.all(Time::from_secs(1));
        assert_eq!(all.len(), KEPT + 1);
        assert!(all[KEPT].message.starts_with("3 further events"));
        assert_eq!(log.follow(2).0.len(), 2);
    }

    /// A line may fail before the show's first tick: whoever follows must be told.
    #[test]
    fn who_begins_to_follow_in_a_flood_misses_nothing_and_hears_nothing_twice() {
        const MANY: usize = 200;
        for _ in 0..50 {
            let log = EventLog::new();
            let (mut heard, mut live) = std::thread::scope(|scope| {
                scope.spawn(|| {
                    for n in 0..MANY {
                        log.push(Time::ZERO, Level::Info, "x", "y", n.to_string());
                    }
                });
                while log.kept.lock().unwrap().events.len() < MANY / 4 {}
                log.follow(MANY)
            });
            heard.extend(std::iter::from_fn(|| live.try_recv().ok()));
            let heard: Vec<String> = heard.into_iter().map(|event| event.message).collect();
            assert_eq!(heard, (0..MANY).map(|n| n.to_string()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_message_steers_a_terminal_or_goes_on_for_ever() {
        let log = EventLog::new();
        let (_, mut live) = log.follow(0);
        let words = format!("\u{1b}]0;owned\u{7}\r\nerror: forged {}", "x".repeat(50_000));
        log.push(Time::ZERO, Level::Warn, "x", "rtsp", words);
        let kept = log.follow(1).0.remove(0).message;
        assert!(kept.starts_with(" ]0;owned   error: forged x") && kept.ends_with("x…"), "{kept}");
        assert_eq!(kept.chars().count(), LONGEST);
        assert_eq!(live.try_recv().unwrap().message, kept);
    }

    #[test]
    fn a_flood_hides_no_alarm_and_no_failure() {
        let log = EventLog::new();
        for n in 0..2 * KEPT {
            log.push(Time::ZERO, Level::Warn, "push-unknown", "rtmp", format!("no line takes {n}"));
        }
        assert_eq!(log.all(Time::ZERO).len(), OF_ONE_KIND + 1, "one kind of thing does not fill the report");
        log.push(Time::ZERO, Level::Warn, "decode-error", "main/fiber", "damaged");
        for n in 0..2 * KEPT {
            log.push(Time::ZERO, Level::Warn, "push-unknown", &n.to_string(), "x");
        }
        log.push(Time::ZERO, Level::Alarm, "line-lost", "main/fiber", "pictures are missing");
        for _ in 0..2 * ALARMS {
            log.push(Time::ZERO, Level::Alarm, "line-lost", "main/sat", "pictures are missing");
        }
        log.push(Time::ZERO, Level::Alarm, "rung-failed", "program/360p", "it broke");
        let all = log.all(Time::ZERO);
        let has = |code: &str, subject: &str| all.iter().any(|e| e.code == code && e.subject == subject);
        assert!(has("decode-error", "main/fiber") && has("line-lost", "main/fiber"));
        assert!(
            has("rung-failed", "program/360p"),
            "what the exit code depends on is kept whatever came before"
        );
        assert_eq!(all.len(), KEPT + ALARMS + 2);
    }
}
