use super::bench::{Decoders, Decoding};
use super::*;
use crate::clock::{Clock, Stop, VirtualClock};
use crate::event::EventLog;
use crate::ingest::buffer::Pace;
use crate::ingest::intake::Intake;
use crate::ingest::lane;
use bytes::Bytes;
use codecs::{AudioDecoder, CodecKit, Fake, PictureMut, VideoDecoder};
use media::{AudioCodec, AudioParams, FrameRate, Key, SampleRate, Size, Time, VideoCodec, VideoParams};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Fake, but counts the decoders it makes, and they hold one picture back.
#[derive(Default)]
struct Counting {
    video: AtomicUsize,
    audio: AtomicUsize,
}

#[derive(Default)]
struct HoldsOne {
    waiting: Vec<Time>,
    keep: usize,
}

impl VideoDecoder for HoldsOne {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        self.keep = 1;
        self.waiting.push(packet.pts);
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<Frame>, CodecError> {
        if self.waiting.len() <= self.keep {
            return Ok(None);
        }
        let pts = self.waiting.remove(0);
        Ok(Some(Frame { pts, picture: PictureMut::new(Size::new(16, 16))?.freeze() }))
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        self.keep = 0;
        Ok(())
    }
}

impl Decoders for Counting {
    fn video(&self) -> Box<dyn VideoDecoder> {
        self.video.fetch_add(1, Ordering::Relaxed);
        Box::new(HoldsOne::default())
    }
    fn audio(&self, params: &AudioParams) -> Box<dyn AudioDecoder> {
        self.audio.fetch_add(1, Ordering::Relaxed);
        Fake::new().audio_decoder(params).unwrap()
    }
}

const DEPTH: Span = Span::from_millis(200);

fn line(kit: Arc<Decoding<Counting>>) -> LiveLine {
    let shape = Shape {
        kit,
        canvas: Size::new(16, 16),
        ticks: FrameRate::new(25, 1).unwrap(),
        rate: SampleRate::HZ_48000,
        channels: 2,
        deinterlace: pipeline_dsl::Deinterlace::default(),
        decoding: lane::Decoding::Easy,
    };
    let buffer = LineBuffer::new(Pace::Live { depth: DEPTH }, Span::from_millis(40), SampleRate::HZ_48000, 2);
    let log = Arc::new(EventLog::new());
    let reporter = Reporter::new(Arc::new(VirtualClock::default()), log, Arc::new(Stop::default()));
    LiveLine {
        arrivals: Intake::new(reporter.clone()).1,
        shape,
        depth: DEPTH,
        sync: SyncBy::Arrival,
        together: Arc::default(),
        seat: Arc::default(),
        orders: Arc::default(),
        buffer: Arc::new(buffer),
        counters: Arc::new(LineCounters::default()),
        reporter,
    }
}

fn video_params(which: u8) -> Arrival {
    let config = Bytes::copy_from_slice(&[which]);
    Arrival::Params(StreamParams::Video(VideoParams { codec: VideoCodec::Avc, size: None, config }))
}
fn audio_params(which: u8) -> Arrival {
    let config = Bytes::copy_from_slice(&[0x11, which]);
    let rate = SampleRate::HZ_48000;
    Arrival::Params(StreamParams::Audio(AudioParams { codec: AudioCodec::Aac, rate, channels: 2, config }))
}
fn picture(ms: i64) -> Arrival {
    let at = Time::from_millis(ms);
    let (track, key, data) = (Track::Video, Key::Frame, Bytes::from_static(&[9]));
    Arrival::Packet(Packet { track, pts: at, dts: at, duration: None, key, data })
}

#[test]
fn a_repeated_configuration_makes_no_decoder_and_a_new_one_loses_no_picture() {
    let kit = Arc::new(Decoding(Counting::default()));
    let line = line(Arc::clone(&kit));
    let mut contribution = Contribution::new(&line.shape, line.depth);
    for n in 0..10 {
        line.arrival(&mut contribution, video_params(1));
        line.arrival(&mut contribution, audio_params(0x90));
        line.arrival(&mut contribution, picture(n * 40));
    }
    let made = || (kit.0.video.load(Ordering::Relaxed), kit.0.audio.load(Ordering::Relaxed));
    assert_eq!((made(), line.counters.pictures()), ((1, 1), 9));
    line.arrival(&mut contribution, video_params(2));
    line.arrival(&mut contribution, audio_params(0x88));
    assert_eq!((made(), line.counters.pictures()), ((2, 2), 10), "the picture held back is there");
    assert!(contribution.complaints.is_quiet());
}

