//! A faint pattern that tells which feed a copy was made from.
//!
//! The picture is a grid of [`ACROSS`] cells a row, whatever its size, so that
//! a copy may be scaled. In each cell luma goes up or down by a step or two:
//! by a fixed sign that only looks random, turned round where the cell's bit
//! of the message is 0. Each of the message's 32 bits is spread over more
//! than a hundred cells all over the picture. The [`Reader`] needs no
//! original: what a cell differs from its neighbours by is mostly picture,
//! but the picture does not know the signs, and over all cells and frames it
//! cancels out.
//!
//! The pattern survives encoding again, scaling and recolouring; it does not
//! survive cropping, turning, or somebody who knows these signs and wants it
//! gone. It is a trace, not a secret.

mod lay;
mod read;

use media::Size;

pub use lay::Pattern;
pub use read::{Found, Reader};

/// Cells in a row.
pub const ACROSS: u32 = 96;
/// Bits of a message: 16 of the id, 4 of the rung, 12 that prove them.
const BITS: usize = 32;
/// The signs begin here. Another value is another family of patterns.
const SEED: u64 = 0x6f62_7661_6e6d_6b31;

/// What a pattern says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Message {
    /// The number that the show gives.
    pub id: u16,
    /// The rung, from 0; 15 stands for all beyond.
    pub rung: u8,
}

impl Message {
    /// The bits that are laid.
    const fn word(self) -> u32 {
        let rung = if self.rung > 15 { 15 } else { self.rung };
        let said = (self.id as u32) << 4 | rung as u32;
        said << 12 | check(said) as u32
    }

    /// The message of these bits, if they prove to be one.
    const fn of_word(word: u32) -> Option<Self> {
        let said = word >> 12;
        if check(said) as u32 != word & 0xfff {
            return None;
        }
        Some(Self { id: (said >> 4) as u16, rung: (said & 15) as u8 })
    }
}

/// A CRC of 12 bits (x^12 + x^11 + x^3 + x^2 + x + 1) over 20, begun with ones.
const fn check(said: u32) -> u16 {
    let mut crc: u32 = 0xfff;
    let mut at = 20;
    while at > 0 {
        at -= 1;
        let bit = (said >> at & 1) ^ (crc >> 11 & 1);
        crc = crc << 1 & 0xfff;
        if bit == 1 {
            crc ^= 0x80f;
        }
    }
    crc as u16
}

/// Numbers that look random and are the same everywhere: splitmix64.
struct Mixer(u64);

impl Mixer {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
}

/// A cell's part: which bit it carries, and with which sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Chip {
    bit: usize,
    up: bool,
}

/// The grid over pictures of one shape.
struct Grid {
    across: usize,
    down: usize,
    chips: Vec<Chip>,
}

impl Grid {
    /// For pictures of this size; `None` where a cell would have no pixel of its own.
    fn of(size: Size) -> Option<Self> {
        if size.width < 2 * ACROSS || size.height < 16 {
            return None;
        }
        let down = (ACROSS * size.height + size.width / 2) / size.width;
        let (across, down) = (ACROSS as usize, down.clamp(8, size.height.min(4 * ACROSS)) as usize);
        let mut mixer = Mixer(SEED ^ down as u64);
        // Cells in an order of their own: each bit has as many of them, all over the picture.
        let mut order: Vec<usize> = (0..across * down).collect();
        for last in (1..order.len()).rev() {
            let other = (mixer.next() % (last as u64 + 1)) as usize;
            order.swap(last, other);
        }
        let mut chips = vec![Chip { bit: 0, up: true }; across * down];
        for (n, cell) in order.into_iter().enumerate() {
            chips[cell] = Chip { bit: n % BITS, up: mixer.next() & 1 == 1 };
        }
        Some(Self { across, down, chips })
    }
}

/// The cell in which sample `at` of `whole` lies, of so many cells.
const fn cell(at: usize, whole: usize, cells: usize) -> usize {
    at * cells / whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_bit_has_its_share_of_cells() {
        let grid = Grid::of(Size::new(1920, 1080)).unwrap();
        assert_eq!((grid.across, grid.down, grid.chips.len()), (96, 54, 5184));
        for bit in 0..BITS {
            let own: Vec<_> = grid.chips.iter().filter(|chip| chip.bit == bit).collect();
            assert_eq!(own.len(), 162);
            let up = own.iter().filter(|chip| chip.up).count();
            assert!((50..112).contains(&up), "bit {bit}: {up} of 162 go up");
        }
        // The same grid for all sizes of one shape.
        for (width, height) in [(1280, 720), (640, 360), (854, 480)] {
            assert_eq!(Grid::of(Size::new(width, height)).unwrap().chips, grid.chips);
        }
        assert!(Grid::of(Size::new(160, 90)).is_none());
    }

    proptest! {
        #[test]
        fn a_message_comes_back_and_no_bit_of_it_may_fall(id: u16, rung in 0u8..16, one in 0usize..32, other in 0usize..32) {
            let message = Message { id, rung };
            let word = message.word();
            prop_assert_eq!(Message::of_word(word), Some(message));
            prop_assert_eq!(Message::of_word(word ^ 1 << one), None);
            if one != other {
                prop_assert_eq!(Message::of_word(word ^ 1 << one ^ 1 << other), None);
            }
        }
    }
}
