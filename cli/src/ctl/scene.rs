//! What `obvan ctl scene` asks for.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::gain::decibels;

#[derive(Subcommand, Debug)]
pub(crate) enum SceneWhat {
    /// Another layout
    Layout {
        /// side-by-side, pip, grid, full, or one of the show's own
        layout: String,
        /// How long the boxes take to their new places, e.g. `over=500ms`; a cut without it
        #[arg(value_name = "over=DUR", value_parser = over)]
        over: Option<media::Span>,
    },
    /// How one of its boxes is heard
    Box {
        /// Its name
        name: String,
        /// `level=-6dB` (-60 to 12), `mute=on` or `mute=off`
        #[arg(value_name = "level=LEVEL|mute=STATE", value_parser = heard)]
        heard: Heard,
    },
}

/// How a box is heard.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Heard {
    Level(f64),
    Mute(String),
}

/// `over=500ms`.
fn over(text: &str) -> std::result::Result<media::Span, String> {
    match text.strip_prefix("over=") {
        Some(span) => crate::duration::parse(span),
        None => Err("write how long it takes as `over=500ms`".to_owned()),
    }
}

/// `level=-6dB`, `mute=on`.
fn heard(text: &str) -> std::result::Result<Heard, String> {
    match text.split_once('=') {
        Some(("level", level)) => decibels(level).map(Heard::Level),
        Some(("mute", state @ ("on" | "off"))) => Ok(Heard::Mute(state.to_owned())),
        _ => Err("a box has `level=-6dB`, `mute=on` and `mute=off`".to_owned()),
    }
}

impl SceneWhat {
    /// The command's fields.
    pub(crate) fn fields(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Layout { layout, over } => {
                let over = over.map(|span| ("over_ms", json!(span.as_millis_rounded())));
                [("layout", json!(layout))].into_iter().chain(over).collect()
            }
            Self::Box { name, heard: Heard::Level(db) } => {
                vec![("box", json!(name)), ("gain_db", json!(db))]
            }
            Self::Box { name, heard: Heard::Mute(state) } => {
                vec![("box", json!(name)), ("state", json!(state))]
            }
        }
    }

    /// What was done, in words.
    pub(crate) fn done(&self) -> String {
        match self {
            Self::Layout { layout, .. } => format!("layout {layout}"),
            Self::Box { name, heard: Heard::Level(db) } => format!("box {name} at {db} dB"),
            Self::Box { name, heard: Heard::Mute(state) } => format!("box {name} mute {state}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, heard, over};

    #[test]
    fn what_is_asked_of_a_scene_is_written_as_in_the_show_file() {
        assert_eq!(over("over=500ms"), Ok(media::Span::from_millis(500)));
        assert_eq!(heard("level=-6dB"), Ok(Heard::Level(-6.0)));
        assert_eq!(heard("mute=on"), Ok(Heard::Mute("on".to_owned())));
        for text in ["mute=maybe", "level", "level=loud", "gain=1dB"] {
            assert!(heard(text).is_err(), "{text}");
        }
        assert!(over("500ms").is_err());
    }
}
