//! The way from a connection into a line: what has arrived waits here to be decoded.
//!
//! A connection must never wait for a decoder, so a full queue drops frames up to
//! the next key frame; configurations are owed and come before it. Once the next
//! stream has begun, nothing of the one before is decoded any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use codecs::{Frame, Pcm};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use flv::Tag;
use media::{Key, Packet, Time, Track};

use crate::event::Level;
use crate::ingest::LineCounters;
use crate::ingest::complaints::Complaints;
use crate::ingest::iso::{Iso, IsoTap};
use crate::ingest::lane::StreamParams;
use crate::ingest::network::Network;
use crate::ingest::seldom::Seldom;
use crate::ingest::source::Handed;
use crate::ingest::unpack::{Unpacked, Unpacker};
use crate::ingest::wall::Wall;
use crate::reporter::Reporter;

/// What may wait of a stream to be decoded: about five seconds. As much again may wait of the
/// streams before it, to be passed over.
const WAITING: usize = 512;

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
    /// At `pts` of the stream it was so late by the sender's clock on the wall.
    Clock {
        pts: Time,
        wall: Wall,
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
    taken: AtomicBool,
    /// Streams that have begun.
    begun: Arc<AtomicU64>,
    /// What records the line as it comes, if anything does.
    iso: Option<Iso>,
    /// Pictures in the queue that are not coded.
    raw: Arc<AtomicUsize>,
}

/// The line's end of its intake.
pub(crate) struct Arrivals {
    queue: Receiver<Arrival>,
    begun: Arc<AtomicU64>,
    /// The beginnings that were read.
    read: u64,
    raw: Arc<AtomicUsize>,
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
            if matches!(arrival, Arrival::Frame(_)) {
                self.raw.fetch_sub(1, Ordering::AcqRel);
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
                    continue;
                }
                _ => {}
            }
            return Ok(arrival);
        }
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
        let raw = Arc::new(AtomicUsize::new(0));
        let arrivals = Arrivals { queue, begun: Arc::clone(&begun), read: 0, raw: Arc::clone(&raw) };
        let overruns = Seldom::new("line-overrun", Level::Warn);
        let taken = AtomicBool::new(false);
        let counters = Arc::default();
        (Self { to_line, places, reporter, counters, overruns, taken, begun, iso: None, raw }, arrivals)
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
        Ok(Arriving {
            intake,
            tap,
            limit,
            skipping: Skipping::No,
            overrun: Overrun::Unsaid,
            pictures: Pictures::None,
            owed: [None, None],
            complaints: Complaints::default(),
        })
    }
}

/// A stream that arrives.
pub(crate) struct Arriving {
    intake: Arc<Intake>,
    /// Sees all that comes, also what the line has no room for.
    tap: Option<IsoTap>,
    /// How long the line's queue may get by it.
    limit: usize,
    skipping: Skipping,
    overrun: Overrun,
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

/// Whether it was said of this stream that what is not coded is dropped.
#[derive(PartialEq, Eq, Debug)]
enum Overrun {
    Unsaid,
    Said,
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
        if let Some(tap) = &mut self.tap {
            tap.tag(tag);
        }
        match unpacker.unpack(tag) {
            Ok(Unpacked { params, packet, clock }) => {
                clock.into_iter().for_each(|(pts, wall)| self.clock(pts, wall));
                params.into_iter().for_each(|params| _ = self.take_params(params));
                packet.into_iter().for_each(|packet| _ = self.take_packet(packet));
            }
            Err(problem) => self.complain(&problem),
        }
    }

    /// What the connection knows of its network.
    pub(crate) fn network_is(&self, network: Network) {
        self.intake.counters.network_is(Some(network));
    }

    /// At `pts` of the stream it was so late by the sender's clock on the wall.
    pub(crate) fn clock(&mut self, pts: Time, wall: Wall) {
        // Told often: one that finds no room is no loss.
        if self.room() > KEPT_FREE {
            self.send(Arrival::Clock { pts, wall });
        }
    }

    /// Something is wrong with what has come.
    pub(crate) fn complain(&mut self, problem: &str) {
        self.complaints.about(problem, &self.intake.reporter);
    }

    /// Says what a track is from here on.
    pub(crate) fn params(&mut self, params: StreamParams) -> Handed {
        if let Some(tap) = &mut self.tap {
            tap.params(&params);
        }
        self.take_params(params)
    }

    /// Hands a packet to the line, which must never make the connection wait.
    pub(crate) fn packet(&mut self, packet: Packet) -> Handed {
        if let Some(tap) = &mut self.tap {
            tap.packet(&packet);
        }
        self.take_packet(packet)
    }

    /// Hands over a picture that is not coded.
    pub(crate) fn frame(&mut self, frame: Frame) -> Handed {
        self.note(Track::Video);
        self.note_raw(Track::Video);
        // One side adds, the other takes away: there may be fewer a moment later, never more.
        if self.intake.raw.load(Ordering::Acquire) >= RAW_WAITING || self.room() < KEPT_FREE + 1 {
            return self.drop_raw();
        }
        self.intake.raw.fetch_add(1, Ordering::AcqRel);
        self.send(Arrival::Frame(frame));
        Handed::Taken
    }

