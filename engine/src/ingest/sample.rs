//! GStreamer's samples → packets.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

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

/// What the times of packets are counted from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timeline {
    /// Where the reading began.
    Running,
    /// The beginning of the stream, wherever reading goes on.
    Stream,
}

/// Where a container's own stamps begin, for all of its streams.
///
/// GStreamer's demuxer of Matroska says where the file begins by its first block, and says so anew when
/// a block lies before that: sound behind a first picture, as ffmpeg writes it where there are B-frames.
/// By its word the pictures from then on lie later than the first one does, and than they are.
#[derive(Debug, Default)]
pub(crate) struct Origin(OnceLock<i64>);

/// Reads the samples of one stream, in their order.
#[derive(Debug)]
pub(crate) struct SampleReader {
    track: Track,
    timeline: Timeline,
    /// Where stamps are counted from, whatever else is said later.
    origin: Option<Arc<Origin>>,
    /// Where the last packet ended, in flicks: some demuxers give packets without a time.
    ended: AtomicI64,
}

impl SampleReader {
    pub(crate) fn new(track: Track) -> Self {
        Self { track, timeline: Timeline::Running, origin: None, ended: AtomicI64::new(0) }
    }

    /// The same for a stream whose beginning is said anew.
    #[must_use]
    pub(crate) fn from(self, origin: Arc<Origin>) -> Self {
        Self { origin: Some(origin), ..self }
    }

    /// The same by another timeline.
    #[must_use]
    pub(crate) fn by(self, timeline: Timeline) -> Self {
        Self { timeline, ..self }
    }

    /// Whether what is to be shown begins at zero, and what lies before it is not.
    pub(crate) fn begins_at_zero(&self) -> bool {
        self.origin.is_none()
    }

    /// The packet of a sample; `known` are the caps last seen. `None` for a sample that holds none.
    pub(crate) fn read(&self, sample: &gst::Sample, known: Option<&gst::CapsRef>) -> Option<Read> {
        let buffer = sample.buffer()?;
        if self.track == Track::Audio && is_stream_header(buffer, sample.caps()) {
            return None;
        }
        let segment = sample.segment()?.downcast_ref::<gst::ClockTime>()?;
        // Signed: priming lies before zero.
        let told = |t: gst::ClockTime| match self.timeline {
            Timeline::Running => segment.to_running_time_full(t),
            Timeline::Stream => segment.to_stream_time_full(t),
        };
        let nanos = |t: gst::ClockTime| i64::try_from(t.nseconds()).ok();
        let time = |t: Option<gst::ClockTime>| match (&self.origin, self.timeline) {
            (Some(origin), Timeline::Running) => {
                let begins = *origin.0.get_or_init(|| segment.start().and_then(nanos).unwrap_or(0));
                Some(Time::from_nanos(nanos(t?)? - begins))
            }
            (Some(_), Timeline::Stream) => Some(Time::from_nanos(nanos(t?)?)),
            (None, _) => match told(t?)? {
                gst::Signed::Positive(t) => Some(Time::from_nanos(nanos(t)?)),
                gst::Signed::Negative(t) => Some(Time::from_nanos(-nanos(t)?)),
            },
        };
        let follows = Time::from_flicks(self.ended.load(Ordering::Relaxed));
        let dts = time(buffer.dts_or_pts()).unwrap_or(follows);
        let pts = time(buffer.pts()).unwrap_or(dts);
        let data = Bytes::copy_from_slice(buffer.map_readable().ok()?.as_slice());
        let is_opus = || sample.caps()?.structure(0).filter(|s| s.name() == "audio/x-opus");
        let lasts = buffer.duration().and_then(nanos);
        let duration = lasts.map(Span::from_nanos).or_else(|| is_opus().and_then(|_| opus_duration(&data)));
        let end = dts + duration.unwrap_or(UNTOLD);
        self.ended.store(end.flicks(), Ordering::Relaxed);
        let key = if self.track == Track::Audio || !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT) {
            Key::Frame
        } else {
            Key::Delta
        };
        let packet = Packet { track: self.track, pts, dts, duration, key, data };
        let caps =
            sample.caps().filter(|caps| known.is_none_or(|known| *known != **caps)).map(ToOwned::to_owned);
        Some(Read { packet, caps })
    }
}

/// Whether it is a header of the stream's, which its caps hold, too, and no decoder takes for sound.
fn is_stream_header(buffer: &gst::BufferRef, caps: Option<&gst::CapsRef>) -> bool {
    let name = caps.and_then(|caps| caps.structure(0)).map(|s| s.name().as_str());
    buffer.flags().contains(gst::BufferFlags::HEADER)
        && matches!(name, Some("audio/x-flac" | "audio/x-vorbis" | "audio/x-opus"))
}

/// How long an Opus packet lasts, which only itself tells where several lie in one packet of
/// MPEG-TS (RFC 6716, sections 3.1 and 3.2).
fn opus_duration(packet: &[u8]) -> Option<Span> {
    let toc = *packet.first()?;
    let (config, code) = (toc >> 3, toc & 3);
    let size = usize::from(config & 3);
    // In microseconds.
    let frame: i64 = match config {
        0..=11 => [10_000, 20_000, 40_000, 60_000][size],
        12..=15 => [10_000, 20_000][size & 1],
        _ => [2_500, 5_000, 10_000, 20_000][size],
    };
    let frames = match code {
        0 => 1,
        1 | 2 => 2,
        _ => i64::from(packet.get(1)? & 0x3f),
    };
    // Longer than 120 ms is no packet.
    (1..=120_000).contains(&(frame * frames)).then(|| Span::from_nanos(frame * frames * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opus_packet_says_how_long_it_lasts() {
        let millis = |packet: &[u8]| opus_duration(packet).map(|span| span.as_secs_f64() * 1000.0);
        // CELT, fullband, 20 ms: one frame, two, and three by their number.
        assert_eq!(millis(&[31 << 3, 0]), Some(20.0));
        assert_eq!(millis(&[31 << 3 | 1, 0]), Some(40.0));
        assert_eq!(millis(&[31 << 3 | 3, 3]), Some(60.0));
        // SILK of 60 ms, hybrid of 10 ms, CELT of 2.5 ms.
        assert_eq!(millis(&[3 << 3]), Some(60.0));
        assert_eq!(millis(&[12 << 3]), Some(10.0));
        assert_eq!(millis(&[16 << 3]), Some(2.5));
        // Nothing, no number, none, and more than there may be.
        assert_eq!([&[][..], &[3], &[3, 0], &[31 << 3 | 3, 7]].map(millis), [None; 4]);
    }

    /// Several in one packet of MPEG-TS: only the first has a time.
    #[test]
    fn packets_of_opus_without_a_time_lie_behind_one_another() {
        gst::init().unwrap();
        let caps = gst::Caps::builder("audio/x-opus").build();
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        let reader = SampleReader::new(Track::Audio);
        let at = |time: Option<u64>| {
            let mut buffer = gst::Buffer::from_slice([31u8 << 3, 0]);
            buffer.get_mut().unwrap().set_pts(time.map(gst::ClockTime::from_mseconds));
            let sample = gst::Sample::builder().buffer(&buffer).caps(&caps).segment(&segment).build();
            reader.read(&sample, None).unwrap().packet.pts.as_millis_rounded()
        };
        assert_eq!([Some(500), None, None, Some(560)].map(at), [500, 520, 540, 560]);
    }
}
