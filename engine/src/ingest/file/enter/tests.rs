//! Files entered anywhere, beside the same files played from their beginning.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use codecs::{Ffmpeg, Picture, Plane, Turns};
use media::{FrameRate, SampleRate, Size, Tick};
use pipeline_dsl::Deinterlace;
use proptest::prelude::*;

use super::*;
use crate::clock::{Stop, VirtualClock};
use crate::event::{EventLog, Level};
use crate::ingest::LineCounters;
use crate::ingest::buffer::{AHEAD, LineBuffer, Pace, Take, Waited};
use crate::ingest::lane::{Decoding, Shape};
use crate::reporter::Reporter;
use crate::seldom::{Measure, Seldom};
use crate::start::Gate;

/// Of each property.
const CASES: u32 = 20;
const RATE: SampleRate = SampleRate::HZ_48000;

fn ticks() -> FrameRate {
    FrameRate::new(25, 1).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/generated").join(name)
}

/// What a tick shows, and how it sounds.
struct Shown {
    picture: Option<u64>,
    sound: Vec<f32>,
    hole: bool,
}

fn of(picture: &Picture) -> u64 {
    let (mut hasher, luma) = (DefaultHasher::new(), picture.plane(Plane::Y));
    (0..90).for_each(|row| luma.row(row).hash(&mut hasher));
    hasher.finish()
}

/// So many ticks of a file, from tick `first` on; the codes that were told, and since when it says it ran.
fn play(
    path: &Path,
    repeat: Repeat,
    since: Option<u64>,
    first: u64,
    count: u64,
) -> (Vec<Shown>, Vec<String>, Option<Time>) {
    let time = |tick| ticks().time_of(Tick(tick));
    let (log, stop) = (Arc::new(EventLog::new()), Arc::new(Stop::default()));
    let reporter = Reporter::new(Arc::new(VirtualClock::default()), Arc::clone(&log), Arc::clone(&stop));
    let buffer = LineBuffer::new(Pace::Held { ahead: AHEAD }, ticks().tick_span(), RATE, 2);
    let (buffer, counters) = (Arc::new(buffer), Arc::new(LineCounters::default()));
    let line = FileLine {
        path: path.to_owned(),
        repeat,
        shape: Shape {
            kit: Arc::new(Ffmpeg::new()),
            canvas: Size::new(160, 90),
            ticks: ticks(),
            rate: RATE,
            channels: 2,
            deinterlace: Deinterlace::default(),
            decoding: Decoding::Easy,
        },
        buffer: Arc::clone(&buffer),
        counters: Arc::clone(&counters),
        reporter,
        damage: Seldom::new("decode-error", Level::Warn, Measure::DAMAGE),
        gate: Arc::new(Gate::opened(time(first))),
        since: since.map(time),
        turns: Turns::Even,
    };
    let thread = std::thread::spawn(move || line.run());
    buffer.wait_for_first(Duration::from_secs(20));
    let mut shown = Vec::new();
    for tick in first..first + count {
        let (from, to) = (time(tick), time(tick + 1));
        assert_eq!(buffer.wait_for(to, &stop), Waited::Known);
        let Take { picture, sound, hole_since, .. } = buffer.take(from, to);
        let hole = hole_since.is_some();
        shown.push(Shown { picture: picture.as_ref().map(of), sound: sound.unwrap_or_default(), hole });
    }
    // One that is played once is over by itself.
    if repeat == Repeat::Loop {
        stop.ask();
        buffer.close();
    }
    thread.join().unwrap();
    let told = log.all(Time::ZERO).into_iter().map(|event| event.code).collect();
    (shown, told, counters.since())
}

/// A pass of a file in ticks, and what it shows and sounds like from its beginning; each is played once.
fn from_the_beginning(name: &'static str) -> Arc<Vec<Shown>> {
    static PLAYED: Mutex<BTreeMap<&str, Arc<Vec<Shown>>>> = Mutex::new(BTreeMap::new());
    let mut played = PLAYED.lock().unwrap();
    let play = || Arc::new(play(&fixture(name), Repeat::Loop, None, 0, 420).0);
    Arc::clone(played.entry(name).or_insert_with(play))
}

/// By how many samples the second is late beside the first, which it is like.
fn lag(first: &[f32], second: &[f32]) -> i64 {
    let apart = |lag: i64| -> f32 {
        let at = |n: usize| second.get(usize::try_from(n as i64 + 2 * lag).ok()?).copied();
        (1000..first.len() - 1000).step_by(2).filter_map(|n| Some((first[n] - at(n)?).powi(2))).sum()
    };
    (-450..450).min_by(|a, b| apart(*a).total_cmp(&apart(*b))).unwrap()
}

