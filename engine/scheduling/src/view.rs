//! What the scheduler is told of the sources, tick by tick.

use media::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::line::{Grade, LineReason, LineState, LineView};

/// A source of a channel, by its place in `sources`; the first is on air at the start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceIx(pub usize);

/// How a source's picture stands at a tick. Times are show time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Picture {
    /// There has never been one.
    Never,
    /// The newest picture is the one that was due.
    Current,
    /// The newest picture is the one that was due, but parts of it are made up: shown where it
    /// is on air, never come back with.
    Damaged,
    /// A hole: pictures are missing, more may come.
    Missing {
        /// When the first missing picture was due. A time still to come counts as current.
        since: Time,
    },
    /// The source has ended and played out.
    Ended {
        /// When the first picture after its last would have been due.
        since: Time,
    },
}

/// What the scheduler has to know of a source (or the filler) at one tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SourceView {
    /// Its picture.
    pub picture: Picture,
    /// Why it comes over another line from this tick on, if it does.
    pub line: Option<LineReason>,
}

impl SourceView {
    /// A source that has never given a picture.
    pub const NEVER: Self = Self { picture: Picture::Never, line: None };
    /// A source whose picture is current.
    pub const CURRENT: Self = Self { picture: Picture::Current, line: None };

    /// A source in a hole since `since`.
    pub const fn missing(since: Time) -> Self {
        Self { picture: Picture::Missing { since }, line: None }
    }
    /// A source that ended; `since` is when its next picture would have been due.
    pub const fn ended(since: Time) -> Self {
        Self { picture: Picture::Ended { since }, line: None }
    }
    /// The same, over another line from this tick on.
    pub const fn over_line(self, reason: LineReason) -> Self {
        Self { picture: self.picture, line: Some(reason) }
    }

    /// A camera whose chosen line stands like this; `None` if none was chosen yet.
    pub fn of_line(line: Option<&LineView>) -> Self {
        let Some(line) = line else { return Self::NEVER };
        match (line.hole_since, line.state) {
            (Some(since), LineState::Ended) => Self::ended(since),
            (Some(since), _) => Self::missing(since),
            (None, _) if line.grade == Grade::Damaged => Self { picture: Picture::Damaged, line: None },
            (None, _) => Self::CURRENT,
        }
    }

    /// What can be shown of it at `now`, where a hole is covered after `after`.
    pub(crate) fn look(&self, now: Time, after: Span) -> Look {
        match self.picture {
            Picture::Never => Look::Nothing,
            Picture::Missing { since } | Picture::Ended { since } if since <= now => {
                if since + after <= now {
                    Look::Gone
                } else {
                    Look::Last
                }
            }
            Picture::Damaged => Look::Rough,
            _ => Look::Fresh,
        }
    }
}

/// What can be shown of a source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Look {
    /// Its current picture.
    Fresh,
    /// Its current picture, parts of which are made up.
    Rough,
    /// Its last picture, held over a short hole.
    Last,
    /// The hole has become too long.
    Gone,
    /// There has never been a picture.
    Nothing,
}
