//! The words of a fault script, declared once.
//!
//! Reading, suggestions, the legal values in messages and the reference page
//! come from these tables. The words of cues are the show file's own.

use std::sync::LazyLock;

use crate::FileKind;
use crate::grammar::{ACTIONS, Count, Form, Need, NodeSpec, Slot, Sort, TRANSITION, Type};
use crate::model::Edge;
use crate::rehearsal::{RELOAD, Restart};

/// What a fault is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Of {
    /// A line: `main/fiber`, or a whole camera: `main`; of what can befall every line, also a
    /// filler: `filler/standby`.
    Line(Lines),
    /// A push: `program/cdn-a`, or one rung of it: `program/cdn-a/720p`.
    Push,
    /// `disk`.
    Disk,
    /// `engine`.
    Engine,
}

/// Which lines can have a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lines {
    /// All.
    Every,
    /// Those that somebody sends to while the show runs.
    Sent,
}

/// What stands behind a fault's `=`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Amount {
    None,
    Must(Type),
    Usual(Type, &'static str),
    May(Type),
}

/// A fault's word.
#[derive(Clone, Copy, Debug)]
pub(super) struct FaultSpec {
    pub(super) word: &'static str,
    pub(super) of: Of,
    pub(super) amount: Amount,
    pub(super) about: &'static str,
}

impl FaultSpec {
    /// As one writes it: `main/fiber drip=30%@10s for 5s`.
    pub(super) fn example(&self) -> String {
        let subject = match self.of {
            Of::Line(_) => "main/fiber",
            Of::Push => "program/cdn-a",
            Of::Disk => DISK,
            Of::Engine => ENGINE,
        };
        let value = match self.amount {
            Amount::None | Amount::May(_) => String::new(),
            Amount::Must(ty) => format!("={}", ty.example()),
            Amount::Usual(_, usual) => format!("={usual}"),
        };
        format!("{subject} {}{value}@10s for 5s", self.word)
    }
}

/// The subjects that are one of a kind.
pub(super) const DISK: &str = "disk";
pub(super) const ENGINE: &str = "engine";
/// What stands before a filler's name.
pub(super) const FILLER: &str = "filler";

const fn fault(word: &'static str, of: Of, amount: Amount, about: &'static str) -> FaultSpec {
    FaultSpec { word, of, amount, about }
}
const EVERY: Of = Of::Line(Lines::Every);
const SENT: Of = Of::Line(Lines::Sent);

pub(super) const FAULTS: &[FaultSpec] = &[
    fault(
        "lost",
        EVERY,
        Amount::None,
        "The connection is gone, or the file can no longer be read; it comes back when the fault is over.",
    ),
    fault("stall", EVERY, Amount::None, "It stays connected, and nothing comes."),
    fault("drip", SENT, Amount::Usual(Type::Percent, "50%"), "Only this share of the packets comes."),
    fault(
        "corrupt",
        SENT,
        Amount::Usual(Type::Percent, "5%"),
        "This share of the packets comes with broken bytes.",
    ),
    fault(
        "jump",
        SENT,
        Amount::Must(Type::Shift),
        "Its time stamps leap by this much, and back when the fault is over.",
    ),
    fault("drift", SENT, Amount::Must(Type::Ppm), "Its sender's clock runs fast by this much, or slow."),
    fault("freeze", EVERY, Amount::None, "Its picture stands still; the sound goes on."),
    fault("black", EVERY, Amount::None, "Its picture is black; the sound goes on."),
    fault("silence", EVERY, Amount::None, "Nothing is heard of it; the picture goes on."),
    fault("resolution", SENT, Amount::Must(Type::Size), "Its sender changes to this size."),
    fault("wedge", Of::Push, Amount::None, "The server stays connected, and takes nothing."),
    fault("refuse", Of::Push, Amount::None, "The server hangs up, and takes no connection."),
    fault("full", Of::Disk, Amount::None, "The disk that is recorded to takes nothing more."),
    fault(
        "slow",
        Of::Disk,
        Amount::Usual(Type::Percent, "50%"),
        "The disk takes only this share of what there is to write.",
    ),
    fault("broken", Of::Disk, Amount::None, "The disk can no longer be written to."),
    fault(
        "kill",
        Of::Engine,
        Amount::May(Type::OneOf(&Restart::WORDS)),
        "The engine ends at once; when the fault is over it is started again, and its show goes on as with `obvan run`. `kill=fresh`: it begins anew; `kill=resume`: it goes on, however long the engine was down.",
    ),
    fault(
        "overload",
        Of::Engine,
        Amount::None,
        "The machine has less time than the show takes: every tick is half a second late, and rungs rest in their order.",
    ),
];

