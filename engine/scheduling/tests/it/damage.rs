//! Pictures that are not as they were sent: when a line is left for them, and when it is not.

use media::{Span, Time};
use pipeline_dsl::{Failover, Standby};
use proptest::prelude::*;
use scheduling::{
    Code, Doubt, Duty, FeedIx, Grade, Input, LineChange, LineIx, LineReason, LineSelector, LineState,
    LineView, OnAir, Output, Readiness, SourceIx, Step, Switcher,
};

use crate::rig::ms;
use crate::two_lines::{TICK, TwoLines};

const LIVE: LineView = LineView::LIVE;
const DAMAGED: LineView = LineView { grade: Grade::Damaged, ..LIVE };

/// Missing since then, behind a picture of this grade.
fn hole(since: i64, grade: Grade) -> LineView {
    LineView { grade, ..LineView::new(LineState::Lost, Some(ms(since))) }
}

impl TwoLines {
    fn suspect(&self) -> Option<Doubt> {
        self.selector.suspect(LineIx(0))
    }
}

use LineReason::{Chosen, Failover as Lost, Recovered, Start, Suspect as Doubted};

#[test]
fn a_line_of_damaged_pictures_is_left_sooner_than_one_of_none() {
    let mut rig = TwoLines::new(Failover::default());
    rig.run(1000, [LIVE, LIVE]).run(1200, [DAMAGED, LIVE]);
    assert_eq!((rig.suspect(), rig.changes.len()), (None, 1));
    rig.run(1240, [DAMAGED, LIVE]);
    assert_eq!(rig.suspect(), Some(Doubt::Damage));
    // It is suspect as long as nothing else comes, and no longer; back after `recover`.
    rig.run(3000, [DAMAGED, LIVE]);
    assert_eq!(rig.suspect(), Some(Doubt::Damage));
    rig.run(9000, [LIVE, LIVE]);
    assert_eq!(rig.suspect(), None);
    assert_eq!(rig.changes, [(0, 0, Start), (1200, 1, Doubted), (6000, 0, Recovered)]);
}

#[test]
fn damaged_pictures_make_a_hole_no_younger_and_a_clean_one_does() {
    let mut rig = TwoLines::new(Failover::default());
    rig.run(1000, [LIVE, LIVE]).run(1120, [hole(1000, Grade::Clean), LIVE]).run(1160, [DAMAGED, LIVE]);
    rig.run(1360, [hole(1160, Grade::Damaged), LIVE]);
    assert_eq!(rig.changes[1..], [(1200, 1, Doubted)]);
    // Without any damage it is given all its time.
    let mut rig = TwoLines::new(Failover::default());
    rig.run(1000, [LIVE, LIVE]).run(1400, [hole(1000, Grade::Clean), LIVE]);
    assert_eq!((rig.suspect(), rig.changes.len()), (None, 1));
    let mut rig = TwoLines::new(Failover::default());
    for start in (0..20).map(|n| n * 200) {
        rig.run(start + 40, [LIVE, LIVE]).run(start + 200, [DAMAGED, LIVE]);
    }
    assert_eq!(rig.changes, [(0, 0, Start)]);
    // One that came between two ticks, and behind which the next is missing already.
    let mut rig = TwoLines::new(Failover::default());
    rig.run(1000, [LIVE, LIVE]).run(1160, [DAMAGED, LIVE]).run(1560, [hole(1140, Grade::Clean), LIVE]);
    assert_eq!(rig.changes, [(0, 0, Start)]);
    rig.run(1600, [hole(1140, Grade::Clean), LIVE]);
    assert_eq!(rig.changes[1..], [(1560, 1, Lost)]);
}

