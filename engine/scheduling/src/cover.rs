//! What can be shown at a tick: a source, the filler over its hole, or black.

use media::{Span, Time};

use crate::decision::{Freshness, OnAir};
use crate::view::{Look, SourceIx, SourceView};

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
        match view.look(self.now, self.after) {
            Look::Fresh | Look::Rough => Shot { on_air: OnAir::Filler, freshness: Freshness::Live },
            Look::Last => Shot { on_air: OnAir::Filler, freshness: Freshness::Held },
            Look::Gone | Look::Nothing => Shot::BLACK,
        }
    }
}
