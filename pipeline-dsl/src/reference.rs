//! Usage lines and the reference page of the language, from its tables.

use std::fmt::Write;

use crate::grammar::{Count, Form, Need, NodeSpec, Slot, Sort, Type, WHOLE};
use crate::literal::{write_bits, write_span};
use crate::model::{Anchor, StockLayout};

impl Type {
    /// What it is, with its article.
    pub(crate) const fn noun(&self) -> &'static str {
        match self {
            Self::Title | Self::Define => "a name",
            Self::Refer(sort) => match sort {
                Sort::Camera => "a camera's name",
                Sort::Scene => "a scene's name",
                Sort::Source => "a source's name",
                Sort::Layout => "a layout's name",
                Sort::Filler => "a filler's name",
                Sort::Watermark => "a watermark's name",
                Sort::Ladder => "a ladder's name",
                Sort::Key => "a key ring's name",
                Sort::Channel => "a channel's name",
            },
            Self::Input(_) | Self::RecordPath | Self::LineRecordPath => "a path",
            Self::SoundDevice => "a sound device",
            Self::Source => "a source's name",
            Self::PullUrl | Self::PushUrl => "a URL",
            Self::PushPoint => "a push point",
            Self::Pattern => "a test pattern",
            Self::OneOf(_) => "a word",
            Self::SomeOf(_) => "words",
            Self::Rungs => "names of rungs",
            Self::Duration { .. } => "a duration",
            Self::Limit { .. } => "a duration or `off`",
            Self::Time => "a time",
            Self::TimeOfDay => "a time of day",
            Self::Zone => "a time zone",
            Self::Color => "a colour",
            Self::Size => "a size",
            Self::Rate => "a frame rate",
            Self::SampleRate => "a sample rate",
            Self::Bits { .. } => "a bitrate",
            Self::Whole { .. } => "a whole number",
            Self::Hertz { .. } => "a pitch",
            Self::Ratio => "a number",
            Self::Percent => "a share",
            Self::Shift => "a shift in time",
            Self::Ppm => "a drift",
            Self::Corner => "a corner",
            Self::Extent => "an extent",
            Self::Crop => "a crop",
            Self::Place => "a place",
            Self::Scale => "a scale",
            Self::Words => "a text",
            Self::Font => "a font's name",
            Self::Level => "a gain",
            Self::Address => "an address with its port",
            Self::Variable => "the name of an environment variable",
            Self::Secret => "the place of a key",
        }
    }

    /// The legal values, in words.
    pub(crate) fn legal(&self) -> String {
        let span = |ms: i64| match ms % 60_000 {
            0 if ms > 0 && ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
            0 if ms > 0 => format!("{}m", ms / 60_000),
            _ => write_span(media::Span::from_millis(ms)),
        };
        let rate = |bits: u32| match bits % 1_000_000 {
            0 => format!("{}M", bits / 1_000_000),
            _ => write_bits(bits),
        };
        match self {
            Self::Title => "any text of up to 100 characters".into(),
            Self::Define => "letters, digits, `-`, `_` and `.`, a letter or digit first, up to 64".into(),
            Self::Refer(Sort::Source) => "one that a `camera` or `scene` of this show has".into(),
            Self::Refer(Sort::Layout) => {
                format!("{}, or one that a `layout` of this show has", StockLayout::WORDS.join(", "))
            }
            Self::Refer(sort) => format!("one that a `{}` of this show has", sort.word()),
            Self::Input(_) => "\"path\" or env:NAME".into(),
            Self::PullUrl => format!("{} or env:NAME", schemes(PULL_SCHEMES)),
            Self::PushUrl => format!("{} or env:NAME", schemes(PUSH_SCHEMES)),
            Self::RecordPath => "\"path\" under the output folder or env:NAME".into(),
            Self::LineRecordPath => {
                "\"path.flv\" under the output folder, with {camera} and {line}, or env:NAME".into()
            }
            Self::SoundDevice => "\"alsa:DEVICE\", \"pulse:NAME\" or env:NAME".into(),
            Self::Source => "1 to 64 letters, digits, `-`, `_` or `.`, a letter or digit first".into(),
            Self::PushPoint => "\"rtmp:app/stream\"".into(),
            Self::Pattern => "bars, color:NAME, color:#rrggbb, motion, timecode".into(),
            Self::OneOf(words) => words.join(", "),
            Self::SomeOf(words) => format!("of {}, with commas between", words.join(", ")),
            Self::Rungs => "of the ladder's, with commas between, or none".into(),
            Self::Duration { least_ms, most_ms } | Self::Limit { least_ms, most_ms } => {
                format!("{} to {}", span(*least_ms), span(*most_ms))
            }
            Self::Time => "0:00 to 999:59:59".into(),
            Self::TimeOfDay => "0:00:00 to 23:59:59".into(),
            Self::Zone => "-12:00 to +14:00".into(),
            Self::Color => "a name of CSS's sixteen or #rrggbb".into(),
            Self::Size => "even both ways, 16x16 to 8192x8192".into(),
            Self::Rate => "1fps to 240fps".into(),
            Self::SampleRate => "8kHz to 192kHz".into(),
            Self::Bits { least, most } => format!("{} to {}", rate(*least), rate(*most)),
            Self::Whole { least, most } => format!("{least} to {most}"),
            Self::Hertz { least, most } => format!("{least}Hz to {most}Hz"),
            Self::Ratio => "0 to 1".into(),
            Self::Percent => "0.0001% to 100%".into(),
            Self::Shift => "-24h to 24h".into(),
            Self::Ppm => "-50000ppm to 50000ppm".into(),
            Self::Corner => "X,Y, each in pixels or per cent of the canvas".into(),
            Self::Extent => "WxH, each in pixels or per cent of the canvas".into(),
            Self::Crop => "LEFT,TOP,RIGHT,BOTTOM, each in pixels or per cent of the canvas".into(),
            Self::Place => {
                format!("{}, or X,Y in pixels or per cent of the canvas", Anchor::WORDS.join(", "))
            }
            Self::Scale => "1% to 1000%, whole".into(),
            Self::Words => "1 to 200 characters, `\\n` between lines".into(),
            Self::Font => "1 to 100 characters".into(),
            Self::Level => "-60dB to 12dB".into(),
            Self::Address => "IP:PORT".into(),
            Self::Variable => "letters, digits and `_`, no digit first".into(),
            Self::Secret => "env:NAME or \"file:PATH\"".into(),
        }
    }

    /// A value as one may write it.
    pub(crate) const fn example(&self) -> &'static str {
        match self {
            Self::Title => "\"sunlight-tour\"",
            Self::Refer(Sort::Layout) => "side-by-side",
            Self::Refer(Sort::Scene) => "duo",
            Self::Define | Self::Refer(_) => "main",
            Self::Input(crate::FileKind::Image) => "\"logo.png\"",
            Self::Input(crate::FileKind::Device) => "\"/dev/video0\"",
            Self::Input(crate::FileKind::Certificate) => "\"cert.pem\"",
            Self::Input(crate::FileKind::PrivateKey) => "\"key.pem\"",
            Self::Input(crate::FileKind::Font) => "\"brand.ttf\"",
            Self::Input(crate::FileKind::Key) => "\"next.key\"",
            Self::Input(crate::FileKind::Media) => "\"karry.mp4\"",
            Self::PullUrl => "\"srt://10.0.0.7:9001\"",
            Self::PushUrl => "\"rtmp://cdn.example/live/{channel}_{rung}\"",
            Self::RecordPath => "\"{channel}-{rung}.flv\"",
            Self::LineRecordPath => "\"iso/{camera}-{line}.flv\"",
            Self::SoundDevice => "\"alsa:hw:1\"",
            Self::Source => "my-camera",
            Self::PushPoint => "\"rtmp:live/main\"",
            Self::Pattern => "\"color:green\"",
            Self::OneOf(words) => match words.first() {
                Some(word) => word,
                None => "",
            },
            Self::SomeOf(words) => match words.first() {
                Some(word) => word,
                None => "",
            },
            Self::Rungs => "1080p,720p",
            Self::Duration { .. } => "500ms",
            Self::Limit { .. } => "10s",
            Self::Time => "0:10",
            Self::TimeOfDay => "20:15:00",
            Self::Zone => "+01:00",
            Self::Color => "black",
            Self::Size => "1280x720",
            Self::Rate => "30fps",
            Self::SampleRate => "48kHz",
            Self::Bits { least, .. } => {
                if *least < 50_000 {
                    "128k"
                } else {
                    "2500k"
                }
            }
            Self::Whole { .. } => "1",
            Self::Hertz { .. } => "440",
            Self::Ratio => "0.8",
            Self::Percent => "30%",
            Self::Shift => "-10s",
            Self::Ppm => "300ppm",
            Self::Corner => "50%,0",
            Self::Extent => "50%x100%",
            Self::Crop => "10%,0,10%,0",
            Self::Place => "top-right",
            Self::Scale => "50%",
            Self::Words => "\"live\"",
            Self::Font => "\"DejaVu Sans\"",
            Self::Level => "-6dB",
            Self::Address => "\"127.0.0.1:8080\"",
            Self::Variable => "OBVAN_KEY",
            Self::Secret => "env:CAM_KEY",
        }
    }
}

