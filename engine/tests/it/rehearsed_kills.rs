//! An engine that is killed in a rehearsal goes on as one that is started again on the day.

use engine::rehearse::{
    self, CommandOutcome, EngineBegins, EngineEnd, Rehearsal, RehearseOptions, Saw, Sense,
};
use media::{Span, Time};
use pipeline_dsl::rehearsal::{
    Ask, DiskFault, Fault, FaultKind, FaultScript, Order, PlanStep, Restart, TimedOrder, check_faults,
};
use pipeline_dsl::{Action, Follow, Gain, MarkChange, MarkOrder, MarkTime, Switch};
use proptest::prelude::*;
use proptest::sample::select;

use crate::rehearse::{TOUR, about, cut, fault, held, missed, only, said, time, under, with};
use crate::support::{clips, show};

fn kill(at: f64, lasts: f64) -> Fault {
    fault(at, lasts, FaultKind::EngineKill(Restart::Usual))
}

fn asked(at: f64, ask: Ask) -> TimedOrder {
    TimedOrder { at: time(at), order: Order::Channel { channel: "program".into(), ask } }
}

fn filler(at: f64, state: Switch) -> TimedOrder {
    asked(at, Ask::Do(Action::Filler(state)))
}

/// From when to when engines ran, and how they began and ended.
fn engines(rehearsal: &Rehearsal) -> Vec<(f64, f64, EngineBegins, EngineEnd)> {
    rehearsal.engines.iter().map(|run| (run.from, run.to, run.begins, run.end)).collect()
}

fn intents(rehearsal: &Rehearsal) -> Vec<(f64, &str, bool)> {
    rehearsal.channels[0].intent.iter().map(|i| (i.from, i.source.as_str(), i.filler)).collect()
}

/// The show's time goes on while no engine runs: what comes due comes with the first tick, the
/// recordings have another name, and the show ends when it would have ended.
#[test]
fn a_killed_engine_goes_on_where_the_show_is_by_then() {
    let text = TOUR.replace("at 0:06 cut alone", "at 0:03 cut alone; at 0:06 cut main");
    let orders = vec![cut(1.0, "alone"), cut(3.2, "main"), filler(5.0, Switch::On), filler(5.5, Switch::Off)];
    let rehearsal = with(&text, vec![kill(2.5, 1.0)], orders, RehearseOptions::new()).unwrap();
    let (anew, on) = (EngineBegins::Anew, EngineBegins::GoesOn);
    let want = [(0.0, 2.5, anew, EngineEnd::Killed), (3.5, 8.0, on, EngineEnd::Ended)];
    let told = engines(&rehearsal);
    assert!(about(told[0].1, want[0].1, 0.041) && told[0].3 == want[0].3, "{told:?}");
    assert_eq!(told[1], want[1]);
    assert_eq!(rehearsal.length_s, 8.0);
    let cues: Vec<_> = rehearsal.cues.iter().map(|cue| (cue.t, cue.what.as_str())).collect();
    assert_eq!(cues, [(3.52, "cue 1 (cut alone)"), (6.0, "cue 2 (cut main)")], "{:#?}", rehearsal.events);
    // What was asked for lasts; what nobody heard does not happen later.
    let told = intents(&rehearsal);
    let want = [
        (0.0, "main", false),
        (1.0, "alone", false),
        (3.52, "alone", false),
        (5.0, "alone", true),
        (5.52, "alone", false),
        (6.0, "main", false),
    ];
    assert_eq!(told, want);
    let heard = |n: usize| &rehearsal.commands[n].outcome;
    assert!(matches!(heard(0), CommandOutcome::Done { .. }) && *heard(1) == CommandOutcome::Unheard);
    // On the day the picture is there with the line, and the filler until then.
    let (gap, length) = only(&rehearsal, Sense::Picture);
    assert!(about(gap.from, 2.5, 0.1) && (1.0..1.3).contains(&length), "{gap:?}");
    assert_eq!((gap.saw, gap.fault, gap.why.as_str()), (Saw::Nothing, Some(0), "the engine is down"));
    let files = held(&rehearsal);
    assert_eq!(files[0].0, "./program-720p.flv");
    assert_eq!(files[1].0, "./program-720p-2.flv");
    assert!(about(files[1].1, 4.44, 0.05), "{files:?}");
    let resumed = rehearsal.events.iter().find(|event| event.code == "resumed").unwrap();
    assert_eq!(resumed.t, 3.5);
    let words = "the show goes on at 0:03.500: its engine died at 0:02.";
    assert!(resumed.message.starts_with(words) && !resumed.message.contains("UTC"), "{resumed:?}");
    // Nothing of it is chance.
    let orders = vec![cut(1.0, "alone"), cut(3.2, "main"), filler(5.0, Switch::On), filler(5.5, Switch::Off)];
    assert_eq!(rehearsal, with(&text, vec![kill(2.5, 1.0)], orders, RehearseOptions::new()).unwrap());
}

