//! Lines that carry the same: one leads, the others go by its mapping.

use media::{Span, Time};

use super::{ABREAST, Course, MOST_FOR_STEP, Moved, OutOfReach, Stamps};
use crate::ingest::mapping::Mapping;

/// A mapping that is followed and moves by more has moved.
const SEEN: Span = Span::from_millis(5);
/// Who begins to follow has this much more of a cushion than he needs.
const JOINS: Span = Span::from_millis(20);

impl Stamps {
    /// Goes by the mapping of a line that carries the same, from `pts` on. Gives where that lies
    /// and by how much it moved, where it did; `None` where it lies as it lay.
    ///
    /// # Errors
    /// That would leave less of the cushion than is needed, or more than may wait.
    pub(crate) fn follow(
        &mut self,
        mapping: Mapping,
        pts: Time,
        now: Time,
    ) -> Result<Option<Moved>, OutOfReach> {
        let at = mapping.place(pts);
        let needed = self.least() + self.waited + JOINS;
        let most = self.depth + self.waited + MOST_FOR_STEP;
        if self.course == Course::Own && !(needed..=most).contains(&(at - now)) {
            return Err(OutOfReach);
        }
        let was = self.mapping.as_ref().map(|own| own.place(pts));
        let by = was.map_or(Span::ZERO, |was| at - was);
        let moves = by.abs() > SEEN || self.course == Course::Own;
        if moves {
            (self.strays, self.jump) = (None, None);
            self.for_step =
                (at - now - self.depth - self.waited).max(Span::ZERO - self.half()).min(MOST_FOR_STEP);
        }
        (self.mapping, self.course, self.target) = (Some(mapping), Course::Followed, None);
        Ok(moves.then_some(Moved { at, by }))
    }

    /// Goes by its own mapping from now on, which lies as the one it followed.
    pub(crate) fn lead(&mut self, now: Time) {
        if self.course == Course::Own {
            return;
        }
        (self.course, self.target) = (Course::Own, None);
        if let (Some(mapping), Some(late)) = (&self.mapping, self.lateness.least(now)) {
            let waits = mapping.offset(self.reached) - late;
            self.for_step =
                (waits - self.depth - self.waited).max(Span::ZERO - self.half()).min(MOST_FOR_STEP);
        }
    }

    /// Of its own cushion a line in step may lack so much, so that nothing need move for it.
    pub(super) fn half(&self) -> Span {
        Span::from_flicks(self.depth.flicks() / 2)
    }

    /// How long after its time in the stream a picture is to be shown at the least, for the line to
    /// be in step with others; `None` before that is known.
    pub(crate) fn needs(&self, now: Time) -> Option<Span> {
        self.lateness.least(now).map(|late| late + self.half() + self.waited)
    }

    /// All of it waits so much longer than by itself, for lines that are to be in step with it;
    /// never less again, since going back would be seen.
    pub(crate) fn wait_for_step(&mut self, more: Span) {
        let more = more.min(MOST_FOR_STEP);
        if more > self.for_step + ABREAST {
            (self.for_step, self.target) = (more, None);
        }
    }
}
