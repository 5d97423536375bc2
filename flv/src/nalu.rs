//! NAL units behind length prefixes, as AVC and HEVC frames lie in FLV and MP4.

use std::iter::FusedIterator;
use std::ops::Range;

use crate::body::BodyError;

/// How many bytes the length before each NAL unit takes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum LengthSize {
    /// One byte: units of up to 255 bytes.
    One = 1,
    /// Two bytes: up to 65535.
    Two = 2,
    /// Three bytes; `avcC` and `hvcC` do not allow it.
    Three = 3,
    /// Four bytes, as everyone writes it.
    Four = 4,
}

impl LengthSize {
    /// Bytes of a length prefix.
    pub const fn bytes(self) -> usize {
        self as usize
    }

    /// The size of this many bytes, 1 to 4.
    pub const fn from_bytes(bytes: usize) -> Option<Self> {
        match bytes {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            3 => Some(Self::Three),
            4 => Some(Self::Four),
            _ => None,
        }
    }

    /// The longest unit such a prefix can announce, in bytes.
    pub const fn max_len(self) -> usize {
        (u32::MAX >> (8 * (4 - self as u32))) as usize
    }
}

/// The units of `body` from byte `start` on: their ranges in `body`, without the
/// length prefix. A unit may be empty. Ends after the first error.
///
/// ```
/// use flv::nalu::{self, LengthSize};
///
/// let body = [0x17, 1, 0, 0, 0, /* length */ 0, 2, /* unit */ 0x65, 0x88];
/// let units: Result<Vec<_>, _> = nalu::units(&body, 5, LengthSize::Two).collect();
/// assert_eq!(units?, [7..9]);
/// # Ok::<(), flv::BodyError>(())
/// ```
pub fn units(body: &[u8], start: usize, size: LengthSize) -> Units<'_> {
    Units { body, at: start.min(body.len()), size }
}

/// The iterator of [`units`].
#[derive(Clone, Debug)]
pub struct Units<'a> {
    body: &'a [u8],
    at: usize,
    size: LengthSize,
}

impl Iterator for Units<'_> {
    type Item = Result<Range<usize>, BodyError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.body[self.at..];
        if rest.is_empty() {
            return None;
        }
        let at = self.at;
        let Some((prefix, data)) = rest.split_at_checked(self.size.bytes()) else {
            self.at = self.body.len();
            return Some(Err(BodyError::truncated("NAL unit length", at, self.size.bytes(), rest.len())));
        };
        let len = match *prefix {
            // The usual one, without a loop.
            [a, b, c, d] => u32::from_be_bytes([a, b, c, d]) as usize,
            _ => prefix.iter().fold(0, |len, byte| (len << 8) | usize::from(*byte)),
        };
        let start = at + self.size.bytes();
        if len > data.len() {
            self.at = self.body.len();
            return Some(Err(BodyError::truncated("NAL unit", start, len, data.len())));
        }
        self.at = start + len;
        Some(Ok(start..start + len))
    }
}

impl FusedIterator for Units<'_> {}

/// The units of an Annex B stream (ITU-T H.264 and H.265, B.1), without start
/// codes and the zeros around them. What lies before the first start code is no unit.
///
/// ```
/// let stream = [0, 0, 0, 1, 0x67, 0x42, 0, 0, 1, 0x68];
/// assert_eq!(flv::nalu::annex_b(&stream).collect::<Vec<_>>(), [&[0x67, 0x42][..], &[0x68]]);
/// ```
pub fn annex_b(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = start_code(data).map_or(&[][..], |(_, after)| &data[after..]);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (unit, next) =
            start_code(rest).map_or((rest, &[][..]), |(at, after)| (&rest[..at], &rest[after..]));
        rest = next;
        let end = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Some(&unit[..end])
    })
    .filter(|unit| !unit.is_empty())
}

/// Where the next 00 00 01 begins and ends.
fn start_code(data: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    // Only a 0 or a 1 can end one: any other third byte is passed over whole.
    while let Some(third) = data.get(at + 2) {
        match third {
            0 => at += 1,
            1 if data[at] == 0 && data[at + 1] == 0 => return Some((at, at + 3)),
            _ => at += 3,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errors_say_where() {
        let body = [0, 1, 0x65, 0, 9, 0x41];
        let mut found = units(&body, 0, LengthSize::Two);
        assert_eq!(found.next(), Some(Ok(2..3)));
        let err = found.next().unwrap().unwrap_err();
        assert_eq!(err.to_string(), "NAL unit at byte 5: cut off after 1 of 9 bytes");
        assert_eq!(found.next(), None);
        let err = units(&body[..4], 3, LengthSize::Four).next().unwrap().unwrap_err();
        assert_eq!(err.to_string(), "NAL unit length at byte 3: cut off after 1 of 4 bytes");
    }

    #[test]
    fn a_length_of_four_bytes_cannot_overflow() {
        assert!(units(&[255; 8], 0, LengthSize::Four).next().unwrap().is_err());
        assert_eq!(LengthSize::One.max_len(), 255);
        assert_eq!(LengthSize::Four.max_len(), u32::MAX as usize);
    }

    proptest! {
        #[test]
        fn every_unit_is_found(
            list in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..255), 0..10),
            size in 1usize..=4,
            lead in 0usize..9,
        ) {
            let size = LengthSize::from_bytes(size).unwrap();
            let mut body = vec![0xee; lead];
            for unit in &list {
                body.extend_from_slice(&(unit.len() as u32).to_be_bytes()[4 - size.bytes()..]);
                body.extend_from_slice(unit);
            }
            let found: Vec<Vec<u8>> = units(&body, lead, size).map(|range| body[range.unwrap()].to_vec()).collect();
            prop_assert_eq!(found, list);
        }

        /// The inverse, with either start code.
        #[test]
        fn annex_b_gives_every_unit(
            list in prop::collection::vec((prop::collection::vec(1u8.., 1..40), any::<bool>()), 0..10),
        ) {
            let mut stream = Vec::new();
            for (unit, long) in &list {
                stream.extend_from_slice(if *long { &[0, 0, 0, 1] } else { &[0, 0, 1] });
                stream.extend_from_slice(unit);
            }
            let units: Vec<&[u8]> = list.iter().map(|(unit, _)| unit.as_slice()).collect();
            prop_assert_eq!(annex_b(&stream).collect::<Vec<_>>(), units);
        }

        #[test]
        fn annex_b_of_anything_has_no_start_code_within(data in prop::collection::vec(0u8..3, 0..200)) {
            for unit in annex_b(&data) {
                prop_assert!(!unit.is_empty() && !unit.windows(3).any(|w| w == [0, 0, 1]) && unit.last() != Some(&0));
            }
        }

        #[test]
        fn garbage_is_borne(body in prop::collection::vec(any::<u8>(), 0..100), start in 0usize..200, size in 1usize..=4) {
            for range in units(&body, start, LengthSize::from_bytes(size).unwrap()).flatten() {
                prop_assert!(body.get(range).is_some());
            }
        }
    }
}
