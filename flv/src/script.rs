//! Script tags: a name and AMF0 values, above all `onMetaData`.

use bytes::BytesMut;

use crate::amf0::{self, EncodeError, Value};
use crate::audio::Layout;
use crate::body::{BodyError, FourCc};
use crate::millis::FlvMillis;
use crate::tag::{Tag, TagKind};

/// The name of the metadata script tag.
pub const ON_METADATA: &str = "onMetaData";
/// What RTMP publishers put in front of it.
pub const SET_DATA_FRAME: &str = "@setDataFrame";

/// A script tag's content: what is called, and with what.
#[derive(Clone, PartialEq, Debug)]
pub struct Script {
    /// What is called, e.g. `onMetaData`; without a leading `@setDataFrame`.
    pub name: String,
    /// The values behind the name.
    pub values: Vec<Value>,
}

impl Script {
    /// Reads a script tag's body, or an RTMP data message.
    ///
    /// # Errors
    /// AMF0 that cannot be read, or that does not begin with a string.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let mut values = amf0::decode_all(body)?.into_iter();
        loop {
            match values.next() {
                Some(Value::String(name)) if name == SET_DATA_FRAME => {}
                Some(Value::String(name)) => return Ok(Self { name, values: values.collect() }),
                _ => {
                    let first = body.first().copied().unwrap_or(0);
                    return Err(BodyError::illegal(
                        "script name",
                        0,
                        first.into(),
                        "an AMF0 string (type 2)",
                    ));
                }
            }
        }
    }

    /// Makes the tag.
    ///
    /// # Errors
    /// Values that AMF0 or a tag cannot carry.
    pub fn to_tag(&self, timestamp: FlvMillis) -> Result<Tag, EncodeError> {
        let mut body = BytesMut::new();
        amf0::encode(&Value::String(self.name.clone()), &mut body)?;
        amf0::encode_all(&self.values, &mut body)?;
        let body = body.freeze();
        Tag::new(TagKind::Script, timestamp, body).map_err(|err| EncodeError::Length(err.len))
    }
}

/// How metadata names a codec.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CodecId {
    /// A legacy id or sound format: 7 is AVC, 10 is AAC.
    Legacy(u8),
    /// A four-character code, as enhanced RTMP has it.
    FourCc(FourCc),
}

impl CodecId {
    /// AVC, as everyone writes it.
    pub const AVC: Self = Self::Legacy(7);
    /// AAC, as everyone writes it.
    pub const AAC: Self = Self::Legacy(10);
    /// HEVC in its enhanced form.
    pub const HEVC: Self = Self::FourCc(FourCc(*b"hvc1"));

    fn to_value(self) -> Value {
        match self {
            Self::Legacy(id) => Value::Number(id.into()),
            Self::FourCc(code) => Value::Number(u32::from_be_bytes(code.0).into()),
        }
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) if number.fract() == 0.0 && (0.0..=255.0).contains(number) => {
                Some(Self::Legacy(*number as u8))
            }
            Value::Number(number)
                if number.fract() == 0.0 && (256.0..=f64::from(u32::MAX)).contains(number) =>
            {
                Some(Self::FourCc(FourCc((*number as u32).to_be_bytes())))
            }
            // Some writers put the code as a string.
            Value::String(string) => Some(Self::FourCc(FourCc(string.as_bytes().try_into().ok()?))),
            _ => None,
        }
    }
}

/// What `onMetaData` says of a stream. All of it may be missing or wrong; sequence headers count more.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Metadata {
    /// Length in seconds; left out (or 0) for a live stream.
    pub duration: Option<f64>,
    /// Pixels across.
    pub width: Option<u32>,
    /// Pixels down.
    pub height: Option<u32>,
    /// Frames a second.
    pub framerate: Option<f64>,
    /// Video bitrate in kbit/s.
    pub videodatarate: Option<f64>,
    /// The video codec.
    pub videocodecid: Option<CodecId>,
    /// Audio bitrate in kbit/s.
    pub audiodatarate: Option<f64>,
    /// Audio samples a second.
    pub audiosamplerate: Option<f64>,
    /// Bits an audio sample.
    pub audiosamplesize: Option<u32>,
    /// Audio channels, as far as the property `stereo` can tell.
    pub layout: Option<Layout>,
    /// The audio codec.
    pub audiocodecid: Option<CodecId>,
    /// Who wrote it.
    pub encoder: Option<String>,
    /// All other properties, in their order.
    pub other: Vec<(String, Value)>,
}

