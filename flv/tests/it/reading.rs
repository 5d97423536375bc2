//! Reading what was written, however it is cut.

use bytes::Bytes;
use flv::{Damage, Ending, FileHeader, Item, TagReader, Tracks};
use proptest::prelude::*;

use crate::any::{self, BARS};

proptest! {
    #[test]
    fn any_split_gives_the_same_items(tags in any::tags(), cuts in prop::collection::vec(any::<usize>(), 0..40)) {
        let file = any::file_of(&tags);
        let mut reader = TagReader::new();
        let items = any::read_all(&mut reader, &any::split(&file, &cuts));
        prop_assert_eq!(&items[0], &Ok(Item::Header(FileHeader { tracks: Tracks::Both })));
        prop_assert_eq!(reader.tags(), tags.len() as u64);
        prop_assert_eq!(reader.offset(), file.len() as u64);
        prop_assert_eq!(reader.finish(), Ending::Whole);
        prop_assert_eq!(any::only_tags(items), tags);
    }

    #[test]
    fn pushing_everything_first_changes_nothing(tags in any::tags(), cuts in prop::collection::vec(any::<usize>(), 0..10)) {
        let file = any::file_of(&tags);
        let mut reader = TagReader::new();
        for piece in any::split(&file, &cuts) {
            reader.push_slice(piece);
        }
        prop_assert_eq!(any::only_tags(any::read_all(&mut reader, &[&[]])), tags);
    }
}

#[test]
fn a_body_held_whole_by_a_piece_is_not_copied() {
    let piece = Bytes::from_static(BARS);
    let mut reader = TagReader::new();
    reader.push(piece.clone());
    let mut bodies = 0;
    while let Some(item) = reader.next().unwrap() {
        if let Item::Tag(tag) = item {
            assert!(piece.as_ptr_range().contains(&tag.body().as_ptr()));
            bodies += 1;
        }
    }
    assert!(bodies > 50, "{bodies}");
}

#[test]
fn every_cut_says_what_is_missing() {
    let tags = any::only_tags(any::read_all(&mut TagReader::new(), &[BARS]));
    let whole = any::file_of(&tags[..4]);
    for len in 0..whole.len() {
        let mut reader = TagReader::new();
        let items = any::read_all(&mut reader, &[&whole[..len]]);
        assert!(items.iter().all(Result::is_ok), "{len}");
        let found = any::only_tags(items);
        assert_eq!(found, tags[..found.len()], "{len}");
        match reader.finish() {
            Ending::Whole => {
                let ends: Vec<usize> = (0..4).map(|n| any::file_of(&tags[..n]).len()).collect();
                assert!(len == 0 || ends.contains(&len), "{len}");
            }
            Ending::Cut(cut) => {
                assert_eq!(cut.offset + cut.have, len as u64);
                assert_eq!(cut.tag, found.len() as u64);
                assert!(cut.missing > 0);
                let in_header = cut.have < 11 || cut.offset < 13;
                if !in_header {
                    let tag = &tags[found.len()];
                    assert_eq!(cut.have + cut.missing, tag.wire_len() as u64);
                    let whole = (cut.missing <= 4).then_some(tag);
                    assert_eq!(cut.whole.as_ref(), whole, "{len}");
                }
            }
            Ending::Lost(gap) => panic!("{len}: {gap:?}"),
        }
    }
}

#[test]
fn a_cut_speaks_for_itself() {
    let mut reader = TagReader::without_file_header();
    reader.push_slice(&[8, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0xaf]);
    assert_eq!(reader.next(), Ok(None));
    let Ending::Cut(cut) = reader.finish() else { panic!("not cut") };
    assert_eq!(cut.to_string(), "FLV ends in tag 0 at byte 0: 12 bytes are there, 12 are missing");
}

#[test]
fn long_file_headers_are_skipped() {
    let mut file = b"FLV\x01\x04\0\0\0\x0cabc\0\0\0\0".to_vec();
    file.extend_from_slice(&any::file_of(&[])[13..]);
    let mut reader = TagReader::new();
    let items = any::read_all(&mut reader, &any::split(&file, &[3, 10, 14]));
    assert_eq!(items, [Ok(Item::Header(FileHeader { tracks: Tracks::Audio }))]);
}

/// The body's length alone, or with 10 bytes of header, is what some muxers write.
#[test]
fn sloppy_previous_tag_sizes_are_borne() {
    let tag = |trailer| [8, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0xaf, 1, 0, 0, 0, trailer];
    for (trailer, tags) in [(13, 1), (12, 1), (2, 1), (0, 0), (11, 0), (1, 0)] {
        let mut reader = TagReader::without_file_header();
        assert_eq!(any::only_tags(any::read_all(&mut reader, &[&tag(trailer)])).len(), tags, "{trailer}");
    }
}

/// Each damage with its place, ordinal and legal values, as a reader says it.
#[test]
fn damage_is_named() {
    let tag = [8, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xaf, 0, 0, 0, 12];
    let mut seen = String::new();
    let mut say = |head: &[u8], limit: usize| {
        let mut reader = TagReader::new().with_body_limit(limit);
        reader.push_slice(head);
        while reader.next().is_ok_and(|item| item.is_some()) {}
        let err = reader.next().unwrap_err();
        assert_eq!(reader.next().as_ref(), Err(&err), "damage stays until recovery");
        seen += &format!("{err}\n");
        err.damage
    };
    let behind = |more: &[u8]| [&any::file_of(&[])[..], &tag, more].concat();
    say(b"RIFF", 100);
    say(b"FLV\x02\x05\0\0\0\x09", 100);
    say(b"FLV\x01\x05\0\0\0\x08", 100);
    say(b"FLV\x01\x05\0\0\0\x09\0\0\0\x01", 100);
    say(&behind(&[7, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), 100);
    assert!(matches!(
        say(&behind(&[0x29, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), 100),
        Damage::Filtered { got: 0x29 }
    ));
    say(&behind(&[9, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0]), 100);
    say(&behind(&[9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), 100);
    say(&behind(&[9, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x17, 0, 0, 0, 13]), 100);
    insta::assert_snapshot!(seen, @r"
    FLV damaged at byte 0, tag 0: signature RIF is not FLV
    FLV damaged at byte 3, tag 0: version 2 is not legal: 1
    FLV damaged at byte 5, tag 0: file header of 8 bytes is not legal: 9 to 65536
    FLV damaged at byte 9, tag 0: previous tag size 1 is not legal: 0
    FLV damaged at byte 29, tag 1: tag type 7 is not legal: 8 (audio), 9 (video) or 18 (script)
    FLV damaged at byte 29, tag 1: tag type byte 0x29 has the filter bit 0x20: Adobe's encrypted FLV is not supported
    FLV damaged at byte 37, tag 1: stream id 256 is not legal: 0
    FLV damaged at byte 30, tag 1: body of 256 bytes is not legal: at most 100
    FLV damaged at byte 41, tag 1: previous tag size 13 is not legal: 12
    ");
}
