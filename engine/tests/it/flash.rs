//! A hundred cuts at random, in virtual time and through the encoders, between cameras whose lines
//! end in between: flashes keep their beeps, and a steady tone stays one. Failovers of lines that
//! are lost and come back are proved where lines are received.

use std::f64::consts::TAU;

use codecs::{Frame, Pcm, PictureMut, Yuv};
use engine::{Engine, Mode, Report, RunOptions, SourceHandle, SourceTracks};
use fixtures::noise::Noise;
use media::{FrameRate, SampleRate, Size, Tick};

use crate::support::{decode_sound, ffmpeg, show, tags};

const FPS: u64 = 25;
const SIZE: Size = Size::new(64, 36);
const SEED: u64 = 0x0b5e_55ed;

/// Numbers of a seed.
struct Dice(Noise);
impl Dice {
    fn of(&mut self, from: i64, to: i64) -> i64 {
        from + (self.0.next_u64() % (to - from) as u64) as i64
    }
}

/// What a camera's lines carry.
#[derive(Clone, Copy, PartialEq)]
enum Content {
    /// 120 ms of white and 1 kHz each second, from so many ticks into it on.
    FlashAndBeep { phase: u64 },
    /// 440 Hz without a break.
    Tone,
}

impl Content {
    fn is_white(self, tick: u64) -> bool {
        matches!(self, Self::FlashAndBeep { phase } if (tick + FPS - phase) % FPS < 3)
    }
    fn sample(self, n: u64) -> f32 {
        let wave = |hz: f64| ((n as f64 / 48_000.0 * hz * TAU).sin() * 0.5) as f32;
        match self {
            Self::Tone => wave(440.0),
            Self::FlashAndBeep { .. } if self.is_white(n / 1920) => wave(1000.0),
            Self::FlashAndBeep { .. } => 0.0,
        }
    }
}

/// A line that ends after so many milliseconds.
fn line(content: Content, end: i64) -> impl FnOnce(SourceHandle) + Send + 'static {
    move |to| {
        let (rate, hz) = (FrameRate::new(FPS as u32, 1).unwrap(), SampleRate::HZ_48000);
        let white = PictureMut::filled(SIZE, Yuv::new(235, 128, 128)).unwrap().freeze();
        let black = PictureMut::filled(SIZE, Yuv::new(16, 128, 128)).unwrap().freeze();
        let is_gone = |ms: i64| ms >= end;
        for tick in 0.. {
            let picture = if content.is_white(tick) { white.clone() } else { black.clone() };
            let pts = rate.time_of(Tick(tick));
            let given =
                if is_gone(tick as i64 * 40) { Ok(()) } else { to.frame(Frame { pts, picture }).map(|_| ()) };
            // In blocks of 10 ms: sound breaks off in the midst of a tick, too.
            let blocks = (0..4).map(|block| tick * 4 + block).filter(|block| !is_gone(*block as i64 * 10));
            let sound = blocks.map(|block| {
                let samples: Vec<f32> = (block * 480..block * 480 + 480).map(|n| content.sample(n)).collect();
                Pcm::new(hz.time_of(block as i64 * 480), hz, 1, samples)
            });
            let given = given.and_then(|()| sound.into_iter().try_for_each(|pcm| to.sound(pcm).map(|_| ())));
            if given.is_err() || is_gone(tick as i64 * 40) {
                return;
            }
        }
    }
}

