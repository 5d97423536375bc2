//! AVC's two ways to write NAL units: Annex B and length-prefixed.

use bytes::{BufMut, Bytes, BytesMut};

/// `nal_unit_type` (ITU-T H.264, table 7-1).
pub(crate) mod nal {
    pub(crate) const IDR: u8 = 5;
    pub(crate) const SEI: u8 = 6;
    pub(crate) const SPS: u8 = 7;
    pub(crate) const PPS: u8 = 8;
    pub(crate) const AUD: u8 = 9;
    pub(crate) const FILLER: u8 = 12;
}

/// The type of a NAL unit; 0 of an empty one.
pub(crate) fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |header| header & 31)
}

/// The NAL units of an Annex B stream (ITU-T H.264, B.1), without start codes
/// and the zeros around them.
pub(crate) fn annex_b(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = start_code(data).map_or(&[][..], |(_, after)| &data[after..]);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (unit, next) = match start_code(rest) {
            Some((at, after)) => (&rest[..at], &rest[after..]),
            None => (rest, &[][..]),
        };
        rest = next;
        Some(unit)
    })
    .map(|unit| {
        let end = unit.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        &unit[..end]
    })
    .filter(|unit| !unit.is_empty())
}

/// Where the next 00 00 01 starts and ends.
fn start_code(data: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    // The third byte tells how far to skip: only a 0 or 1 can end a start code.
    while let Some(&third) = data.get(at + 2) {
        match third {
            0 => at += 1,
            1 if data[at] == 0 && data[at + 1] == 0 => return Some((at, at + 3)),
            _ => at += 3,
        }
    }
    None
}

/// The units of one access unit with 4-byte lengths, without parameter sets
/// (they are in the configuration), delimiters, filler and SEI; and whether it is an IDR.
pub(crate) fn length_prefixed(data: &[u8]) -> (Bytes, bool) {
    prefixed(data, |unit| match kind(unit) {
        nal::SPS | nal::PPS | nal::AUD | nal::SEI | nal::FILLER => Unit::Aside,
        nal::IDR => Unit::Idr,
        _ => Unit::Slice,
    })
}

/// What a NAL unit is to a packet.
pub(crate) enum Unit {
    /// A part of an IDR picture.
    Idr,
    /// Another part of a picture.
    Slice,
    /// Nothing of the picture's.
    Aside,
}

/// The units of one access unit that are of its picture, with 4-byte lengths, and whether it is an
/// IDR.
pub(crate) fn prefixed(data: &[u8], what: impl Fn(&[u8]) -> Unit) -> (Bytes, bool) {
    let mut out = BytesMut::with_capacity(data.len() + 16);
    let mut idr = false;
    for unit in annex_b(data) {
        match what(unit) {
            Unit::Aside => continue,
            Unit::Idr => idr = true,
            Unit::Slice => {}
        }
        out.put_u32(u32::try_from(unit.len()).unwrap_or(u32::MAX));
        out.put_slice(unit);
    }
    (out.freeze(), idr)
}

/// [`config`] out of an encoder's headers in Annex B; `None` if they lack a parameter set.
pub(crate) fn config_of(headers: &[u8]) -> Option<Bytes> {
    let one = |wanted| annex_b(headers).find(|unit| kind(unit) == wanted);
    Some(config(one(nal::SPS)?, one(nal::PPS)?))
}

/// The AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1) of one SPS
/// and one PPS; 4:2:0 and 8 bits, which is all the engine encodes.
pub(crate) fn config(sps: &[u8], pps: &[u8]) -> Bytes {
    let profile = sps.get(1).copied().unwrap_or(0);
    let mut out = BytesMut::with_capacity(sps.len() + pps.len() + 16);
    out.put_u8(1);
    out.put_slice(&[profile, sps.get(2).copied().unwrap_or(0), sps.get(3).copied().unwrap_or(0)]);
    out.put_u8(0xff); // lengths of 4 bytes
    out.put_u8(0xe1); // one SPS
    out.put_u16(u16::try_from(sps.len()).unwrap_or(u16::MAX));
    out.put_slice(sps);
    out.put_u8(1);
    out.put_u16(u16::try_from(pps.len()).unwrap_or(u16::MAX));
    out.put_slice(pps);
    if matches!(profile, 100 | 110 | 122 | 144) {
        out.put_slice(&[0xfc | 1, 0xf8, 0xf8, 0]); // 4:2:0, 8 bits, 8 bits, no extensions
    }
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn units_survive_both_ways(units in prop::collection::vec(
            prop::collection::vec(4u8..=255, 1..40), 0..6), long in any::<bool>()) {
            let mut stream = Vec::new();
            for unit in &units {
                stream.extend_from_slice(if long { &[0, 0, 0, 1] } else { &[0, 0, 1] });
                stream.extend_from_slice(unit);
            }
            let found: Vec<Vec<u8>> = annex_b(&stream).map(<[u8]>::to_vec).collect();
            prop_assert_eq!(&found, &units);
        }

        #[test]
        fn nothing_panics(data in prop::collection::vec(0u8..3, 0..200)) {
            let slow = data.windows(3).position(|w| w == [0, 0, 1]).map(|at| (at, at + 3));
            prop_assert_eq!(start_code(&data), slow);
            let (out, _) = length_prefixed(&data);
            prop_assert!(out.len() <= data.len() + data.len() / 3 + 4);
        }
    }

    #[test]
    fn only_slices_stay() {
        let stream = [
            &[0, 0, 0, 1, 9, 16][..],
            &[0, 0, 1, 0x67, 77],
            &[0, 0, 1, 0x68, 1],
            &[0, 0, 1, 6, 5],
            &[0, 0, 1, 0x65, 7, 7, 0, 0],
        ]
        .concat();
        let (out, idr) = length_prefixed(&stream);
        assert_eq!((&out[..], idr), (&[0, 0, 0, 3, 0x65, 7, 7][..], true));
    }
}
