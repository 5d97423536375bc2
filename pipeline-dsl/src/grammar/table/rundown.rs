//! What may happen on a channel, and when.

use super::{NODE, SWITCH, slot};
use crate::grammar::{Count, Form, Need, NodeSpec, Slot, Sort, Type};
use crate::model::{Edge, MarkTime};

const SOURCE: Slot = slot("source", Type::Refer(Sort::Source), Need::Required);

const OVER: &[Slot] = &[slot("over", TRANSITION, Need::Default("500ms"))];
pub(crate) const TRANSITION: Type = Type::Duration { least_ms: 40, most_ms: 10_000 };

pub(crate) const ACTIONS: &[Form] = &[
    Form { word: "cut", about: "Show this source.", args: &[SOURCE], keys: &[] },
    Form { word: "mix", about: "Dissolve to this source.", args: &[SOURCE], keys: OVER },
    Form {
        word: "wipe",
        about: "Uncover this source, beginning at an edge of the picture.",
        args: &[SOURCE],
        keys: &[
            slot("over", TRANSITION, Need::Default("500ms")),
            slot("from", Type::OneOf(&Edge::WORDS), Need::Default("left")),
        ],
    },
    Form {
        word: "dip",
        about: "Fade to a colour, and from there to this source.",
        args: &[SOURCE],
        keys: &[
            slot("over", TRANSITION, Need::Default("500ms")),
            slot("color", Type::Color, Need::Default("black")),
        ],
    },
    Form {
        word: "filler",
        about: "The filler, whatever the source does.",
        args: &[slot("state", SWITCH, Need::Required)],
        keys: &[],
    },
    Form {
        word: "encrypt",
        about: "Encryption on or off, or on to the next key, from the next key frame.",
        args: &[slot("state", Type::OneOf(&["on", "off", "rotate"]), Need::Required)],
        keys: &[],
    },
    Form {
        word: "scene",
        about: "Another layout of a scene, cut or animated; or the level or mute of one of its boxes.",
        args: &[
            slot("scene", Type::Refer(Sort::Scene), Need::Required),
            slot("part", Type::OneOf(&["layout", "box"]), Need::Required),
            slot("which", Type::Define, Need::Required),
        ],
        keys: &[
            slot("over", TRANSITION, Need::Optional),
            slot("level", Type::Level, Need::Optional),
            slot("mute", SWITCH, Need::Optional),
        ],
    },
    Form {
        word: "watermark",
        about: "Show a watermark or take it off (`over=` fades it), have it say other words (`text \"Ada\"`), or put it \
                elsewhere (`at bottom-left`, `at 50%,10`, `at own` for its own place; `over=` is its way): at once, or \
                with the next key frame.",
        args: &[
            slot("watermark", Type::Refer(Sort::Watermark), Need::Required),
            slot("change", Type::OneOf(&["on", "off", "text", "at"]), Need::Required),
            slot("what", Type::Words, Need::Optional),
        ],
        keys: &[
            slot("over", TRANSITION, Need::Optional),
            slot("when", Type::OneOf(&MarkTime::WORDS), Need::Default("now")),
        ],
    },
    Form {
        word: "end",
        about: "The show ends; exclusive: the last tick is before it.",
        args: &[],
        keys: &[],
    },
];

pub(super) const RUNDOWN: NodeSpec = NodeSpec {
    word: "rundown",
    about: "What happens when, on one channel; `zone` is how far its `clock` is ahead of UTC.",
    count: Count::Any,
    args: &[slot("channel", Type::Refer(Sort::Channel), Need::Required)],
    keys: &[slot("zone", Type::Zone, Need::Default("+00:00"))],
    nodes: &[
        NodeSpec {
            word: "at",
            about: "A cue at a show time, in order of time.",
            count: Count::Any,
            args: &[slot("time", Type::Time, Need::Required)],
            forms: ACTIONS,
            ..NODE
        },
        NodeSpec {
            word: "clock",
            about: "A cue at a time of day, the next time the clock shows it.",
            count: Count::Any,
            args: &[slot("time", Type::TimeOfDay, Need::Required)],
            forms: ACTIONS,
            ..NODE
        },
        NodeSpec {
            word: "next",
            about: "A cue that waits for the director's `next`, in the order of the file.",
            count: Count::Any,
            forms: ACTIONS,
            ..NODE
        },
    ],
    ..NODE
};
