//! `KH`, the 16 bytes in every marked tag that say how to read it.

use crate::key::KeyId;
use crate::salt::Salt;

/// What the user asks for: how much of a video tag is hidden.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Mode {
    /// NALU framing, NAL headers and the first bytes of slices stay clear, so
    /// that every relay that looks into tags is content. For AVC and HEVC.
    #[default]
    Nalu,
    /// The whole body inside one made-up NALU: hides slice headers too, but not
    /// for relays that compute picture order from them. AVC only.
    Capsule,
}

/// The word of the show file and the command line.
impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nalu => "nalu",
            Self::Capsule => "capsule",
        })
    }
}

/// The mode nibble as it stands on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WireMode {
    /// Marked, not encrypted: the tag carried a marker of its own.
    Literal,
    Capsule,
    Nalu,
    /// Sound behind silence: mode 1 of version 2, which has no other.
    Silence,
}

/// The header of one marked tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeyHeader {
    pub mode: WireMode,
    pub key: KeyId,
    pub salt: Salt,
    pub check: [u8; 2],
    pub seq: u32,
}

/// A version or mode this reader does not know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unreadable {
    pub version: u8,
    pub mode: u8,
}

impl KeyHeader {
    pub(crate) const LEN: usize = 16;

    /// The header of a literal tag: nothing in it is needed to read it.
    pub(crate) const LITERAL: Self =
        Self { mode: WireMode::Literal, key: KeyId(0), salt: Salt([0; 8]), check: [0; 2], seq: 0 };

    pub(crate) fn bytes(&self) -> [u8; Self::LEN] {
        let (version, mode) = match self.mode {
            WireMode::Literal => (1, 0),
            WireMode::Capsule => (1, 1),
            WireMode::Nalu => (1, 2),
            WireMode::Silence => (2, 1),
        };
        let mut bytes = [0; Self::LEN];
        bytes[0] = version << 4 | mode;
        bytes[1] = self.key.0;
        bytes[2..10].copy_from_slice(&self.salt.0);
        bytes[10..12].copy_from_slice(&self.check);
        bytes[12..].copy_from_slice(&self.seq.to_be_bytes());
        bytes
    }

    pub(crate) fn parse(bytes: &[u8; Self::LEN]) -> Result<Self, Unreadable> {
        let (&[lead, key], rest) = bytes.split_first_chunk().expect(LONG_ENOUGH);
        let (&salt, rest) = rest.split_first_chunk().expect(LONG_ENOUGH);
        let (&check, rest) = rest.split_first_chunk().expect(LONG_ENOUGH);
        let &seq = rest.first_chunk().expect(LONG_ENOUGH);
        let (version, mode) = (lead >> 4, lead & 0x0f);
        let mode = match (version, mode) {
            (1, 0) => WireMode::Literal,
            (1, 1) => WireMode::Capsule,
            (1, 2) => WireMode::Nalu,
            (2, 1) => WireMode::Silence,
            _ => return Err(Unreadable { version, mode }),
        };
        Ok(Self { mode, key: KeyId(key), salt: Salt(salt), check, seq: u32::from_be_bytes(seq) })
    }
}

const LONG_ENOUGH: &str = "the fields take 16 bytes in all";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_16_bytes_are_a_header_or_refused(bytes in any::<[u8; 16]>()) {
            match KeyHeader::parse(&bytes) {
                Ok(header) => prop_assert_eq!(header.bytes(), bytes),
                Err(err) => {
                    prop_assert!(!matches!((err.version, err.mode), (1, 0..=2) | (2, 1)));
                    prop_assert_eq!(err.version << 4 | err.mode, bytes[0]);
                }
            }
        }

        #[test]
        fn versions_and_modes_round_trip(
            lead in prop::sample::select(vec![0x10, 0x11, 0x12, 0x21]), rest in any::<[u8; 15]>(),
        ) {
            let mut bytes = [lead; 16];
            bytes[1..].copy_from_slice(&rest);
            prop_assert_eq!(KeyHeader::parse(&bytes).unwrap().bytes(), bytes);
        }
    }
}