const LOOPED: [&str; 8] = [
    "base.mp4",
    "base-moov-last.mp4",
    "base.mkv",
    "base.flv",
    "base.ts",
    "vfr.mp4",
    "long-sound.mp4",
    "late-picture.mkv",
];
/// Of those, some whose pass is a whole number of ticks.
const EVEN: [&str; 3] = ["base.mp4", "base.flv", "base.ts"];
const PASS: usize = 100;

fn goes_on(
    name: &'static str,
    since: u64,
    gone: u64,
    place: impl Fn(usize) -> usize,
) -> Result<(), TestCaseError> {
    let whole = from_the_beginning(name);
    let (shown, told, ran) = play(&fixture(name), Repeat::Loop, Some(since), since + gone, 12);
    for (n, shown) in shown.iter().enumerate() {
        let at = gone as usize + n;
        prop_assert!(shown.picture.is_some());
        prop_assert_eq!(shown.picture, whole[place(at)].picture, "{} tick {}, {:?}", name, at, &told);
    }
    prop_assert_eq!(ran, Some(ticks().time_of(Tick(since))));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    /// Wherever a loop is entered, it shows what it would have shown.
    #[test]
    fn a_loop_goes_on_where_it_would_be(
        name in prop::sample::select(&LOOPED[..]), since in 0u64..1000, gone in 1u64..400,
    ) {
        goes_on(name, since, gone, |at| at)?;
    }

    /// After however many passes.
    #[test]
    fn so_it_does_after_an_hour(
        name in prop::sample::select(&EVEN[..]), since in 0u64..1000, gone in 1u64..100_000,
    ) {
        goes_on(name, since, gone, |at| at % PASS)?;
    }
}

#[test]
fn its_sound_goes_on_with_it() {
    for name in EVEN {
        let whole = from_the_beginning(name);
        let (shown, ..) = play(&fixture(name), Repeat::Loop, Some(0), 1_031, 12);
        let sound = |shown: &[Shown]| shown.iter().flat_map(|tick| tick.sound.clone()).collect::<Vec<f32>>();
        // The first ones are those of a decoder that has just begun.
        let (before, after) = (sound(&whole[31 + 4..31 + 12]), sound(&shown[4..]));
        assert!(before.iter().any(|sample| sample.abs() > 0.001), "{name}");
        let lag = lag(&before, &after);
        // Three milliseconds: stamps of a container may be rounded.
        assert!(lag.abs() <= 144, "{name}: {lag} samples");
    }
}

#[test]
fn a_file_of_sound_alone_goes_on_as_well() {
    let whole = from_the_beginning("audio-only.m4a");
    let (shown, told, _) = play(&fixture("audio-only.m4a"), Repeat::Loop, Some(0), 40, 12);
    let sound = |shown: &[Shown]| shown.iter().flat_map(|tick| tick.sound.clone()).collect::<Vec<f32>>();
    let lag = lag(&sound(&whole[44..52]), &sound(&shown[4..]));
    assert!(lag.abs() <= 144 && !told.contains(&"file-anew".to_owned()), "{lag} samples, {told:?}");
}

#[test]
fn a_file_that_is_played_once_goes_on_or_is_over() {
    for name in EVEN {
        let whole = from_the_beginning(name);
        let (shown, told, _) = play(&fixture(name), Repeat::Once, Some(7), 7 + 83, 25);
        for (n, shown) in shown.iter().enumerate() {
            // 100 pictures: the last one stays.
            assert_eq!(shown.picture, whole[(83 + n).min(99)].picture, "{name}, {n}");
            assert_eq!(shown.hole, 83 + n > 100, "{name}, {n}");
        }
        assert_eq!(told, ["line-ended"], "{name}");
        let (shown, told, _) = play(&fixture(name), Repeat::Once, Some(7), 5_000, 2);
        assert!(shown.iter().all(|shown| shown.picture == whole[99].picture && shown.hole), "{name}");
        assert_eq!(told, ["line-ended"], "{name}");
    }
}

/// The pictures before the cut are there and not shown, wherever reading begins.
#[test]
fn a_film_that_is_cut_by_its_edit_list_goes_on_where_it_would_be() {
    let folder = tempfile::tempdir().unwrap();
    let (film, cut) = (fixture("base.mp4"), folder.path().join("cut.mp4"));
    let made = std::process::Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-ss", "0.8", "-i", film.to_str().unwrap()])
        .args(["-c", "copy", cut.to_str().unwrap()])
        .status();
    assert!(made.unwrap().success());
    let whole = play(&cut, Repeat::Loop, None, 0, 120).0;
    let base = from_the_beginning("base.mp4");
    assert_eq!(whole[0].picture, base[20].picture);
    for gone in [3, 40, 79, 90] {
        let (shown, told, _) = play(&cut, Repeat::Loop, Some(0), gone as u64, 12);
        for (n, shown) in shown.iter().enumerate() {
            assert_eq!(shown.picture, whole[gone + n].picture, "tick {}, {told:?}", gone + n);
        }
    }
}
