//! What is counted of a line: written by its threads, read by status and report.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use media::{Span, Time};

use crate::ingest::network::Network;
use crate::ingest::stamps::Standing;
use crate::stage::StageMeter;

/// Where a live line's time lies.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Timing {
    /// How long its material is to wait.
    pub(crate) buffer: Option<Span>,
    /// Its clock beside the show's, while it has a stream.
    pub(crate) standing: Option<Standing>,
    /// How much later than the quickest line it could be shown, where both tell the time of day.
    pub(crate) behind: Option<Span>,
}

impl Timing {
    /// To a tenth.
    pub(crate) fn drift_ppm(&self) -> Option<f64> {
        self.standing?.drift_ppm.map(|ppm| (ppm * 10.0).round() / 10.0)
    }
}

/// Counters of a line, written by its threads and read by status and report.
#[derive(Debug, Default)]
pub(crate) struct LineCounters {
    packets: AtomicU64,
    bytes: AtomicU64,
    pictures: AtomicU64,
    /// An encoder is connected, or the file is open.
    connected: AtomicBool,
    /// We call, and nobody has answered yet.
    calling: AtomicBool,
    /// Somebody sends live, and no picture has come of it yet.
    awaiting: AtomicBool,
    /// Packets and pictures that could not be decoded.
    errors: AtomicU64,
    keys: Mutex<KeyFrames>,
    network: Mutex<Option<Network>>,
    timing: Mutex<Timing>,
    /// Since when a file runs.
    since: Mutex<Option<Time>>,
    /// What decoding costs.
    pub(crate) stage: StageMeter,
}

/// Key frames further apart than this lie on either side of a jump.
const FURTHEST_KEYS: Span = Span::from_secs(60);

/// How far a stream's key frames lie apart.
#[derive(Clone, Copy, Default, Debug)]
struct KeyFrames {
    last: Option<Time>,
    interval: Option<Span>,
}

impl LineCounters {
    /// Notes where its time lies.
    pub(crate) fn time(&self, note: impl FnOnce(&mut Timing)) {
        note(&mut self.timing.lock().unwrap_or_else(PoisonError::into_inner));
    }
    pub(crate) fn timing(&self) -> Timing {
        *self.timing.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Its file has run since this show time.
    pub(crate) fn runs_since(&self, since: Time) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Some(since);
    }
    /// Since when, in show time, its file has run; `None` if it is none, or has not begun.
    pub(crate) fn since(&self) -> Option<Time> {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(crate) fn count(&self, bytes: usize) {
        self.packets.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
    /// The last packet stands for one that has so many bytes more.
    pub(crate) fn weigh(&self, more: u64) {
        self.bytes.fetch_add(more, Ordering::Relaxed);
    }
    /// A picture was decoded.
    pub(crate) fn picture(&self) {
        self.pictures.fetch_add(1, Ordering::Relaxed);
        self.awaiting.store(false, Ordering::Relaxed);
    }
    pub(crate) fn pictures(&self) -> u64 {
        self.pictures.load(Ordering::Relaxed)
    }
    pub(crate) fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
    /// A key frame of the stream came, at this time of its own.
    pub(crate) fn key_frame(&self, dts: Time) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that jumped tells nothing of how far they lie apart.
        let since = keys.last.replace(dts).map(|last| dts - last);
        keys.interval = since.filter(|since| *since > Span::ZERO && *since <= FURTHEST_KEYS);
    }
    /// Between the last two key frames of the stream that comes, or came last; `None` across a jump.
    pub(crate) fn key_interval(&self) -> Option<Span> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).interval
    }
    /// Something could not be decoded.
    pub(crate) fn error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }
    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }
    /// What the wire tells of its network; the next connection tells anew.
    pub(crate) fn network_is(&self, network: Option<Network>) {
        *self.network.lock().unwrap_or_else(PoisonError::into_inner) = network;
    }
    pub(crate) fn network(&self) -> Network {
        self.network.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_default()
    }
    pub(crate) fn connect(&self) {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = KeyFrames::default();
        self.connected.store(true, Ordering::Relaxed);
    }
    pub(crate) fn disconnect(&self) {
        self.connected.store(false, Ordering::Relaxed);
        self.awaiting.store(false, Ordering::Relaxed);
    }
    /// A live stream begins, whose pictures are awaited.
    pub(crate) fn connect_live(&self) {
        self.connect();
        self.network_is(None);
        self.awaiting.store(true, Ordering::Relaxed);
    }
    /// We begin to call whoever has the stream.
    pub(crate) fn call(&self) {
        self.calling.store(true, Ordering::Relaxed);
    }
    /// Nobody is called any more.
    pub(crate) fn hang_up(&self) {
        self.calling.store(false, Ordering::Relaxed);
    }
    /// Its sound has come, which is all there is of it.
    pub(crate) fn sounds(&self) {
        self.awaiting.store(false, Ordering::Relaxed);
    }
    /// Whether pictures are on their way: called for, or due from somebody who has connected.
    pub(crate) fn is_on_its_way(&self) -> bool {
        match self.is_connected() {
            true => self.awaiting.load(Ordering::Relaxed),
            false => self.calling.load(Ordering::Relaxed),
        }
    }
    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_tells_nothing_of_how_far_key_frames_lie_apart() {
        let counters = LineCounters::default();
        let after = |ms| {
            counters.key_frame(Time::from_millis(ms));
            counters.key_interval().map(|apart| apart.as_secs_f64())
        };
        let told = [0, 2_000, 2_787_555, 2_789_555, 1_000, 1_000, 61_000].map(after);
        assert_eq!(told, [None, Some(2.0), None, Some(2.0), None, None, Some(60.0)]);
    }
}
