//! Thumbnails: what each source and each channel shows, as a small JPEG, made while somebody asks
//! for it.
//!
//! Whoever asks leaves word at the source ([`Thumbs`]). At its next tick the show's thread hands on
//! what the source shows ([`ThumbDesk`]), shared and not copied, to a thread of its own ([`maker`]),
//! which scales it and packs it; all who have asked by then get the same. The tick waits for
//! nothing: where the maker is behind, the picture of a later tick is taken. While nobody asks,
//! nothing is done. What a channel shows is handed on by its composing thread ([`Glance`]), which
//! does not wait either; of a channel that carries another one's pictures, by that one's.
//!
//! Sources are what happens in the truck, before any channel, and who may ask for the status may
//! ask for them. A channel that has a key never goes out by this door, whether it is encrypted just
//! then or not.

mod desk;
mod maker;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use bytes::Bytes;
use media::{Span, Time};
use pipeline_dsl as dsl;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::command::Refused;
use crate::stage::StageMeter;

pub(crate) use desk::{At, Glance, ThumbDesk};

/// What is no older is good enough for whoever asks, so that a source costs no more than two
/// pictures a second, however many ask.
const FRESH: Span = Span::from_millis(500);
/// How long somebody who asks is kept waiting for a new one.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why there is none of a channel that has a key.
const SEALED: &str = "its channel is encrypted, and a thumbnail would show it to whoever has no key";
/// Why there is no new one.
const RESTS: &str = "none are made, since the engine does not keep up";

/// What somebody asks for, by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of<'a> {
    /// A camera, a scene or a filler.
    Source(&'a str),
    Channel(&'a str),
}

/// What a source has shown last.
#[derive(Clone, Default)]
struct Look {
    /// When, in show time; `None` if nobody has looked yet.
    at: Option<Time>,
    shown: Shown,
}

#[derive(Clone, Default)]
enum Shown {
    /// It had no picture.
    #[default]
    Nothing,
    Jpeg(Bytes),
    /// It could not be made.
    Failed(Arc<str>),
}

/// A source, and what it has shown last.
struct Slot {
    name: String,
    kind: Kind,
    wanted: AtomicBool,
    look: watch::Sender<Look>,
}

impl Slot {
    fn new((kind, name): (Kind, &str)) -> Arc<Self> {
        let (wanted, look) = (AtomicBool::new(false), watch::Sender::new(Look::default()));
        Arc::new(Self { name: name.to_owned(), kind, wanted, look })
    }
}

/// What a source is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Camera,
    Scene,
    Filler,
    Channel(Seal),
}

/// Whether a channel has a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seal {
    None,
    Key,
}

impl Of<'_> {
    fn is(self, slot: &Slot) -> bool {
        let is_channel = matches!(slot.kind, Kind::Channel(_));
        match self {
            Self::Source(name) => !is_channel && slot.name == name,
            Self::Channel(name) => is_channel && slot.name == name,
        }
    }

    /// There is nothing of this name among these.
    fn unknown(self, slots: &[Arc<Slot>]) -> Refused {
        let (code, word, name) = match self {
            Self::Source(name) => ("unknown-source", "source", name),
            Self::Channel(name) => ("unknown-channel", "channel", name),
        };
        let is_channel = |slot: &&Arc<Slot>| matches!(slot.kind, Kind::Channel(_));
        let wants_channel = matches!(self, Self::Channel(_));
        let named = slots.iter().filter(|slot| is_channel(slot) == wants_channel);
        let names: Vec<&str> = named.map(|slot| slot.name.as_str()).collect();
        Refused::new(code, format!("there is no {word} {name}"), &names)
    }
}

/// All that can be asked for, in the order of the show, channels last. A filler can have the name of
/// a camera: then the name is the camera's.
fn sources(show: &dsl::Show) -> Vec<(Kind, &str)> {
    let cameras = show.cameras.iter().map(|camera| (Kind::Camera, camera.name.as_str()));
    let scenes = show.scenes.iter().map(|scene| (Kind::Scene, scene.name.as_str()));
    let mut all: Vec<_> = cameras.chain(scenes).collect();
    for filler in &show.fillers {
        if !all.iter().any(|(_, name)| *name == filler.name) {
            all.push((Kind::Filler, &filler.name));
        }
    }
    let seal = |channel: &dsl::Channel| if channel.encrypt.is_some() { Seal::Key } else { Seal::None };
    all.extend(show.channels.iter().map(|channel| (Kind::Channel(seal(channel)), channel.name.as_str())));
    all
}

