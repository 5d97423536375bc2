//! Nothing to show: a camera whose lines all die, a channel without any source, a filler that is
//! not there or breaks. Whatever is covered is covered when the hole is old enough, its sound fades
//! away, and the output never misses a tick.

use std::f64::consts::TAU;
use std::path::{Path, PathBuf};

use codecs::{Frame, Pcm, PictureMut, Yuv};
use engine::{Engine, Mode, Report, RunOptions, SourceHandle, SourceTracks};
use flv::Tag;
use media::{FrameRate, SampleRate, Size, Tick};

use crate::support::{clips, codes, decode, decode_sound, ffmpeg, mean, show, tags};

const SECONDS: usize = 4;
/// The tick of the first black or filler picture, where the hole begins at 2 s: 500 ms later.
const COVERED: usize = 63;
const LIME: &str = r#"filler green { test "color:lime" }"#;

/// A line of one grey whose picture is a new one every so many ticks, with 440 Hz; it ends at a
/// tick. After a second it takes a file away, if it is to.
fn line(
    luma: u8,
    every: u64,
    end: u64,
    takes: Option<PathBuf>,
) -> impl FnOnce(SourceHandle) + Send + 'static {
    move |to| {
        let (rate, hz) = (FrameRate::new(25, 1).unwrap(), SampleRate::HZ_48000);
        let grey = Yuv::new(luma, 128, 128);
        let picture = PictureMut::filled(Size::new(64, 36), grey).unwrap().freeze();
        for n in 0..end {
            if let (25, Some(path)) = (n, &takes) {
                std::fs::remove_file(path).unwrap();
            }
            let first = n as i64 * 1920;
            let tone = |n: i64| ((n as f64 / 48_000.0 * 440.0 * TAU).sin() * 0.5) as f32;
            let samples: Vec<f32> = (first..first + 1920).map(tone).collect();
            let sent = match n % every {
                0 => to.frame(Frame { pts: rate.time_of(Tick(n)), picture: picture.clone() }).map(|_| ()),
                _ => Ok(()),
            };
            let sent = sent.and_then(|()| to.sound(Pcm::new(hz.time_of(first), hz, 1, samples)).map(|_| ()));
            if sent.is_err() {
                return;
            }
        }
    }
}

struct Ran {
    report: Report,
    tags: Vec<Tag>,
}

impl Ran {
    /// What was on air: since when, what and why.
    fn on_air(&self) -> Vec<(f64, &str, &str)> {
        let runs = self.report.channels[0].on_air.iter();
        runs.map(|run| (run.t, run.source.as_deref().unwrap_or("-"), run.reason.as_str())).collect()
    }

    fn said(&self, code: &str) -> Vec<&str> {
        let events = self.report.events.iter().filter(|event| event.code == code);
        events.map(|event| event.subject.as_str()).collect()
    }

    /// The luma of every picture; each has come, at its tick, and sound without a break.
    fn lumas(&self) -> Vec<u8> {
        let rung = &self.report.channels[0].rungs[0];
        assert_eq!((rung.frames, self.report.channels[0].frames), (100, 100));
        assert!(rung.max_video_gap_ms <= 40.0 && rung.max_audio_gap_ms <= 25.0, "{rung:?}");
        let frames = decode(&self.tags);
        assert_eq!(frames.len(), 25 * SECONDS);
        assert!(frames.windows(2).all(|two| (two[1].pts - two[0].pts).as_secs_f64() == 0.04));
        frames.iter().map(|frame| mean(frame)[0]).collect()
    }

    /// Sound from `from` to `to`, in seconds of the show, and a moment beside.
    fn sound(&self, from: f64, to: f64) -> Vec<f32> {
        let (first, rate, sound) = decode_sound(&self.tags);
        let ahead = (first - decode(&self.tags)[0].pts).as_secs_f64();
        let at = |secs: f64| ((secs - ahead) * f64::from(rate)) as usize;
        sound[at(from)..at(to)].to_vec()
    }