/// What we can pull from.
pub(crate) const PULL_SCHEMES: &[&str] =
    &["rtmp", "rtmps", "srt", "rtsp", "rtspt", "rtspu", "udp", "http", "https"];
/// What we can push to.
pub(crate) const PUSH_SCHEMES: &[&str] = &["rtmp", "rtmps", "srt"];

fn schemes(list: &[&str]) -> String {
    list.iter().map(|s| format!("{s}://")).collect::<Vec<_>>().join(", ")
}

fn argument(out: &mut String, slot: &Slot) {
    let name = slot.name.to_uppercase();
    let name = match slot.ty {
        Type::OneOf(words) if words.len() <= 3 => words.join("|"),
        _ => name,
    };
    let _ = match slot.need {
        Need::Several => write!(out, " {name}…"),
        Need::Default(_) | Need::Optional => write!(out, " [{name}]"),
        Need::Required | Need::Choice => write!(out, " {name}"),
    };
}

fn key(out: &mut String, slot: &Slot) {
    let value = match slot.ty {
        Type::OneOf(words) if words.len() <= 3 => words.join("|"),
        Type::Whole { .. } | Type::Ratio => "N".into(),
        Type::Hertz { .. } => "HZ".into(),
        Type::Duration { .. } => "DURATION".into(),
        Type::Limit { .. } => "off|DURATION".into(),
        Type::SomeOf(_) => "WORD,…".into(),
        Type::Rungs => "none|NAME,…".into(),
        Type::Input(_) | Type::LineRecordPath => "PATH".into(),
        Type::SoundDevice => "DEVICE".into(),
        Type::Rate => "RATE".into(),
        Type::Corner => "X,Y".into(),
        Type::Extent => "WxH".into(),
        Type::Crop => "LEFT,TOP,RIGHT,BOTTOM".into(),
        Type::Place => "PLACE".into(),
        Type::Scale => "N%".into(),
        Type::Font => "NAME".into(),
        Type::Level => "LEVEL".into(),
        Type::Bits { .. } => "BITRATE".into(),
        Type::Zone => "ZONE".into(),
        Type::Color => "COLOR".into(),
        Type::Variable | Type::Refer(_) => "NAME".into(),
        Type::Secret => "env:NAME|\"file:PATH\"".into(),
        _ => "WORD".into(),
    };
    let _ = match slot.need {
        Need::Required | Need::Several => write!(out, " {}={value}", slot.name),
        _ => write!(out, " [{}={value}]", slot.name),
    };
}

