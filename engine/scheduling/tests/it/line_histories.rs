//! Random histories of lines: no change without its cause, and no flapping.

use media::{Span, Time};
use pipeline_dsl::Failover;
use proptest::prelude::*;
use scheduling::{LineChange, LineIx, LineReason, LineSelector, LineState, LineView};

const TICK: i64 = 40;

/// Per line, stretches of so many ticks of a state, with or without pictures.
type Lines = Vec<Vec<(i64, LineState, bool)>>;

fn lines(states: Vec<LineState>) -> impl Strategy<Value = Lines> {
    let stretch = (1i64..120, prop::sample::select(states), prop::bool::weighted(0.6));
    prop::collection::vec(prop::collection::vec(stretch, 1..40), 1..4)
}

fn failover() -> impl Strategy<Value = Failover> {
    (0i64..2000, 0i64..5000).prop_map(|(lost, recover)| Failover {
        lost: Span::from_millis(lost),
        recover: Span::from_millis(recover),
        ..Failover::default()
    })
}

fn time(tick: i64) -> Time {
    Time::from_millis(tick * TICK)
}

/// The views of every tick.
fn views(lines: &Lines) -> Vec<Vec<LineView>> {
    let spread = |line: &Vec<(i64, LineState, bool)>| {
        let (mut at, mut hole, mut all) = (0, None, vec![]);
        for (ticks, state, pictures) in line {
            hole = if *pictures { None } else { hole.or(Some(time(at))) };
            all.extend((0..*ticks).map(|_| LineView::new(*state, hole)));
            at += ticks;
        }
        all
    };
    let lines: Vec<_> = lines.iter().map(spread).collect();
    let ticks = lines.iter().map(Vec::len).min().unwrap_or(0);
    (0..ticks).map(|tick| lines.iter().map(|line| line[tick]).collect()).collect()
}

/// Every change, with its tick.
fn changes(views: &[Vec<LineView>], failover: Failover, restart: usize) -> Vec<(i64, LineChange)> {
    let mut selector = LineSelector::new(views.first().map_or(0, Vec::len), failover);
    let mut changes = vec![];
    for (tick, views) in (0..).zip(views) {
        if tick == i64::try_from(restart).unwrap() {
            selector = serde_json::from_str(&serde_json::to_string(&selector).unwrap()).unwrap();
        }
        changes.extend(selector.select(time(tick), views).change.map(|change| (tick, change)));
    }
    changes
}

const ALL: [LineState; 5] =
    [LineState::Never, LineState::Connecting, LineState::Live, LineState::Lost, LineState::Ended];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Each tick against the rule, read from the whole history.
    #[test]
    fn every_change_has_its_cause_and_every_cause_its_change(lines in lines(ALL.to_vec()), failover in failover(), restart in 0usize..2000) {
        let views = views(&lines);
        let changes = changes(&views, failover, restart);
        let well = |line: usize, tick: i64| {
            let view = views[usize::try_from(tick).unwrap()][line];
            matches!(view.state, LineState::Live | LineState::Ended) && view.hole_since.is_none()
        };
        let rested = |line: usize, tick: i64| {
            let begun = (0..=tick).rev().take_while(|tick| well(line, *tick)).last();
            begun.is_some_and(|begun| time(tick) - time(begun) >= failover.recover)
        };
        let count = lines.len();
        let mut current: Option<usize> = None;
        for tick in 0..i64::try_from(views.len()).unwrap() {
            let expected = match current {
                None => (0..count).find(|line| well(*line, tick)).map(|to| (to, LineReason::Start)),
                Some(now) => {
                    let view = views[usize::try_from(tick).unwrap()][now];
                    let lost = match view.state {
                        LineState::Never => true,
                        LineState::Ended => view.hole_since.is_some(),
                        _ => view.hole_since.is_some_and(|since| time(tick) - since >= failover.lost),
                    };
                    let better = (0..now).find(|line| rested(*line, tick)).map(|to| (to, LineReason::Recovered));
                    let other = (0..count).find(|line| *line != now && well(*line, tick));
                    better.or(other.filter(|_| lost).map(|to| (to, LineReason::Failover)))
                }
            };
            let made = changes.iter().find(|(at, _)| *at == tick).map(|(_, change)| *change);
            let from = current.map(LineIx);
            prop_assert_eq!(made, expected.map(|(to, reason)| LineChange { from, to: LineIx(to), reason }), "tick {}", tick);
            current = made.map_or(current, |change| Some(change.to.0));
        }
    }

    /// A line that was left is not returned to before `lost` and `recover` allow.
    #[test]
    fn it_does_not_flap(lines in lines(vec![LineState::Live, LineState::Lost, LineState::Connecting]), failover in failover()) {
        let changes = changes(&views(&lines), failover, 0);
        let least = failover.lost.min(failover.recover);
        for (n, (left_at, left)) in changes.iter().enumerate() {
            let back = changes[n + 1..].iter().find(|(_, change)| Some(change.to) == left.from);
            if let Some((back_at, _)) = back {
                let away = time(*back_at) - time(*left_at);
                prop_assert!(away >= least, "back on {:?} after {away}", left.from);
            }
        }
    }
}
