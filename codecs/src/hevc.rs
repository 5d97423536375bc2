//! What the engine needs to know of HEVC's NAL units to send what it encodes.

use bytes::{BufMut, Bytes, BytesMut};

use crate::avc::{self, Unit};

/// `nal_unit_type` (ITU-T H.265, table 7-1).
mod nal {
    pub(super) const IDR_W_RADL: u8 = 19;
    pub(super) const IDR_N_LP: u8 = 20;
    pub(super) const VPS: u8 = 32;
    pub(super) const SPS: u8 = 33;
    pub(super) const PPS: u8 = 34;
}

/// The type of a NAL unit; that of no picture where it is empty.
fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(63, |header| (header >> 1) & 63)
}

/// As [`avc::length_prefixed`]: slices alone, 0 to 31.
pub(crate) fn length_prefixed(data: &[u8]) -> (Bytes, bool) {
    avc::prefixed(data, |unit| match kind(unit) {
        nal::IDR_W_RADL | nal::IDR_N_LP => Unit::Idr,
        0..=31 => Unit::Slice,
        _ => Unit::Aside,
    })
}

/// The HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1) out of an encoder's headers in
/// Annex B: 4:2:0 and 8 bits, which is all the engine encodes. `None` if they lack a parameter set.
pub(crate) fn config_of(headers: &[u8]) -> Option<Bytes> {
    let one = |wanted| avc::annex_b(headers).find(|unit| kind(unit) == wanted);
    let sets = [(nal::VPS, one(nal::VPS)?), (nal::SPS, one(nal::SPS)?), (nal::PPS, one(nal::PPS)?)];
    // The SPS's first bytes, behind its header of two: sub-layers and nesting, then profile, tier,
    // constraints and level in twelve bytes, all of which the record repeats.
    let sps = unescaped(sets[1].1, 15);
    let (front, general) = (*sps.get(2)?, sps.get(3..15)?);
    let (sub_layers, nested) = ((front >> 1) & 7, front & 1);
    let mut out = BytesMut::with_capacity(headers.len() + 40);
    out.put_u8(1);
    out.put_slice(general);
    out.put_u16(0xf000); // no minimum of segments
    out.put_u8(0xfc); // parallelism unknown
    out.put_u8(0xfc | 1); // 4:2:0
    out.put_slice(&[0xf8, 0xf8]); // 8 bits, 8 bits
    out.put_u16(0); // frame rate not said
    out.put_u8((sub_layers + 1) << 3 | nested << 2 | 3); // lengths of 4 bytes
    out.put_u8(3);
    for (kind, unit) in sets {
        out.put_u8(0x80 | kind); // all of this kind are here
        out.put_u16(1);
        out.put_u16(u16::try_from(unit.len()).ok()?);
        out.put_slice(unit);
    }
    Some(out.freeze())
}

/// The first `count` bytes of a unit without its emulation prevention (7.4.2).
fn unescaped(unit: &[u8], count: usize) -> Vec<u8> {
    let mut zeros = 0;
    let kept = unit.iter().filter(|&&byte| {
        let escape = zeros >= 2 && byte == 3;
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        !escape
    });
    kept.take(count).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slices_stay_and_an_idr_is_seen() {
        let stream = [
            &[0, 0, 0, 1, 35 << 1, 1, 80][..],
            &[0, 0, 1, 32 << 1, 1, 7],
            &[0, 0, 1, 39 << 1, 1, 7],
            &[0, 0, 1, 19 << 1, 1, 9, 9],
        ]
        .concat();
        assert_eq!(length_prefixed(&stream), (Bytes::from_static(&[0, 0, 0, 4, 38, 1, 9, 9]), true));
        let (data, idr) = length_prefixed(&[0, 0, 1, 1 << 1, 1, 5]);
        assert_eq!((&data[..], idr), (&[0, 0, 0, 3, 2, 1, 5][..], false));
        assert!(config_of(&stream).is_none());
    }

    #[test]
    fn emulation_prevention_goes() {
        assert_eq!(unescaped(&[1, 0, 0, 3, 0, 0, 3, 1, 9], 6), [1, 0, 0, 0, 0, 1]);
    }
}