/// A relay's burst overshoots, the offset steps back, and what comes then is shown.
#[test]
fn after_a_step_back_pictures_are_not_lost() {
    let line = line(Arc::new(Decoding(Counting::default())));
    let mut contribution = Contribution::new(&line.shape, line.depth);
    line.arrival(&mut contribution, video_params(1));
    // Four seconds at once, while show time stands still.
    for n in 0..101 {
        line.arrival(&mut contribution, picture(n * 40));
    }
    // The jump put the 77th to 200 ms, and the last one came 23 frames later.
    let at = |n: i64| (Time::from_millis(n * 40), Time::from_millis(n * 40 + 40));
    let shown = (0..31).map(|n| line.buffer.take(at(n).0, at(n).1)).filter(|t| t.hole_since.is_none());
    assert!(shown.count() >= 23, "what came after the jump is shown");
}

/// An hour's film pushed as fast as the wire takes it: the stamps run away from show time over
/// and over, and the report still has room for others.
#[test]
fn a_push_faster_than_real_time_is_told_once_a_second_and_counted() {
    let (clock, log, stop) = (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()), Stop::default());
    let mut line = line(Arc::new(Decoding(Counting::default())));
    line.reporter =
        Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), Arc::new(Stop::default()));
    let mut contribution = Contribution::new(&line.shape, line.depth);
    let mut n = 0;
    for second in 0..5 {
        // Whoever comes again is no new line.
        line.arrival(&mut contribution, Arrival::Started { from: "somebody".to_owned() });
        line.arrival(&mut contribution, video_params(1));
        for frame in 0..25 {
            clock.wait_until(Time::from_millis(second * 1000 + frame * 40), &stop);
            for _ in 0..100 {
                line.arrival(&mut contribution, picture(n * 40));
                n += 1;
            }
        }
    }
    let all = log.all(Time::ZERO);
    let jumps: Vec<_> = all.iter().filter(|e| e.code == "line-jump").collect();
    assert!(jumps.len() <= 5 && jumps.windows(2).all(|w| w[1].t - w[0].t >= 1.0), "{jumps:#?}");
    assert!(jumps[1].message.contains("more like it before"), "{jumps:#?}");
}

/// The packets that reach a decoder of this codec, of a stream joined between key frames.
fn decoded(codec: VideoCodec, keys: impl Fn(i64) -> Key) -> Vec<i64> {
    let (clock, log, stop) = (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()), Stop::default());
    let mut line = line(Arc::new(Decoding(Counting::default())));
    line.reporter =
        Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), Arc::new(Stop::default()));
    let mut contribution = Contribution::new(&line.shape, line.depth);
    let config = Bytes::from_static(&[1]);
    let params = StreamParams::Video(VideoParams { codec, size: None, config });
    line.arrival(&mut contribution, Arrival::Params(params));
    let mut reached = Vec::new();
    for n in 0..200 {
        clock.wait_until(Time::from_millis(n * 40), &stop);
        let Arrival::Packet(packet) = picture(n * 40) else { unreachable!() };
        let before = line.counters.pictures();
        line.arrival(&mut contribution, Arrival::Packet(Packet { key: keys(n), ..packet }));
        // The decoder holds one back.
        if line.counters.pictures() > before {
            reached.push(n - 1);
        }
    }
    assert!(contribution.complaints.is_quiet());
    reached
}

#[test]
fn what_hangs_on_pictures_that_never_came_is_not_decoded_but_not_waited_for_without_end() {
    let at_30 = |n| if n == 30 { Key::Frame } else { Key::Delta };
    for codec in [VideoCodec::Avc, VideoCodec::Hevc] {
        assert_eq!(decoded(codec, at_30), (30..199).collect::<Vec<_>>());
    }
    // Pictures that are refreshed bit by bit have no key frame; of HEVC they would be made up.
    assert_eq!(decoded(VideoCodec::Avc, |_| Key::Delta), (75..199).collect::<Vec<_>>());
    assert_eq!(decoded(VideoCodec::Hevc, |_| Key::Delta), [0i64; 0]);
}

