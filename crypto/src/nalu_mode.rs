//! Mode `nalu`: slices encrypted in their middle, a SEI in front of the first.

use std::ops::Range;

use aes::cipher::StreamCipher;
use bytes::{Bytes, BytesMut};
use flv::nalu::{self, LengthSize};
use flv::{BodyTooLong, TagBuf};

use crate::escape::{self, BadEscape};
use crate::key_header::KeyHeader;
use crate::track_key::{Keystream, TrackKey};
use crate::unit::{self, CLEAR_LEAD, SEI_ROOM, UnitCodec};

/// So much is encrypted, and then looked through, at a time: it stays in the first-level
/// cache. Most pictures are one such piece.
const STRIDE: usize = 16 * 1024;

/// Why a body cannot be encrypted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The NALU lengths do not add up.
    Framing(flv::BodyError),
    /// More slices than counters.
    TooManyUnits,
    /// A unit outgrows its length prefix.
    UnitTooLong { len: usize, max: usize },
    /// The body outgrows its tag.
    TooLong(BodyTooLong),
    /// Something the mode does not do.
    Unsupported(&'static str),
}

impl From<BodyTooLong> for Refusal {
    fn from(err: BodyTooLong) -> Self {
        Self::TooLong(err)
    }
}

/// Appends `plain` under the keystream, in one pass over memory.
pub(crate) fn append_ciphered(out: &mut BytesMut, plain: &[u8], keystream: &mut Keystream<'_>) {
    for piece in plain.chunks(STRIDE) {
        let at = out.len();
        out.extend_from_slice(piece);
        keystream.apply_keystream(&mut out[at..]);
    }
}

/// A body of length-prefixed units that was looked through and can be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    codec: UnitCodec,
    size: LengthSize,
    /// The marker goes here: before the first slice, else at the end.
    lead: usize,
}

/// Looks a body through: after this, its framing is sound.
pub(crate) fn plan(body: &[u8], payload: usize, codec: UnitCodec, size: LengthSize) -> Result<Plan, Refusal> {
    let (mut first_slice, mut encrypted) = (None, 0);
    for unit in nalu::units(body, payload, size) {
        let range = unit.map_err(Refusal::Framing)?;
        let unit = &body[range.clone()];
        if codec.is_slice(unit) {
            first_slice.get_or_insert(range.start - size.bytes());
        }
        encrypted += usize::from(codec.is_encrypted(unit));
    }
    if encrypted > usize::from(u16::MAX) {
        return Err(Refusal::TooManyUnits);
    }
    Ok(Plan { codec, size, lead: first_slice.unwrap_or(body.len()) })
}

impl Plan {
    fn fits(self, len: usize) -> Result<usize, Refusal> {
        let max = self.size.max_len();
        if len > max { Err(Refusal::UnitTooLong { len, max }) } else { Ok(len) }
    }

    /// Appends the encrypted body to `out`.
    pub(crate) fn encrypt(
        self,
        body: &[u8],
        header: &KeyHeader,
        key: &TrackKey,
        out: &mut BytesMut,
    ) -> Result<(), Refusal> {
        out.extend_from_slice(&body[..self.lead]);
        out.extend_from_slice(self.codec.sei(self.size, header).bytes());
        let mut piece = 0;
        let mut copied = self.lead;
        for unit in nalu::units(body, self.lead, self.size) {
            let range = unit.map_err(Refusal::Framing)?;
            let plain = &body[range.clone()];
            if !self.codec.is_encrypted(plain) {
                continue;
            }
            // Whatever lies between, this unit's prefix and its clear lead as they are.
            let cipher_from = range.start + CLEAR_LEAD;
            out.extend_from_slice(&body[copied..cipher_from]);
            copied = range.end;
            let start = out.len() - CLEAR_LEAD;
            append_ciphered(out, &body[cipher_from..range.end - 1], &mut key.keystream(header.seq, piece));
            out.extend_from_slice(&body[range.end - 1..range.end]);
            piece = piece.wrapping_add(1);
            escape::escape(out, start, CLEAR_LEAD);
            let len = self.fits(out.len() - start)?;
            unit::set_length(out, start - self.size.bytes(), self.size, len);
        }
        out.extend_from_slice(&body[copied..]);
        Ok(())
    }

    /// How long the encrypted body becomes if nothing is to be escaped.
    pub(crate) fn encrypted_len(self, body: &[u8], header: &KeyHeader) -> usize {
        body.len() + self.codec.sei(self.size, header).bytes().len()
    }

