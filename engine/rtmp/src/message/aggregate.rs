//! Aggregate messages: several tags in one (section 7.1.6).

use bytes::{Buf, Bytes};

use super::{MessageFault, MessageType};

/// One of the messages inside an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubMessage {
    /// Audio, video or data.
    pub kind: MessageType,
    /// Milliseconds on the connection's timeline, modulo 2^32.
    pub timestamp: u32,
    /// A slice of the aggregate.
    pub payload: Bytes,
}

/// The header of a tag: type, length, timestamp, stream.
const HEADER: usize = 11;
/// The length of the tag before, behind each tag.
const BACK_POINTER: usize = 4;

/// Takes an aggregate apart. Its own timestamp is that of its first tag; the
/// tags' timestamps only tell how far they are from each other.
///
/// # Errors
/// If it ends inside a tag (a missing last back pointer is let pass), or has
/// more than `most` tags.
pub fn unpack_aggregate(
    timestamp: u32,
    mut payload: Bytes,
    most: usize,
) -> Result<Vec<SubMessage>, MessageFault> {
    let length = payload.len();
    let mut found = Vec::new();
    let mut first = None;
    while !payload.is_empty() {
        let cut = MessageFault::AggregateCut { offset: length - payload.len(), length };
        if payload.len() < HEADER {
            return Err(cut);
        }
        if found.len() == most {
            return Err(MessageFault::AggregateTags { most });
        }
        let kind = MessageType(payload.get_u8());
        let size = payload.get_uint(3) as usize;
        let low = payload.get_uint(3) as u32;
        let own = u32::from(payload.get_u8()) << 24 | low;
        payload.advance(3);
        if payload.len() < size {
            return Err(cut);
        }
        let first = *first.get_or_insert(own);
        let timestamp = timestamp.wrapping_add(own.wrapping_sub(first));
        found.push(SubMessage { kind, timestamp, payload: payload.split_to(size) });
        payload.advance(BACK_POINTER.min(payload.len()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{BufMut, BytesMut};
    use proptest::prelude::*;

    fn pack(tags: &[(u8, u32, Vec<u8>)]) -> Bytes {
        let mut out = BytesMut::new();
        for (kind, time, body) in tags {
            out.put_u8(*kind);
            out.put_uint(body.len() as u64, 3);
            out.put_uint(u64::from(time & 0xFF_FFFF), 3);
            out.put_u8((time >> 24) as u8);
            out.put_uint(0, 3);
            out.put_slice(body);
            out.put_u32(body.len() as u32 + 11);
        }
        out.freeze()
    }

    proptest! {
        #[test]
        fn comes_apart_as_it_was_put_together(
            at: u32,
            tags in prop::collection::vec((8u8..10, any::<u32>(), prop::collection::vec(any::<u8>(), 0..40)), 0..9),
        ) {
            let got = unpack_aggregate(at, pack(&tags), 9).unwrap();
            prop_assert_eq!(got.len(), tags.len());
            for (sub, (kind, time, body)) in got.iter().zip(&tags) {
                prop_assert_eq!(sub.kind, MessageType(*kind));
                prop_assert_eq!(sub.timestamp.wrapping_sub(at), time.wrapping_sub(tags[0].1));
                prop_assert_eq!(&sub.payload[..], &body[..]);
            }
        }

        #[test]
        fn a_cut_is_found_where_it_is(cut in 1usize..=25) {
            let whole = pack(&[(9, 5, vec![1; 10]), (8, 6, vec![2; 10])]);
            let got = unpack_aggregate(0, whole.slice(..whole.len() - cut), 9);
            if cut <= BACK_POINTER {
                prop_assert_eq!(got.unwrap().len(), 2);
            } else if cut == 25 {
                prop_assert_eq!(got.unwrap().len(), 1);
            } else {
                prop_assert_eq!(got.unwrap_err(), MessageFault::AggregateCut { offset: 25, length: 50 - cut });
            }
        }
    }

    #[test]
    fn the_number_of_tags_is_bounded() {
        let tags = vec![(8, 0, vec![0]); 4];
        assert_eq!(unpack_aggregate(0, pack(&tags), 4).unwrap().len(), 4);
        let err = unpack_aggregate(0, pack(&tags), 3).unwrap_err();
        assert_eq!(err.to_string(), "an aggregate of more than 3 tags; legal are 0 to 3");
    }
}
