//! The reader's slow, obvious twin: it has the whole stream in one slice.

use bytes::Bytes;
use flv::{FlvMillis, Gap, Item, Tag, TagKind, TagReader};
use proptest::prelude::*;

use crate::any;

/// Items, or where the damage is.
type Found = Result<Item, u64>;

/// Kind and body length of the header at the front, or which byte is wrong.
fn header(data: &[u8], limit: usize) -> Result<(TagKind, usize), u64> {
    let kind = TagKind::from_number(data[0]).ok_or(0u64)?;
    if data[8..11] != [0, 0, 0] {
        return Err(8);
    }
    let len = usize::from(data[1]) << 16 | usize::from(data[2]) << 8 | usize::from(data[3]);
    if len > limit { Err(1) } else { Ok((kind, len)) }
}

fn trailer_fits(data: &[u8], len: usize) -> bool {
    let got = data[11 + len..15 + len].iter().fold(0, |value, byte| value << 8 | usize::from(*byte));
    got == len + 11 || (len > 0 && (got == len || got == len + 10))
}

fn looks_like_a_body(kind: TagKind, len: usize, first: u8) -> bool {
    let enhanced = first >= 0x80;
    len > 0
        && match kind {
            TagKind::Script => first == 2,
            TagKind::Audio => first >> 4 != 12 && first >> 4 != 13,
            TagKind::Video => (1..=5).contains(&(first >> 4 & 7)) && (enhanced || first & 15 != 0),
        }
}

fn read(data: &[u8], limit: usize) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + 11 <= data.len() {
        let rest = &data[at..];
        let wrong = match header(rest, limit) {
            Ok((_, len)) if rest.len() < 15 + len => break,
            Ok((kind, len)) if trailer_fits(rest, len) => {
                let ms = FlvMillis(u32::from_be_bytes([rest[7], rest[4], rest[5], rest[6]]));
                let body = Bytes::copy_from_slice(&rest[11..11 + len]);
                found.push(Ok(Item::Tag(Tag::new(kind, ms, body).unwrap())));
                at += 15 + len;
                continue;
            }
            Ok((_, len)) => 11 + len as u64,
            Err(wrong) => wrong,
        };
        found.push(Err(at as u64 + wrong));
        let from = at;
        loop {
            at += 1;
            if at + 12 > data.len() {
                return found;
            }
            let rest = &data[at..];
            match header(rest, limit) {
                Ok((kind, len)) if looks_like_a_body(kind, len, rest[11]) => {
                    if rest.len() < 15 + len {
                        return found;
                    }
                    if trailer_fits(rest, len) {
                        break;
                    }
                }
                _ => {}
            }
        }
        found.push(Ok(Item::Resumed(Gap { offset: from as u64, skipped: (at - from) as u64 })));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn both_read_the_same(
        tags in prop::collection::vec(any::believable_tag(), 1..8),
        hits in prop::collection::vec((any::<usize>(), prop::sample::select(vec![0u8, 1, 2, 8, 9, 18, 0x17, 255])), 0..8),
        noise in prop::collection::vec(prop::sample::select(vec![0u8, 0, 0, 1, 2, 8, 9, 18, 0x17, 0xaf]), 0..400),
        noise_at in any::<usize>(),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
        limit in prop_oneof![Just(1000usize), Just(100_000), Just(flv::MAX_BODY)],
    ) {
        let mut data = any::file_of(&tags)[13..].to_vec();
        let len = data.len();
        for (at, byte) in hits {
            data[at % len] = byte;
        }
        data.splice(noise_at % len..noise_at % len, noise);
        let mut reader = TagReader::without_file_header().with_body_limit(limit);
        let fast = any::read_all(&mut reader, &any::split(&data, &cuts));
        let fast: Vec<Found> = fast.into_iter().map(|item| item.map_err(|err| err.offset)).collect();
        prop_assert_eq!(fast, read(&data, limit));
    }
}
