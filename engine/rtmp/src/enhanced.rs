//! What two peers of enhanced RTMP tell each other in `connect`.
//!
//! Source: Enhanced RTMP v2 (Veovera), "Enhancing NetConnection connect Command".

use flv::amf0::Value;
use flv::{FourCc, amf0};

/// How many codecs of a peer are looked at.
const MOST_CODECS: usize = 64;

/// What a peer can do with a codec: `FourCcInfoMask`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct CodecAbility(u8);

impl CodecAbility {
    /// None of it.
    pub const NONE: Self = Self(0);
    /// It can decode the codec.
    pub const DECODE: Self = Self(1);
    /// It can encode the codec.
    pub const ENCODE: Self = Self(2);
    /// It can hand the codec on.
    pub const FORWARD: Self = Self(4);

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What else a peer can do: `capsEx`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Extras(u32);

impl Extras {
    /// None of it.
    pub const NONE: Self = Self(0);
    /// It can be asked to connect anew.
    pub const RECONNECT: Self = Self(1);
    /// It takes several tracks in one tag.
    pub const MULTITRACK: Self = Self(2);
    /// It reads ModEx modifiers.
    pub const MOD_EX: Self = Self(4);
    /// It reads the modifier for offsets in nanoseconds.
    pub const NANO_OFFSET: Self = Self(8);

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What is in both.
    #[must_use]
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// A codec by its code, or all of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CodecName {
    /// `*`.
    Any,
    /// Four characters.
    Code(FourCc),
}

impl CodecName {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "*" => Some(Self::Any),
            name => Some(Self::Code(FourCc(name.as_bytes().try_into().ok()?))),
        }
    }

    fn value(self) -> String {
        match self {
            Self::Any => "*".to_owned(),
            Self::Code(code) => String::from_utf8_lossy(&code.0).into_owned(),
        }
    }

    fn covers(self, code: FourCc) -> bool {
        matches!(self, Self::Any) || self == Self::Code(code)
    }
}

/// What a peer of enhanced RTMP can do. A peer of plain RTMP has none of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Capabilities {
    /// The codecs it knows, without saying more (version 1): `fourCcList`.
    pub codecs: Vec<CodecName>,
    /// What it does with video codecs: `videoFourCcInfoMap`.
    pub video: Vec<(CodecName, CodecAbility)>,
    /// What it does with audio codecs: `audioFourCcInfoMap`.
    pub audio: Vec<(CodecName, CodecAbility)>,
    /// What else.
    pub extras: Extras,
}

impl Capabilities {
    /// What FLV tags of this project can carry: AVC and HEVC, AAC and MP3 and
    /// Opus, with multitrack bodies and modifiers passed through.
    pub fn ours() -> Self {
        let forward = |codes: &[[u8; 4]]| -> Vec<_> {
            let ability = CodecAbility::DECODE.and(CodecAbility::FORWARD);
            codes.iter().map(|&code| (CodecName::Code(FourCc(code)), ability)).collect()
        };
        let video = forward(&[*b"avc1", *b"hvc1"]);
        let audio = forward(&[*b"mp4a", *b".mp3", *b"Opus"]);
        Self {
            codecs: video.iter().chain(&audio).map(|&(name, _)| name).collect(),
            video,
            audio,
            extras: Extras::RECONNECT.and(Extras::MULTITRACK).and(Extras::MOD_EX).and(Extras::NANO_OFFSET),
        }
    }

    /// Whether it said anything of enhanced RTMP at all.
    pub fn is_enhanced(&self) -> bool {
        *self != Self::default()
    }

    /// Whether it takes a codec, by what it told.
    pub fn knows(&self, code: FourCc) -> bool {
        let maps = self.video.iter().chain(&self.audio).map(|&(name, _)| name);
        self.codecs.iter().copied().chain(maps).any(|name| name.covers(code))
    }

