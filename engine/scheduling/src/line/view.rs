//! What the selector is told of a line, tick by tick.

use std::borrow::Cow;

use media::Time;
use pipeline_dsl::Failover;
use serde::{Deserialize, Serialize};

use super::figures::LineFigures;

/// A line of a camera, by its place in the show file; the first is preferred.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineIx(pub usize);

/// How a line stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineState {
    /// Has never given a picture.
    Never,
    /// On its way (again); pictures that came before may still be shown.
    Connecting,
    /// Connected.
    Live,
    /// The connection broke; pictures that came before may still be shown.
    Lost,
    /// Came to its own end; pictures that came before may still be shown.
    Ended,
}

/// Whether the newest picture is as it was sent.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// It is.
    #[default]
    Clean,
    /// Parts of it were made up for what got lost: better than none, but no place to come back to,
    /// nor to stay where another line is clean.
    Damaged,
}

/// Whether a line's pictures can be shown at once.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readiness {
    /// They are decoded.
    #[default]
    Decoded,
    /// The latest GOP is kept: it must be caught up with first.
    Kept,
}

/// Whether a line is shown in step with others of its camera that carry the same pictures: at
/// every tick each of them has the same one.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// It is not, or nobody knows.
    #[default]
    Alone,
    /// It is, with every other line of the camera that says so.
    Shared,
}

/// What a line is looked at for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carries {
    /// Pictures, and their sound: it stands as its pictures do. So does a line of which nothing has
    /// come yet.
    #[default]
    Pictures,
    /// Sound, and never a picture so far: it stands as its sound does, and is seen as black.
    SoundAlone,
}

/// What the selector has to know of a line at one tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineView {
    /// How it stands.
    pub state: LineState,
    /// When the first missing video frame was due, in show time; `None` while
    /// the picture is current. A time still to come counts as `None`. Of a line that carries sound
    /// alone it is the sound that is meant.
    pub hole_since: Option<Time>,
    /// What it is looked at for.
    #[serde(default)]
    pub carries: Carries,
    /// Whether the newest picture is as it was sent.
    #[serde(default)]
    pub grade: Grade,
    /// Whether its pictures can be shown at once.
    #[serde(default)]
    pub readiness: Readiness,
    /// Whether another line can go on where this one ends.
    #[serde(default)]
    pub step: Step,
    /// What is measured of it.
    #[serde(default)]
    pub figures: LineFigures,
}

impl LineView {
    /// A line that has never given a picture.
    pub const NEVER: Self = Self::new(LineState::Never, None);
    /// A line that is connected, with a current picture.
    pub const LIVE: Self = Self::new(LineState::Live, None);

    /// A decoded line in this state, of which nothing is measured.
    pub const fn new(state: LineState, hole_since: Option<Time>) -> Self {
        let figures = LineFigures {
            millifps: None,
            bitrate: None,
            errors: None,
            frozen_since: None,
            black_since: None,
            silent_since: None,
        };
        Self {
            state,
            hole_since,
            carries: Carries::Pictures,
            grade: Grade::Clean,
            readiness: Readiness::Decoded,
            step: Step::Alone,
            figures,
        }
    }

    /// Whether it could be shown at `now`: connected or playing out, with a current picture.
    pub fn is_well(&self, now: Time) -> bool {
        matches!(self.state, LineState::Live | LineState::Ended) && self.hole(now).is_none()
    }

    /// Whether the line on air has to be left at `now`.
    pub fn is_lost(&self, now: Time, failover: &Failover) -> bool {
        match (self.state, self.hole(now)) {
            (LineState::Never, _) | (LineState::Ended, Some(_)) => true,
            (_, Some(since)) => since + failover.lost <= now,
            (_, None) => false,
        }
    }

    /// Whether it has ever had a picture.
    pub(crate) fn is_pictured(&self) -> bool {
        self.carries == Carries::Pictures && self.state != LineState::Never
    }

    /// What is measured of it and can be held against it: nothing of pictures where there are none.
    // No copy where pictures are: it is looked at in every tick.
    #[inline]
    pub(crate) fn figures_that_count(&self) -> Cow<'_, LineFigures> {
        match self.carries {
            Carries::Pictures => Cow::Borrowed(&self.figures),
            Carries::SoundAlone => Cow::Owned(LineFigures {
                millifps: None,
                frozen_since: None,
                black_since: None,
                ..self.figures
            }),
        }
    }

    /// When the first missing picture was due, if one is missing at `now`.
    pub(crate) fn hole(&self, now: Time) -> Option<Time> {
        self.hole_since.filter(|since| *since <= now)
    }
}
