//! Stream time → show time: one line for pictures and sound, that bends a little
//! where a sender's clock drifts, and is never torn by it.

use std::collections::VecDeque;

use media::{Span, Time};

/// Bends that are kept: sound and pictures of one moment come up to seconds apart, and both
/// must find the same mapping.
const MOST_BENDS: usize = 16;
const BILLION: i128 = 1_000_000_000;

/// From `from` on, a second of stream takes a second and `slope` billionths of the show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bend {
    from: Time,
    at: Time,
    slope: i64,
}

impl Bend {
    fn place(&self, pts: Time) -> Time {
        let since = pts - self.from;
        let more = i128::from(since.flicks()) * i128::from(self.slope) / BILLION;
        self.at + since + Span::from_flicks(i64::try_from(more).unwrap_or(0))
    }
}

/// Where each moment of a stream lies in the show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    first: Bend,
    /// Those after it, in order.
    later: VecDeque<Bend>,
}

impl Mapping {
    /// The stream's `from` lies at the show's `at`.
    pub(crate) fn new(from: Time, at: Time) -> Self {
        Self { first: Bend { from, at, slope: 0 }, later: VecDeque::new() }
    }

    fn last(&self) -> &Bend {
        self.later.back().unwrap_or(&self.first)
    }

    /// Where a moment of the stream lies.
    pub(crate) fn place(&self, pts: Time) -> Time {
        self.later.iter().rev().find(|bend| bend.from <= pts).unwrap_or(&self.first).place(pts)
    }

    /// Show time minus stream time, there.
    pub(crate) fn offset(&self, pts: Time) -> Span {
        self.place(pts) - pts
    }

    /// How many billionths a second is longer at the end of what is mapped.
    pub(crate) fn slope(&self) -> i64 {
        self.last().slope
    }

    /// From `from` on a second is longer by so many billionths. What lies before stays where it is.
    pub(crate) fn bend(&mut self, from: Time, slope: i64) {
        if slope == self.slope() {
            return;
        }
        let from = from.max(self.last().from);
        let bend = Bend { from, at: self.place(from), slope };
        if self.later.len() == MOST_BENDS
            && let Some(next) = self.later.pop_front()
        {
            self.first = next;
        }
        self.later.push_back(bend);
    }

    /// The same for a stream of the same material whose stamps are later by so much.
    pub(crate) fn stamped_later(&self, by: Span) -> Self {
        let moved = |bend: &Bend| Bend { from: bend.from + by, ..*bend };
        Self { first: moved(&self.first), later: self.later.iter().map(moved).collect() }
    }

    /// Everything lies later by so much.
    pub(crate) fn shift(&mut self, by: Span) {
        self.first.at += by;
        self.later.iter_mut().for_each(|bend| bend.at += by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    #[test]
    fn a_bend_moves_nothing_that_lies_before_it() {
        let mut mapping = Mapping::new(ms(500), ms(1000));
        mapping.bend(ms(1500), 10_000_000);
        assert_eq!(mapping.place(ms(100)), ms(600));
        assert_eq!(mapping.place(ms(1500)), ms(2000));
        assert_eq!(mapping.place(ms(2500)), ms(3010));
        mapping.shift(Span::from_millis(40));
        assert_eq!(mapping.place(ms(2500)), ms(3050));
        assert_eq!(mapping.offset(ms(500)), Span::from_millis(540));
    }

    #[test]
    fn another_stream_of_the_same_lies_at_the_same_place() {
        let mut mapping = Mapping::new(ms(500), ms(1000));
        mapping.bend(ms(1500), 10_000_000);
        let other = mapping.stamped_later(Span::from_millis(1400));
        for at in [0, 700, 1500, 2222, 9000] {
            assert_eq!(other.place(ms(at + 1400)), mapping.place(ms(at)));
        }
        assert_eq!(other.stamped_later(Span::from_millis(-1400)), mapping);
    }

    proptest! {
        /// However often it bends, later stays later, and by no more than 1 % another length.
        #[test]
        fn order_and_lengths_are_kept(
            bends in prop::collection::vec((0i64..3000, -10_000_000i64..=10_000_000), 0..60),
            points in prop::collection::vec(-5_000i64..200_000, 2..40),
        ) {
            let mut mapping = Mapping::new(ms(0), ms(7));
            let mut from = 0;
            for (later, slope) in bends {
                from += later;
                mapping.bend(ms(from), slope);
            }
            prop_assert!(mapping.later.len() <= MOST_BENDS);
            let mut points = points;
            points.sort_unstable();
            for pair in points.windows(2) {
                let (stream, show) = (ms(pair[1]) - ms(pair[0]), mapping.place(ms(pair[1])) - mapping.place(ms(pair[0])));
                let off = (show - stream).abs().flicks();
                prop_assert!(off <= stream.flicks() / 100 + 32, "{stream} became {show}");
            }
        }
    }
}
