//! GStreamer's samples → packets.

use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use gstreamer as gst;
use media::{Key, Packet, Span, Time, Track};

/// How long a packet lasts that tells neither its time nor its length.
const UNTOLD: Span = Span::from_millis(40);

/// A packet, and the stream's caps if they are new.
pub(crate) struct Read {
    pub(crate) packet: Packet,
    pub(crate) caps: Option<gst::Caps>,
}

/// Reads the samples of one stream, in their order.
#[derive(Debug)]
pub(crate) struct SampleReader {
    track: Track,
    /// Where the last packet ended, in flicks: some demuxers give packets without a time.
    ended: AtomicI64,
}

impl SampleReader {
    pub(crate) fn new(track: Track) -> Self {
        Self { track, ended: AtomicI64::new(0) }
    }

    /// The packet of a sample, in running time; `known` are the caps last seen. `None` for a
    /// sample that holds none.
    pub(crate) fn read(&self, sample: &gst::Sample, known: Option<&gst::CapsRef>) -> Option<Read> {
        let buffer = sample.buffer()?;
        let segment = sample.segment()?.downcast_ref::<gst::ClockTime>()?;
        // Signed: priming lies before zero.
        let running = |t: Option<gst::ClockTime>| match segment.to_running_time_full(t?)? {
            gst::Signed::Positive(t) => Some(Time::from_nanos(i64::try_from(t.nseconds()).ok()?)),
            gst::Signed::Negative(t) => Some(Time::from_nanos(-i64::try_from(t.nseconds()).ok()?)),
        };
        let follows = Time::from_flicks(self.ended.load(Ordering::Relaxed));
        let dts = running(buffer.dts_or_pts()).unwrap_or(follows);
        let pts = running(buffer.pts()).unwrap_or(dts);
        let nanos = buffer.duration().and_then(|d| i64::try_from(d.nseconds()).ok());
        let duration = nanos.map(Span::from_nanos);
        let end = dts + duration.unwrap_or(UNTOLD);
        self.ended.store(end.flicks(), Ordering::Relaxed);
        let key = if self.track == Track::Audio || !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT) {
            Key::Frame
        } else {
            Key::Delta
        };
        let data = Bytes::copy_from_slice(buffer.map_readable().ok()?.as_slice());
        let packet = Packet { track: self.track, pts, dts, duration, key, data };
        let caps =
            sample.caps().filter(|caps| known.is_none_or(|known| *known != **caps)).map(ToOwned::to_owned);
        Some(Read { packet, caps })
    }
}
