//! The tick's side: what is wanted is handed to the maker, and nothing is waited for.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;

use codecs::Picture;
use crossbeam_channel::{Sender, TrySendError, bounded};
use media::{Span, Time};
use pipeline_dsl as dsl;
use scheduling::{ChannelIx, SceneIx};

use super::maker::{self, Job};
use super::{FRESH, Kind, Slot, Thumbs, sources};
use crate::channel::marks::RungMarks;
use crate::channel::scene::Seen;
use crate::clock::Clock;
use crate::event::Level;
use crate::reporter::Reporter;
use crate::stage::{Besides, StageReading};
use crate::start::{Place, StartError};
use crate::status::ThumbnailStatus;

/// Pictures that may wait for the maker: each is a whole canvas.
const WAITING: usize = 2;
/// Who has asked within this time asks again.
const ASKING: Span = Span::from_secs(5);

/// Where a source is among the show's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum At {
    Camera(usize),
    Scene(SceneIx),
    Filler(usize),
}

/// Where something that can be asked for is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    Source(At),
    Channel(ChannelIx),
}

/// Somebody wants to see what a channel shows at a tick. For whoever composes that.
pub(crate) struct Glance {
    slot: Arc<Slot>,
    to_maker: Sender<Job>,
}

impl Glance {
    /// The canvas at `at`, and what is still to be laid over the rungs' pictures.
    pub(crate) fn take(self, at: Time, picture: &Picture, marks: Option<&Arc<RungMarks>>) {
        self.hand_on(at, Some(Seen::Picture(picture.clone())), marks.map(Arc::clone));
    }

    /// It has not begun, or is over.
    pub(crate) fn nothing(self, at: Time) {
        self.hand_on(at, None, None);
    }

    fn hand_on(self, at: Time, seen: Option<Seen>, marks: Option<Arc<RungMarks>>) {
        let job = Job { slot: Arc::clone(&self.slot), at, seen, marks };
        if self.to_maker.try_send(job).is_err() {
            // The picture of a later tick will do.
            self.slot.wanted.store(true, Relaxed);
        }
    }
}

struct Source {
    at: Found,
    slot: Arc<Slot>,
    /// When a picture of it was handed on last.
    last: Option<Time>,
}

impl Source {
    /// Whether it is wanted at the tick at `at`, and its last picture is not fresh.
    fn is_due(&self, at: Time) -> bool {
        self.last.is_none_or(|last| at - last >= FRESH) && self.slot.wanted.load(Relaxed)
    }
}

/// The show's thread hands pictures on from here.
pub(crate) struct ThumbDesk {
    thumbs: Arc<Thumbs>,
    sources: Vec<Source>,
    /// Whose turn it is.
    next: usize,
    /// When somebody asked last.
    asked: Option<Time>,
    to_maker: Option<Sender<Job>>,
    maker: Option<JoinHandle<()>>,
    reporter: Reporter,
    costs: StageReading,
}

impl ThumbDesk {
    /// For a show that has not begun, with a maker that waits.
    pub(crate) fn open(show: &dsl::Show, clock: Arc<dyn Clock>, place: &Place) -> Result<Self, StartError> {
        let (to_maker, jobs) = bounded(WAITING);
        let mut desk = Self::new(Thumbs::new(show, clock), show, to_maker, place.reporter.of("thumbnails"));
        let (thumbs, mode) = (Arc::clone(&desk.thumbs), place.mode);
        desk.maker = Some(place.spawn("thumbnails".to_owned(), move || maker::run(&jobs, &thumbs, mode))?);
        Ok(desk)
    }

    fn new(thumbs: Thumbs, show: &dsl::Show, to_maker: Sender<Job>, reporter: Reporter) -> Self {
        let mut desk = Self {
            thumbs: Arc::new(thumbs),
            sources: Vec::new(),
            next: 0,
            asked: None,
            to_maker: Some(to_maker),
            maker: None,
            reporter,
            costs: StageReading::default(),
        };
        desk.rearrange(show);
        desk
    }

    /// Where word is left.
    pub(crate) fn thumbs(&self) -> &Arc<Thumbs> {
        &self.thumbs
    }

