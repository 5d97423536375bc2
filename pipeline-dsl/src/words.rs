//! The words that the model's plain choices have in the show file.

use std::fmt;

use crate::literal::{corner, write_corner};
use crate::model::{
    Align, Anchor, At, Deinterlace, Draw, Edge, Encoder, EncryptMode, EncryptSound, Fit, Latency, Layout,
    MarkTime, Prefer, Preset, Standby, StockLayout, Symptom, SyncBy, TimeOf, Tune, Units,
};

/// The words of `Self::ALL`, in its order.
macro_rules! words {
    ($n:literal) => {{
        let mut words = [""; $n];
        let mut i = 0;
        while i < $n {
            words[i] = Self::ALL[i].as_str();
            i += 1;
        }
        words
    }};
}

impl Layout {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 2] = [Self::Mono, Self::Stereo];
    /// Their words in the show file.
    pub const WORDS: [&str; 2] = words!(2);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mono => "mono",
            Self::Stereo => "stereo",
        }
    }
}

impl Draw {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 2] = [Self::Once, Self::Rung];
    /// Their words in the show file.
    pub const WORDS: [&str; 2] = words!(2);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Rung => "rung",
        }
    }
}

impl TimeOf {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 2] = [Self::Show, Self::Clock];
    /// Their words in the show file.
    pub const WORDS: [&str; 2] = words!(2);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Show => "show",
            Self::Clock => "clock",
        }
    }
}

impl MarkTime {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 2] = [Self::Now, Self::KeyFrame];
    /// Their words in the show file.
    pub const WORDS: [&str; 2] = words!(2);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::KeyFrame => "keyframe",
        }
    }
}

impl Units {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 2] = [Self::Frames, Self::Seconds];
    /// Their words in the show file.
    pub const WORDS: [&str; 2] = words!(2);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Seconds => "seconds",
        }
    }
}

impl SyncBy {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 2] = [Self::Arrival, Self::Clock];
    /// Their words in the show file.
    pub const WORDS: [&str; 2] = words!(2);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arrival => "arrival",
            Self::Clock => "clock",
        }
    }
}

impl Deinterlace {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 3] = [Self::Bwdif, Self::Fast, Self::Off];
    /// Their words in the show file.
    pub const WORDS: [&str; 3] = words!(3);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bwdif => "bwdif",
            Self::Fast => "fast",
            Self::Off => "off",
        }
    }
}

impl Anchor {
    /// The one of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|anchor| anchor.as_str() == word)
    }
}

impl At {
    /// As the show file has it: `top-right`, or `X,Y` such as `50%,0`.
    pub fn parse(text: &str) -> Option<Self> {
        match Anchor::named(text) {
            Some(anchor) => Some(Self::Anchor(anchor)),
            None => corner(text).ok().map(|(x, y)| Self::Corner(x, y)),
        }
    }
}

/// As the show file has it.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anchor(anchor) => f.write_str(anchor.as_str()),
            Self::Corner(x, y) => f.write_str(&write_corner((*x, *y))),
        }
    }
}

impl Anchor {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 9] = [
        Self::TopLeft,
        Self::Top,
        Self::TopRight,
        Self::Left,
        Self::Center,
        Self::Right,
        Self::BottomLeft,
        Self::Bottom,
        Self::BottomRight,
    ];
    /// Their words in the show file.
    pub const WORDS: [&str; 9] = words!(9);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TopLeft => "top-left",
            Self::Top => "top",
            Self::TopRight => "top-right",
            Self::Left => "left",
            Self::Center => "center",
            Self::Right => "right",
            Self::BottomLeft => "bottom-left",
            Self::Bottom => "bottom",
            Self::BottomRight => "bottom-right",
        }
    }
}

impl Edge {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 4] = [Self::Left, Self::Right, Self::Top, Self::Bottom];
    /// Their words in the show file.
    pub const WORDS: [&str; 4] = words!(4);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Top => "top",
            Self::Bottom => "bottom",
        }
    }
}

impl Fit {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 3] = [Self::Contain, Self::Cover, Self::Stretch];
    /// Their words in the show file.
    pub const WORDS: [&str; 3] = words!(3);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contain => "contain",
            Self::Cover => "cover",
            Self::Stretch => "stretch",
        }
    }
}

impl StockLayout {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 4] = [Self::SideBySide, Self::Pip, Self::Grid, Self::Full];
    /// Their words in the show file.
    pub const WORDS: [&str; 4] = words!(4);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SideBySide => "side-by-side",
            Self::Pip => "pip",
            Self::Grid => "grid",
            Self::Full => "full",
        }
    }
    /// The one of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.as_str() == word)
    }
}

impl Prefer {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 2] = [Self::First, Self::Stay];
    /// Their words in the show file.
    pub const WORDS: [&str; 2] = words!(2);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Stay => "stay",
        }
    }
}

