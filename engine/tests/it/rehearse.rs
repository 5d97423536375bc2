//! Whole shows rehearsed: each fault shows what it must, and nothing else does.

use engine::rehearse::{
    self, Codecs, CommandOutcome, Cost, EngineEnd, Gap, OnAirKind, PictureSeen, Rehearsal, RehearseError,
    RehearseOptions, Saw, Sense, WayOut,
};
use engine::{EgressState, LineState};
use media::{Size, Span, Time};
use pipeline_dsl::rehearsal::{
    Ask, DiskFault, Drift, Fault, FaultKind, FaultScript, LineFault, LineName, Order, Restart, Share,
    SinkFault, SinkName, TimedOrder,
};
use pipeline_dsl::{Action, MarkChange, MarkOrder, MarkTime, Switch};

use crate::support::{clips, show};

/// A camera over two lines, and one over one; a filler, two rungs and every kind of egress.
pub(crate) const TOUR: &str = r#"show "tour" {
  video 1280x720 25fps
  audio 48kHz stereo
  camera main { line fiber push "rtmp:live/main"; line backpack pull "srt://10.0.0.7:9001" }
  camera alone { line only push "rtmp:live/alone" }
  filler standby { test "bars" }
  ladder two { keyframe 2s; rung 720p 1280x720 2500k; rung 360p 640x360 800k }
  channel program {
    sources main alone
    filler standby after=500ms
    ladder two
    egress cdn push "rtmp://cdn.example/live/{channel}_{rung}"
    egress web serve http-flv
    egress disk record "{channel}-{rung}.flv"
  }
  rundown program { at 0:06 cut alone; at 0:08 end }
}"#;

/// One camera over one line, without anything that could stand in.
const BARE: &str = r#"show "bare" {
  video 1280x720 25fps
  camera main { line fiber push "rtmp:live/main" }
  ladder one { rung 720p 1280x720 2500k }
  channel program { sources main; ladder one; egress web serve http-flv }
  rundown program { at 0:08 end }
}"#;

/// A file and a pattern.
const FILES: &str = r#"show "files" {
  video 1280x720 25fps
  camera karry { line disk file "clips/bigbuckbunny-720p25.mp4" loop=true }
  camera bars { line gen test "bars" tone=440 }
  filler standby { test "color:green" }
  ladder one { rung 720p 1280x720 2500k }
  channel program { sources karry bars; filler standby after=500ms; ladder one; egress web serve http-flv }
  rundown program { at 0:06 cut bars; at 0:10 end }
}"#;

pub(crate) fn time(secs: f64) -> Time {
    Time::from_millis((secs * 1000.0) as i64)
}

pub(crate) fn fault(at: f64, lasts: f64, what: FaultKind) -> Fault {
    Fault { at: time(at), lasts: Some(time(lasts) - Time::ZERO), what }
}

pub(crate) fn line(name: &str, at: f64, lasts: f64, what: LineFault) -> Fault {
    let (camera, line) = name.split_once('/').unwrap();
    let line = LineName { camera: camera.into(), line: line.into() };
    fault(at, lasts, FaultKind::Line { line, fault: what })
}

fn cdn(at: f64, lasts: f64, what: SinkFault) -> Fault {
    let sink = SinkName { channel: "program".into(), egress: "cdn".into(), rung: None };
    fault(at, lasts, FaultKind::Sink { sink, fault: what })
}

fn disk(fault: DiskFault) -> FaultKind {
    FaultKind::Disk { fault }
}

pub(crate) fn cut(at: f64, source: &str) -> TimedOrder {
    let ask = Ask::Do(Action::Cut { source: source.into() });
    TimedOrder { at: time(at), order: Order::Channel { channel: "program".into(), ask } }
}

fn share(percent: u32) -> Share {
    Share::from_millionths(percent * 10_000).unwrap()
}

pub(crate) fn with(
    text: &str,
    faults: Vec<Fault>,
    orders: Vec<TimedOrder>,
    options: RehearseOptions,
) -> Result<Rehearsal, RehearseError> {
    let options = RehearseOptions { inputs: clips(), ..options };
    let script = FaultScript { faults, orders };
    let told = rehearse::run(&show(text), &script, &options, &mut |_| {});
    told.map(|rehearsal| Rehearsal { cost: Cost::default(), ..rehearsal })
}

pub(crate) fn under(text: &str, faults: Vec<Fault>) -> Rehearsal {
    with(text, faults, vec![], RehearseOptions::new()).unwrap()
}

