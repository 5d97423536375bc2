//! The rundown while it runs: called on, held, skipped, moved, replaced.

use media::Span;
use pipeline_dsl::{Action, Cue, Show, TimeOfDay, When, Zone};
use scheduling::{Command, CueNumber, CueState, Ending, PlanOrder, RefusalCode, RundownCourse, SourceIx};

use crate::rig::{Rig, cut, mix, ms, show};

fn with(cues: &[(When, Action)]) -> Show {
    let mut show = show(&[]);
    show.rundowns[0].cues =
        cues.iter().map(|(when, action)| Cue { when: *when, action: action.clone() }).collect();
    show
}
fn at(at: i64) -> When {
    When::At(ms(at))
}
fn clock(h: i64, m: i64, s: i64) -> TimeOfDay {
    TimeOfDay::new(Span::from_secs(h * 3600 + m * 60 + s)).unwrap()
}
fn plan(order: PlanOrder) -> Command {
    Command::Plan(order)
}
fn told(rig: &mut Rig) -> Vec<String> {
    rig.events().into_iter().map(|event| event.replace(" program:", "")).collect()
}

#[test]
fn the_director_calls_the_cues_that_wait_in_the_order_of_the_file() {
    let cues = [(When::Next, cut("karry")), (at(1000), cut("bars")), (When::Next, mix("main", 80))];
    let mut rig = Rig::of(&with(&cues));
    rig.run(400);
    rig.order(&plan(PlanOrder::Next)).unwrap();
    rig.run(2000);
    rig.order(&plan(PlanOrder::Next)).unwrap();
    rig.order(&plan(PlanOrder::Next)).unwrap_err();
    rig.run(3000).shows(
        "0:00.000 main start key
         0:00.400 karry cut key
         0:01.000 bars cut key
         refused no-next-cue: channel program has no cue that waits for next []
         0:02.000 bars>main mix key
         0:02.080 main key",
    );
    assert!(rig.program.cues().all(|cue| cue.state == CueState::Done));
}

#[test]
fn a_held_rundown_makes_up_for_what_was_due_when_it_goes_on() {
    let cues = [(at(1000), cut("karry")), (at(1200), cut("bars")), (at(3000), cut("main"))];
    let mut rig = Rig::of(&with(&cues));
    rig.run(400);
    rig.order(&plan(PlanOrder::Hold)).unwrap();
    rig.run(2000);
    assert_eq!(rig.program.rundown_course(), RundownCourse::Held);
    assert!(rig.program.cues().all(|cue| cue.state == CueState::Waiting));
    rig.order(&plan(PlanOrder::Go)).unwrap();
    rig.run(4000).shows(
        "0:00.000 main start key
         0:02.000 bars cut key
         0:03.000 main cut key",
    );
    assert_eq!(
        told(&mut rig),
        [
            "0:00.400 Info plan the rundown is held: no cue comes of itself",
            "0:02.000 Info plan the rundown goes on",
            "0:02.000 Info cue cue 1 (cut karry)",
            "0:02.000 Info cue cue 2 (cut bars)",
            "0:03.000 Info cue cue 3 (cut main)",
        ]
    );
}

#[test]
fn a_cue_is_skipped_moved_or_given_another_time() {
    let cues = [
        (at(1000), cut("karry")),
        (at(2000), cut("bars")),
        (When::Next, cut("karry")),
        (When::Next, cut("main")),
    ];
    let mut rig = Rig::of(&with(&cues));
    rig.run(400);
    rig.order(&plan(PlanOrder::Skip(CueNumber(1)))).unwrap();
    rig.order(&plan(PlanOrder::Retime { cue: CueNumber(2), at: ms(1500) })).unwrap();
    rig.order(&plan(PlanOrder::Move { cue: CueNumber(4), before: Some(CueNumber(3)) })).unwrap();
    let refused = |rig: &mut Rig, order| rig.order(&plan(order)).unwrap_err();
    let done = refused(&mut rig, PlanOrder::Skip(CueNumber(1)));
    assert_eq!((done.code, done.legal), (RefusalCode::CueDone, ["2", "4", "3"].map(String::from).to_vec()));
    assert_eq!(refused(&mut rig, PlanOrder::Skip(CueNumber(9))).code, RefusalCode::UnknownCue);
    let timed = refused(&mut rig, PlanOrder::Move { cue: CueNumber(2), before: None });
    assert_eq!((timed.code, timed.legal), (RefusalCode::CueTimed, vec!["at 2 TIME".to_owned()]));
    rig.run(2000);
    rig.order(&plan(PlanOrder::Next)).unwrap();
    rig.run(2400);
    rig.order(&plan(PlanOrder::Next)).unwrap();
    // 1.5 s is first seen at the tick of 1.52 s.
    rig.timeline = rig
        .timeline
        .lines()
        .filter(|line| !line.starts_with("refused"))
        .fold(String::new(), |all, line| all + line + "\n");
    rig.run(3000).shows(
        "0:00.000 main start key
         0:01.520 bars cut key
         0:02.000 main cut key
         0:02.400 karry cut key",
    );
}

