//! What `obvan ctl watermark` asks for.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::ctl::Addressee;

#[derive(Subcommand, Debug)]
pub(crate) enum MarkWhat {
    /// It is shown
    On {
        #[command(flatten)]
        how: When,
    },
    /// It is not
    Off {
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
        how: When,
    },
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
        let (how, what) = match self {
            Self::On { how } => (how, ("state", json!("on"))),
            Self::Off { how } => (how, ("state", json!("off"))),
            Self::Text { text, how } => (how, ("text", json!(text))),
            Self::At { place, how } => (how, ("place", json!(place))),
        };
        let when = match how.when {
            Moment::Now => "now",
            Moment::Keyframe => "keyframe",
        };
        (&how.to, vec![what, ("when", json!(when))])
    }
}