    /// The tone goes on until a moment, fades there without a click, and then nothing is heard.
    fn fades_at(&self, end: f64) {
        let peak = |sound: &[f32]| sound.iter().fold(0f32, |peak, s| peak.max(s.abs()));
        for from in [0.5, end - 0.1] {
            assert!(peak(&self.sound(from, from + 0.05)) > 0.4, "no tone at {from}");
        }
        let rest = peak(&self.sound(end + 0.06, SECONDS as f64 - 0.1));
        assert!(rest < 0.002, "{rest} is heard after {end}");
        // What is left beside the tone, as in a filter that is blind for it.
        let turn = (2.0 * (440.0 / 48_000.0 * TAU).cos()) as f32;
        let left = self.sound(end - 0.2, end + 0.2);
        let left = left.windows(3).map(|w| (w[2] - turn * w[1] + w[0]).abs()).fold(0f32, f32::max);
        assert!(left < 0.01, "a click of {left} at {end}");
    }
}

/// Four seconds of a show, whose `parts` are its cameras and fillers, and `channel` that one's ways.
fn run(parts: &str, channel: &str, lines: Vec<(&str, u8, u64, u64)>) -> Ran {
    run_and_take(parts, channel, lines, None)
}

/// As above; the first line takes a file away.
fn run_and_take(
    parts: &str,
    channel: &str,
    lines: Vec<(&str, u8, u64, u64)>,
    mut takes: Option<PathBuf>,
) -> Ran {
    let text = format!(
        r#"
show "holes" {{
  video 64x36 25fps
  audio 48kHz mono
  {parts}
  ladder one {{ preset ultrafast; keyframe 1s; audio 128k; rung small 64x36 400k }}
  channel program {{ {channel}; ladder one; egress disk record "holes.flv" }}
  rundown program {{ at 0:03 cut y; at 0:0{SECONDS} end }}
}}"#
    );
    let out = tempfile::tempdir().unwrap();
    let mut options = RunOptions {
        inputs: clips(),
        out: out.path().to_owned(),
        kit: ffmpeg(),
        ..RunOptions::new(Mode::Offline)
    };
    for (name, luma, every, end) in lines {
        options.sources.add(name, SourceTracks::Both, line(luma, every, end, takes.take()));
    }
    let report = Engine::start(show(&text), options).unwrap().wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    Ran { report, tags: tags(&out.path().join("holes.flv")) }
}

const TWO: &str = "camera x { line only source x }\n  camera y { line only source y }";

fn is_near(luma: u8, want: u8) -> bool {
    luma.abs_diff(want) <= 3
}

/// However far apart its pictures lie: not from the last one, nor from when somebody noticed.
#[test]
fn a_hole_is_as_old_as_its_first_missing_picture() {
    for every in [1, 2, 5, 10] {
        let lines = vec![("x", 90, every, 50), ("y", 60, 1, 25)];
        let ran = run(&format!("{TWO}\n  {LIME}"), "sources x y; filler green after=500ms", lines);
        let want = [(0.0, "x", "start"), (2.52, "green", "filler"), (4.0, "-", "end")];
        assert_eq!(ran.on_air(), want, "a picture every {every} ticks");
        let lumas = ran.lumas();
        assert!(lumas[..COVERED].iter().all(|luma| is_near(*luma, 90)), "held: {lumas:?}");
        assert!(!lumas[COVERED..].iter().any(|luma| is_near(*luma, 90)), "covered: {lumas:?}");
        ran.fades_at(2.0);
    }
}

#[test]
fn a_camera_whose_lines_all_die_is_covered_when_the_last_one_is_gone() {
    let camera = "camera x { line a source xa; line b source xb }\n  camera y { line only source y }";
    let lines = vec![("xa", 90, 1, 25), ("xb", 150, 1, 50), ("y", 60, 1, 10)];
    let ran = run(&format!("{camera}\n  {LIME}"), "sources x y; filler green after=500ms", lines);
    let want = [(0.0, "x", "start"), (1.04, "x", "failover"), (2.52, "green", "filler"), (4.0, "-", "end")];
    assert_eq!(ran.on_air(), want);
    let lumas = ran.lumas();
    // A picture that is due within the tick is not missing yet.
    assert!(lumas[..26].iter().all(|luma| is_near(*luma, 90)), "{lumas:?}");
    assert!(lumas[26..COVERED].iter().all(|luma| is_near(*luma, 150)), "{lumas:?}");
    ran.fades_at(2.0);
    let told = ran.report.events.iter().filter(|event| event.code == "filler-in");
    let told: Vec<_> = told.map(|event| (event.subject.as_str(), event.message.as_str())).collect();
    let of = ["x has no picture: the filler covers it", "y has no picture: the filler covers it"];
    assert_eq!(told, of.map(|message| ("program", message)), "what it covers is another one since the cut");
}

