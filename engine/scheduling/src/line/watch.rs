//! What is remembered of a line from tick to tick.

use media::{Span, Time};
use pipeline_dsl::Failover;
use serde::{Deserialize, Serialize};

use super::Duty;
use super::figures::{Doubt, LineFigures};
use super::view::{Grade, LineView, Readiness, Step};

/// Since when no picture came that was as it was sent.
///
/// Damaged pictures count as none: a hole's age is counted from the first clean picture that was
/// missing, so that what is left of a stream that breaks now and then makes it no younger.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
struct Lack {
    /// When the first of them was due that did not come, or came damaged.
    since: Option<Time>,
    /// When the first damaged one came.
    damaged: Option<Time>,
    /// When the first picture of the hole was due.
    hole: Option<Time>,
    /// Since when damaged pictures have come without a break.
    flows: Option<Time>,
}

impl Lack {
    fn look(&mut self, now: Time, view: &LineView, lost: Span) {
        match (view.hole(now), view.grade) {
            (None, Grade::Clean) => *self = Self::default(),
            (None, Grade::Damaged) => {
                self.since.get_or_insert(now);
                self.damaged.get_or_insert(now);
                let flows = *self.flows.get_or_insert(now);
                if now - flows >= lost {
                    // Whatever they are worth, they come as they should.
                    self.hole = None;
                }
            }
            // The newest picture was clean: it is the next one that is missing.
            (Some(since), Grade::Clean) => {
                *self = Self { since: Some(since), hole: Some(since), ..Self::default() };
            }
            (Some(since), Grade::Damaged) => {
                let before = |time: Option<Time>| Some(time.map_or(since, |time| time.min(since)));
                (self.since, self.hole) = (before(self.since), before(self.hole));
                self.flows = None;
            }
        }
    }
}

/// How long damaged pictures are put up with: half of what missing ones are. A hole may close at
/// any moment; what is damaged stays so up to a key frame, and was broken before it was noticed.
fn patience(failover: &Failover) -> Span {
    Span::from_flicks(failover.lost.flicks() / 2)
}

/// What is remembered of a line.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(super) struct Watch {
    /// Since when it has been well without a break.
    well_since: Option<Time>,
    /// Since when it has been well and clean without a break.
    #[serde(default)]
    clean_since: Option<Time>,
    /// Since when it has been well, clean and beyond doubt without a break.
    sound_since: Option<Time>,
    #[serde(default)]
    lack: Lack,
    /// What it is doubted for, and since when.
    doubt: Option<(Doubt, Time)>,
    /// What it is suspect for: the doubt has lasted.
    pub(super) suspect: Option<Doubt>,
    pub(super) duty: Duty,
    /// It is well and decoded, and its pictures are those of every other line that shares this.
    #[serde(default)]
    pub(super) step: Step,
}

impl Watch {
    pub(super) fn look(&mut self, now: Time, view: &LineView, failover: &Failover) {
        let well = view.is_well(now);
        let clean = well && view.grade == Grade::Clean;
        self.lack.look(now, view, failover.lost);
        let figures: &LineFigures = &view.figures_that_count();
        let beyond = figures.beyond(&failover.suspect);
        self.doubt = beyond.map(|doubt| (doubt, self.doubt.map_or(now, |(_, since)| since)));
        let lasting = self.doubt.filter(|(_, since)| now - *since >= failover.suspect.after);
        let amiss = figures.amiss(now, &failover.suspect);
        let is_damaged = self.is_damaged_for(now, patience(failover)) && !view.is_lost(now, failover);
        let doubted = lasting.map(|(doubt, _)| doubt).or(amiss).filter(|_| well);
        self.suspect = if is_damaged { Some(Doubt::Damage) } else { doubted };
        let is_decoded = view.readiness == Readiness::Decoded;
        self.step = if well && is_decoded { view.step } else { Step::Alone };
        let sound = clean && beyond.is_none() && amiss.is_none();
        self.well_since = well.then(|| self.well_since.unwrap_or(now));
        self.clean_since = clean.then(|| self.clean_since.unwrap_or(now));
        self.sound_since = sound.then(|| self.sound_since.unwrap_or(now));
    }

    fn is_damaged_for(&self, now: Time, least: Span) -> bool {
        self.lack.damaged.is_some() && self.lack.since.is_some_and(|since| since + least <= now)
    }
    /// Since when it has given no clean picture; `None` while it does.
    pub(super) fn lacking_since(&self) -> Option<Time> {
        self.lack.since
    }
    /// When the first picture was due of the hole it is in, if it is in one: damaged pictures that
    /// came over it for less than `lost` have not ended it.
    pub(super) fn hole(&self) -> Option<Time> {
        self.lack.hole.filter(|_| self.lack.flows.is_none())
    }
    /// Whether figures of it are beyond their thresholds, or its pictures are damaged.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubt.is_some() || self.lack.since.is_some()
    }

    pub(super) fn is_well(&self) -> bool {
        self.well_since.is_some()
    }
    pub(super) fn is_clean(&self) -> bool {
        self.clean_since.is_some()
    }
    pub(super) fn is_sound(&self) -> bool {
        self.sound_since.is_some()
    }
    pub(super) fn is_clean_for(&self, now: Time, least: Span) -> bool {
        self.clean_since.is_some_and(|since| now - since >= least)
    }
    pub(super) fn is_sound_for(&self, now: Time, least: Span) -> bool {
        self.sound_since.is_some_and(|since| now - since >= least)
    }
}
