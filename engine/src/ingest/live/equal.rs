//! Two lines of one camera that carry the same, in virtual time: numbered pictures and a steady
//! tone, from what arrives to what the camera shows.

use std::f64::consts::TAU;
use std::sync::Arc;

use bytes::Bytes;
use codecs::{AudioDecoder, CodecError, Frame, Pcm, PictureMut, Plane, VideoDecoder};
use fixtures::noise::Noise;
use media::{
    AudioCodec, AudioParams, FrameRate, Key, Packet, Size, Span, Tick, Time, Track, VideoCodec, VideoParams,
};
use pipeline_dsl::{self as dsl, SyncBy};
use scheduling::{Fader, FeedIx, Input, LineIx, OnAir, Output, SourceIx, Switcher};

use super::LiveLine;
use super::bench::{Decoders, Decoding, RATE};
use crate::channel::sound::{Part, SoundDesk};
use crate::clock::{Clock, Stop, VirtualClock};
use crate::event::EventLog;
use crate::ingest::align::Seat;
use crate::ingest::buffer::{LineBuffer, Pace};
use crate::ingest::contribution::Contribution;
use crate::ingest::intake::{Arrival, Intake};
use crate::ingest::lane::{self, Shape, StreamParams};
use crate::ingest::standby::Orders;
use crate::ingest::{Line, LineCounters, Origin};
use crate::reporter::Reporter;
use crate::show::cameras::CameraRun;

const FPS: i64 = 25;
const TICK: i64 = 1000 / FPS;
const SIZE: Size = Size::new(16, 16);
const TONE: f64 = 440.0;
const BLOCK: i64 = 1024;
/// Numbers that a picture's luma can show.
const NUMBERS: u64 = 200;

/// What is heard.
#[derive(Clone, Copy, PartialEq)]
enum Sound {
    Tone,
    /// For three pictures of each second's 25.
    Beeps,
}

impl Sound {
    fn sample(self, n: i64) -> f32 {
        let is_heard = self == Self::Tone || n.rem_euclid(48_000) < 3 * 1920;
        if is_heard { ((n as f64 / 48_000.0 * TONE * TAU).sin() * 0.5) as f32 } else { 0.0 }
    }
}

/// Its packets of pictures are numbers, shown as luma; those of sound are their first sample's.
struct Numbered(Sound);
struct Numbers(Option<Frame>);
struct Heard(Sound, Option<Pcm>);

fn number_in(data: &[u8]) -> u64 {
    u64::from_le_bytes(data[..8].try_into().unwrap())
}

