//! What is left of a block once it is foretold: by its own picture's pixels, or by another picture.

use super::luma::{Block, Luma, SIDE, Vector};

/// What else has to be written for a block that is not where it was: as much as this of [`left`].
pub(super) const WORDS: u32 = 4;

/// The sum of absolute differences: quick, to look for a block with.
pub(super) fn apart(a: &Block, b: &Block) -> u32 {
    let mut sum = 0;
    for (a, b) in a.iter().zip(b) {
        sum += a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>();
    }
    sum
}

/// What an encoder would have to write of the difference: its Hadamard transform by four, as absolute
/// values, halved.
pub(super) fn left(a: &Block, b: &Block) -> u32 {
    let mut rows = [[0i16; SIDE]; SIDE];
    for ((to, a), b) in rows.iter_mut().zip(a).zip(b) {
        for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
            *to = i16::from(*a) - i16::from(*b);
        }
    }
    let [upper, lower] =
        [[rows[0], rows[1], rows[2], rows[3]], [rows[4], rows[5], rows[6], rows[7]]].map(down);
    let mut sum = 0;
    for rows in [upper, lower] {
        for row in rows {
            for four in row.as_chunks::<4>().0 {
                sum += butterfly(*four).map(|v| u32::from(v.unsigned_abs())).iter().sum::<u32>();
            }
        }
    }
    sum / 2
}

/// Four rows, each column of theirs transformed.
fn down(rows: [[i16; SIDE]; 4]) -> [[i16; SIDE]; 4] {
    let mut to = rows;
    for x in 0..SIDE {
        let column = butterfly([rows[0][x], rows[1][x], rows[2][x], rows[3][x]]);
        for (row, v) in to.iter_mut().zip(column) {
            row[x] = v;
        }
    }
    to
}

const fn butterfly([a, b, c, d]: [i16; 4]) -> [i16; 4] {
    let (p, q, r, s) = (a + b, a - b, c + d, c - d);
    [p + r, q + s, p - r, q - s]
}

/// What is left of each block where only its own picture foretells it: by the pixels above and on
/// the left, in the best of five ways.
pub(super) fn alone(luma: &Luma) -> Vec<u32> {
    (0..luma.blocks())
        .map(|index| {
            let origin = luma.origin(index);
            let block = luma.block(origin, Vector::STAYS);
            let (above, beside, corner) = luma.around(origin);
            let sum = above.iter().chain(&beside).map(|&v| u32::from(v)).sum::<u32>();
            let flat = [[((sum + SIDE as u32) / (2 * SIDE as u32)) as u8; SIDE]; SIDE];
            let ways = [
                flat,
                [above; SIDE],
                beside.map(|beside| [beside; SIDE]),
                beside.map(|beside| above.map(|above| u16::from(above).midpoint(u16::from(beside)) as u8)),
                beside.map(|beside| {
                    above.map(|above| {
                        (i16::from(above) + i16::from(beside) - i16::from(corner)).clamp(0, 255) as u8
                    })
                }),
            ];
            // One at the least, since others are divided by it.
            ways.iter().map(|way| left(&block, way)).min().unwrap_or_default() + WORDS
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transform as it is defined: every sum of sixteen differences with the signs of two rows of
    /// the Hadamard matrix.
    fn defined(a: &Block, b: &Block) -> u32 {
        let sign = |i: usize, j: usize| if (i & j).count_ones().is_multiple_of(2) { 1 } else { -1 };
        let mut sum = 0;
        for (top, side) in [(0, 0), (0, 4), (4, 0), (4, 4)] {
            for (u, v) in (0..16).map(|n| (n / 4, n % 4)) {
                let mut of = 0i32;
                for (y, x) in (0..16).map(|n| (n / 4, n % 4)) {
                    let apart = i32::from(a[top + y][side + x]) - i32::from(b[top + y][side + x]);
                    of += apart * sign(u, y) * sign(v, x);
                }
                sum += of.unsigned_abs();
            }
        }
        sum / 2
    }

    proptest::proptest! {
        #[test]
        fn what_is_left_is_as_the_transform_is_defined(a: [[u8; 8]; 8], b: [[u8; 8]; 8]) {
            proptest::prop_assert_eq!(left(&a, &b), defined(&a, &b));
            let plain = (0..64).map(|n| u32::from(a[n / 8][n % 8].abs_diff(b[n / 8][n % 8]))).sum::<u32>();
            proptest::prop_assert_eq!(apart(&a, &b), plain);
        }
    }

    #[test]
    fn a_block_that_its_neighbours_foretell_costs_next_to_nothing() {
        let even = vec![90; 32 * 32];
        let rows: Vec<u8> = (0..32 * 32).map(|n| (n / 32 * 7) as u8).collect();
        let noise: Vec<u8> = (0..32 * 32u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let costs = |data: &[u8]| {
            let plane = crate::PlaneRef { data, stride: 32, width: 32, height: 32 };
            alone(&Luma::of(plane))
        };
        assert!(costs(&even).iter().all(|&cost| cost == WORDS));
        assert!(costs(&rows).iter().all(|&cost| cost == WORDS), "each row goes on from the left");
        assert!(costs(&noise).iter().all(|&cost| cost > 1000));
    }
}