/// Each time it comes back, the sender's sound is late.
#[test]
fn waiting_for_late_sound_is_told_now_and_then_and_also_that_it_is_over() {
    let (clock, log, stop) = (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()), Stop::default());
    let mut line = line(Arc::new(Decoding(Counting::default())));
    line.reporter =
        Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), Arc::new(Stop::default()));
    let mut contribution = Contribution::new(&line.shape, line.depth);
    let mut send = |from: i64, seconds: i64| {
        line.arrival(&mut contribution, Arrival::Started { from: "somebody".to_owned() });
        line.arrival(&mut contribution, video_params(1));
        for n in 0..seconds * 25 {
            clock.wait_until(Time::from_millis(from * 1000 + n * 40), &stop);
            line.arrival(&mut contribution, picture(n * 40));
            let pts = Time::from_millis(n * 20);
            let samples = vec![0.0; 1920].into();
            let pcm = Pcm { pts, rate: SampleRate::HZ_48000, channels: 2, samples };
            line.arrival(&mut contribution, Arrival::Sound(pcm));
        }
    };
    // Once a second it is behind by so much more, until it waits for no more.
    send(0, 10);
    (10..60).for_each(|second| send(second, 1));
    let all = log.all(Time::ZERO);
    let told: Vec<_> = all.iter().filter(|e| e.code == "line-drift").map(|e| e.message.as_str()).collect();
    let grows = "sound comes later than its pictures: the line waits ";
    assert!(told[0].starts_with(grows) && told[0].ends_with(" in all"), "{told:#?}");
    let at = told.iter().position(|told| !told.starts_with(grows)).unwrap();
    assert!(at <= 3 && told[at - 1].ends_with("longer, 800ms in all"), "{told:#?}");
    assert_eq!(told[at], "another stream: the line waits for no late sound any more, 800ms less");
    // Of 50 more streams that come at once.
    assert!(told.len() <= 50, "{told:#?}");
}

/// An integrator who forgets to say what his sound is, or an encoder that does.
#[test]
fn sound_that_nobody_has_told_of_is_complained_of() {
    let log = Arc::new(EventLog::new());
    let mut line = line(Arc::new(Decoding(Counting::default())));
    line.reporter =
        Reporter::new(Arc::new(VirtualClock::default()), Arc::clone(&log), Arc::new(Stop::default()));
    let mut contribution = Contribution::new(&line.shape, line.depth);
    for n in 0..3 {
        let Arrival::Packet(packet) = picture(n * 20) else { unreachable!() };
        line.arrival(&mut contribution, Arrival::Packet(Packet { track: Track::Audio, ..packet }));
    }
    let told: Vec<_> = log.all(Time::ZERO).into_iter().map(|e| (e.code, e.message)).collect();
    let want = ("decode-error".to_owned(), "sound before the stream's configuration".to_owned());
    assert_eq!(told.first(), Some(&want), "{told:#?}");
}

#[test]
fn a_track_that_does_not_come_is_said_while_the_stream_runs_and_once() {
    let (clock, log, stop) = (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()), Stop::default());
    let mut line = line(Arc::new(Decoding(Counting::default())));
    line.reporter =
        Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), Arc::new(Stop::default()));
    let mut contribution = Contribution::new(&line.shape, line.depth);
    line.arrival(&mut contribution, Arrival::Started { from: "somebody".to_owned() });
    line.arrival(&mut contribution, video_params(1));
    let said = |log: &EventLog| {
        let all = log.all(Time::ZERO).into_iter();
        all.filter(|e| e.code.starts_with("no-")).map(|e| (e.t, e.code)).collect::<Vec<_>>()
    };
    for n in 0..100 {
        clock.wait_until(Time::from_millis(n * 40), &stop);
        line.arrival(&mut contribution, picture(n * 40));
    }
    assert_eq!(said(&log), [(3.0, "no-audio".to_owned())]);
    line.arrival(&mut contribution, Arrival::Ended("gone".to_owned()));
    assert_eq!(said(&log).len(), 1);
    // One that is gone sooner is told of at its end.
    line.arrival(&mut contribution, Arrival::Started { from: "somebody".to_owned() });
    line.arrival(&mut contribution, Arrival::Ended("gone".to_owned()));
    let codes: Vec<_> = said(&log).into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["no-audio", "no-video", "no-audio"]);
}
