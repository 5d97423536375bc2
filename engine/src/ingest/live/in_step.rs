//! Flashes and beeps through a live line, in virtual time: whatever happens to the stamps,
//! the picture and its sound come out together.

use std::sync::Arc;

use bytes::Bytes;
use codecs::{AudioDecoder, CodecError, Frame, Pcm, PictureMut, VideoDecoder};
use flv::{FlvMillis, Tag, TagKind};
use media::{AudioCodec, AudioParams, Key, Packet, Size, Span, Tick, Time, Track, VideoCodec, VideoParams};
use pipeline_dsl::SyncBy;
use proptest::prelude::*;

use super::bench::{Bench, Decoders, Decoding, RATE};
use crate::ingest::intake::Arrival;
use crate::ingest::lane::StreamParams;
use crate::ingest::together::Together;
use crate::ingest::unpack::Unpacker;

mod adrift;
mod jumps;

const BLOCK: usize = 1024;
const LIMIT_MS: f64 = 20.0;

/// A packet of pictures is their brightness, and after it, in the order in which they are shown,
/// how many must be there before one is given out. One of sound is which samples of a second it
/// is, and how many.
struct Raw;
struct RawPictures(Vec<(Time, u8)>, usize);
struct RawSound {
    /// A tenth of a second of 1 kHz, then silence, and the beginning of the next second.
    second: Vec<f32>,
    next: Option<Pcm>,
}

impl RawSound {
    fn new() -> Self {
        let wave = |n: usize| (n as f64 / 48.0 * std::f64::consts::TAU).sin() as f32 * 0.5;
        let sample = |n: usize| if n % 48_000 < 4_800 { wave(n) } else { 0.0 };
        Self { second: (0..52_000).map(sample).collect(), next: None }
    }
}

impl VideoDecoder for RawPictures {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        self.0.push((packet.pts, packet.data[0]));
        self.1 = usize::from(packet.data[1]);
        // Reordered only where frames are held back, as a decoder does.
        if self.1 > 0 {
            self.0.sort_unstable();
        }
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<Frame>, CodecError> {
        if self.0.len() <= self.1 {
            return Ok(None);
        }
        let (pts, luma) = self.0.remove(0);
        let mut picture = PictureMut::new(Size::new(16, 16))?;
        let grey = [luma, 128, 128];
        for (plane, value) in picture.planes_mut().into_iter().zip(grey) {
            let mut plane = plane;
            plane.rows_mut().for_each(|row| row.fill(value));
        }
        Ok(Some(Frame { pts, picture: picture.freeze() }))
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        self.1 = 0;
        Ok(())
    }
}

