//! Lines that give pictures and are doubted, lines the director chooses, and warm standby.

use media::{FrameRate, Span};
use pipeline_dsl::{Check, Failover, Prefer, Standby, Suspect, Symptom};
use proptest::prelude::*;
use scheduling::{
    Doubt, Duty, Grade, LineFigures, LineIx, LineReason, LineSelector, LineState, LineView, NotChosen,
    Readiness,
};

use crate::rig::ms;
use crate::two_lines::{TICK, TwoLines};

const LIVE: LineView = LineView::LIVE;

fn rules() -> Failover {
    let suspect = Suspect {
        after: Span::from_secs(1),
        min_fps: Some(FrameRate::new(20, 1).unwrap()),
        freeze: Check::Counts(Span::from_secs(5)),
        ..Suspect::default()
    };
    Failover { recover: Span::from_secs(2), suspect, ..Failover::default() }
}

fn slow() -> LineView {
    LineView { figures: LineFigures { millifps: Some(12_000), ..LineFigures::default() }, ..LIVE }
}
fn hole(since: i64) -> LineView {
    LineView::new(LineState::Live, Some(ms(since)))
}

impl TwoLines {
    fn duties(&self) -> [Duty; 2] {
        [0, 1].map(|line| self.selector.duty(LineIx(line)))
    }
}

use LineReason::{Chosen, Failover as Lost, Recovered, Start, Suspect as Doubted};

#[test]
fn a_doubt_that_lasts_is_left_for_a_sound_line() {
    let mut rig = TwoLines::new(rules());
    rig.run(2000, [LIVE, LIVE]).run(2960, [slow(), LIVE]);
    assert_eq!(rig.selector.suspect(LineIx(0)), None);
    rig.run(3040, [slow(), LIVE]);
    assert_eq!(rig.selector.suspect(LineIx(0)), Some(Doubt::FrameRate));
    // Back once it has been sound for `recover`.
    rig.run(8000, [LIVE, LIVE]);
    assert_eq!(rig.changes, [(0, 0, Start), (3000, 1, Doubted), (5040, 0, Recovered)]);
}

#[test]
fn a_doubt_that_passes_is_no_suspicion() {
    let mut rig = TwoLines::new(rules());
    rig.run(40, [LIVE, LIVE]);
    for second in 0..20 {
        rig.run(second * 1000 + 800, [slow(), LIVE]).run(second * 1000 + 1000, [LIVE, LIVE]);
    }
    assert_eq!(rig.changes, [(0, 0, Start)]);
}

#[test]
fn a_suspect_line_is_better_than_one_as_bad_or_just_come() {
    let mut rig = TwoLines::new(rules());
    rig.run(9000, [slow(), slow()]);
    assert_eq!(rig.changes, [(0, 0, Start)]);
    // The other must have been sound for as long as this one was in doubt.
    rig.run(20_000, [slow(), LIVE]);
    assert_eq!(rig.changes[1..], [(10_000, 1, Doubted)]);
}

#[test]
fn a_frozen_picture_is_amiss_after_its_time() {
    let frozen =
        LineView { figures: LineFigures { frozen_since: Some(ms(1000)), ..LineFigures::default() }, ..LIVE };
    let mut rig = TwoLines::new(rules());
    rig.run(1000, [LIVE, LIVE]).run(7000, [frozen, LIVE]);
    assert_eq!(rig.changes, [(0, 0, Start), (6000, 1, Doubted)]);
}

/// How a line looks that has had a symptom since 1 s.
fn ill(symptom: Symptom) -> LineView {
    let mut figures = LineFigures::default();
    let since = match symptom {
        Symptom::Black => &mut figures.black_since,
        Symptom::Freeze => &mut figures.frozen_since,
        Symptom::Silence => &mut figures.silent_since,
    };
    *since = Some(ms(1000));
    LineView { figures, ..LIVE }
}

fn looking(symptom: Symptom, check: Check) -> Suspect {
    let mut suspect = rules().suspect;
    (suspect.black, suspect.freeze, suspect.silence) = (Check::Off, Check::Off, Check::Off);
    match symptom {
        Symptom::Black => suspect.black = check,
        Symptom::Freeze => suspect.freeze = check,
        Symptom::Silence => suspect.silence = check,
    }
    suspect
}

proptest! {
    /// Each symptom by itself: where it counts the line is left when its time is up, to the tick,
    /// and returned to after `recover`; where it is only told, or off, it is none of the rules'.
    #[test]
    fn a_line_is_left_for_what_counts_and_for_nothing_else(
        symptom in prop::sample::select(Symptom::ALL.to_vec()),
        of in prop::sample::select(Symptom::ALL.to_vec()),
        after in 13i64..500,
        counts in 0usize..3,
    ) {
        let after = after * TICK;
        let span = Span::from_millis(after);
        let check = [Check::Counts(span), Check::Tells(span), Check::Off][counts];
        let mut rig = TwoLines::new(Failover { suspect: looking(of, check), ..rules() });
        let end = 1000 + after + 4000;
        rig.run(1000, [LIVE, LIVE]).run(end, [ill(symptom), LIVE]).run(end + 6000, [LIVE, LIVE]);
        let mut want = vec![(0, 0, Start)];
        if counts == 0 && symptom == of {
            want.extend([(1000 + after, 1, Doubted), (end + 2000, 0, Recovered)]);
        }
        prop_assert_eq!(rig.changes, want);
    }

    /// Both lines as bad as each other: nothing is won by going over, however long it lasts.
    #[test]
    fn a_line_is_not_left_for_one_that_is_as_bad(symptom in prop::sample::select(Symptom::ALL.to_vec())) {
        let suspect = looking(symptom, Check::Counts(Span::from_secs(1)));
        let mut rig = TwoLines::new(Failover { suspect, ..rules() });
        rig.run(1000, [LIVE, LIVE]).run(60_000, [ill(symptom), ill(symptom)]);
        prop_assert_eq!(rig.changes, [(0, 0, Start)]);
    }
}

