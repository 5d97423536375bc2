//! An RTSP camera's pipeline: its streams come one by one, each as RTP, and are put beside one
//! another by what the camera says of their time.

use std::sync::{Arc, Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;
use media::{Span, Track};
use url::Url;

use super::graph::{WireError, make, set_if_there};
use super::landing::Landing;
use super::rtp::{Placed, Session, Stamp};
use crate::event::Level;
use crate::ingest::wall::Wall;
use crate::seldom::{Measure, Seldom};

/// Reordering needs a little time, in milliseconds; the line's own cushion comes after it.
const REORDERING: u32 = 100;
/// From 1900, where NTP begins, to 1970.
const NTP_TO_1970: Span = Span::from_secs(2_208_988_800);
/// Sound that is moved by more is told.
const TOLD: Span = Span::from_millis(20);

/// The source of an RTSP camera, whose pads' packets have times of one timeline.
pub(super) fn source(url: &Url, landing: &Arc<Landing>) -> Result<gst::Element, WireError> {
    let source = make("rtspsrc")?;
    source.set_property("location", url.as_str());
    source.set_property("latency", REORDERING);
    // What has come is used, however late: where this machine is slow for a moment, it would drop
    // all that waits longer than it takes to reorder, even of TCP.
    source.set_property("drop-on-latency", false);
    // It would bend pictures that are not sent in their order to and fro, and moves sound late:
    // its times are used for reordering alone.
    source.set_property_from_str("buffer-mode", "slave");
    source.set_property("max-ts-offset", 1i64);
    source.connect("new-manager", false, |values| {
        let manager = values.get(1).and_then(|value| value.get::<gst::Element>().ok());
        // So the sender's reports are told with its packets.
        manager.into_iter().for_each(|rtpbin| set_if_there(&rtpbin, "add-reference-timestamp-meta", true));
        None
    });
    let times = Arc::new(Times {
        session: Mutex::default(),
        landing: Arc::clone(landing),
        moves: Seldom::new("line-drift", Level::Info, Measure::TRAFFIC),
    });
    source.connect_pad_added(move |_, pad| times.watch(pad));
    Ok(source)
}

/// The times of one session's packets.
struct Times {
    session: Mutex<Session>,
    landing: Arc<Landing>,
    moves: Seldom,
}

/// What the caps of a stream say of its time.
#[derive(Clone, Copy)]
struct Form {
    track: Track,
    rate: u32,
    from: Option<u32>,
}

fn form(caps: &gst::CapsRef) -> Option<Form> {
    let stream = caps.structure(0)?;
    let track = match stream.get::<&str>("media").ok()? {
        "video" => Track::Video,
        "audio" => Track::Audio,
        _ => return None,
    };
    let rate = u32::try_from(stream.get::<i32>("clock-rate").ok()?).ok().filter(|rate| *rate > 0)?;
    Some(Form { track, rate, from: stream.get::<u32>("clock-base").ok() })
}

/// Without the server's own timeline: by it, what comes after a film's length would be cut off.
fn timeless(caps: &gst::CapsRef) -> gst::Caps {
    let mut caps = caps.to_owned();
    if let Some(stream) = caps.make_mut().structure_mut(0) {
        stream.remove_fields(["clock-base", "npt-start", "npt-stop", "play-speed", "play-scale"]);
    }
    caps
}

impl Times {
    /// Gives every packet of a pad its time.
    fn watch(self: &Arc<Self>, pad: &gst::Pad) {
        let times = Arc::clone(self);
        let known: Mutex<Option<Form>> = Mutex::default();
        let kinds =
            gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST | gst::PadProbeType::EVENT_DOWNSTREAM;
        pad.add_probe(kinds, move |pad, info| {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut info.data {
                Some(gst::PadProbeData::Event(event)) => {
                    if let gst::EventView::Caps(caps) = event.view() {
                        *known = form(caps.caps());
                        *event =
                            gst::event::Caps::builder(&timeless(caps.caps())).seqnum(caps.seqnum()).build();
                    }
                }
                Some(gst::PadProbeData::Buffer(buffer)) => {
                    *known = known.or_else(|| pad.current_caps().and_then(|caps| form(&caps)));
                    times.set(*known, buffer.make_mut());
                }
                Some(gst::PadProbeData::BufferList(list)) => {
                    *known = known.or_else(|| pad.current_caps().and_then(|caps| form(&caps)));
                    list.make_mut().foreach_mut(|mut buffer, _| {
                        times.set(*known, buffer.make_mut());
                        std::ops::ControlFlow::Continue(Some(buffer))
                    });
                }
                _ => {}
            }
            gst::PadProbeReturn::Ok
        });
    }

    fn set(&self, form: Option<Form>, packet: &mut gst::BufferRef) {
        let Some((Form { track, rate, from }, rtp)) = form.zip(rtp_stamp(packet)) else { return };
        let stamp = Stamp { rtp, rate, from, wall: wall(packet), came: self.landing.reporter().now() };
        let Placed { pts, clock, moved } =
            self.session.lock().unwrap_or_else(PoisonError::into_inner).place(track, &stamp);
        if let Some(by) = moved.filter(|by| by.abs() > TOLD) {
            let message = format!("the camera says how its sound lies to its pictures: it moves by {by}");
            self.moves.happened(&message, self.landing.reporter());
        }
        // A camera without a clock counts from when it was switched on.
        if let Some(wall) = clock.filter(|wall| wall.0 > Span::ZERO) {
            self.landing.clock(track, pts, wall);
        }
        packet.set_pts(gst::ClockTime::from_nseconds(u64::try_from(pts.as_nanos()).unwrap_or(0)));
        // When it came is no time of the stream's.
        packet.set_dts(gst::ClockTime::NONE);
    }
}

/// The time stamp of an RTP packet (RFC 3550, section 5.1).
fn rtp_stamp(packet: &gst::BufferRef) -> Option<u32> {
    let mut stamp = [0; 4];
    if packet.size() < 8 {
        return None;
    }
    packet.copy_to_slice(4, &mut stamp).ok()?;
    Some(u32::from_be_bytes(stamp))
}

/// What time it was by the sender's clock.
fn wall(packet: &gst::BufferRef) -> Option<Wall> {
    let is_ntp = |caps: &gst::CapsRef| caps.structure(0).is_some_and(|s| s.name() == "timestamp/x-ntp");
    let mut told = packet.iter_meta::<gst::ReferenceTimestampMeta>();
    let told = told.find(|told| is_ntp(told.reference()))?;
    let since_1900 = Span::from_nanos(i64::try_from(told.timestamp().nseconds()).ok()?);
    Some(Wall(since_1900 - NTP_TO_1970))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_come_is_not_dropped_for_being_late() {
        gst::init().unwrap();
        let reporter = crate::reporter::Reporter::new(
            Arc::new(crate::clock::VirtualClock::default()),
            Arc::new(crate::event::EventLog::new()),
            Arc::new(crate::clock::Stop::default()),
        );
        let intake = Arc::new(crate::ingest::intake::Intake::new(reporter).0);
        let landing = Arc::new(Landing::new(intake, "a camera".to_owned()));
        let source = source(&Url::parse("rtspt://127.0.0.1:1/cam").unwrap(), &landing).unwrap();
        assert!(!source.property::<bool>("drop-on-latency"));
    }

    #[test]
    fn what_a_packet_says_of_its_time_is_read() {
        gst::init().unwrap();
        let caps = |media: &str, rate: i32| {
            gst::Caps::builder("application/x-rtp")
                .field("media", media)
                .field("clock-rate", rate)
                .field("clock-base", 7u32)
                .build()
        };
        let read = form(&caps("audio", 48_000)).map(|form| (form.track, form.rate, form.from));
        assert_eq!(read, Some((Track::Audio, 48_000, Some(7))));
        let stripped = timeless(&caps("audio", 48_000));
        assert!(form(&stripped).is_some_and(|form| form.from.is_none()));
        assert!(form(&caps("video", 0)).is_none() && form(&caps("application", 90_000)).is_none());

        let mut packet = gst::Buffer::from_slice([0x80, 96, 0, 1, 1, 2, 3, 4, 0, 0, 0, 0]);
        assert_eq!((rtp_stamp(&packet), wall(&packet)), (Some(0x0102_0304), None));
        let reference = gst::Caps::builder("timestamp/x-ntp").build();
        let at = gst::ClockTime::from_seconds(2_208_988_801);
        gst::ReferenceTimestampMeta::add(packet.get_mut().unwrap(), &reference, at, None);
        assert_eq!(wall(&packet), Some(Wall(Span::from_secs(1))));
        assert_eq!(rtp_stamp(&gst::Buffer::from_slice([0x80, 96, 0, 1, 1])), None);
    }
}