impl VideoDecoder for Numbers {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        let luma = 16 + (number_in(&packet.data) % NUMBERS) as u8;
        let mut picture = PictureMut::new(SIZE)?;
        for (mut plane, value) in picture.planes_mut().into_iter().zip([luma, 128, 128]) {
            plane.fill(value);
        }
        // What is seen from far goes its own way from cell to cell.
        let mut luma = picture.plane_mut(Plane::Y);
        for (y, row) in luma.rows_mut().enumerate().filter(|(y, _)| *y < 8) {
            for (x, pixel) in row.iter_mut().enumerate() {
                let wave =
                    (number_in(&packet.data) as f64 * (0.02 + 0.013 * (x / 2 + y / 2 * 8) as f64)).sin();
                *pixel = (128.0 + 100.0 * wave) as u8;
            }
        }
        self.0 = Some(Frame { pts: packet.pts, picture: picture.freeze() });
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<Frame>, CodecError> {
        Ok(self.0.take())
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}

impl AudioDecoder for Heard {
    fn send(&mut self, packet: &Packet) -> Result<(), CodecError> {
        let first = number_in(&packet.data) as i64;
        let samples: Vec<f32> = (first..first + BLOCK).map(|n| self.0.sample(n)).collect();
        self.1 = Some(Pcm::new(packet.pts, RATE, 1, samples));
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<Pcm>, CodecError> {
        Ok(self.1.take())
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}

impl Decoders for Numbered {
    fn video(&self) -> Box<dyn VideoDecoder> {
        Box::new(Numbers(None))
    }
    fn audio(&self, _: &AudioParams) -> Box<dyn AudioDecoder> {
        Box::new(Heard(self.0, None))
    }
}

/// Numbers of a seed.
struct Dice(Noise);
impl Dice {
    fn new(seed: u64) -> Self {
        Self(Noise::new(seed))
    }
    fn roll(&mut self) -> u64 {
        self.0.next_u64()
    }
    fn of(&mut self, from: i64, to: i64) -> i64 {
        from + (self.roll() % (to - from) as u64) as i64
    }
}

/// How one line brings the stream.
#[derive(Clone, Copy)]
struct Way {
    /// Later than it was sent by this many milliseconds, and by up to so many more.
    late: i64,
    jitter: i64,
    /// What its container adds to the stamps.
    stamps: i64,
    /// What an encoder of its own puts in: other coded pictures of the same.
    encoder: u8,
}

/// Something that arrives over a line.
struct Arrives {
    at: Time,
    line: usize,
    what: Arrival,
}

impl Way {
    /// All of `seconds` of the stream over a line that is down at these times (milliseconds of sending).
    fn send(self, line: usize, seconds: i64, downs: &[(i64, i64)], dice: &mut Dice) -> Vec<Arrives> {
        let is_down = |ms: i64| downs.iter().any(|(from, to)| (*from..*to).contains(&ms));
        let mut sent: Vec<(i64, Packet)> = Vec::new();
        let stamp = |t: Time| Time::from_millis(t.as_millis_rounded() + self.stamps);
        for n in 0..seconds * FPS {
            let pts = Time::from_millis(n * TICK);
            let mut data = (n as u64).to_le_bytes().to_vec();
            data.extend(
                (0..120u64).map(|k| (n as u64 * 31 + k * 7 + (n as u64 >> 3) * k) as u8 ^ self.encoder),
            );
            data.push(1);
            let key = if n % FPS == 0 { Key::Frame } else { Key::Delta };
            let (pts, data) = (stamp(pts), Bytes::from(data));
            sent.push((n * TICK, Packet { track: Track::Video, pts, dts: pts, duration: None, key, data }));
        }
        for n in 0..seconds * 48_000 / BLOCK {
            let pts = stamp(RATE.time_of(n * BLOCK));
            let data = Bytes::copy_from_slice(&((n * BLOCK) as u64).to_le_bytes());
            let sent_at = RATE.time_of(n * BLOCK + BLOCK).as_millis_rounded();
            let key = Key::Frame;
            sent.push((sent_at, Packet { track: Track::Audio, pts, dts: pts, duration: None, key, data }));
        }
        sent.sort_by_key(|(at, _)| *at);
        let (mut all, mut latest, mut up) = (Vec::new(), 0, false);
        for (ms, packet) in sent {
            if is_down(ms) {
                if std::mem::replace(&mut up, false) {
                    all.push(Arrives {
                        at: Time::from_millis(latest),
                        line,
                        what: Arrival::Ended("it is cut".to_owned()),
                    });
                }
                continue;
            }
            latest = latest.max(ms + self.late + dice.of(0, self.jitter + 1));
            let at = Time::from_millis(latest);
            if !std::mem::replace(&mut up, true) {
                let from = "an encoder".to_owned();
                let config = Bytes::from_static(&[1]);
                let video = VideoParams { codec: VideoCodec::Avc, size: None, config: config.clone() };
                let audio = AudioParams { codec: AudioCodec::Aac, rate: RATE, channels: 1, config };
                all.push(Arrives { at, line, what: Arrival::Started { from } });
                for params in [StreamParams::Video(video), StreamParams::Audio(audio)] {
                    all.push(Arrives { at, line, what: Arrival::Params(params) });
                }
            }
            all.push(Arrives { at, line, what: Arrival::Packet(packet) });
        }
        all
    }
}

/// A camera of two lines, its clock, and what it has shown.
struct Camera {
    lines: Vec<(LiveLine, Contribution, Arc<Orders>)>,
    run: CameraRun,
    switcher: Switcher,
    clock: Arc<VirtualClock>,
    log: Arc<EventLog>,
    tick: u64,
    /// The number that each tick shows.
    shown: Vec<Option<u64>>,
    sound: Vec<f32>,
    /// What a channel makes of that: silence where a picture is held.
    air: Vec<f32>,
    desk: SoundDesk,
    changes: Vec<(i64, scheduling::LineChange)>,
    /// Pictures decoded of each line, by the kit.
    decoded_at_rest: u64,
}

impl Camera {
    fn new(failover: &str) -> Self {
        Self::that_hears(Sound::Tone, failover)
    }

    /// A show of this one camera, led by these rules.
    fn show(failover: &str) -> dsl::Show {
        let text = format!(
            r#"show t {{ video 64x36 25fps; camera main {{ line a push "rtmp:x/a"; line b push "rtmp:x/b"; failover {failover} }}
            ladder l {{ rung r 64x36 100k }}; channel c {{ sources main; ladder l; egress d record "d.flv" }} }}"#
        );
        dsl::parse_show(&text).unwrap()
    }

