//! What is shared by all parsers of tag bodies: the cursor, its error, four-character codes.

use std::fmt;

/// What is wrong with a body, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} at byte {offset}: {problem}")]
pub struct BodyError {
    /// The field, e.g. `AVC packet type`.
    pub field: &'static str,
    /// Where the field begins, in bytes from the start of what was parsed.
    pub offset: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The data ends inside the field.
    #[error("cut off after {} of {needed} bytes", needed.saturating_sub(*missing))]
    Truncated {
        /// How long the field is.
        needed: usize,
        /// How much of that is not there.
        missing: usize,
    },
    /// A value that the format does not have, or that we do not work with.
    #[error("{got} is not legal: {legal}")]
    Illegal {
        /// The value that came.
        got: u64,
        /// The legal values.
        legal: &'static str,
    },
    /// The field could not be decoded.
    #[error("cannot be read: {0}")]
    Unreadable(String),
}

impl BodyError {
    pub(crate) fn illegal(field: &'static str, offset: usize, got: u64, legal: &'static str) -> Self {
        Self { field, offset, problem: Problem::Illegal { got, legal } }
    }

    pub(crate) fn truncated(field: &'static str, offset: usize, needed: usize, have: usize) -> Self {
        let missing = needed.saturating_sub(have);
        Self { field, offset, problem: Problem::Truncated { needed, missing } }
    }
}

/// Four characters that name a codec.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub [u8; 4]);

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{}", byte.escape_ascii())?;
        }
        Ok(())
    }
}
impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FourCc({self})")
    }
}

/// Reads fields from the front, and knows where it is.
pub(crate) struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }
    pub(crate) fn at(data: &'a [u8], at: usize) -> Self {
        Self { data, at: at.min(data.len()) }
    }
    pub(crate) fn offset(&self) -> usize {
        self.at
    }
    pub(crate) fn remaining(&self) -> usize {
        self.data.len() - self.at
    }
    pub(crate) fn is_at_end(&self) -> bool {
        self.remaining() == 0
    }
    pub(crate) fn peek(&self, len: usize) -> Option<&'a [u8]> {
        self.data.get(self.at..self.at.checked_add(len)?)
    }
    pub(crate) fn take(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], BodyError> {
        let Some(bytes) = self.peek(len) else {
            return Err(BodyError::truncated(field, self.at, len, self.remaining()));
        };
        self.at += len;
        Ok(bytes)
    }
    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], BodyError> {
        let Some(bytes) = self.data[self.at..].first_chunk::<N>() else {
            return Err(BodyError::truncated(field, self.at, N, self.remaining()));
        };
        self.at += N;
        Ok(*bytes)
    }
    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, BodyError> {
        Ok(self.array::<1>(field)?[0])
    }
    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, BodyError> {
        self.array(field).map(u16::from_be_bytes)
    }
    pub(crate) fn u24(&mut self, field: &'static str) -> Result<u32, BodyError> {
        let [a, b, c] = self.array(field)?;
        Ok(u32::from_be_bytes([0, a, b, c]))
    }
    /// A signed 24-bit number.
    pub(crate) fn i24(&mut self, field: &'static str) -> Result<i32, BodyError> {
        let [a, b, c] = self.array(field)?;
        Ok(i32::from_be_bytes([a, b, c, 0]) >> 8)
    }
    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, BodyError> {
        self.array(field).map(u32::from_be_bytes)
    }
    pub(crate) fn fourcc(&mut self, field: &'static str) -> Result<FourCc, BodyError> {
        self.array(field).map(FourCc)
    }
}