/// What viewers of the first rung missed with their eyes, or their ears.
pub(crate) fn missed(rehearsal: &Rehearsal, sense: Sense) -> Vec<(&Gap, f64)> {
    let rung = &rehearsal.channels[0].rungs[0];
    let own = rehearsal.gaps.iter().filter(|gap| gap.rung == *rung && gap.sense == sense);
    own.map(|gap| (gap, gap.length_s())).collect()
}

/// The one gap there was.
pub(crate) fn only(rehearsal: &Rehearsal, sense: Sense) -> (&Gap, f64) {
    let all = missed(rehearsal, sense);
    assert_eq!(all.len(), 1, "{all:#?}\n{:#?}", rehearsal.events);
    all[0]
}

pub(crate) fn said(rehearsal: &Rehearsal, code: &str, subject: &str) -> usize {
    rehearsal.events.iter().filter(|event| event.code == code && event.subject == subject).count()
}

pub(crate) fn about(value: f64, wanted: f64, by: f64) -> bool {
    (value - wanted).abs() <= by
}

#[test]
fn a_show_that_nothing_befalls_has_no_gap_and_goes_as_planned() {
    let rehearsal = under(TOUR, vec![]);
    assert_eq!(rehearsal.gaps, []);
    assert_eq!(rehearsal.length_s, 8.0);
    let on_air = rehearsal.channels[0].actual.iter();
    let on_air: Vec<_> =
        on_air.map(|a| (a.from, a.source.as_deref().unwrap_or("-"), a.reason.as_str())).collect();
    assert_eq!(on_air, [(0.0, "main", "start"), (6.0, "alone", "cut")]);
    assert_eq!(rehearsal.cues.iter().map(|cue| cue.t).collect::<Vec<_>>(), [6.0]);
    assert_eq!(
        rehearsal.events.iter().filter(|e| e.level != engine::Level::Info).count(),
        0,
        "{:#?}",
        rehearsal.events
    );
    // Two encoders, so no two lines are shown in step.
    assert_eq!(said(&rehearsal, "line-in-step", "main/backpack"), 0);
    for sink in &rehearsal.sinks {
        assert_eq!(sink.states.len(), 1, "{sink:?}");
        assert!(sink.bytes > 10_000 || sink.egress == "web", "{sink:?}");
    }
}

#[test]
fn a_lost_line_is_left_after_lost_and_come_back_to() {
    let rehearsal = under(TOUR, vec![line("main/fiber", 1.0, 0.5, LineFault::Lost)]);
    let (gap, length) = only(&rehearsal, Sense::Picture);
    // 400 ms after the first missing picture was due, and what waited was played first.
    assert!((0.3..0.5).contains(&length) && about(gap.from, 1.2, 0.1), "{gap:?}");
    assert_eq!((gap.saw, gap.fault), (Saw::Frozen, Some(0)));
    assert!(gap.why.starts_with("main/fiber: "), "{gap:?}");
    assert_eq!(only(&rehearsal, Sense::Sound).0.saw, Saw::Silence);
    let over: Vec<_> = rehearsal.cameras[0].lines.iter().map(|span| span.line.as_deref().unwrap()).collect();
    assert_eq!(over[..2], ["fiber", "backpack"]);
    assert_eq!(
        rehearsal.lines[0].states.iter().map(|s| s.state).collect::<Vec<_>>(),
        [LineState::Live, LineState::Lost, LineState::Live]
    );
    assert_eq!(said(&rehearsal, "failover", "main"), 1);
    // Both rungs were seen by somebody.
    assert_eq!(rehearsal.gaps.len(), 4);
}

#[test]
fn the_filler_covers_a_camera_without_lines_after_its_time() {
    let faults = vec![
        line("main/fiber", 1.0, 2.0, LineFault::Lost),
        line("main/backpack", 1.0, 2.0, LineFault::Stall),
    ];
    let rehearsal = under(TOUR, faults);
    let (gap, length) = only(&rehearsal, Sense::Picture);
    assert!(about(length, 0.5, 0.09) && gap.saw == Saw::Frozen, "{gap:?}");
    let covered = rehearsal.channels[0].actual.iter().find(|a| a.kind == OnAirKind::Filler).unwrap();
    assert_eq!((covered.source.as_deref(), covered.picture), (Some("standby"), PictureSeen::Live));
    // The stalled one is the first to be back, for it needs no new connection: once its picture
    // has waited its time, and with that, not with the one from before.
    assert!(covered.to > 3.2 && covered.to < 3.4, "{covered:?}");
    assert!(rehearsal.channels[0].intent.iter().all(|intent| intent.source == "main" || intent.from >= 6.0));
}