    /// Reads them from `connect`'s object, or from the information in the answer.
    pub fn read(object: &Value) -> Self {
        let map = |name: &str| -> Vec<_> {
            let properties = object.get(name).map_or(&[][..], Value::properties);
            let entry = |(name, ability): &(String, Value)| {
                Some((CodecName::parse(name)?, CodecAbility(ability.as_f64()? as u8)))
            };
            properties.iter().filter_map(entry).take(MOST_CODECS).collect()
        };
        let codecs = match object.get("fourCcList") {
            Some(Value::StrictArray(list)) => {
                let names = list.iter().filter_map(Value::as_str);
                names.filter_map(CodecName::parse).take(MOST_CODECS).collect()
            }
            _ => Vec::new(),
        };
        Self {
            codecs,
            video: map("videoFourCcInfoMap"),
            audio: map("audioFourCcInfoMap"),
            extras: Extras(object.get("capsEx").and_then(Value::as_f64).unwrap_or(0.0) as u32),
        }
    }

    /// Appends them to `connect`'s object, or to the information in the answer.
    pub fn write(&self, object: &mut amf0::Properties) {
        if !self.codecs.is_empty() {
            let list = self.codecs.iter().map(|name| Value::from(name.value())).collect();
            object.push(("fourCcList".into(), Value::StrictArray(list)));
        }
        for (property, map) in [("videoFourCcInfoMap", &self.video), ("audioFourCcInfoMap", &self.audio)] {
            if !map.is_empty() {
                let entries = map.iter().map(|&(name, mask)| (name.value(), Value::from(u32::from(mask.0))));
                object.push((property.into(), Value::object(entries)));
            }
        }
        if self.extras != Extras::NONE {
            object.push(("capsEx".into(), Value::from(self.extras.0)));
        }
    }

    /// What a server with these capabilities confirms to a client with `theirs`.
    #[must_use]
    pub fn confirmed_to(&self, theirs: &Self) -> Self {
        let known = |&name: &CodecName| match name {
            CodecName::Any => true,
            CodecName::Code(code) => theirs.knows(code),
        };
        let maps = |own: &[(CodecName, CodecAbility)], asked: &[(CodecName, CodecAbility)]| {
            if asked.is_empty() {
                return Vec::new();
            }
            own.iter().filter(|(name, _)| known(name)).copied().collect()
        };
        Self {
            codecs: self.codecs.iter().filter(|name| theirs.is_enhanced() && known(name)).copied().collect(),
            video: maps(&self.video, &theirs.video),
            audio: maps(&self.audio, &theirs.audio),
            extras: self.extras.common(theirs.extras),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_back_as_they_were_told() {
        for told in [Capabilities::default(), Capabilities::ours()] {
            let mut object = amf0::Properties::new();
            told.write(&mut object);
            assert_eq!(Capabilities::read(&Value::Object(object)), told);
        }
        assert!(Capabilities::ours().is_enhanced() && !Capabilities::default().is_enhanced());
    }

    #[test]
    fn nonsense_is_passed_over() {
        let object = Value::object([
            ("fourCcList", Value::StrictArray(vec![Value::Null, Value::from("toolong"), Value::from("*")])),
            ("videoFourCcInfoMap", Value::object([("hvc1", Value::from("x")), ("*", Value::from(5.0))])),
            ("audioFourCcInfoMap", Value::from(3.0)),
            ("capsEx", Value::Number(f64::NAN)),
        ]);
        let read = Capabilities::read(&object);
        assert_eq!(read.codecs, [CodecName::Any]);
        assert_eq!(read.video, [(CodecName::Any, CodecAbility::DECODE.and(CodecAbility::FORWARD))]);
        assert_eq!((read.audio.len(), read.extras), (0, Extras::NONE));
        assert!(read.knows(FourCc(*b"av01")));
    }

    #[test]
    fn a_server_confirms_what_both_know() {
        let code = |code: &[u8; 4]| CodecName::Code(FourCc(*code));
        let theirs = Capabilities {
            video: vec![(code(b"hvc1"), CodecAbility::ENCODE), (code(b"av01"), CodecAbility::ENCODE)],
            extras: Extras::RECONNECT,
            ..Capabilities::default()
        };
        let both = Capabilities::ours().confirmed_to(&theirs);
        assert_eq!(both.codecs, [code(b"hvc1")]);
        assert_eq!(both.video.iter().map(|v| v.0).collect::<Vec<_>>(), [code(b"hvc1")]);
        assert_eq!((both.audio.len(), both.extras), (0, Extras::RECONNECT));
        assert_eq!(Capabilities::ours().confirmed_to(&Capabilities::default()), Capabilities::default());
    }
}
