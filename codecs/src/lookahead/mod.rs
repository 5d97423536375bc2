//! Looking ahead once for all rungs: which pictures lean on which, and what each part of a picture is
//! worth to those that follow.
//!
//! An encoder looks ahead to spend bits where later pictures profit from them, and to see how many
//! pictures are best encoded between two others. Every encoder of a ladder would find the same in the
//! same pictures, each in its own size. A [`Planner`] finds it once, in a small one, and each encoder
//! is told: see [`VideoEncoder::send_planned`](crate::VideoEncoder::send_planned) and
//! [`Lookahead::Shared`](crate::Lookahead::Shared).
//!
//! ```
//! use codecs::lookahead::{More, PictureKind, Planner};
//! use codecs::{PictureMut, Plane, Rgb};
//! use media::{Key, Size};
//!
//! let mut planner = Planner::new();
//! let grey = PictureMut::filled(Size::new(64, 36), Rgb::new(90, 90, 90))?.freeze();
//! for n in 0..9 {
//!     planner.push(grey.plane(Plane::Y), if n == 0 { Key::Frame } else { Key::Delta });
//! }
//! let first = planner.plan(More::Comes).expect("enough is known");
//! assert_eq!(first.kind, PictureKind::Key);
//! // What does not change is worth more the longer it stays.
//! assert!(first.offsets.expect("others lean on it").at(0.5, 0.5) < -3.0);
//! # Ok::<(), codecs::CodecError>(())
//! ```

mod cost;
mod group;
mod luma;
mod offsets;
mod search;
mod tree;
mod window;

use media::{Key, Size};

use crate::picture::PlaneRef;
use luma::{Luma, SIDE};
pub use offsets::QpOffsets;
use tree::{Taken, spared};
use window::{Bears, Lean, Leant, Place, Window};

/// Pictures that are known after the one that is planned. With what an encoder that is told its plans
/// still looks ahead itself, that is as long as its preset alone would make it wait.
pub const AHEAD: usize = 6;

/// Pixels of the small picture in which all is looked for: half as many cost rungs of 360p to 1080p
/// 0.001 of SSIM each, and spare a hundredth of the ladder's CPU time.
const PIXELS: f64 = 480.0 * 270.0;

/// The size in which a [`Planner`] is to see pictures of `canvas`: some 129,600 pixels of its shape, or
/// the canvas where that is smaller.
pub fn view_of(canvas: Size) -> Size {
    let shrunk = (PIXELS / canvas.area().max(1) as f64).sqrt();
    if shrunk >= 1.0 {
        return canvas;
    }
    // Even, as pictures are.
    let side = |pixels: u32| ((f64::from(pixels) * shrunk / 2.0).round() as u32).max(8) * 2;
    Size::new(side(canvas.width), side(canvas.height))
}

/// How a picture is to be encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PictureKind {
    /// As a key frame.
    Key,
    /// By what was shown before it; others may lean on it.
    Anchor,
    /// Between two others.
    Between,
}

/// What is told to the encoders of a picture.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// How to encode it.
    pub kind: PictureKind,
    /// What its parts are worth; `None` for one that no other leans on.
    pub offsets: Option<QpOffsets>,
}

impl Plan {
    /// Of a picture that nothing is known of.
    pub const fn blind(key: Key) -> Self {
        let kind = match key {
            Key::Frame => PictureKind::Key,
            Key::Delta => PictureKind::Anchor,
        };
        Self { kind, offsets: None }
    }

    /// Whether it is a key frame.
    pub const fn key(&self) -> Key {
        match self.kind {
            PictureKind::Key => Key::Frame,
            PictureKind::Anchor | PictureKind::Between => Key::Delta,
        }
    }
}

/// Whether more pictures follow on those that are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum More {
    /// They do: a picture is planned once [`AHEAD`] others are known.
    Comes,
    /// None for now: all that are known are planned.
    IsNotKnown,
}

/// Plans pictures, in the order in which they are shown.
#[derive(Default)]
pub struct Planner {
    window: Window,
    /// The first that is not planned, and the first whose place is not decided.
    planned: u64,
    decided: u64,
    /// The last one that is decided and that others may lean on.
    anchor: Option<u64>,
    coded: u64,
}

