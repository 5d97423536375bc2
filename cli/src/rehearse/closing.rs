//! The closing table of a rehearsal: every gap, where, when, how long and why.

use std::fmt::Write as _;

use engine::rehearse::Rehearsal;
use media::Span;

use super::gaps::{clock, length, missed, passes, speed, verdict};
use crate::table::{Side, Table};

/// So many gaps are shown; the report and the page have all.
const MOST_ROWS: usize = 40;

/// What a rehearsal came to, for people.
pub fn text(rehearsal: &Rehearsal, most: Span) -> String {
    let all = missed(rehearsal);
    let mut text = String::new();
    let mut table = Table::new(&[
        ("", Side::Left),
        ("when", Side::Right),
        ("how long", Side::Right),
        ("whose viewers", Side::Left),
        ("instead", Side::Left),
        ("why", Side::Left),
    ]);
    // If not all can be shown, the longest are.
    let mut shown: Vec<_> = all.iter().collect();
    shown.sort_by(|a, b| b.gap.length_s().total_cmp(&a.gap.length_s()));
    shown.truncate(MOST_ROWS);
    shown.sort_by(|a, b| a.gap.from.total_cmp(&b.gap.from));
    for missed in &shown {
        let mark = if passes(missed.gap, most) { "!" } else { "" };
        let (when, long) = (clock(missed.gap.from), length(missed.gap.length_s()));
        let what = missed.what().to_owned();
        table.row([mark.to_owned(), when, long, missed.place(), what, missed.gap.why.clone()]);
    }
    if !table.is_empty() {
        let _ = writeln!(text, "{}", table.text());
    }
    if all.len() > shown.len() {
        let _ = writeln!(text, "and {} shorter ones, in --report and --page", all.len() - shown.len());
    }
    let Rehearsal { show, length_s, cost, seed, .. } = rehearsal;
    let _ = writeln!(
        text,
        "{show}: {}\n{} of show rehearsed in {} ({}), seed {seed}",
        verdict(&all, most),
        length(*length_s),
        length(cost.wall_s),
        speed(*length_s, cost.wall_s),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_rehearsal_closes_with_its_gaps() {
        insta::assert_snapshot!(text(&sample::rehearsal(), Span::from_secs(2)));
    }

    #[test]
    fn of_very_many_gaps_the_longest_are_shown() {
        let mut many = sample::rehearsal();
        let gap = many.gaps[0].clone();
        many.gaps = (0..100u32)
            .map(|n| {
                let from = f64::from(n);
                engine::rehearse::Gap {
                    from,
                    to: from + 0.2 + f64::from(n) / 1e3,
                    rung: "720p".into(),
                    ..gap.clone()
                }
            })
            .collect();
        let text = text(&many, Span::from_secs(1));
        assert!(
            text.contains("and 60 shorter ones") && text.contains("299 ms") && !text.contains("259 ms"),
            "{text}"
        );
    }
}
