//! What a watermark may be, and where it stands.

use super::{AT, NAME, NODE, SIZE, SWITCH, slot};
use crate::files::FileKind;
use crate::grammar::{Count, Need, NodeSpec, Slot, Type};
use crate::model::{Draw, TimeOf, Units};

const PLACE: Slot = slot(AT, Type::Place, Need::Default("top-right"));
const MARGIN: Slot = slot("margin", Type::Whole { least: 0, most: 4096 }, Need::Default("24"));
const OPACITY: Slot = slot("opacity", Type::Ratio, Need::Default("1"));
const SCALE: Slot = slot("scale", Type::Scale, Need::Default("100%"));
const DRAW: Slot = slot("draw", Type::OneOf(&Draw::WORDS), Need::Default("once"));
const STATE: Slot = slot("state", SWITCH, Need::Default("on"));
const FONT: Slot = slot("font", Type::Font, Need::Optional);
const FONT_FILE: Slot = slot("font-file", Type::Input(FileKind::Font), Need::Optional);
const LETTERS: Slot = slot(SIZE, Type::Whole { least: 8, most: 1024 }, Need::Default("48"));
const INK: Slot = slot("color", Type::Color, Need::Default("white"));
const OUTLINE: Slot = slot("outline", Type::Color, Need::Optional);

pub(super) const WATERMARK: NodeSpec = NodeSpec {
    word: "watermark",
    about: "Something on top of everything. With `state=off` it is there once it is switched on. `scale` is of its own \
            size on the canvas; with `draw=rung` it is drawn on each rung's picture in its size, which is \
            crisper, else once on the canvas.",
    count: Count::Any,
    args: &[NAME],
    nodes: &[
        NodeSpec {
            word: "image",
            about: "A PNG, JPEG or SVG, relative to the show file; the margin is in pixels of the canvas.",
            count: Count::Choice,
            args: &[slot("path", Type::Input(FileKind::Image), Need::Required)],
            keys: &[PLACE, MARGIN, OPACITY, SCALE, DRAW, STATE],
            ..NODE
        },
        NodeSpec {
            word: "text",
            about: "Words, in lines parted by `\\n`; `size` is a line's height in pixels of the canvas, the font one \
                    that the system has, or a file.",
            count: Count::Choice,
            args: &[slot("text", Type::Words, Need::Required)],
            keys: &[FONT, FONT_FILE, LETTERS, INK, OUTLINE, PLACE, MARGIN, OPACITY, SCALE, DRAW, STATE],
            ..NODE
        },
        NodeSpec {
            word: "timecode",
            about: "Show time or the time of day, `zone` ahead of UTC.",
            count: Count::Choice,
            args: &[slot("of", Type::OneOf(&TimeOf::WORDS), Need::Required)],
            keys: &[
                slot("units", Type::OneOf(&Units::WORDS), Need::Default("frames")),
                slot("zone", Type::Zone, Need::Default("+00:00")),
                FONT,
                FONT_FILE,
                LETTERS,
                INK,
                OUTLINE,
                PLACE,
                MARGIN,
                OPACITY,
                SCALE,
                DRAW,
                STATE,
            ],
            ..NODE
        },
        NodeSpec {
            word: "forensic",
            about: "A faint pattern over each rung's picture that survives encoding it again: \
                    `obvan probe --mark` reads the number and the rung back. `strength` is in steps of luma.",
            count: Count::Choice,
            args: &[slot("id", Type::Whole { least: 1, most: 65_535 }, Need::Required)],
            keys: &[slot("strength", Type::Whole { least: 1, most: 4 }, Need::Default("2"))],
            ..NODE
        },
        NodeSpec {
            word: "move",
            about: "Where it is at a show time, and how strong; between two it is on its way, before the \
                    first and after the last it stays. What is not said is as without a path.",
            count: Count::Any,
            args: &[slot("time", Type::Time, Need::Required)],
            keys: &[slot("to", Type::Place, Need::Optional), slot("opacity", Type::Ratio, Need::Optional)],
            ..NODE
        },
    ],
    ..NODE
};
