//! How many pictures are encoded between two others.

use super::window::{Bears, Window};

/// Pictures from one that others lean on to the next such one, at the most: three between, as x264's
/// presets have it.
pub(super) const MOST: usize = 4;

/// What a picture between two others costs beside one that others lean on: it is written coarser. By
/// trial: with more, films whose pictures hardly differ get fewer such pictures than serve them, with
/// less, fast ones more.
const COARSER: f64 = 0.8;

/// Some pictures, the last of which leans on the one before the first, and all others on both: of three
/// the first one bears the second as well, of four the second one the other two, as x264 has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Group {
    One,
    Two,
    Three,
    Four,
}

/// A picture between two others, each by how far after the anchor of its group it lies.
pub(super) struct Inner {
    pub(super) picture: u64,
    pub(super) earlier: u64,
    pub(super) later: u64,
    pub(super) bears: Bears,
}

impl Group {
    pub(super) const fn len(self) -> u64 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
        }
    }

    /// In the order in which they are encoded.
    pub(super) fn betweens(self) -> impl Iterator<Item = Inner> {
        let all: &[(u64, u64, u64, Bears)] = match self {
            Self::One => &[],
            Self::Two => &[(1, 0, 2, Bears::None)],
            Self::Three => &[(1, 0, 3, Bears::Others), (2, 1, 3, Bears::None)],
            Self::Four => &[(2, 0, 4, Bears::Others), (1, 0, 2, Bears::None), (3, 2, 4, Bears::None)],
        };
        all.iter().map(|&(picture, earlier, later, bears)| Inner { picture, earlier, later, bears })
    }

    /// What is left of its pictures to be written.
    fn cost(self, window: &mut Window, anchor: u64) -> f64 {
        let mut cost = window.cost_by_one(anchor + self.len(), anchor);
        for Inner { picture, earlier, later, .. } in self.betweens() {
            cost += COARSER * window.cost_between(anchor + picture, anchor + earlier, anchor + later);
        }
        cost
    }
}

/// The next group after `anchor`, where `room` pictures follow that may be in it: the first of those
/// into which they are divided with the least that is left to be written.
pub(super) fn choose(window: &mut Window, anchor: u64, room: usize) -> Group {
    use Group::{Four, One, Three, Two};
    let divisions: &[&[Group]] = match room {
        0 | 1 => return One,
        2 => &[&[Two], &[One, One]],
        3 => &[&[Three], &[Two, One], &[One, One, One]],
        _ => &[&[Four], &[Two, Two], &[One, One, One, One]],
    };
    let mut best = (f64::INFINITY, One);
    for division in divisions {
        let (mut at, mut cost) = (anchor, 0.0);
        for group in *division {
            cost += group.cost(window, at);
            at += group.len();
        }
        if cost < best.0 {
            best = (cost, division[0]);
        }
    }
    best.1
}
