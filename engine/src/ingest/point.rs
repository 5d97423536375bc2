//! Push points: where encoders publish, who holds one, and when it yields to a newcomer.
//!
//! One stream at a time holds a point. Its connection delivers through a
//! [`Hold`]; whoever takes over empties that under the point's lock before it
//! begins, so no tag of the old stream can come behind the first of the new.
//!
//! A newcomer with the stream key takes over from one that still sends, but only with its first
//! picture: until that is there, the old one's are shown.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use flv::Tag;
use pipeline_dsl::PushPoint;
use rtmp::session::{AppName, Reject, StreamName};
use tokio::sync::Notify;

use crate::event::Level;
use crate::ingest::hold::{Begun, Got, Hold, lock};
use crate::ingest::intake::{Intake, Turned};
use crate::reporter::Reporter;
use crate::seldom::{Measure, Seldom};
use crate::stream_key::StreamKey;

/// A stream without a tag for so long is taken for dead where a newcomer wants its place: a link
/// that broke half-open is only noticed by time-outs much later.
const STALE: Duration = Duration::from_secs(2);

/// So many characters of a stranger's words are told.
const WORDS: usize = 200;

/// All push points of a show, by the path that encoders publish to: `app/stream`.
#[derive(Default)]
pub(crate) struct Points(RwLock<ByPath>);

type ByPath = HashMap<String, (PushPoint, Arc<Point>)>;

/// Where an encoder may publish to.
pub(crate) struct Point {
    intake: Arc<Intake>,
    key: Option<StreamKey>,
    place: Mutex<Place>,
    denied: Seldom,
    taken: Seldom,
}

/// Who is there.
#[derive(Default)]
struct Place {
    /// Whose tags go to the line.
    holder: Option<Arc<Hold>>,
    /// Who takes over with its first picture.
    next: Option<Arc<Hold>>,
    line: Behind,
}

/// Whether a line takes what is published.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Behind {
    #[default]
    There,
    /// The show has changed, and who had found the point before comes too late.
    Gone,
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
    /// The line was there a moment ago.
    Gone,
}

impl From<Refused> for Reject {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Denied => Self::NotAllowed,
            Refused::Taken => Self::NameTaken,
            Refused::Hangs => Self::Busy,
            Refused::Gone => Self::NoSuchPoint,
        }
    }
}

/// What an encoder asked for, found.
pub(crate) struct Found {
    pub(crate) name: PushPoint,
    pub(crate) point: Arc<Point>,
    /// The stream key it sent. Not to be shown: it may be nearly right.
    pub(crate) offered: Option<String>,
}

impl Points {
    /// The line of this point; that of an earlier one is given back.
    pub(crate) fn add(&self, name: &PushPoint, point: Arc<Point>) -> Option<Arc<Point>> {
        let before = self.write().insert(path_of(name), (name.clone(), point));
        before.map(|(_, point)| point)
    }

    /// No line waits there any more.
    pub(crate) fn remove(&self, name: &PushPoint) -> Option<Arc<Point>> {
        self.write().remove(&path_of(name)).map(|(_, point)| point)
    }

    /// All of them.
    pub(crate) fn into_all(self) -> Vec<(PushPoint, Arc<Point>)> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, ByPath> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
    fn write(&self) -> RwLockWriteGuard<'_, ByPath> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    /// The point an encoder means. Some put the first parts of the stream's name to the
    /// application, so both count as one path. The key comes in a query, `main?key=…`, or behind
    /// the path, `main/…`, for encoders that cannot send a query.
    pub(crate) fn find(&self, app: &AppName, name: &StreamName) -> Option<Found> {
        let all = self.read();
        let path = format!("{}/{}", app.path(), name.name());
        if let Some((known, point)) = all.get(&path) {
            let offered = name.key().or_else(|| app.param("key")).map(str::to_owned);
            return Some(Found { name: known.clone(), point: Arc::clone(point), offered });
        }
        let (path, tail) = path.rsplit_once('/')?;
        let (known, point) = all.get(path).filter(|(_, point)| point.key.is_some())?;
        Some(Found { name: known.clone(), point: Arc::clone(point), offered: Some(tail.to_owned()) })
    }

    /// What is legal, for messages.
    pub(crate) fn names(&self) -> String {
        let mut names: Vec<String> = self.read().values().map(|(name, _)| name.to_string()).collect();
        names.sort();
        names.join(", ")
    }

    /// What a stranger asked for, as far as it may be told. Where lines have keys, one may be in
    /// it, with a slip of the pen.
    pub(crate) fn shown(&self, app: &AppName, name: &StreamName) -> String {
        let all = self.read();
        if all.values().all(|(_, point)| point.key.is_none()) {
            return rtmp::printable(&format!("rtmp:{}/{}", app.path(), name.name()), WORDS);
        }
        let app = app.application();
        match all.values().any(|(known, _)| known.app == app) {
            true => format!("rtmp:{app}/…"),
            false => "rtmp:…".to_owned(),
        }
    }
}

impl Point {
    pub(crate) fn new(intake: Arc<Intake>, key: Option<StreamKey>) -> Self {
        let stranger = |code| Seldom::new(code, Level::Warn, Measure::STRANGERS);
        let (denied, taken) = (stranger("push-denied"), stranger("push-taken"));
        Self { intake, key, place: Mutex::default(), denied, taken }
    }

    fn reporter(&self) -> &Reporter {
        &self.intake.reporter
    }