    /// Hands over sound that is not coded.
    pub(crate) fn sound(&mut self, sound: Pcm) -> Handed {
        self.note_raw(Track::Audio);
        if self.room() < KEPT_FREE + 1 {
            return self.drop_raw();
        }
        self.send(Arrival::Sound(sound));
        Handed::Taken
    }

    fn note_raw(&mut self, track: Track) {
        if let Some(tap) = &mut self.tap {
            tap.raw(track);
        }
    }

    /// Nothing else hangs on what is not coded: the next one may have room again.
    fn drop_raw(&mut self) -> Handed {
        if self.overrun == Overrun::Unsaid {
            self.overrun = Overrun::Said;
            let message = "the line cannot keep up: pictures or sound that are handed in are dropped";
            self.intake.overruns.happened(message.to_owned(), &self.intake.reporter);
        }
        Handed::Dropped
    }

    fn take_params(&mut self, params: StreamParams) -> Handed {
        let track = params.track();
        self.note(track);
        if self.skipping == Skipping::UntilKey || self.room() < KEPT_FREE + 1 {
            self.skip();
            self.owed[slot(track)] = Some(params);
            return Handed::Dropped;
        }
        self.send(Arrival::Params(params));
        Handed::Taken
    }

    fn take_packet(&mut self, packet: Packet) -> Handed {
        self.note(packet.track);
        let goes_on = match packet.track {
            Track::Video => packet.key == Key::Frame,
            Track::Audio => self.pictures == Pictures::None,
        };
        if self.skipping == Skipping::UntilKey && !goes_on {
            return Handed::Dropped;
        }
        let owed = self.owed.iter().flatten().count();
        if self.room() < KEPT_FREE + owed + 1 {
            self.skip();
            return Handed::Dropped;
        }
        if self.skipping == Skipping::UntilKey {
            self.skipping = Skipping::No;
            self.intake.overruns.catch_up(&self.intake.reporter);
        }
        for params in std::mem::take(&mut self.owed).into_iter().flatten() {
            self.send(Arrival::Params(params));
        }
        self.send(Arrival::Packet(packet));
        Handed::Taken
    }

    fn room(&self) -> usize {
        self.intake.room(self.limit)
    }

    fn note(&mut self, track: Track) {
        if track == Track::Video {
            self.pictures = Pictures::Some;
        }
    }

    fn skip(&mut self) {
        if self.skipping == Skipping::No {
            let message = "decoding cannot keep up: frames are dropped up to the next key frame";
            self.intake.overruns.happened(message.to_owned(), &self.intake.reporter);
        }
        self.skipping = Skipping::UntilKey;
    }

    /// There is room when this is called; a line that is gone needs nothing.
    fn send(&self, arrival: Arrival) {
        let _ = self.intake.to_line.try_send(arrival);
    }

    pub(crate) fn end(self, why: String) {
        self.complaints.sum_up(&self.intake.reporter);
        if self.intake.reporter.is_stopping() {
            self.intake.overruns.sum_up(&self.intake.reporter);
        } else {
            self.intake.overruns.catch_up(&self.intake.reporter);
        }
        // A place was kept for it. It comes before the intake is free: the next one's beginning
        // must come after it.
        let _ = self.intake.to_line.try_send(Arrival::Ended(why));
        self.intake.taken.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Stop, VirtualClock};
    use crate::event::EventLog;
    use bytes::Bytes;
    use media::{AudioCodec, AudioParams, SampleRate, VideoCodec, VideoParams};