#[test]
fn where_no_line_is_clean_damaged_pictures_are_better_than_none() {
    let mut rig = TwoLines::new(Failover::default());
    rig.run(1000, [LIVE, LIVE]).run(9000, [DAMAGED, DAMAGED]);
    assert_eq!((rig.suspect(), rig.changes.len()), (Some(Doubt::Damage), 1));
    rig.run(9400, [hole(9000, Grade::Damaged), DAMAGED]);
    assert_eq!(rig.changes.len(), 1);
    // Lost is lost: then nothing is doubted any more.
    rig.run(9440, [hole(9000, Grade::Damaged), DAMAGED]);
    assert_eq!((rig.suspect(), rig.changes[1]), (None, (9400, 1, Lost)));
    // It has its time there, and then the one that is clean is taken.
    rig.run(10_000, [LIVE, DAMAGED]);
    assert_eq!(rig.changes[2..], [(9800, 0, Doubted)]);
}

#[test]
fn a_line_that_is_suspect_itself_is_no_place_to_go_to() {
    let frozen = LineView {
        figures: scheduling::LineFigures { frozen_since: Some(ms(0)), ..Default::default() },
        ..LIVE
    };
    let mut failover = Failover::default();
    failover.suspect.freeze = pipeline_dsl::Check::Counts(Span::from_secs(1));
    let mut rig = TwoLines::new(failover);
    rig.run(1000, [LIVE, frozen]).run(9000, [DAMAGED, frozen]);
    assert_eq!(rig.changes, [(0, 0, Start)]);
}

#[test]
fn the_directors_line_is_left_for_damage_that_befalls_it_and_not_for_what_was_there() {
    let mut rig = TwoLines::new(Failover::default());
    rig.run(1000, [LIVE, LIVE]);
    rig.selector.choose(Some(LineIx(1))).unwrap();
    rig.run(2000, [LIVE, LIVE]).run(5000, [LIVE, DAMAGED]).run(9000, [LIVE, LIVE]);
    let story = [(0, 0, Start), (1000, 1, Chosen), (2200, 0, Doubted), (8000, 1, Recovered)];
    assert_eq!(rig.changes, story);
    let mut rig = TwoLines::new(Failover::default());
    rig.run(1000, [LIVE, DAMAGED]);
    rig.selector.choose(Some(LineIx(1))).unwrap();
    rig.run(5000, [LIVE, DAMAGED]);
    assert_eq!(rig.changes, [(0, 0, Start), (1000, 1, Chosen)]);
    // Once it was clean, it is to stay so.
    rig.run(5040, [LIVE, LIVE]).run(6000, [LIVE, DAMAGED]);
    assert_eq!(rig.changes[2..], [(5240, 0, Doubted)]);
}

#[test]
fn one_in_step_is_left_at_its_first_damaged_picture() {
    let shared = |view| LineView { step: Step::Shared, ..view };
    let mut rig = TwoLines::new(Failover::default());
    rig.run(1000, [shared(LIVE), shared(LIVE)]).run(2000, [shared(DAMAGED), shared(LIVE)]);
    assert_eq!(rig.changes, [(0, 0, Start), (1000, 1, Lost)]);
}

#[test]
fn a_warm_line_is_woken_by_the_first_damaged_picture() {
    let kept = LineView { readiness: Readiness::Kept, ..LIVE };
    let mut rig = TwoLines::new(Failover { standby: Standby::Warm, ..Failover::default() });
    rig.run(1000, [LIVE, kept]);
    assert_eq!(rig.selector.duty(LineIx(1)), Duty::Keep);
    rig.run(1040, [DAMAGED, kept]);
    assert_eq!(rig.selector.duty(LineIx(1)), Duty::Decode);
    rig.run(2000, [DAMAGED, LIVE]);
    assert_eq!(rig.changes, [(0, 0, Start), (1200, 1, Doubted)]);
}

