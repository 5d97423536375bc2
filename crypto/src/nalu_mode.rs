//! Mode `nalu`: slices encrypted in their middle, a SEI in front of the first.

use aes::cipher::StreamCipher;
use bytes::{Buf, Bytes, BytesMut};
use flv::nalu::{self, LengthSize};

use crate::escape::{self, BadEscape};
use crate::key_header::KeyHeader;
use crate::track_key::{Keystream, TrackKey};
use crate::unit::{self, CLEAR_LEAD, SEI_ROOM, UnitCodec};

/// So much is copied and encrypted at a time: it stays in the first-level cache.
const STRIDE: usize = 8192;

/// Why a body cannot be encrypted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The NALU lengths do not add up.
    Framing(flv::BodyError),
    /// More slices than counters.
    TooManyUnits,
    /// A unit outgrows its length prefix.
    UnitTooLong { len: usize, max: usize },
    /// Something the mode does not do.
    Unsupported(&'static str),
}

/// Appends `plain` under the keystream, in one pass over memory.
pub(crate) fn append_ciphered(out: &mut BytesMut, plain: &[u8], keystream: &mut Keystream<'_>) {
    for piece in plain.chunks(STRIDE) {
        let at = out.len();
        out.extend_from_slice(piece);
        keystream.apply_keystream(&mut out[at..]);
    }
}

/// Where the marker goes: before the first slice, else at the end. Also counts
/// what is to be encrypted.
fn survey(
    body: &[u8],
    payload: usize,
    codec: UnitCodec,
    size: LengthSize,
) -> Result<(usize, usize), flv::BodyError> {
    let (mut first_slice, mut encrypted) = (None, 0);
    for unit in nalu::units(body, payload, size) {
        let range = unit?;
        let unit = &body[range.clone()];
        if codec.is_slice(unit) {
            first_slice.get_or_insert(range.start - size.bytes());
        }
        encrypted += usize::from(codec.is_encrypted(unit));
    }
    Ok((first_slice.unwrap_or(body.len()), encrypted))
}

/// Encrypts a body of length-prefixed units.
pub(crate) fn encrypt(
    body: &[u8],
    payload: usize,
    codec: UnitCodec,
    size: LengthSize,
    header: KeyHeader,
    key: &TrackKey,
) -> Result<Bytes, Refusal> {
    let (lead, encrypted) = survey(body, payload, codec, size).map_err(Refusal::Framing)?;
    if encrypted > usize::from(u16::MAX) {
        return Err(Refusal::TooManyUnits);
    }
    let mut out = BytesMut::with_capacity(body.len() + SEI_ROOM);
    out.extend_from_slice(&body[..lead]);
    codec.append_sei(&mut out, size, header);
    let mut piece = 0;
    let mut copied = lead;
    for unit in nalu::units(body, lead, size) {
        let range = unit.map_err(Refusal::Framing)?;
        let plain = &body[range.clone()];
        if !codec.is_encrypted(plain) {
            continue;
        }
        // Whatever lies between, this unit's prefix and its clear lead as they are.
        let cipher_from = range.start + CLEAR_LEAD;
        out.extend_from_slice(&body[copied..cipher_from]);
        copied = range.end;
        let start = out.len() - CLEAR_LEAD;
        append_ciphered(&mut out, &body[cipher_from..range.end - 1], &mut key.keystream(header.seq, piece));
        out.extend_from_slice(&body[range.end - 1..range.end]);
        piece = piece.wrapping_add(1);
        escape::escape(&mut out, start, CLEAR_LEAD);
        let len = out.len() - start;
        if len > size.max_len() {
            return Err(Refusal::UnitTooLong { len, max: size.max_len() });
        }
        unit::set_length(&mut out, start - size.bytes(), size, len);
    }
    out.extend_from_slice(&body[copied..]);
    Ok(out.freeze())
}