    fn that_hears(heard: Sound, failover: &str) -> Self {
        let show = Self::show(failover);
        let ticks = FrameRate::new(FPS as u32, 1).unwrap();
        let (clock, log) = (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()));
        let stop = Arc::new(Stop::default());
        let reporter = Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), stop);
        let depth = Span::from_millis(200);
        let rules = show.cameras[0].failover;
        let (mut lines, mut taken_from) = (Vec::new(), Vec::new());
        for name in ["a", "b"] {
            let deinterlace = dsl::Deinterlace::default();
            let kit = Arc::new(Decoding(Numbered(heard)));
            let decoding = lane::Decoding::Easy;
            let shape = Shape { kit, canvas: SIZE, ticks, rate: RATE, channels: 1, deinterlace, decoding };
            let pace = Pace::Live { depth: depth + Span::from_secs(1) };
            let buffer = Arc::new(LineBuffer::new(pace, ticks.tick_span(), RATE, 1));
            let counters = Arc::new(LineCounters::default());
            let orders = Arc::new(Orders::default());
            let seat = Arc::<Seat>::default();
            let line = LiveLine {
                arrivals: Intake::new(reporter.clone()).1,
                depth,
                sync: SyncBy::Arrival,
                together: Arc::default(),
                seat: Arc::clone(&seat),
                orders: Arc::clone(&orders),
                buffer: Arc::clone(&buffer),
                counters: Arc::clone(&counters),
                reporter: reporter.of(name),
                shape,
            };
            let contribution = Contribution::new(&line.shape, depth);
            lines.push((line, contribution, Arc::clone(&orders)));
            let line = Line::new(name.to_owned(), Origin::Buffered(buffer), counters);
            taken_from.push(line.led_by(seat, orders));
        }
        let audio = dsl::Audio { rate: RATE, layout: dsl::Layout::Mono };
        let mut run = CameraRun::new("main".to_owned(), taken_from, FeedIx::Camera(0), audio);
        run.stand_by(rules.standby);
        run.align(rules.align, None);
        let switcher = Switcher::new(&show).unwrap();
        Self {
            lines,
            run,
            switcher,
            clock,
            log,
            tick: 0,
            shown: Vec::new(),
            sound: Vec::new(),
            air: Vec::new(),
            desk: SoundDesk::new(RATE, 1, 1),
            changes: Vec::new(),
            decoded_at_rest: 0,
        }
    }

    fn tick(&mut self) {
        let rate = FrameRate::new(FPS as u32, 1).unwrap();
        let (from, to) = (rate.time_of(Tick(self.tick)), rate.time_of(Tick(self.tick + 1)));
        self.clock.wait_until(from, &Stop::default());
        self.run.take_lines(Tick(self.tick), from, to, &mut self.switcher, &mut Vec::new());
        self.switcher.handle(Input::Tick, from).unwrap();
        let mut fader = Fader::Quick(0.0);
        while let Some(output) = self.switcher.poll() {
            match output {
                Output::Line { change, .. } => {
                    self.run.go_over(change);
                    self.changes.push((from.as_millis_rounded(), change));
                }
                Output::Duty { line, duty, .. } => self.run.order(line, duty),
                Output::Program { decision, .. } => fader = decision.fader(OnAir::Source(SourceIx(0))),
                Output::Watermark { .. } | Output::Event(_) => {}
            }
        }
        self.run.settle(&self.switcher);
        let take = self.run.take.as_ref();
        let sound = take.and_then(|take| take.sound.as_deref());
        self.air.extend(self.desk.mix(from, to, &[Part { fader, sound }]));
        let luma = take.and_then(|take| take.picture.as_ref()).map(|p| p.plane(Plane::Y).row(15)[15]);
        self.shown.push(luma.map(|luma| u64::from(luma) - 16));
        let sound = take.and_then(|take| take.sound.clone());
        self.sound.extend(sound.unwrap_or_else(|| vec![0.0; 48 * TICK as usize]));
        self.tick += 1;
    }

    fn receive(&mut self, mut all: Vec<Arrives>) {
        all.sort_by_key(|arrives| arrives.at);
        for Arrives { at, line, what } in all {
            while Time::from_millis(self.tick as i64 * TICK) <= at {
                self.tick();
                for (line, contribution, _) in &mut self.lines {
                    line.mind_orders(contribution);
                }
            }
            self.clock.wait_until(at, &Stop::default());
            let (line, contribution, orders) = &mut self.lines[line];
            if orders.duty() == scheduling::Duty::Keep && matches!(what, Arrival::Packet(_)) {
                self.decoded_at_rest += u64::from(contribution.gop.is_there());
            }
            line.arrival(contribution, what);
        }
    }

    /// Ticks from `from` seconds on at which the number is not the next one.
    fn breaks(&self, from: i64) -> Vec<(i64, Option<u64>, Option<u64>)> {
        let first = (from * FPS) as usize;
        let pairs = self.shown.windows(2).enumerate().skip(first);
        let broken = pairs.filter(|(_, w)| w[1] != w[0].map(|number| (number + 1) % NUMBERS));
        broken.map(|(n, w)| ((n as i64 + 1) * TICK, w[0], w[1])).collect()
    }

    /// The loudest that is not the tone, from `from` seconds on, and when.
    fn click(&self, from: i64) -> (f64, f64) {
        loudest_beside_the_tone(&self.sound, from)
    }
}

