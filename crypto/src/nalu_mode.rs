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
