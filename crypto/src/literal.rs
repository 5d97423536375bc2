//! Literal marks (mode 0): a clear tag that happens to carry our marker gets
//! another one that says "take this off, and leave the rest alone".

use std::ops::Range;

use bytes::Bytes;

use crate::aac_mode;
use crate::marker::{self, Framing, Marker, Place};
use crate::nalu_mode;
use crate::shape::Shape;

/// Marks a body that carries `forged`; `None` if the mark could not be told
/// from what is there.
pub(crate) fn mark(body: &[u8], shape: &Shape, framing: Framing, forged: &Marker) -> Option<Bytes> {
    let marked = match (shape, &forged.place) {
        (_, Place::Dse { payload }) => aac_mode::mark_literal(body, *payload),
        (Shape::Units { payload, .. }, Place::Sei { codec, size, .. }) => {
            nalu_mode::mark_literal(body, *payload, *codec, *size)
        }
        (Shape::Units { codec, payload }, Place::Capsule { .. }) => {
            nalu_mode::mark_literal(body, *payload, *codec, framing.size())
        }
        _ => return None,
    };
    // Lengths of several sizes can be made to read alike: look that it comes back.
    let found = marker::find(&marked, shape, framing)?;
    let mark = mark_at(&found.place).filter(|_| found.is_literal())?;
    let comes_back = marked[..mark.start] == body[..mark.start] && marked[mark.end..] == body[mark.start..];
    comes_back.then_some(marked)
}

/// What to take out of a literal body; nothing is taken out of a capsule.
pub(crate) fn mark_at(place: &Place) -> Option<Range<usize>> {
    match place {
        Place::Dse { payload } => Some(*payload..*payload + marker::DSE_LEN),
        Place::Sei { range, .. } => Some(range.clone()),
        Place::Capsule { .. } => None,
    }
}