/// As on the day: it is kept at most five times a second.
#[test]
fn what_was_asked_for_in_the_last_fifth_of_a_second_may_be_lost() {
    let after = |at: f64| {
        let orders = vec![cut(2.0, "alone"), filler(2.1, Switch::On)];
        let rehearsal = with(TOUR, vec![kill(at, 0.5)], orders, RehearseOptions::new()).unwrap();
        let told = rehearsal.channels[0].intent.iter().find(|intent| intent.from >= at + 0.4);
        told.map(|intent| (intent.source.clone(), intent.filler)).unwrap()
    };
    assert_eq!(after(2.0), ("main".to_owned(), false));
    assert_eq!(after(2.16), ("alone".to_owned(), false));
    assert_eq!(after(2.32), ("alone".to_owned(), true));
}

#[test]
fn a_show_whose_end_passes_while_no_engine_runs_is_over() {
    let rehearsal = under(TOUR, vec![kill(7.0, 5.0)]);
    assert_eq!((rehearsal.length_s, rehearsal.engines.len()), (8.0, 1));
    assert_eq!(rehearsal.engines[0].end, EngineEnd::Killed);
    let (gap, _) = only(&rehearsal, Sense::Picture);
    assert!(about(gap.from, 7.0, 0.1) && gap.to == 8.0, "{gap:?}");
    // The director has put it off, and the next engine knows.
    let later = vec![asked(3.0, Ask::Plan(PlanStep::At { cue: 2, time: time(13.0) }))];
    let rehearsal = with(TOUR, vec![kill(7.0, 5.0)], later, RehearseOptions::new()).unwrap();
    assert_eq!((rehearsal.length_s, rehearsal.engines.len()), (13.0, 2));
    // With as much as is to be rehearsed it ends in any case.
    for (length, engines) in [(9.0, 1), (13.0, 2)] {
        let options = RehearseOptions { length: Some(time(length) - Time::ZERO), ..RehearseOptions::new() };
        let endless = TOUR.replace("; at 0:08 end", "");
        let rehearsal = with(&endless, vec![kill(7.0, 5.0)], vec![], options).unwrap();
        assert_eq!((rehearsal.length_s, rehearsal.engines.len()), (length, engines));
    }
    // One that is never started again is missed up to the end.
    let for_good = Fault { lasts: None, ..kill(7.0, 1.0) };
    let rehearsal = under(TOUR, vec![for_good]);
    assert_eq!((rehearsal.length_s, rehearsal.engines.len()), (8.0, 1));
    // Its end came first.
    let rehearsal = under(TOUR, vec![kill(8.0, 1.0)]);
    assert_eq!((rehearsal.length_s, rehearsal.engines[0].end), (8.0, EngineEnd::Ended));
    assert_eq!(rehearsal.gaps, []);
}

