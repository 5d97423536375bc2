//! Whole tags appended to a buffer, with a body whose length shows only when it is there.

use bytes::{BufMut, BytesMut};
use flv::{BodyTooLong, MAX_BODY, TAG_HEADER_LEN, Tag};

/// Appends the header of a tag, and makes room for all of it; `end` gets what this gives.
pub(crate) fn begin(tag: &Tag, grows_by: usize, out: &mut BytesMut) -> usize {
    out.reserve(tag.wire_len() + grows_by);
    let start = out.len();
    out.put_slice(&tag.header());
    start
}

/// Appends the trailer behind a body, and says in the header how long the body is.
///
/// # Errors
/// A body longer than a tag's; all is taken back then.
pub(crate) fn end(tag: &Tag, start: usize, out: &mut BytesMut) -> Result<(), BodyTooLong> {
    let len = out.len() - start - TAG_HEADER_LEN;
    if len > MAX_BODY {
        out.truncate(start);
        return Err(BodyTooLong { kind: tag.kind, len });
    }
    let [_, length @ ..] = (len as u32).to_be_bytes();
    out[start + 1..start + 4].copy_from_slice(&length);
    out.put_u32((TAG_HEADER_LEN + len) as u32);
    Ok(())
}
