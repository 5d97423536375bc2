//! Parameter sets that a sender repeats within one picture.
//!
//! A set begins a picture (H.264, 7.4.1.2.3; H.265, 7.4.2.4.4). GStreamer's payloaders, asked to send
//! sets with every key frame (`config-interval=-1`), send them before each slice of it: by its units
//! a key frame of several slices falls into as many pictures, all damaged. By RTP it is one, since
//! all of a picture has one time stamp (RFC 6184, section 5.1; RFC 7798, section 4.1). So a set that
//! has come with this time stamp already is left out: it says nothing new.

/// Sets of one picture that are kept in mind; senders have two or three.
const MOST: usize = 8;
/// Longer ones are not kept in mind.
const LONGEST: usize = 2048;

/// What a stream's packets hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Avc,
    Hevc,
}

/// What a packet's payload is, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Set,
    /// Units behind one another, each with its length (STAP-A, AP).
    Several,
    Other,
}

/// What is left of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Left {
    All,
    /// This payload.
    Some(Vec<u8>),
    Nothing,
}

impl Coding {
    /// By the name that a session's description has for it.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "H264" => Some(Self::Avc),
            "H265" => Some(Self::Hevc),
            _ => None,
        }
    }

    fn kind(self, first: u8) -> Kind {
        match (self, first & 0x1f, first >> 1 & 0x3f) {
            (Self::Avc, 7 | 8, _) | (Self::Hevc, _, 32..=34) => Kind::Set,
            (Self::Avc, 24, _) | (Self::Hevc, _, 48) => Kind::Several,
            _ => Kind::Other,
        }
    }

    /// Whether a payload that begins so may hold sets.
    pub(super) fn may_hold_sets(self, first: u8) -> bool {
        self.kind(first) != Kind::Other
    }

    /// What stands before the units of several.
    fn head(self) -> usize {
        match self {
            Self::Avc => 1,
            Self::Hevc => 2,
        }
    }
}

/// The sets that have come with the picture at hand.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    stamp: Option<u32>,
    sets: Vec<Vec<u8>>,
}

impl Repeats {
    /// What is left of a payload of that time stamp. Packets come in their order.
    pub(super) fn take(&mut self, coding: Coding, stamp: u32, payload: &[u8]) -> Left {
        if self.stamp != Some(stamp) {
            self.stamp = Some(stamp);
            self.sets.clear();
        }
        match payload.first().map_or(Kind::Other, |first| coding.kind(*first)) {
            Kind::Set if self.is_repeated(payload) => Left::Nothing,
            Kind::Set | Kind::Other => Left::All,
            Kind::Several => self.of_several(coding, payload),
        }
    }

    fn of_several(&mut self, coding: Coding, payload: &[u8]) -> Left {
        let Some((head, mut rest)) = payload.split_at_checked(coding.head()) else { return Left::All };
        let mut left = head.to_vec();
        while let Some((len, behind)) = rest.split_first_chunk::<2>() {
            // What is damaged is not ours to mend.
            let Some((unit, after)) = behind.split_at_checked(usize::from(u16::from_be_bytes(*len))) else {
                return Left::All;
            };
            let is_set = unit.first().is_some_and(|first| coding.kind(*first) == Kind::Set);
            if !is_set || !self.is_repeated(unit) {
                left.extend_from_slice(len);
                left.extend_from_slice(unit);
            }
            rest = after;
        }
        match left.len() + rest.len() {
            len if len == payload.len() => Left::All,
            _ if left.len() == head.len() => Left::Nothing,
            _ => Left::Some(left),
        }
    }

    /// Whether this set has come already. It has from now on.
    fn is_repeated(&mut self, set: &[u8]) -> bool {
        let is_known = self.sets.iter().any(|known| known == set);
        if !is_known && self.sets.len() < MOST && set.len() <= LONGEST {
            self.sets.push(set.to_vec());
        }
        is_known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A unit of this type.
    fn unit(coding: Coding, kind: u8, body: &[u8]) -> Vec<u8> {
        let head = match coding {
            Coding::Avc => vec![0x60 | kind],
            Coding::Hevc => vec![kind << 1, 1],
        };
        [&head, body].concat()
    }

    fn several(coding: Coding, units: &[&[u8]]) -> Vec<u8> {
        let mut payload = match coding {
            Coding::Avc => vec![0x78],
            Coding::Hevc => vec![48 << 1, 1],
        };
        for unit in units {
            payload.extend_from_slice(&(unit.len() as u16).to_be_bytes());
            payload.extend_from_slice(unit);
        }
        payload
    }

    #[test]
    fn a_set_is_left_out_where_it_has_come_with_the_same_picture() {
        for (coding, set, slice) in [(Coding::Avc, 7, 5), (Coding::Hevc, 33, 19)] {
            let (set, slice) = (unit(coding, set, b"set"), unit(coding, slice, b"slice"));
            let other = [&set[..], b"!"].concat();
            let mut repeats = Repeats::default();
            let mut take = |stamp, payload: &[u8]| repeats.take(coding, stamp, payload);
            let picture = [&set, &slice, &set, &slice, &other].map(|payload| take(1, payload));
            assert_eq!(picture, [Left::All, Left::All, Left::Nothing, Left::All, Left::All], "{coding:?}");
            // With the next picture it comes again, and in one packet with others.
            let both = several(coding, &[&set, &slice]);
            assert_eq!(take(2, &both), Left::All);
            assert_eq!(take(2, &both), Left::Some(several(coding, &[&slice])));
            assert_eq!(take(2, &several(coding, &[&set])), Left::Nothing);
            // What is cut short goes on as it came.
            assert_eq!(take(2, &both[..both.len() - 1]), Left::All);
            assert_eq!([&[][..], &both[..1]].map(|payload| take(2, payload)), [Left::All, Left::All]);
        }
    }

    proptest! {
        /// Whatever comes: what is left holds every unit once, in its order, and only sets are missing.
        #[test]
        fn only_repeated_sets_are_left_out(
            payloads in prop::collection::vec(prop::collection::vec((0u8..12, 0u8..3), 1..4), 0..20),
        ) {
            let mut repeats = Repeats::default();
            let (mut came, mut left) = (Vec::new(), Vec::new());
            for units in &payloads {
                let units: Vec<Vec<u8>> = units.iter().map(|(kind, n)| unit(Coding::Avc, *kind, &[*n])).collect();
                came.extend(units.clone());
                let parts: Vec<&[u8]> = units.iter().map(Vec::as_slice).collect();
                let payload = several(Coding::Avc, &parts);
                let payload = match repeats.take(Coding::Avc, 7, &payload) {
                    Left::All => payload,
                    Left::Some(payload) => payload,
                    Left::Nothing => continue,
                };
                left.extend(payload[1..].chunks(4).map(|unit| unit[2..].to_vec()));
            }
            let mut wanted: Vec<Vec<u8>> = Vec::new();
            for unit in came {
                if !matches!(unit[0] & 0x1f, 7 | 8) || !wanted.contains(&unit) {
                    wanted.push(unit);
                }
            }
            prop_assert_eq!(left, wanted);
        }

        #[test]
        fn nothing_panics(payloads in prop::collection::vec((0u32..3, prop::collection::vec(any::<u8>(), 0..40)), 0..20)) {
            for coding in [Coding::Avc, Coding::Hevc] {
                let mut repeats = Repeats::default();
                for (stamp, payload) in &payloads {
                    repeats.take(coding, *stamp, payload);
                }
                prop_assert!(repeats.sets.len() <= MOST);
            }
        }
    }
}
