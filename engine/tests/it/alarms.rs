//! Whatever breaks in a show: each alarm is declared, stands once, and is cleared when all is well.

use std::collections::BTreeSet;

use engine::alarm::{Standing, clears, standing};
use engine::rehearse::{self, RehearseOptions};
use engine::{Command, Event, Level, LineState};
use media::{Span, Time};
use pipeline_dsl::rehearsal::{
    Fault, FaultKind, FaultScript, LineFault, LineName, Share, SinkFault, SinkName,
};
use proptest::prelude::*;

use crate::live::{ffmpeg_push, free_port, start_show, wait_for};
use crate::support::show;

/// Lines that are left for all they can be left for; a scene, a filler, and a server.
const SHOW: &str = r#"show "storm" {
  video 320x180 25fps
  camera main {
    line fiber push "rtmp:live/main"
    line backpack pull "srt://10.0.0.7:9001"
    failover recover=1s suspect=1s max-errors=5 black=1s freeze=1s silence=1s on=black,freeze,silence
  }
  camera wide { line sat push "rtmp:live/wide" }
  scene duo { box host camera=main; box guest camera=wide }
  filler standby { test bars }
  ladder one { keyframe 1s; rung 180p 320x180 400k }
  channel program {
    sources main wide duo
    filler standby after=500ms
    ladder one shed=180p
    egress cdn push "rtmp://cdn.example/live/{rung}"
  }
  rundown program { at 0:04 cut wide; at 0:07 cut duo; at 0:20 end }
}"#;

/// A fault that is over by 8 s: what it began can be over by the end, 12 s later: a rung that
/// rests comes back after ten.
fn fault() -> impl Strategy<Value = Fault> {
    use LineFault::{Black, Corrupt, Drip, Freeze, Jump, Lost, Silence, Stall};
    let share = (1u32..=100).prop_map(|percent| Share::from_millionths(percent * 10_000).unwrap());
    let line = prop_oneof![
        Just(Lost),
        Just(Stall),
        Just(Freeze),
        Just(Black),
        Just(Silence),
        share.clone().prop_map(Drip),
        share.prop_map(Corrupt),
        (-20i64..20).prop_map(|by| Jump(Span::from_secs(by))),
    ];
    let names = prop::sample::select(vec![("main", "fiber"), ("main", "backpack"), ("wide", "sat")]);
    let line = (names, line).prop_map(|((camera, line), fault)| FaultKind::Line {
        line: LineName { camera: camera.into(), line: line.into() },
        fault,
    });
    let sink = prop::sample::select(vec![SinkFault::Wedge, SinkFault::Refuse]).prop_map(|fault| {
        let sink = SinkName { channel: "program".into(), egress: "cdn".into(), rung: None };
        FaultKind::Sink { sink, fault }
    });
    let what = prop_oneof![6 => line, 1 => sink, 1 => Just(FaultKind::EngineOverload)];
    (what, 500i64..6_000, 40i64..2_000).prop_map(|(what, at, lasts)| Fault {
        at: Time::from_millis(at),
        lasts: Some(Span::from_millis(lasts)),
        what,
    })
}

