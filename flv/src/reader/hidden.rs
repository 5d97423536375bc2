//! Tags behind a header that claims them for its body.

use super::window::header_of;
use super::{TRAILER_LEN, is_believable};
use crate::tag::TAG_HEADER_LEN;

/// Whether somewhere behind its first byte `held` has two whole tags, one behind the other.
///
/// Each takes a legal header and a PreviousTagSize that agrees, 60 bits or more in all: no
/// compressed body has two of these in a row by chance.
pub(super) fn has_two_in_a_row(held: &[u8], body_limit: u32) -> bool {
    let starts = memchr::memchr3_iter(8, 9, 18, held).filter(|at| *at > 0);
    let mut ends = starts.filter_map(|at| end_of_tag(held, at, body_limit));
    ends.any(|end| end_of_tag(held, end, body_limit).is_some())
}

/// Where the tag at `at` ends, if there is a whole one.
fn end_of_tag(held: &[u8], at: usize, body_limit: u32) -> Option<usize> {
    let tag = held.get(at..)?;
    let head = header_of(tag, body_limit)?.ok()?;
    let first = *tag.get(TAG_HEADER_LEN)?;
    let trailer = tag.get(head.wire_len() - TRAILER_LEN..)?.first_chunk()?;
    let sound = is_believable(head.kind, head.len, first) && head.agrees_with(u32::from_be_bytes(*trailer));
    sound.then_some(at + head.wire_len())
}
