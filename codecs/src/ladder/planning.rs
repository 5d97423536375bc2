//! The way of pictures from the thread that scales to the encoders: at once, or behind the lookahead
//! that rungs share.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::Sender;
use media::{Key, Size, Time};

use super::cascade::Cascade;
use super::{Job, RungDuty};
use crate::error::CodecError;
use crate::ffmpeg::Filter;
use crate::frame::Frame;
use crate::lookahead::{More, Plan, Planner, view_of};
use crate::picture::{Picture, Plane};
use crate::scale::Scaler;
use crate::watermark::Finish;

/// Who looks ahead for a rung.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lead {
    /// Its encoder.
    Own,
    /// The ladder, for all such rungs.
    Shared,
}

/// A picture of a rung's whose plan is not known.
pub(super) enum Unplanned {
    Frame(Frame, Key, Option<(usize, Arc<dyn Finish>)>),
    Rest(Time),
}

impl Unplanned {
    fn planned(self, plan: &Plan) -> Job {
        match self {
            Self::Frame(frame, _, finish) => Job::Frame(frame, plan.clone(), finish),
            Self::Rest(at) => Job::Rest(at),
        }
    }

    fn blind(self) -> Job {
        match self {
            Self::Frame(frame, key, finish) => Job::Frame(frame, Plan::blind(key), finish),
            Self::Rest(at) => Job::Rest(at),
        }
    }
}

/// A rung's encoder as the thread that scales sees it.
pub(super) struct ToEncoder {
    /// None once it has gone.
    to: Option<Sender<Result<Job, CodecError>>>,
    lead: Lead,
    /// What waits for its plan, oldest first.
    waiting: VecDeque<Result<Unplanned, CodecError>>,
}

impl ToEncoder {
    pub(super) const fn new(to: Sender<Result<Job, CodecError>>, lead: Lead) -> Self {
        Self { to: Some(to), lead, waiting: VecDeque::new() }
    }

    /// Whether it takes anything, as far as is known.
    pub(super) const fn is_there(&self) -> bool {
        self.to.is_some()
    }

    /// The next picture's.
    pub(super) fn put(&mut self, picture: Result<Unplanned, CodecError>) {
        match self.lead {
            Lead::Own => self.hand_on(picture.map(Unplanned::blind)),
            Lead::Shared if self.is_there() => self.waiting.push_back(picture),
            Lead::Shared => {}
        }
    }

    /// What follows on all that was put, and waits for nothing.
    pub(super) fn hand_on(&mut self, job: Result<Job, CodecError>) {
        // A rung that ended has closed its end: the others go on.
        if self.to.as_ref().is_some_and(|to| to.send(job).is_err()) {
            self.to = None;
            self.waiting.clear();
        }
    }

    /// The plan of the oldest picture that waits for one.
    fn take(&mut self, plan: &Plan) {
        if let Some(picture) = self.waiting.pop_front() {
            self.hand_on(picture.map(|picture| picture.planned(plan)));
        }
    }
}

/// The lookahead that rungs share.
#[derive(Default)]
pub(super) struct Shared {
    planner: Planner,
    view: Option<Scaler>,
}

impl Shared {
    /// How many pixels a picture of this canvas must have for its view.
    pub(super) fn wants(&mut self, canvas: Size) -> u64 {
        let view = self.view.get_or_insert_with(|| Scaler::new(view_of(canvas), Filter::Area));
        view.size().area()
    }

    /// The next picture has been put to all rungs; `picture` is the smallest that has as many pixels as
    /// are [wanted](Self::wants), or the canvas.
    pub(super) fn see(&mut self, picture: &Picture, key: Key, steps: &mut [Cascade]) {
        let shares = |step: &Cascade| step.to.lead == Lead::Shared && step.to.is_there();
        if !steps.iter().any(shares) {
            return;
        }
        let is_encoded = steps.iter().any(|step| shares(step) && step.duty == RungDuty::Encode);
        let view = self.view.as_mut().filter(|_| is_encoded).map(|view| view.scale(picture));
        // It fails for what the rungs' own scaling fails for, too.
        let Some(Ok(view)) = view else {
            return self.settle(steps);
        };
        self.planner.push(view.plane(Plane::Y), key);
        self.tell(More::Comes, steps);
    }

    /// Nothing waits any longer: of what was not seen nothing is planned.
    pub(super) fn settle(&mut self, steps: &mut [Cascade]) {
        self.tell(More::IsNotKnown, steps);
        for step in steps {
            while let Some(picture) = step.to.waiting.pop_front() {
                step.to.hand_on(picture.map(Unplanned::blind));
            }
        }
    }

    /// Each plan is of the oldest picture that waits, of every rung: all have as many, since a picture is
    /// put to all, and before rungs come or go nothing waits any longer.
    fn tell(&mut self, more: More, steps: &mut [Cascade]) {
        while let Some(plan) = self.planner.plan(more) {
            for step in &mut *steps {
                step.to.take(&plan);
            }
        }
    }
}