/// Whether the form stands in place of all but the first argument.
fn is_instead(spec: &NodeSpec, form: &Form) -> bool {
    spec.instead.is_some_and(|instead| instead.word == form.word)
}

/// How a node is written: `line NAME file PATH [loop=true|false]`.
pub(crate) fn usage(spec: &NodeSpec, form: Option<&Form>) -> String {
    let mut out = spec.word.to_owned();
    if let Some(form) = form.filter(|form| is_instead(spec, form)) {
        spec.args.iter().take(1).for_each(|slot| argument(&mut out, slot));
        let _ = write!(out, " {}", form.word);
        form.args.iter().for_each(|slot| argument(&mut out, slot));
        form.keys.iter().for_each(|slot| key(&mut out, slot));
        return out;
    }
    spec.args.iter().for_each(|slot| argument(&mut out, slot));
    match form {
        Some(form) => {
            let _ = write!(out, " {}", form.word);
            form.args.iter().for_each(|slot| argument(&mut out, slot));
            form.keys.iter().for_each(|slot| key(&mut out, slot));
        }
        None if !spec.forms.is_empty() => {
            let words: Vec<_> = spec.forms.iter().map(|form| form.word).collect();
            let _ = write!(out, " {}…", words.join("|"));
        }
        None => {}
    }
    let choice = spec.keys.iter().filter(|slot| slot.need == Need::Choice);
    let choice: Vec<_> = choice.map(|slot| format!("{}=…", slot.name)).collect();
    if !choice.is_empty() {
        let _ = write!(out, " {}", choice.join("|"));
    }
    spec.keys.iter().filter(|slot| slot.need != Need::Choice).for_each(|slot| key(&mut out, slot));
    if !spec.nodes.is_empty() {
        out.push_str(" { … }");
    }
    out
}