    /// Encrypts the body where it lies: with room for the marker in front, only what comes
    /// before the first slice moves. After an error the body is neither the one nor the other.
    pub(crate) fn encrypt_in_place(
        self,
        tag: &mut TagBuf,
        header: &KeyHeader,
        key: &TrackKey,
    ) -> Result<(), Refusal> {
        let mut at = self.lead;
        let mut piece = 0;
        while let Some(unit) = nalu::units(tag.body(), at, self.size).next() {
            let range = unit.map_err(Refusal::Framing)?;
            at = range.end;
            if self.codec.is_encrypted(&tag.body()[range.clone()]) {
                let keystream = key.keystream(header.seq, piece);
                piece = piece.wrapping_add(1);
                at = encrypt_unit(tag, range.clone(), keystream)?;
                if at > range.end {
                    let len = self.fits(at - range.start)?;
                    unit::set_length(tag.body_mut(), range.start - self.size.bytes(), self.size, len);
                }
            }
        }
        Ok(tag.insert(self.lead, self.codec.sei(self.size, header).bytes())?)
    }
}

/// Encrypts one unit of a tag's body where it lies, and says where it ends then.
fn encrypt_unit(
    tag: &mut TagBuf,
    unit: Range<usize>,
    mut keystream: Keystream<'_>,
) -> Result<usize, BodyTooLong> {
    let mut at = unit.start + CLEAR_LEAD;
    let mut left = unit.end - 1 - at;
    let mut run = unit.start + escape::run_start(CLEAR_LEAD);
    while left > 0 {
        let len = left.min(STRIDE);
        keystream.apply_keystream(&mut tag.body_mut()[at..at + len]);
        left -= len;
        // The last byte stays clear, but counts with what is escaped.
        let end = at + len + usize::from(left == 0);
        at = escape::escape_in_place(tag, at..end, &mut run)?;
    }
    Ok(at)
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
    out.extend_from_slice(codec.sei(size, &KeyHeader::LITERAL).bytes());
    out.extend_from_slice(&body[lead..]);
    out.freeze()
}

/// Why a body cannot be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Torn {
    Framing,
    Escape,
    TooManyUnits,
}

/// An encrypted body that was looked through and can be decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    codec: UnitCodec,
    size: LengthSize,
    marker: Range<usize>,
    /// How many bytes were inserted in all.
    escapes: usize,
}

/// Looks a body through whose marker is at `marker`.
pub(crate) fn sealed(
    body: &[u8],
    marker: Range<usize>,
    codec: UnitCodec,
    size: LengthSize,
) -> Result<Sealed, Torn> {
    let (mut encrypted, mut escapes) = (0, 0);
    for unit in nalu::units(body, marker.end, size) {
        let wire = &body[unit.map_err(|_| Torn::Framing)?];
        if codec.is_encrypted(wire) {
            let inserted = escape::count(wire, CLEAR_LEAD).map_err(|BadEscape| Torn::Escape)?;
            // Something must be left between the lead and the last byte.
            if wire.len() - inserted < unit::SHORTEST {
                return Err(Torn::Escape);
            }
            escapes += inserted;
            encrypted += 1;
        }
        if encrypted > usize::from(u16::MAX) {
            return Err(Torn::TooManyUnits);
        }
    }
    Ok(Sealed { codec, size, marker, escapes })
}

impl Sealed {
    /// Appends the clear body to `out`.
    pub(crate) fn decrypt(&self, body: &[u8], seq: u32, key: &TrackKey, out: &mut BytesMut) {
        out.extend_from_slice(&body[..self.marker.start]);
        let mut copied = self.marker.end;
        let mut piece = 0;
        for range in nalu::units(body, self.marker.end, self.size).flatten() {
            if !self.codec.is_encrypted(&body[range.clone()]) {
                continue;
            }
            out.extend_from_slice(&body[copied..range.start + CLEAR_LEAD]);
            copied = range.end;
            let middle = out.len();
            escape::append_unescaped(out, &body[range], CLEAR_LEAD);
            let end = out.len() - 1;
            key.keystream(seq, piece).apply_keystream(&mut out[middle..end]);
            piece = piece.wrapping_add(1);
            let start = middle - CLEAR_LEAD;
            let len = out.len() - start;
            unit::set_length(out, start - self.size.bytes(), self.size, len);
        }
        out.extend_from_slice(&body[copied..]);
    }

