//! What stands before the payload of a chunk (sections 5.3.1.1 to 5.3.1.3).

use super::{Csid, EXTENDED};

/// The longest a chunk header can be: 3 bytes of basic header, 11 of message
/// header, 4 of extended timestamp.
pub(super) const MAX_HEADER: usize = 18;

/// A chunk's header, its timestamp field resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub csid: Csid,
    pub fields: Fields,
    /// The extended timestamp, where there was one.
    pub extended: Option<u32>,
}

/// What the four header types carry; the rest is taken from the header before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    /// Type 0: an absolute timestamp and all else.
    Full { timestamp: u32, length: u32, kind: u8, stream: u32 },
    /// Type 1: the stream is the same.
    Shape { delta: u32, length: u32, kind: u8 },
    /// Type 2: only the time moves on.
    Delta { delta: u32 },
    /// Type 3: all the same, or the rest of a message.
    Same,
}

impl Fields {
    pub fn fmt(&self) -> u8 {
        match self {
            Self::Full { .. } => 0,
            Self::Shape { .. } => 1,
            Self::Delta { .. } => 2,
            Self::Same => 3,
        }
    }
}

/// What is known of the extended timestamp of type 3 chunks on a connection.
///
/// The specification (5.3.1.3) wants it repeated there; old librtmp leaves it
/// out. Nothing announces which a peer does, so the first chunk that differs decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeats {
    /// No such chunk came yet.
    Unknown,
    /// As specified.
    Yes,
    /// As old librtmp.
    No,
}

/// What a type 3 chunk inherits where its chunk stream uses extended timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inherited {
    /// The last extended timestamp field.
    pub field: u32,
    /// The message's absolute timestamp, which some peers repeat instead.
    pub absolute: u32,
}

/// The outcome of looking at the bytes that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A whole header of `len` bytes, and what is now known of type 3 chunks.
    Done { header: Header, len: usize, repeats: Repeats },
    /// More bytes are needed.
    Short,
}

/// Reads a header off the front of `bytes`. `inherited` tells, for a chunk
/// stream, whether its last header had an extended timestamp.
pub(super) fn parse(bytes: &[u8], repeats: Repeats, inherited: impl Fn(Csid) -> Option<Inherited>) -> Parsed {
    parse_some(bytes, repeats, inherited).unwrap_or(Parsed::Short)
}

fn parse_some(
    bytes: &[u8],
    repeats: Repeats,
    inherited: impl Fn(Csid) -> Option<Inherited>,
) -> Option<Parsed> {
    let (&first, rest) = bytes.split_first()?;
    let (csid, rest) = match first & 0x3F {
        0 => {
            let (&low, rest) = rest.split_first()?;
            (64 + u32::from(low), rest)
        }
        1 => {
            let (&[low, high], rest) = rest.split_first_chunk()?;
            (64 + u32::from(low) + 256 * u32::from(high), rest)
        }
        csid => (u32::from(csid), rest),
    };
    let csid = Csid(csid);
    let done = |rest: &[u8], fields, extended, repeats| {
        let header = Header { csid, fields, extended };
        Some(Parsed::Done { header, len: bytes.len() - rest.len(), repeats })
    };

    match first >> 6 {
        0 => {
            let (&[t0, t1, t2, l0, l1, l2, kind, s0, s1, s2, s3], rest) = rest.split_first_chunk()?;
            let (timestamp, extended, rest) = extend(be24([t0, t1, t2]), rest)?;
            let length = be24([l0, l1, l2]);
            let stream = u32::from_le_bytes([s0, s1, s2, s3]);
            done(rest, Fields::Full { timestamp, length, kind, stream }, extended, repeats)
        }
        1 => {
            let (&[t0, t1, t2, l0, l1, l2, kind], rest) = rest.split_first_chunk()?;
            let (delta, extended, rest) = extend(be24([t0, t1, t2]), rest)?;
            done(rest, Fields::Shape { delta, length: be24([l0, l1, l2]), kind }, extended, repeats)
        }
        2 => {
            let (&[t0, t1, t2], rest) = rest.split_first_chunk()?;
            let (delta, extended, rest) = extend(be24([t0, t1, t2]), rest)?;
            done(rest, Fields::Delta { delta }, extended, repeats)
        }
        _ => match (inherited(csid), repeats) {
            (None, _) | (_, Repeats::No) => done(rest, Fields::Same, None, repeats),
            (Some(_), Repeats::Yes) => {
                let (&field, rest) = rest.split_first_chunk()?;
                done(rest, Fields::Same, Some(u32::from_be_bytes(field)), repeats)
            }
            (Some(expected), Repeats::Unknown) => {
                // Payload that happens to begin with the very same four bytes
                // is the price; the first byte that differs settles it.
                let seen = &rest[..rest.len().min(4)];
                let fits = |value: u32| value.to_be_bytes().starts_with(seen);
                if !fits(expected.field) && !fits(expected.absolute) {
                    return done(rest, Fields::Same, None, Repeats::No);
                }
                let (&field, rest) = rest.split_first_chunk()?;
                done(rest, Fields::Same, Some(u32::from_be_bytes(field)), Repeats::Yes)
            }
        },
    }
}

fn be24([a, b, c]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, a, b, c])
}

/// The timestamp a field stands for, and the bytes after it.
fn extend(field: u32, rest: &[u8]) -> Option<(u32, Option<u32>, &[u8])> {
    if field != EXTENDED {
        return Some((field, None, rest));
    }
    let (&bytes, rest) = rest.split_first_chunk()?;
    let value = u32::from_be_bytes(bytes);
    Some((value, Some(value), rest))
}
