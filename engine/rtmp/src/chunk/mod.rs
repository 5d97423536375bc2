//! The chunk layer: messages cut in pieces that share one connection.
//!
//! Source: Adobe's RTMP specification 1.0, section 5.3. [`ChunkReader`] and
//! [`ChunkWriter`] are each other's inverse; both start with chunks of
//! [`ChunkSize::INITIAL`] bytes and are told of every change.

mod header;
mod reader;
mod slices;
mod writer;

use std::fmt;

use media::OutOfRange;

pub use reader::{Arrival, ChunkError, ChunkFault, ChunkReader};
pub use slices::Slices;
pub use writer::ChunkWriter;

/// The timestamp field's value that says "see the extended timestamp".
const EXTENDED: u32 = 0xFF_FFFF;

/// The number of a chunk stream, 2 to 65599 (section 5.3.1.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Csid(u32);

impl Csid {
    /// Where protocol control messages go.
    pub const CONTROL: Self = Self(2);
    /// Where most peers send commands.
    pub const COMMAND: Self = Self(3);
    /// Where most peers send sound.
    pub const AUDIO: Self = Self(4);
    /// Where most peers send data, such as metadata.
    pub const DATA: Self = Self(5);
    /// Where most peers send pictures.
    pub const VIDEO: Self = Self(6);
    /// The largest there is.
    pub const MAX: Self = Self(65_599);

    /// # Errors
    /// Outside 2 to 65599: 0 and 1 mark the longer forms of the header.
    pub fn new(csid: u32) -> Result<Self, OutOfRange> {
        if (2..=65_599).contains(&csid) {
            Ok(Self(csid))
        } else {
            Err(OutOfRange { what: "chunk stream id", got: csid.to_string(), legal: "2 to 65599" })
        }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Csid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The most payload bytes one chunk carries.
///
/// On the wire 1 to 0x7FFFFFFF are legal. No message is longer than 0xFFFFFF
/// bytes, so (as section 5.4.1 says) everything from there on means the same
/// and is kept as 0xFFFFFF. A large chunk size costs no memory: what a peer can
/// make us hold is bounded by the message lengths in [`Limits`](crate::Limits).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChunkSize(u32);

impl ChunkSize {
    /// What both directions start with.
    pub const INITIAL: Self = Self(128);
    /// What every peer takes.
    pub const USUAL: Self = Self(4096);
    /// For media to peers that announce large chunks themselves: few headers,
    /// and the largest that Flash-era servers take.
    pub const LARGE: Self = Self(65_536);
    /// The largest that makes a difference.
    pub const MAX: Self = Self(0xFF_FFFF);

    /// # Errors
    /// Zero, or with the topmost bit set.
    pub fn new(size: u32) -> Result<Self, OutOfRange> {
        match size {
            1..=0x7FFF_FFFF => Ok(Self(size.min(Self::MAX.0))),
            _ => {
                Err(OutOfRange { what: "chunk size", got: size.to_string(), legal: "1 to 2147483647 bytes" })
            }
        }
    }

    /// Bytes, 1 to 0xFFFFFF.
    pub const fn get(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_named() {
        assert_eq!(Csid::new(1).unwrap_err().to_string(), "chunk stream id of 1 is out of range: 2 to 65599");
        assert_eq!(Csid::new(65_599), Ok(Csid::MAX));
        assert!(Csid::new(65_600).is_err());
        assert!(ChunkSize::new(0).is_err());
        assert!(ChunkSize::new(0x8000_0000).is_err());
        assert_eq!(ChunkSize::new(0x7FFF_FFFF), Ok(ChunkSize::MAX));
        assert_eq!(ChunkSize::new(1).map(ChunkSize::get), Ok(1));
    }
}
