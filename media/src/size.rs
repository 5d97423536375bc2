//! Picture sizes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Width and height of a picture, in pixels.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Size {
    /// `width` by `height` pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }
    /// How many pixels there are.
    pub const fn area(self) -> u64 {
        self.width as u64 * self.height as u64
    }
    /// Whether 4:2:0 chroma fits without a remainder.
    pub const fn is_even(self) -> bool {
        self.width.is_multiple_of(2) && self.height.is_multiple_of(2)
    }
    /// Whether a picture of this size lies within one of `outer`.
    pub const fn fits_in(self, outer: Self) -> bool {
        self.width <= outer.width && self.height <= outer.height
    }
}

/// As in the show file: `1920x1080`.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}
