//! NAL units: which are slices, and the SEI unit that carries a header.

use flv::nalu::LengthSize;
use flv::video::VideoCodec;

use crate::escape;
use crate::key_header::KeyHeader;

/// Bytes at the front of a slice that stay clear: NAL header and the part of
/// the slice header that relays read.
pub(crate) const CLEAR_LEAD: usize = 32;
/// The shortest slice of which something is encrypted: the lead, one byte, and
/// the last byte, which stays clear.
pub(crate) const SHORTEST: usize = CLEAR_LEAD + 2;

/// Payload type user_data_unregistered and its length, then our UUID
/// 2667103b-555d-48af-bf1f-0394c2185a34. The header follows.
const MESSAGE: [u8; 18] = [
    5,
    16 + KeyHeader::LEN as u8,
    0x26,
    0x67,
    0x10,
    0x3b,
    0x55,
    0x5d,
    0x48,
    0xaf,
    0xbf,
    0x1f,
    0x03,
    0x94,
    0xc2,
    0x18,
    0x5a,
    0x34,
];
/// rbsp_trailing_bits.
const STOP: u8 = 0x80;
/// The longest a SEI unit gets, with every second byte escaped.
pub(crate) const SEI_ROOM: usize = 64;

/// The codecs whose frames are length-prefixed NAL units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum UnitCodec {
    Avc,
    Hevc,
}

/// The rest of the SEI is not as we write it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mangled;

impl UnitCodec {
    /// The codec as a tag names it; `None` for one that is written otherwise.
    pub(crate) fn of(codec: VideoCodec) -> Option<Self> {
        match codec {
            VideoCodec::Avc => Some(Self::Avc),
            VideoCodec::Hevc => Some(Self::Hevc),
            _ => None,
        }
    }

    /// Whether a unit holds coded picture data (VCL); an empty one does not.
    pub(crate) fn is_slice(self, unit: &[u8]) -> bool {
        match (self, unit.first()) {
            (Self::Avc, Some(first)) => matches!(first & 0x1f, 1..=5),
            (Self::Hevc, Some(first)) => (first >> 1) & 0x3f < 32,
            (_, None) => false,
        }
    }

    /// Whether something of the unit is encrypted. Escapes only lengthen it, so
    /// the encrypted unit gives the same answer.
    pub(crate) fn is_encrypted(self, unit: &[u8]) -> bool {
        unit.len() >= SHORTEST && self.is_slice(unit)
    }

    /// The length size in an `avcC` or `hvcC`.
    pub(crate) fn length_size(self, config: &[u8]) -> Option<LengthSize> {
        let at = match self {
            Self::Avc => 4,
            Self::Hevc => 21,
        };
        LengthSize::from_bytes(usize::from(config.get(at)? & 3) + 1)
    }

    /// The SEI unit of `header` behind its length.
    // Inlined, so that it is written where it is read.
    #[inline(always)]
    pub(crate) fn sei(self, size: LengthSize, header: &KeyHeader) -> Sei {
        let mut bytes = [0; SEI_ROOM];
        // Pieces of fixed lengths: a call to copy a few bytes would take longer than they do.
        let message = match self {
            Self::Avc => {
                bytes[PREFIX] = 0x06;
                PREFIX + 1
            }
            Self::Hevc => {
                bytes[PREFIX..PREFIX + 2].copy_from_slice(&[0x4e, 0x01]);
                PREFIX + 2
            }
        };
        // Up to the key header there are no zeros, so nothing is escaped.
        bytes[message..message + MESSAGE.len()].copy_from_slice(&MESSAGE);
        let mut end = message + MESSAGE.len();
        let header = header.bytes();
        let (settled, number) = settled_and_number(&header);
        let mut zeros = 0;
        let bytewise = if has_zero_pair(settled) {
            &header[..]
        } else {
            bytes[end..end + settled.len()].copy_from_slice(settled);
            end += settled.len();
            zeros = u32::from(settled.ends_with(&[0]));
            number
        };
        for &byte in bytewise {
            if zeros == 2 && byte <= escape::ESCAPE {
                bytes[end] = escape::ESCAPE;
                end += 1;
                zeros = 0;
            }
            bytes[end] = byte;
            end += 1;
            zeros = if byte == 0 { zeros + 1 } else { 0 };
        }
        bytes[end] = STOP;
        end += 1;
        bytes[..PREFIX].copy_from_slice(&((end - PREFIX) as u32).to_be_bytes());
        Sei { bytes, start: PREFIX - size.bytes(), end }
    }