impl Metadata {
    /// From a script tag's body; `None` if it is another script than `onMetaData`,
    /// or one without properties.
    ///
    /// # Errors
    /// As [`Script::parse`].
    pub fn parse(body: &[u8]) -> Result<Option<Self>, BodyError> {
        let script = Script::parse(body)?;
        let properties = script.values.iter().find(|v| matches!(v, Value::Object(_) | Value::EcmaArray(_)));
        match properties {
            Some(properties) if script.name == ON_METADATA => Ok(Some(Self::from_value(properties))),
            _ => Ok(None),
        }
    }

    /// From the properties alone. One of an unexpected type goes to [`other`](Self::other).
    pub fn from_value(value: &Value) -> Self {
        let mut metadata = Self::default();
        for (name, value) in value.properties() {
            if !metadata.set(name, value) {
                metadata.other.push((name.clone(), value.clone()));
            }
        }
        metadata
    }

    /// Whether the value was understood.
    fn set(&mut self, name: &str, value: &Value) -> bool {
        fn put<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
            let fits = value.is_some() && slot.is_none();
            if fits {
                *slot = value;
            }
            fits
        }
        let count = || {
            let number = value.as_f64()?;
            (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
        };
        let positive = || value.as_f64().filter(|number| number.is_finite() && *number >= 0.0);
        match name {
            "duration" => put(&mut self.duration, positive()),
            "width" => put(&mut self.width, count()),
            "height" => put(&mut self.height, count()),
            "framerate" => put(&mut self.framerate, positive()),
            "videodatarate" => put(&mut self.videodatarate, positive()),
            "videocodecid" => put(&mut self.videocodecid, CodecId::from_value(value)),
            "audiodatarate" => put(&mut self.audiodatarate, positive()),
            "audiosamplerate" => put(&mut self.audiosamplerate, positive()),
            "audiosamplesize" => put(&mut self.audiosamplesize, count()),
            "stereo" => {
                let layout = value.as_bool().map(|stereo| if stereo { Layout::Stereo } else { Layout::Mono });
                put(&mut self.layout, layout)
            }
            "audiocodecid" => put(&mut self.audiocodecid, CodecId::from_value(value)),
            "encoder" => put(&mut self.encoder, value.as_str().map(str::to_owned)),
            _ => false,
        }
    }

    /// The properties that are set, as an ECMA array.
    pub fn to_value(&self) -> Value {
        let number = |number: Option<f64>| number.map(Value::Number);
        let count = |count: Option<u32>| count.map(Value::from);
        let known = [
            ("duration", number(self.duration)),
            ("width", count(self.width)),
            ("height", count(self.height)),
            ("framerate", number(self.framerate)),
            ("videodatarate", number(self.videodatarate)),
            ("videocodecid", self.videocodecid.map(CodecId::to_value)),
            ("audiodatarate", number(self.audiodatarate)),
            ("audiosamplerate", number(self.audiosamplerate)),
            ("audiosamplesize", count(self.audiosamplesize)),
            ("stereo", self.layout.map(|layout| Value::Boolean(layout == Layout::Stereo))),
            ("audiocodecid", self.audiocodecid.map(CodecId::to_value)),
            ("encoder", self.encoder.clone().map(Value::String)),
        ];
        let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::EcmaArray(known.chain(self.other.iter().cloned()).collect())
    }

    /// The `onMetaData` tag.
    ///
    /// # Errors
    /// Values in [`other`](Self::other) (or an `encoder`) that AMF0 or a tag cannot carry.
    pub fn to_tag(&self, timestamp: FlvMillis) -> Result<Tag, EncodeError> {
        Script { name: ON_METADATA.into(), values: vec![self.to_value()] }.to_tag(timestamp)
    }
}
