//! Push points: where encoders publish, who holds one, and when it yields to a newcomer.
//!
//! One stream at a time holds a point. Its connection delivers through a
//! [`Hold`]; whoever takes over empties that under the point's lock before it
//! begins, so no tag of the old stream can come behind the first of the new.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flv::Tag;
use pipeline_dsl::PushPoint;
use rtmp::session::{AppName, Reject, StreamName};
use tokio::sync::Notify;

use crate::event::Level;
use crate::ingest::intake::{Arriving, Intake, Turned};
use crate::ingest::network::Network;
use crate::ingest::seldom::Seldom;
use crate::ingest::unpack::Unpacker;
use crate::reporter::Reporter;
use crate::stream_key::StreamKey;

/// A stream without a tag for so long is taken for dead where a newcomer wants its place: a link
/// that broke half-open is only noticed by time-outs much later.
const STALE: Duration = Duration::from_secs(2);

/// So many characters of a stranger's words are told.
const WORDS: usize = 200;

/// All push points of a show, by the path that encoders publish to: `app/stream`.
#[derive(Default)]
pub(crate) struct Points(HashMap<String, (PushPoint, Arc<Point>)>);

/// Where an encoder may publish to.
pub(crate) struct Point {
    intake: Arc<Intake>,
    key: Option<StreamKey>,
    holder: Mutex<Option<Arc<Hold>>>,
    denied: Seldom,
    taken: Seldom,
}

/// A stream that holds a point.
pub(crate) struct Hold {
    from: SocketAddr,
    begun: Mutex<Option<Begun>>,
    /// Rung when somebody has taken over: the connection looks after its holds then.
    bell: Arc<Notify>,
}

struct Begun {
    arriving: Arriving,
    unpacker: Unpacker,
    heard: Instant,
}

/// Why nobody may publish here now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// The stream key is missing or wrong.
    Denied,
    /// Somebody publishes.
    Taken,
    /// The line's decoder is far behind.
    Hangs,
}

impl From<Refused> for Reject {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Denied => Self::NotAllowed,
            Refused::Taken => Self::NameTaken,
            Refused::Hangs => Self::Busy,
        }
    }
}

/// What an encoder asked for, found.
pub(crate) struct Found<'p> {
    pub(crate) name: &'p PushPoint,
    pub(crate) point: &'p Arc<Point>,
    /// The stream key it sent. Not to be shown: it may be nearly right.
    pub(crate) offered: Option<String>,
}

