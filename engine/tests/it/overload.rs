//! An engine that cannot keep up: rungs rest in their order and come back, and nothing else suffers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use codecs::{CodecError, Frame, VideoEncoder};
use engine::rehearse::{self, Cost, Rehearsal, RehearseOptions, Sense};
use engine::{Command, Engine, Mode, RunOptions};
use flv::TagKind;
use media::{Key, Packet, Size, Span, VideoParams};
use pipeline_dsl::rehearsal::check_faults;

use crate::failures::Altered;
use crate::live::wait_for;
use crate::support::{ffmpeg, offline, pictures, show, tags};

/// A program of two cameras, each of which has a channel of its own.
const TOUR: &str = r#"show "tour" {
  video 1280x720 25fps
  camera a { line gen test "motion" tone=440 }
  camera b { line gen test "bars" tone=330 }
  ladder three { keyframe 1s; rung 720p 1280x720 2500k; rung 480p 854x480 1200k; rung 360p 640x360 700k }
  channel program { sources a b; ladder three shed=480p; egress web serve http-flv }
  channel own-a { sources a; ladder three; egress web serve http-flv }
  channel own-b { sources b; ladder three; egress web serve http-flv }
  rundown program { at 0:04 cut b; at 1:00 end }
}"#;

fn rehearsed(faults: &str) -> Rehearsal {
    let show = show(TOUR);
    let checked = check_faults(faults, &show);
    let script = checked.script.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let rehearsal = rehearse::run(&show, &script, &RehearseOptions::new(), &mut |_| {}).unwrap();
    Rehearsal { cost: Cost::default(), ..rehearsal }
}

fn told(rehearsal: &Rehearsal) -> Vec<(f64, &str, &str)> {
    let codes = ["overload", "overload-over", "rung-shed", "rung-back", "rungs-apart"];
    let events = rehearsal.events.iter().filter(|event| codes.contains(&event.code.as_str()));
    events.map(|event| (event.t, event.code.as_str(), event.subject.as_str())).collect()
}

/// Side channels go first, the later one first, the largest rung first; what the program carries stays
/// as long as it does, since its viewers need it; all comes back, each with a key frame.
#[test]
fn rungs_rest_in_their_order_and_come_back() {
    let rehearsal = rehearsed("engine overload@2s for 4s");
    assert_eq!(
        told(&rehearsal),
        [
            (2.52, "rung-shed", "own-b/720p"),
            (2.52, "overload", "show"),
            (3.52, "rung-shed", "own-b/480p"),
            // The program cuts to b, and carries what own-b encodes.
            (4.0, "rung-back", "own-b/480p"),
            (4.0, "rung-back", "own-b/720p"),
            (4.52, "rung-shed", "own-a/720p"),
            (5.52, "rung-shed", "own-a/480p"),
            (16.0, "rung-back", "own-a/480p"),
            (26.0, "rung-back", "own-a/720p"),
            (46.0, "overload-over", "show"),
        ],
        "{:#?}",
        rehearsal.events
    );
    let mut gaps: Vec<_> = rehearsal
        .gaps
        .iter()
        .map(|gap| (gap.channel.as_str(), gap.rung.as_str(), gap.sense, gap.from, gap.to, gap.fault))
        .collect();
    gaps.sort_by(|a, b| a.3.total_cmp(&b.3));
    let expected = [
        ("own-b", "720p", Sense::Picture, 2.52, 4.0, Some(0)),
        ("own-b", "480p", Sense::Picture, 3.52, 4.0, Some(0)),
        ("own-a", "720p", Sense::Picture, 4.52, 26.0, Some(0)),
        ("own-a", "480p", Sense::Picture, 5.52, 16.0, Some(0)),
    ];
    let why = "the rung rests: the engine does not keep up";
    assert!(rehearsal.gaps.iter().all(|gap| gap.why == why), "{:#?}", rehearsal.gaps);
    assert_eq!(gaps, expected, "nobody misses any sound, and viewers of the program nothing");
    assert_eq!(rehearsal, rehearsed("engine overload@2s for 4s"));
}

