//! Sources: packets or frames that the program itself hands in, by a name the show knows.

mod held;
mod live;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use codecs::{Frame, Pcm};
use media::{AudioParams, Packet, Time, Track, VideoParams};

use crate::ingest::lane::StreamParams;
pub(crate) use crate::ingest::source::held::{HeldEnd, HeldLine};
pub(crate) use crate::ingest::source::live::LiveEnd;

/// Packets or frames of the program's own, for a line that says `source NAME`.
///
/// The engine runs it on a thread of its own while the show runs. It is implemented for
/// closures that take a [`SourceHandle`].
pub trait Source: Send + 'static {
    /// Hands in what there is until there is no more, or a call says [`SourceError::Over`].
    /// Returning ends the stream.
    fn run(self: Box<Self>, to: SourceHandle);
}

impl<F: FnOnce(SourceHandle) + Send + 'static> Source for F {
    fn run(self: Box<Self>, to: SourceHandle) {
        self(to);
    }
}

/// What a source gives. An offline show waits for each track that it is told of; what is handed in of
/// another is [`SourceError::Unregistered`], in any show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SourceTracks {
    /// Pictures and sound.
    Both,
    /// Pictures only.
    Pictures,
    /// Sound only.
    Sound,
}

impl SourceTracks {
    fn has(self, track: Track) -> bool {
        match self {
            Self::Both => true,
            Self::Pictures => track == Track::Video,
            Self::Sound => track == Track::Audio,
        }
    }
}

/// What became of something that was handed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handed {
    /// It goes on air when its time has come, if the line is on air then.
    Taken,
    /// The line is too far behind, and it is lost; of coded pictures, all up to the next key frame.
    Dropped,
}

/// Why nothing can be handed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SourceError {
    /// No show that has a line for it has started yet.
    #[error("no show has started that has a line for this source")]
    NotStarted,
    /// The show is over, or an offline show's line has been told of its end.
    #[error("the show is over, or this source has ended in an offline one")]
    Over,
    /// The source is registered without pictures, or without sound.
    #[error("the source is registered without {}, see `SourceTracks`", of(.0))]
    Unregistered(Track),
}

fn of(track: &Track) -> &'static str {
    match track {
        Track::Video => "pictures",
        Track::Audio => "sound",
    }
}

/// What is wrong with a picture that is not coded and does not follow the last one.
pub(crate) fn goes_back(pts: Time, last: Time) -> String {
    format!("a picture at {pts} is not later than the one before it, at {last}")
}

/// Where a source hands in what it has; a clone is the same source.
///
/// Time stamps are the source's own: any zero, any clock. A live show maps them on its timeline
/// as it does with every line, where the first picture is shown as it comes; in an offline show
/// the first picture is at the show's beginning. Pictures and sound share one clock, and stand
/// side by side: what is handed in of one is not to lead the other by more than a second.
///
/// In a live show no call waits: what there is no room for is [`Handed::Dropped`]. In an offline
/// show each call waits until there is room, and nothing is ever dropped.
///
/// Packets of a track need its parameters first, and again when they change. Frames and samples
/// need none: they may be of any size, format, rate and layout, and are made right for the show.
#[derive(Clone)]
pub struct SourceHandle {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    tracks: SourceTracks,
    end: Mutex<End>,
}

/// What is at the other end of a handle.
enum End {
    /// Nothing yet.
    NotStarted,
    Live(LiveEnd),
    Held(HeldEnd),
    Over,
}

/// What can be handed in.
pub(crate) enum Piece {
    Params(StreamParams),
    Packet(Packet),
    Frame(Frame),
    Sound(Pcm),
}

impl Piece {
    fn track(&self) -> Track {
        match self {
            Self::Params(params) => params.track(),
            Self::Packet(packet) => packet.track,
            Self::Frame(_) => Track::Video,
            Self::Sound(_) => Track::Audio,
        }
    }
}

impl fmt::Debug for SourceHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceHandle").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

impl SourceHandle {
    fn new(name: String, tracks: SourceTracks) -> Self {
        Self { shared: Arc::new(Shared { name, tracks, end: Mutex::new(End::NotStarted) }) }
    }

    fn lock(&self) -> MutexGuard<'_, End> {
        self.shared.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name it is registered by.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// What its packets of pictures are from here on.
    ///
    /// # Errors
    /// No show runs that takes them, or the source is registered without pictures.
    pub fn video_params(&self, params: VideoParams) -> Result<Handed, SourceError> {
        self.hand(Piece::Params(StreamParams::Video(params)))
    }

    /// What its packets of sound are from here on.
    ///
    /// # Errors
    /// As [`video_params`](Self::video_params), of sound.
    pub fn audio_params(&self, params: AudioParams) -> Result<Handed, SourceError> {
        self.hand(Piece::Params(StreamParams::Audio(params)))
    }

    /// A coded picture or block of sound, in the order of decoding.
    ///
    /// # Errors
    /// As [`video_params`](Self::video_params).
    pub fn packet(&self, packet: Packet) -> Result<Handed, SourceError> {
        self.hand(Piece::Packet(packet))
    }

