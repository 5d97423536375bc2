//! Tag bodies of all kinds, at random.

use bytes::Bytes;
use crypto::{KeyId, KeyRing, MasterKey, Mode, TagDecryptor, TagEncryptor};
use flv::nalu::LengthSize;
use flv::{FlvMillis, Tag, TagKind};
use proptest::prelude::*;

pub fn key(id: u8) -> MasterKey {
    MasterKey::from_bytes([id; 16])
}
pub fn ring(ids: &[u8]) -> KeyRing {
    ids.iter().map(|id| (KeyId(*id), key(*id))).collect()
}
pub fn encryptor(mode: Mode) -> TagEncryptor {
    TagEncryptor::new(key(1), KeyId(1), mode).unwrap()
}
pub fn decryptor() -> TagDecryptor {
    TagDecryptor::new(ring(&[1]))
}
pub fn tag(kind: TagKind, ms: u32, body: impl Into<Bytes>) -> Tag {
    Tag::new(kind, FlvMillis(ms), body.into()).unwrap()
}
pub fn video(body: impl Into<Bytes>) -> Tag {
    tag(TagKind::Video, 40, body)
}
pub fn audio(body: impl Into<Bytes>) -> Tag {
    tag(TagKind::Audio, 40, body)
}

/// How a video track is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Avc,
    LegacyHevc,
    Hevc,
    /// Enhanced `avc1`, behind a modifier.
    ModifiedAvc,
}

impl Form {
    pub const ALL: [Self; 4] = [Self::Avc, Self::LegacyHevc, Self::Hevc, Self::ModifiedAvc];

    pub fn is_hevc(self) -> bool {
        matches!(self, Self::LegacyHevc | Self::Hevc)
    }
    pub fn sequence_header(self, size: LengthSize) -> Tag {
        let minus_one = size.bytes() as u8 - 1;
        let config = if self.is_hevc() {
            let mut config = vec![1; 23];
            config[21] = 0x0c | minus_one;
            config
        } else {
            vec![1, 0x64, 0, 0x28, 0xfc | minus_one, 0xe0, 0]
        };
        let head = match self {
            Self::Avc => &b"\x17\0\0\0\0"[..],
            Self::LegacyHevc => b"\x1c\0\0\0\0",
            Self::Hevc => b"\x90hvc1",
            Self::ModifiedAvc => b"\x90avc1",
        };
        tag(TagKind::Video, 0, [head, &config].concat())
    }
    /// The codec header of a frame; `plain` ones say CodedFramesX where they can.
    pub fn head(self, is_key: bool, composed: bool) -> Vec<u8> {
        let frame = if is_key { 0x10 } else { 0x20 };
        match (self, composed) {
            (Self::Avc, _) => vec![frame | 7, 1, 0, 0, 80],
            (Self::LegacyHevc, _) => vec![frame | 12, 1, 0, 0, 80],
            (Self::Hevc, true) => [&[0x81 | frame], &b"hvc1\0\0\x50"[..]].concat(),
            (Self::Hevc, false) => [&[0x83 | frame], &b"hvc1"[..]].concat(),
            // ModEx (7): 3 bytes of nanoseconds, then the packet type.
            (Self::ModifiedAvc, true) => [&[0x87 | frame, 2, 0, 0, 9, 0x01], &b"avc1\0\0\x50"[..]].concat(),
            (Self::ModifiedAvc, false) => [&[0x87 | frame, 2, 0, 0, 9, 0x03], &b"avc1"[..]].concat(),
        }
    }
}

pub fn prefixed(head: &[u8], units: &[Vec<u8>], size: LengthSize) -> Vec<u8> {
    let mut body = head.to_vec();
    for unit in units {
        body.extend_from_slice(&(unit.len() as u32).to_be_bytes()[4 - size.bytes()..]);
        body.extend_from_slice(unit);
    }
    body
}

/// The units of a body that is known to be sound.
pub fn units(body: &[u8], head: usize, size: LengthSize) -> Vec<Vec<u8>> {
    flv::nalu::units(body, head, size).map(|range| body[range.unwrap()].to_vec()).collect()
}

pub fn is_slice(unit: &[u8], form: Form) -> bool {
    unit.first().is_some_and(|first| {
        if form.is_hevc() { first >> 1 & 0x3f < 32 } else { (1..=5).contains(&(first & 0x1f)) }
    })
}