/// What somebody who asks is given.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// What the source showed at this time.
    Jpeg {
        /// The picture.
        jpeg: Bytes,
        /// Of the tick at this show time.
        at: Time,
        /// How long ago that is.
        age: Span,
        /// Why it may be old.
        why: Option<&'static str>,
    },
    /// There is no picture, and why.
    Nothing(&'static str),
}

/// Where word is left, and pictures lie ready.
pub(crate) struct Thumbs {
    /// `None` once the show is over.
    slots: RwLock<Option<Vec<Arc<Slot>>>>,
    clock: Arc<dyn Clock>,
    /// Somebody has asked since the show's thread looked.
    asked: AtomicBool,
    /// The engine does not keep up: none are made.
    rests: AtomicBool,
    /// Pictures that were made.
    made: AtomicU64,
    costs: StageMeter,
}

/// Somebody who has asked.
enum Asking {
    /// And need not wait.
    Served(Look),
    Waits(watch::Receiver<Look>),
}

impl Thumbs {
    fn new(show: &dsl::Show, clock: Arc<dyn Clock>) -> Self {
        Self {
            slots: RwLock::new(Some(sources(show).into_iter().map(Slot::new).collect())),
            clock,
            asked: AtomicBool::new(false),
            rests: AtomicBool::new(false),
            made: AtomicU64::new(0),
            costs: StageMeter::default(),
        }
    }

    fn slots(&self) -> RwLockReadGuard<'_, Option<Vec<Arc<Slot>>>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, slots: Option<Vec<Arc<Slot>>>) {
        *self.slots.write().unwrap_or_else(PoisonError::into_inner) = slots;
    }

    /// What a source or a channel shows: half a second old at the most, but where the engine is behind. While
    /// thumbnails rest it is the last that was made.
    ///
    /// # Errors
    /// There is none of this name, with the names there are; the channel is encrypted; the show is
    /// over; or the picture cannot be made.
    pub(crate) async fn ask(&self, of: Of<'_>) -> Result<Answer, Refused> {
        let look = match self.begin(of)? {
            Asking::Served(look) => look,
            Asking::Waits(mut looks) => {
                // Whether it came or not, and also if the show ended: what there is, is shown.
                let _ = tokio::time::timeout(PATIENCE, looks.changed()).await;
                looks.borrow().clone()
            }
        };
        let why = self.rests.load(Relaxed).then_some(RESTS);
        match (look.at, look.shown) {
            (Some(at), Shown::Jpeg(jpeg)) => Ok(Answer::Jpeg { jpeg, at, age: self.age(at), why }),
            (Some(_), Shown::Nothing) => Ok(Answer::Nothing("it has no picture")),
            (_, Shown::Failed(why)) => Err(Refused::new("thumbnail-failed", &*why, &[])),
            (None, _) => Ok(Answer::Nothing(why.unwrap_or("the show has not come to it within a second"))),
        }
    }

    fn begin(&self, of: Of<'_>) -> Result<Asking, Refused> {
        let slots = self.slots();
        let Some(slots) = &*slots else { return Err(Refused::new("ended", "the show is over", &[])) };
        let slot = slots.iter().find(|slot| of.is(slot)).ok_or_else(|| of.unknown(slots))?;
        if slot.kind == Kind::Channel(Seal::Key) {
            return Err(Refused::new("encrypted", SEALED, &[]));
        }
        self.asked.store(true, Relaxed);
        let mut looks = slot.look.subscribe();
        let last = looks.borrow_and_update().clone();
        if self.rests.load(Relaxed) || last.at.is_some_and(|at| self.age(at) < FRESH) {
            return Ok(Asking::Served(last));
        }
        slot.wanted.store(true, Relaxed);
        Ok(Asking::Waits(looks))
    }

    fn age(&self, at: Time) -> Span {
        (self.clock.now() - at).max(Span::ZERO)
    }
}
