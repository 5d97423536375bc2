//! Where a picture stands in another.

use serde::{Deserialize, Serialize};

use crate::Size;

/// A box in a picture, in pixels from its upper left corner.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Rect {
    /// Pixels from the left.
    pub x: u32,
    /// Pixels from the top.
    pub y: u32,
    /// How large it is.
    pub size: Size,
}

impl Rect {
    /// All of a picture of `size`.
    pub const fn whole(size: Size) -> Self {
        Self { x: 0, y: 0, size }
    }
    /// The first column right of it.
    pub const fn right(self) -> u32 {
        self.x.saturating_add(self.size.width)
    }
    /// The first row below it.
    pub const fn bottom(self) -> u32 {
        self.y.saturating_add(self.size.height)
    }
    /// Whether it lies within a picture of `outer`.
    pub const fn fits_in(self, outer: Size) -> bool {
        self.right() <= outer.width && self.bottom() <= outer.height
    }
    /// Whether 4:2:0 chroma of it begins and ends with whole samples.
    pub const fn is_even(self) -> bool {
        self.x.is_multiple_of(2) && self.y.is_multiple_of(2) && self.size.is_even()
    }
}