/// A unit as an encoder could write it: escaped, not ending in zero.
fn unit(form: Form, max: usize) -> impl Strategy<Value = Vec<u8>> {
    let kinds: &[u8] = if form.is_hevc() {
        // TRAIL_R, IDR_W_RADL, VPS, SPS, AUD, prefix SEI, suffix SEI.
        &[0x02, 0x02, 0x26, 0x26, 0x40, 0x42, 0x46, 0x4e, 0x50]
    } else {
        &[0x65, 0x65, 0x41, 0x41, 0x01, 0x67, 0x68, 0x06, 0x09, 0x0c]
    };
    let first = prop::sample::select(kinds.to_vec());
    let byte = prop_oneof![1 => Just(0u8), 1 => 0u8..4, 4 => any::<u8>()];
    let length = prop_oneof![1 => 0usize..3, 2 => 28usize..40, 3 => 0..max];
    (first, length).prop_flat_map(move |(first, len)| {
        prop::collection::vec(byte.clone(), len).prop_map(move |rest| {
            let mut unit = vec![first];
            for byte in rest {
                // Instead of an escape, which would lengthen it, another byte.
                let zeros = unit.iter().rev().take_while(|b| **b == 0).count();
                unit.push(if zeros >= 2 && byte < 4 { 0x77 } else { byte });
            }
            if unit.ends_with(&[0]) {
                unit.pop();
                unit.push(0x80);
            }
            unit
        })
    })
}

#[derive(Clone, Debug)]
pub struct Frame {
    pub form: Form,
    pub size: LengthSize,
    pub head: Vec<u8>,
    pub units: Vec<Vec<u8>>,
}

impl Frame {
    pub fn body(&self) -> Vec<u8> {
        prefixed(&self.head, &self.units, self.size)
    }
    pub fn tag(&self) -> Tag {
        video(self.body())
    }
}

pub fn size() -> impl Strategy<Value = LengthSize> {
    prop::sample::select(vec![LengthSize::One, LengthSize::Two, LengthSize::Four, LengthSize::Four])
}

pub fn frame(form: Form, size: LengthSize) -> impl Strategy<Value = Frame> {
    // A one-byte length leaves room for an escape or two.
    let max = if size == LengthSize::One { 200 } else { 600 };
    let unit = prop_oneof![6 => unit(form, max), 1 => Just(Vec::new())];
    (prop::collection::vec(unit, 0..6), any::<bool>(), any::<bool>()).prop_map(
        move |(units, is_key, composed)| Frame { form, size, head: form.head(is_key, composed), units },
    )
}

pub fn any_frame() -> impl Strategy<Value = Frame> {
    (prop::sample::select(Form::ALL.to_vec()), size()).prop_flat_map(|(form, size)| frame(form, size))
}

pub fn sound() -> impl Strategy<Value = Tag> {
    prop::collection::vec(any::<u8>(), 0..300).prop_map(|raw| audio([&[0xaf, 1], &raw[..]].concat()))
}

/// What no mode ever touches.
pub fn exempt() -> impl Strategy<Value = Tag> {
    prop::sample::select(vec![
        tag(TagKind::Script, 0, &b"\x02\0\x0aonMetaData\x05"[..]),
        audio(&b"\xaf\0\x11\x90"[..]),
        audio(&b"\x90Opus"[..]),
        audio(&b"\x92mp4a"[..]),
        audio(Bytes::new()),
        video(&b"\x17\x02\0\0\0"[..]),
        video(&b"\x57\0"[..]),
        video(&b"\xd1\0"[..]),
        video(&b"\x92hvc1"[..]),
        video(&b"\x94hvc1\x02\0\x09colorInfo\x05"[..]),
        video(&b"\x90av01\x81"[..]),
        video(&b"\x95hvc1\x01"[..]),
        video(&b"\x96\x10avc1\0\0\0\x07\x01\x64\0\x28\xff\xe0\0"[..]),
        video(&b"\x96\x12hvc1\x01\0\0\0"[..]),
        video(&b"\x96\x22hvc1\x01\0\0\0av01\x02\0\0\0"[..]),
        video(&b"\x96\x04av01\x01\x02\0"[..]),
        video(&b"\x96\x11hvc1"[..]),
        audio(&b"\x95\0mp4a\x01\x11\x90"[..]),
        audio(&b"\x95\x12Opus\x01\0\0\0"[..]),
        video(Bytes::new()),
    ])
}
