//! Mode `capsule`: the whole body inside one made-up NALU. AVC only.
//!
//! On the wire, behind the codec header:
//! `len32 ‖ NAL header of the first slice ‖ ESC(pre ‖ magic ‖ KH ‖ ciphertext ‖ 80)`.

use std::ops::Range;

use aes::cipher::StreamCipher;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use flv::nalu::{self, LengthSize};

use crate::escape::{self, BadEscape};
use crate::key_header::KeyHeader;
use crate::marker::Soundness;
use crate::nalu_mode::{Refusal, Torn, append_ciphered};
use crate::track_key::TrackKey;
use crate::unit::{self, UnitCodec};

/// Starts of slice headers that relays find plausible; ffmpeg does not relay without.
const PRE_IDR: [u8; 4] = [0x88, 0x84, 0x10, 0x21];
const PRE_OTHER: [u8; 4] = [0x9a, 0x21, 0x10, 0x43];
const MAGIC: [u8; 8] = [0x9a, 0xd1, 0xc4, 0xf5, 0x7e, 0x21, 0xb8, 0x63];
const STOP: u8 = 0x80;
/// The one NALU's length prefix; streams with shorter ones are refused.
const SIZE: LengthSize = LengthSize::Four;

/// NAL header, then `pre`: where the magic begins in the NALU.
const MAGIC_AT: usize = 1 + PRE_IDR.len();
/// Where `KH` begins. Nothing before is ever escaped.
const HEADER_AT: usize = MAGIC_AT + MAGIC.len();
/// Where the ciphertext begins, escapes taken out.
const CIPHER_AT: usize = HEADER_AT + KeyHeader::LEN;

/// Encrypts a body of length-prefixed AVC units.
pub(crate) fn encrypt(
    body: &[u8],
    payload: usize,
    codec: UnitCodec,
    size: LengthSize,
    header: KeyHeader,
    key: &TrackKey,
) -> Result<Bytes, Refusal> {
    if codec != UnitCodec::Avc {
        return Err(Refusal::Unsupported("HEVC has no capsule in version 1"));
    }
    if size != SIZE {
        return Err(Refusal::Unsupported("the stream's NAL unit lengths are not 4 bytes"));
    }
    let nal_header = first_slice(body, payload, codec)?;
    let mut out = BytesMut::with_capacity(body.len() + SIZE.bytes() + CIPHER_AT + 16);
    out.extend_from_slice(&body[..payload]);
    let start = out.len();
    unit::put_length(&mut out, SIZE, 0);
    let unit = out.len();
    out.put_u8(nal_header);
    out.put_slice(if nal_header & 0x1f == 5 { &PRE_IDR } else { &PRE_OTHER });
    out.put_slice(&MAGIC);
    out.put_slice(&header.to_bytes());
    append_ciphered(&mut out, &body[payload..], &mut key.keystream(header.seq, 0));
    out.put_u8(STOP);
    escape::escape(&mut out, unit, 1);
    let len = out.len() - unit;
    unit::set_length(&mut out, start, SIZE, len);
    Ok(out.freeze())
}

/// The NAL header of the first slice; looks at all lengths.
fn first_slice(body: &[u8], payload: usize, codec: UnitCodec) -> Result<u8, Refusal> {
    let mut first = None;
    for range in nalu::units(body, payload, SIZE) {
        let unit = &body[range.map_err(Refusal::Framing)?];
        if first.is_none() && codec.is_slice(unit) {
            first = unit.first().copied();
        }
    }
    first.ok_or(Refusal::Unsupported("the tag has no slice whose NAL header the capsule could take"))
}

/// A capsule in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capsule {
    /// Its NALU, without the length prefix.
    pub unit: Range<usize>,
    /// The header, escapes taken out; `None` if it is cut.
    pub header: Option<[u8; KeyHeader::LEN]>,
    pub framing: Soundness,
}

/// Looks for a capsule: the first slice of the body, with our magic in it.
///
/// We write no other unit into the body, but a way through MPEG-TS puts access
/// unit delimiters and parameter sets in front.
pub(crate) fn find(body: &[u8], payload: usize) -> Option<Capsule> {
    let mut at = payload;
    loop {
        let (prefix, rest) = body.get(at..)?.split_first_chunk::<4>()?;
        let start = at + SIZE.bytes();
        let len = u32::from_be_bytes(*prefix) as usize;
        let unit = &rest[..len.min(rest.len())];
        if UnitCodec::Avc.is_slice(unit) {
            if unit.get(MAGIC_AT..HEADER_AT)? != MAGIC {
                return None;
            }
            let whole = nalu::units(body, at, SIZE).all(|unit| unit.is_ok());
            let framing = if whole { Soundness::Whole } else { Soundness::Broken };
            return Some(Capsule { unit: start..start + unit.len(), header: read_header(unit), framing });
        }
        at = start.checked_add(len)?;
    }
}

