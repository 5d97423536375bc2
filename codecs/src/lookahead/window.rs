//! The pictures that are known, and where they are found in each other.

use std::collections::VecDeque;
use std::sync::Arc;

use media::Key;

use super::cost::alone;
use super::luma::{Luma, Vector};
use super::search::{Between, Found, between, search};

/// What a picture leans on, by number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lean {
    Nothing,
    Earlier(u64),
    Both(u64, u64),
}

/// How a picture is to be encoded, and after how many others since the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) lean: Lean,
    pub(super) coded: u64,
    /// Whether others may lean on it.
    pub(super) bears: Bears,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bears {
    Others,
    None,
}

/// Whether a picture may lean on those before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Start {
    /// It is a key frame, or of another size.
    Anew,
    GoesOn,
}

/// A block that leans on another picture.
pub(super) struct Leant {
    pub(super) block: usize,
    /// What is left to be written of it.
    pub(super) left: u32,
    /// The picture, and where in it.
    pub(super) other: u64,
    pub(super) at: Vector,
    /// How much of what it is spared is owed to that one.
    pub(super) share: f32,
}

/// Where a picture's blocks are in another one.
struct InOne {
    other: u64,
    found: Arc<[Found]>,
}

/// The same in an earlier one, a later one, or both.
struct InTwo {
    earlier: u64,
    later: u64,
    found: Arc<[Between]>,
}

/// A picture that is known.
pub(super) struct Look {
    pub(super) luma: Luma,
    /// What each block costs without other pictures; never zero.
    pub(super) alone: Vec<u32>,
    pub(super) key: Key,
    start: Start,
    /// Once it is decided.
    pub(super) place: Option<Place>,
    /// Where it was looked for: in a handful of others.
    in_one: Vec<InOne>,
    in_two: Vec<InTwo>,
}

impl Look {
    fn new(luma: Luma, key: Key, start: Start) -> Self {
        let alone = alone(&luma);
        Self { luma, alone, key, start, place: None, in_one: Vec::new(), in_two: Vec::new() }
    }

    fn found_in(&self, other: u64) -> Option<&Arc<[Found]>> {
        self.in_one.iter().find(|of| of.other == other).map(|of| &of.found)
    }

    fn found_between(&self, earlier: u64, later: u64) -> Option<&Arc<[Between]>> {
        let of = self.in_two.iter().find(|of| (of.earlier, of.later) == (earlier, later));
        of.map(|of| &of.found)
    }
}

/// Pictures in their order of showing, numbered since the beginning.
#[derive(Default)]
pub(super) struct Window {
    looks: VecDeque<Look>,
    first: u64,
}

impl Window {
    pub(super) fn push(&mut self, luma: Luma, key: Key) {
        let is_as_large = self.looks.back().is_some_and(|last| last.luma.size() == luma.size());
        let start = if key == Key::Frame || !is_as_large { Start::Anew } else { Start::GoesOn };
        self.looks.push_back(Look::new(luma, key, start));
    }

    /// Whether nothing from this one on leans on anything before it.
    pub(super) fn begins_anew(&self, number: u64) -> bool {
        self.look(number).start == Start::Anew
    }

    /// The number that the next one will have.
    pub(super) fn end(&self) -> u64 {
        self.first + self.looks.len() as u64
    }

    pub(super) fn forget_before(&mut self, number: u64) {
        while self.first < number && self.looks.pop_front().is_some() {
            self.first += 1;
        }
    }

    /// One that is not forgotten.
    pub(super) fn look(&self, number: u64) -> &Look {
        &self.looks[self.place_of(number)]
    }

    pub(super) fn look_mut(&mut self, number: u64) -> &mut Look {
        let place = self.place_of(number);
        &mut self.looks[place]
    }

    fn place_of(&self, number: u64) -> usize {
        (number - self.first) as usize
    }

    /// Looks for a picture's blocks where it is to lean.
    pub(super) fn find(&mut self, picture: u64, lean: Lean) {
        match lean {
            Lean::Nothing => {}
            Lean::Earlier(other) => drop(self.found(picture, other)),
            Lean::Both(earlier, later) => drop(self.between(picture, earlier, later)),
        }
    }

    /// What each block of a picture leans on that has its [place](Place).
    pub(super) fn leant(&self, picture: u64, mut each: impl FnMut(Leant)) {
        let look = self.look(picture);
        match look.place.map(|place| place.lean) {
            None | Some(Lean::Nothing) => {}
            Some(Lean::Earlier(other)) => {
                for (block, found) in
                    look.found_in(other).into_iter().flat_map(|found| found.iter().enumerate())
                {
                    each(Leant { block, left: found.cost, other, at: found.at, share: 1.0 });
                }
            }
            Some(Lean::Both(earlier, later)) => {
                let all = look.found_between(earlier, later);
                for (block, found) in all.into_iter().flat_map(|found| found.iter().enumerate()) {
                    let share = if found.earlier.is_some() && found.later.is_some() { 0.5 } else { 1.0 };
                    for (other, at) in [(earlier, found.earlier), (later, found.later)] {
                        if let Some(at) = at {
                            each(Leant { block, left: found.cost, other, at, share });
                        }
                    }
                }
            }
        }
    }

    /// Where the blocks of a picture are found in another one; looked for once.
    pub(super) fn found(&mut self, picture: u64, other: u64) -> Arc<[Found]> {
        let look = self.look(picture);
        if let Some(found) = look.found_in(other) {
            return Arc::clone(found);
        }
        let found: Arc<[Found]> = search(&look.luma, &self.look(other).luma).into();
        self.look_mut(picture).in_one.push(InOne { other, found: Arc::clone(&found) });
        found
    }

    /// The same between an earlier and a later one.
    pub(super) fn between(&mut self, picture: u64, earlier: u64, later: u64) -> Arc<[Between]> {
        if let Some(between) = self.look(picture).found_between(earlier, later) {
            return Arc::clone(between);
        }
        let (before, after) = (self.found(picture, earlier), self.found(picture, later));
        let (one, two) = (&self.look(earlier).luma, &self.look(later).luma);
        let found: Arc<[Between]> = between(&self.look(picture).luma, (one, &before), (two, &after)).into();
        self.look_mut(picture).in_two.push(InTwo { earlier, later, found: Arc::clone(&found) });
        found
    }

    /// What is left of a picture that leans on an earlier one: in all blocks together.
    pub(super) fn cost_by_one(&mut self, picture: u64, other: u64) -> f64 {
        let found = self.found(picture, other);
        let costs = found.iter().map(|found| found.cost);
        cheapest(costs, &self.look(picture).alone)
    }

    pub(super) fn cost_between(&mut self, picture: u64, earlier: u64, later: u64) -> f64 {
        let between = self.between(picture, earlier, later);
        let costs = between.iter().map(|between| between.cost);
        cheapest(costs, &self.look(picture).alone)
    }
}

/// The sum, where no block costs more than alone.
fn cheapest(costs: impl Iterator<Item = u32>, alone: &[u32]) -> f64 {
    costs.zip(alone).map(|(cost, &alone)| f64::from(cost.min(alone))).sum()
}