    /// A picture, later than the one before. One of the canvas's size in 4:2:0, BT.709 and
    /// limited range (any [`PictureMut`](codecs::PictureMut) is) goes on air without a copy;
    /// pixels in other formats come by [`RawPicture`](codecs::RawPicture).
    ///
    /// # Errors
    /// As [`video_params`](Self::video_params).
    pub fn frame(&self, frame: Frame) -> Result<Handed, SourceError> {
        self.hand(Piece::Frame(frame))
    }

    /// A block of sound, which follows the one before.
    ///
    /// # Errors
    /// As [`video_params`](Self::video_params).
    pub fn sound(&self, sound: Pcm) -> Result<Handed, SourceError> {
        self.hand(Piece::Sound(sound))
    }

    /// The stream ends here. In a live show another may begin: with what is handed in next. In
    /// an offline show the line has ended.
    pub fn end(&self) {
        let mut end = self.lock();
        match &mut *end {
            End::Live(live) => live.end("the source has ended"),
            // Whoever waits to hand something in holds on to its queue until it has.
            End::Held(_) => *end = End::Over,
            End::NotStarted | End::Over => {}
        }
    }

    /// Whether nothing can be handed in any more.
    pub fn is_over(&self) -> bool {
        match &*self.lock() {
            End::Over => true,
            End::Live(live) => live.is_over(),
            End::Held(held) => held.is_over(),
            End::NotStarted => false,
        }
    }

    fn hand(&self, piece: Piece) -> Result<Handed, SourceError> {
        let track = piece.track();
        if !self.shared.tracks.has(track) {
            return Err(SourceError::Unregistered(track));
        }
        let mut end = self.lock();
        match &mut *end {
            End::NotStarted => Err(SourceError::NotStarted),
            End::Over => Err(SourceError::Over),
            End::Live(live) => {
                let handed = live.hand(piece);
                if handed.is_err() {
                    *end = End::Over;
                }
                handed
            }
            End::Held(held) => {
                let queue = held.queue(&piece)?;
                // It may wait, and others may have the other track.
                drop(end);
                queue.send(piece).map_err(|_| SourceError::Over)?;
                Ok(Handed::Taken)
            }
        }
    }
}

/// Without anyone who could hand in more, the stream has ended.
impl Drop for Shared {
    fn drop(&mut self) {
        if let End::Live(live) = self.end.get_mut().unwrap_or_else(PoisonError::into_inner) {
            live.end("the source is gone");
        }
    }
}

/// The sources a show may name, as [`RunOptions::sources`](crate::RunOptions::sources) has them.
/// Each goes to one line of one show, also of one that then does not start: a clone shares them.
#[derive(Clone, Default)]
pub struct Sources {
    all: BTreeMap<String, Arc<Mutex<Option<Registered>>>>,
}

/// Why a line does not get a source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NotHad {
    /// None has this name.
    Unknown,
    /// Another line has it, or one of another show.
    Taken,
}

/// A source until a show takes it.
pub(crate) struct Registered {
    pub(crate) handle: SourceHandle,
    pub(crate) tracks: SourceTracks,
    /// What hands in by itself.
    pub(crate) runs: Option<Box<dyn Source>>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.all.keys()).finish()
    }
}

impl Sources {
    /// Registers a source that runs on a thread of its own while the show does. One of the same
    /// name takes the place of an earlier one.
    pub fn add(&mut self, name: impl Into<String>, tracks: SourceTracks, source: impl Source) {
        self.insert(name.into(), tracks, Some(Box::new(source)));
    }

    /// Registers a source that is handed in from elsewhere, by what this returns.
    pub fn handle(&mut self, name: impl Into<String>, tracks: SourceTracks) -> SourceHandle {
        self.insert(name.into(), tracks, None)
    }

    fn insert(&mut self, name: String, tracks: SourceTracks, runs: Option<Box<dyn Source>>) -> SourceHandle {
        let handle = SourceHandle::new(name.clone(), tracks);
        let registered = Registered { handle: handle.clone(), tracks, runs };
        self.all.insert(name, Arc::new(Mutex::new(Some(registered))));
        handle
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }

    /// Takes one for a line.
    pub(crate) fn take(&self, name: &str) -> Result<Registered, NotHad> {
        let place = self.all.get(name).ok_or(NotHad::Unknown)?;
        place.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(NotHad::Taken)
    }
}

/// What a source does on its thread.
pub(crate) type Runs = Box<dyn FnOnce() + Send>;

/// Ends the stream whatever way a source's thread goes.
struct EndOfSource(SourceHandle);

impl Drop for EndOfSource {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Registered {
    /// Connects the handle to a line. Gives what runs on a thread, if it is one that does.
    pub(crate) fn connect_live(self, end: LiveEnd) -> Option<Runs> {
        self.connect(End::Live(end))
    }

    /// As [`connect_live`](Self::connect_live), to an offline show's line.
    pub(crate) fn connect_held(self, end: HeldEnd) -> Option<Runs> {
        self.connect(End::Held(end))
    }

    fn connect(self, end: End) -> Option<Runs> {
        *self.handle.lock() = end;
        let handle = self.handle;
        self.runs.map(|source| {
            let runs = move || {
                let ended = EndOfSource(handle.clone());
                source.run(handle);
                drop(ended);
            };
            Box::new(runs) as Runs
        })
    }
}