#[test]
fn what_a_sender_sends_wrong_is_seen_as_what_it_is() {
    let second = |what| under(BARE, vec![line("main/fiber", 3.0, 1.0, what)]);
    let frozen = second(LineFault::Freeze);
    let (gap, length) = only(&frozen, Sense::Picture);
    assert!(about(length, 1.0, 0.1) && (gap.saw, gap.fault) == (Saw::Frozen, Some(0)), "{gap:?}");
    assert_eq!(missed(&frozen, Sense::Sound), []);
    let black = second(LineFault::Black);
    let (gap, length) = only(&black, Sense::Picture);
    assert!(about(length, 1.0, 0.1) && gap.saw == Saw::Black, "{gap:?}");
    let silent = second(LineFault::Silence);
    let (gap, length) = only(&silent, Sense::Sound);
    assert!(about(length, 1.0, 0.1) && gap.saw == Saw::Silence, "{gap:?}");
    assert_eq!(missed(&silent, Sense::Picture), []);
    // Without a second line or a filler, what is missing is missing: held, then black.
    let lost = second(LineFault::Lost);
    let (gap, length) = only(&lost, Sense::Picture);
    assert!(length >= 0.9 && gap.saw != Saw::Nothing, "{gap:?}");
    let picture = |p| lost.channels[0].actual.iter().filter(move |a| a.picture == p);
    assert!(about(picture(PictureSeen::Frozen).map(|a| a.to - a.from).sum(), 0.5, 0.05));
    assert_eq!(picture(PictureSeen::Black).count(), 1);
    // Not one packet is whole, and what comes then hangs on them, up to a key frame: every 2 s.
    let corrupt = second(LineFault::Corrupt(share(100)));
    assert!((0.9..3.1).contains(&only(&corrupt, Sense::Picture).1), "{:?}", corrupt.gaps);
    assert!(said(&corrupt, "decode-error", "main/fiber") > 0);
    let drip = second(LineFault::Drip(share(5)));
    assert!(!missed(&drip, Sense::Picture).is_empty());
}

/// A line gives what it was said to give at the least, and half as much again.
#[test]
fn a_line_is_as_thick_as_in_life_and_a_thin_one_is_suspect() {
    for (asks, drip) in [("min-bitrate=500k min-fps=20fps", None), ("min-bitrate=8M", Some(50))] {
        let text = TOUR.replace(
            "pull \"srt://10.0.0.7:9001\" }",
            "pull \"srt://10.0.0.7:9001\"; failover suspect=1s ASKS }",
        );
        let drips = drip.map(|percent| line("main/fiber", 2.0, 3.0, LineFault::Drip(share(percent))));
        let rehearsal = under(&text.replace("ASKS", asks), drips.into_iter().collect());
        let suspects: Vec<_> = rehearsal.events.iter().filter(|e| e.code == "line-suspect").collect();
        assert_eq!(suspects.len(), usize::from(drip.is_some()), "{:#?}", rehearsal.events);
        if let [thin] = suspects[..] {
            assert_eq!(
                (thin.subject.as_str(), thin.message.as_str()),
                ("main/fiber", "too few bits a second")
            );
            assert!((3.0..5.1).contains(&thin.t), "{thin:?}");
            assert_eq!(said(&rehearsal, "failover", "main"), 1);
        }
    }
}

#[test]
fn stamps_that_jump_drift_and_sizes_that_change_are_hardly_seen() {
    let jump = under(BARE, vec![line("main/fiber", 3.0, 20.0, LineFault::Jump(Span::from_secs(-10)))]);
    assert!(said(&jump, "line-jump", "main/fiber") == 1, "{:#?}", jump.events);
    assert!(jump.gaps.iter().all(|gap| gap.length_s() < 0.35), "{:#?}", jump.gaps);
    let drift = Drift::from_ppm(300).unwrap();
    let drift = under(BARE, vec![line("main/fiber", 0.0, 20.0, LineFault::Drift(drift))]);
    assert_eq!(drift.gaps, []);
    let size = Size::new(640, 360);
    let sized = under(BARE, vec![line("main/fiber", 3.0, 2.0, LineFault::Resolution(size))]);
    assert_eq!(sized.gaps, []);
}