    /// The header in a SEI unit of ours; `None` for any other unit.
    pub(crate) fn read_sei(self, unit: &[u8]) -> Option<Result<[u8; KeyHeader::LEN], Mangled>> {
        // Up to here there are no zeros, so nothing is escaped.
        let rest = match self {
            Self::Avc => unit.strip_prefix(&[0x06])?,
            Self::Hevc => unit.strip_prefix(&[0x4e, 0x01])?,
        };
        let rest = rest.strip_prefix(&MESSAGE)?;
        let mut plain = [0; KeyHeader::LEN + 1];
        let read = match rest.split_first_chunk::<SETTLED>() {
            Some((settled, behind)) if !has_zero_pair(settled) => {
                plain[..SETTLED].copy_from_slice(settled);
                let zeros = u32::from(settled.ends_with(&[0]));
                escape::unescape_behind(zeros, behind, &mut plain[SETTLED..])
            }
            _ => escape::unescape_exactly(rest, &mut plain),
        };
        Some(match (read, plain.split_first_chunk()) {
            (Ok(()), Some((header, [STOP]))) => Ok(*header),
            _ => Err(Mangled),
        })
    }
}

/// Bytes of a header that stay the same from tag to tag, and seldom have two zeros side by
/// side; the number behind them has.
const SETTLED: usize = KeyHeader::LEN - 4;

fn settled_and_number(header: &[u8; KeyHeader::LEN]) -> (&[u8; SETTLED], &[u8]) {
    header.split_first_chunk().expect("a header is longer than part of it")
}

/// Whether two zeros are side by side.
fn has_zero_pair(bytes: &[u8; SETTLED]) -> bool {
    bytes[1..].iter().zip(bytes).fold(u8::MAX, |least, (a, b)| least.min(a | b)) == 0
}

/// The longest length prefix.
const PREFIX: usize = 4;

/// A SEI unit behind its length prefix.
pub(crate) struct Sei {
    bytes: [u8; SEI_ROOM],
    /// The prefix begins here.
    start: usize,
    end: usize,
}

impl Sei {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }
}

/// Overwrites the length prefix at `at`; what does not fit is cut, see [`LengthSize::max_len`].
pub(crate) fn set_length(out: &mut [u8], at: usize, size: LengthSize, len: usize) {
    let bytes = (len as u32).to_be_bytes();
    if size == LengthSize::Four {
        out[at..at + 4].copy_from_slice(&bytes);
        return;
    }
    out[at..at + size.bytes()].copy_from_slice(&bytes[4 - size.bytes()..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use proptest::prelude::*;

    #[test]
    fn slices_are_avc_1_to_5_and_hevc_0_to_31() {
        for first in 0..=255u8 {
            assert_eq!(UnitCodec::Avc.is_slice(&[first]), (1..=5).contains(&(first % 32)));
            assert_eq!(UnitCodec::Hevc.is_slice(&[first, 1]), (first / 2) % 64 <= 31);
        }
        assert!(!UnitCodec::Hevc.is_slice(&[]) && !UnitCodec::Avc.is_slice(&[]));
    }

    proptest! {
        #[test]
        fn any_header_comes_back_from_its_sei(
            bytes in prop::collection::vec(prop_oneof![Just(0u8), 0u8..4, any::<u8>()], 15), mode in 0u8..3, size in 1usize..=4,
        ) {
            let mut raw = [0x10 | mode; 16];
            raw[1..].copy_from_slice(&bytes);
            let header = KeyHeader::parse(&raw).unwrap();
            for codec in [UnitCodec::Avc, UnitCodec::Hevc] {
                let mut out = BytesMut::new();
                let size = LengthSize::from_bytes(size).unwrap();
                out.extend_from_slice(codec.sei(size, &header).bytes());
                prop_assert!(out.len() <= SEI_ROOM);
                let units: Vec<_> = flv::nalu::units(&out, 0, size).collect();
                prop_assert_eq!(units.len(), 1);
                let unit = &out[units[0].clone().unwrap()];
                let nal_header: &[u8] = if codec == UnitCodec::Avc { &[0x06] } else { &[0x4e, 0x01] };
                let plain = [nal_header, &MESSAGE, &raw, &[STOP]].concat();
                prop_assert_eq!(unit, &escape::slow::escape(&[], &plain));
                prop_assert_eq!(codec.read_sei(unit), Some(Ok(raw)));
                prop_assert!(!codec.is_slice(unit));
                // Cut or lengthened, it is still ours, but mangled.
                prop_assert_eq!(codec.read_sei(&unit[..unit.len() - 1]), Some(Err(Mangled)));
                prop_assert_eq!(codec.read_sei(&[unit, &[7]].concat()), Some(Err(Mangled)));
            }
        }
    }
}
