//! Which of a camera's lines is shown: the main one, or a backup of it.

use media::Time;
use pipeline_dsl::Failover;
use serde::{Deserialize, Serialize};

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

/// What the selector has to know of a line at one tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineView {
    /// How it stands.
    pub state: LineState,
    /// When the first missing video frame was due, in show time; `None` while
    /// the picture is current. A time still to come counts as `None`.
    pub hole_since: Option<Time>,
}

impl LineView {
    /// A line that has never given a picture.
    pub const NEVER: Self = Self { state: LineState::Never, hole_since: None };

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

    fn hole(&self, now: Time) -> Option<Time> {
        self.hole_since.filter(|since| *since <= now)
    }
}

/// Why another line is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineReason {
    /// The camera's first picture.
    Start,
    /// The line before it was lost.
    Failover,
    /// A better line had been well for long enough.
    Recovered,
}

/// A camera goes over to another line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineChange {
    /// The line left; `None` at the camera's first picture.
    pub from: Option<LineIx>,
    /// The line shown from now on.
    pub to: LineIx,
    /// Why.
    pub reason: LineReason,
}

/// What one tick came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineChoice {
    /// The line to take pictures and sound from; `None` until one had a picture.
    pub line: Option<LineIx>,
    /// The change of this tick, if there was one.
    pub change: Option<LineChange>,
}

/// Chooses a camera's line, tick by tick.
///
/// It stays on a line until that is lost: `lost` after the first missing frame
/// was due, or at once when the line has ended and played out. Then the first
/// line in order of preference with a current picture is taken. A better line
/// is returned to once it has been well for `recover` without a break. When no
/// line has a picture it stays where it is.
///
/// So between two failovers lies a hole of `lost` on the line that was shown
/// (unless it ended), and before each return a good time of `recover` on the
/// line that was not: it cannot flap faster than those.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LineSelector {
    failover: Failover,
    current: Option<LineIx>,
    /// Since when each line has been well without a break.
    well_since: Vec<Option<Time>>,
}

impl LineSelector {
    /// For a camera of so many lines.
    pub fn new(lines: usize, failover: Failover) -> Self {
        Self { failover, current: None, well_since: vec![None; lines] }
    }

    /// The line shown now.
    pub const fn current(&self) -> Option<LineIx> {
        self.current
    }

    /// Decides for the tick at `now`, in show time. `lines` are in order of
    /// preference; one that is missing has never given a picture.
    pub fn select(&mut self, now: Time, lines: &[LineView]) -> LineChoice {
        for (ix, since) in self.well_since.iter_mut().enumerate() {
            let well = lines.get(ix).is_some_and(|line| line.is_well(now));
            *since = well.then(|| since.unwrap_or(now));
        }
        let change =
            self.wanted(now, lines).map(|(to, reason)| LineChange { from: self.current, to, reason });
        if let Some(change) = change {
            self.current = Some(change.to);
        }
        LineChoice { line: self.current, change }
    }

    /// The line to go over to, if any.
    fn wanted(&self, now: Time, lines: &[LineView]) -> Option<(LineIx, LineReason)> {
        let Some(current) = self.current else {
            return Some((self.first_well(|_| true)?, LineReason::Start));
        };
        let rested = |since: Time| now - since >= self.failover.recover;
        let better = self.first_well(rested).filter(|line| *line < current);
        if let Some(line) = better {
            return Some((line, LineReason::Recovered));
        }
        let view = lines.get(current.0).copied().unwrap_or(LineView::NEVER);
        if !view.is_lost(now, &self.failover) {
            return None;
        }
        let next = self.first_well(|_| true).filter(|line| *line != current)?;
        Some((next, LineReason::Failover))
    }

    fn first_well(&self, enough: impl Fn(Time) -> bool) -> Option<LineIx> {
        self.well_since.iter().position(|since| since.is_some_and(&enough)).map(LineIx)
    }
}