#[test]
fn a_file_and_a_pattern_can_be_lost_too() {
    let faults = vec![
        line("karry/disk", 2.0, 2.0, LineFault::Lost),
        line("bars/gen", 7.0, 1.0, LineFault::Freeze),
        line("bars/gen", 8.5, 0.5, LineFault::Silence),
    ];
    let rehearsal = under(FILES, faults);
    let seen = missed(&rehearsal, Sense::Picture);
    let told: Vec<_> = seen.iter().map(|(gap, _)| (gap.saw, gap.fault)).collect();
    assert_eq!(told, [(Saw::Frozen, Some(0)), (Saw::Frozen, Some(1))], "{seen:#?}");
    assert!(about(seen[0].1, 0.5, 0.05) && about(seen[1].1, 1.0, 0.05), "{seen:#?}");
    let heard = missed(&rehearsal, Sense::Sound);
    assert!(
        heard.iter().any(|(gap, length)| gap.fault == Some(2) && about(*length, 0.5, 0.05)),
        "{heard:#?}"
    );
    let filler = rehearsal.channels[0].actual.iter().find(|a| a.kind == OnAirKind::Filler).unwrap();
    assert!(about(filler.from, 2.5, 0.05) && about(filler.to, 4.0, 0.05), "{filler:?}");
}

#[test]
fn a_filler_that_fails_is_missed_where_it_covers_and_nowhere_else() {
    let filler =
        |at, lasts, what| fault(at, lasts, FaultKind::Filler { filler: "standby".into(), fault: what });
    let text = TOUR.replace("0:06 cut alone; at 0:08 end", "0:10 cut alone; at 0:12 end");
    let faults = vec![
        line("main/fiber", 1.0, 8.0, LineFault::Lost),
        line("main/backpack", 1.0, 8.0, LineFault::Lost),
        filler(2.5, 1.0, LineFault::Black),
        filler(3.7, 0.8, LineFault::Stall),
        filler(4.8, 4.1, LineFault::Stall),
        filler(9.5, 1.0, LineFault::Freeze),
    ];
    let rehearsal = under(&text, faults);
    let seen = missed(&rehearsal, Sense::Picture);
    let told: Vec<_> = seen.iter().map(|(gap, _)| (gap.saw, gap.fault)).collect();
    // Held, and after two seconds black for want of another; when it is on no one's air nothing is
    // missed of it.
    let expected = [(Saw::Black, Some(2)), (Saw::Frozen, Some(3)), (Saw::Black, Some(4))];
    assert_eq!(told[1..], expected, "{seen:#?}");
    assert!(matches!(told[0], (Saw::Frozen, Some(0 | 1))), "{seen:#?}");
    assert!(about(seen[0].1, 0.5, 0.1) && about(seen[1].1, 1.0, 0.05), "{seen:#?}");
    assert!(about(seen[2].0.from, 3.7, 0.05) && about(seen[2].1, 0.8, 0.05), "{seen:#?}");
    assert!(about(seen[3].0.from, 4.8, 0.05) && about(seen[3].1, 4.1, 0.05), "{seen:#?}");
    assert!(seen[1].0.why.starts_with("standby: "), "{seen:#?}");
    assert_eq!((said(&rehearsal, "black", "program"), said(&rehearsal, "black-over", "program")), (1, 1));
    let drip = vec![filler(1.0, 1.0, LineFault::Drip(share(5)))];
    let refused = with(TOUR, drip, vec![], RehearseOptions::new()).unwrap_err().to_string();
    assert!(
        refused.contains("filler/standby drip=5%@") && refused.contains("lost, stall, freeze"),
        "{refused}"
    );
}

