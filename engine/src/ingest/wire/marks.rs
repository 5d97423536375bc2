//! Moments of a stream whose time of day is known before their pictures come out of the demuxer.

use std::collections::VecDeque;

use media::{Span, Time};

use crate::ingest::wall::Wall;

/// What is marked waits in the demuxer meanwhile: a few seconds, of segments of any length.
const MOST: usize = 64;
/// A demuxer may count a moment a little sooner than it was marked.
const SOONER: Span = Span::from_millis(100);
/// What comes later is of something else.
const LATER: Span = Span::from_secs(1);

/// Moments of a stream, in their order, and what time of day it was at each.
#[derive(Debug, Default)]
pub(super) struct Marks(VecDeque<(Time, Wall)>);

impl Marks {
    pub(super) fn put(&mut self, at: Time, wall: Wall) {
        // What was to come before a jump back comes no more.
        if self.0.back().is_some_and(|(last, _)| *last >= at) {
            self.0.clear();
        }
        self.0.push_back((at, wall));
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// The time of day at a moment, if one that was marked has been reached with it.
    pub(super) fn reached(&mut self, at: Time) -> Option<Wall> {
        let passed = self.0.iter().take_while(|(marked, _)| *marked <= at + SOONER).count();
        let (marked, wall) = self.0.drain(..passed).next_back()?;
        (at - marked <= LATER).then(|| Wall(wall.0 + (at - marked)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_at_a_mark_is_told_once() {
        let mut marks = Marks::default();
        let at = Time::from_millis;
        let wall = |ms| Wall(Span::from_millis(ms));
        (0..3).for_each(|n| marks.put(at(n * 2_000), wall(n * 2_000 + 70_000)));
        assert_eq!(marks.reached(at(-500)), None);
        assert_eq!([0, 500].map(|ms| marks.reached(at(ms))), [Some(wall(70_000)), None]);
        // The demuxer has rounded, and then lost a picture.
        assert_eq!(marks.reached(at(1_999)), Some(wall(71_999)));
        assert_eq!(marks.reached(at(4_040)), Some(wall(74_040)));
        (0..9).for_each(|n| marks.put(at(n * 1_000), wall(n)));
        assert_eq!(marks.reached(at(20_000)), None, "it was of something else");
        // It jumps back.
        marks.put(at(90_000), wall(1));
        marks.put(at(10_000), wall(2));
        assert_eq!([10_000, 90_000].map(|ms| marks.reached(at(ms))), [Some(wall(2)), None]);
        (0..1_000).for_each(|n| marks.put(at(n), wall(n)));
        assert_eq!(marks.0.len(), MOST);
    }
}
