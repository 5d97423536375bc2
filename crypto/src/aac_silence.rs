//! AAC behind silence (version 2): the whole ciphertext inside data_stream_elements, which a
//! decoder skips, and a silent frame behind them, which it plays.

use std::ops::Range;

use aes::cipher::StreamCipher;
use bytes::{BufMut, BytesMut};
use flv::{BodyTooLong, Room, TagBuf};

use crate::decryptor::Damage;
use crate::key_header::KeyHeader;
use crate::nalu_mode::append_ciphered;
use crate::track_key::TrackKey;
use crate::unit::SEI_ROOM;

/// The first byte of a data_stream_element: element 4, tag 15, align 0.
const LEAD: u8 = 0x9e;
/// Begins what the elements hold; the key header follows.
const MARK: [u8; 2] = *b"YX";
/// Bytes of both.
pub(crate) const FRONT: usize = MARK.len() + KeyHeader::LEN;
/// The most bytes that one element holds: a count of 255, and another byte on top.
const MOST: usize = 255 + 255;

/// The count and what follows it, of the element that begins a block; the block may end early.
fn opened(block: &[u8]) -> Option<(usize, &[u8])> {
    match block {
        [LEAD, 255, more, rest @ ..] => Some((255 + usize::from(*more), rest)),
        [LEAD, 255] => None,
        [LEAD, count, rest @ ..] => Some((usize::from(*count), rest)),
        _ => None,
    }
}

/// What follows our mark in a block that begins with it, and the count of its first element; the
/// header is the first thing there, as far as the block goes.
pub(crate) fn marked(block: &[u8]) -> Option<(usize, &[u8])> {
    let (count, rest) = opened(block).filter(|(count, _)| *count >= FRONT)?;
    Some((count, rest.strip_prefix(&MARK)?))
}

/// How many bytes stand before an element's contents.
fn lead_len(count: usize) -> usize {
    if count < 255 { 2 } else { 3 }
}

/// What stands before the contents of an element of `count` bytes, at most [`MOST`].
fn lead(count: usize) -> ([u8; 3], usize) {
    if count < 255 { ([LEAD, count as u8, 0], 2) } else { ([LEAD, 255, (count - 255) as u8], 3) }
}

/// By how many bytes all that comes in front of or between `len` bytes makes them longer.
fn front_len(len: usize) -> usize {
    let whole = FRONT + len;
    let (full, last) = (whole / MOST, whole % MOST);
    FRONT + full * lead_len(MOST) + if last == 0 { 0 } else { lead_len(last) }
}

/// How long the encrypted body becomes.
pub(crate) fn encrypted_len(body: &[u8], payload: usize, silence: &[u8]) -> usize {
    body.len() + front_len(body.len() - payload) + silence.len()
}

/// Appends the body to `out`, with the raw data block at `payload` encrypted behind `silence`.
pub(crate) fn encrypt(
    body: &[u8],
    payload: usize,
    silence: &[u8],
    header: &KeyHeader,
    key: &TrackKey,
    out: &mut BytesMut,
) {
    let mut stream = key.keystream(header.seq, 0);
    let put_lead = |out: &mut BytesMut, count| {
        let (bytes, len) = lead(count);
        out.put_slice(&bytes[..len]);
    };
    let (codec_header, block) = body.split_at(payload);
    let (first, rest) = block.split_at(block.len().min(MOST - FRONT));
    out.put_slice(codec_header);
    put_lead(out, FRONT + first.len());
    out.put_slice(&MARK);
    out.put_slice(&header.bytes());
    append_ciphered(out, first, &mut stream);
    for piece in rest.chunks(MOST) {
        put_lead(out, piece.len());
        append_ciphered(out, piece, &mut stream);
    }
    out.put_slice(silence);
}