#[test]
fn a_wedged_server_costs_its_own_viewers_and_nobody_else() {
    let options = RehearseOptions { length: Some(Span::from_secs(20)), ..RehearseOptions::new() };
    let endless = TOUR.replace("rundown program { at 0:06 cut alone; at 0:08 end }", "");
    let faults = vec![cdn(2.0, 3.0, SinkFault::Wedge), cdn(6.0, 11.5, SinkFault::Wedge)];
    let rehearsal = with(&endless, faults, vec![], options).unwrap();
    assert!(rehearsal.gaps.iter().all(|gap| gap.egress.as_deref() == Some("cdn")), "{:#?}", rehearsal.gaps);
    let seen = missed(&rehearsal, Sense::Picture);
    assert_eq!(
        seen.iter().map(|(gap, _)| (gap.saw, gap.fault)).collect::<Vec<_>>(),
        [(Saw::Nothing, Some(0)), (Saw::Nothing, Some(1))]
    );
    assert!(about(seen[0].1, 3.0, 0.1) && (11.4..13.0).contains(&seen[1].1), "{seen:#?}");
    // The second time it was given up after ten seconds, and called again.
    let sink = rehearsal.sinks.iter().find(|sink| sink.egress == "cdn").unwrap();
    assert!(sink.reconnects > 0 && sink.dropped_frames > 0, "{sink:?}");
    assert!(sink.states.iter().any(|state| state.state == EgressState::Connecting), "{sink:?}");
    assert_eq!(sink.states.last().unwrap().state, EgressState::Live);
    assert_eq!(said(&rehearsal, "egress-lost", "program/cdn/720p"), 1, "{:#?}", rehearsal.events);
}

#[test]
fn a_server_that_hangs_up_is_called_again_and_a_full_disk_ends_the_recording() {
    let rehearsal =
        under(TOUR, vec![cdn(2.0, 2.0, SinkFault::Refuse), fault(3.0, 1.0, disk(DiskFault::Full))]);
    let (gap, length) = only(&rehearsal, Sense::Picture);
    assert!(gap.egress.as_deref() == Some("cdn") && (1.9..5.0).contains(&length), "{gap:?}");
    let state =
        |egress| rehearsal.sinks.iter().find(|s| s.egress == egress).unwrap().states.last().unwrap().state;
    assert_eq!(
        [state("cdn"), state("disk"), state("web")],
        [EgressState::Live, EgressState::Failed, EgressState::Live]
    );
    assert_eq!(said(&rehearsal, "egress-failed", "program/disk/360p"), 1);
}

/// What the disk holds of each rung in the end: names and seconds.
pub(crate) fn held(rehearsal: &Rehearsal) -> Vec<(&str, f64)> {
    let files = rehearsal.sinks.iter().filter(|sink| sink.egress == "disk").flat_map(|sink| &sink.files);
    files.map(|file| (file.name.as_str(), file.length_s)).collect()
}

#[test]
fn a_disk_that_fills_breaks_or_is_slow_holds_what_the_recorder_could_write() {
    let whole = under(TOUR, vec![]);
    let names: Vec<_> = held(&whole).iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["./program-720p.flv", "./program-360p.flv"]);
    assert!(held(&whole).iter().all(|(_, length)| about(*length, 7.96, 0.001)), "{:?}", held(&whole));
    let sizes: Vec<_> = whole.sinks.iter().flat_map(|sink| &sink.files).map(|file| file.bytes).collect();
    assert!(sizes[0] > 2 * sizes[1] && sizes[0] < 2_800_000, "{sizes:?}");
    // Both end at once, with a whole picture.
    for (fault, why) in [(DiskFault::Full, "No space left"), (DiskFault::Broken, "Input/output error")] {
        let rehearsal = under(TOUR, vec![fault_of_disk(3.0, 1.0, fault)]);
        assert!(
            held(&rehearsal).iter().all(|(_, length)| about(*length, 2.96, 0.1)),
            "{:?}",
            held(&rehearsal)
        );
        let said = rehearsal.events.iter().find(|event| event.code == "egress-failed").unwrap();
        assert!(said.message.contains(why) && said.message.contains("bytes of whole tags"), "{said:?}");
        // What goes out otherwise is none of the disk's.
        assert_eq!(rehearsal.gaps, []);
    }
    // A slow one is waited for, and all is there in the end.
    let slow = |text: &str, lasts, percent| {
        under(text, vec![fault_of_disk(2.0, lasts, DiskFault::Slow(share(percent)))])
    };
    let waited = slow(TOUR, 4.0, 10);
    assert_eq!(held(&waited), held(&whole));
    assert_eq!(said(&waited, "egress-behind", "program/disk/720p"), 0);
    // And the report says since when it was.
    let disk = waited.sinks.iter().find(|sink| sink.way == WayOut::Record).unwrap();
    let late: Vec<_> = disk.states.iter().filter(|span| span.why.is_some()).collect();
    assert!(late.iter().all(|span| span.state == EgressState::Live && span.from >= 2.0), "{late:?}");
    assert!(about(late[0].from, 2.0, 0.1) && about(late[late.len() - 1].to, 6.0, 0.2), "{late:?}");
    let files: Vec<_> = disk.files.iter().map(|file| (file.from, file.to)).collect();
    assert_eq!(files, [(0.0, 8.0)]);
    // For half a minute, and no longer.
    let long = TOUR.replace("0:06 cut alone; at 0:08 end", "0:06 cut alone; at 0:50 end");
    let lost = slow(&long, 45.0, 1);
    assert_eq!(said(&lost, "egress-behind", "program/disk/720p"), 1, "{:#?}", lost.events);
    assert!(lost.sinks.iter().any(|sink| sink.egress == "disk" && sink.dropped_frames > 100));
    // An engine that is killed leaves what is on the disk, and the next one begins another file.
    let killed = under(TOUR, vec![fault(4.0, 2.0, FaultKind::EngineKill(Restart::Fresh))]);
    let names: Vec<_> = held(&killed).iter().map(|(name, _)| *name).collect();
    assert_eq!(names[..2], ["./program-720p.flv", "./program-720p-2.flv"]);
    assert!(about(held(&killed)[0].1, 3.9, 0.15) && about(held(&killed)[1].1, 7.96, 0.001), "{killed:?}");
}