/// Marks a body as clear without touching it. Works on broken framing too: the
/// marker goes where `find` looked for the one that is there.
pub(crate) fn mark_literal(body: &[u8], payload: usize, codec: UnitCodec, size: LengthSize) -> Bytes {
    let lead = nalu::units(body, payload, size)
        .map_while(Result::ok)
        .find(|range| codec.is_slice(&body[range.clone()]))
        .map(|range| range.start - size.bytes());
    // Without a slice: behind the last whole unit.
    let lead = lead.unwrap_or_else(|| {
        nalu::units(body, payload, size).map_while(Result::ok).last().map_or(payload, |range| range.end)
    });
    let mut out = BytesMut::with_capacity(body.len() + SEI_ROOM);
    out.extend_from_slice(&body[..lead]);
    codec.append_sei(&mut out, size, KeyHeader::LITERAL);
    out.extend_from_slice(&body[lead..]);
    out.freeze()
}

/// Takes a marker out of a body. In place where nobody else holds it: only what
/// lies before the marker moves.
pub(crate) fn unmark(body: Bytes, marker: std::ops::Range<usize>) -> Bytes {
    match body.try_into_mut() {
        Ok(owned) => close_up(owned, marker),
        Err(shared) => [&shared[..marker.start], &shared[marker.end..]].concat().into(),
    }
}

fn close_up(mut body: BytesMut, gap: std::ops::Range<usize>) -> Bytes {
    body.copy_within(..gap.start, gap.len());
    body.advance(gap.len());
    body.freeze()
}

/// Why a body cannot be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Torn {
    Framing,
    Escape,
    TooManyUnits,
}

/// Decrypts a body whose marker is at `marker`; gives it back if it is torn.
pub(crate) fn decrypt(
    body: Bytes,
    marker: std::ops::Range<usize>,
    codec: UnitCodec,
    size: LengthSize,
    seq: u32,
    key: &TrackKey,
) -> Result<Bytes, (Bytes, Torn)> {
    let slices = match encrypted_units(&body, marker.end, codec, size) {
        Ok(slices) => slices,
        Err(torn) => return Err((body, torn)),
    };
    if slices.iter().all(|slice| slice.escapes.is_empty()) {
        match body.try_into_mut() {
            Ok(mut owned) => {
                for (piece, slice) in slices.iter().enumerate() {
                    let middle = slice.range.start + CLEAR_LEAD..slice.range.end - 1;
                    key.keystream(seq, piece as u16).apply_keystream(&mut owned[middle]);
                }
                Ok(close_up(owned, marker))
            }
            Err(shared) => Ok(rebuild(&shared, marker, &slices, size, seq, key)),
        }
    } else {
        Ok(rebuild(&body, marker, &slices, size, seq, key))
    }
}

/// An encrypted unit: its range in the body, and the inserted bytes by their
/// place in the unit.
struct Slice {
    range: std::ops::Range<usize>,
    escapes: Vec<usize>,
}

fn encrypted_units(body: &[u8], from: usize, codec: UnitCodec, size: LengthSize) -> Result<Vec<Slice>, Torn> {
    let mut slices = Vec::new();
    for unit in nalu::units(body, from, size) {
        let range = unit.map_err(|_| Torn::Framing)?;
        let wire = &body[range.clone()];
        if codec.is_encrypted(wire) {
            let escapes = escape::escapes(wire, CLEAR_LEAD).map_err(|BadEscape| Torn::Escape)?;
            // Something must be left between the lead and the last byte.
            if wire.len() - escapes.len() < unit::SHORTEST {
                return Err(Torn::Escape);
            }
            slices.push(Slice { range, escapes });
        }
        if slices.len() > usize::from(u16::MAX) {
            return Err(Torn::TooManyUnits);
        }
    }
    Ok(slices)
}