/// A camera of one line, its filler after half a second, and what it gives at each tick from 1 s on.
fn one_line(gives: impl Fn(i64) -> LineView) -> (Vec<OnAir>, Vec<Code>) {
    let show = pipeline_dsl::parse_show(
        r#"show "tour" {
          video 64x36 25fps
          camera main { line fiber push "rtmp:live/a" }
          filler slate { test bars }
          ladder one { rung tiny 64x36 100k }
          channel program { sources main; filler slate after=500ms; ladder one; egress web serve http-flv }
        }"#,
    )
    .unwrap();
    let mut switcher = Switcher::new(&show).unwrap();
    let (mut seen, mut codes) = (vec![], vec![]);
    for tick in 0..100 {
        let now = tick * TICK;
        let view = if now < 1000 { LIVE } else { gives(now) };
        for (feed, view) in [(FeedIx::Camera(0), view), (FeedIx::Filler(0), LIVE)] {
            switcher.handle(Input::Line { feed, line: LineIx(0), view }, ms(now)).unwrap();
        }
        switcher.handle(Input::Tick, ms(now)).unwrap();
        while let Some(output) = switcher.poll() {
            match output {
                Output::Program { decision, .. } => seen.push(decision.program.on_air().unwrap()),
                Output::Event(event) => codes.push(event.code),
                _ => {}
            }
        }
    }
    (seen, codes)
}

const MAIN: OnAir = OnAir::Source(SourceIx(0));

#[test]
fn what_flows_is_shown_and_what_comes_now_and_then_is_covered_as_a_hole_is() {
    // A packet that was lost: what hangs on it is shown, with its sound.
    let (seen, codes) = one_line(|now| if now < 2000 { DAMAGED } else { LIVE });
    assert!(seen.iter().all(|on_air| *on_air == MAIN));
    assert_eq!(codes, [Code::LineSuspect, Code::LineSound]);
    // One picture in five: 500 ms after the first that was missing it is covered, up to a clean one.
    let now_and_then = |now: i64| {
        let behind = (now - 1000) % 200;
        if now >= 3000 {
            LIVE
        } else if behind == 0 {
            DAMAGED
        } else {
            hole(now - behind + TICK, Grade::Damaged)
        }
    };
    let (seen, codes) = one_line(now_and_then);
    let covered: Vec<_> = (0..).zip(&seen).filter(|(_, on_air)| **on_air == OnAir::Filler).collect();
    let ticks = |at: i64| at / TICK;
    // The first missing one was due at 1040.
    assert_eq!((covered[0].0, covered.len() as i64), (ticks(1560), ticks(3000) - ticks(1560)));
    assert_eq!(codes, [Code::LineSuspect, Code::FillerIn, Code::LineSound, Code::FillerOut]);
    // A hole that is over, by pictures that flow, is over.
    let (seen, _) = one_line(|now| match now {
        ..1400 => hole(1000, Grade::Clean),
        2000..2200 => hole(2000, Grade::Damaged),
        _ => DAMAGED,
    });
    assert!(seen.iter().all(|on_air| *on_air == MAIN));
}

/// What a line gives over some ticks.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Gives {
    Clean,
    Damaged,
    Nothing,
}

type Lines = Vec<Vec<(i64, Gives)>>;

fn lines() -> impl Strategy<Value = Lines> {
    let gives = prop::sample::select(vec![Gives::Clean, Gives::Damaged, Gives::Nothing]);
    let stretch = (prop_oneof![1i64..6, 1i64..100], gives);
    prop::collection::vec(prop::collection::vec(stretch, 1..60), 1..4)
}

fn time(tick: usize) -> Time {
    ms(tick as i64 * TICK)
}

/// What each line gives at each tick.
fn spread(lines: &Lines) -> Vec<Vec<Gives>> {
    let each = |line: &Vec<(i64, Gives)>| {
        line.iter().flat_map(|(ticks, gives)| (0..*ticks).map(|_| *gives)).collect::<Vec<_>>()
    };
    lines.iter().map(each).collect()
}

