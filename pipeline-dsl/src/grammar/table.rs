//! The show language, declared once.
//!
//! Every node with its arguments, keys, defaults and legal values stands in
//! these tables. Checking, suggestions, the legal values in messages, the
//! usage lines and the reference page all come from them.

mod rundown;
mod watermark;

use self::rundown::RUNDOWN;
pub(crate) use self::rundown::{ACTIONS, TRANSITION};
use self::watermark::WATERMARK;
use crate::files::FileKind;
use crate::grammar::{Count, Form, Need, NodeSpec, Slot, Sort, Type};
use crate::model::{
    Align, Deinterlace, Encoder, EncryptMode, EncryptSound, Fit, Latency, Layout, Prefer, Preset, Standby,
    Symptom, SyncBy, Tune,
};

const fn slot(name: &'static str, ty: Type, need: Need) -> Slot {
    Slot { name, ty, need }
}
const NAME: Slot = slot("name", Type::Define, Need::Required);

/// A node without arguments, keys or children; the base of the others.
const NODE: NodeSpec = NodeSpec {
    word: "",
    about: "",
    count: Count::Any,
    args: &[],
    forms: &[],
    instead: None,
    keys: &[],
    nodes: &[],
};

const BOOL: Type = Type::OneOf(&["true", "false"]);
const SWITCH: Type = Type::OneOf(&["on", "off"]);

const DEINTERLACE: Slot = slot("deinterlace", Type::OneOf(&Deinterlace::WORDS), Need::Default("bwdif"));

const FILE: Form = Form {
    word: "file",
    about: "A media file, relative to the show file; a filler's file always loops.",
    args: &[slot("path", Type::Input(FileKind::Media), Need::Required)],
    keys: &[slot("loop", BOOL, Need::Default("false")), DEINTERLACE],
};
const TEST: Form = Form {
    word: "test",
    about: "A generated picture, with a sine or with silence; never ends.",
    args: &[slot("pattern", Type::Pattern, Need::Required)],
    keys: &[slot("tone", Type::Hertz { least: 20, most: 20_000 }, Need::Optional)],
};
/// What a line takes that somebody sends to while the show runs.
const BUFFER: Slot = slot("buffer", Type::Duration { least_ms: 20, most_ms: 2_000 }, Need::Default("200ms"));
const CA: Slot = slot("ca", Type::Input(FileKind::Certificate), Need::Optional);
const SYNC: Slot = slot("sync", Type::OneOf(&SyncBy::WORDS), Need::Optional);
const LIVE: &[Slot] = &[BUFFER, SYNC, DEINTERLACE];
const DEVICE_KEYS: &[Slot] = &[slot("audio", Type::SoundDevice, Need::Optional), BUFFER, SYNC, DEINTERLACE];

const LINE_FORMS: &[Form] = &[
    Form {
        word: "push",
        about: "An encoder pushes to us, with `key=` only one that sends that stream key, as `stream?key=…` or `stream/…`, so no point without a key lies behind it; what comes waits in the buffer, so that late packets are in time; with `sync=clock` all such lines show at one time what was taken at one time, where their streams tell the time of day.",
        args: &[slot("point", Type::PushPoint, Need::Required)],
        keys: &[BUFFER, SYNC, slot("key", Type::Secret, Need::Optional), DEINTERLACE],
    },
    Form {
        word: "pull",
        about: "We pull; buffer and sync are as those of `push`, `ca` whom a TLS server is trusted by instead of the system's roots.",
        args: &[slot("url", Type::PullUrl, Need::Required)],
        keys: &[BUFFER, SYNC, CA, DEINTERLACE],
    },
    FILE,
    Form {
        word: "device",
        about: "A capture device, by its path, or `decklink:N` for the card of this number.",
        args: &[slot("path", Type::Input(FileKind::Device), Need::Required)],
        keys: DEVICE_KEYS,
    },
    Form {
        word: "source",
        about: "Packets or frames from the program that runs the show, by the name it registers them by.",
        args: &[slot("source", Type::Source, Need::Required)],
        keys: LIVE,
    },
    TEST,
];