/// The copying twin of decryption in place; also takes escapes out.
fn rebuild(
    body: &[u8],
    marker: std::ops::Range<usize>,
    slices: &[Slice],
    size: LengthSize,
    seq: u32,
    key: &TrackKey,
) -> Bytes {
    let mut out = BytesMut::with_capacity(body.len() - marker.len());
    out.extend_from_slice(&body[..marker.start]);
    let mut copied = marker.end;
    for (piece, slice) in slices.iter().enumerate() {
        let range = slice.range.clone();
        out.extend_from_slice(&body[copied..range.start + CLEAR_LEAD]);
        copied = range.end;
        let middle = out.len();
        escape::append_unescaped(&mut out, &body[range], CLEAR_LEAD, &slice.escapes);
        let end = out.len() - 1;
        key.keystream(seq, piece as u16).apply_keystream(&mut out[middle..end]);
        let start = middle - CLEAR_LEAD;
        let len = out.len() - start;
        unit::set_length(&mut out, start - size.bytes(), size, len);
    }
    out.extend_from_slice(&body[copied..]);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escape::slow;
    use crate::key::{KeyId, MasterKey};
    use crate::key_header::WireMode;
    use crate::salt::fixed::VECTOR;
    use media::Track;
    use proptest::prelude::*;

    const HEAD: [u8; 5] = [0x17, 1, 0, 0, 0];

    fn key() -> TrackKey {
        TrackKey::derive(&MasterKey::from_bytes([3; 16]), KeyId(1), VECTOR, Track::Video)
    }
    fn header(seq: u32) -> KeyHeader {
        KeyHeader { mode: WireMode::Nalu, key: KeyId(1), salt: VECTOR, check: key().check(), seq }
    }
    fn body(units: &[Vec<u8>], size: LengthSize) -> Vec<u8> {
        let mut out = BytesMut::from(&HEAD[..]);
        for unit in units {
            unit::put_length(&mut out, size, unit.len());
            out.extend_from_slice(unit);
        }
        out.to_vec()
    }

    /// The format page, read out slowly: one unit after the other, all copied.
    fn slowly(units: &[Vec<u8>], codec: UnitCodec, size: LengthSize, seq: u32) -> Vec<u8> {
        let mut sei = BytesMut::new();
        codec.append_sei(&mut sei, size, header(seq));
        let sei = sei[size.bytes()..].to_vec();
        let (mut out, mut piece) = (Vec::new(), 0);
        let first = units.iter().position(|unit| codec.is_slice(unit)).unwrap_or(units.len());
        for (at, unit) in units.iter().enumerate() {
            if at == first {
                out.push(sei.clone());
            }
            let n = unit.len();
            if codec.is_slice(unit) && n >= 34 {
                let mut middle = unit[32..n - 1].to_vec();
                key().keystream(seq, piece).apply_keystream(&mut middle);
                piece += 1;
                middle.push(unit[n - 1]);
                out.push([unit[..32].to_vec(), slow::escape(&unit[..32], &middle)].concat());
            } else {
                out.push(unit.clone());
            }
        }
        if first == units.len() {
            out.push(sei);
        }
        body(&out, size)
    }

    /// Units of which the ciphertext is full of zeros: the keystream is in them already.
    fn units(codec: UnitCodec, seq: u32) -> impl Strategy<Value = Vec<Vec<u8>>> {
        let zeros = prop_oneof![5 => Just(0u8), 3 => 0u8..5, 1 => any::<u8>()];
        let bytes = prop::collection::vec(zeros, 0..120);
        prop::collection::vec((any::<u8>(), bytes), 0..6).prop_map(move |list| {
            let mut piece = 0;
            let mut unit = |(first, rest): (u8, Vec<u8>)| {
                if rest.len() == 1 {
                    return Vec::new();
                }
                let mut unit = [vec![first], rest].concat();
                if codec.is_encrypted(&unit) {
                    let end = unit.len() - 1;
                    key().keystream(seq, piece).apply_keystream(&mut unit[CLEAR_LEAD..end]);
                    piece += 1;
                }
                unit
            };
            list.into_iter().map(&mut unit).collect()
        })
    }

    fn case() -> impl Strategy<Value = (UnitCodec, LengthSize, u32, Vec<Vec<u8>>)> {
        let size = prop::sample::select(vec![LengthSize::One, LengthSize::Two, LengthSize::Four]);
        let codec = prop::sample::select(vec![UnitCodec::Avc, UnitCodec::Hevc]);
        let seq = prop_oneof![Just(0), Just(5), any::<u32>()];
        (codec, size, seq)
            .prop_flat_map(|(codec, size, seq)| (Just(codec), Just(size), Just(seq), units(codec, seq)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn fast_and_slow_agree_and_both_ways_back((codec, size, seq, units) in case()) {
            let clear = body(&units, size);
            let wire = encrypt(&clear, HEAD.len(), codec, size, header(seq), &key()).unwrap();
            prop_assert_eq!(&wire[..], slowly(&units, codec, size, seq));

            let marker = nalu::units(&wire, HEAD.len(), size)
                .map(Result::unwrap)
                .find(|range| codec.read_sei(&wire[range.clone()]).is_some())
                .map(|range| range.start - size.bytes()..range.end)
                .unwrap();
            let shared = wire.clone();
            let copied = decrypt(shared, marker.clone(), codec, size, seq, &key()).unwrap();
            prop_assert_eq!(&copied[..], &clear);
            // `wire` is now held by nobody else.
            let in_place = decrypt(wire, marker, codec, size, seq, &key()).unwrap();
            prop_assert_eq!(&in_place[..], &clear);
        }

        #[test]
        fn no_start_code_begins_in_the_ciphertext((codec, size, seq, units) in case()) {
            let wire = encrypt(&body(&units, size), HEAD.len(), codec, size, header(seq), &key()).unwrap();
            for range in nalu::units(&wire, HEAD.len(), size).map(Result::unwrap) {
                let unit = &wire[range];
                if codec.is_encrypted(unit) {
                    let found = unit[CLEAR_LEAD - 2..].windows(3).find(|w| w[..2] == [0, 0] && w[2] < 3);
                    // What the source's own clear lead ends with does not count as ours.
                    prop_assert_eq!(found, None);
                }
            }
        }

        #[test]
        fn torn_ciphertext_is_told_or_borne((codec, size, seq, units) in case(), at in any::<prop::sample::Index>(), to in 0u8..4) {
            let wire = encrypt(&body(&units, size), HEAD.len(), codec, size, header(seq), &key()).unwrap();
            let mut torn = wire.to_vec();
            let at = at.index(torn.len());
            torn[at] = to;
            let _ = decrypt(torn.into(), 5..5, codec, size, seq, &key());
            let cut = wire.slice(..at.max(5));
            let _ = decrypt(cut, 5..5, codec, size, seq, &key());
        }
    }

    #[test]
    fn in_place_nothing_but_the_front_moves() {
        let clear = body(&[vec![0x67; 10], vec![0x65; 4000]], LengthSize::Four);
        let wire = encrypt(&clear, 5, UnitCodec::Avc, LengthSize::Four, header(1), &key()).unwrap();
        let end = wire.as_ptr_range().end;
        let marker = 19..wire.len() - 4004;
        let back = decrypt(wire, marker, UnitCodec::Avc, LengthSize::Four, 1, &key()).unwrap();
        assert_eq!(back, clear);
        assert_eq!(back.as_ptr_range().end, end);
    }

    #[test]
    fn slices_and_their_growth_are_bounded() {
        let many = body(&vec![vec![0x41; unit::SHORTEST]; 65_536], LengthSize::One);
        let refused = |body: &[u8], size| encrypt(body, 5, UnitCodec::Avc, size, header(0), &key()).err();
        assert_eq!(refused(&many, LengthSize::One), Some(Refusal::TooManyUnits));
        let most =
            encrypt(&many[..many.len() - 35], 5, UnitCodec::Avc, LengthSize::One, header(0), &key()).unwrap();
        let marker = 5..5 + usize::from(most[5]) + 1;
        let back = decrypt(most, marker, UnitCodec::Avc, LengthSize::One, 0, &key()).unwrap();
        assert_eq!(back, many[..many.len() - 35]);

        // 255 bytes whose ciphertext is all zeros grow beyond a one-byte length.
        let mut unit = vec![0x41; 255];
        unit[CLEAR_LEAD..254].fill(0);
        key().keystream(0, 0).apply_keystream(&mut unit[CLEAR_LEAD..254]);
        let long = body(&[unit], LengthSize::One);
        assert_eq!(refused(&long, LengthSize::One), Some(Refusal::UnitTooLong { len: 365, max: 255 }));
    }
}