    /// Other sources from now on; those that stay keep what they have shown.
    pub(crate) fn rearrange(&mut self, show: &dsl::Show) {
        let old = self.thumbs.slots().clone().unwrap_or_default();
        let (mut slots, mut places) = (Vec::new(), Vec::new());
        for (kind, name) in sources(show) {
            let source = |at: Option<At>| at.map(Found::Source);
            let at = match kind {
                Kind::Camera => source(show.cameras.iter().position(|one| one.name == name).map(At::Camera)),
                Kind::Scene => {
                    let place = show.scenes.iter().position(|one| one.name == name);
                    source(place.map(SceneIx).map(At::Scene))
                }
                Kind::Filler => source(show.fillers.iter().position(|one| one.name == name).map(At::Filler)),
                Kind::Channel(_) => {
                    let place = show.channels.iter().position(|one| one.name == name);
                    place.map(ChannelIx).map(Found::Channel)
                }
            };
            // It was taken from there.
            let Some(at) = at else { continue };
            let before = old.iter().find(|slot| slot.kind == kind && slot.name == name);
            let slot = before.map_or_else(|| Slot::new((kind, name)), Arc::clone);
            let last = self.sources.iter().find(|source| Arc::ptr_eq(&source.slot, &slot));
            places.push(Source { at, slot: Arc::clone(&slot), last: last.and_then(|source| source.last) });
            slots.push(slot);
        }
        (self.sources, self.next) = (places, 0);
        self.thumbs.set(Some(slots));
    }

    /// Hears at the tick at `at` whether somebody has asked.
    pub(crate) fn listen(&mut self, at: Time) {
        if self.thumbs.asked.load(Relaxed) && self.thumbs.asked.swap(false, Relaxed) {
            self.asked = Some(at);
        }
        if self.asked.is_some_and(|asked| at - asked > ASKING) {
            self.asked = None;
        }
    }

    /// Whether somebody asks.
    pub(crate) const fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// None are made from now on.
    pub(crate) fn rest(&self) {
        self.thumbs.rests.store(true, Relaxed);
    }

    /// They are made again.
    pub(crate) fn resume(&self) {
        self.thumbs.rests.store(false, Relaxed);
    }

    /// Which channels somebody wants to see at the tick at `at`.
    pub(crate) fn glances(&mut self, at: Time) -> Vec<(ChannelIx, Glance)> {
        let (Some(_), Some(maker)) = (self.asked, &self.to_maker) else { return Vec::new() };
        if self.thumbs.rests.load(Relaxed) {
            return Vec::new();
        }
        let due = self.sources.iter_mut().filter_map(|source| {
            let Found::Channel(channel) = source.at else { return None };
            if !source.is_due(at) {
                return None;
            }
            source.slot.wanted.store(false, Relaxed);
            source.last = Some(at);
            Some((channel, Glance { slot: Arc::clone(&source.slot), to_maker: maker.clone() }))
        });
        due.collect()
    }

    /// Hands on what is wanted of the sources at the tick at `at`; `seen` says what one shows then.
    pub(crate) fn tick(&mut self, at: Time, seen: impl Fn(At) -> Option<Seen>) {
        let (Some(_), Some(maker)) = (self.asked, &self.to_maker) else { return };
        if self.thumbs.rests.load(Relaxed) {
            return;
        }
        let mut refused = None;
        for step in 0..self.sources.len() {
            let ix = (self.next + step) % self.sources.len();
            let Some(source) = self.sources.get_mut(ix) else { continue };
            let Found::Source(of) = source.at else { continue };
            if !source.is_due(at) {
                continue;
            }
            // Who asks from here on asks for another one.
            source.slot.wanted.store(false, Relaxed);
            match maker.try_send(Job { slot: Arc::clone(&source.slot), at, seen: seen(of), marks: None }) {
                Ok(()) => source.last = Some(at),
                Err(refusal) => {
                    source.slot.wanted.store(true, Relaxed);
                    // It is the first at a later tick.
                    self.next = ix;
                    refused = Some(refusal);
                    break;
                }
            }
        }
        if let Some(TrySendError::Disconnected(_)) = refused {
            self.to_maker = None;
            let message = "their thread panicked, and there are no more: this is our bug";
            self.reporter.event(Level::Warn, "thumbnails-failed", message);
        }
    }

    /// Once a second.
    pub(crate) fn measure(&mut self, seconds: f64) {
        let waiting = self.to_maker.as_ref().map_or(0, Sender::len) as u64;
        self.costs.measure(&self.thumbs.costs, Besides { cpu: 0, queue: (waiting, waiting) }, seconds);
    }

    pub(crate) fn status(&self) -> ThumbnailStatus {
        ThumbnailStatus {
            asked: self.is_asked(),
            made: self.thumbs.made.load(Relaxed),
            stage: self.costs.status(),
        }
    }

    /// The show is over: nobody waits any more.
    pub(crate) fn close(&mut self) {
        self.thumbs.set(None);
        (self.to_maker, self.sources) = (None, Vec::new());
        if let Some(maker) = self.maker.take() {
            // One that panicked has been told of.
            let _ = maker.join();
        }
    }
}

impl Drop for ThumbDesk {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