/// As [`encrypt`], where the body lies. With room in front and behind nothing is allocated, for
/// frames of up to about 7 kB; AAC's longest has 768 bytes a channel.
pub(crate) fn encrypt_in_place(
    tag: &mut TagBuf,
    payload: usize,
    silence: &[u8],
    header: &KeyHeader,
    key: &TrackKey,
) -> Result<(), BodyTooLong> {
    let len = tag.body().len() - payload;
    let zeros = [0; SEI_ROOM];
    let Some(gap) = zeros.get(..front_len(len)) else {
        let mut out = BytesMut::with_capacity(encrypted_len(tag.body(), payload, silence));
        encrypt(tag.body(), payload, silence, header, key, &mut out);
        *tag = TagBuf::new(tag.kind, tag.timestamp, out, Room::NONE)?;
        return Ok(());
    };
    key.keystream(header.seq, 0).apply_keystream(&mut tag.body_mut()[payload..]);
    tag.insert(payload, gap)?;
    // The pieces close up to the front, and leave room for what stands before each.
    let body = tag.body_mut();
    let (mut to, mut from) = (payload, payload + gap.len());
    let put = |body: &mut [u8], to: &mut usize, bytes: &[u8]| {
        body[*to..*to + bytes.len()].copy_from_slice(bytes);
        *to += bytes.len();
    };
    let mut front = FRONT;
    let mut left = len;
    loop {
        let piece = left.min(MOST - front);
        let (bytes, lead_len) = lead(front + piece);
        put(body, &mut to, &bytes[..lead_len]);
        if front > 0 {
            put(body, &mut to, &MARK);
            put(body, &mut to, &header.bytes());
            front = 0;
        }
        body.copy_within(from..from + piece, to);
        (to, from, left) = (to + piece, from + piece, left - piece);
        if left == 0 {
            break;
        }
    }
    let end = tag.body().len();
    tag.insert(end, silence)
}

/// Elements that were looked through.
pub(crate) struct Sealed {
    payload: usize,
    /// Bytes of the block inside.
    len: usize,
}

/// Looks the elements at `payload` through, of which the first is known to hold our mark.
pub(crate) fn sealed(body: &[u8], payload: usize) -> Result<Sealed, Damage> {
    let (mut at, mut len) = (payload, 0);
    while let Some(contents) = contents_at(body, at)? {
        len += contents.len();
        at = contents.end;
    }
    // Behind them something is played: where nothing is, elements may be missing, too.
    let whole = at < body.len();
    let len = len.checked_sub(FRONT).filter(|_| whole).ok_or(Damage::Elements)?;
    Ok(Sealed { payload, len })
}

/// Where the contents of the element at `at` are, if there is one.
fn contents_at(body: &[u8], at: usize) -> Result<Option<Range<usize>>, Damage> {
    let block = body.get(at..).unwrap_or_default();
    if block.first() != Some(&LEAD) {
        return Ok(None);
    }
    let (count, rest) = opened(block).ok_or(Damage::Elements)?;
    let start = body.len() - rest.len();
    if count > rest.len() { Err(Damage::Elements) } else { Ok(Some(start..start + count)) }
}

impl Sealed {
    /// Bytes of the body inside.
    pub(crate) fn clear_len(&self) -> usize {
        self.payload + self.len
    }

    /// Appends the body to `out`, decrypted.
    pub(crate) fn decrypt(&self, body: &[u8], seq: u32, key: &TrackKey, out: &mut BytesMut) {
        let mut stream = key.keystream(seq, 0);
        out.extend_from_slice(&body[..self.payload]);
        let (mut at, mut front) = (self.payload, FRONT);
        while let Ok(Some(contents)) = contents_at(body, at) {
            append_ciphered(out, &body[contents.start + front..contents.end], &mut stream);
            (at, front) = (contents.end, 0);
        }
    }