    /// How long the clear body is.
    pub(crate) fn clear_len(&self, body: &[u8]) -> usize {
        body.len() - self.marker.len() - self.escapes
    }

    /// Decrypts the body where it lies: only what comes before the marker moves, and, where
    /// something was escaped, what comes behind that.
    pub(crate) fn decrypt_in_place(&self, tag: &mut TagBuf, seq: u32, key: &TrackKey) {
        let body = tag.body_mut();
        let (mut read, mut write) = (self.marker.end, self.marker.end);
        let mut piece = 0;
        while let Some(Ok(range)) = nalu::units(body, read, self.size).next() {
            if !self.codec.is_encrypted(&body[range.clone()]) {
                body.copy_within(read..range.end, write);
                write += range.end - read;
                read = range.end;
                continue;
            }
            let middle = write + (range.start - read) + CLEAR_LEAD;
            if self.escapes == 0 {
                (read, write) = (range.end, range.end);
            } else {
                let run = range.start + escape::run_start(CLEAR_LEAD);
                escape::close_up(body, &mut read, range.end, &mut write, run);
                let start = middle - CLEAR_LEAD;
                unit::set_length(body, start - self.size.bytes(), self.size, write - start);
            }
            key.keystream(seq, piece).apply_keystream(&mut body[middle..write - 1]);
            piece = piece.wrapping_add(1);
        }
        tag.truncate(write);
        tag.remove(self.marker.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escape::slow;
    use crate::key::{KeyId, MasterKey};
    use crate::key_header::WireMode;
    use crate::salt::fixed::VECTOR;
    use flv::{FlvMillis, Room, TagKind};
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
            out.extend_from_slice(&(unit.len() as u32).to_be_bytes()[4 - size.bytes()..]);
            out.extend_from_slice(unit);
        }
        out.to_vec()
    }

