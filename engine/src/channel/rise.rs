//! DTS that rise over a change of encoders, whatever each of them holds back.
//!
//! A picture's DTS is the time of the picture an encoder's delay before it. One that begins with
//! more delay than the one before it had begins with DTS that lie before the last: its first ones
//! are moved close together between that and where its own lie beyond it.

use media::{Packet, Span, Time};

/// Follows a rung's pictures in order of decoding.
#[derive(Debug)]
pub(crate) struct Rise {
    tick: Span,
    last: Option<Time>,
    /// Those that are moved.
    crowd: Option<Crowd>,
}

/// Some pictures between two times.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    after: Time,
    before: Time,
    /// So many, of which so many have come.
    of: i64,
    came: i64,
}

impl Crowd {
    fn next(&mut self) -> Time {
        self.came += 1;
        let span = (self.before - self.after).flicks();
        // A tick has more flicks than a rung has pictures in one.
        self.after + Span::from_flicks(span / (self.of + 1) * self.came)
    }
}

impl Rise {
    /// For a rung with such ticks.
    pub(crate) fn new(tick: Span) -> Self {
        Self { tick, last: None, crowd: None }
    }

    /// The next picture, with a DTS after that of the one before it.
    pub(crate) fn stamp(&mut self, packet: Packet) -> Packet {
        if self.crowd.is_some_and(|crowd| packet.dts >= crowd.before) {
            self.crowd = None;
        }
        if let (None, Some(last)) = (self.crowd, self.last.filter(|last| packet.dts <= *last)) {
            let behind = (last - packet.dts).flicks();
            let of = behind / self.tick.flicks().max(1) + 1;
            self.crowd = Some(Crowd { after: last, before: packet.dts + self.tick.times(of), of, came: 0 });
        }
        let dts = match &mut self.crowd {
            Some(crowd) => crowd.next().min(packet.pts),
            None => packet.dts,
        };
        if self.crowd.is_some_and(|crowd| crowd.came == crowd.of) {
            self.crowd = None;
        }
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

    fn picture(pts: Time, dts: Time) -> Packet {
        Packet { track: Track::Video, pts, dts, duration: None, key: Key::Delta, data: Bytes::new() }
    }

    /// The DTS that come of stretches, each of an encoder's delay and so many pictures, and those
    /// that went in.
    fn stamped(stretches: &[(i64, i64)]) -> Vec<(Packet, Time)> {
        let at = |n: i64| Time::ZERO + TICK.times(n);
        let (mut rise, mut tick, mut all) = (Rise::new(TICK), 0, Vec::new());
        for &(delay, count) in stretches {
            for n in 0..count {
                // In order of decoding: a key frame, then what is shown later.
                let pts = at(tick + n + if n == 0 { 0 } else { n.min(delay) });
                let packet = picture(pts, at(tick + n - delay));
                all.push((packet.clone(), rise.stamp(packet).dts));
            }
            tick += count;
        }
        all
    }

    proptest! {
        /// Stretches of encoders of any delay: DTS rise, and none lies after its picture's time.
        #[test]
        fn dts_rise_whatever_the_encoders_hold_back(
            stretches in prop::collection::vec((0i64..4, 1i64..8), 1..12),
        ) {
            let all = stamped(&stretches);
            prop_assert!(all.windows(2).all(|two| two[0].1 < two[1].1), "{all:?}");
            for (packet, dts) in all {
                prop_assert!(packet.dts <= dts && dts <= packet.pts, "{dts} of {packet:?}");
            }
        }

        /// Where no encoder holds back more than the one before it, all is as it was.
        #[test]
        fn nothing_is_moved_without_need(mut stretches in prop::collection::vec((0i64..4, 1i64..8), 1..12)) {
            stretches.sort_by_key(|(delay, _)| -delay);
            let all = stamped(&stretches);
            prop_assert!(all.iter().all(|(packet, dts)| packet.dts == *dts));
        }
    }

    #[test]
    fn the_first_ones_are_moved_into_one_tick() {
        let ms = |(_, dts): &(Packet, Time)| dts.as_millis_rounded();
        let all: Vec<i64> = stamped(&[(0, 3), (2, 5)]).iter().map(ms).collect();
        assert_eq!(all, [0, 40, 80, 93, 107, 120, 160, 200]);
    }
}
