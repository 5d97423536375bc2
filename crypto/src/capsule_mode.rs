//! Mode `capsule`: the whole body inside one made-up NALU. AVC only.
//!
//! On the wire, behind the codec header:
//! `len32 ‖ NAL header of the first slice ‖ ESC(pre ‖ magic ‖ KH ‖ ciphertext ‖ 80)`.

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

/// The header of a capsule at `payload`, escapes taken out; `None` if there is
/// no capsule, and no header in it if it is cut.
pub(crate) fn find(body: &[u8], payload: usize) -> Option<(Option<[u8; KeyHeader::LEN]>, Soundness)> {
    let (prefix, unit) = body.get(payload..)?.split_first_chunk::<4>()?;
    if !UnitCodec::Avc.is_slice(unit) || unit.get(MAGIC_AT..HEADER_AT)? != MAGIC {
        return None;
    }
    let adds_up = u32::from_be_bytes(*prefix) as usize == unit.len();
    Some((read_header(unit), if adds_up { Soundness::Whole } else { Soundness::Broken }))
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

/// Decrypts a body with a capsule at `payload`; gives it back if it is torn. In
/// place where nobody else holds it and nothing is escaped behind the header:
/// the codec header then moves up to the ciphertext.
pub(crate) fn decrypt(body: Bytes, payload: usize, seq: u32, key: &TrackKey) -> Result<Bytes, (Bytes, Torn)> {
    let unit = payload + SIZE.bytes();
    let (from, escapes) = match ciphertext(&body[unit..]) {
        Ok(found) => found,
        Err(torn) => return Err((body, torn)),
    };
    let mut keystream = key.keystream(seq, 0);
    let body = if escapes.is_empty() {
        match body.try_into_mut() {
            Ok(mut owned) => {
                owned.truncate(owned.len() - 1);
                keystream.apply_keystream(&mut owned[unit + from..]);
                owned.copy_within(..payload, unit + from - payload);
                owned.advance(unit + from - payload);
                return Ok(owned.freeze());
            }
            Err(shared) => shared,
        }
    } else {
        body
    };
    let mut out = BytesMut::with_capacity(body.len());
    out.extend_from_slice(&body[..payload]);
    escape::append_unescaped(&mut out, &body[unit..body.len() - 1], from, &escapes);
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

            prop_assert_eq!(find(&wire, 5), Some((Some(header.to_bytes()), Soundness::Whole)));
            let shared = wire.clone();
            prop_assert_eq!(&decrypt(shared, 5, seq, &key).unwrap()[..], &body);
            prop_assert_eq!(&decrypt(wire, 5, seq, &key).unwrap()[..], &body);
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
            let _ = find(&body, 5);
            if let Err((same, _)) = decrypt(body.clone().into(), 5, 0, &key) {
                prop_assert_eq!(same, body);
            }
        }
    }
}