    /// The format page, read out slowly: one unit after the other, all copied.
    fn slowly(units: &[Vec<u8>], codec: UnitCodec, size: LengthSize, seq: u32) -> Vec<u8> {
        let sei = codec.sei(size, &header(seq)).bytes()[size.bytes()..].to_vec();
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

    fn owned(body: &[u8], front: usize) -> TagBuf {
        let room = Room { front, back: 0 };
        let mut buf = room.buffer(body.len());
        buf.extend_from_slice(body);
        TagBuf::new(TagKind::Video, FlvMillis(0), buf, room).unwrap()
    }

    fn encrypt(body: &[u8], codec: UnitCodec, size: LengthSize, seq: u32) -> Result<Vec<u8>, Refusal> {
        let mut out = BytesMut::new();
        plan(body, HEAD.len(), codec, size)?.encrypt(body, &header(seq), &key(), &mut out)?;
        Ok(out.to_vec())
    }

    /// Copied and in place, which come to the same.
    fn decrypt(
        wire: &[u8],
        marker: Range<usize>,
        codec: UnitCodec,
        size: LengthSize,
        seq: u32,
    ) -> Result<Vec<u8>, Torn> {
        let sealed = sealed(wire, marker, codec, size)?;
        let (mut out, mut tag) = (BytesMut::new(), owned(wire, 0));
        sealed.decrypt(wire, seq, &key(), &mut out);
        sealed.decrypt_in_place(&mut tag, seq, &key());
        assert_eq!(tag.body(), &out[..]);
        assert_eq!(sealed.clear_len(wire), out.len());
        Ok(out.to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn fast_and_slow_agree_and_both_ways_back((codec, size, seq, units) in case(), room in 0usize..70) {
            let clear = body(&units, size);
            let wire = encrypt(&clear, codec, size, seq).unwrap();
            prop_assert_eq!(&wire, &slowly(&units, codec, size, seq));
            let mut tag = owned(&clear, room);
            let plan = plan(&clear, HEAD.len(), codec, size).unwrap();
            plan.encrypt_in_place(&mut tag, &header(seq), &key()).unwrap();
            prop_assert_eq!(tag.body(), &wire);
            prop_assert!(wire.len() >= plan.encrypted_len(&clear, &header(seq)));

            let marker = nalu::units(&wire, HEAD.len(), size)
                .map(Result::unwrap)
                .find(|range| codec.read_sei(&wire[range.clone()]).is_some())
                .map(|range| range.start - size.bytes()..range.end)
                .unwrap();
            prop_assert_eq!(&decrypt(&wire, marker, codec, size, seq).unwrap(), &clear);
        }

        #[test]
        fn no_start_code_begins_in_the_ciphertext((codec, size, seq, units) in case()) {
            let wire = encrypt(&body(&units, size), codec, size, seq).unwrap();
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
            let wire = encrypt(&body(&units, size), codec, size, seq).unwrap();
            let mut torn = wire.to_vec();
            let at = at.index(torn.len());
            torn[at] = to;
            let _ = decrypt(&torn, 5..5, codec, size, seq);
            let _ = decrypt(&wire[..at.max(5)], 5..5, codec, size, seq);
        }
    }

    #[test]
    fn in_place_nothing_but_the_front_moves() {
        let clear = body(&[vec![0x67; 10], vec![0x65; 4000]], LengthSize::Four);
        let mut tag = owned(&clear, SEI_ROOM);
        let end = tag.body().as_ptr_range().end;
        let plan = plan(&clear, 5, UnitCodec::Avc, LengthSize::Four).unwrap();
        plan.encrypt_in_place(&mut tag, &header(1), &key()).unwrap();
        assert_eq!(tag.body().as_ptr_range().end, end);
        let marker = 19..tag.body().len() - 4004;
        let sealed = sealed(tag.body(), marker, UnitCodec::Avc, LengthSize::Four).unwrap();
        sealed.decrypt_in_place(&mut tag, 1, &key());
        assert_eq!(tag.body(), clear);
        assert_eq!(tag.body().as_ptr_range().end, end);
    }

    /// Several strides, and escapes on both sides of where one ends.
    #[test]
    fn a_long_slice_is_escaped_across_strides() {
        for at in [CLEAR_LEAD - 1, STRIDE - 3, STRIDE - 2, STRIDE - 1, STRIDE, STRIDE + 1] {
            let mut unit = vec![0x41; 3 * STRIDE];
            let last = unit.len() - 1;
            unit[at + CLEAR_LEAD..at + CLEAR_LEAD + 2].fill(0);
            unit[at + CLEAR_LEAD + 2] = 1;
            key().keystream(9, 0).apply_keystream(&mut unit[CLEAR_LEAD..last]);
            let clear = body(&[unit.clone()], LengthSize::Four);
            let wire = encrypt(&clear, UnitCodec::Avc, LengthSize::Four, 9).unwrap();
            assert_eq!(wire, slowly(&[unit], UnitCodec::Avc, LengthSize::Four, 9));
            let mut tag = owned(&clear, 64);
            let plan = plan(&clear, 5, UnitCodec::Avc, LengthSize::Four).unwrap();
            plan.encrypt_in_place(&mut tag, &header(9), &key()).unwrap();
            assert_eq!(tag.body(), wire);
        }
    }

    #[test]
    fn slices_and_their_growth_are_bounded() {
        let many = body(&vec![vec![0x41; unit::SHORTEST]; 65_536], LengthSize::One);
        let refused = |body: &[u8]| encrypt(body, UnitCodec::Avc, LengthSize::One, 0).err();
        assert_eq!(refused(&many), Some(Refusal::TooManyUnits));
        let most = &many[..many.len() - 35];
        let wire = encrypt(most, UnitCodec::Avc, LengthSize::One, 0).unwrap();
        let marker = 5..5 + usize::from(wire[5]) + 1;
        assert_eq!(decrypt(&wire, marker, UnitCodec::Avc, LengthSize::One, 0).unwrap(), most);
        let marker = 5..5;
        let torn = sealed(&many, marker, UnitCodec::Avc, LengthSize::One);
        assert_eq!(torn, Err(Torn::TooManyUnits));

        // 255 bytes whose ciphertext is all zeros grow beyond a one-byte length.
        let mut unit = vec![0x41; 255];
        unit[CLEAR_LEAD..254].fill(0);
        key().keystream(0, 0).apply_keystream(&mut unit[CLEAR_LEAD..254]);
        let long = body(&[unit], LengthSize::One);
        assert_eq!(refused(&long), Some(Refusal::UnitTooLong { len: 365, max: 255 }));
        let plan = plan(&long, 5, UnitCodec::Avc, LengthSize::One).unwrap();
        let in_place = plan.encrypt_in_place(&mut owned(&long, 64), &header(0), &key());
        assert_eq!(in_place, Err(Refusal::UnitTooLong { len: 365, max: 255 }));
    }
}