fn read_header(unit: &[u8]) -> Option<[u8; KeyHeader::LEN]> {
    let mut header = [0; KeyHeader::LEN];
    let mut wire = unit[HEADER_AT..].iter().copied();
    let mut zeros = 0;
    for byte in &mut header {
        *byte = wire.next()?;
        if zeros >= 2 && *byte == 3 {
            *byte = wire.next()?;
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
    }
    Some(header)
}

/// Decrypts the capsule whose NALU is at `unit`; gives the body back if it is torn.
/// What a relay put around the capsule falls away. In place where nobody else holds
/// the body and nothing is escaped behind the header: the codec header then moves
/// up to the ciphertext.
pub(crate) fn decrypt(
    body: Bytes,
    payload: usize,
    unit: Range<usize>,
    seq: u32,
    key: &TrackKey,
) -> Result<Bytes, (Bytes, Torn)> {
    let (from, escapes) = match ciphertext(&body[unit.clone()]) {
        Ok(found) => found,
        Err(torn) => return Err((body, torn)),
    };
    let mut keystream = key.keystream(seq, 0);
    let body = if escapes.is_empty() {
        match body.try_into_mut() {
            Ok(mut owned) => {
                let cipher = unit.start + from;
                owned.truncate(unit.end - 1);
                keystream.apply_keystream(&mut owned[cipher..]);
                owned.copy_within(..payload, cipher - payload);
                owned.advance(cipher - payload);
                return Ok(owned.freeze());
            }
            Err(shared) => shared,
        }
    } else {
        body
    };
    let mut out = BytesMut::with_capacity(payload + unit.len());
    out.extend_from_slice(&body[..payload]);
    escape::append_unescaped(&mut out, &body[unit.start..unit.end - 1], from, &escapes);
    keystream.apply_keystream(&mut out[payload..]);
    Ok(out.freeze())
}

/// Where the ciphertext begins on the wire, and the escapes from there on.
fn ciphertext(unit: &[u8]) -> Result<(usize, Vec<usize>), Torn> {
    let mut escapes = escape::escapes(unit, 1).map_err(|BadEscape| Torn::Escape)?;
    let before = escapes.iter().enumerate().take_while(|(n, at)| **at < CIPHER_AT + n).count();
    escapes.drain(..before);
    let from = CIPHER_AT + before;
    // The stop byte is above 3, so no escape stands right before it.
    if unit.len() <= from || unit.last() != Some(&STOP) { Err(Torn::Framing) } else { Ok((from, escapes)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escape::slow;
    use crate::key::{KeyId, MasterKey};
    use crate::key_header::WireMode;
    use crate::salt::Salt;
    use media::Track;
    use proptest::prelude::*;

    fn key(salt: Salt) -> TrackKey {
        TrackKey::derive(&MasterKey::from_bytes([3; 16]), KeyId(0), salt, Track::Video)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        /// Headers and ciphertexts full of zeros, against the page read out slowly.
        #[test]
        fn fast_and_slow_agree_and_both_ways_back(
            heavy in prop::collection::vec(prop_oneof![5 => Just(0u8), 3 => 0u8..5, 1 => any::<u8>()], 0..200),
            salt in prop::collection::vec(0u8..4, 8), seq in prop_oneof![0u32..5, any::<u32>()], idr in any::<bool>(),
        ) {
            let salt = Salt(salt.try_into().unwrap());
            let key = key(salt);
            let header = KeyHeader { mode: WireMode::Capsule, key: KeyId(0), salt, check: key.check(), seq };
            // One slice whose contents have the keystream in them already.
            let slice = if idr { 0x65 } else { 0x41 };
            let head = [0x17, 1, 0, 0, 0];
            let mut body = [&head[..], &(heavy.len() as u32 + 1).to_be_bytes(), &[slice]].concat();
            let mut inner = vec![0; 5];
            inner.extend_from_slice(&heavy);
            key.keystream(seq, 0).apply_keystream(&mut inner);
            body.extend_from_slice(&inner[5..]);

            let wire = encrypt(&body, 5, UnitCodec::Avc, LengthSize::Four, header, &key).unwrap();

            let mut cipher = body[5..].to_vec();
            key.keystream(seq, 0).apply_keystream(&mut cipher);
            let pre = if idr { PRE_IDR } else { PRE_OTHER };
            let plain = [&pre[..], &MAGIC, &header.to_bytes(), &cipher, &[0x80]].concat();
            let escaped = slow::escape(&[slice], &plain);
            let want = [&head[..], &(escaped.len() as u32 + 1).to_be_bytes(), &[slice], &escaped].concat();
            prop_assert_eq!(&wire[..], want);

            let found = find(&wire, 5).unwrap();
            prop_assert_eq!(&found.header, &Some(header.to_bytes()));
            prop_assert_eq!((&found.unit, found.framing), (&(9..wire.len()), Soundness::Whole));
            let shared = wire.clone();
            prop_assert_eq!(&decrypt(shared, 5, 9..wire.len(), seq, &key).unwrap()[..], &body);

            // Through MPEG-TS: a delimiter and parameter sets in front, filler behind.
            let around = [&head[..], &[0, 0, 0, 2, 9, 0x10, 0, 0, 0, 1, 0x67], &wire[5..], &[0, 0, 0, 1, 12]].concat();
            let found = find(&around, 5).unwrap();
            prop_assert_eq!(&found.unit, &(20..wire.len() + 11));
            prop_assert_eq!(&decrypt(around.into(), 5, found.unit, seq, &key).unwrap()[..], &body);

            let unit = 9..wire.len();
            prop_assert_eq!(&decrypt(wire, 5, unit, seq, &key).unwrap()[..], &body);
        }

        #[test]
        fn garbage_is_borne(mut unit in prop::collection::vec(0u8..6, 0..80), whole in any::<bool>()) {
            let key = key(Salt([0; 8]));
            let lead = [&[0x65][..], &PRE_IDR, &MAGIC].concat();
            unit.splice(0..0, lead);
            if whole {
                unit.push(STOP);
            }
            let body = [&[0x17, 1, 0, 0, 0][..], &(unit.len() as u32).to_be_bytes(), &unit].concat();
            let unit = find(&body, 5).unwrap().unit;
            if let Err((same, _)) = decrypt(body.clone().into(), 5, unit, 0, &key) {
                prop_assert_eq!(same, body);
            }
        }
    }
}