/// Whoever comes half an hour later has to say that the show is to go on.
#[test]
fn an_old_show_goes_on_only_if_it_is_said() {
    let text = TOUR.replace("0:08 end", "31:06 end");
    let end = |restart, length: f64| {
        let options = RehearseOptions { length: Some(time(length) - Time::ZERO), ..RehearseOptions::new() };
        let faults = vec![fault(2.0, 1_860.0, FaultKind::EngineKill(restart))];
        let rehearsal = with(&text, faults, vec![cut(1.0, "alone")], options).unwrap();
        let intent = rehearsal.channels[0].intent.last().unwrap().source.clone();
        (rehearsal.engines[1].begins, rehearsal.length_s, intent)
    };
    let (anew, on) = (EngineBegins::Anew, EngineBegins::GoesOn);
    assert_eq!(end(Restart::Usual, 1_864.0), (anew, 1_864.0, "main".to_owned()));
    assert_eq!(end(Restart::Resume, 2_000.0), (on, 1_866.0, "alone".to_owned()));
}

/// What was asked for after the disk was full is not kept there.
#[test]
fn a_disk_that_takes_nothing_keeps_no_state() {
    let orders = vec![cut(1.0, "alone"), cut(3.0, "main")];
    let faults = vec![fault(2.0, 1.7, FaultKind::Disk { fault: DiskFault::Full }), kill(3.5, 0.4)];
    let rehearsal = with(TOUR, faults, orders, RehearseOptions::new()).unwrap();
    assert_eq!(said(&rehearsal, "state-failed", "show"), 1, "{:#?}", rehearsal.events);
    assert_eq!(rehearsal.channels[0].intent.iter().find(|i| i.from > 3.6).unwrap().source, "alone");
}

/// Files are held back by ticks: those of a show that goes on begin late. Ten ticks a second are
/// fewer than the file has pictures.
#[test]
fn a_file_goes_on_and_nobody_waits_for_what_was_left_out() {
    let text = r#"show "files" {
      video 1280x720 10fps
      camera karry { line disk file "clips/bigbuckbunny-720p25.mp4" loop=true }
      filler standby { test "color:green" }
      ladder one { rung 720p 1280x720 2500k }
      channel program { sources karry; filler standby after=500ms; ladder one; egress web serve http-flv }
      rundown program { at 0:07 end }
    }"#;
    let rehearsal = under(text, vec![kill(2.0, 2.5)]);
    assert_eq!(said(&rehearsal, "line-stalled", "karry/disk"), 0, "{:#?}", rehearsal.events);
    let (gap, length) = only(&rehearsal, Sense::Picture);
    assert!(about(gap.from, 2.0, 0.11) && about(length, 2.5, 0.25), "{gap:?}");
    assert!(missed(&rehearsal, Sense::Sound).iter().all(|(_, length)| *length < 3.0));
    assert_eq!(rehearsal.length_s, 7.0);
}

/// A show with all that is kept, and what its crew may ask for.
const LED: &str = r#"show "led" {
  video 1280x720 25fps
  camera main { line fiber push "rtmp:live/main"; line backpack pull "srt://10.0.0.7:9001" }
  camera alone { line only push "rtmp:live/alone" }
  camera bars { line gen test "bars" tone=440 }
  filler standby { test "bars" }
  watermark name { text "Live" state=off }
  ladder one { keyframe 1s; rung 720p 1280x720 2500k }
  channel program {
    sources main alone bars; filler standby after=500ms; ladder one; watermark name
    egress web serve http-flv
  }
  rundown program {
    at 1s cut alone; at 1400ms mix bars over=400ms; at 2s filler on; at 2200ms filler off
    at 2700ms watermark name on; next cut main; at 3100ms dip main over=300ms; at 4s end
  }
}"#;