impl Standby {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 2] = [Self::Hot, Self::Warm];
    /// Their words in the show file.
    pub const WORDS: [&str; 2] = words!(2);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Warm => "warm",
        }
    }
}

impl Symptom {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 3] = [Self::Black, Self::Freeze, Self::Silence];
    /// Their words in the show file.
    pub const WORDS: [&str; 3] = words!(3);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Black => "black",
            Self::Freeze => "freeze",
            Self::Silence => "silence",
        }
    }
}

impl Align {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 3] = [Self::Stamps, Self::Content, Self::Off];
    /// Their words in the show file.
    pub const WORDS: [&str; 3] = words!(3);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stamps => "stamps",
            Self::Content => "content",
            Self::Off => "off",
        }
    }
}

impl EncryptMode {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 2] = [Self::Nalu, Self::Capsule];
    /// Their words in the show file.
    pub const WORDS: [&str; 2] = words!(2);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nalu => "nalu",
            Self::Capsule => "capsule",
        }
    }
}

impl EncryptSound {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 2] = [Self::Noise, Self::Silence];
    /// Their words in the show file.
    pub const WORDS: [&str; 2] = words!(2);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Noise => "noise",
            Self::Silence => "silence",
        }
    }
}

impl Preset {
    /// Every preset, the fastest first.
    pub const ALL: [Self; 9] = [
        Self::Ultrafast,
        Self::Superfast,
        Self::Veryfast,
        Self::Faster,
        Self::Fast,
        Self::Medium,
        Self::Slow,
        Self::Slower,
        Self::Veryslow,
    ];
    /// Their words in the show file.
    pub const WORDS: [&str; 9] = words!(9);
    /// As the show file and x264 spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ultrafast => "ultrafast",
            Self::Superfast => "superfast",
            Self::Veryfast => "veryfast",
            Self::Faster => "faster",
            Self::Fast => "fast",
            Self::Medium => "medium",
            Self::Slow => "slow",
            Self::Slower => "slower",
            Self::Veryslow => "veryslow",
        }
    }
}

impl Latency {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::Quality];
    /// Their words in the show file.
    pub const WORDS: [&str; 3] = words!(3);
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::Quality => "quality",
        }
    }
}

impl Encoder {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 10] = [
        Self::X264,
        Self::X265,
        Self::H264Nvenc,
        Self::HevcNvenc,
        Self::H264Qsv,
        Self::HevcQsv,
        Self::H264Vaapi,
        Self::HevcVaapi,
        Self::H264V4l2,
        Self::HevcV4l2,
    ];
    /// Their words in the show file, and last those of [families](Self::named).
    pub const WORDS: [&str; 14] = {
        let mut words = ["nvenc"; 14];
        let mut i = 0;
        while i < Self::ALL.len() {
            words[i] = Self::ALL[i].as_str();
            i += 1;
        }
        (words[11], words[12], words[13]) = ("qsv", "vaapi", "v4l2");
        words
    };
    /// Why an encoder that somebody may well ask for is none of these.
    pub(crate) fn why_not(word: &str) -> Option<&'static str> {
        let asked = word.to_ascii_lowercase();
        ["av1", "svt"].iter().any(|part| asked.contains(part)).then_some(
            "there are no AV1 rungs: SVT-AV1 keeps to a bitrate or has key frames when it is told, not both",
        )
    }
    /// The one of this word. A family's word alone is its encoder for AVC.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "nvenc" => Some(Self::H264Nvenc),
            "qsv" => Some(Self::H264Qsv),
            "vaapi" => Some(Self::H264Vaapi),
            "v4l2" => Some(Self::H264V4l2),
            _ => Self::ALL.into_iter().find(|encoder| encoder.as_str() == word),
        }
    }
    /// As the show file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X264 => "x264",
            Self::X265 => "x265",
            Self::H264Nvenc => "h264-nvenc",
            Self::HevcNvenc => "hevc-nvenc",
            Self::H264Qsv => "h264-qsv",
            Self::HevcQsv => "hevc-qsv",
            Self::H264Vaapi => "h264-vaapi",
            Self::HevcVaapi => "hevc-vaapi",
            Self::H264V4l2 => "h264-v4l2",
            Self::HevcV4l2 => "hevc-v4l2",
        }
    }
}

impl Tune {
    /// Every one of them, in the order the show file's messages name them.
    pub const ALL: [Self; 5] = [Self::Film, Self::Animation, Self::Grain, Self::Stillimage, Self::Fastdecode];
    /// Their words in the show file.
    pub const WORDS: [&str; 5] = words!(5);
    /// As the show file, x264 and x265 spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Film => "film",
            Self::Animation => "animation",
            Self::Grain => "grain",
            Self::Stillimage => "stillimage",
            Self::Fastdecode => "fastdecode",
        }
    }
}