#[test]
fn a_cue_by_the_clock_waits_until_the_clock_is_known() {
    let cues = [(When::Clock(clock(21, 15, 2)), cut("karry")), (When::Clock(clock(20, 14, 59)), cut("bars"))];
    let mut show = with(&cues);
    show.rundowns[0].zone = Zone::from_minutes(60).unwrap();
    let mut rig = Rig::of(&show);
    rig.run(1000);
    rig.program.set_clock(clock(20, 15, 0));
    rig.run(3000).shows("0:00.000 main start key\n 0:02.000 karry cut key");
    // More than an hour ago: it is meant for the next day.
    let bars = rig.program.cues().nth(1).unwrap();
    assert_eq!(bars.tick.map(|tick| tick.0), Some((23 * 3600 - 1) * 25));
}

#[test]
fn the_end_is_known_unless_the_director_has_to_say_when() {
    let ending = |cues: &[(When, Action)]| Rig::of(&with(cues)).program.ending();
    assert_eq!(ending(&[(at(0), cut("bars"))]), Ending::Never);
    assert_eq!(ending(&[(When::Next, Action::End)]), Ending::Open);
    assert_eq!(ending(&[(When::Clock(clock(20, 15, 0)), Action::End)]), Ending::Open);
    let mut rig = Rig::of(&with(&[(at(2000), Action::End)]));
    assert_eq!(rig.program.ending(), Ending::At(media::Tick(50)));
    rig.order(&plan(PlanOrder::Hold)).unwrap();
    assert_eq!(rig.program.ending(), Ending::Open);
    rig.run(3000);
    rig.order(&plan(PlanOrder::Go)).unwrap();
    rig.run(4000).shows("0:00.000 main start key\n 0:03.000 end end");
    assert_eq!(rig.program.ending(), Ending::At(media::Tick(75)));
}

#[test]
fn a_rundown_that_replaces_another_keeps_what_both_have() {
    let cues = [(at(1000), cut("karry")), (When::Next, cut("bars")), (at(5000), cut("main"))];
    let mut rig = Rig::of(&with(&cues));
    rig.run(2000);
    rig.order(&plan(PlanOrder::Next)).unwrap();
    rig.run(2400);
    let new = [
        (at(500), mix("bars", 400)),
        (at(1000), cut("karry")),
        (When::Next, cut("bars")),
        (When::Next, cut("karry")),
        (at(3000), cut("main")),
    ];
    let rundown = with(&new).rundowns.remove(0);
    rig.program.set_rundown(&rundown).unwrap();
    let states: Vec<_> = rig.program.cues().map(|cue| cue.state).collect();
    use CueState::{Done, Skipped, Waiting};
    assert_eq!(states, [Skipped, Done, Done, Waiting, Waiting]);
    rig.run(6000).shows(
        "0:00.000 main start key
         0:01.000 karry cut key
         0:02.000 bars cut key
         0:03.000 main cut key",
    );
    // One that cannot be carried out changes nothing.
    let before = rig.program.save();
    let wrong = with(&[(at(7000), cut("nobody"))]).rundowns.remove(0);
    rig.program.set_rundown(&wrong).unwrap_err();
    assert_eq!(rig.program.save(), before);
    assert_eq!(rig.program.intent().source, SourceIx(0));
}

#[test]
fn a_channel_without_a_rundown_says_so() {
    let mut rig = Rig::new(&[]);
    for order in [PlanOrder::Next, PlanOrder::Hold, PlanOrder::Skip(CueNumber(1))] {
        assert_eq!(rig.order(&plan(order)).unwrap_err().code, RefusalCode::NoRundown);
    }
}
