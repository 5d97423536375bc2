//! The way from a connection into a line: what has arrived waits here to be decoded.
//!
//! A connection must never wait for a decoder, so a full queue drops frames up to
//! the next key frame; configurations are owed and come before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use flv::Tag;
use media::{Key, Packet, Track};

use crate::event::Level;
use crate::ingest::complaints::Complaints;
use crate::ingest::lane::StreamParams;
use crate::ingest::unpack::{Unpacked, Unpacker};
use crate::reporter::Reporter;

/// What may wait to be decoded: about five seconds.
const WAITING: usize = 512;

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
    /// It has ended, and why.
    Ended(String),
}

/// Where a line waits for what arrives. One stream at a time has it.
pub(crate) struct Intake {
    to_line: Sender<Arrival>,
    pub(crate) reporter: Reporter,
    taken: AtomicBool,
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
    pub(crate) fn new(reporter: Reporter) -> (Self, Receiver<Arrival>) {
        Self::with_places(WAITING, reporter)
    }

    fn with_places(places: usize, reporter: Reporter) -> (Self, Receiver<Arrival>) {
        let (to_line, arrivals) = bounded(places);
        (Self { to_line, reporter, taken: AtomicBool::new(false) }, arrivals)
    }

    /// Places left in the line's queue. Only the one sender fills it, so there may be more
    /// a moment later, but never fewer.
    fn room(&self) -> usize {
        self.to_line.capacity().map_or(usize::MAX, |all| all.saturating_sub(self.to_line.len()))
    }

    /// Takes the intake for a stream, whose end is sure to find a place as well.
    pub(crate) fn begin(self: &Arc<Self>, from: String) -> Result<Arriving, Turned> {
        if self.taken.swap(true, Ordering::AcqRel) {
            return Err(Turned::Taken);
        }
        if self.room() < 2 {
            self.taken.store(false, Ordering::Release);
            return Err(Turned::Hangs);
        }
        // After the show's end nobody reads, and nobody minds.
        let _ = self.to_line.try_send(Arrival::Started { from });
        let intake = Arc::clone(self);
        Ok(Arriving {
            intake,
            skipping: Skipping::No,
            pictures: Pictures::None,
            owed: [None, None],
            complaints: Complaints::default(),
        })
    }
}

/// A stream that arrives.
pub(crate) struct Arriving {
    intake: Arc<Intake>,
    skipping: Skipping,
    pictures: Pictures,
    /// Stream configurations, video and audio, that found the queue full: due before the next
    /// key frame.
    owed: [Option<StreamParams>; 2],
    complaints: Complaints,
}

#[derive(PartialEq, Eq, Debug)]
enum Skipping {
    No,
    /// The line's queue was full: nothing until the next key frame.
    UntilKey,
}

/// Whether the stream has pictures: without them any sound is a place to go on from.
#[derive(PartialEq, Eq, Debug)]
enum Pictures {
    None,
    Some,
}

fn slot(track: Track) -> usize {
    match track {
        Track::Video => 0,
        Track::Audio => 1,
    }
}

impl Arriving {
    /// Hands on what is in a tag.
    pub(crate) fn tag(&mut self, tag: &Tag, unpacker: &mut Unpacker) {
        match unpacker.unpack(tag) {
            Ok(Unpacked { params, packet }) => {
                params.into_iter().for_each(|params| self.params(params));
                packet.into_iter().for_each(|packet| self.packet(packet));
            }
            Err(problem) => self.complain(&problem),
        }
    }

    /// Something is wrong with what has come.
    pub(crate) fn complain(&mut self, problem: &str) {
        self.complaints.about(problem, &self.intake.reporter);
    }

    /// Says what a track is from here on.
    pub(crate) fn params(&mut self, params: StreamParams) {
        let track = params.track();
        self.note(track);
        if self.skipping == Skipping::UntilKey || self.intake.room() < KEPT_FREE + 1 {
            self.skip();
            self.owed[slot(track)] = Some(params);
            return;
        }
        self.send(Arrival::Params(params));
    }

    /// Hands a packet to the line, which must never make the connection wait.
    pub(crate) fn packet(&mut self, packet: Packet) {
        self.note(packet.track);
        let goes_on = match packet.track {
            Track::Video => packet.key == Key::Frame,
            Track::Audio => self.pictures == Pictures::None,
        };
        if self.skipping == Skipping::UntilKey && !goes_on {
            return;
        }
        let owed = self.owed.iter().flatten().count();
        if self.intake.room() < KEPT_FREE + owed + 1 {
            return self.skip();
        }
        self.skipping = Skipping::No;
        for params in std::mem::take(&mut self.owed).into_iter().flatten() {
            self.send(Arrival::Params(params));
        }
        self.send(Arrival::Packet(packet));
    }

    fn note(&mut self, track: Track) {
        if track == Track::Video {
            self.pictures = Pictures::Some;
        }
    }

    fn skip(&mut self) {
        if self.skipping == Skipping::No {
            let message = "decoding cannot keep up: frames are dropped up to the next key frame";
            self.intake.reporter.event(Level::Warn, "line-overrun", message);
        }
        self.skipping = Skipping::UntilKey;
    }

