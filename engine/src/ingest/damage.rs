//! Which of a stream's pictures are damaged: those that parts were made up for, and all that hang
//! on them, up to the next key frame.
//!
//! Decoders give pictures out later than they take them in, and in another order, so what is known
//! of packets is kept by presentation time until their pictures have come.

use std::collections::VecDeque;

use media::{Key, Span, Time};

/// A stream that has brought no key frame for so long refreshes its pictures bit by bit, and has
/// mended itself.
const MENDED: Span = Span::from_secs(10);
/// So many separate stretches are told apart between a decoder's two ends; more flow together.
const MOST: usize = 8;

/// From when on pictures are damaged, and the key frame that ends it once that has come.
type Stretch = (Time, Option<Time>);

#[derive(Default)]
pub(crate) struct Damage {
    stretches: VecDeque<Stretch>,
    /// The last packet, and the one before it.
    sent: Option<(Time, Time)>,
    /// The last key frame.
    key: Option<Time>,
}

impl Damage {
    /// A packet went to the decoder.
    pub(crate) fn sent(&mut self, pts: Time, key: Key) {
        let before = self.sent.map_or(pts, |(last, _)| last);
        self.sent = Some((pts, before));
        if key == Key::Frame {
            self.key = Some(pts);
            if let Some((_, end @ None)) = self.stretches.back_mut() {
                *end = Some(pts);
            }
        }
    }

    /// The decoder complained: of the last packet or, where it has threads, of the one before. A
    /// key frame that is sent with a complaint is not trusted.
    pub(crate) fn broke(&mut self) {
        let Some((last, before)) = self.sent else { return };
        let from = last.min(before);
        let is_full = self.stretches.len() >= MOST;
        match self.stretches.back_mut() {
            Some((since, None)) => *since = from.min(*since),
            Some((_, end)) if is_full => *end = None,
            _ => self.stretches.push_back((from, None)),
        }
    }

    /// Parts of the picture at `pts` were made up.
    pub(crate) fn found(&mut self, pts: Time) {
        if !self.holds(pts) && self.stretches.len() < MOST {
            self.stretches.push_front((pts, self.key.filter(|key| pts < *key)));
        }
    }

    /// Whether the picture at `pts` is damaged. Asked in the order that pictures come out.
    pub(crate) fn holds(&mut self, pts: Time) -> bool {
        let over = |(from, end): &Stretch| end.is_some_and(|end| end <= pts) || *from + MENDED <= pts;
        while self.stretches.front().is_some_and(over) {
            self.stretches.pop_front();
        }
        self.stretches.iter().any(|(from, end)| *from <= pts && end.is_none_or(|end| pts < end))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(n: usize) -> Time {
        Time::from_millis(n as i64 * 40)
    }

    proptest! {
        /// Whatever breaks, and however much later pictures come out than they go in: one is
        /// damaged from what broke up to the next key frame that did not. (The packet before may be
        /// the one that a decoder with threads means.)
        #[test]
        fn damage_lasts_from_what_broke_to_the_next_whole_key_frame(
            broken in prop::collection::vec(prop::bool::weighted(0.05), 200),
            gop in 5usize..60,
            delay in 0usize..16,
        ) {
            let (mut damage, mut told) = (Damage::default(), Vec::new());
            for (n, broke) in broken.iter().enumerate() {
                damage.sent(at(n), if n % gop == 0 { Key::Frame } else { Key::Delta });
                if *broke {
                    damage.broke();
                }
                if let Some(out) = n.checked_sub(delay) {
                    told.push(damage.holds(at(out)));
                }
            }
            let mut is_damaged = false;
            for (n, told) in told.iter().enumerate() {
                is_damaged = (is_damaged && n % gop != 0) || broken[n];
                prop_assert!(*told || !is_damaged, "picture {n} is damaged");
                // What comes next may have broken this one, or not.
                let next = delay > 0 && broken[n + 1];
                let many = broken[..=n + delay].iter().filter(|broke| **broke).count() >= MOST;
                prop_assert!(!*told || is_damaged || next || many, "picture {n} is whole");
            }
        }
    }

    #[test]
    fn what_a_decoder_says_of_a_picture_holds_up_to_the_key_frame_behind_it() {
        let mut damage = Damage::default();
        (0..30).for_each(|n| damage.sent(at(n), if n == 25 { Key::Frame } else { Key::Delta }));
        damage.found(at(20));
        let held: Vec<_> = (20..30).filter(|n| damage.holds(at(*n))).collect();
        assert_eq!(held, [20, 21, 22, 23, 24]);
    }

    #[test]
    fn a_stream_without_key_frames_mends_itself() {
        let mut damage = Damage::default();
        damage.sent(at(0), Key::Delta);
        damage.broke();
        assert!(damage.holds(at(249)) && !damage.holds(at(250)));
    }
}
