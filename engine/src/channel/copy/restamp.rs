//! The time of decoding of pictures whose time of display is known.

use std::collections::VecDeque;

use media::{Packet, Span, Time};

/// By how much two DTS differ at the least where pictures lie too near for their order.
const LEAST: Span = Span::from_millis(1);

/// How long before its PTS a copying rung's first picture of a stretch is decoded, and each picture
/// before that of the one which is displayed in its place: two ticks, as no encoder of ours waits longer.
pub(super) fn delay(tick: Span) -> Span {
    tick.times(2)
}

/// Stamps the pictures of one stretch, in order of decoding.
///
/// As an encoder does it: the nth picture is decoded at the time of the nth in order of display, less
/// the delay. Where a camera reorders more deeply than that, DTS lie as late as their pictures
/// allow.
pub(super) struct Restamp {
    delay: Span,
    /// PTS in order of display, from that of the next picture on.
    displayed: VecDeque<Time>,
    last: Option<Time>,
}

impl Restamp {
    pub(super) fn new(tick: Span) -> Self {
        Self { delay: delay(tick), displayed: VecDeque::new(), last: None }
    }

    /// The times of the next pictures, in whatever order, before they are stamped.
    pub(super) fn shown(&mut self, pts: impl Iterator<Item = Time>) {
        self.displayed.extend(pts);
        self.displayed.make_contiguous().sort_unstable();
    }

    /// The next picture, whose PTS was told before.
    pub(super) fn stamp(&mut self, packet: Packet) -> Packet {
        let place = self.displayed.pop_front().unwrap_or(packet.pts);
        let latest = (place - self.delay).min(packet.pts);
        let dts = match self.last {
            Some(last) if latest <= last => last + LEAST,
            _ => latest,
        };
        self.last = Some(dts);
        Packet { dts, ..packet }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::{Key, Track};
    use proptest::prelude::*;

    use super::*;

    const TICK: Span = Span::from_millis(40);

    fn at(n: i64) -> Time {
        Time::from_millis(n * 40)
    }

    /// Stamps in order of decoding, handed in by batches of such lengths.
    fn stamped(order: &[i64], batches: &[usize]) -> Vec<(Time, Time)> {
        let mut restamp = Restamp::new(TICK);
        let (mut rest, mut out) = (order, Vec::new());
        let mut batches = batches.iter().copied().filter(|n| *n > 0);
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(batches.next().unwrap_or(rest.len()).min(rest.len()));
            restamp.shown(batch.iter().map(|n| at(*n)));
            for n in batch {
                let (track, key, data) = (Track::Video, Key::Delta, Bytes::new());
                let packet = Packet { track, pts: at(*n), dts: at(*n), duration: None, key, data };
                let packet = restamp.stamp(packet);
                out.push((packet.pts, packet.dts));
            }
            rest = after;
        }
        out
    }

    #[test]
    fn pictures_in_order_and_pyramids_are_decoded_evenly() {
        let straight: Vec<i64> = (0..50).collect();
        assert!(stamped(&straight, &[1; 50]).iter().all(|(pts, dts)| *pts - *dts == delay(TICK)));
        // What is shown first waits for what it hangs on.
        let pyramid: Vec<i64> =
            [0].into_iter().chain((0..9).flat_map(|n| [4, 2, 1, 3].map(|m| 4 * n + m))).collect();
        let batches: Vec<usize> = [1].into_iter().chain([4; 9]).collect();
        let dts: Vec<Time> = stamped(&pyramid, &batches).into_iter().map(|(_, dts)| dts).collect();
        assert_eq!(dts, (0..37).map(|n| at(n - 2)).collect::<Vec<_>>());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(250))]
        /// However deeply a stream reorders: PTS stay, DTS rise, and with as much reordering as
        /// an encoder of ours has none lies behind its PTS.
        #[test]
        fn dts_rise(
            depths in prop::collection::vec(0usize..8, 1..80),
            batches in prop::collection::vec(1usize..5, 0..40),
        ) {
            let mut order: Vec<i64> = (0..depths.len() as i64).collect();
            for (n, depth) in depths.iter().enumerate().skip(1) {
                // Moved forward by so much, but never before the first.
                let one = order.remove(n);
                order.insert(n.saturating_sub(*depth).max(1), one);
            }
            let stamped = stamped(&order, &batches);
            prop_assert_eq!(stamped.iter().map(|(pts, _)| *pts).collect::<Vec<_>>(), order.iter().map(|n| at(*n)).collect::<Vec<_>>());
            prop_assert!(stamped.windows(2).all(|two| two[0].1 < two[1].1), "{:?}", stamped);
            let first = stamped[0];
            prop_assert_eq!(first.1, first.0 - delay(TICK));
        }
    }
}