fn fault_of_disk(at: f64, lasts: f64, what: DiskFault) -> Fault {
    fault(at, lasts, disk(what))
}

#[test]
fn a_killed_engine_is_missed_until_it_shows_something_again() {
    let orders = vec![cut(2.0, "alone"), cut(4.5, "alone"), cut(7.0, "nobody")];
    let kill = fault(4.0, 2.0, FaultKind::EngineKill(Restart::Fresh));
    let rehearsal = with(TOUR, vec![kill], orders, RehearseOptions::new()).unwrap();
    let engines: Vec<_> =
        rehearsal.engines.iter().map(|engine| (engine.from, engine.to, engine.end)).collect();
    // Started with `--fresh`, its show begins anew, with its rundown.
    assert_eq!(engines, [(0.0, 4.0, EngineEnd::Killed), (6.0, 14.0, EngineEnd::Ended)]);
    let (gap, length) = only(&rehearsal, Sense::Picture);
    assert!(about(gap.from, 4.0, 0.1) && (2.0..3.0).contains(&length), "{gap:?}");
    assert_eq!((gap.saw, gap.fault, gap.why.as_str()), (Saw::Nothing, Some(0), "the engine is down"));
    let outcomes: Vec<_> = rehearsal.commands.iter().map(|command| &command.outcome).collect();
    assert_eq!(*outcomes[0], CommandOutcome::Done { on_air: Some("alone".into()) });
    assert_eq!(*outcomes[1], CommandOutcome::Unheard);
    assert!(
        matches!(outcomes[2], CommandOutcome::Refused { message } if message.contains("nobody")),
        "{outcomes:?}"
    );
    let kinds: Vec<_> = rehearsal.channels[0].actual.iter().map(|a| (a.kind, a.reason.as_str())).collect();
    assert!(kinds.contains(&(OnAirKind::Nothing, "down")), "{kinds:?}");
}

#[test]
fn a_scene_goes_on_without_one_of_its_guests() {
    let text = TOUR
        .replace(
            "filler standby {",
            "scene duo { box host camera=main; box guest camera=alone }\n  filler standby {",
        )
        .replace("sources main alone", "sources duo main alone");
    let rehearsal = under(&text, vec![line("alone/only", 2.0, 2.0, LineFault::Lost)]);
    assert_eq!(rehearsal.gaps, []);
    assert_eq!(rehearsal.channels[0].actual[0].source.as_deref(), Some("duo"));
}

