//! A rung that copies: it sends the camera's own coded pictures, as long as that is what the channel
//! shows.
//!
//! Tick by tick it is decided whether they can be copied. Copying begins at a key frame of the line
//! that is on air, at the tick that shows it, and ends where something else is on air: another
//! line or camera, the filler, black, a mix, a picture that is damaged, or one that hangs on what
//! got lost. From there on the rung's own encoder stands in, in the camera's size, until the next
//! key frame. On both sides lies a key frame, and all other rungs have one at the same time.
//!
//! A picture's PTS is the time of the first tick that shows it, as in every other rung. In order of
//! decoding it is sent once it has been shown: what hangs on a picture that the channel left before
//! it was shown is left out.

mod heads;
mod restamp;
mod stand_in;

use std::sync::Arc;

use codecs::RungOutput;
use crossbeam_channel::{Receiver, Sender, bounded};
use media::{Key, Packet, Size, Span, Time, VideoParams};

use crate::channel::splice::Stretch;
use crate::ingest::buffer::LineBuffer;
use crate::ingest::coded::CodedPicture;
pub(crate) use heads::Heads;
use restamp::{Restamp, delay};
pub(crate) use stand_in::{StandIn, StandInSettings, StandInThread, open as open_stand_in};

/// Copied pictures that may wait for their rung: it reads them whatever else happens, as soon as
/// its last stretch has ended.
const WAITING: usize = 1024;
/// What stands in is encoded in the camera's size while that has no more pixels than so many
/// canvases, else in the canvas': whoever sends decides no more of what it costs.
const LARGEST: u64 = 4;
/// Encoders take no smaller side.
const SMALLEST: u32 = 16;
/// The other rungs have a key frame at least this often, whatever the camera does.
const SELDOMEST_KEY: Span = Span::from_secs(15);

/// What the line on air gives a rung to copy at a tick.
pub(crate) struct Copied<'a> {
    /// By which the line is known.
    pub(crate) line: &'a Arc<LineBuffer>,
    /// The camera's name and the line's.
    pub(crate) name: (&'a str, &'a str),
    /// What is shown with this tick, in order of decoding.
    pub(crate) pictures: &'a [CodedPicture],
}

/// What a copying rung gets of a tick.
pub(crate) enum CopiedPacket {
    /// A picture, stamped for the rung.
    Picture { params: Arc<VideoParams>, packet: Packet },
    /// None: those that come are not decoded before.
    Held { before: Time },
}

/// A stand-in encoder that has been opened.
pub(crate) struct Opened {
    pub(crate) params: VideoParams,
    pub(crate) packets: Receiver<RungOutput>,
}

/// What the composing thread does for a copying rung with a tick.
pub(crate) enum CopyWork {
    /// Nothing: its pictures are the camera's.
    Rests,
    /// Its picture is encoded. Where that begins, a new encoder is told to the rung.
    StandsIn { key: Key, begins: Option<Begin> },
}

/// A stretch of pictures that are encoded.
pub(crate) struct Begin {
    pub(crate) size: Size,
    pub(crate) to: Sender<Opened>,
}

/// What is decided of a tick.
pub(crate) struct CopyStep {
    /// Of all rungs of the channel.
    pub(crate) key: Key,
    /// What the copying rung is to be told, before this tick's work is handed on.
    pub(crate) stretch: Option<Stretch>,
    pub(crate) work: CopyWork,
}

/// Decides what a channel's copying rung sends, tick by tick.
pub(crate) struct CopyDesk {
    tick: Span,
    canvas: Size,
    /// What stands in is encoded in this size.
    size: Size,
    course: Course,
    last_key: Time,
}

enum Course {
    /// Before the first tick.
    Before,
    StandsIn,
    Copies(Copying),
}

/// Copying under way.
struct Copying {
    line: Arc<LineBuffer>,
    run: u64,
    restamp: Restamp,
    to: Sender<CopiedPacket>,
}

impl Copying {
    /// Whether this goes on from where it is.
    fn is_followed_by(&self, copied: &Copied<'_>) -> bool {
        Arc::ptr_eq(&self.line, copied.line) && copied.pictures.iter().all(|one| one.run == self.run)
    }