/// What a filter leaves that takes out just the tone.
fn loudest_beside_the_tone(sound: &[f32], from: i64) -> (f64, f64) {
    let turn = 2.0 * (TONE / 48_000.0 * TAU).cos();
    let first = (from * 48_000) as usize;
    let left = sound[first..].windows(3).map(|w| {
        let [a, b, c] = [w[0], w[1], w[2]].map(f64::from);
        (c - turn * b + a).abs()
    });
    let (at, loudest) = left.enumerate().fold((0, 0.0), |max, one| if one.1 > max.1 { one } else { max });
    (loudest, from as f64 + at as f64 / 48_000.0)
}

/// −40 dBFS.
const CLICK: f64 = 0.01;

/// Times at which either line goes down, never both, for up to so long, and is back for a while.
fn downs_of(dice: &mut Dice, seconds: i64, most: i64, back: i64) -> [Vec<(i64, i64)>; 2] {
    let mut downs = [Vec::new(), Vec::new()];
    let mut at = 5_000;
    while at < (seconds - 12) * 1000 {
        let (from, line) = (at + dice.of(0, 1_500), (dice.roll() % 2) as usize);
        let to = from + dice.of(100, most);
        downs[line].push((from, to));
        at = to + dice.of(back, back + 2_000);
    }
    downs
}

/// For long enough to be found again.
fn downs(dice: &mut Dice, seconds: i64) -> [Vec<(i64, i64)>; 2] {
    downs_of(dice, seconds, 4_000, 4_500)
}

fn seeds() -> impl Iterator<Item = u64> {
    (0..3).map(|n| 0x5eed_0000 + n)
}

const A: Way = Way { late: 20, jitter: 25, stamps: 0, encoder: 0 };

