//! What `obvan ctl watermark` asks for.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::addressee::Addressee;

#[derive(Subcommand, Debug)]
pub(crate) enum MarkWhat {
    /// It is shown
    On {
        #[command(flatten)]
        way: Way,
        #[command(flatten)]
        how: When,
    },
    /// It is not
    Off {
        #[command(flatten)]
        way: Way,
        #[command(flatten)]
        how: When,
    },
    /// It says something else
    Text {
        /// Up to 200 characters
        text: String,
        #[command(flatten)]
        how: When,
    },
    /// It stands somewhere else
    At {
        /// `top-left` and so on, `X,Y` in pixels or per cent of the canvas, or `own` for its own place
        place: String,
        #[command(flatten)]
        way: Way,
        #[command(flatten)]
        how: When,
    },
}

#[derive(clap::Args, Debug)]
pub(crate) struct Way {
    /// How long it fades or is on its way, e.g. `500ms`; at once, if left out
    #[arg(long, value_name = "DUR", value_parser = crate::duration::parse)]
    over: Option<media::Span>,
}

#[derive(clap::Args, Debug)]
pub(crate) struct When {
    /// From when on
    #[arg(long, value_name = "WHEN", default_value = "now")]
    when: Moment,
    #[command(flatten)]
    to: Addressee,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum Moment {
    /// The next tick
    Now,
    /// The next key frame
    Keyframe,
}

impl MarkWhat {
    /// Whom it is for, and the command's fields.
    pub(crate) fn fields(&self) -> (&Addressee, Vec<(&'static str, Value)>) {
        let (how, way, what) = match self {
            Self::On { way, how } => (how, Some(way), ("state", json!("on"))),
            Self::Off { way, how } => (how, Some(way), ("state", json!("off"))),
            Self::Text { text, how } => (how, None, ("text", json!(text))),
            Self::At { place, way, how } => (how, Some(way), ("place", json!(place))),
        };
        let when = match how.when {
            Moment::Now => "now",
            Moment::Keyframe => "keyframe",
        };
        let over = way.and_then(|way| way.over).map(|over| ("over_ms", json!(over.as_millis_rounded())));
        (&how.to, [what, ("when", json!(when))].into_iter().chain(over).collect())
    }
}
