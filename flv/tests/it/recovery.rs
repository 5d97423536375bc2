//! Going on after damage.

use bytes::Bytes;
use flv::{Ending, FlvMillis, Gap, Item, Tag, TagKind, TagReader};
use proptest::prelude::*;

use crate::any;

proptest! {
    /// Whatever is done to the middle, the tags before and behind come out, and no byte is unaccounted for.
    #[test]
    fn tags_around_garbage_survive(
        before in prop::collection::vec(any::believable_tag(), 0..5),
        // High bytes cannot begin a tag, so the gap is exact.
        garbage in prop::collection::vec(128u8..=255, 1..300),
        behind in prop::collection::vec(any::believable_tag(), 1..5),
        cuts in prop::collection::vec(any::<usize>(), 0..30),
    ) {
        let head = any::file_of(&before);
        let file = [&head[..], &garbage, &any::file_of(&behind)[13..]].concat();
        let mut reader = TagReader::new();
        let items = any::read_all(&mut reader, &any::split(&file, &cuts));
        let gap = Gap { offset: head.len() as u64, skipped: garbage.len() as u64 };
        prop_assert!(items.contains(&Ok(Item::Resumed(gap))), "{:?}", items);
        prop_assert_eq!(any::only_tags(items), [before, behind].concat());
        prop_assert_eq!(reader.finish(), Ending::Whole);
    }

    #[test]
    fn any_split_of_a_damaged_stream_gives_the_same(
        tags in prop::collection::vec(any::believable_tag(), 1..8),
        hits in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        cuts in prop::collection::vec(any::<usize>(), 0..30),
    ) {
        let mut file = any::file_of(&tags);
        let len = file.len();
        for (at, byte) in hits {
            file[at % len] = byte;
        }
        let (mut one, mut many) = (TagReader::new(), TagReader::new());
        let whole = any::read_all(&mut one, &[&file]);
        prop_assert_eq!(any::read_all(&mut many, &any::split(&file, &cuts)), whole);
        prop_assert_eq!(one.finish(), many.finish());
        prop_assert_eq!(one.offset(), many.offset());
    }

    /// Items and gaps cover the stream without a hole.
    #[test]
    fn no_byte_is_unaccounted_for(
        tags in prop::collection::vec(any::believable_tag(), 1..8),
        hits in prop::collection::vec((any::<usize>(), any::<u8>()), 0..6),
    ) {
        let mut file = any::file_of(&tags);
        let len = file.len();
        for (at, byte) in hits {
            // Behind the file header, whose damage is another matter.
            file[13 + at % (len - 13)] = byte;
        }
        let mut reader = TagReader::new();
        let mut bytes = 0;
        for item in any::read_all(&mut reader, &[&file]).into_iter().flatten() {
            bytes += match item {
                Item::Header(_) => 13,
                Item::Tag(tag) => tag.wire_len() as u64,
                Item::Resumed(gap) => {
                    prop_assert_eq!(gap.offset, bytes);
                    gap.skipped
                }
            };
        }
        bytes += match reader.finish() {
            Ending::Whole => 0,
            Ending::Cut(cut) => cut.have,
            Ending::Lost(gap) => gap.skipped,
        };
        prop_assert_eq!(bytes, len as u64);
    }
}

fn audio(ms: u32, body: &'static [u8]) -> Tag {
    Tag::new(TagKind::Audio, FlvMillis(ms), Bytes::from_static(body)).unwrap()
}

/// A damaged length hides the tags behind it until the stream ends; giving up on it finds them.
#[test]
fn a_length_beyond_the_end_can_be_given_up() {
    let tags = [audio(0, &[0xaf, 1, 1]), audio(20, &[0xaf, 1, 2]), audio(40, &[0xaf, 1, 3])];
    let mut file = any::file_of(&tags);
    file[14] = 0x40;
    let mut reader = TagReader::new();
    assert_eq!(any::only_tags(any::read_all(&mut reader, &[&file])), []);
    assert!(matches!(reader.finish(), Ending::Cut(cut) if cut.missing > 4_000_000));
    reader.recover();
    let items = any::read_all(&mut reader, &[&[]]);
    assert_eq!(items[0], Ok(Item::Resumed(Gap { offset: 13, skipped: 18 })));
    assert_eq!(any::only_tags(items), tags[1..]);
    assert_eq!(reader.finish(), Ending::Whole);
}