const RECORD: Slot = slot("record", Type::LineRecordPath, Need::Optional);
/// How long a line may be frozen, black or silent.
const CHECK: Type = Type::Limit { least_ms: 500, most_ms: 600_000 };

const ADDRESS: Slot = slot("address", Type::Address, Need::Required);

const CAMERA: NodeSpec = NodeSpec {
    word: "camera",
    about: "A camera position with its lines, the preferred first; `record` and `sync` are for each that says none of its own, `sync` is `arrival` where nobody says it.",
    count: Count::Any,
    args: &[NAME],
    keys: &[RECORD, SYNC],
    nodes: &[
        NodeSpec {
            word: "line",
            about: "One way its picture reaches us; `deinterlace` is what becomes of interlaced ones. `record` keeps all that comes, just as it comes. \
                    Each stream makes a file: `-2` is what came after the first break.",
            count: Count::AtLeastOne,
            args: &[NAME],
            forms: LINE_FORMS,
            keys: &[RECORD],
            ..NODE
        },
        FAILOVER,
    ],
    ..NODE
};

pub(crate) const FAILOVER: NodeSpec = NodeSpec {
    word: "failover",
    about: "When to leave a line and when to come back. `lost` counts from the first missing video frame; \
            a line on which damaged pictures alone come is left after half of it, if another one is clean. \
            `suspect` is how long frame rate, bitrate or decode errors may be beyond `min-fps`, \
            `min-bitrate`, `max-errors` (a second); what is not given is not looked at. \
             `black`, `freeze` and `silence` are how long a picture may be black or stand still, and nothing be heard, \
             before that is told; a line is left for those that `on=` names. \
             With `standby=warm` the latest pictures of lines that are not shown are kept undecoded. \
             Lines that carry the same coded pictures are shown in step, with `align=content` also those \
             that look the same.",
    count: Count::Optional,
    keys: &[
        slot("lost", Type::Duration { least_ms: 50, most_ms: 60_000 }, Need::Default("400ms")),
        slot("recover", Type::Duration { least_ms: 0, most_ms: 600_000 }, Need::Default("3s")),
        slot("prefer", Type::OneOf(&Prefer::WORDS), Need::Default("first")),
        slot("standby", Type::OneOf(&Standby::WORDS), Need::Default("hot")),
        slot("align", Type::OneOf(&Align::WORDS), Need::Default("stamps")),
        slot("suspect", Type::Duration { least_ms: 500, most_ms: 60_000 }, Need::Default("2s")),
        slot("min-fps", Type::Rate, Need::Optional),
        slot("min-bitrate", Type::Bits { least: 1_000, most: 200_000_000 }, Need::Optional),
        slot("max-errors", Type::Whole { least: 0, most: 1000 }, Need::Optional),
        slot("black", CHECK, Need::Default("2s")),
        slot("freeze", CHECK, Need::Default("5s")),
        slot("silence", CHECK, Need::Default("5s")),
        slot("on", Type::SomeOf(&Symptom::WORDS), Need::Optional),
    ],
    ..NODE
};

const FILLER: NodeSpec = NodeSpec {
    word: "filler",
    about: "What covers a hole.",
    count: Count::Any,
    args: &[NAME],
    nodes: &[
        NodeSpec { word: FILE.word, about: FILE.about, count: Count::Choice, args: FILE.args, ..NODE },
        NodeSpec {
            word: "image",
            about: "A still picture, PNG or JPEG, with silence.",
            count: Count::Choice,
            args: &[slot("path", Type::Input(FileKind::Image), Need::Required)],
            ..NODE
        },
        NodeSpec {
            word: TEST.word,
            about: TEST.about,
            count: Count::Choice,
            args: TEST.args,
            keys: TEST.keys,
            ..NODE
        },
    ],
    ..NODE
};

const AT: &str = "at";
const SIZE: &str = "size";
const FIT: Slot = slot("fit", Type::OneOf(&Fit::WORDS), Need::Optional);
const Z: Slot = slot("z", Type::Whole { least: 0, most: 99 }, Need::Optional);
const BLACK: Need = Need::Default("black");

