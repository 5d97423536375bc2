//! Lines that carry the same pictures: found, kept, and left without a seam.

use media::{Span, Time};
use pipeline_dsl::{Align, Failover};
use proptest::prelude::*;
use scheduling::{Aligner, LineIx, LineReason, LineSelector, LineView, Readiness, Step};

use crate::rig::ms;

const A: LineIx = LineIx(0);
const B: LineIx = LineIx(1);

/// Coded pictures at 25 a second, by when they come: line, number, stamp.
fn come(aligner: &mut Aligner, mut all: Vec<(i64, LineIx, u64, Time)>) {
    all.sort_by_key(|(at, ..)| *at);
    all.into_iter().for_each(|(at, line, code, pts)| aligner.coded(line, code, pts, ms(at)));
}

/// Both lines' pictures from `first` on, the second so much later and stamped so much more.
fn both(first: i64, count: i64, later: i64, more: i64) -> Vec<(i64, LineIx, u64, Time)> {
    let one = |n: i64| [(n * 40, A, n as u64, ms(n * 40)), (n * 40 + later, B, n as u64, ms(n * 40 + more))];
    (first..first + count).flat_map(one).collect()
}

#[test]
fn one_encoder_that_sends_twice_is_known_by_its_pictures_whichever_line_is_quicker() {
    for later in [-700, -30, 0, 30, 700] {
        let mut aligner = Aligner::new(2, Align::Stamps);
        come(&mut aligner, both(100, 40, later, 1400));
        let apart = aligner.apart(B).unwrap() - aligner.apart(A).unwrap();
        assert_eq!(apart, Span::from_millis(1400), "{later} ms later");
    }
}

#[test]
fn with_align_off_and_for_other_pictures_nothing_is_known() {
    let mut aligner = Aligner::new(2, Align::Off);
    come(&mut aligner, both(0, 40, 10, 0));
    assert_eq!((aligner.apart(A), aligner.apart(B)), (None, None));
    let mut aligner = Aligner::new(2, Align::Stamps);
    let others = both(0, 400, 10, 0)
        .into_iter()
        .map(|(at, line, code, pts)| (at, line, if line == B { code + 100_000 } else { code }, pts));
    come(&mut aligner, others.collect());
    assert_eq!((aligner.apart(A), aligner.apart(B)), (Some(Span::ZERO), None));
}

/// A still from an encoder without a clock in it: the same few bytes again and again.
#[test]
fn pictures_that_repeat_themselves_say_nothing() {
    let mut aligner = Aligner::new(2, Align::Stamps);
    let still = both(0, 400, 10, 0).into_iter().map(|(at, line, code, pts)| (at, line, code % 16, pts));
    // The second line joins when the first one has been round.
    come(&mut aligner, still.filter(|(at, line, ..)| *line == A || *at > 1000).collect());
    assert_eq!(aligner.apart(B), None);
}

#[test]
fn a_line_that_goes_over_to_other_pictures_is_no_longer_one_of_them() {
    let mut aligner = Aligner::new(2, Align::Stamps);
    come(&mut aligner, both(0, 50, 10, 0));
    assert!(aligner.apart(B).is_some());
    let other = both(50, 200, 10, 0)
        .into_iter()
        .map(|(at, line, code, pts)| (at, line, if line == B { code + 100_000 } else { code }, pts));
    come(&mut aligner, other.collect());
    // One of them is left; nobody can tell which is right.
    assert!(aligner.apart(A).is_none() || aligner.apart(B).is_none());
}

#[test]
fn a_line_that_comes_back_finds_its_place_by_the_one_that_stayed() {
    let mut aligner = Aligner::new(2, Align::Stamps);
    come(&mut aligner, both(0, 50, 10, 1400));
    let only = |all: Vec<(i64, LineIx, u64, Time)>, line| all.into_iter().filter(move |one| one.1 == line);
    // The first one is gone for a minute, and starts anew with stamps from zero.
    come(&mut aligner, only(both(50, 1500, 10, 1400), B).collect());
    aligner.begin(A);
    let late = only(both(1550, 20, 10, 1400), B);
    let anew =
        only(both(1550, 20, 10, 1400), A).map(|(at, line, n, _)| (at, line, n, ms((n as i64 - 1550) * 40)));
    come(&mut aligner, late.chain(anew).collect());
    let apart = aligner.apart(A).unwrap() - aligner.apart(B).unwrap();
    assert_eq!(apart, ms(0) - ms(1550 * 40 + 1400));
}

proptest! {
    /// Pictures lost, late by any amount and stamped in whole milliseconds: what is known is true.
    #[test]
    fn what_is_known_is_true(
        lost in prop::collection::vec(any::<bool>(), 200), late in prop::collection::vec(0i64..900, 200), more in -5_000i64..5_000,
    ) {
        let mut aligner = Aligner::new(2, Align::Stamps);
        let all = both(0, 100, 0, more).into_iter().zip(lost.iter().zip(&late)).filter(|(_, (lost, _))| !**lost);
        let mut all: Vec<_> = all.map(|((at, line, n, pts), (_, late))| (at + late, line, n, pts + Span::from_millis(late % 2))).collect();
        // Each line brings its pictures in order.
        for line in [A, B] {
            let mut latest = 0;
            for one in all.iter_mut().filter(|one| one.1 == line) {
                latest = latest.max(one.0);
                one.0 = latest;
            }
        }
        come(&mut aligner, all);
        if let (Some(a), Some(b)) = (aligner.apart(A), aligner.apart(B)) {
            prop_assert!((b - a - Span::from_millis(more)).abs() <= Span::from_millis(2), "{} for {more} ms", b - a);
        }
    }
}

/// Every change until `end` in steps of 40 ms.
fn changes(end: i64, views: impl Fn(i64) -> [LineView; 2]) -> Vec<(i64, usize, LineReason)> {
    let mut selector = LineSelector::new(2, Failover::default());
    let ticks = (0..end / 40).map(|tick| tick * 40);
    ticks
        .filter_map(|at| selector.select(ms(at), &views(at)).change.map(|c| (at, c.to.0, c.reason)))
        .collect()
}

#[test]
fn in_step_the_next_tick_shows_the_other_line_and_coming_back_takes_its_time() {
    let shared = LineView { step: Step::Shared, ..LineView::LIVE };
    let hole = |at: i64| LineView { hole_since: (1000..2000).contains(&at).then(|| ms(1000)), ..shared };
    let start = (0, 0, LineReason::Start);
    let seamless = changes(9000, |at| [hole(at), shared]);
    assert_eq!(seamless, [start, (1000, 1, LineReason::Failover), (5000, 0, LineReason::Recovered)]);
    // One that is not in step, or has no picture itself, is not gone over to before `lost`.
    let later = [start, (1400, 1, LineReason::Failover), (5000, 0, LineReason::Recovered)];
    assert_eq!(changes(9000, |at| [hole(at), LineView::LIVE]), later);
    let kept = LineView { readiness: Readiness::Kept, ..shared };
    let woken = changes(9000, |at| [hole(at), if at < 1400 { kept } else { shared }]);
    assert_eq!(woken, later);
    assert_eq!(changes(9000, |at| [hole(at), hole(at)]), [start]);
}
