//! Generators and helpers shared by the tests.

use bytes::{Bytes, BytesMut};
use flv::amf0::Value;
use flv::{FlvMillis, Item, ReadError, Tag, TagKind, TagReader, Tracks};
use proptest::prelude::*;

/// A file as ffmpeg writes it: 160x90 AVC with B-frames, and mono AAC.
pub const BARS: &[u8] = include_bytes!("../data/bars.flv");

pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

pub fn kind() -> impl Strategy<Value = TagKind> {
    prop::sample::select(vec![TagKind::Audio, TagKind::Video, TagKind::Script])
}

/// A tag with any body, also an empty one.
pub fn tag() -> impl Strategy<Value = Tag> {
    (kind(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..200))
        .prop_map(|(kind, ms, body)| Tag::new(kind, FlvMillis(ms), body.into()).unwrap())
}

/// A tag whose body begins as one of its kind does, so that a scan believes it.
pub fn believable_tag() -> impl Strategy<Value = Tag> {
    (tag(), any::<u8>()).prop_map(|(tag, byte)| {
        let first: &[u8] = match tag.kind {
            TagKind::Audio => &[0xaf, 1],
            TagKind::Video => &[0x27, 1],
            TagKind::Script => &[2, 0],
        };
        tag.with_body([first, &[byte], tag.body()].concat().into()).unwrap()
    })
}

pub fn tags() -> impl Strategy<Value = Vec<Tag>> {
    prop::collection::vec(tag(), 0..12)
}

pub fn file_of(tags: &[Tag]) -> Vec<u8> {
    let mut out = BytesMut::new();
    flv::write_file_header(&mut out, Tracks::Both);
    for tag in tags {
        tag.write_into(&mut out);
    }
    out.to_vec()
}

/// Cuts `data` at these places, in any order and beyond the end too.
pub fn split<'a>(data: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut % (data.len() + 1)).collect();
    at.extend([0, data.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &data[pair[0]..pair[1]]).collect()
}

/// Everything a reader gives, recovering at each damage.
pub fn read_all(reader: &mut TagReader, pieces: &[&[u8]]) -> Vec<Result<Item, ReadError>> {
    let mut out = Vec::new();
    for piece in pieces {
        reader.push(Bytes::copy_from_slice(piece));
        loop {
            match reader.next() {
                Ok(Some(item)) => out.push(Ok(item)),
                Ok(None) => break,
                Err(err) => {
                    out.push(Err(err));
                    reader.recover();
                }
            }
        }
    }
    out
}

pub fn only_tags(items: Vec<Result<Item, ReadError>>) -> Vec<Tag> {
    let tag = |item| match item {
        Ok(Item::Tag(tag)) => Some(tag),
        _ => None,
    };
    items.into_iter().filter_map(tag).collect()
}

/// Any value within the bounds that decodes to itself.
pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<f64>().prop_filter("NaN differs from itself", |n| !n.is_nan()).prop_map(Value::Number),
        any::<bool>().prop_map(Value::Boolean),
        ".{0,12}".prop_map(Value::String),
        ".{0,12}".prop_map(Value::LongString),
        Just(Value::Null),
        Just(Value::Undefined),
        (-1e15..1e15f64, any::<i16>()).prop_map(|(millis, zone)| Value::Date { millis, zone }),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let properties = prop::collection::vec((".{0,8}", inner.clone()), 0..6);
        prop_oneof![
            properties.clone().prop_map(Value::Object),
            properties.prop_map(Value::EcmaArray),
            prop::collection::vec(inner, 0..6).prop_map(Value::StrictArray),
        ]
    })
}
