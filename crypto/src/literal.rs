//! Literal marks (mode 0): a clear tag that happens to carry our marker gets
//! another one that says "take this off, and leave the rest alone".

use bytes::Bytes;

use crate::aac_mode;
use crate::marker::{self, Framing, Marker, Place};
use crate::nalu_mode;
use crate::shape::Shape;

/// Marks a body that carries `forged`; `None` if the mark could not be told
/// from what is there.
pub(crate) fn mark(body: &Bytes, shape: &Shape, framing: Framing, forged: &Marker) -> Option<Bytes> {
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
    (found.is_literal() && unmark(marked.clone(), &found.place) == *body).then_some(marked)
}

/// Takes a mark off.
pub(crate) fn unmark(body: Bytes, place: &Place) -> Bytes {
    match place {
        Place::Dse { payload } => nalu_mode::unmark(body, *payload..*payload + marker::DSE_LEN),
        Place::Sei { range, .. } => nalu_mode::unmark(body, range.clone()),
        // Nothing is taken out of a capsule but its contents.
        Place::Capsule { .. } => body,
    }
}