#[test]
fn a_channel_without_a_source_and_without_a_filler_is_black_and_goes_on() {
    let ran = run(TWO, "sources x y", vec![("x", 90, 1, 50), ("y", 60, 1, 25)]);
    assert_eq!(ran.on_air(), [(0.0, "x", "start"), (2.52, "-", "filler"), (4.0, "-", "end")]);
    let lumas = ran.lumas();
    assert!(lumas[..COVERED].iter().all(|luma| is_near(*luma, 90)), "{lumas:?}");
    assert!(lumas[COVERED..].iter().all(|luma| is_near(*luma, 16)), "{lumas:?}");
    ran.fades_at(2.0);
    assert_eq!(ran.said("black"), ["program"]);
}

/// A filler of three pictures.
fn three_pictures(path: &Path) {
    let args = ["-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x36:r=25:d=0.12", "-c:v", "libx264"];
    let made = std::process::Command::new("ffmpeg").args(args).arg(path).status();
    assert!(made.expect("the setup installs ffmpeg").success());
}

#[test]
fn a_filler_that_is_not_there_or_no_longer_is_black_and_silence() {
    let folder = tempfile::tempdir().unwrap();
    let short = folder.path().join("short.mp4");
    three_pictures(&short);
    // The last one goes away while it is looped.
    for file in ["generated/nowhere.mp4", "generated/not-media.mp4", short.to_str().unwrap()] {
        let filler = format!("{TWO}\n  filler tape {{ file {file:?} }}");
        let lines = vec![("x", 90, 1, 50), ("y", 60, 1, 25)];
        let takes = file.ends_with("short.mp4").then(|| short.clone());
        let ran = run_and_take(&filler, "sources x y; filler tape after=500ms", lines, takes);
        assert_eq!(ran.on_air(), [(0.0, "x", "start"), (2.52, "-", "filler"), (4.0, "-", "end")], "{file}");
        let lumas = ran.lumas();
        assert!(lumas[COVERED..].iter().all(|luma| is_near(*luma, 16)), "{file}: {lumas:?}");
        ran.fades_at(2.0);
        let tape = |(code, subject): &(String, String)| code == "line-error" && subject.starts_with("tape");
        assert!(codes(&ran.report).iter().any(tape), "{file}: {:#?}", ran.report.events);
        assert_eq!(ran.said("black"), ["program"], "{file}");
    }
}

/// It ends and begins again, breaks off in the middle, or its middle is rubbish: what there is of
/// it is shown, and where there is nothing, black.
#[test]
fn a_filler_that_breaks_in_the_middle_never_stops_the_output() {
    let folder = tempfile::tempdir().unwrap();
    let rubbish = folder.path().join("rubbish.flv");
    let mut bytes = std::fs::read(clips().join("generated/base.flv")).unwrap();
    let (from, to) = (bytes.len() * 2 / 5, bytes.len() * 3 / 5);
    bytes[from..to].fill(0x5a);
    std::fs::write(&rubbish, bytes).unwrap();
    let short = folder.path().join("short.mp4");
    three_pictures(&short);
    let broken = ["generated/truncated.flv", "generated/truncated.mp4", rubbish.to_str().unwrap()];
    for file in broken.into_iter().chain([short.to_str().unwrap()]) {
        let filler = format!("{TWO}\n  filler tape {{ file {file:?} }}");
        let lines = vec![("x", 90, 1, 50), ("y", 60, 1, 25)];
        let ran = run(&filler, "sources x y; filler tape after=500ms", lines);
        let lumas = ran.lumas();
        assert!(lumas[..COVERED].iter().all(|luma| is_near(*luma, 90)), "{file}: {lumas:?}");
        let on_air = ran.on_air();
        assert_eq!(on_air[1], (2.52, "tape", "filler"), "{file}: {:#?}", ran.report.events);
        assert!(on_air[1..].iter().all(|(_, what, _)| ["tape", "-"].contains(what)), "{file}: {on_air:?}");
    }
}