/// What stands at the end, once each event was taken as `engine::alarm` declares it.
fn left_standing(events: &[Event]) -> Result<BTreeSet<(&str, &str)>, TestCaseError> {
    let mut open = BTreeSet::new();
    for event in events {
        let (code, subject) = (event.code.as_str(), event.subject.as_str());
        prop_assert!(event.level != Level::Alarm || standing(code).is_some(), "nobody declares {event:?}");
        if let Some(begun) = clears(code) {
            let stood = open.remove(&(begun, subject));
            // A server and a recording are told of whenever they begin to work.
            let is_news = ["egress-live", "iso-started"].contains(&code);
            prop_assert!(stood || is_news, "{event:?} ends what never began");
        }
        if let Some(Standing::Until(_)) = standing(code) {
            let is_new = open.insert((code, subject));
            // A server that is away is told of again when it is tried in vain, and a camera that has
            // failed over may have to again before it has recovered.
            let is_told_again = ["egress-lost", "failover"].contains(&code);
            prop_assert!(is_new || is_told_again, "{event:?} stands already");
        }
    }
    Ok(open)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn every_alarm_has_its_clear(faults in prop::collection::vec(fault(), 1..8), seed in 1u64..1000) {
        let script = FaultScript { faults, orders: vec![] };
        let options = RehearseOptions { seed, ..RehearseOptions::new() };
        let rehearsal = rehearse::run(&show(SHOW), &script, &options, &mut |_| {}).unwrap();
        let open = left_standing(&rehearsal.events)?;
        prop_assert!(open.is_empty(), "never cleared: {open:?} of {script}: {:#?}", rehearsal.events);
    }
}

/// Both lines of a camera fail, one before it has recovered from the other: told twice, cleared once.
#[test]
fn a_camera_that_fails_over_back_before_it_has_recovered_recovers_once() {
    let lost = |line: &str, at, lasts| Fault {
        at: Time::from_millis(at),
        lasts: Some(Span::from_millis(lasts)),
        what: FaultKind::Line {
            line: LineName { camera: "main".into(), line: line.into() },
            fault: LineFault::Lost,
        },
    };
    let faults = vec![lost("fiber", 2_334, 1_115), lost("backpack", 4_385, 234)];
    let options = RehearseOptions { seed: 970, ..RehearseOptions::new() };
    let script = FaultScript { faults, orders: vec![] };
    let rehearsal = rehearse::run(&show(SHOW), &script, &options, &mut |_| {}).unwrap();
    let told = |code: &str| rehearsal.events.iter().filter(|event| event.code == code).count();
    assert_eq!((told("failover"), told("failover-recovered")), (2, 1), "{:#?}", rehearsal.events);
    assert_eq!(left_standing(&rehearsal.events).unwrap(), BTreeSet::new());
}

/// The property can fail: what breaks and stays broken stands.
#[test]
fn what_is_never_mended_stands() {
    let line = LineName { camera: "main".into(), line: "fiber".into() };
    let what = FaultKind::Line { line, fault: LineFault::Lost };
    let script =
        FaultScript { faults: vec![Fault { at: Time::from_secs(2), lasts: None, what }], orders: vec![] };
    let options = RehearseOptions { length: Some(Span::from_secs(6)), ..RehearseOptions::new() };
    let rehearsal = rehearse::run(&show(SHOW), &script, &options, &mut |_| {}).unwrap();
    let open = left_standing(&rehearsal.events).unwrap();
    assert_eq!(open, BTreeSet::from([("failover", "main"), ("line-lost", "main/fiber")]));
}

/// Two cameras whose senders go, and one that is on air.
const AWAY: &str = r#"show "away" {
  video 320x180 25fps
  listen { http "127.0.0.1:8080"; rtmp "127.0.0.1:0" }
  camera bars { line gen test "bars" }
  camera main { line fiber push "rtmp:live/main"; line sat push "rtmp:live/sat" }
  camera far { line only push "rtmp:live/far" }
  ladder one { preset ultrafast; keyframe 1s; rung 180p 320x180 400k }
  channel program { sources bars main far; ladder one; egress web serve http-flv }
}"#;

