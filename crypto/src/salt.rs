//! Where salts come from: the operating system, and nowhere else.
//!
//! Two encryptors with the same salt under one key would use the same keystream
//! for different pictures, which gives both away. So nobody outside this crate
//! can choose a salt; fixed ones exist in its tests alone.

use std::fmt;

/// 64 random bits from which, with a master key, a track key is derived.
/// It travels in the clear; it can be read, but not made, from outside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Salt(pub(crate) [u8; 8]);

/// 16 hex digits.
impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The source of random bits failed; nothing was encrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system's random source failed, so no salt could be drawn: {reason}")]
pub struct SaltError {
    /// What the system said.
    pub reason: String,
}

/// Draws salts. Not public: a caller must not be able to repeat one.
pub(crate) trait SaltSource: Send + Sync {
    fn draw(&mut self) -> Result<Salt, SaltError>;
}

/// The operating system's random source.
pub(crate) struct OsSalts;

impl SaltSource for OsSalts {
    fn draw(&mut self) -> Result<Salt, SaltError> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|err| SaltError { reason: err.to_string() })?;
        Ok(Salt(bytes))
    }
}

#[cfg(test)]
pub(crate) mod fixed {
    //! Salts of the test vectors, and a source that fails.
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The salt of the format's vectors.
    pub(crate) const VECTOR: Salt = Salt([0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7]);

    /// The same salt for ever.
    pub(crate) struct Always(pub Salt);
    impl SaltSource for Always {
        fn draw(&mut self) -> Result<Salt, SaltError> {
            Ok(self.0)
        }
    }

    /// A new salt each time, for all who share the source.
    pub(crate) struct Shared(pub Arc<AtomicU64>);
    impl SaltSource for Shared {
        fn draw(&mut self) -> Result<Salt, SaltError> {
            Ok(Salt(self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes()))
        }
    }

    /// A new salt each time, as long as the supply lasts.
    pub(crate) struct Supply {
        pub next: u64,
        pub left: u32,
    }
    impl SaltSource for Supply {
        fn draw(&mut self) -> Result<Salt, SaltError> {
            self.left = self.left.checked_sub(1).ok_or_else(|| SaltError { reason: "dry".to_owned() })?;
            self.next += 1;
            Ok(Salt(self.next.to_be_bytes()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_does_not_repeat_itself() {
        let salts: std::collections::BTreeSet<Salt> = (0..64).map(|_| OsSalts.draw().unwrap()).collect();
        assert_eq!(salts.len(), 64);
    }

    #[test]
    fn a_salt_shows_as_hex() {
        assert_eq!(fixed::VECTOR.to_string(), "a0a1a2a3a4a5a6a7");
    }
}
