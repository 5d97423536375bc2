//! The way from a connection into a line: what has arrived waits here to be decoded.
//!
//! A connection must never wait for a decoder, so a full queue drops frames up to
//! the next key frame; configurations are owed and come before it. Once the next
//! stream has begun, nothing of the one before is decoded any more.

mod arriving;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use codecs::{Frame, Pcm};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use media::{Packet, Time};

use crate::event::Level;
use crate::ingest::LineCounters;
use crate::ingest::iso::Iso;
use crate::ingest::lane::StreamParams;
use crate::ingest::wall::{By, Wall};
use crate::reporter::Reporter;
use crate::seldom::{Measure, Seldom};

pub(crate) use arriving::Arriving;

/// What may wait of a stream to be decoded: about five seconds. As much again may wait of the
/// streams before it, to be passed over.
const WAITING: usize = 512;

/// Bytes that may wait of packets, and of sound that is not coded: five seconds at 400 Mbit/s.
const BYTES_WAITING: usize = 256 << 20;

/// Pictures that may wait without being coded: at 1080p each is up to 8 MB.
const RAW_WAITING: usize = 8;

/// Places in the queue that packets leave free, so that a beginning and an end always
/// find one: nobody waits for a decoder that hangs.
const KEPT_FREE: usize = 8;

/// What a connection sends to its line.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// A stream begins; whoever sends it, as people know them.
    Started {
        from: String,
    },
    /// What one of its tracks is from here on.
    Params(StreamParams),
    Packet(Packet),
    /// A picture that needs no decoding.
    Frame(Frame),
    /// Sound that needs none.
    Sound(Pcm),
    /// At `pts` of the stream it was so late by a clock on the wall.
    Clock {
        pts: Time,
        wall: Wall,
        by: By,
    },
    /// It has ended, and why.
    Ended(String),
}

/// Where a line waits for what arrives. One stream at a time has it.
pub(crate) struct Intake {
    to_line: Sender<Arrival>,
    /// What may wait of one stream.
    places: usize,
    pub(crate) reporter: Reporter,
    /// The line's.
    pub(crate) counters: Arc<LineCounters>,
    /// That the line cannot keep up, whoever sends: a sender that is too fast is so all the time.
    overruns: Seldom,
    /// What is wrong with what comes.
    complaints: Seldom,
    taken: AtomicBool,
    /// Streams that have begun.
    begun: Arc<AtomicU64>,
    /// What records the line as it comes, if anything does.
    iso: Option<Iso>,
    /// Pictures in the queue that are not coded.
    raw: Arc<AtomicUsize>,
    /// Bytes in the queue, see [`Arrival::bytes`].
    bytes: Arc<AtomicUsize>,
}

impl Arrival {
    /// How much it holds of what has a bound in bytes.
    fn bytes(&self) -> usize {
        match self {
            Self::Packet(packet) => packet.data.len(),
            Self::Sound(sound) => size_of_val(&*sound.samples),
            _ => 0,
        }
    }
}

/// The line's end of its intake.
pub(crate) struct Arrivals {
    queue: Receiver<Arrival>,
    begun: Arc<AtomicU64>,
    /// The beginnings that were read.
    read: u64,
    raw: Arc<AtomicUsize>,
    bytes: Arc<AtomicUsize>,
}

impl Arrivals {
    /// What has arrived next, within `patience`. What waits of a stream that another has followed
    /// is passed over but for its end: a sender that comes back at once is not to wait for it.
    ///
    /// # Errors
    /// Nothing came, or nothing will.
    pub(crate) fn next(&mut self, patience: Duration) -> Result<Arrival, RecvTimeoutError> {
        let deadline = Instant::now() + patience;
        loop {
            let arrival = self.queue.recv_deadline(deadline)?;
            if let Some(arrival) = self.counted(arrival) {
                return Ok(arrival);
            }
        }
    }

    /// How much has arrived that was not read yet.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// What has arrived by now.
    pub(crate) fn next_at_hand(&mut self) -> Option<Arrival> {
        loop {
            let arrival = self.queue.try_recv().ok()?;
            if let Some(arrival) = self.counted(arrival) {
                return Some(arrival);
            }
        }
    }