    fn send<'p>(&mut self, pictures: impl Iterator<Item = &'p CodedPicture>) {
        let pictures: Vec<&CodedPicture> = pictures.collect();
        self.restamp.shown(pictures.iter().map(|one| one.packet.pts));
        for CodedPicture { params, packet, .. } in pictures {
            let packet = self.restamp.stamp(packet.clone());
            // Whoever has failed takes none.
            let _ = self.to.send(CopiedPacket::Picture { params: Arc::clone(params), packet });
        }
    }

    /// Nothing new is shown at the tick at `at`, and nothing waits that was: what comes is shown
    /// after it. Not at the next one at the earliest: a camera faster than the show has pictures
    /// between the two, and any camera has whose late picture comes together with the one behind it.
    fn hold(&self, at: Time, tick: Span) {
        if !self.line.coded.waits() {
            let _ = self.to.send(CopiedPacket::Held { before: at - delay(tick) });
        }
    }
}

impl CopyDesk {
    /// For a channel of a show with such ticks and this canvas.
    pub(crate) fn new(tick: Span, canvas: Size) -> Self {
        Self { tick, canvas, size: canvas, course: Course::Before, last_key: Time::ZERO }
    }

    /// Decides the tick at `at`. `wanted` is whether the channel would have a key frame there, and
    /// `copied` what is on air if that can be copied.
    pub(crate) fn tick(&mut self, at: Time, wanted: Key, copied: Option<&Copied<'_>>) -> CopyStep {
        let step = self.decide(at, wanted, copied);
        if step.key == Key::Frame {
            self.last_key = at;
        }
        step
    }

    fn decide(&mut self, at: Time, wanted: Key, copied: Option<&Copied<'_>>) -> CopyStep {
        let is_key = |one: &CodedPicture| one.packet.key == Key::Frame && one.packet.pts == at;
        if let (Course::Copies(copying), Some(copied)) = (&mut self.course, copied)
            && copying.is_followed_by(copied)
        {
            match copied.pictures {
                [] => copying.hold(at, self.tick),
                pictures => copying.send(pictures.iter()),
            }
            let is_due = copied.pictures.iter().any(is_key) || at - self.last_key >= SELDOMEST_KEY;
            let key = if is_due { Key::Frame } else { Key::Delta };
            return CopyStep { key, stretch: None, work: CopyWork::Rests };
        }
        if let Some(copied) = copied
            && let Some(first) = copied.pictures.iter().rposition(is_key)
        {
            let stretch = self.copy(at, copied, first);
            return CopyStep { key: Key::Frame, stretch: Some(stretch), work: CopyWork::Rests };
        }
        if matches!(self.course, Course::StandsIn) {
            let work = CopyWork::StandsIn { key: wanted, begins: None };
            return CopyStep { key: wanted, stretch: None, work };
        }
        // What was copied last has its end with this.
        self.course = Course::StandsIn;
        let (to, opened) = bounded(1);
        let begins = Some(Begin { size: self.size, to });
        let work = CopyWork::StandsIn { key: Key::Frame, begins };
        CopyStep { key: Key::Frame, stretch: Some(Stretch::StandIn(opened)), work }
    }

    /// Copying begins with the key frame at place `first`, which is shown at `at`.
    fn copy(&mut self, at: Time, copied: &Copied<'_>, first: usize) -> Stretch {
        let (to, packets) = bounded(WAITING);
        let pictures = copied.pictures.get(first..).unwrap_or_default();
        let run = pictures.first().map_or(0, |one| one.run);
        let size = pictures.first().and_then(|one| one.params.size);
        let can_be = |size: &Size| {
            size.area() <= LARGEST * self.canvas.area() && size.width.min(size.height) >= SMALLEST
        };
        self.size = size.filter(can_be).unwrap_or(self.canvas);
        let mut copying =
            Copying { line: Arc::clone(copied.line), run, restamp: Restamp::new(self.tick), to };
        // Pictures may follow it that are shown before it, and hang on others before it.
        copying.send(pictures.iter().filter(|one| one.packet.pts >= at));
        self.course = Course::Copies(copying);
        let (camera, line) = copied.name;
        Stretch::Copied { from: Arc::from(format!("{camera}/{line}").as_str()), packets }
    }
}

#[cfg(test)]
mod tests;
