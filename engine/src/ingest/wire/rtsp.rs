//! An RTSP camera's pipeline: its streams come one by one, each as RTP, and are put beside one
//! another by what the camera says of their time.

use std::sync::{Arc, Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;
use media::{Span, Track};
use url::Url;

use super::graph::{WireError, make, set_if_there};
use super::landing::Landing;
use super::repeats::{Coding, Left, Repeats};
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
    coding: Option<Coding>,
}

/// A stream of the session.
#[derive(Default)]
struct Known {
    form: Option<Form>,
    repeats: Repeats,
    /// Packets that were left out, after which the others are numbered anew.
    left_out: u16,
}

/// Whether a packet goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Goes {
    On,
    Nowhere,
}

fn form(caps: &gst::CapsRef) -> Option<Form> {
    let stream = caps.structure(0)?;
    let track = match stream.get::<&str>("media").ok()? {
        "video" => Track::Video,
        "audio" => Track::Audio,
        _ => return None,
    };
    let rate = u32::try_from(stream.get::<i32>("clock-rate").ok()?).ok().filter(|rate| *rate > 0)?;
    let coding = stream.get::<&str>("encoding-name").ok().and_then(Coding::named);
    Some(Form { track, rate, from: stream.get::<u32>("clock-base").ok(), coding })
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
        let known: Mutex<Known> = Mutex::default();
        let kinds =
            gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST | gst::PadProbeType::EVENT_DOWNSTREAM;
        pad.add_probe(kinds, move |pad, info| {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut info.data {
                Some(gst::PadProbeData::Event(event)) => {
                    if let gst::EventView::Caps(caps) = event.view() {
                        known.form = form(caps.caps());
                        *event =
                            gst::event::Caps::builder(&timeless(caps.caps())).seqnum(caps.seqnum()).build();
                    }
                }
                Some(gst::PadProbeData::Buffer(buffer)) => {
                    known.form = known.form.or_else(|| pad.current_caps().and_then(|caps| form(&caps)));
                    if times.take(&mut known, buffer.make_mut()) == Goes::Nowhere {
                        return gst::PadProbeReturn::Drop;
                    }
                }
                Some(gst::PadProbeData::BufferList(list)) => {
                    known.form = known.form.or_else(|| pad.current_caps().and_then(|caps| form(&caps)));
                    list.make_mut().foreach_mut(|mut buffer, _| {
                        let goes = times.take(&mut known, buffer.make_mut());
                        std::ops::ControlFlow::Continue((goes == Goes::On).then_some(buffer))
                    });
                }
                _ => {}
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// Gives a packet its time, and takes out of it what is repeated.
    fn take(&self, known: &mut Known, packet: &mut gst::BufferRef) -> Goes {
        self.set(known.form, packet);
        known.without_repeats(packet)
    }

    fn set(&self, form: Option<Form>, packet: &mut gst::BufferRef) {
        let Some((Form { track, rate, from, .. }, rtp)) = form.zip(rtp_stamp(packet)) else { return };
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

impl Known {
    fn without_repeats(&mut self, packet: &mut gst::BufferRef) -> Goes {
        let left = self.left_of(packet);
        if left == Some(Left::Nothing) {
            self.left_out = self.left_out.wrapping_add(1);
            return Goes::Nowhere;
        }
        if let Some(Left::Some(payload)) = left {
            let at = payload_at(packet).unwrap_or(0);
            packet.set_size(at + payload.len());
            // What was longer before can be written to.
            let _ = packet.copy_from_slice(at, &payload);
        }
        if self.left_out > 0 {
            let mut number = [0; 2];
            let _ = packet.copy_to_slice(2, &mut number);
            // Nobody is to think that something was lost.
            let number = u16::from_be_bytes(number).wrapping_sub(self.left_out);
            let _ = packet.copy_from_slice(2, &number.to_be_bytes());
        }
        Goes::On
    }

    /// What is left of a packet that may hold parameter sets.
    fn left_of(&mut self, packet: &gst::BufferRef) -> Option<Left> {
        let coding = self.form?.coding?;
        let mut first = [0; 1];
        let at = payload_at(packet)?;
        packet.copy_to_slice(at, &mut first).ok()?;
        if !coding.may_hold_sets(first[0]) {
            return None;
        }
        let stamp = rtp_stamp(packet)?;
        let packet = packet.map_readable().ok()?;
        let left = self.repeats.take(coding, stamp, packet.get(at..)?);
        // Its mark says that the picture is whole, for which somebody may wait.
        let is_last = packet[1] & 0x80 != 0;
        (!is_last || left != Left::Nothing).then_some(left)
    }
}

/// Where a packet's payload begins (RFC 3550, sections 5.1 and 5.3.1); `None` where it is padded.
fn payload_at(packet: &gst::BufferRef) -> Option<usize> {
    let mut head = [0; 1];
    packet.copy_to_slice(0, &mut head).ok()?;
    let (is_padded, is_extended) = (head[0] & 0x20 != 0, head[0] & 0x10 != 0);
    if is_padded {
        return None;
    }
    let sources = 12 + 4 * usize::from(head[0] & 0x0f);
    if !is_extended {
        return Some(sources);
    }
    let mut words = [0; 2];
    packet.copy_to_slice(sources + 2, &mut words).ok()?;
    Some(sources + 4 + 4 * usize::from(u16::from_be_bytes(words)))
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
