//! What a show language is made of: nodes, their slots, their types.
//!
//! The language itself stands in [`table`].

mod table;

use crate::files::FileKind;

pub(crate) use table::{
    ACTIONS, AUDIO, AUDIO_BITRATE, ENCODER, FAILOVER, KEYFRAME, LATENCY, PRESET, SCENE_LAYOUT, TRANSITION,
    VIDEO, WHOLE,
};

/// What other parts of a show refer to by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Sort {
    Camera,
    Scene,
    /// A camera or a scene.
    Source,
    Layout,
    Filler,
    Watermark,
    Ladder,
    Key,
    Channel,
}

impl Sort {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Scene => "scene",
            Self::Source => "source",
            Self::Layout => "layout",
            Self::Filler => "filler",
            Self::Watermark => "watermark",
            Self::Ladder => "ladder",
            Self::Key => "key",
            Self::Channel => "channel",
        }
    }
}

/// The type of a value, which its place decides.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Type {
    Title,
    /// Defines a name, unique among the nodes of its word.
    Define,
    Refer(Sort),
    Input(FileKind),
    PullUrl,
    PushUrl,
    RecordPath,
    /// Where a line is recorded as it comes.
    LineRecordPath,
    /// What a device's sound is taken from.
    SoundDevice,
    /// The name of a source that the program registers.
    Source,
    PushPoint,
    Pattern,
    OneOf(&'static [&'static str]),
    /// Some of these words, each once, with commas between.
    SomeOf(&'static [&'static str]),
    /// Names of rungs with commas between, or `none`.
    Rungs,
    Duration {
        least_ms: i64,
        most_ms: i64,
    },
    /// A duration, or `off`.
    Limit {
        least_ms: i64,
        most_ms: i64,
    },
    Time,
    TimeOfDay,
    Zone,
    Color,
    Size,
    Rate,
    SampleRate,
    Bits {
        least: u32,
        most: u32,
    },
    Whole {
        least: u32,
        most: u32,
    },
    Hertz {
        least: u32,
        most: u32,
    },
    Ratio,
    /// A share of a whole.
    Percent,
    /// A length of time with a sign.
    Shift,
    /// How much faster a clock runs.
    Ppm,
    /// Two lengths of the canvas, `X,Y`.
    Corner,
    /// Two lengths of the canvas, `WxH`.
    Extent,
    /// One of nine places on the canvas, or two lengths of it, `X,Y`.
    Place,
    /// How much larger than itself, in whole per cent.
    Scale,
    /// What is written on a picture.
    Words,
    /// The name of a font.
    Font,
    /// Four lengths of the canvas, `LEFT,TOP,RIGHT,BOTTOM`.
    Crop,
    /// Decibels.
    Level,
    Address,
    Variable,
    /// Where a secret is kept.
    Secret,
}

/// Whether a value must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    Required,
    /// One or more; for the last argument.
    Several,
    Default(&'static str),
    Optional,
    /// Exactly one of the keys that say so.
    Choice,
}

/// An argument or a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) name: &'static str,
    pub(crate) ty: Type,
    pub(crate) need: Need,
}

/// How often a node may stand in its block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Count {
    Optional,
    One,
    Any,
    AtLeastOne,
    /// Exactly one of the nodes of the block that say so.
    Choice,
}

/// What may follow the arguments every node of a word has, chosen by a word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) word: &'static str,
    pub(crate) about: &'static str,
    pub(crate) args: &'static [Slot],
    pub(crate) keys: &'static [Slot],
}

/// A node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeSpec {
    pub(crate) word: &'static str,
    pub(crate) about: &'static str,
    pub(crate) count: Count,
    pub(crate) args: &'static [Slot],
    /// Where there are any, one of them must follow the arguments.
    pub(crate) forms: &'static [Form],
    /// One whose word may stand behind the first argument, in place of the others and of the keys.
    pub(crate) instead: Option<&'static Form>,
    pub(crate) keys: &'static [Slot],
    pub(crate) nodes: &'static [NodeSpec],
}

impl NodeSpec {
    /// Its word as messages name it.
    pub(crate) fn title(&self) -> String {
        if self.word.is_empty() { "a show file".to_owned() } else { format!("`{}`", self.word) }
    }
}
