//! Where blocks of a picture are found in others.

use super::cost::{WORDS, left};
use super::luma::{Block, Luma, Origin, Vector, mean};

/// Below this a block that has not moved is as good as the same.
const SAME: u32 = 24;
/// What a vector must gain to be worth its words, while it is looked for.
const WORTH: u32 = 2;
/// Steps of one size at the most.
const STEPS: usize = 8;

/// A block as another picture foretells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) at: Vector,
    pub(super) cost: u32,
}

/// Every block of `picture` in `other`: from where its neighbours were found, downhill in steps of two
/// pixels, one, and a half.
pub(super) fn search(picture: &Luma, other: &Luma) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::with_capacity(picture.blocks());
    let columns = picture.columns();
    for index in 0..picture.blocks() {
        let mut hunt = Hunt::begin(picture, other, index);
        if hunt.apart > SAME {
            let above = index.checked_sub(columns);
            let (is_first, is_last) = (index % columns == 0, index % columns + 1 == columns);
            let beside = index.checked_sub(1).filter(|_| !is_first);
            let beyond = above.filter(|_| !is_last).map(|above| above + 1);
            for neighbour in [beside, above, beyond].into_iter().flatten() {
                hunt.look(found[neighbour].at.whole());
            }
            for step in [4, 2] {
                for _ in 0..STEPS {
                    if hunt.step(step) == Step::Stays {
                        break;
                    }
                }
            }
            hunt.step(1);
        }
        found.push(hunt.end());
    }
    found
}

/// The search for one block.
struct Hunt<'a> {
    block: Block,
    other: &'a Luma,
    origin: Origin,
    at: Vector,
    apart: u32,
}

#[derive(PartialEq, Eq)]
enum Step {
    Moves,
    Stays,
}

impl<'a> Hunt<'a> {
    fn begin(picture: &Luma, other: &'a Luma, index: usize) -> Self {
        let origin = other.origin(index);
        let block = picture.block(origin, Vector::STAYS);
        let apart = other.apart(&block, origin, Vector::STAYS);
        Self { block, other, origin, at: Vector::STAYS, apart }
    }

    fn look(&mut self, at: Vector) {
        if at == self.at {
            return;
        }
        let apart = self.other.apart(&self.block, self.origin, at) + WORTH;
        if apart < self.apart {
            (self.at, self.apart) = (at, apart);
        }
    }

    /// To the best of the four so many half pixels away, if one is better.
    fn step(&mut self, step: i16) -> Step {
        let from = self.at;
        for (x, y) in [(step, 0), (-step, 0), (0, step), (0, -step)] {
            self.look(from.moved(x, y));
        }
        if self.at == from { Step::Stays } else { Step::Moves }
    }

    fn end(self) -> Found {
        let words = if self.at == Vector::STAYS { 0 } else { WORDS };
        let cost = left(&self.block, &self.other.block(self.origin, self.at)) + words;
        Found { at: self.at, cost }
    }
}

/// A block as two pictures foretell it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Between {
    pub(super) earlier: Option<Vector>,
    pub(super) later: Option<Vector>,
    pub(super) cost: u32,
}

/// Every block of `picture` by the better of an earlier and a later picture, or by the mean of both.
pub(super) fn between(picture: &Luma, earlier: (&Luma, &[Found]), later: (&Luma, &[Found])) -> Vec<Between> {
    let pairs = earlier.1.iter().zip(later.1).enumerate();
    pairs
        .map(|(index, (before, after))| {
            let origin = picture.origin(index);
            let block = picture.block(origin, Vector::STAYS);
            let both = mean(&earlier.0.block(origin, before.at), &later.0.block(origin, after.at));
            let cost = left(&block, &both) + WORDS;
            if cost < before.cost.min(after.cost) {
                Between { earlier: Some(before.at), later: Some(after.at), cost }
            } else if before.cost <= after.cost {
                Between { earlier: Some(before.at), later: None, cost: before.cost }
            } else {
                Between { earlier: None, later: Some(after.at), cost: after.cost }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::PlaneRef;

    /// Soft hills of 96 by 64, `x` and `y` half pixels further to the right and down.
    fn hills(x: f64, y: f64) -> Luma {
        let hill = |at: f64, of: f64| (at / of).sin() * 50.0;
        let pixel = |n: usize| {
            let (across, down) = ((n % 96) as f64 - x / 2.0, (n / 96) as f64 - y / 2.0);
            (128.0 + hill(across, 5.0) + hill(down + across / 3.0, 4.0)) as u8
        };
        let data: Vec<u8> = (0..96 * 64).map(pixel).collect();
        Luma::of(PlaneRef { data: &data, stride: 96, width: 96, height: 64 })
    }

    /// Blocks that no edge bears on.
    fn inner(luma: &Luma) -> impl Iterator<Item = usize> {
        let (columns, rows) = (luma.columns(), luma.rows());
        (0..luma.blocks()).filter(move |n| {
            (2..columns - 2).contains(&(n % columns)) && (2..rows - 2).contains(&(n / columns))
        })
    }

    #[test]
    fn what_has_moved_is_found_where_it_was() {
        for (x, y) in [(0, 0), (2, 0), (0, -4), (6, 4), (3, 0), (-5, 2_i16)] {
            let (now, before) = (hills(f64::from(x), f64::from(y)), hills(0.0, 0.0));
            let found = search(&now, &before);
            assert_eq!(found.len(), now.blocks());
            let near = |found: Found| (found.at.x + x).abs() <= 1 && (found.at.y + y).abs() <= 1;
            let right = inner(&now).filter(|&n| near(found[n])).count();
            assert!(right * 10 >= inner(&now).count() * 9, "{x} {y}: {right} of {}", inner(&now).count());
        }
    }

    #[test]
    fn halfway_lies_the_mean_of_both() {
        let dark = Luma::of(PlaneRef { data: &[40; 1024], stride: 32, width: 32, height: 32 });
        let grey = Luma::of(PlaneRef { data: &[60; 1024], stride: 32, width: 32, height: 32 });
        let light = Luma::of(PlaneRef { data: &[80; 1024], stride: 32, width: 32, height: 32 });
        let of = |other| search(&grey, other);
        let middle = between(&grey, (&dark, &of(&dark)), (&light, &of(&light)));
        let stays = Some(Vector::STAYS);
        assert!(middle.iter().all(|b| *b == Between { earlier: stays, later: stays, cost: WORDS }));
        let one = between(&grey, (&dark, &of(&dark)), (&grey, &of(&grey)));
        assert!(one.iter().all(|b| *b == Between { earlier: None, later: stays, cost: 0 }));
    }
}