/// It goes on for so long that the program's own declared rung goes, too.
#[test]
fn the_program_loses_what_it_declared_and_no_more() {
    let rehearsal = rehearsed("engine overload@5s for 20s");
    let of_program: Vec<_> =
        told(&rehearsal).into_iter().filter(|(.., of)| of.starts_with("program")).collect();
    // Four rungs of side channels went before, of which those of own-b were carried.
    assert_eq!(of_program[0], (9.52, "rung-shed", "program/480p"));
    assert!(of_program.iter().all(|(.., of)| *of == "program/480p"), "{of_program:?}");
    assert!(rehearsal.gaps.iter().all(|gap| gap.sense == Sense::Picture), "{:#?}", rehearsal.gaps);
}

/// Takes its time with each picture while the brake is on.
pub(crate) struct SlowEncoder {
    pub(crate) inner: Box<dyn VideoEncoder>,
    pub(crate) brake: Arc<AtomicBool>,
}

impl VideoEncoder for SlowEncoder {
    fn params(&self) -> &VideoParams {
        self.inner.params()
    }
    fn send(&mut self, frame: &Frame, key: Key) -> Result<(), CodecError> {
        if self.brake.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(200));
        }
        self.inner.send(frame, key)
    }
    fn receive(&mut self) -> Result<Option<Packet>, CodecError> {
        self.inner.receive()
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        self.inner.flush()
    }
}

