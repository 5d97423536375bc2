//! Sound whose stamps have nothing to do with its pictures': an encoder that counts it anew in
//! mid-stream, or by another clock from the beginning. It would be silent for good; where that has
//! lasted for some time it is heard as it comes.

use media::{Span, Time};

/// Sound and pictures of one moment are sent within this: what lies further apart is of two clocks.
const APART: Span = Span::from_secs(5);
/// How long sound has no place before it is given one: its pictures may follow it to where it is.
const PATIENCE: Span = Span::from_secs(3);
/// What lies so near to its pictures by its own stamp is back with them.
const BACK: Span = Span::from_secs(1);
/// Blocks that agree to this say the same.
const AGREE: Span = Span::from_millis(500);

/// By how much the stamps of one stream's sound are moved.
#[derive(Debug, Default)]
pub(crate) struct Adrift {
    by: Span,
    lost: Option<Lost>,
}

/// Since when it has no place, and how far it lies from where it should.
#[derive(Debug, Clone, Copy)]
struct Lost {
    since: Time,
    off: Span,
}

impl Adrift {
    /// The stamp that counts for one of the stream's.
    pub(crate) fn moved(&self, pts: Time) -> Time {
        pts + self.by
    }

    /// Sound has found its place.
    pub(crate) fn placed(&mut self) {
        self.lost = None;
    }

    /// Sound with this stamp, as it was moved, has none; what comes `now` should have `due`. Gives by how
    /// much what comes from here on is moved, if it is to be from now on.
    pub(crate) fn placeless(&mut self, pts: Time, due: Time, now: Time) -> Option<Span> {
        let off = due - pts;
        if off.abs() < APART {
            self.lost = None;
            return None;
        }
        // It may have gone back to where its pictures are.
        let is_back = self.by != Span::ZERO && (off + self.by).abs() < BACK;
        let lost = match self.lost {
            Some(lost) if (off - lost.off).abs() <= AGREE => lost,
            _ => Lost { since: now, off },
        };
        self.lost = Some(lost);
        if !is_back && now - lost.since < PATIENCE {
            return None;
        }
        self.by = if is_back { Span::ZERO } else { self.by + off };
        self.lost = None;
        Some(self.by)
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
    fn what_lies_elsewhere_for_three_seconds_is_moved_and_back_at_once() {
        let mut adrift = Adrift::default();
        let mut lost = |at: i64, by: i64| adrift.placeless(ms(at + by), ms(at), ms(at));
        assert!((0..149).all(|n| lost(n * 20, 7_000 + n % 3).is_none()));
        assert_eq!(lost(3_000, 7_000), Some(Span::from_millis(-7_000)));
        let back = ms(4_000);
        assert_eq!(adrift.moved(ms(11_000)), back);
        adrift.placed();
        // It counts again as it did.
        let pts = adrift.moved(back);
        assert_eq!(adrift.placeless(pts, back, back), Some(Span::ZERO));
        assert_eq!(adrift.moved(back), back);
    }

    #[test]
    fn what_is_only_late_or_leaps_about_is_not_moved() {
        let mut adrift = Adrift::default();
        assert!((0..500).all(|n| adrift.placeless(ms(n * 20 - 4_900), ms(n * 20), ms(n * 20)).is_none()));
        let wild = |n: i64| ms(n * 7_919 % 1_000 * 60_000);
        assert!((0..500).all(|n| adrift.placeless(wild(n), ms(n * 20), ms(n * 20)).is_none()));
    }

    proptest! {
        /// Whatever it is moved by, what is moved lies where it should.
        #[test]
        fn what_is_moved_lies_where_it_comes(offs in prop::collection::vec(-10_000_000i64..10_000_000, 1..6)) {
            let (mut adrift, mut now) = (Adrift::default(), 0);
            for off in offs {
                for _ in 0..200 {
                    now += 20;
                    let pts = adrift.moved(ms(now + off));
                    if (pts - ms(now)).abs() < APART {
                        adrift.placed();
                    } else if adrift.placeless(pts, ms(now), ms(now)).is_some() {
                        prop_assert!((adrift.moved(ms(now + off)) - ms(now)).abs() < APART);
                    }
                }
                prop_assert!((adrift.moved(ms(now + off)) - ms(now)).abs() < APART);
            }
        }
    }
}
