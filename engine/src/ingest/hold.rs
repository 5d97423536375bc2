//! A stream that has a push point, or waits for its turn there.
//!
//! Who waits is kept no more of than what its first picture needs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flv::audio::AudioHeader;
use flv::video::VideoHeader;
use flv::{Tag, TagKind};
use tokio::sync::Notify;

use crate::ingest::intake::Arriving;
use crate::ingest::network::Network;
use crate::ingest::unpack::Unpacker;

/// One that sends, but no key frame for so long, never will: it is sound alone, or refreshes its
/// pictures bit by bit.
const KEY_BY: Duration = Duration::from_secs(3);

/// A stream at its point.
pub(crate) struct Hold {
    pub(crate) from: SocketAddr,
    state: Mutex<State>,
    /// Rung when somebody has taken over: the connection looks after its holds then.
    bell: Arc<Notify>,
}

enum State {
    /// Another one is on the line until this one's first picture.
    Waits(Headers),
    /// Its tags go to the line.
    Has(Box<Begun>),
    /// It has ended, or somebody else has the point,
    Gone,
    /// or its line is in the show no more.
    SentAway,
}

/// What of a stream that waits is needed with its first picture.
#[derive(Default)]
struct Headers {
    metadata: Option<Tag>,
    pictures: Option<Tag>,
    sound: Option<Tag>,
    /// When the first came that is none of these.
    since: Option<Instant>,
}

/// What became of a tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Got {
    /// It went where it had to.
    Taken,
    /// The stream waits, and this is no picture to begin with.
    Kept,
    /// The stream waits, and with this tag it can begin.
    Picture,
}

/// A stream that arrives at the line.
pub(crate) struct Begun {
    arriving: Arriving,
    unpacker: Unpacker,
    heard: Instant,
}

impl Begun {
    pub(crate) fn new(arriving: Arriving, now: Instant) -> Self {
        Self { arriving, unpacker: Unpacker::default(), heard: now }
    }

    fn tag(&mut self, tag: &Tag, now: Instant) {
        self.heard = now;
        self.arriving.tag(tag, &mut self.unpacker);
    }

    pub(crate) fn end(self, why: String) {
        self.arriving.end(why);
    }
}

impl Headers {
    fn look_at(&mut self, tag: &Tag, now: Instant) -> Got {
        let slot = match tag.kind {
            TagKind::Script => {
                self.metadata.get_or_insert_with(|| tag.clone());
                return Got::Kept;
            }
            TagKind::Video => {
                match VideoHeader::parse(tag.body()).and_then(|h| h.default_track(tag.body())) {
                    Ok(Some((header, _))) if header.is_sequence_start() => &mut self.pictures,
                    Ok(Some((header, _))) if header.is_key_frame() => return Got::Picture,
                    // Of another track than the one that is shown.
                    Ok(None) => return Got::Kept,
                    _ => return self.frame(now),
                }
            }
            TagKind::Audio => {
                match AudioHeader::parse(tag.body()).and_then(|h| h.default_track(tag.body())) {
                    Ok(Some((header, _))) if header.is_sequence_start() => &mut self.sound,
                    Ok(None) => return Got::Kept,
                    _ => return self.frame(now),
                }
            }
        };
        *slot = Some(tag.clone());
        Got::Kept
    }

    fn frame(&mut self, now: Instant) -> Got {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) < KEY_BY { Got::Kept } else { Got::Picture }
    }
}

impl Hold {
    /// One that waits for its turn.
    pub(crate) fn waiting(from: SocketAddr, bell: &Arc<Notify>) -> Self {
        Self { from, state: Mutex::new(State::Waits(Headers::default())), bell: Arc::clone(bell) }
    }

    /// It is its turn: what it sends goes to the line, beginning with its headers.
    pub(crate) fn begin(&self, mut begun: Begun, now: Instant) {
        let mut state = lock(&self.state);
        if let State::Waits(Headers { metadata, pictures, sound, .. }) = &mut *state {
            for tag in [metadata, pictures, sound].into_iter().flatten() {
                begun.tag(tag, now);
            }
        }
        *state = State::Has(Box::new(begun));
    }

    /// Hands on what is in a tag, as far as it is its turn.
    pub(crate) fn tag(&self, tag: &Tag, now: Instant) -> Got {
        match &mut *lock(&self.state) {
            State::Waits(headers) => headers.look_at(tag, now),
            State::Has(begun) => {
                begun.tag(tag, now);
                Got::Taken
            }
            State::Gone | State::SentAway => Got::Taken,
        }
    }

    /// What the connection knows of its network, if its tags go to the line.
    pub(crate) fn network_is(&self, network: Network) {
        if let State::Has(begun) = &*lock(&self.state) {
            begun.arriving.network_is(network);
        }
    }

    /// Since when nothing has come; `None` for one whose tags do not go to the line.
    pub(crate) fn silent(&self, now: Instant) -> Option<Duration> {
        match &*lock(&self.state) {
            State::Has(begun) => Some(now.saturating_duration_since(begun.heard)),
            State::Waits(_) | State::Gone | State::SentAway => None,
        }
    }

    fn turn(&self, state: State) -> Option<Begun> {
        match std::mem::replace(&mut *lock(&self.state), state) {
            State::Has(begun) => Some(*begun),
            State::Waits(_) | State::Gone | State::SentAway => None,
        }
    }

    /// It goes by itself. Gives what is to be ended at the line.
    pub(crate) fn leave(&self) -> Option<Begun> {
        self.turn(State::Gone)
    }

    /// It has to go, and its connection is told.
    pub(crate) fn dismiss(&self) -> Option<Begun> {
        let begun = self.turn(State::Gone);
        self.bell.notify_one();
        begun
    }

    /// Its line is in the show no more, and its connection is told so.
    pub(crate) fn send_away(&self) -> Option<Begun> {
        let begun = self.turn(State::SentAway);
        self.bell.notify_one();
        begun
    }

    /// Whether it has its point no more, nor waits for it.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(*lock(&self.state), State::Gone | State::SentAway)
    }

    /// Whether that is so because its line is in the show no more.
    pub(crate) fn is_sent_away(&self) -> bool {
        matches!(*lock(&self.state), State::SentAway)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