const LAYOUT: NodeSpec = NodeSpec {
    word: "layout",
    about: "Places for the boxes of scenes, beside the layouts every show has: side-by-side, pip, grid and full.",
    count: Count::Any,
    args: &[NAME],
    nodes: &[NodeSpec {
        word: "box",
        about: "The place of a scene's box of this number, not counting those with an `at` of their own; a box without a place is neither seen nor heard. \
                `fit` and `z` are for boxes that do not say.",
        count: Count::AtLeastOne,
        args: &[slot("number", Type::Whole { least: 1, most: 16 }, Need::Required)],
        keys: &[slot(AT, Type::Corner, Need::Required), slot(SIZE, Type::Extent, Need::Required), FIT, Z],
        ..NODE
    }],
    ..NODE
};

pub(crate) const SCENE_LAYOUT: NodeSpec = NodeSpec {
    word: "layout",
    about: "The layout it begins in.",
    count: Count::Optional,
    args: &[slot("layout", Type::Refer(Sort::Layout), Need::Default("grid"))],
    ..NODE
};

const SCENE: NodeSpec = NodeSpec {
    word: "scene",
    about: "A source composed of cameras, in one picture; `color` is seen where no box stands, `after` is how long a box holds its last picture. \
            Its sound is that of its boxes, kept below -1 dBFS.",
    count: Count::Any,
    args: &[NAME],
    keys: &[
        slot("color", Type::Color, BLACK),
        slot("after", Type::Duration { least_ms: 0, most_ms: 60_000 }, Need::Default("500ms")),
    ],
    nodes: &[
        SCENE_LAYOUT,
        NodeSpec {
            word: "box",
            about: "One camera in it; of two a later one stands in front, and a higher `z` before a lower one. \
                    With `at` and `size` it stands there whatever the layout. `color` is the border's, and the box's while it has no picture.",
            count: Count::AtLeastOne,
            args: &[NAME],
            keys: &[
                slot("camera", Type::Refer(Sort::Camera), Need::Required),
                FIT,
                slot("crop", Type::Crop, Need::Optional),
                slot("border", Type::Whole { least: 0, most: 64 }, Need::Default("0")),
                slot("color", Type::Color, BLACK),
                slot("level", Type::Level, Need::Default("0dB")),
                slot("filler", Type::Refer(Sort::Filler), Need::Optional),
                slot(AT, Type::Corner, Need::Optional),
                slot(SIZE, Type::Extent, Need::Optional),
                Z,
            ],
            ..NODE
        },
    ],
    ..NODE
};

/// What a rung may say for itself, as its ladder says it for all.
const PRESET_WORD: Type = Type::OneOf(&Preset::WORDS);
const ENCODER_WORD: Type = Type::OneOf(&Encoder::WORDS);
const RUNG_BITS: Type = Type::Bits { least: 50_000, most: 200_000_000 };

pub(crate) const PRESET: NodeSpec = NodeSpec {
    word: "preset",
    about: "The preset of its encoders, in the words of x264 and x265.",
    count: Count::Optional,
    args: &[slot("preset", PRESET_WORD, Need::Default("veryfast"))],
    ..NODE
};
pub(crate) const LATENCY: NodeSpec = NodeSpec {
    word: "latency",
    about: "How long a picture may stay in the encoders: with `low` not at all (no B-frames, no looking ahead), with `quality` up to 60 pictures are looked at first.",
    count: Count::Optional,
    args: &[slot("latency", Type::OneOf(&Latency::WORDS), Need::Default("normal"))],
    ..NODE
};
pub(crate) const ENCODER: NodeSpec = NodeSpec {
    word: "encoder",
    about: "What encodes its rungs: AVC or HEVC in software, or a device (`nvenc`, `qsv`, `vaapi` and `v4l2` alone are AVC). Where a device does not open, software makes the same codec, and an alarm says so.",
    count: Count::Optional,
    args: &[slot("encoder", ENCODER_WORD, Need::Default("x264"))],
    ..NODE
};
pub(crate) const KEYFRAME: NodeSpec = NodeSpec {
    word: "keyframe",
    about: "Every rung has a key frame this often, and at each cut.",
    count: Count::Optional,
    args: &[slot("every", Type::Duration { least_ms: 500, most_ms: 10_000 }, Need::Default("2s"))],
    ..NODE
};
pub(crate) const AUDIO_BITRATE: NodeSpec = NodeSpec {
    word: "audio",
    about: "AAC bits a second.",
    count: Count::Optional,
    args: &[slot("bitrate", Type::Bits { least: 32_000, most: 512_000 }, Need::Default("128k"))],
    ..NODE
};