const fn slot(name: &'static str, ty: Type, need: Need) -> Slot {
    Slot { name, ty, need }
}
const CAMERA: Slot = slot("camera", Type::Refer(Sort::Camera), Need::Required);
const SOURCE: Slot = slot("source", Type::Refer(Sort::Source), Need::Required);
/// A show file.
pub(super) const SHOW_FILE: Type = Type::Input(FileKind::Media);
const CUE: Type = Type::Whole { least: 1, most: 100_000 };

/// What a crew can ask for that no cue says.
const DESK: &[Form] = &[
    Form { word: "preview", about: "Put this source on preview.", args: &[SOURCE], keys: &[] },
    Form {
        word: "take",
        about: "Bring what is on preview.",
        args: &[slot("with", Type::OneOf(&["cut", "mix", "wipe", "dip"]), Need::Default("cut"))],
        keys: &[
            slot("over", TRANSITION, Need::Default("500ms")),
            slot("from", Type::OneOf(&Edge::WORDS), Need::Default("left")),
            slot("color", Type::Color, Need::Default("black")),
        ],
    },
    Form {
        word: "sound",
        about: "Whose sound is heard: that of what is seen, or always that of one source.",
        args: &[
            slot("whose", Type::OneOf(&["follow", "hold"]), Need::Required),
            slot("source", Type::Refer(Sort::Source), Need::Optional),
        ],
        keys: &[],
    },
    Form {
        word: "gain",
        about: "How loud this source is.",
        args: &[SOURCE, slot("gain", Type::Level, Need::Required)],
        keys: &[],
    },
    Form {
        word: "mute",
        about: "Silence this source, or let it be heard again.",
        args: &[SOURCE, slot("state", Type::OneOf(&["on", "off"]), Need::Required)],
        keys: &[],
    },
    Form {
        word: "line",
        about: "Choose a camera's line, or leave it to the rules again: `auto`.",
        args: &[CAMERA, slot("line", Type::Define, Need::Required)],
        keys: &[],
    },
    Form {
        word: RELOAD,
        about: "Go over to what another show file says, as `obvan ctl reload FILE` does.",
        args: &[slot("file", SHOW_FILE, Need::Required)],
        keys: &[],
    },
    Form {
        word: "plan",
        about: "Lead the rundown: call the next cue, hold, go on; skip, move or retime a cue by its number in the file.",
        args: &[
            slot("step", Type::OneOf(&["next", "hold", "go", "skip", "move", "at"]), Need::Required),
            slot("cue", CUE, Need::Optional),
            slot("to", Type::Time, Need::Optional),
        ],
        keys: &[slot("before", CUE, Need::Optional)],
    },
];

/// Every command: those of cues, but for `end`, and those of the desk.
static ORDERS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let cues = ACTIONS.iter().filter(|form| form.word != "end");
    cues.chain(DESK).copied().collect()
});

/// `at TIME COMMAND… [channel=NAME]`.
pub(super) static AT: LazyLock<NodeSpec> = LazyLock::new(|| NodeSpec {
    word: "at",
    about: "A command at a show time; the channel may be left out where the show has one.",
    count: Count::Any,
    args: &[Slot { name: "time", ty: Type::Time, need: Need::Required }],
    forms: ORDERS.as_slice(),
    instead: None,
    keys: &[Slot { name: "channel", ty: Type::Refer(Sort::Channel), need: Need::Optional }],
    nodes: &[],
});