fn ask() -> impl Strategy<Value = Ask> {
    let source = || select(vec!["main", "alone", "bars"]).prop_map(str::to_owned);
    let switch = || select(vec![Switch::On, Switch::Off]);
    let mark = |change| {
        Ask::Do(Action::Watermark(MarkOrder { watermark: "name".into(), change, when: MarkTime::Now }))
    };
    prop_oneof![
        source().prop_map(|source| Ask::Do(Action::Cut { source })),
        switch().prop_map(|state| Ask::Do(Action::Filler(state))),
        source().prop_map(|source| Ask::Preview { source }),
        source().prop_map(|source| Ask::Sound(Follow::Source(source))),
        (source(), switch()).prop_map(|(source, state)| Ask::Mute { source, state }),
        source().prop_map(|source| Ask::Gain { source, by: Gain::from_tenths(-60).unwrap() }),
        switch().prop_map(move |to| mark(MarkChange::State { to, over: None })),
        "[a-z]{1,8}".prop_map(move |words| mark(MarkChange::Text(words))),
        select(vec![PlanStep::Hold, PlanStep::Go, PlanStep::Next, PlanStep::Skip { cue: 2 }])
            .prop_map(Ask::Plan),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// What is asked for in time before a kill, and what the rundown asks for, is what it is without
    /// one: each once, and none forgotten.
    #[test]
    fn a_kill_changes_nothing_of_what_is_asked_for(
        asks in prop::collection::vec((0i64..1_000, ask()), 0..6),
        at_ms in 40i64..3_900,
        lasts_ms in 1i64..2_500,
    ) {
        // Early enough to be kept; and a plan that is held has no end.
        let early = (at_ms - 240).max(0);
        let orders: Vec<_> = asks.into_iter().map(|(part, ask)| TimedOrder {
            at: Time::from_millis(early * part / 1_000),
            order: Order::Channel { channel: "program".into(), ask },
        }).collect();
        let orders = if at_ms < 240 { Vec::new() } else { orders };
        let tell = |faults: Vec<Fault>| {
            let script = FaultScript { faults, orders: orders.clone() };
            let length = Some(Span::from_millis(4_200));
            let options = RehearseOptions { inputs: clips(), length, ..RehearseOptions::new() };
            rehearse::run(&show(LED), &script, &options, &mut |_| {}).unwrap()
        };
        let calm = tell(vec![]);
        let at = Time::from_millis(at_ms);
        let lasts = Some(Span::from_millis(lasts_ms));
        let killed = tell(vec![Fault { at, lasts, what: FaultKind::EngineKill(Restart::Usual) }]);
        let cues = |told: &Rehearsal| told.cues.iter().map(|cue| cue.what.clone()).collect::<Vec<_>>();
        let (want, mut came) = (cues(&calm), cues(&killed));
        // What is due while no engine runs and after the end is not told any more.
        let back = (at_ms + lasts_ms) as f64 / 1e3;
        if back >= calm.length_s.min(killed.length_s) - 0.04 {
            prop_assert!(want.starts_with(&came), "{:?} is no beginning of {:?}", came, want);
            return Ok(());
        }
        // One that was done in the last fifth of a second before may be done twice.
        came.dedup();
        prop_assert_eq!(came, want);
        let last = |told: &Rehearsal| {
            let channel = &told.channels[0];
            let intent = channel.intent.last().map(|intent| (intent.source.clone(), intent.filler));
            let mark = channel.watermarks.last().map(|mark| (mark.on, mark.text.clone()));
            (intent, mark, told.length_s)
        };
        prop_assert_eq!(last(&killed), last(&calm));
    }
}

/// The words of a script come to the same.
#[test]
fn a_script_says_how_a_killed_engine_is_started_again() {
    for (words, begins) in [("", EngineBegins::GoesOn), ("=fresh", EngineBegins::Anew)] {
        let checked = check_faults(&format!("engine kill{words}@2s for 1s"), &show(TOUR));
        let told = with(TOUR, checked.script.unwrap().faults, vec![], RehearseOptions::new()).unwrap();
        assert_eq!(told.engines[1].begins, begins);
    }
}