const LADDER: NodeSpec = NodeSpec {
    word: "ladder",
    about: "The rungs a channel is encoded into.",
    count: Count::Any,
    args: &[NAME],
    nodes: &[
        PRESET,
        LATENCY,
        ENCODER,
        KEYFRAME,
        AUDIO_BITRATE,
        NodeSpec {
            word: "rung",
            about: "One quality, the largest first. `maxrate` is the bitrate where it is not said, `buffer` (the player's, in bits) a second of `maxrate`; \
                    `bframes` are those between two others at the most.",
            count: Count::AtLeastOne,
            args: &[
                NAME,
                slot("size", Type::Size, Need::Required),
                slot("bitrate", RUNG_BITS, Need::Required),
            ],
            instead: Some(&Form {
                word: "copy",
                about: "The camera's own AVC or HEVC, as it comes and not coded anew; the other rungs have their key frames where it has its. \
                        What no camera gives is encoded in its size: with `preset`, and `bitrate` of the canvas' size where it is not said.",
                args: &[],
                keys: &[
                    slot("bitrate", RUNG_BITS, Need::Optional),
                    slot("preset", PRESET_WORD, Need::Optional),
                ],
            }),
            keys: &[
                slot("maxrate", Type::Bits { least: 50_000, most: 400_000_000 }, Need::Optional),
                slot("buffer", Type::Bits { least: 5_000, most: 2_000_000_000 }, Need::Optional),
                slot("preset", PRESET_WORD, Need::Optional),
                slot("tune", Type::OneOf(&Tune::WORDS), Need::Optional),
                slot("bframes", Type::Whole { least: 0, most: 16 }, Need::Optional),
                slot("encoder", ENCODER_WORD, Need::Optional),
            ],
            ..NODE
        },
    ],
    ..NODE
};

const KEY: NodeSpec = NodeSpec {
    word: "key",
    about: "A key ring; the first key is current, rotate moves on.",
    count: Count::Any,
    args: &[NAME],
    nodes: &[NodeSpec {
        word: "id",
        about: "A key and where its 32 hex digits are found.",
        count: Count::AtLeastOne,
        args: &[slot("id", Type::Whole { least: 0, most: 255 }, Need::Required)],
        keys: &[
            slot("env", Type::Variable, Need::Choice),
            slot("file", Type::Input(FileKind::Key), Need::Choice),
        ],
        ..NODE
    }],
    ..NODE
};

const CLEAR: Slot = slot("clear", BOOL, Need::Default("false"));