    /// There is room when this is called; a line that is gone needs nothing.
    fn send(&self, arrival: Arrival) {
        let _ = self.intake.to_line.try_send(arrival);
    }

    pub(crate) fn end(self, why: String) {
        self.complaints.sum_up(&self.intake.reporter);
        // A place was kept for it. It comes before the intake is free: the next one's beginning
        // must come after it.
        let _ = self.intake.to_line.try_send(Arrival::Ended(why));
        self.intake.taken.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Stop, VirtualClock};
    use crate::event::EventLog;
    use bytes::Bytes;
    use media::{AudioCodec, AudioParams, SampleRate, Time, VideoCodec, VideoParams};

    fn intake(places: usize) -> (Arc<Intake>, Receiver<Arrival>) {
        let reporter = Reporter::new(
            Arc::new(VirtualClock::default()),
            Arc::new(EventLog::new()),
            Arc::new(Stop::default()),
        );
        let (intake, arrivals) = Intake::with_places(places, reporter);
        (Arc::new(intake), arrivals)
    }
    fn begin(intake: &Arc<Intake>) -> Result<Arriving, Turned> {
        intake.begin("127.0.0.1:1".to_owned())
    }
    fn picture_params() -> StreamParams {
        let config = Bytes::from_static(&[1]);
        StreamParams::Video(VideoParams { codec: VideoCodec::Avc, size: None, config })
    }
    fn sound_params() -> StreamParams {
        let config = Bytes::from_static(&[0x11, 0x90]);
        let rate = SampleRate::HZ_48000;
        StreamParams::Audio(AudioParams { codec: AudioCodec::Aac, rate, channels: 2, config })
    }
    fn packet(track: Track, key: Key) -> Packet {
        let at = Time::ZERO;
        Packet { track, pts: at, dts: at, duration: None, key, data: Bytes::from_static(&[9]) }
    }
    fn key() -> Packet {
        packet(Track::Video, Key::Frame)
    }
    fn delta() -> Packet {
        packet(Track::Video, Key::Delta)
    }
    /// What has reached the line.
    fn drain(arrivals: &Receiver<Arrival>) -> Vec<String> {
        let name = |arrival| match arrival {
            Arrival::Started { .. } => "started".to_owned(),
            Arrival::Params(params) => format!("{:?} params", params.track()),
            Arrival::Packet(packet) => format!("{:?} {:?}", packet.track, packet.key),
            Arrival::Ended(why) => why,
        };
        arrivals.try_iter().map(name).collect()
    }

    /// On this one thread any waiting would be for ever.
    #[test]
    fn a_line_that_hangs_makes_nobody_wait_and_order_is_kept() {
        let (intake, arrivals) = intake(KEPT_FREE + 4);
        let mut first = begin(&intake).unwrap();
        for _ in 0..100 {
            first.packet(key());
        }
        assert_eq!(begin(&intake).err(), Some(Turned::Taken));
        first.end("first gone".to_owned());
        // Others come and go while it hangs; once there is no room for an end, no more begin.
        let came = std::iter::from_fn(|| begin(&intake).ok())
            .map(|arriving| arriving.end("gone".to_owned()))
            .count();
        assert_eq!((came, begin(&intake).err()), (3, Some(Turned::Hangs)));
        let all = drain(&arrivals);
        let frame = "Video Frame";
        assert_eq!(all[..6], ["started", frame, frame, frame, "first gone", "started"]);
        assert_eq!(all.last().unwrap(), "gone");
        // It goes on: so may they.
        begin(&intake).unwrap().end(String::new());
    }

    #[test]
    fn after_an_overrun_only_a_key_frame_goes_on_and_the_configuration_is_not_lost() {
        let (intake, arrivals) = intake(KEPT_FREE + 3);
        let mut arriving = begin(&intake).unwrap();
        for packet in [key(), delta(), delta(), delta()] {
            arriving.packet(packet);
        }
        assert_eq!(arriving.skipping, Skipping::UntilKey);
        assert_eq!(drain(&arrivals), ["started", "Video Frame", "Video Delta"]);
        arriving.params(picture_params());
        arriving.params(sound_params());
        arriving.packet(delta());
        arriving.packet(packet(Track::Audio, Key::Frame));
        arriving.params(picture_params());
        assert_eq!(arriving.skipping, Skipping::UntilKey);
        assert_eq!(drain(&arrivals), [""; 0]);
        arriving.packet(key());
        arriving.packet(delta());
        assert_eq!(drain(&arrivals), ["Video params", "Audio params", "Video Frame"]);
    }

    #[test]
    fn sound_alone_goes_on_when_there_is_room_again() {
        let (intake, arrivals) = intake(KEPT_FREE + 3);
        let mut arriving = begin(&intake).unwrap();
        let sound = || packet(Track::Audio, Key::Frame);
        for _ in 0..4 {
            arriving.packet(sound());
        }
        assert_eq!(arriving.skipping, Skipping::UntilKey);
        assert_eq!(drain(&arrivals), ["started", "Audio Frame", "Audio Frame"]);
        arriving.packet(sound());
        assert_eq!(drain(&arrivals), ["Audio Frame"]);
    }
}