/// A line that is taken away while it is lost, one of a camera that is, and one that is opened anew.
#[test]
fn what_is_lost_and_taken_away_is_lost_no_more() {
    let live = start_show(AWAY);
    let handle = live.engine.handle();
    let push = |to: &str| ffmpeg_push(&live.url.replace("live/main", to), "testsrc2=size=320x180:rate=25");
    let senders = ["live/main", "live/sat", "live/far"].map(push);
    let all = |status: &engine::Status, wanted: &[LineState]| {
        status.cameras[1..].iter().flat_map(|c| &c.lines).all(|line| wanted.contains(&line.state))
    };
    wait_for(&handle, "every sender's picture", |status| all(status, &[LineState::Live]));
    drop(senders);
    wait_for(&handle, "them to be lost", |status| all(status, &[LineState::Lost, LineState::Connecting]));
    let reload = |text: &str| {
        let command = Command { file: Some(text.to_owned()), ..Command::reload() };
        handle.command(command).unwrap();
    };
    let less =
        AWAY.replace("rtmp:live/main", "rtmp:live/anew").replace("; line sat push \"rtmp:live/sat\"", "");
    let less = less.replace("camera far { line only push \"rtmp:live/far\" }", "");
    reload(&less.replace("main far", "main"));
    let _again = push("live/anew");
    wait_for(&handle, "the one that was opened anew", |status| all(status, &[LineState::Live]));
    handle.stop();
    let report = live.engine.wait();
    let told = |code: &str| -> BTreeSet<&str> {
        report.events.iter().filter(|e| e.code == code).map(|e| e.subject.as_str()).collect()
    };
    let three = BTreeSet::from(["far/only", "main/fiber", "main/sat"]);
    assert_eq!((told("line-lost"), told("line-recovered")), (three.clone(), three), "{:#?}", report.events);
    // Neither can be lost again, but for the one that is there.
    let open = left_standing(&report.events).unwrap();
    assert!(
        !open.contains(&("line-lost", "far/only")) && !open.contains(&("line-lost", "main/sat")),
        "{open:?}"
    );
}

/// The same of a server that was tried in vain.
#[test]
fn a_server_that_is_not_there_and_no_longer_asked_for_is_missed_no_more() {
    let push = format!("egress cdn push \"rtmp://{}/live/main\"", free_port());
    let live = start_show(&AWAY.replace("egress web", &format!("{push}; egress web")));
    let handle = live.engine.handle();
    let said = |status: &engine::Status, code: &str| {
        status.events.iter().any(|event| event.code == code && event.subject == "program/cdn/180p")
    };
    wait_for(&handle, "the server to be missed", |status| said(status, "egress-lost"));
    handle.command(Command { file: Some(AWAY.to_owned()), ..Command::reload() }).unwrap();
    wait_for(&handle, "it to be missed no more", |status| said(status, "egress-live"));
    handle.stop();
    let report = live.engine.wait();
    assert_eq!(left_standing(&report.events).unwrap(), BTreeSet::new(), "{:#?}", report.events);
}

/// The same of a recording that nothing can be written of: where its folder should be is a file.
#[test]
fn a_recording_that_failed_is_missed_no_more_once_its_line_is_taken_away() {
    let far = "push \"rtmp:live/far\"";
    let recorded = AWAY.replace(far, &format!("{far} record=\"iso/far.flv\""));
    let live = start_show(&recorded);
    let handle = live.engine.handle();
    std::fs::write(live.out.path().join("iso"), []).unwrap();
    let _sender = ffmpeg_push(&live.url.replace("live/main", "live/far"), "testsrc2=size=320x180:rate=25");
    let said = |status: &engine::Status, code: &str| {
        status.events.iter().any(|event| event.code == code && event.subject == "far/only")
    };
    wait_for(&handle, "the recording to fail", |status| said(status, "iso-failed"));
    let without =
        AWAY.replace("camera far { line only push \"rtmp:live/far\" }", "").replace("main far", "main");
    handle.command(Command { file: Some(without), ..Command::reload() }).unwrap();
    wait_for(&handle, "it to be missed no more", |status| said(status, "iso-started"));
    handle.stop();
    let report = live.engine.wait();
    let open = left_standing(&report.events).unwrap();
    assert!(!open.iter().any(|(code, _)| *code == "iso-failed"), "{open:?} of {:#?}", report.events);
}