/// How a line stands at a tick.
fn view(line: &[Gives], tick: usize) -> LineView {
    let before = line[..=tick].iter().rposition(|gives| *gives != Gives::Nothing);
    let grade = match before.map(|at| line[at]) {
        Some(Gives::Damaged) => Grade::Damaged,
        _ => Grade::Clean,
    };
    match before {
        Some(at) if at == tick => LineView { grade, ..LIVE },
        Some(at) => LineView { grade, ..LineView::new(LineState::Live, Some(time(at + 1))) },
        None => LineView::new(LineState::Live, Some(time(0))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    /// Each tick against the rule, read from the whole history; over a restart, too.
    #[test]
    fn every_change_has_its_cause(
        lines in lines(), lost in 0i64..2000, recover in 0i64..5000, restart in 0usize..2000,
    ) {
        let (lost, recover) = (Span::from_millis(lost), Span::from_millis(recover));
        let lines = spread(&lines);
        let ticks = lines.iter().map(Vec::len).min().unwrap_or(0);
        let mut selector = LineSelector::new(lines.len(), Failover { lost, recover, ..Failover::default() });
        let (mut current, mut shown_since): (Option<usize>, Time) = (None, Time::ZERO);
        let mut left = vec![None; lines.len()];
        for tick in 0..ticks {
            if tick == restart {
                selector = serde_json::from_str(&serde_json::to_string(&selector).unwrap()).unwrap();
            }
            let now = time(tick);
            let is = |line: usize, gives| lines[line][tick] == gives;
            let last_clean = |line: usize| lines[line][..=tick].iter().rposition(|g| *g == Gives::Clean);
            let lacks_for = |line: usize| match last_clean(line) {
                Some(at) if at == tick => None,
                at => Some(now - time(at.map_or(0, |at| at + 1))),
            };
            let missing_for = |line: usize| {
                let at = lines[line][..=tick].iter().rposition(|g| *g != Gives::Nothing);
                (at != Some(tick)).then(|| now - time(at.map_or(0, |at| at + 1)))
            };
            let is_damaged = |line: usize| {
                let behind = last_clean(line).map_or(0, |at| at + 1);
                lines[line][behind..=tick].contains(&Gives::Damaged)
                    && lacks_for(line).is_some_and(|long| long >= Span::from_flicks(lost.flicks() / 2))
                    && missing_for(line).is_none_or(|long| long < lost)
            };
            let clean_for = |line: usize| {
                let since = lines[line][..=tick].iter().rposition(|g| *g != Gives::Clean);
                is(line, Gives::Clean).then(|| now - time(since.map_or(0, |at| at + 1)))
            };
            let all = || 0..lines.len();
            let expected = match current {
                None => all()
                    .find(|line| is(*line, Gives::Clean))
                    .or_else(|| all().find(|line| is(*line, Gives::Damaged)))
                    .map(|to| (to, LineReason::Start)),
                Some(on) => {
                    let better = (0..on).find(|line| clean_for(*line).is_some_and(|long| long >= recover));
                    let clean = || all().find(|line| *line != on && is(*line, Gives::Clean));
                    let any = || all().find(|line| *line != on && is(*line, Gives::Damaged));
                    if let Some(better) = better {
                        Some((better, LineReason::Recovered))
                    } else if missing_for(on).is_some_and(|long| long >= lost) {
                        clean().or_else(any).map(|to| (to, LineReason::Failover))
                    } else if is_damaged(on) && now - shown_since >= lost {
                        clean().map(|to| (to, LineReason::Suspect))
                    } else {
                        None
                    }
                }
            };
            let views: Vec<_> = lines.iter().map(|line| view(line, tick)).collect();
            let choice = selector.select(now, &views);
            let from = current.map(LineIx);
            let expected = expected.map(|(to, reason)| LineChange { from, to: LineIx(to), reason });
            prop_assert_eq!(choice.change, expected, "tick {}", tick);
            for line in all() {
                let expected = is_damaged(line).then_some(Doubt::Damage);
                prop_assert_eq!(selector.suspect(LineIx(line)), expected);
            }
            if let Some(change) = choice.change {
                // No way back before the rules allow it.
                let away = left[change.to.0].map(|since: Time| now - since);
                prop_assert!(away.is_none_or(|away| away >= lost.min(recover)), "{change:?} after {away:?}");
                if let Some(from) = current {
                    left[from] = Some(now);
                }
                (current, shown_since) = (Some(change.to.0), now);
            }
        }
    }
}
