//! Any bytes in any pieces through the incremental reader: no panic, little memory, every
//! byte accounted for, the same however it is cut, and what was read can be written.
//!
//! Input: flags (1 without file header, then 2 bits of body limit), how it is cut, the stream.
#![no_main]

use bytes::{Bytes, BytesMut};
use flv::{Ending, Item, ReadError, TagReader, Tracks};
use harness::{heap, pieces};
use libfuzzer_sys::fuzz_target;

const LIMITS: [usize; 4] = [flv::MAX_BODY, 0, 100, 5000];
/// The longest file header with its trailer.
const LONGEST_HEADER: usize = (1 << 16) + flv::TRAILER_LEN;

type Read = Result<Item, ReadError>;

fuzz_target!(|data: &[u8]| {
    let Some((&[flags, how], stream)) = data.split_first_chunk() else { return };
    let limit = LIMITS[usize::from(flags >> 1 & 3)];
    let begin = || {
        let reader = if flags & 1 == 0 { TagReader::new() } else { TagReader::without_file_header() };
        reader.with_body_limit(limit)
    };
    // The reader makes room for 256 KiB at once; what it gives out is kept here, of which every
    // few bytes of a damaged stream can be an item.
    let (whole, end) = heap::bounded((1 << 20) + 256 * stream.len(), || {
        read(begin(), pieces(stream, 0), stream.len(), limit)
    });
    let (cut, cut_end) = heap::bounded((1 << 20) + 256 * stream.len(), || {
        read(begin(), pieces(stream, how), stream.len(), limit)
    });
    assert_eq!(whole, cut);
    assert_eq!(end, cut_end);
    rewrite(&whole);
});

/// Reads all, recovering at damage; then gives up what is left, piece by piece.
fn read(
    mut reader: TagReader,
    pieces: impl Iterator<Item = Bytes>,
    len: usize,
    limit: usize,
) -> (Vec<Read>, Ending) {
    let mut read = Vec::new();
    for piece in pieces {
        reader.push(piece);
        drain(&mut reader, &mut read);
        assert!(reader.buffered() <= LONGEST_HEADER.max(limit + flv::TAG_HEADER_LEN + flv::TRAILER_LEN));
    }
    let len = len as u64;
    assert_eq!(reader.offset() + reader.buffered() as u64, len);
    let ending = reader.finish();
    assert_eq!(reader.finish(), ending);
    match &ending {
        Ending::Whole => assert_eq!(reader.buffered(), 0),
        // A long file header's first 9 bytes have been taken already.
        Ending::Cut(cut) => assert_eq!((cut.offset, cut.offset + cut.have), (reader.offset(), len)),
        Ending::Lost(gap) => assert_eq!(gap.offset + gap.skipped, len),
    }
    while reader.buffered() > 0 {
        let before = reader.offset();
        reader.recover();
        drain(&mut reader, &mut read);
        assert!(reader.offset() > before || read.len() < len as usize, "no way on from byte {before}");
    }
    assert_eq!(reader.offset(), len);
    (read, ending)
}

/// Everything that can be read; each item takes up where the one before ended.
fn drain(reader: &mut TagReader, read: &mut Vec<Read>) {
    loop {
        let (before, tags) = (reader.offset(), reader.tags());
        match reader.next() {
            Ok(None) => return,
            Ok(Some(item)) => {
                match &item {
                    Item::Tag(tag) => {
                        assert_eq!(reader.offset() - before, tag.wire_len() as u64);
                        assert_eq!(reader.tags(), tags + 1);
                    }
                    Item::Resumed(gap) => assert_eq!(gap.offset + gap.skipped, reader.offset()),
                    Item::Header(_) => assert!(read.is_empty()),
                }
                read.push(Ok(item));
            }
            Err(err) => {
                assert_eq!(reader.next(), Err(err.clone()));
                read.push(Err(err));
                reader.recover();
            }
        }
    }
}

/// What was read, written, and read again.
fn rewrite(read: &[Read]) {
    let tags = || {
        read.iter().filter_map(|item| match item {
            Ok(Item::Tag(tag)) => Some(tag),
            _ => None,
        })
    };
    let mut out = BytesMut::new();
    flv::write_file_header(&mut out, Tracks::Both);
    tags().for_each(|tag| tag.write_into(&mut out));
    let mut reader = TagReader::new();
    reader.push(out.freeze());
    assert!(matches!(reader.next(), Ok(Some(Item::Header(_)))));
    for tag in tags() {
        assert_eq!(reader.next(), Ok(Some(Item::Tag(tag.clone()))));
    }
    assert_eq!(reader.next(), Ok(None));
    assert_eq!(reader.finish(), Ending::Whole);
}