impl Planner {
    /// One that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next picture's luma, small (see [`view_of`]); `key` says whether it is to be a key frame. One
    /// of another size than the one before has nothing in common with it.
    pub fn push(&mut self, luma: PlaneRef<'_>, key: Key) {
        self.window.push(Luma::of(luma), key);
    }

    /// How many wait for their plans.
    pub fn waiting(&self) -> usize {
        (self.window.end() - self.planned) as usize
    }

    /// The plan of the oldest that has none, if enough is known.
    pub fn plan(&mut self, more: More) -> Option<Plan> {
        let waiting = self.waiting();
        if waiting == 0 || more == More::Comes && waiting <= AHEAD {
            return None;
        }
        self.decide(more);
        let number = self.planned;
        let plan = self.plan_of(number);
        self.planned += 1;
        self.window.forget_before(self.anchor.map_or(self.planned, |anchor| anchor.min(self.planned)));
        Some(plan)
    }

    /// Decides the places of all pictures that enough is known of.
    fn decide(&mut self, more: More) {
        while self.decided < self.window.end() {
            let next = self.decided;
            let Some(anchor) = self.anchor.filter(|_| !self.window.begins_anew(next)) else {
                self.bear(next, Lean::Nothing);
                self.decided += 1;
                continue;
            };
            let room = self.room(next);
            let is_known = room == group::MOST || next + (room as u64) < self.window.end();
            if !is_known && more == More::Comes {
                return;
            }
            let group = group::choose(&mut self.window, anchor, room);
            self.bear(anchor + group.len(), Lean::Earlier(anchor));
            for inner in group.betweens() {
                self.put(
                    anchor + inner.picture,
                    Lean::Both(anchor + inner.earlier, anchor + inner.later),
                    inner.bears,
                );
            }
            self.decided += group.len();
        }
    }

    /// How many from `next` on may be in one group.
    fn room(&self, next: u64) -> usize {
        let end = self.window.end().min(next + group::MOST as u64);
        (next..end).take_while(|&number| !self.window.begins_anew(number)).count()
    }

    fn bear(&mut self, number: u64, lean: Lean) {
        self.anchor = Some(number);
        self.put(number, lean, Bears::Others);
    }

    fn put(&mut self, number: u64, lean: Lean, bears: Bears) {
        self.window.find(number, lean);
        let place = Place { lean, coded: self.coded, bears };
        self.coded += 1;
        self.window.look_mut(number).place = Some(place);
    }

    fn plan_of(&self, number: u64) -> Plan {
        let look = self.window.look(number);
        let kind = match look.place.map(|place| place.lean) {
            _ if look.key == Key::Frame => PictureKind::Key,
            Some(Lean::Both(..)) => PictureKind::Between,
            Some(Lean::Nothing | Lean::Earlier(_)) | None => PictureKind::Anchor,
        };
        let bears = look.place.is_some_and(|place| place.bears == Bears::Others);
        Plan { kind, offsets: bears.then(|| self.offsets(number)) }
    }

    /// What a picture is worth to those that are decided, up to where others begin anew.
    fn offsets(&self, number: u64) -> QpOffsets {
        let anew = (number + 1..self.decided).find(|&next| self.window.begins_anew(next));
        let end = anew.unwrap_or(self.decided);
        let coded = |number| self.window.look(number).place.map_or(0, |place| place.coded);
        // What leans on a picture is encoded after it: so what is taken from each is known in full
        // before it takes of others in turn.
        let mut later: Vec<u64> = (number + 1..end).collect();
        later.sort_by_key(|&next| std::cmp::Reverse(coded(next)));
        let mut taken: Vec<Taken<'_>> =
            (number..end).map(|number| Taken::nothing(&self.window.look(number).luma)).collect();
        let place_of = |other: u64| other.checked_sub(number).map(|place| place as usize);
        for &next in &later {
            let Some(own) = place_of(next) else { continue };
            let alone = &self.window.look(next).alone;
            self.window.leant(next, |Leant { block, left, other, at, share }| {
                let amount = spared(alone[block], taken[own].of(block), left) * share;
                if let Some(from) = place_of(other).filter(|_| amount > 0.0) {
                    taken[from].take(block, at, amount);
                }
            });
        }
        let look = self.window.look(number);
        let size = look.luma.size();
        QpOffsets::of(taken[0].offsets(&look.alone), SIDE, size.width as usize, size.height as usize)
    }
}

#[cfg(test)]
mod tests;