impl Points {
    pub(crate) fn add(&mut self, name: &PushPoint, point: Point) {
        let path = format!("{}/{}", name.app, name.stream);
        self.0.insert(path, (name.clone(), Arc::new(point)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The point an encoder means. Some put the first parts of the stream's name to the
    /// application, so both count as one path. The key comes in a query, `main?key=…`, or behind
    /// the path, `main/…`, for encoders that cannot send a query.
    pub(crate) fn find(&self, app: &AppName, name: &StreamName) -> Option<Found<'_>> {
        let path = format!("{}/{}", app.path(), name.name());
        if let Some((known, point)) = self.0.get(&path) {
            let offered = name.key().or_else(|| app.param("key")).map(str::to_owned);
            return Some(Found { name: known, point, offered });
        }
        let (path, tail) = path.rsplit_once('/')?;
        let (known, point) = self.0.get(path).filter(|(_, point)| point.key.is_some())?;
        Some(Found { name: known, point, offered: Some(tail.to_owned()) })
    }

    /// What is legal, for messages.
    pub(crate) fn names(&self) -> String {
        let mut names: Vec<String> = self.0.values().map(|(name, _)| name.to_string()).collect();
        names.sort();
        names.join(", ")
    }

    /// What a stranger asked for, as far as it may be told. Where lines have keys, one may be in
    /// it, with a slip of the pen.
    pub(crate) fn shown(&self, app: &AppName, name: &StreamName) -> String {
        if self.0.values().all(|(_, point)| point.key.is_none()) {
            return rtmp::printable(&format!("rtmp:{}/{}", app.path(), name.name()), WORDS);
        }
        let app = app.application();
        match self.0.values().any(|(known, _)| known.app == app) {
            true => format!("rtmp:{app}/…"),
            false => "rtmp:…".to_owned(),
        }
    }

    /// Tells what was only counted.
    pub(crate) fn catch_up(&self) {
        for (_, point) in self.0.values() {
            point.denied.catch_up(point.reporter());
            point.taken.catch_up(point.reporter());
        }
    }
}

impl Point {
    pub(crate) fn new(intake: Arc<Intake>, key: Option<StreamKey>) -> Self {
        let (denied, taken) =
            (Seldom::new("push-denied", Level::Warn), Seldom::new("push-taken", Level::Warn));
        Self { intake, key, holder: Mutex::default(), denied, taken }
    }

    fn reporter(&self) -> &Reporter {
        &self.intake.reporter
    }

    /// Takes the point for a stream from there. The one that holds it yields, if it has gone
    /// silent, or if the newcomer has shown the key: a truck that lost its link does not wait for
    /// its own ghost.
    pub(crate) fn begin(
        &self,
        found: &Found<'_>,
        from: SocketAddr,
        bell: &Arc<Notify>,
    ) -> Result<Arc<Hold>, Refused> {
        self.admit(found, from)?;
        let mut holder = lock(&self.holder);
        if let Some(held) = &*holder {
            let mut begun = lock(&held.begun);
            let silent = begun.as_ref().map(|begun| begun.heard.elapsed());
            if let Some(silent) = silent {
                let why = match (&self.key, silent > STALE) {
                    (_, true) => format!("it was silent for {:.1} s", silent.as_secs_f64()),
                    (Some(_), false) => "the newcomer has the stream key".to_owned(),
                    (None, false) => {
                        drop(begun);
                        let message = format!(
                            "{from} wants to publish to {}, where {} publishes already: turned down",
                            found.name, held.from
                        );
                        self.taken.happened(message, self.reporter());
                        return Err(Refused::Taken);
                    }
                };
                if let Some(begun) = begun.take() {
                    let message = format!("{from} takes over from {}: {why}", held.from);
                    self.reporter().event(Level::Warn, "push-taken-over", message);
                    begun.arriving.end(format!("{from} has taken over"));
                }
                held.bell.notify_one();
            }
        }
        *holder = None;
        let arriving = self.intake.begin(format!("{from} publishes")).map_err(|turned| {
            let message = format!(
                "{from} wants to publish to {}, whose decoder is far behind: turned down",
                found.name
            );
            self.reporter().event(Level::Warn, "line-overrun", message);
            match turned {
                Turned::Taken => Refused::Taken,
                Turned::Hangs => Refused::Hangs,
            }
        })?;
        let begun = Begun { arriving, unpacker: Unpacker::default(), heard: Instant::now() };
        let hold = Arc::new(Hold { from, begun: Mutex::new(Some(begun)), bell: Arc::clone(bell) });
        *holder = Some(Arc::clone(&hold));
        Ok(hold)
    }

    fn admit(&self, found: &Found<'_>, from: SocketAddr) -> Result<(), Refused> {
        let Some(key) = &self.key else { return Ok(()) };
        let what = match &found.offered {
            Some(offered) if key.is(offered) => return Ok(()),
            Some(_) => "with a wrong stream key",
            None => "without its stream key",
        };
        let message = format!("{from} wants to publish to {} {what}: turned down", found.name);
        self.denied.happened(message, self.reporter());
        Err(Refused::Denied)
    }

    /// The stream has ended; if it was not taken away before, the point is free.
    pub(crate) fn end(&self, hold: &Arc<Hold>, why: &dyn fmt::Display) {
        let mut holder = lock(&self.holder);
        if let Some(begun) = lock(&hold.begun).take() {
            begun.arriving.end(why.to_string());
        }
        if holder.as_ref().is_some_and(|held| Arc::ptr_eq(held, hold)) {
            *holder = None;
        }
    }
}

impl Hold {
    /// Hands on what is in a tag, if the stream still holds its point.
    pub(crate) fn tag(&self, tag: &Tag) {
        if let Some(Begun { arriving, unpacker, heard }) = &mut *lock(&self.begun) {
            *heard = Instant::now();
            arriving.tag(tag, unpacker);
        }
    }

    /// What the connection knows of its network, if the stream still holds its point.
    pub(crate) fn network_is(&self, network: Network) {
        if let Some(Begun { arriving, .. }) = &*lock(&self.begun) {
            arriving.network_is(network);
        }
    }

    /// Whether somebody else has it now.
    pub(crate) fn is_lost(&self) -> bool {
        lock(&self.begun).is_none()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_words_neither_steer_a_terminal_nor_fill_it() {
        let long = format!("{}/{}", "x".repeat(50_000), "y".repeat(50_000));
        for (app, name) in [("live", "\u{1b}[2J\u{9b}31m"), ("a\r\nerror: forged", "b"), (&long, &long)] {
            let shown = Points::default().shown(&AppName::new(app), &StreamName::new(name));
            assert!(shown.starts_with("rtmp:") && !shown.contains(char::is_control), "{shown:?}");
            assert!(shown.chars().count() <= WORDS, "{} characters", shown.chars().count());
        }
    }
}
