//! Master keys, their ids, and the ring a reader holds.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A 16-byte secret from which every track key is derived.
///
/// It is written as 32 hex digits, wiped when dropped, and never printed.
///
/// ```
/// use crypto::MasterKey;
///
/// let key: MasterKey = "000102030405060708090a0b0c0d0e0f\n".parse()?;
/// assert_eq!(format!("{key:?}"), "MasterKey(..)");
/// # Ok::<(), crypto::KeyError>(())
/// ```
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; Self::LEN]);

impl MasterKey {
    /// Bytes in a key.
    pub const LEN: usize = 16;

    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// Why a text is no key. Neither variant repeats any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not 32 characters long.
    #[error("a key is 32 hex digits; this has {got} characters")]
    Length {
        /// Characters that came, without the white space around them.
        got: usize,
    },
    /// A character that is no hex digit.
    #[error("a key is 32 hex digits; character {position} is none")]
    Digit {
        /// Its place, from 1, without the white space around the key.
        position: usize,
    },
}

/// 32 hex digits of either case; white space around them is skipped.
impl FromStr for MasterKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if let Some(at) = text.chars().position(|c| !c.is_ascii_hexdigit()) {
            return Err(KeyError::Digit { position: at + 1 });
        }
        // Only ASCII digits are left, so bytes and characters are one.
        if text.len() != 2 * Self::LEN {
            return Err(KeyError::Length { got: text.len() });
        }
        let mut key = Self([0; Self::LEN]);
        for (at, digit) in text.chars().enumerate() {
            let nibble = digit.to_digit(16).unwrap_or(0) as u8;
            key.0[at / 2] = key.0[at / 2] << 4 | nibble;
        }
        Ok(key)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// Which master key a tag was encrypted under; travels in the clear.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyId(pub u8);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The master keys a reader holds, by id: during a rotation the old and the new.
#[derive(Clone, Default)]
pub struct KeyRing(BTreeMap<KeyId, MasterKey>);

impl KeyRing {
    /// A ring without keys.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds a key; one of the same id is replaced.
    pub fn insert(&mut self, id: KeyId, key: MasterKey) {
        self.0.insert(id, key);
    }
    /// Takes a key off the ring; whether there was one.
    pub fn remove(&mut self, id: KeyId) -> bool {
        self.0.remove(&id).is_some()
    }
    /// The key of this id.
    pub fn get(&self, id: KeyId) -> Option<&MasterKey> {
        self.0.get(&id)
    }
    /// The ids on the ring, in rising order.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.0.keys().copied()
    }
}

impl FromIterator<(KeyId, MasterKey)> for KeyRing {
    fn from_iter<I: IntoIterator<Item = (KeyId, MasterKey)>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

/// Ids only.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_hex_digits() {
        let key: MasterKey = " 000102030405060708090A0b0c0d0e0f\r\n".parse().unwrap();
        assert_eq!(*key.bytes(), std::array::from_fn(|i| i as u8));
        let err = "0001".parse::<MasterKey>().unwrap_err();
        assert_eq!(err.to_string(), "a key is 32 hex digits; this has 4 characters");
        let err = "00010203g405060708090a0b0c0d0e0f".parse::<MasterKey>().unwrap_err();
        assert_eq!(err.to_string(), "a key is 32 hex digits; character 9 is none");
        let err = "00é1".parse::<MasterKey>().unwrap_err();
        assert_eq!(err, KeyError::Digit { position: 3 });
        assert_eq!("".parse::<MasterKey>().unwrap_err(), KeyError::Length { got: 0 });
    }

    #[test]
    fn nothing_secret_is_printed() {
        let key = MasterKey::from_bytes([0xab; 16]);
        let ring: KeyRing = [(KeyId(7), key.clone())].into_iter().collect();
        let printed = format!("{key:?} {key:#?} {ring:?}");
        assert!(!printed.contains("ab") && !printed.contains("171"), "{printed}");
        assert!(printed.contains("KeyId(7)"));
    }

    #[test]
    fn a_dropped_key_is_wiped() {
        let mut key = MasterKey::from_bytes([0xab; 16]);
        key.zeroize();
        assert_eq!(*key.bytes(), [0; 16]);
        fn wipes_itself<T: ZeroizeOnDrop>() {}
        wipes_itself::<MasterKey>();
    }
}