    /// Takes the point for a stream from there. The one that holds it yields, at once if it has gone
    /// silent, and with the newcomer's first picture if that has shown the key: a truck that lost
    /// its link does not wait for its own ghost.
    pub(crate) fn begin(
        &self,
        found: &Found,
        from: SocketAddr,
        bell: &Arc<Notify>,
    ) -> Result<Arc<Hold>, Refused> {
        self.begin_at(found, from, bell, Instant::now())
    }

    fn begin_at(
        &self,
        found: &Found,
        from: SocketAddr,
        bell: &Arc<Notify>,
        now: Instant,
    ) -> Result<Arc<Hold>, Refused> {
        self.admit(found, from)?;
        let hold = Arc::new(Hold::waiting(from, bell));
        let mut place = lock(&self.place);
        if place.line == Behind::Gone {
            return Err(Refused::Gone);
        }
        let holder = place.holder.clone();
        if let Some(held) = holder.filter(|held| held.silent(now).is_some_and(|silent| silent <= STALE)) {
            if self.key.is_none() {
                let message = format!(
                    "{from} wants to publish to {}, where {} publishes already: turned down",
                    found.name, held.from
                );
                self.taken.happened(&message, self.reporter());
                return Err(Refused::Taken);
            }
            if let Some(before) = place.next.replace(Arc::clone(&hold)) {
                before.dismiss();
            }
            return Ok(hold);
        }
        if let Some(before) = place.next.take() {
            before.dismiss();
        }
        self.hand_over(&mut place, &hold, now).map_err(|turned| {
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
        Ok(hold)
    }

    /// The line is this stream's from here on; whoever has it now is told so.
    fn hand_over(&self, place: &mut Place, hold: &Arc<Hold>, now: Instant) -> Result<(), Turned> {
        let from = hold.from;
        if let Some(held) = place.holder.take() {
            let silent = held.silent(now);
            if let Some(begun) = held.dismiss() {
                let why = match silent {
                    Some(silent) if silent > STALE => {
                        format!("it was silent for {:.1} s", silent.as_secs_f64())
                    }
                    _ => "the newcomer has the stream key".to_owned(),
                };
                let message = format!("{from} takes over from {}: {why}", held.from);
                self.reporter().event(Level::Warn, "push-taken-over", message);
                begun.end(format!("{from} has taken over"));
            }
        }
        let arriving = self.intake.begin(format!("{from} publishes"))?;
        hold.begin(Begun::new(arriving, now), now);
        place.holder = Some(Arc::clone(hold));
        Ok(())
    }

    /// Hands on what is in a tag, if the stream holds the point, or is to hold it now.
    pub(crate) fn tag(&self, hold: &Arc<Hold>, tag: &Tag) {
        self.tag_at(hold, tag, Instant::now());
    }

    fn tag_at(&self, hold: &Arc<Hold>, tag: &Tag, now: Instant) {
        let got = hold.tag(tag, now);
        if got == Got::Taken {
            return;
        }
        let mut place = lock(&self.place);
        let old = place.holder.as_ref().and_then(|held| held.silent(now));
        if got == Got::Kept && old.is_some_and(|silent| silent <= STALE) {
            return;
        }
        if place.next.take_if(|next| Arc::ptr_eq(next, hold)).is_some() {
            self.step_up(&mut place, hold, now);
        }
        drop(place);
        // Also where its turn has come in the meantime.
        if got == Got::Picture {
            hold.tag(tag, now);
        }
    }

    /// Who waited has the line now, or has waited in vain.
    fn step_up(&self, place: &mut Place, hold: &Arc<Hold>, now: Instant) {
        if self.hand_over(place, hold, now).is_err() {
            let message =
                format!("{} would take over, but the decoder is far behind: turned down", hold.from);
            self.reporter().event(Level::Warn, "line-overrun", message);
            hold.dismiss();
        }
    }

    fn admit(&self, found: &Found, from: SocketAddr) -> Result<(), Refused> {
        let Some(key) = &self.key else { return Ok(()) };
        let what = match &found.offered {
            Some(offered) if key.is(offered) => return Ok(()),
            Some(_) => "with a wrong stream key",
            None => "without its stream key",
        };
        let message = format!("{from} wants to publish to {} {what}: turned down", found.name);
        self.denied.happened(&message, self.reporter());
        Err(Refused::Denied)
    }

    /// The show has no such line any more, or another one in its place: who publishes, or waits to,
    /// is sent away.
    pub(crate) fn close(&self) {
        let mut place = lock(&self.place);
        place.line = Behind::Gone;
        let (holder, next) = (place.holder.take(), place.next.take());
        for begun in [holder, next].into_iter().flatten().filter_map(|hold| hold.send_away()) {
            begun.end("the show has no such line any more".to_owned());
        }
    }

    /// The stream has ended; if it was not taken away before, the point is free, or whose turn it is.
    pub(crate) fn end(&self, hold: &Arc<Hold>, why: &dyn fmt::Display) {
        let mut place = lock(&self.place);
        if let Some(begun) = hold.leave() {
            begun.end(why.to_string());
        }
        place.next.take_if(|next| Arc::ptr_eq(next, hold));
        if place.holder.take_if(|held| Arc::ptr_eq(held, hold)).is_some()
            && let Some(next) = place.next.take()
        {
            self.step_up(&mut place, &next, Instant::now());
        }
    }
}

fn path_of(name: &PushPoint) -> String {
    format!("{}/{}", name.app, name.stream)
}

#[cfg(test)]
mod turns;

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
