//! What can be shown at a tick: a source, the filler over its hole, or black.

use media::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::decision::{Freshness, OnAir};
use crate::view::{Look, Picture, SourceIx, SourceView};

/// How long the filler's last picture is held at the least. A camera's has the filler behind it, the
/// filler's has black: where the machine is short of time it would go there and back with each picture
/// that comes late.
const FILLER_HELD: Span = Span::from_millis(2_000);

/// A hole of the filler.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct FillerHole {
    /// When its first missing picture was due.
    due: Time,
    /// Since when none has come. One that comes late leaves a hole, but another one.
    quiet_since: Time,
}

impl FillerHole {
    /// The hole at the tick at `now`, if the filler is in one then; `before` is that of the tick before.
    pub fn at(now: Time, before: Option<Self>, filler: Option<SourceView>) -> Option<Self> {
        let Picture::Missing { since: due } = filler?.picture else { return None };
        let goes_on = before.filter(|before| due <= before.due);
        let quiet_since = goes_on.map_or(now, |before| before.quiet_since);
        (due <= now).then_some(Self { due, quiet_since })
    }
}

/// One picture and whether it moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shot {
    pub on_air: OnAir,
    pub freshness: Freshness,
}

impl Shot {
    /// Black is what should be shown where there is nothing else.
    const BLACK: Self = Self { on_air: OnAir::Black, freshness: Freshness::Live };
}

/// Everything that could be shown at one tick.
pub(crate) struct Stage<'a> {
    pub now: Time,
    pub after: Span,
    pub sources: &'a [SourceView],
    pub filler: Option<SourceView>,
    pub filler_hole: Option<FillerHole>,
}

/// How long a source without a current picture is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Patience {
    /// In black for its very first picture.
    First,
    /// Its last picture is held over a short hole.
    Hold,
    /// Not at all: it is covered already, and comes back with a current picture only.
    None,
}

impl Stage<'_> {
    /// The source, or what stands in for it.
    pub fn source(&self, source: SourceIx, patience: Patience) -> Shot {
        let on_air = OnAir::Source(source);
        let view = self.sources.get(source.0).copied().unwrap_or(SourceView::NEVER);
        match (view.look(self.now, self.after), patience) {
            (Look::Fresh, _) => Shot { on_air, freshness: Freshness::Live },
            (Look::Rough, Patience::First | Patience::Hold) => Shot { on_air, freshness: Freshness::Live },
            (Look::Last, Patience::First | Patience::Hold) => Shot { on_air, freshness: Freshness::Held },
            (Look::Nothing, Patience::First) => Shot::BLACK,
            (Look::Rough | Look::Last | Look::Gone | Look::Nothing, _) => self.filler(),
        }
    }

    /// The filler, or black if it has no picture either.
    pub fn filler(&self) -> Shot {
        let view = self.filler.unwrap_or(SourceView::NEVER);
        let look = match self.filler_hole {
            Some(hole) if hole.quiet_since + self.after.max(FILLER_HELD) > self.now => Look::Last,
            Some(_) => Look::Gone,
            None => view.look(self.now, self.after),
        };
        match look {
            Look::Fresh | Look::Rough => Shot { on_air: OnAir::Filler, freshness: Freshness::Live },
            Look::Last => Shot { on_air: OnAir::Filler, freshness: Freshness::Held },
            Look::Gone | Look::Nothing => Shot::BLACK,
        }
    }
}