#[test]
fn a_damaged_picture_is_no_place_to_go_if_there_is_another() {
    let damaged = LineView { grade: Grade::Damaged, ..LIVE };
    let mut selector = LineSelector::new(3, rules());
    selector.select(ms(0), &[LIVE, damaged, LIVE]);
    let choice = selector.select(ms(1000), &[hole(600), damaged, LIVE]);
    assert_eq!(choice.line, Some(LineIx(2)));
    // Better than none.
    let choice = selector.select(ms(2000), &[hole(600), damaged, hole(1600)]);
    assert_eq!(choice.line, Some(LineIx(1)));
}

#[test]
fn with_stay_a_better_line_is_not_returned_to() {
    let mut rig = TwoLines::new(Failover { prefer: Prefer::Stay, ..rules() });
    rig.run(1000, [LIVE, LIVE]).run(2000, [hole(1000), LIVE]).run(60_000, [LIVE, LIVE]);
    assert_eq!(rig.changes, [(0, 0, Start), (1400, 1, Lost)]);
    rig.run(61_000, [LIVE, hole(60_000)]);
    assert_eq!(rig.changes[2..], [(60_400, 0, Lost)]);
}

#[test]
fn the_directors_line_is_shown_until_it_is_lost_and_again_when_it_is_well() {
    let mut rig = TwoLines::new(rules());
    rig.run(1000, [LIVE, LIVE]);
    rig.selector.choose(Some(LineIx(1))).unwrap();
    // Whatever the rules think of it.
    rig.run(9000, [LIVE, slow()]);
    rig.run(10_000, [LIVE, hole(9000)]);
    rig.run(20_000, [LIVE, slow()]);
    assert_eq!(rig.changes, [(0, 0, Start), (1000, 1, Chosen), (9400, 0, Lost), (12_000, 1, Recovered)]);
    rig.selector.choose(None).unwrap();
    rig.run(21_000, [LIVE, LIVE]);
    assert_eq!(rig.changes[4..], [(20_000, 0, Recovered)]);
}

#[test]
fn a_line_without_a_picture_cannot_be_chosen() {
    let mut rig = TwoLines::new(rules());
    rig.run(1000, [LIVE, hole(0)]);
    let before = rig.selector.clone();
    assert_eq!(rig.selector.choose(Some(LineIx(1))), Err(NotChosen::Lost));
    assert_eq!(rig.selector.choose(Some(LineIx(2))), Err(NotChosen::Unknown));
    assert_eq!(rig.selector, before);
    // One that loses it before the next tick comes when it has been well for `recover`.
    rig.run(2000, [LIVE, LIVE]);
    rig.selector.choose(Some(LineIx(1))).unwrap();
    rig.run(3000, [LIVE, hole(2000)]).run(6000, [LIVE, LIVE]);
    assert_eq!(rig.changes, [(0, 0, Start), (5000, 1, Recovered)]);
}

#[test]
fn a_warm_line_is_woken_by_a_hole_and_shown_once_it_has_caught_up() {
    let kept = LineView { readiness: Readiness::Kept, ..LIVE };
    let mut rig = TwoLines::new(Failover { standby: Standby::Warm, ..rules() });
    assert_eq!(rig.duties(), [Duty::Decode; 2]);
    rig.run(1000, [LIVE, LIVE]);
    assert_eq!(rig.duties(), [Duty::Decode, Duty::Keep]);
    // At once, not only when the line is lost.
    rig.run(1040, [hole(1000), kept]);
    assert_eq!(rig.duties(), [Duty::Decode; 2]);
    rig.run(1600, [hole(1000), kept]);
    assert_eq!(rig.changes, [(0, 0, Start)]);
    rig.run(1640, [hole(1000), LIVE]);
    assert_eq!(rig.changes[1..], [(1600, 1, Lost)]);
    assert_eq!(rig.duties(), [Duty::Keep, Duty::Decode]);
    // The way back is the same.
    rig.run(4000, [kept, LIVE]);
    assert_eq!((rig.duties(), rig.changes.len()), ([Duty::Decode; 2], 2));
    rig.run(4080, [LIVE, LIVE]);
    assert_eq!(rig.changes[2..], [(4000, 0, Recovered)]);
    assert_eq!(rig.duties(), [Duty::Decode, Duty::Keep]);
}

#[test]
fn a_hole_that_closes_lets_the_warm_line_rest() {
    let mut rig = TwoLines::new(Failover { standby: Standby::Warm, ..rules() });
    rig.run(1000, [LIVE, LIVE]).run(1200, [hole(1000), LIVE]);
    assert_eq!(rig.duties(), [Duty::Decode; 2]);
    rig.run(1240, [LIVE, LIVE]);
    assert_eq!(rig.duties(), [Duty::Decode, Duty::Keep]);
    assert_eq!(rig.changes.len(), 1);
}