const CHANNEL: NodeSpec = NodeSpec {
    word: "channel",
    about: "A program that viewers watch.",
    count: Count::AtLeastOne,
    args: &[NAME],
    nodes: &[
        NodeSpec {
            word: "sources",
            about: "Its cameras and scenes; the first is on air at the start.",
            count: Count::One,
            args: &[slot("source", Type::Refer(Sort::Source), Need::Several)],
            ..NODE
        },
        NodeSpec {
            word: "filler",
            about: "What covers a hole, and after how long, counted from the first missing video frame.",
            count: Count::Optional,
            args: &[slot("filler", Type::Refer(Sort::Filler), Need::Required)],
            keys: &[slot("after", Type::Duration { least_ms: 0, most_ms: 60_000 }, Need::Default("500ms"))],
            ..NODE
        },
        NodeSpec {
            word: "watermark",
            about: "What is drawn on top, in this order.",
            count: Count::Any,
            args: &[slot("watermark", Type::Refer(Sort::Watermark), Need::Several)],
            ..NODE
        },
        NodeSpec {
            word: "ladder",
            about: "What it is encoded into; `shed` names the rungs that rest while the engine cannot keep up, the first to go first. \
                    Where it is not said, channels of fewer sources than another, and not recorded, keep their smallest rung at least, and all others everything.",
            count: Count::One,
            args: &[slot("ladder", Type::Refer(Sort::Ladder), Need::Required)],
            keys: &[slot("shed", Type::Rungs, Need::Optional)],
            ..NODE
        },
        NodeSpec {
            word: "encrypt",
            about: "The key ring its tags are encrypted with; `sound` is what is heard without the key.",
            count: Count::Optional,
            args: &[slot("key", Type::Refer(Sort::Key), Need::Required)],
            keys: &[
                slot("mode", Type::OneOf(&EncryptMode::WORDS), Need::Default("nalu")),
                slot("sound", Type::OneOf(&EncryptSound::WORDS), Need::Default("noise")),
            ],
            ..NODE
        },
        NodeSpec {
            word: "egress",
            about: "One way out; `clear=true` leaves it unencrypted.",
            count: Count::AtLeastOne,
            args: &[NAME],
            forms: &[
                Form {
                    word: "push",
                    about: "We push to a URL; `{channel}` and `{rung}` stand for their names.",
                    args: &[slot("url", Type::PushUrl, Need::Required)],
                    keys: &[CLEAR, CA],
                },
                Form {
                    word: "serve",
                    about: "Viewers fetch `/live/{channel}/{rung}.flv`, or play `live/{channel}_{rung}` over RTMP.",
                    args: &[slot("protocol", Type::OneOf(&["http-flv", "rtmp"]), Need::Required)],
                    keys: &[CLEAR],
                },
                Form {
                    word: "record",
                    about: "A file under the output folder; `{channel}` and `{rung}` stand for their names.",
                    args: &[slot("path", Type::RecordPath, Need::Required)],
                    keys: &[CLEAR],
                },
            ],
            ..NODE
        },
    ],
    ..NODE
};

pub(crate) const VIDEO: NodeSpec = NodeSpec {
    word: "video",
    about: "The canvas every channel is composed on.",
    count: Count::Optional,
    args: &[
        slot("size", Type::Size, Need::Default("1920x1080")),
        slot("rate", Type::Rate, Need::Default("30fps")),
    ],
    ..NODE
};
pub(crate) const AUDIO: NodeSpec = NodeSpec {
    word: "audio",
    about: "The sound every channel is mixed in.",
    count: Count::Optional,
    args: &[
        slot("rate", Type::SampleRate, Need::Default("48kHz")),
        slot("layout", Type::OneOf(&Layout::WORDS), Need::Default("stereo")),
    ],
    ..NODE
};

/// The whole file.
pub(crate) static WHOLE: NodeSpec = NodeSpec {
    about: "",
    count: Count::One,
    nodes: &[NodeSpec {
        word: "show",
        about: "A whole show.",
        count: Count::One,
        args: &[slot("name", Type::Title, Need::Required)],
        nodes: &[
            VIDEO,
            AUDIO,
            NodeSpec {
                word: "listen",
                about: "Where the engine listens; 127.0.0.1:8080 and 127.0.0.1:1935 where it is not said.",
                count: Count::Optional,
                nodes: &[
                    NodeSpec {
                        word: "http",
                        about: "Page, API and viewers.",
                        count: Count::Optional,
                        args: &[ADDRESS],
                        ..NODE
                    },
                    NodeSpec {
                        word: "rtmp",
                        about: "Encoders that push to us, players of `serve rtmp`.",
                        count: Count::Optional,
                        args: &[ADDRESS],
                        ..NODE
                    },
                    NodeSpec {
                        word: "rtmps",
                        about: "Encoders that push to us inside TLS, to the same push points; a key that is not the certificate's is an error, a certificate that is not for now a warning.",
                        count: Count::Optional,
                        args: &[ADDRESS],
                        keys: &[
                            slot("cert", Type::Input(FileKind::Certificate), Need::Required),
                            slot("key", Type::Input(FileKind::PrivateKey), Need::Required),
                        ],
                        ..NODE
                    },
                ],
                ..NODE
            },
            CAMERA,
            FILLER,
            LAYOUT,
            SCENE,
            WATERMARK,
            LADDER,
            KEY,
            CHANNEL,
            RUNDOWN,
        ],
        ..NODE
    }],
    ..NODE
};