impl AudioDecoder for RawSound {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        let word = |at: usize| u32::from_le_bytes(packet.data[at..at + 4].try_into().unwrap()) as usize;
        let samples = &self.second[word(0)..word(0) + word(4)];
        self.next = Some(Pcm::new(packet.pts, RATE, 1, samples));
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<Pcm>, CodecError> {
        Ok(self.next.take())
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}

impl Decoders for Raw {
    fn video(&self) -> Box<dyn VideoDecoder> {
        Box::new(RawPictures(Vec::new(), 0))
    }
    fn audio(&self, _: &AudioParams) -> Box<dyn AudioDecoder> {
        Box::new(RawSound::new())
    }
}

/// A line that gets raw packets, of a show at so many pictures a second.
fn raw(fps: u32) -> Bench {
    let mut bench = Bench::new(Arc::new(Decoding(Raw)), Size::new(16, 16), fps, 1);
    begin(&mut bench);
    bench
}

fn begin(bench: &mut Bench) {
    let config = Bytes::from_static(&[1]);
    let video = VideoParams { codec: VideoCodec::Avc, size: None, config: config.clone() };
    bench.put(Arrival::Params(StreamParams::Video(video)));
    let audio = AudioParams { codec: AudioCodec::Aac, rate: RATE, channels: 1, config };
    bench.put(Arrival::Params(StreamParams::Audio(audio)));
}

/// When flashes and beeps begin, in milliseconds.
fn flashes_and_beeps(bench: &Bench) -> (Vec<f64>, Vec<f64>) {
    let white = |n: usize| bench.shown[n].0[0] > 200;
    let starts = (1..bench.shown.len()).filter(|n| white(*n) && !white(*n - 1));
    let flashes = starts.map(|n| bench.ticks.time_of(Tick(n as u64)).as_secs_f64() * 1000.0).collect();
    let (mut beeps, mut quiet_since) = (Vec::new(), 0);
    for (n, sample) in bench.sound.iter().enumerate() {
        if sample.abs() > 0.1 {
            if n - quiet_since > 12_000 || beeps.is_empty() {
                beeps.push(n as f64 / 48.0);
            }
            quiet_since = n;
        }
    }
    (flashes, beeps)
}

/// Every flash has its beep within the limit, and there are so many at least.
fn assert_in_step(bench: &Bench, what: &str, least: usize) {
    let (flashes, beeps) = flashes_and_beeps(bench);
    let mut pairs = 0;
    // The first beep may have begun before the first picture was there.
    for flash in flashes.iter().filter(|flash| **flash > 1900.0) {
        let Some(beep) = beeps.iter().find(|beep| (*beep - flash).abs() < 400.0) else { continue };
        let off = flash - beep;
        assert!(off.abs() <= LIMIT_MS, "{what}: a flash at {flash:.1} ms, its beep {off:.1} ms before");
        pairs += 1;
    }
    assert!(pairs >= least && flashes.len() <= pairs + 3, "{what}: {pairs} of {}", flashes.len());
}

/// A camera with a flash and a beep at each of its whole seconds.
#[derive(Clone, Copy)]
struct Camera {
    fps: i64,
    /// Its clock, in millionths: positive is slow.
    ppm: i64,
    /// The most that the network adds, in microseconds.
    jitter: i64,
    /// Pictures held back by the decoder: B frames.
    held: u8,
    /// What its clock on the wall shows at its second 0, in seconds since 1970, if it tells.
    wall: Option<u64>,
}

const CAMERA: Camera = Camera { fps: 30, ppm: 0, jitter: 30_000, held: 0, wall: None };

/// What a camera sends: its own time, when that arrives, and the packet.
struct Sent {
    arrives: Time,
    packet: Packet,
}

impl Camera {
    /// Everything of its seconds `from..to`, as it arrives when its second `from` is show time `at`.
    fn send(&self, from: i64, to: i64, at: Time) -> Vec<Sent> {
        let mut all = Vec::new();
        let begin = Time::from_secs(from);
        let arrives = |sent: Time, n: i64| {
            let since = (sent - begin).as_nanos();
            at + Span::from_nanos(since + since * self.ppm / 1_000_000 + n * 7919 % (self.jitter + 1) * 1000)
        };
        let packet = |track, pts, dts, data: Bytes| {
            // Whole milliseconds, as FLV has them.
            let round = |t: Time| Time::from_millis(t.as_millis_rounded());
            let (pts, dts) = (round(pts), round(dts));
            Packet { track, pts, dts, duration: None, key: Key::Frame, data }
        };
        for n in from * self.fps..to * self.fps {
            // Groups of three: the last is sent first.
            let shown = match (self.held, n.rem_euclid(3)) {
                (0, _) => n,
                (_, 0) => n + 2,
                _ => n - 1,
            };
            let pts = Time::from_units(shown, 1, self.fps as u32);
            let dts = Time::from_units(n, 1, self.fps as u32);
            let luma = if shown.rem_euclid(self.fps) < 3 { 235 } else { 16 };
            let told = self.wall.map(|wall| {
                let micros = wall * 1_000_000 + shown as u64 * 1_000_000 / self.fps as u64;
                let [a, b, c, d, e, f, g, h] = micros.to_be_bytes();
                [&b"MISPmicrosectime"[..], &[0, a, b, 255, c, d, 255, e, f, 255, g, h]].concat()
            });
            let data = [vec![luma, self.held], told.unwrap_or_default()].concat();
            let data = packet(Track::Video, pts, dts, data.into());
            all.push(Sent { arrives: arrives(dts, n), packet: data });
        }
        let (first, last) = (RATE.sample_at(begin), RATE.sample_at(Time::from_secs(to)));
        for at in (first..last).step_by(BLOCK) {
            let begins = at.rem_euclid(48_000) as u32;
            let data = [begins, BLOCK as u32].map(u32::to_le_bytes).concat().into();
            let pts = RATE.time_of(at);
            // Sent when its last sample is there.
            let sent = RATE.time_of(at + BLOCK as i64);
            all.push(Sent {
                arrives: arrives(sent, at / 1024),
                packet: packet(Track::Audio, pts, pts, data),
            });
        }
        // Both tracks over one connection, which keeps each one's order.
        all.sort_by_key(|sent| (sent.packet.dts, sent.packet.track == Track::Audio));
        let mut latest = Time::ZERO;
        for sent in &mut all {
            latest = latest.max(sent.arrives);
            sent.arrives = latest;
        }
        all
    }
}

fn receive(bench: &mut Bench, all: Vec<Sent>) {
    for sent in all {
        bench.run_to(sent.arrives);
        bench.put(Arrival::Packet(sent.packet));
    }
}

fn secs(s: i64) -> Time {
    Time::from_secs(s)
}

#[test]
fn ten_minutes_of_a_clock_that_is_300_ppm_off_stay_in_step() {
    for (ppm, fps) in [(300, 30), (-300, 30)] {
        let mut bench = raw(30);
        receive(&mut bench, Camera { ppm, fps, ..CAMERA }.send(0, 600, secs(1)));
        assert_in_step(&bench, &format!("{ppm} ppm"), 597);
        let standing = bench.line.counters.timing().standing.unwrap();
        let found = standing.drift_ppm.unwrap();
        assert!((found + ppm as f64).abs() < 20.0, "{found} ppm");
        let log = bench.line.reporter.now();
        assert!(log > secs(600));
        // 180 ms are five ticks: so many pictures are left out or shown twice, and no other.
        let holes = bench.shown.iter().skip(60).filter(|(_, hole)| *hole).count();
        assert!(holes <= 6, "{holes} ticks without a picture at {ppm} ppm");
    }
}

#[test]
fn other_rates_and_reordered_pictures_are_in_step() {
    for (line, show, held) in [(25, 25, 0), (50, 25, 0), (25, 50, 0), (24, 30, 0), (30, 30, 2), (25, 25, 2)] {
        let mut bench = raw(show);
        let camera = Camera { fps: line, held, ..CAMERA };
        receive(&mut bench, camera.send(0, 12, secs(1)));
        assert_in_step(&bench, &format!("{line} in {show}, {held} held"), 10);
    }
}

/// Connecting and decoding for the first time take a while: what was sent meanwhile comes at once.
#[test]
fn a_line_that_begins_late_waits_no_longer_for_it_and_is_in_step() {
    for late in [100, 250, 400] {
        let mut bench = raw(25);
        let mut all = Camera { fps: 25, jitter: 5_000, ..CAMERA }.send(0, 12, secs(1));
        for sent in &mut all {
            sent.arrives = sent.arrives.max(Time::from_millis(1000 + late));
        }
        receive(&mut bench, all);
        assert_in_step(&bench, &format!("{late} ms late"), 9);
        let waits = bench.line.buffer.waiting().unwrap();
        // 200 ms, a tick since the first one is put on one, and a tick since the last was taken.
        assert!(waits <= Span::from_millis(280), "{waits} wait, {late} ms late");
        assert_eq!(bench.shown.iter().skip(60).filter(|(_, hole)| *hole).count(), 0);
    }
}

#[test]
fn a_jump_of_the_stamps_is_in_step_at_once() {
    for by in [-10, 10] {
        let mut bench = raw(30);
        receive(&mut bench, CAMERA.send(20, 26, secs(1)));
        let mut rest = CAMERA.send(26, 32, secs(7));
        for sent in &mut rest {
            sent.packet.pts += Span::from_secs(by);
            sent.packet.dts += Span::from_secs(by);
        }
        receive(&mut bench, rest);
        // The beep of the second that jumped may be cut in two.
        assert_in_step(&bench, &format!("a jump by {by} s"), 9);
        let holes = bench.shown.iter().skip(60).filter(|(_, hole)| *hole).count();
        assert_eq!(holes, 0, "no picture is missing");
    }
}

#[test]
fn who_comes_back_with_another_clock_is_in_step() {
    let mut bench = raw(30);
    receive(&mut bench, CAMERA.send(500, 505, secs(1)));
    bench.put(Arrival::Ended("the cable".to_owned()));
    bench.put(Arrival::Started { from: "a camera".to_owned() });
    begin(&mut bench);
    receive(&mut bench, CAMERA.send(0, 6, secs(8)));
    assert_in_step(&bench, "after a reconnect", 9);
}

/// Where one encoder takes over from another with its first picture, nothing stands still.
#[test]
fn a_take_over_leaves_no_tick_without_its_picture() {
    let mut bench = raw(30);
    receive(&mut bench, CAMERA.send(500, 504, secs(1)));
    bench.put(Arrival::Ended("another has taken over".to_owned()));
    bench.put(Arrival::Started { from: "another".to_owned() });
    begin(&mut bench);
    receive(&mut bench, CAMERA.send(0, 4, secs(5)));
    // From the first picture to the last: 1 s + 200 ms to 9 s + 200 ms.
    bench.run_to(secs(9));
    let holes = (37..270).filter(|tick| bench.shown[*tick].1);
    assert_eq!(holes.count(), 0);
    assert_in_step(&bench, "after a take-over", 7);
}

#[test]
fn stamps_far_off_are_stamped_anew() {
    let mut bench = raw(30);
    let mut all = CAMERA.send(0, 20, secs(1));
    let far = [3_600_000, -5_000, 40_000_000, 2_500];
    for (n, sent) in all.iter_mut().filter(|sent| sent.packet.track == Track::Video).enumerate() {
        if n % 40 == 17 {
            sent.packet.pts += Span::from_millis(far[n / 40 % far.len()]);
        }
    }
    receive(&mut bench, all);
    assert_in_step(&bench, "outliers", 18);
    assert_eq!(bench.shown.iter().skip(60).filter(|(_, hole)| *hole).count(), 0);
}

#[test]
fn missing_sound_is_silence_and_a_missing_picture_is_held() {
    let mut bench = raw(30);
    let mut all = CAMERA.send(0, 15, secs(1));
    let lost = |track, from, to: i64| {
        move |sent: &Sent| {
            let at = sent.packet.dts.as_millis_rounded();
            sent.packet.track == track && (from..to).contains(&at)
        }
    };
    all.retain(|sent| !lost(Track::Audio, 4_500, 6_500)(sent) && !lost(Track::Video, 8_400, 9_600)(sent));
    receive(&mut bench, all);
    let (flashes, beeps) = flashes_and_beeps(&bench);
    assert_eq!((flashes.len(), beeps.len()), (14, 13), "{flashes:?} {beeps:?}");
    assert_in_step(&bench, "gaps", 11);
    // One second is 1.2 s later on air: those of 8.4 to 9.6 s are held, and said to be missing.
    let held: Vec<_> = bench.shown.iter().skip(60).filter(|(_, hole)| *hole).collect();
    assert!((30..=37).contains(&held.len()) && held.iter().all(|(yuv, _)| yuv[0] == 16), "{held:?}");
    let silent = &bench.sound[(6.0 * 48_000.0) as usize..(7.5 * 48_000.0) as usize];
    assert!(silent.iter().all(|s| *s == 0.0));
}

/// Two cameras on two networks, one 300 ms slower, whose lines have `sync=clock`: what they send is
/// shown in step.
fn assert_shown_together(prepare: impl Fn(&mut Bench), sent: [Vec<Sent>; 2]) {
    let together = Arc::new(Together::default());
    let mut benches = ["quick", "slow"].map(|name| {
        let mut bench = raw(30);
        bench.line.sync = SyncBy::Clock;
        bench.line.together = Arc::clone(&together);
        bench.line.reporter = bench.line.reporter.of(name);
        prepare(&mut bench);
        bench
    });
    let mut all: Vec<_> = sent
        .into_iter()
        .enumerate()
        .flat_map(|(which, all)| all.into_iter().map(move |sent| (which, sent)))
        .collect();
    all.sort_by_key(|(_, sent)| sent.arrives);
    for (which, sent) in all {
        benches.iter_mut().for_each(|bench| bench.run_to(sent.arrives));
        benches[which].put(Arrival::Packet(sent.packet));
    }
    let [quick, slow] = benches.each_ref().map(|bench| {
        assert_in_step(bench, bench.line.reporter.subject(), 15);
        flashes_and_beeps(bench).0
    });
    let late = |flashes: &[f64]| flashes.iter().copied().filter(|at| *at > 6_000.0).collect::<Vec<_>>();
    let (quick, slow) = (late(&quick), late(&slow));
    let pairs = quick.iter().zip(&slow).filter(|(a, b)| (*a - *b).abs() < 1.0).count();
    assert!(pairs >= 13 && pairs + 1 >= quick.len(), "{quick:?} {slow:?}");
    let behind = benches.each_ref().map(|bench| bench.line.counters.timing().behind.unwrap());
    assert_eq!(behind[0], Span::ZERO);
    assert!((behind[1] - Span::from_millis(300)).abs() < Span::from_millis(12), "{}", behind[1]);
}

/// Their streams begin anywhere, and tell the time of the day.
#[test]
fn what_two_cameras_took_at_one_moment_is_shown_at_one_tick() {
    // At show time 1 s it is 1000 s by both clocks on the wall; the slow one's stream is at 20 s then.
    let quick = Camera { wall: Some(1_000), ..CAMERA }.send(0, 20, Time::from_millis(1_000));
    let slow = Camera { wall: Some(980), ppm: 20, ..CAMERA }.send(20, 40, Time::from_millis(1_300));
    assert_shown_together(|_| (), [quick, slow]);
}

/// Their encoders write time codes, across midnight.
#[test]
fn what_two_cameras_took_at_one_time_code_is_shown_at_one_tick() {
    // The code of the picture that is flashed first, and how far its stream is then.
    let coded = |all: Vec<Sent>, from: i64| {
        let code = |mut sent: Sent| {
            let at = sent.packet.pts.as_millis_rounded() - from;
            if sent.packet.track == Track::Video && at.rem_euclid(1_000) == 0 {
                let second = (86_390 + at / 1_000).rem_euclid(86_400);
                let parts = [second / 3600, second / 60 % 60, second % 60].map(|part| part as u8);
                let code = crate::ingest::timecode::written(parts[0], parts[1], parts[2], 0);
                sent.packet.data = [&sent.packet.data[..], &code].concat().into();
            }
            sent
        };
        all.into_iter().map(code).collect()
    };
    let hevc = |bench: &mut Bench| {
        let video = VideoParams { codec: VideoCodec::Hevc, size: None, config: Bytes::from_static(&[1]) };
        bench.put(Arrival::Params(StreamParams::Video(video)));
    };
    let quick = CAMERA.send(0, 20, Time::from_millis(1_000));
    let slow = Camera { ppm: 20, ..CAMERA }.send(20, 40, Time::from_millis(1_300));
    assert_shown_together(hevc, [coded(quick, 0), coded(slow, 20_000)]);
}

/// The 32 bits of RTMP's milliseconds are used up every 49 days.
#[test]
fn stamps_that_wrap_are_in_step() {
    let mut bench = raw(30);
    let mut unpacker = Unpacker::default();
    let base = u32::MAX - 5_000;
    for sent in CAMERA.send(0, 12, secs(1)) {
        bench.run_to(sent.arrives);
        let stamp = FlvMillis(base.wrapping_add(sent.packet.dts.as_millis_rounded() as u32));
        let (kind, head) = match sent.packet.track {
            Track::Video => (TagKind::Video, &[0x17, 1, 0, 0, 0][..]),
            Track::Audio => (TagKind::Audio, &[0xaf, 1][..]),
        };
        if kind == TagKind::Audio {
            let _ =
                unpacker.unpack(&Tag::new(kind, stamp, Bytes::from_static(&[0xaf, 0, 0x11, 0x90])).unwrap());
        }
        let body = [head, &sent.packet.data].concat();
        let unpacked = unpacker.unpack(&Tag::new(kind, stamp, body.into()).unwrap()).unwrap();
        bench.put(Arrival::Packet(unpacked.packet.unwrap()));
    }
    assert_in_step(&bench, "a wrap", 11);
    assert_eq!(bench.shown.iter().skip(60).filter(|(_, hole)| *hole).count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Wild stamps, wild delays, wild lengths: the show goes on tick by tick, pictures never go
    /// back, and what waits is bounded.
    #[test]
    fn wild_stamps_harm_nothing(
        all in prop::collection::vec(
            (prop_oneof![4 => 0i64..80, 1 => -20_000i64..20_000, 1 => any::<i64>()],
             0i64..200, any::<bool>(), 0u8..3, 0usize..3000),
            1..300),
    ) {
        let mut bench = raw(25);
        let (mut pts, mut now, mut last) = (Time::ZERO, Time::ZERO, Time::from_flicks(i64::MIN));
        for (step, passed, is_sound, held, len) in all {
            pts += Span::from_millis(step);
            now += Span::from_millis(passed);
            bench.run_to(now);
            let shown = bench.line.buffer.shown();
            prop_assert!(shown.is_none_or(|at| at >= last), "{shown:?} after {last}");
            last = shown.unwrap_or(last);
            let (track, data) = match is_sound {
                true => (Track::Audio, [10_000, len as u32].map(u32::to_le_bytes).concat()),
                false => (Track::Video, vec![16, held]),
            };
            let packet = Packet { track, pts, dts: pts, duration: None, key: Key::Frame, data: data.into() };
            bench.put(Arrival::Packet(packet));
            let waits = bench.line.buffer.waiting().unwrap();
            prop_assert!(waits <= Span::from_millis(6_000), "{waits} wait");
        }
        prop_assert_eq!(bench.sound.len(), bench.shown.len() * 1920);
    }
}