/// Hot standby of equal content: whatever line dies, and whichever is slower.
#[test]
fn no_picture_is_repeated_or_skipped_and_nothing_clicks() {
    for (n, seed) in seeds().enumerate() {
        let mut dice = Dice::new(seed);
        let seconds = 100;
        let [first, second] = downs(&mut dice, seconds);
        let b = Way { late: [20, 100, 5][n], stamps: [1400, 0, -3_000][n], ..A };
        let mut all = A.send(0, seconds, &first, &mut dice);
        all.extend(b.send(1, seconds, &second, &mut dice));
        let mut camera = Camera::new("");
        camera.receive(all);
        println!("seed {seed:#x}: {} changes", camera.changes.len());
        assert!(camera.changes.len() >= 5, "seed {seed:#x}: {:?}", camera.changes);
        // The stream's end is a hole for both.
        let end = camera.shown.len() - 25;
        camera.shown.truncate(end);
        camera.sound.truncate(end * 48 * TICK as usize);
        assert_eq!(camera.breaks(5), [], "seed {seed:#x}: {:?}", camera.changes);
        let (click, at) = camera.click(5);
        assert!(click < CLICK / 4.0, "seed {seed:#x}: {click:.4} at {at:.3} s: {:?}", camera.changes);
        let events = camera.log.all(Time::ZERO);
        assert!(events.iter().any(|e| e.code == "line-in-step"), "{events:#?}");
    }
}

/// A backup that is so much slower that the line on air has to wait for it does so unseen: by a
/// little at a time.
#[test]
fn the_line_on_air_waits_for_a_slower_one_without_a_jump() {
    let mut dice = Dice::new(7);
    let b = Way { late: 350, ..A };
    let mut all = A.send(0, 165, &[(135_000, 138_000)], &mut dice);
    all.extend(b.send(1, 165, &[], &mut dice));
    let mut camera = Camera::new("");
    camera.receive(all);
    let repeats = camera.breaks(3).into_iter().filter(|(at, ..)| *at < 135_000).count();
    // 330 ms, less half of what it waits by itself, are six ticks.
    assert!((4..=7).contains(&repeats), "{:?}", camera.breaks(3));
    let broken: Vec<_> = camera.breaks(130).into_iter().filter(|(at, ..)| *at < 163_000).collect();
    assert_eq!(broken, [], "{:?}", camera.changes);
    assert_eq!(camera.changes[1].1.to, LineIx(1));
    camera.sound.truncate(160 * 48_000);
    assert!(camera.click(3).0 < CLICK, "{:?}", camera.click(3));
}

/// Two encoders of one camera: nothing coded is the same, what is seen is.
#[test]
fn two_encoders_of_one_camera_are_in_step_by_what_is_seen() {
    let mut dice = Dice::new(11);
    let b = Way { late: 90, stamps: 777_013, encoder: 0x55, ..A };
    let downs = [(12_000, 14_000), (20_000, 23_000)];
    let send = |dice: &mut Dice| {
        let mut all = A.send(0, 40, &downs, dice);
        all.extend(b.send(1, 40, &[(30_000, 31_000)], dice));
        all
    };
    let mut camera = Camera::new("align=content");
    camera.receive(send(&mut dice));
    assert!(camera.changes.len() >= 4, "{:?}", camera.changes);
    let broken: Vec<_> = camera.breaks(8).into_iter().filter(|(at, ..)| *at < 38_000).collect();
    assert_eq!(broken, [], "{:?}", camera.changes);
    // The test can fail: by their stamps nobody knows.
    let mut camera = Camera::new("");
    camera.receive(send(&mut dice));
    assert!(!camera.breaks(8).is_empty());
}

/// Warm standby: nothing is decoded while it rests, and it goes on in step once it is caught up with.
#[test]
fn a_warm_line_rests_and_goes_on_where_the_other_ended() {
    for seed in seeds() {
        let mut dice = Dice::new(seed);
        let seconds = 90;
        let [first, second] = downs(&mut dice, seconds);
        let b = Way { late: 60, stamps: 1400, ..A };
        let mut all = A.send(0, seconds, &first, &mut dice);
        all.extend(b.send(1, seconds, &second, &mut dice));
        let mut camera = Camera::new("standby=warm");
        camera.receive(all);
        println!("seed {seed:#x}: {} changes", camera.changes.len());
        let failovers: Vec<_> =
            camera.changes.iter().filter(|(_, c)| c.reason == scheduling::LineReason::Failover).collect();
        assert!(!failovers.is_empty(), "seed {seed:#x}");
        assert!(camera.decoded_at_rest > 500, "it hardly rested");
        // A picture is held while the other line wakes, and no longer than that takes: two ticks.
        let end = (seconds - 2) * 1000;
        for (at, before, after) in camera.breaks(5).into_iter().filter(|(at, ..)| *at < end) {
            let step = (after.unwrap() + NUMBERS - before.unwrap()) % NUMBERS;
            assert!(step <= 4, "seed {seed:#x} at {at}: {before:?} to {after:?}");
        }
        let off = |tick: usize| camera.shown[tick].map(|n| (tick as u64 + NUMBERS * 50 - n) % NUMBERS);
        let home = off(6 * FPS as usize);
        let astray = (6 * FPS as usize..(end / TICK) as usize).filter(|tick| off(*tick) != home).count();
        assert!(astray <= 4 * camera.changes.len(), "seed {seed:#x}: {astray} ticks, {:?}", camera.changes);
    }
}

