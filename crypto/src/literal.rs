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
    // The one that is found may even lie behind where the body ended.
    let (before, behind) = body.split_at_checked(mark.start)?;
    (marked[..mark.start] == *before && marked[mark.end..] == *behind).then_some(marked)
}

/// What to take out of a literal body; nothing is taken out of a capsule.
pub(crate) fn mark_at(place: &Place) -> Option<Range<usize>> {
    match place {
        Place::Dse { payload } => Some(*payload..*payload + marker::DSE_LEN),
        Place::Sei { range, .. } => Some(range.clone()),
        Place::Capsule { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{self, Layout};
    use flv::TagKind;

    /// Found by fuzzing: in lengths of one byte the mark reads as one that lies behind the end
    /// of what was marked.
    #[test]
    fn a_mark_that_would_be_found_behind_the_end_is_none() {
        let mut body = vec![0x1c, 1, 0, 0, 0x50, 0, 0, 1];
        body.extend([0x49; 71]);
        for run in [69, 69, 69, 36] {
            body.extend([0, 0, 0, 1]);
            body.extend(std::iter::repeat_n(0x49, run));
        }
        body.extend([0, 0x26, 0x4e, 1, 5, 0x20]);
        body.extend([
            0x26, 0x67, 0x10, 0x3b, 0x55, 0x5d, 0x48, 0xaf, 0xbf, 0x1f, 3, 0x94, 0xc2, 0x18, 0x5a, 0x34,
        ]);
        body.extend([
            0x12, 1, 0x36, 0x49, 0x53, 0x12, 0xb5, 0x76, 0xea, 0xf3, 0xfc, 0x87, 0, 0, 3, 0, 0x0b, 0x80,
        ]);
        let framing = Framing::of(flv::nalu::LengthSize::One);
        let Layout::Single(shape) = shape::of(TagKind::Video, &body) else { panic!("one track") };
        let forged = marker::find(&body, &shape, framing).unwrap();
        assert_eq!(mark(&body, &shape, framing, &forged), None);
    }
}
