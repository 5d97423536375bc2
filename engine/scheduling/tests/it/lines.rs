//! Failover between a camera's lines, and back.

use media::{Span, Time};
use pipeline_dsl::Failover;
use scheduling::{LineIx, LineReason, LineSelector, LineState, LineView};

use crate::rig::ms;

/// Per line: `(state, from, to)` in ms; the hole of a stretch begins with it. Else the line is live.
type Stretches<'a> = &'a [&'a [(LineState, i64, i64)]];

fn view(line: &[(LineState, i64, i64)], now: Time) -> LineView {
    let stretch = line.iter().find(|(_, from, to)| ms(*from) <= now && now < ms(*to));
    match stretch {
        None => LineView::LIVE,
        Some((state, from, _)) => LineView::new(*state, Some(ms(*from))),
    }
}

/// Every change until `end` in steps of 40 ms, with lost=400ms recover=3s.
fn changes(lines: Stretches<'_>, end: i64) -> Vec<(i64, usize, LineReason)> {
    let mut selector = LineSelector::new(lines.len(), Failover::default());
    let mut changes = vec![];
    for tick in 0..end / 40 {
        let now = ms(tick * 40);
        let views: Vec<_> = lines.iter().map(|line| view(line, now)).collect();
        let choice = selector.select(now, &views);
        assert_eq!(choice.line, selector.current());
        if let Some(change) = choice.change {
            assert_eq!(Some(change.to), choice.line);
            println!("{now} {:?} > {:?} {:?}", change.from, change.to, change.reason);
            changes.push((tick * 40, change.to.0, change.reason));
        }
    }
    changes
}

use LineReason::{Failover as Lost, Recovered, Start};
use LineState::{Connecting, Ended, Live, Never};

#[test]
fn a_lost_line_is_left_after_400_ms_and_returned_to_after_3_s() {
    let lines: Stretches<'_> = &[&[(LineState::Lost, 1000, 2000)], &[]];
    assert_eq!(changes(lines, 9000), [(0, 0, Start), (1400, 1, Lost), (5000, 0, Recovered)]);
}

#[test]
fn a_hole_shorter_than_lost_changes_nothing() {
    assert_eq!(changes(&[&[(Live, 1000, 1400)], &[]], 9000), [(0, 0, Start)]);
}

#[test]
fn a_break_in_the_good_time_starts_it_again() {
    let lines: Stretches<'_> = &[&[(Live, 1000, 2000), (Live, 4000, 4040)], &[]];
    assert_eq!(changes(lines, 9000), [(0, 0, Start), (1400, 1, Lost), (7040, 0, Recovered)]);
}

#[test]
fn a_line_that_ended_is_left_as_soon_as_it_has_played_out() {
    assert_eq!(changes(&[&[(Ended, 1000, 9000)], &[]], 9000), [(0, 0, Start), (1000, 1, Lost)]);
}

#[test]
fn the_first_line_with_a_picture_starts() {
    let lines: Stretches<'_> = &[&[(Never, 0, 500), (Connecting, 500, 1000)], &[(Connecting, 0, 200)]];
    assert_eq!(changes(lines, 9000), [(200, 1, Start), (4000, 0, Recovered)]);
}

#[test]
fn a_single_line_stays() {
    assert_eq!(changes(&[&[(Live, 1000, 5000), (Ended, 6000, 9000)]], 9000), [(0, 0, Start)]);
}

#[test]
fn where_no_line_is_well_it_stays_until_one_is() {
    let lines: Stretches<'_> = &[&[(Live, 1000, 3000)], &[(Live, 500, 2000)], &[(Live, 0, 9000)]];
    assert_eq!(changes(lines, 9000), [(0, 0, Start), (2000, 1, Lost), (6000, 0, Recovered)]);
}

#[test]
fn a_better_line_is_taken_early_where_the_worse_is_lost() {
    let lines: Stretches<'_> = &[&[(Live, 1000, 2000)], &[(Live, 2500, 9000)]];
    assert_eq!(changes(lines, 9000), [(0, 0, Start), (1400, 1, Lost), (2920, 0, Lost)]);
}

#[test]
fn the_best_of_the_recovered_is_taken() {
    let lines: Stretches<'_> = &[&[(Live, 0, 1000)], &[(Live, 0, 1000)], &[]];
    assert_eq!(changes(lines, 9000), [(0, 2, Start), (4000, 0, Recovered)]);
}

#[test]
fn odd_views_are_taken_as_they_can_be() {
    let mut selector =
        LineSelector::new(2, Failover { lost: Span::ZERO, recover: Span::ZERO, ..Failover::default() });
    assert_eq!(selector.select(Time::ZERO, &[]).line, None);
    // One view too few, one too many, a hole still to come, a current picture of a line that never had one.
    let live = LineView::new(Live, Some(ms(1)));
    assert_eq!(selector.select(Time::ZERO, &[live]).line, Some(LineIx(0)));
    assert_eq!(selector.select(ms(40), &[LineView::NEVER, LineView::NEVER, live]).line, Some(LineIx(0)));
    assert_eq!(selector.select(ms(80), &[LineView::NEVER, live]).line, Some(LineIx(0)));
    let current = LineView::LIVE;
    assert_eq!(selector.select(ms(120), &[LineView::NEVER, current]).line, Some(LineIx(1)));
    assert_eq!(LineSelector::new(0, Failover::default()).select(Time::MAX, &[current]).line, None);
}