/// Nobody looks at them, but they are led as on the day.
#[test]
fn watermarks_are_led_and_told() {
    let marks =
        "watermark name { text \"Live\" state=off }\n watermark clock { timecode clock }\n ladder two";
    let text = TOUR.replace("ladder two {", &format!("{marks} {{")).replace(
        "    filler standby after=500ms",
        "    filler standby after=500ms\n    watermark name clock",
    );
    let mark = |at, watermark: &str, change, when| {
        let ask = Ask::Do(Action::Watermark(MarkOrder { watermark: watermark.into(), change, when }));
        TimedOrder { at: time(at), order: Order::Channel { channel: "program".into(), ask } }
    };
    let state = |to| MarkChange::State { to, over: None };
    let orders = vec![
        mark(1.0, "name", state(Switch::On), MarkTime::Now),
        // Key frames come every two seconds.
        mark(3.0, "name", MarkChange::Text("Karry".into()), MarkTime::KeyFrame),
        mark(5.0, "clock", state(Switch::Off), MarkTime::Now),
        mark(5.5, "bug", state(Switch::Off), MarkTime::Now),
    ];
    // The rundown says its part of it.
    let cues = "at 0:06 watermark name off over=520ms; at 0:06 cut alone
      at 0:07 watermark clock at bottom-left over=400ms";
    let text = text.replace("at 0:06 cut alone", cues);
    let rehearsal = with(&text, vec![], orders, RehearseOptions::new()).unwrap();
    let told: Vec<_> = rehearsal.channels[0]
        .watermarks
        .iter()
        .map(|span| {
            let state = if span.fading {
                "fading"
            } else if span.on {
                "on"
            } else {
                "off"
            };
            (span.name.as_str(), span.from, span.to, state, span.text.as_deref(), span.at.as_deref())
        })
        .collect();
    let want = [
        ("name", 0.0, 1.0, "off", None, None),
        ("name", 1.0, 4.0, "on", None, None),
        ("name", 4.0, 6.0, "on", Some("Karry"), None),
        ("name", 6.0, 6.52, "fading", Some("Karry"), None),
        ("name", 6.52, 8.0, "off", Some("Karry"), None),
        ("clock", 0.0, 5.0, "on", None, None),
        ("clock", 5.0, 7.0, "off", None, None),
        ("clock", 7.0, 8.0, "off", None, Some("bottom-left")),
    ];
    assert_eq!(told, want);
    let cues: Vec<_> = rehearsal.cues.iter().map(|cue| (cue.t, cue.what.as_str())).collect();
    assert_eq!(cues[0], (6.0, "cue 1 (watermark name off over=520ms)"));
    let outcomes: Vec<_> = rehearsal.commands.iter().map(|run| &run.outcome).collect();
    assert!(outcomes[..3].iter().all(|o| matches!(o, CommandOutcome::Done { .. })), "{outcomes:?}");
    assert!(matches!(outcomes[3], CommandOutcome::Refused { message } if message.contains("bug")));
    assert_eq!(rehearsal.gaps, []);
}

#[test]
fn the_same_seed_and_script_are_the_same_rehearsal() {
    let script = || {
        vec![
            line("main/fiber", 1.0, 1.0, LineFault::Drip(share(40))),
            line("main/backpack", 1.5, 2.0, LineFault::Corrupt(share(30))),
            line("alone/only", 3.0, 2.0, LineFault::Lost),
            cdn(2.0, 1.0, SinkFault::Refuse),
            fault(5.0, 1.0, FaultKind::EngineKill(Restart::Fresh)),
        ]
    };
    let with_seed = |seed| {
        let options = RehearseOptions { seed, ..RehearseOptions::new() };
        with(TOUR, script(), vec![cut(3.5, "alone")], options).unwrap()
    };
    let (first, again, other) = (with_seed(7), with_seed(7), with_seed(8));
    assert_eq!(first, again);
    assert_ne!(first.events, other.events);
}

#[test]
fn real_codecs_tell_the_same_story() {
    let text =
        BARE.replace("1280x720 25fps", "128x72 25fps").replace("720p 1280x720 2500k", "720p 128x72 300k");
    let text = text.replace("0:08", "0:04");
    let options = RehearseOptions { codecs: Codecs::Pixels, ..RehearseOptions::new() };
    let faults =
        vec![line("main/fiber", 1.0, 0.6, LineFault::Freeze), line("main/fiber", 2.0, 0.6, LineFault::Black)];
    let rehearsal = with(&text, faults, vec![], options).unwrap();
    let seen = missed(&rehearsal, Sense::Picture);
    assert_eq!(
        seen.iter().map(|(gap, _)| gap.saw).collect::<Vec<_>>(),
        [Saw::Frozen, Saw::Black],
        "{seen:#?}"
    );
    assert!(seen.iter().all(|(_, length)| about(*length, 0.6, 0.1)), "{seen:#?}");
}