/// In real time: an encoder becomes five times too slow, its rung goes, and the show is in time again.
/// Its sound goes on, and its recording has all pictures but those.
#[test]
fn an_encoder_that_is_too_slow_costs_its_rung_its_pictures_and_nothing_else() {
    let text = r#"
show "slow" {
  video 64x36 25fps
  audio 48kHz stereo
  camera main { line gen test "motion" tone=440 }
  ladder two { keyframe 1s; audio 64k; rung big 64x36 100k; rung small 32x18 50k }
  channel program { sources main; ladder two shed=big; egress disk record "{rung}.flv" }
}"#;
    let brake = Arc::new(AtomicBool::new(false));
    let of_encoder = Arc::clone(&brake);
    let alter =
        move |inner| Box::new(SlowEncoder { inner, brake: Arc::clone(&of_encoder) }) as Box<dyn VideoEncoder>;
    let kit = Altered { size: Size::new(64, 36), alter };
    let out = tempfile::tempdir().unwrap();
    let options =
        RunOptions { out: out.path().to_owned(), kit: Arc::new(kit), ..RunOptions::new(Mode::RealTime) };
    let engine = Engine::start(show(text), options).unwrap();
    let handle = engine.handle();
    wait_for(&handle, "pictures", |status| status.channels[0].rungs[0].frames >= 10);
    let (_, mut deltas) = handle.subscribe();
    brake.store(true, Ordering::SeqCst);
    let shed = wait_for(&handle, "the rung to rest", |s| s.channels[0].rungs[0].shed_since.is_some());
    assert_eq!(shed.load.shed, ["program/big"]);
    let since = shed.channels[0].rungs[0].shed_since.unwrap();
    assert!(shed.load.overload_since.is_some_and(|overload| overload <= since));
    // Whoever reads the changes has both at once.
    let change = std::iter::from_fn(|| deltas.blocking_recv().ok())
        .find(|change| change.load.as_ref().is_some_and(|load| load.overload_since.is_some()));
    let change = change.unwrap();
    assert_eq!(change.load.as_ref().unwrap().shed, ["program/big"]);
    assert!(change.events.iter().any(|event| event.code == "rung-shed"), "{change:#?}");
    assert_eq!(change.channels.len(), 1, "{change:#?}");
    assert_eq!(change.channels[0].rungs[0].shed_since, Some(since));
    let in_time = wait_for(&handle, "ticks in time", |s| s.load.late_ms < 40.0 && s.t > since + 1.0);
    assert_eq!(in_time.channels[0].rungs[0].shed_since, Some(since), "it does not come back at once");
    // Figures come once a second; what rests costs nothing that could be told of.
    let figures = wait_for(&handle, "what stages cost", |status| {
        let stages = status.channels[0].rungs.iter().map(|rung| rung.stage);
        stages.map(|stage| stage.is_some_and(|stage| stage.latency_ms.is_some())).eq([false, true])
    });
    let small = figures.channels[0].rungs[1].stage.unwrap();
    assert!(small.cpu_ms > 0.0 && small.latency_ms <= small.latency_max_ms && small.queue <= small.queue_max);
    assert!(figures.channels[0].stage.is_some_and(|stage| stage.cpu_ms > 0.0));
    assert_eq!(figures.cameras[0].lines[0].stage, None, "it is drawn as it is looked at");
    // Its encoder is another one from here on, and rests as the one before it did.
    let reload = Command { file: Some(text.replace("100k", "80k")), ..Command::reload() };
    assert_eq!(handle.command(reload).unwrap().steps.unwrap(), ["ladder two: rung big is encoded anew"]);
    let status = wait_for(&handle, "some ticks more", |status| status.t > figures.t + 0.2);
    assert_eq!(status.channels[0].rungs[0].shed_since, Some(since));
    handle.stop();
    let report = engine.wait();
    assert_eq!(report.exit_code(), 0, "{:#?}", report.events);
    let told = |code: &str| report.events.iter().filter(|event| event.code == code).collect::<Vec<_>>();
    let [overload, rested] = ["overload", "rung-shed"].map(told);
    assert_eq!((overload.len(), rested.len()), (1, 1), "{:#?}", report.events);
    assert_eq!((overload[0].subject.as_str(), rested[0].subject.as_str()), ("show", "program/big"));
    let channel = &report.channels[0];
    let [big, small] = &channel.rungs[..] else { panic!("two rungs") };
    assert_eq!((big.shed.len(), small.shed.len(), small.shed_s), (1, 0, 0.0));
    assert!(big.shed[0].t == since && big.shed_s == big.shed[0].for_s && big.shed_s >= 1.0, "{big:?}");
    let ticks = Span::from_millis((big.shed_s * 1000.0).round() as i64).as_millis_rounded() as u64 / 40;
    let [big, small] = ["big", "small"].map(|rung| tags(&out.path().join(format!("{rung}.flv"))));
    assert_eq!(pictures(&small).len() as u64, channel.frames);
    assert_eq!(pictures(&big).len() as u64, channel.frames - ticks);
    let last =
        |tags: &[flv::Tag], kind| tags.iter().filter(|tag| tag.kind == kind).map(|t| t.timestamp.0).max();
    let sounds = [&big, &small].map(|tags| tags.iter().filter(|tag| tag.kind == TagKind::Audio).count());
    assert_eq!(sounds[0], sounds[1], "all its sound is there");
    assert!(last(&big, TagKind::Video) < last(&big, TagKind::Audio));
    assert!(big.windows(2).all(|pair| pair[0].timestamp.0 <= pair[1].timestamp.0), "in order");
}

/// Offline as well, but for how long pictures take, which is no time at all there.
#[test]
fn every_stage_tells_what_it_costs() {
    let text = r#"
show "costs" {
  video 320x180 25fps
  audio 48kHz stereo
  camera main { line disk file "generated/base.mp4" }
  ladder one { preset ultrafast; keyframe 1s; audio 64k; rung 180p 320x180 400k }
  channel program { sources main; ladder one; egress disk record "{rung}.flv" }
  rundown program { at 0:02 end }
}"#;
    let report = offline(text, ffmpeg()).report;
    let stages =
        [report.cameras[0].lines[0].stage, report.channels[0].stage, report.channels[0].rungs[0].stage];
    for stage in stages {
        let stage = stage.unwrap();
        assert!(stage.cpu_s > 0.0 && stage.cpu_s < report.cpu_s + 0.1, "{stage:?} of {}", report.cpu_s);
        assert!((stage.cpu_ms - stage.cpu_s * 500.0).abs() < 1e-6, "{stage:?}");
        assert_eq!((stage.latency_ms, stage.latency_max_ms), (None, None));
    }
}