/// A node as one may write it, where its form is known.
pub(crate) fn example(spec: &NodeSpec, form: Option<&Form>) -> Option<String> {
    if form.is_none() && !spec.forms.is_empty() {
        return None;
    }
    // What may be left out, is: whether it fits depends on what stands before it.
    let needed = |slot: &&Slot| slot.need != Need::Optional;
    let args = |slots: &[Slot]| slots.iter().filter(needed).map(|slot| slot.ty.example()).collect::<Vec<_>>();
    let mut words = vec![spec.word];
    let lead = match form {
        Some(form) if is_instead(spec, form) => spec.args.get(..1).unwrap_or(spec.args),
        _ => spec.args,
    };
    words.extend(args(lead));
    if let Some(form) = form {
        words.push(form.word);
        words.extend(args(form.args));
    }
    Some(words.join(" "))
}

/// The words of the blocks in which `word` is legal.
pub(crate) fn homes(word: &str) -> Vec<&'static str> {
    fn look(spec: &'static NodeSpec, word: &str, found: &mut Vec<&'static str>) {
        let here = spec.nodes.iter().any(|node| node.word == word);
        if here && !spec.word.is_empty() && !found.contains(&spec.word) {
            found.push(spec.word);
        }
        spec.nodes.iter().for_each(|node| look(node, word, found));
    }
    let mut found = Vec::new();
    look(&WHOLE, word, &mut found);
    found
}

/// The whole language on one page of plain text, from the tables it is checked by.
pub fn reference() -> String {
    fn slots(out: &mut String, indent: &str, slots: &[Slot], equals: &str) {
        for slot in slots {
            let _ =
                write!(out, "{indent}    {}{equals}: {} ({})", slot.name, slot.ty.noun(), slot.ty.legal());
            if let Need::Default(text) = slot.need {
                let _ = write!(out, "; {text} where it is not said");
            }
            out.push('\n');
        }
    }
    fn node(out: &mut String, spec: &NodeSpec, depth: usize) {
        let indent = "  ".repeat(depth);
        let count = match spec.count {
            Count::Optional => "at most one",
            Count::One => "exactly one",
            Count::Any => "any number",
            Count::AtLeastOne => "one or more",
            Count::Choice => "exactly one of its kind",
        };
        let _ = writeln!(out, "{indent}{} ({count})\n{indent}    {}", usage(spec, None), spec.about);
        slots(out, &indent, spec.args, "");
        slots(out, &indent, spec.keys, "=");
        for form in spec.forms.iter().chain(spec.instead) {
            let _ = writeln!(out, "{indent}  {}\n{indent}    {}", usage(spec, Some(form)), form.about);
            slots(out, &indent, form.args, "");
            slots(out, &indent, form.keys, "=");
        }
        spec.nodes.iter().for_each(|child| node(out, child, depth + 1));
    }
    let mut out = String::new();
    WHOLE.nodes.iter().for_each(|spec| node(&mut out, spec, 0));
    out
}