    /// What was read, unless it is to be passed over.
    fn counted(&mut self, arrival: Arrival) -> Option<Arrival> {
        if matches!(arrival, Arrival::Frame(_)) {
            self.raw.fetch_sub(1, Ordering::AcqRel);
        }
        match arrival.bytes() {
            0 => {}
            bytes => _ = self.bytes.fetch_sub(bytes, Ordering::AcqRel),
        }
        match arrival {
            Arrival::Started { .. } => self.read += 1,
            Arrival::Params(_)
            | Arrival::Packet(_)
            | Arrival::Frame(_)
            | Arrival::Sound(_)
            | Arrival::Clock { .. }
                if self.begun.load(Ordering::Acquire) > self.read =>
            {
                return None;
            }
            _ => {}
        }
        Some(arrival)
    }
}

/// Why a stream cannot begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turned {
    /// Somebody sends already.
    Taken,
    /// What earlier ones sent still waits.
    Hangs,
}

impl Intake {
    /// An intake, and the end of it that the line reads.
    pub(crate) fn new(reporter: Reporter) -> (Self, Arrivals) {
        Self::with_places(WAITING, reporter)
    }

    fn with_places(places: usize, reporter: Reporter) -> (Self, Arrivals) {
        let (to_line, queue) = bounded(places.saturating_mul(2));
        let begun = Arc::new(AtomicU64::new(0));
        let (raw, bytes) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let arrivals = Arrivals {
            queue,
            begun: Arc::clone(&begun),
            read: 0,
            raw: Arc::clone(&raw),
            bytes: Arc::clone(&bytes),
        };
        let overruns = Seldom::new("line-overrun", Level::Warn, Measure::STRANGERS);
        let complaints = Seldom::new("decode-error", Level::Warn, Measure::DAMAGE);
        let taken = AtomicBool::new(false);
        let counters = Arc::default();
        let intake = Self {
            to_line,
            places,
            reporter,
            counters,
            overruns,
            complaints,
            taken,
            begun,
            iso: None,
            raw,
            bytes,
        };
        (intake, arrivals)
    }

    /// With the counters of its line.
    #[must_use]
    pub(crate) fn counted(self, counters: &Arc<LineCounters>) -> Self {
        Self { counters: Arc::clone(counters), ..self }
    }

    /// With a recording of all that comes.
    #[must_use]
    pub(crate) fn recorded(self, iso: Option<Iso>) -> Self {
        Self { iso, ..self }
    }

    /// Places left of the first so many in the line's queue. Only the one sender fills it, so
    /// there may be more a moment later, but never fewer.
    fn room(&self, of: usize) -> usize {
        of.saturating_sub(self.to_line.len())
    }

    /// Whether so many bytes more may wait. As [`room`](Self::room) says, it can only get better.
    fn holds(&self, more: usize) -> bool {
        self.bytes.load(Ordering::Acquire).saturating_add(more) <= BYTES_WAITING
    }

    /// Takes the intake for a stream, whose end is sure to find a place as well.
    pub(crate) fn begin(self: &Arc<Self>, from: String) -> Result<Arriving, Turned> {
        if self.taken.swap(true, Ordering::AcqRel) {
            return Err(Turned::Taken);
        }
        let all = self.places.saturating_mul(2);
        if self.room(all) < 2 {
            self.taken.store(false, Ordering::Release);
            return Err(Turned::Hangs);
        }
        let limit = all.min(self.to_line.len() + self.places);
        // Counted first: the line needs nothing any more of what waits before it.
        self.begun.fetch_add(1, Ordering::Release);
        // After the show's end nobody reads, and nobody minds.
        let _ = self.to_line.try_send(Arrival::Started { from });
        let intake = Arc::clone(self);
        let tap = self.iso.as_ref().and_then(Iso::begin);
        Ok(Arriving::new(intake, tap, limit))
    }
}

#[cfg(test)]
mod tests;