#[test]
fn a_stream_joined_in_the_middle_is_read_from_its_first_tag() {
    let tags = [audio(0, &[0xaf, 1, 1]), audio(20, &[0xaf, 1, 2])];
    let file = any::file_of(&tags);
    let mut reader = TagReader::new();
    let items = any::read_all(&mut reader, &[&file[13..]]);
    assert!(items[0].is_err());
    assert_eq!(items[1], Ok(Item::Resumed(Gap { offset: 0, skipped: 0 })));
    assert_eq!(any::only_tags(items), tags);

    let mut reader = TagReader::without_file_header();
    assert_eq!(any::only_tags(any::read_all(&mut reader, &[&file[13..]])), tags);
}

#[test]
fn two_files_in_a_row_are_two_runs_of_tags() {
    let tags = [audio(0, &[0xaf, 1, 1]), audio(20, &[0xaf, 1, 2])];
    let file = any::file_of(&tags);
    let items = any::read_all(&mut TagReader::new(), &[&file, &file]);
    assert!(items.contains(&Ok(Item::Resumed(Gap { offset: file.len() as u64, skipped: 13 }))));
    assert_eq!(any::only_tags(items), [&tags[..], &tags].concat());
}

#[test]
fn what_never_recovers_is_lost() {
    let mut reader = TagReader::new();
    let items = any::read_all(&mut reader, &[&[0; 100], &[9; 100]]);
    assert_eq!(items.len(), 1);
    assert_eq!(reader.finish(), Ending::Lost(Gap { offset: 0, skipped: 200 }));
    // Each call gives up at least one byte, so that giving up ends.
    for _ in 0..200 {
        reader.recover();
        assert_eq!(reader.next(), Ok(None));
    }
    assert_eq!(reader.buffered(), 0);
}

/// A peer that sends noise makes the reader hold no more than one tag of the longest legal length.
#[test]
fn what_is_held_back_is_bounded() {
    let limit = 1000;
    let mut reader = TagReader::new().with_body_limit(limit);
    let mut noise = 1u32;
    for _ in 0..2000 {
        let piece: Vec<u8> = (0..64)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Few values, so that many places look like a header.
                [0, 0, 0, 8, 9, 18, 0x17, 0xaf][(noise >> 28) as usize % 8]
            })
            .collect();
        any::read_all(&mut reader, &[&piece]);
        assert!(reader.buffered() <= limit + 15, "{}", reader.buffered());
    }
    assert!(reader.offset() > 100_000);
}

/// A tag that says it is long, and is none: what follows it shows.
#[test]
fn a_length_that_takes_in_whole_tags_is_seen_through() {
    let tag =
        |ms| Tag::new(TagKind::Audio, FlvMillis(ms), Bytes::from_static(&[0xaf, 1, 0x21, 0x10])).unwrap();
    let mut file = any::file_of(&[tag(0), tag(20), tag(40), tag(60)]);
    // The second tag's length, in its upper byte.
    let second = 13 + tag(0).wire_len();
    file[second + 1] = 0x20;
    let len = tag(0).wire_len();
    for (upto, hides) in [(second + 9, false), (second + 2 * len, false), (second + 3 * len - 1, false)]
        .into_iter()
        .chain([(second + 3 * len, true), (file.len(), true)])
    {
        let mut reader = TagReader::new();
        let items = any::read_all(&mut reader, &[&file[..upto]]);
        assert_eq!(any::only_tags(items), [tag(0)]);
        assert_eq!(reader.hides_tags(), hides, "{upto} bytes");
        if hides {
            reader.recover();
            let items = any::read_all(&mut reader, &[&[]]);
            let gap = Gap { offset: second as u64, skipped: len as u64 };
            assert_eq!(items[0], Ok(Item::Resumed(gap)));
            assert_eq!(any::only_tags(items).first(), Some(&tag(40)));
        }
    }
    // One tag inside a body that is still to come may be chance, and a stream that waits for
    // nothing holds nothing back.
    let mut sound = TagReader::new();
    any::read_all(&mut sound, &[&any::file_of(&[tag(0), tag(20), tag(40)])]);
    assert!(!sound.hides_tags());
}

proptest! {
    #[test]
    fn noise_hides_no_tags(body in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut reader = TagReader::without_file_header();
        let head = [&[9, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &body].concat();
        any::read_all(&mut reader, &[&head]);
        prop_assert!(!reader.hides_tags());
    }
}