/// Two cameras of four lines, of which the first three end one after the other, and a hundred cuts.
fn run(contents: [Content; 2]) -> (Report, Vec<flv::Tag>) {
    println!("seed {SEED:#x}");
    let mut dice = Dice(Noise::new(SEED));
    let (mut cues, mut at, mut other) = (String::new(), 900, 1);
    for _ in 0..100 {
        at += dice.of(200, 1_900);
        let (minutes, seconds, millis) = (at / 60_000, at / 1000 % 60, at % 1000);
        cues += &format!("    at 0:{minutes:02}:{seconds:02}.{millis:03} cut {}\n", ["x", "y"][other]);
        other = 1 - other;
    }
    let ends = [0, 1].map(|_| [0, 30_000, 60_000].map(|from| from + dice.of(5_000, 25_000)));
    let lines = |camera: &str| {
        ["a", "b", "c", "d"].map(|line| format!("line {line} source {camera}{line}; ")).concat()
    };
    let (x, y, seconds) = (lines("x"), lines("y"), at / 1000 + 2);
    let text = format!(
        r#"
show "flash" {{
  video 64x36 25fps
  audio 48kHz mono
  camera x {{ {x} }}
  camera y {{ {y} }}
  ladder one {{ preset ultrafast; keyframe 2s; audio 128k; rung small 64x36 400k }}
  channel program {{ sources x y; ladder one; egress disk record "flash.flv" }}
  rundown program {{
{cues}    at 0:{:02}:{:02} end
  }}
}}"#,
        seconds / 60,
        seconds % 60
    );
    let out = tempfile::tempdir().unwrap();
    let mut options =
        RunOptions { out: out.path().to_owned(), kit: ffmpeg(), ..RunOptions::new(Mode::Offline) };
    for (n, camera) in ["x", "y"].into_iter().enumerate() {
        let ends = ends[n].into_iter().chain([i64::MAX]);
        for (name, end) in ["a", "b", "c", "d"].into_iter().zip(ends) {
            options.sources.add(format!("{camera}{name}"), SourceTracks::Both, line(contents[n], end));
        }
    }
    let report = Engine::start(show(&text), options).unwrap().wait();
    let tags = tags(&out.path().join("flash.flv"));
    let count = |wanted: &str| report.events.iter().filter(|event| event.code == wanted).count();
    let changes = (report.channels[0].on_air.len(), count("failover"));
    println!("{changes:?} takes and failovers");
    assert_eq!(changes.1, 6);
    assert!(changes.0 >= 101, "{changes:?}");
    (report, tags)
}

#[test]
fn a_flash_keeps_its_beep_through_a_hundred_cuts_and_failovers() {
    let (_report, tags) = run([Content::FlashAndBeep { phase: 0 }, Content::FlashAndBeep { phase: FPS / 2 }]);
    let (flashes, beeps) = crate::step::onsets(&tags);
    assert!(flashes.len() > 80, "{flashes:?}");
    let off = |flash: &f64| beeps.iter().map(|beep| (flash - beep).abs()).fold(f64::MAX, f64::min);
    let worst = flashes.iter().map(off).fold(0.0, f64::max);
    // A cut on the very tick of a flash leaves the beginning of its beep, while that is faded.
    assert!((flashes.len()..flashes.len() + 6).contains(&beeps.len()), "{flashes:?} {beeps:?}");
    println!("{} flashes, the worst is {worst:.1} ms off its beep", flashes.len());
    assert!(worst <= 20.0, "{worst:.1} ms: {flashes:?} {beeps:?}");
}

#[test]
fn a_steady_tone_does_not_click_through_a_hundred_cuts_and_failovers() {
    let (_report, tags) = run([Content::Tone; 2]);
    let (_, rate, sound) = decode_sound(&tags);
    // What is left when the tone is taken out: a filter that is blind for 440 Hz. It doubles what
    // lies far above, so this is no milder than to listen.
    let turn = 2.0 * (440.0 / f64::from(rate) * TAU).cos();
    let left = |sound: &[f32]| {
        let all = sound.windows(3).map(|w| {
            let [a, b, c] = [w[0], w[1], w[2]].map(f64::from);
            (c - turn * b + a).abs()
        });
        all.fold(0.0, f64::max)
    };
    let loudest = left(&sound[4_800..sound.len() - 4_800]);
    println!("loudest beside the tone: {:.1} dBFS", 20.0 * loudest.log10());
    assert!(loudest < 0.01, "a click of {:.1} dBFS", 20.0 * loudest.log10());
    // It is heard, and a step in it would be.
    assert!(sound.iter().filter(|s| s.abs() > 0.4).count() > sound.len() / 8);
    let mut torn = sound[48_000..96_000].to_vec();
    torn.drain(20_000..20_055);
    assert!(left(&torn) > 0.01, "a tear goes unnoticed: {}", left(&torn));
}