#[test]
fn what_cannot_befall_a_show_is_refused() {
    let refused = |text, fault: Fault| with(text, vec![fault], vec![], RehearseOptions::new()).unwrap_err();
    let error = refused(FILES, line("karry/disk", 1.0, 1.0, LineFault::Drip(share(5)))).to_string();
    assert!(error.contains("karry/disk drip=5%@") && error.contains("lost, stall, freeze"), "{error}");
    assert!(refused(FILES, cdn(1.0, 1.0, SinkFault::Wedge)).to_string().contains("no egress"));
    let endless = BARE.replace("rundown program { at 0:08 end }", "");
    assert!(matches!(with(&endless, vec![], vec![], RehearseOptions::new()), Err(RehearseError::Endless)));
}

/// What ten minutes cost: `cargo test -p engine --test it ten_minutes_of -- --ignored --nocapture`.
#[test]
#[ignore = "a figure, not a test"]
fn ten_minutes_of_a_show_with_six_lines_cost() {
    let text = TOUR.replace("rundown program { at 0:06 cut alone; at 0:08 end }", "").replace(
        "camera alone {",
        "camera b { line a push \"rtmp:live/b\"; line b push \"rtmp:live/c\" }
         camera c { line a push \"rtmp:live/d\" }
         camera alone {",
    );
    let text =
        text.replace("25fps", "30fps").replace("sources main alone", "sources main b c alone").replace(
            "rung 360p 640x360 800k",
            "rung 540p 960x540 1200k; rung 360p 640x360 800k; rung 180p 320x180 300k",
        );
    let options = RehearseOptions { length: Some(Span::from_secs(600)), ..RehearseOptions::new() };
    let script = FaultScript {
        faults: (0..60).map(|n| line("main/fiber", f64::from(n) * 10.0, 4.0, LineFault::Lost)).collect(),
        orders: vec![],
    };
    let mut last = None;
    let told = rehearse::run(&show(&text), &script, &options, &mut |progress| last = Some(progress)).unwrap();
    println!("{:?}, {} gaps, {last:?}", told.cost, told.gaps.len());
}

/// What two hours of the example show cost:
/// `OBVAN_KEY=$(printf %032d 7) cargo test -p engine --test it two_hours_of -- --ignored --nocapture`.
#[test]
#[ignore = "a figure, not a test"]
fn two_hours_of_the_concert_cost() {
    let examples = clips().join("../examples");
    let text = std::fs::read_to_string(examples.join("concert.show")).unwrap();
    let concert = show(&text.replace("1:31:00 end", "2:00:00 end"));
    let faults = (0..120).map(|n| line("main/fiber", f64::from(n) * 60.0 + 20.0, 5.0, LineFault::Lost));
    let script = FaultScript { faults: faults.collect(), orders: vec![] };
    let options = RehearseOptions { inputs: examples, ..RehearseOptions::new() };
    let told = rehearse::run(&concert, &script, &options, &mut |_| {}).unwrap();
    println!("{:?} for {} s of show, {} gaps", told.cost, told.length_s, told.gaps.len());
}

/// A rung that copies is rehearsed as it is run: in step with the other while lines fail over, and
/// without a gap where nothing fails.
#[test]
fn a_copied_rung_lacks_nothing_that_the_other_has() {
    let text = TOUR.replace("rung 720p 1280x720 2500k", "rung source copy");
    let calm = under(&text, vec![]);
    assert!(calm.gaps.is_empty(), "{:#?}", calm.gaps);
    // The one goes over to its other line; over the other's hole the filler comes, and goes.
    let faults =
        vec![line("main/fiber", 2.0, 20.0, LineFault::Lost), line("alone/only", 6.3, 0.9, LineFault::Lost)];
    let rough = under(&text, faults);
    let seen = |rung: &str| -> Vec<(f64, f64)> {
        let own = rough.gaps.iter().filter(|gap| gap.rung == rung && gap.sense == Sense::Picture);
        own.map(|gap| (gap.from, gap.length_s())).collect()
    };
    let (source, other) = (seen("source"), seen("360p"));
    assert!(other.len() >= 2 && source.len() == other.len(), "{source:?} {other:?}");
    for (source, other) in source.iter().zip(&other) {
        let is_near = (source.0 - other.0).abs() < 0.15 && (source.1 - other.1).abs() < 0.15;
        assert!(is_near, "{source:?} is no {other:?}: {:#?}", rough.gaps);
    }
    for rehearsal in [&calm, &rough] {
        assert!(!rehearsal.events.iter().any(|event| event.code == "rungs-apart"), "{:#?}", rehearsal.events);
    }
}