    fn intake(places: usize) -> (Arc<Intake>, Arrivals) {
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
    fn picture() -> codecs::Picture {
        codecs::PictureMut::new(media::Size::new(16, 16)).unwrap().freeze()
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
    fn drain(arrivals: &mut Arrivals) -> Vec<String> {
        let name = |arrival| match arrival {
            Arrival::Started { .. } => "started".to_owned(),
            Arrival::Params(params) => format!("{:?} params", params.track()),
            Arrival::Packet(packet) => format!("{:?} {:?}", packet.track, packet.key),
            Arrival::Frame(_) => "raw picture".to_owned(),
            Arrival::Sound(_) => "raw sound".to_owned(),
            Arrival::Clock { .. } => "clock".to_owned(),
            Arrival::Ended(why) => why,
        };
        std::iter::from_fn(|| arrivals.next(Duration::ZERO).ok()).map(name).collect()
    }

    /// On this one thread any waiting would be for ever.
    /// Whoever hands in pictures that are not coded is told when there is no room, and finds some again.
    #[test]
    fn raw_pictures_are_few_at_a_time() {
        let (intake, mut arrivals) = intake(64);
        let mut arriving = begin(&intake).unwrap();
        let frame = || Frame { pts: Time::ZERO, picture: picture() };
        let handed: Vec<_> = (0..RAW_WAITING + 2).map(|_| arriving.frame(frame())).collect();
        assert_eq!(handed.iter().filter(|handed| **handed == Handed::Taken).count(), RAW_WAITING);
        assert_eq!(drain(&mut arrivals).len(), 1 + RAW_WAITING);
        assert_eq!(arriving.frame(frame()), Handed::Taken);
        // What waits of a stream that is over takes nobody's room.
        arriving.end("gone".to_owned());
        let mut arriving = begin(&intake).unwrap();
        assert_eq!(drain(&mut arrivals), ["gone", "started"]);
        let handed = (0..RAW_WAITING).map(|_| arriving.frame(frame()));
        assert!(handed.into_iter().all(|handed| handed == Handed::Taken));
    }

    #[test]
    fn a_line_that_hangs_makes_nobody_wait_and_order_is_kept() {
        let (intake, mut arrivals) = intake(KEPT_FREE + 4);
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
        assert_eq!((came, begin(&intake).err()), (9, Some(Turned::Hangs)));
        let all = drain(&mut arrivals);
        // Nothing of what the first one sent, though it was there first.
        assert_eq!(all[..4], ["started", "first gone", "started", "gone"]);
        assert_eq!(all.last().unwrap(), "gone");
        // It goes on: so may they.
        begin(&intake).unwrap().end(String::new());
    }

    #[test]
    fn after_an_overrun_only_a_key_frame_goes_on_and_the_configuration_is_not_lost() {
        let (intake, mut arrivals) = intake(KEPT_FREE + 3);
        let mut arriving = begin(&intake).unwrap();
        for packet in [key(), delta(), delta(), delta()] {
            arriving.packet(packet);
        }
        assert_eq!(arriving.skipping, Skipping::UntilKey);
        assert_eq!(drain(&mut arrivals), ["started", "Video Frame", "Video Delta"]);
        arriving.params(picture_params());
        arriving.params(sound_params());
        arriving.packet(delta());
        arriving.packet(packet(Track::Audio, Key::Frame));
        arriving.params(picture_params());
        assert_eq!(arriving.skipping, Skipping::UntilKey);
        assert_eq!(drain(&mut arrivals), [""; 0]);
        arriving.packet(key());
        arriving.packet(delta());
        assert_eq!(drain(&mut arrivals), ["Video params", "Audio params", "Video Frame"]);
    }

    /// A sender faster than its decoder overruns the line with every group of pictures.
    #[test]
    fn an_overrun_after_the_other_is_told_once_in_a_while_and_counted() {
        let (clock, log, stop) =
            (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()), Arc::new(Stop::default()));
        let reporter = Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), stop);
        let (intake, mut arrivals) = Intake::with_places(KEPT_FREE + 3, reporter);
        let (intake, stop) = (Arc::new(intake), Stop::default());
        for second in 0..25 {
            clock.wait_until(Time::from_millis(second * 1000), &stop);
            // Nor does it help to come back.
            let mut arriving = begin(&intake).unwrap();
            for _ in 0..20 {
                (0..4).for_each(|_| _ = arriving.packet(key()));
                assert_eq!(arriving.skipping, Skipping::UntilKey);
                drain(&mut arrivals);
            }
            arriving.end("gone".to_owned());
            drain(&mut arrivals);
        }
        let told = log.all(Time::ZERO).into_iter().filter(|e| e.code == "line-overrun");
        let told: Vec<_> = told.map(|e| (e.t, e.message)).collect();
        assert_eq!(told.iter().map(|(t, _)| *t).collect::<Vec<_>>(), [0.0, 10.0, 20.0]);
        assert!(told[1].1.ends_with("(199 more like it before)"), "{told:?}");
    }

    #[test]
    fn a_quick_return_waits_for_nothing_of_the_stream_before() {
        let (intake, mut arrivals) = intake(WAITING);
        let mut first = begin(&intake).unwrap();
        first.params(picture_params());
        for _ in 0..WAITING {
            first.packet(key());
        }
        // What is read before the next one begins is decoded.
        let read: Vec<_> = std::iter::from_fn(|| arrivals.next(Duration::ZERO).ok()).take(3).collect();
        assert!(matches!(read[..], [Arrival::Started { .. }, Arrival::Params(_), Arrival::Packet(_)]));
        first.end("first gone".to_owned());
        let mut second = begin(&intake).unwrap();
        second.params(picture_params());
        second.packet(key());
        second.end("second gone".to_owned());
        let expected = ["first gone", "started", "Video params", "Video Frame", "second gone"];
        assert_eq!(drain(&mut arrivals), expected);
    }

    #[test]
    fn sound_alone_goes_on_when_there_is_room_again() {
        let (intake, mut arrivals) = intake(KEPT_FREE + 3);
        let mut arriving = begin(&intake).unwrap();
        let sound = || packet(Track::Audio, Key::Frame);
        for _ in 0..4 {
            arriving.packet(sound());
        }
        assert_eq!(arriving.skipping, Skipping::UntilKey);
        assert_eq!(drain(&mut arrivals), ["started", "Audio Frame", "Audio Frame"]);
        arriving.packet(sound());
        assert_eq!(drain(&mut arrivals), ["Audio Frame"]);
    }
}
