//! How a source is brought on air, and whose sound is heard with it.

use media::Span;
use serde::{Deserialize, Serialize};

use super::{Action, Edge, Name, Rgb};

/// How a source is brought on air.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "as in `Action`")]
pub enum Transition {
    #[default]
    Cut,
    Mix {
        over: Span,
    },
    Wipe {
        over: Span,
        from: Edge,
    },
    Dip {
        over: Span,
        color: Rgb,
    },
}

impl Transition {
    /// The action that brings `source` in this way.
    pub const fn to(self, source: Name) -> Action {
        match self {
            Self::Cut => Action::Cut { source },
            Self::Mix { over } => Action::Mix { source, over },
            Self::Wipe { over, from } => Action::Wipe { source, over, from },
            Self::Dip { over, color } => Action::Dip { source, over, color },
        }
    }
}

/// Whose sound is heard.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Follow {
    /// That of what is seen.
    Picture,
    /// Always that of this source.
    Source(Name),
}
