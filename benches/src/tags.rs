//! FLV tags read and written.
#![allow(clippy::unwrap_used, reason = "the input is our own")]

use bytes::{Bytes, BytesMut};
use fixtures::tags::Stream;
use flv::{Item, Tag, TagReader};

/// Half a minute of a 2.5 Mbit/s rung, as a file.
pub fn file() -> Bytes {
    Stream::of_bitrate(1, 2_500_000).file(30_000)
}

/// All tags of a file that comes in pieces.
///
/// # Panics
/// Where the file is not what [`file`] makes.
pub fn read(input: &[Bytes], mut each: impl FnMut(Tag)) {
    let mut reader = TagReader::new();
    for piece in input {
        reader.push(piece.clone());
        while let Some(item) = reader.next().unwrap() {
            if let Item::Tag(tag) = item {
                each(tag);
            }
        }
    }
}

/// Writes all tags from the beginning of `out`; how many bytes they are.
pub fn write(tags: &[Tag], out: &mut BytesMut) -> usize {
    out.clear();
    for tag in tags {
        tag.write_into(out);
    }
    out.len()
}