/// Lines of one camera that nobody brought into step, lost and back again more than a hundred
/// times: what a channel makes of them.
fn a_hundred_failovers(heard: Sound) -> Camera {
    let mut dice = Dice::new(0xf1a5);
    let seconds = 540;
    let [first, second] = downs_of(&mut dice, seconds, 1_500, 700);
    let b = Way { late: 90, stamps: 1400, ..A };
    let mut all = A.send(0, seconds, &first, &mut dice);
    all.extend(b.send(1, seconds, &second, &mut dice));
    let mut camera = Camera::that_hears(heard, "recover=300ms align=off");
    camera.receive(all);
    println!("seed 0xf1a5: {} changes of line", camera.changes.len());
    assert!(camera.changes.len() > 100, "{}", camera.changes.len());
    camera
}

#[test]
fn a_steady_tone_does_not_click_through_a_hundred_failovers_and_their_holes() {
    let camera = a_hundred_failovers(Sound::Tone);
    let (click, at) = loudest_beside_the_tone(&camera.air, 2);
    println!("loudest beside the tone: {:.1} dBFS", 20.0 * click.log10());
    assert!(click < CLICK, "{click:.4} at {at:.3} s");
    // While a picture is held, silence.
    let silent = |tick: usize| camera.air[tick * 1920..tick * 1920 + 1920].iter().all(|s| *s == 0.0);
    let held = (50..camera.shown.len() - 50)
        .filter(|n| camera.shown[n - 3..=n + 1].windows(2).all(|w| w[0] == w[1]));
    let held: Vec<usize> = held.collect();
    assert!(held.len() > 200 && held.iter().all(|tick| silent(*tick)), "{}", held.len());
}

#[test]
fn a_flash_keeps_its_beep_through_a_hundred_failovers() {
    let camera = a_hundred_failovers(Sound::Beeps);
    let is_white = |tick: usize| camera.shown.get(tick).copied().flatten().is_some_and(|n| n % 25 < 3);
    let flashes: Vec<usize> =
        (50..camera.shown.len() - 50).filter(|n| is_white(*n) && !is_white(n - 1)).collect();
    let (mut beeps, mut last) = (Vec::new(), 0);
    for (n, _) in camera.air.iter().enumerate().filter(|(_, sample)| sample.abs() > 0.02) {
        if n - last > 1_440 {
            beeps.push(n as f64 / 48.0);
        }
        last = n;
    }
    // A picture is shown at the tick next to it: half a tick of 25 a second, and its stamp is
    // rounded to a millisecond.
    const APART: f64 = 21.0;
    let mut worst: f64 = 0.0;
    for flash in &flashes {
        let at = *flash as f64 * 40.0;
        let off = beeps.iter().map(|beep| (beep - at).abs()).fold(f64::MAX, f64::min);
        worst = worst.max(off);
        assert!(off <= APART, "a flash at {at} ms, its beep {off:.1} ms beside it");
    }
    for beep in beeps.iter().filter(|beep| **beep > 2_000.0) {
        let near = [beep - APART, *beep, beep + APART].map(|ms| is_white((ms / 40.0) as usize));
        assert!(near.contains(&true), "a beep without a flash at {beep:.1} ms");
    }
    println!("{} flashes, {} beeps, the worst pair {worst:.1} ms apart", flashes.len(), beeps.len());
    assert!(flashes.len() > 300);
}

mod led_anew;