    /// Decrypts the body where it lies: the pieces close up to the front.
    pub(crate) fn decrypt_in_place(&self, tag: &mut TagBuf, seq: u32, key: &TrackKey) {
        let body = tag.body_mut();
        let (mut at, mut to, mut front) = (self.payload, self.payload, FRONT);
        while let Ok(Some(contents)) = contents_at(body, at) {
            let piece = contents.start + front..contents.end;
            (at, front) = (contents.end, 0);
            let len = piece.len();
            body.copy_within(piece, to);
            to += len;
        }
        key.keystream(seq, 0).apply_keystream(&mut body[self.payload..to]);
        tag.truncate(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encryptor::{ROOM, TagEncryptor};
    use crate::key::{KeyId, KeyRing, MasterKey};
    use crate::key_header::Mode;
    use crate::salt::fixed::{Always, VECTOR};
    use crate::silence::Sound;
    use crate::{Marking, TagDecryptor, Verdict, inspect};
    use bytes::Bytes;
    use flv::{FlvMillis, MAX_BODY, Tag, TagKind};
    use proptest::prelude::*;

    const STEREO: &[u8] = &[0x21, 0, 0, 0, 0, 0x1c];
    const READ: Verdict = Verdict::Encrypted { key: KeyId(1) };

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }
    fn audio(body: impl Into<Bytes>) -> Tag {
        Tag::new(TagKind::Audio, FlvMillis(7), body.into()).unwrap()
    }
    fn block(raw: &[u8]) -> Tag {
        audio([&[0xaf, 1], raw].concat())
    }
    fn master() -> MasterKey {
        "000102030405060708090a0b0c0d0e0f".parse().unwrap()
    }
    fn decryptor() -> TagDecryptor {
        TagDecryptor::new(KeyRing::from_iter([(KeyId(1), master())]))
    }
    /// At number 5 under the salt of the format page, for so many channels.
    fn at_seq_5(sound: Sound, channels: u8) -> TagEncryptor {
        let salts = Box::new(Always(VECTOR));
        let mut lock =
            TagEncryptor::with_salts(master(), KeyId(1), Mode::Nalu, salts).unwrap().with_sound(sound);
        lock.encrypt(audio([0xaf, 0, 0x11, 0x80 | channels << 3].to_vec())).unwrap();
        lock.skip_to(5);
        lock
    }
    /// The rule read out slowly, over the ciphertext that version 1 makes under the same number.
    fn slow(raw: &[u8], silence: &[u8]) -> Vec<u8> {
        let noise = at_seq_5(Sound::Noise, 2).encrypt(block(raw)).unwrap();
        let mut whole = noise.body()[4..].to_vec();
        whole[2] = 0x21;
        let mut body = noise.body()[..2].to_vec();
        for piece in whole.chunks(510) {
            body.push(0x9e);
            match u8::try_from(piece.len()) {
                Ok(count) if count < 255 => body.push(count),
                _ => body.extend([255, (piece.len() - 255) as u8]),
            }
            body.extend(piece);
        }
        body.extend(silence);
        body
    }

    /// Every way to encrypt makes this body, and every way to decrypt takes it back.
    fn agrees(raw: &[u8], channels: u8, want: &[u8]) {
        let (clear, wire) = (block(raw), audio(want.to_vec()));
        let lock = || at_seq_5(Sound::Silence, channels);
        assert_eq!(lock().encrypt(clear.clone()).unwrap().body(), want);
        for room in [ROOM, Room::NONE, Room { front: 3, back: 0 }] {
            let mut own = TagBuf::copied(&clear, room);
            lock().encrypt_in_place(&mut own).unwrap();
            assert_eq!(own.body(), want, "{} bytes, {room:?}", raw.len());
            assert_eq!(decryptor().decrypt_in_place(&mut own), READ);
            assert_eq!(own.body(), clear.body());
        }
        let (mut out, mut whole) = (BytesMut::new(), BytesMut::new());
        lock().encrypt_into(&clear, &mut out).unwrap();
        wire.write_into(&mut whole);
        assert_eq!(out, whole);
        out.clear();
        whole.clear();
        assert_eq!(decryptor().decrypt_into(&wire, &mut out), READ);
        clear.write_into(&mut whole);
        assert_eq!(out, whole);
        let shared = wire.clone();
        assert_eq!(decryptor().decrypt(wire), (clear, READ));
        let said = Marking::Encrypted { mode: Mode::Capsule, key: KeyId(1), salt: VECTOR, seq: 5 };
        assert_eq!(inspect(&shared), said);
    }

    /// Master key 00 to 0f, key id 1, salt a0 to a7, seq 5; made by another program.
    #[test]
    fn whole_bodies_of_version_2() {
        let raw = hex("211004608c1c000102030405");
        agrees(
            &raw,
            2,
            &hex("af019e1e59582101a0a1a2a3a4a5a6a726850000000511b0e47673cbb9e6544b27f321000000001c"),
        );
        agrees(&raw, 1, &hex("af019e1e59582101a0a1a2a3a4a5a6a726850000000511b0e47673cbb9e6544b27f300000007"));
        agrees(&[], 2, &hex("af019e1259582101a0a1a2a3a4a5a6a726850000000521000000001c"));
        // 500 bytes: 510 in a first element, the other 8 in a second.
        let raw: Vec<u8> = (0..500u32).map(|n| (n * 7 + 3) as u8).collect();
        let wire = at_seq_5(Sound::Silence, 2).encrypt(block(&raw)).unwrap();
        let (front, end) = (
            hex("af019effff59582101a0a1a2a3a4a5a6a726850000000533aaf10ee0f194"),
            hex("9e082b9979ff4432de9c21000000001c"),
        );
        assert_eq!((&wire.body()[..30], &wire.body()[515..]), (&front[..], &end[..]));
    }

    #[test]
    fn every_length_is_cut_as_the_rule_says_and_comes_back() {
        let raw: Vec<u8> = (0..2000u32).map(|n| (n * n) as u8).collect();
        for len in
            (0..=40).chain(230..=245).chain(485..=500).chain(995..=1010).chain([1511, 1512, 1513, 2000])
        {
            agrees(&raw[..len], 2, &slow(&raw[..len], STEREO));
        }
        // More elements than in place are made: no AAC frame is that long.
        for len in [7_000, 8_000, 100_000] {
            let raw = vec![0x9e; len];
            agrees(&raw, 2, &slow(&raw, STEREO));
        }
    }

    #[test]
    fn too_long_is_too_long_however_it_is_asked() {
        let front = |len| front_len(len) + STEREO.len();
        let most = (0..MAX_BODY).rev().find(|len| 2 + len + front(*len) <= MAX_BODY).unwrap();
        let fits = block(&vec![1; most]);
        let wire = at_seq_5(Sound::Silence, 2).encrypt(fits.clone()).unwrap();
        assert_eq!(decryptor().decrypt(wire), (fits, READ));
        let long = block(&vec![1; most + 1]);
        let mut lock = at_seq_5(Sound::Silence, 2);
        let err = lock.encrypt(long.clone()).unwrap_err();
        assert_eq!(lock.encrypt_in_place(&mut TagBuf::copied(&long, ROOM)), Err(err.clone()));
        assert_eq!(lock.encrypt_into(&long, &mut BytesMut::new()), Err(err));
    }

    proptest! {
        #[test]
        fn blocks_of_any_length_and_channels(
            raw in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..2000),
                prop::collection::vec(prop::sample::select(vec![0x9e, 0xff, 0x59, 0x58, 0]), 0..600),
            ],
            channels in 1u8..8,
        ) {
            let silence = crate::silence::frame(&[0x11, 0x80 | channels << 3]).unwrap();
            agrees(&raw, channels, &slow(&raw, silence));
        }

        /// Elements cut in any way, as long as the first holds all of the header.
        #[test]
        fn a_reader_takes_other_cuts(
            raw in prop::collection::vec(any::<u8>(), 0..300),
            first in 18usize..60, rest in prop::collection::vec(0usize..60, 0..12),
        ) {
            let wire = at_seq_5(Sound::Silence, 2).encrypt(block(&raw)).unwrap();
            let mut whole: Vec<u8> = slow(&raw, &[])[if raw.len() < 237 { 4 } else { 5 }..].to_vec();
            let mut body = vec![0xaf, 1];
            for count in [first].into_iter().chain(rest).chain(std::iter::repeat(200)) {
                let piece: Vec<u8> = whole.drain(..count.min(whole.len())).collect();
                body.extend([0x9e, piece.len() as u8]);
                body.extend(piece);
                if whole.is_empty() { break; }
            }
            body.extend(STEREO);
            prop_assert_eq!(decryptor().decrypt(audio(body)).0, decryptor().decrypt(wire).0);
        }
    }
}
