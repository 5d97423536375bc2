//! AMF0, the object notation of script tags and RTMP commands.
//!
//! Properties keep their order. Everything is bounded: [`MAX_DEPTH`] levels,
//! [`MAX_VALUES`] values, no list longer than the data behind it.
//!
//! Source: Adobe AMF0 file format specification (2007).
//!
//! ```
//! use bytes::BytesMut;
//! use flv::amf0::{self, Value};
//!
//! let command = Value::object([("app", Value::from("live")), ("audioCodecs", Value::from(1024.0))]);
//! let mut out = BytesMut::new();
//! amf0::encode(&command, &mut out)?;
//! let back = amf0::decode_all(&out)?;
//! assert_eq!(back[0].get("app").and_then(Value::as_str), Some("live"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use bytes::{BufMut, BytesMut};

use crate::body::{BodyError, Cursor};

/// The deepest nesting, counting the outermost value as 1.
pub const MAX_DEPTH: usize = 16;
/// The most values in one message, those inside others included.
pub const MAX_VALUES: usize = 1 << 18;

mod marker {
    pub const NUMBER: u8 = 0;
    pub const BOOLEAN: u8 = 1;
    pub const STRING: u8 = 2;
    pub const OBJECT: u8 = 3;
    pub const NULL: u8 = 5;
    pub const UNDEFINED: u8 = 6;
    pub const ECMA_ARRAY: u8 = 8;
    pub const OBJECT_END: u8 = 9;
    pub const STRICT_ARRAY: u8 = 10;
    pub const DATE: u8 = 11;
    pub const LONG_STRING: u8 = 12;
}

/// Named values in their order. A name may come twice; [`Value::get`] finds the first.
pub type Properties = Vec<(String, Value)>;

/// An AMF0 value. Bytes that are not UTF-8 become U+FFFD in strings.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A double.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// A string; written as a long one above 65535 bytes.
    String(String),
    /// Named values.
    Object(Properties),
    /// Nothing.
    Null,
    /// Not even nothing.
    Undefined,
    /// Named values again, as `onMetaData` has them.
    EcmaArray(Properties),
    /// Values by number.
    StrictArray(Vec<Value>),
    /// A point in time.
    Date {
        /// Milliseconds since 1970 began, UTC.
        millis: f64,
        /// Reserved; 0 by the letter.
        zone: i16,
    },
    /// A string behind a length of 32 bits.
    LongString(String),
}

/// A value that AMF0 cannot carry, or that a reader within our bounds would refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A property name of more than 65535 bytes.
    #[error("property name of {0} bytes is too long: at most 65535")]
    Name(usize),
    /// More than [`MAX_DEPTH`] levels.
    #[error("nested too deep: at most {MAX_DEPTH} levels")]
    Depth,
    /// A string or list of more than 2^32 - 1 bytes or items.
    #[error("length {0} does not fit 32 bits: at most 4294967295")]
    Length(usize),
}

impl Value {
    /// An object from names and values.
    pub fn object<N: Into<String>>(properties: impl IntoIterator<Item = (N, Value)>) -> Self {
        Self::Object(properties.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// An ECMA array from names and values.
    pub fn ecma_array<N: Into<String>>(properties: impl IntoIterator<Item = (N, Value)>) -> Self {
        Self::EcmaArray(properties.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// The number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The string, short or long, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(string) | Self::LongString(string) => Some(string),
            _ => None,
        }
    }

    /// The named values of an object or ECMA array; none for any other.
    pub fn properties(&self) -> &[(String, Value)] {
        match self {
            Self::Object(properties) | Self::EcmaArray(properties) => properties,
            _ => &[],
        }
    }

    /// The first property of this name, of an object or ECMA array.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.properties().iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Whether it is null or undefined.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::Undefined)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}
impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}
impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}
impl From<&str> for Value {
    fn from(string: &str) -> Self {
        Self::String(string.into())
    }
}
impl From<String> for Value {
    fn from(string: String) -> Self {
        Self::String(string)
    }
}

/// Reads one value from the front; also says how many bytes it took.
///
/// # Errors
/// Data that ends too early, types we do not read (references, typed objects,
/// XML, AMF3), and anything beyond the bounds.
pub fn decode(data: &[u8]) -> Result<(Value, usize), BodyError> {
    let mut decoder = Decoder { cursor: Cursor::new(data), values: 0 };
    let value = decoder.value(1)?;
    Ok((value, decoder.cursor.offset()))
}

/// Reads values until the data ends; the bounds hold for all together.
///
/// # Errors
/// As [`decode`].
pub fn decode_all(data: &[u8]) -> Result<Vec<Value>, BodyError> {
    let mut decoder = Decoder { cursor: Cursor::new(data), values: 0 };
    let mut values = Vec::new();
    while !decoder.cursor.is_at_end() {
        values.push(decoder.value(1)?);
    }
    Ok(values)
}

struct Decoder<'a> {
    cursor: Cursor<'a>,
    values: usize,
}

impl Decoder<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, BodyError> {
        let offset = self.cursor.offset();
        if depth > MAX_DEPTH {
            return Err(BodyError::illegal("AMF0 nesting", offset, depth as u64, "at most 16 levels"));
        }
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(BodyError::illegal("AMF0 value count", offset, self.values as u64, "at most 262144"));
        }
        let cursor = &mut self.cursor;
        Ok(match cursor.u8("AMF0 type")? {
            marker::NUMBER => Value::Number(f64::from_be_bytes(cursor.array("AMF0 number")?)),
            marker::BOOLEAN => Value::Boolean(cursor.u8("AMF0 boolean")? != 0),
            marker::STRING => {
                let len = cursor.u16("AMF0 string length")?;
                Value::String(self.string(len.into())?)
            }
            marker::OBJECT => Value::Object(self.properties(depth, None)?),
            marker::NULL => Value::Null,
            marker::UNDEFINED => Value::Undefined,
            marker::ECMA_ARRAY => {
                let count = cursor.u32("AMF0 array count")?;
                Value::EcmaArray(self.properties(depth, Some(count))?)
            }
            marker::STRICT_ARRAY => {
                let count = cursor.u32("AMF0 array count")? as usize;
                // Every value takes at least a byte.
                if count > cursor.remaining() {
                    let have = cursor.remaining();
                    return Err(BodyError::truncated("AMF0 array", cursor.offset(), count, have));
                }
                let mut values = Vec::new();
                for _ in 0..count {
                    values.push(self.value(depth + 1)?);
                }
                Value::StrictArray(values)
            }
            marker::DATE => Value::Date {
                millis: f64::from_be_bytes(cursor.array("AMF0 date")?),
                zone: i16::from_be_bytes(cursor.array("AMF0 time zone")?),
            },
            marker::LONG_STRING => {
                let len = cursor.u32("AMF0 string length")?;
                Value::LongString(self.string(len as usize)?)
            }
            got => {
                return Err(BodyError::illegal(
                    "AMF0 type",
                    offset,
                    got.into(),
                    "0 to 3, 5, 6, 8 or 10 to 12",
                ));
            }
        })
    }

    fn string(&mut self, len: usize) -> Result<String, BodyError> {
        Ok(String::from_utf8_lossy(self.cursor.take("AMF0 string", len)?).into_owned())
    }

    /// Properties up to the end marker. The count of an ECMA array is only a
    /// hint; but where it is reached just as the data ends, a missing end
    /// marker is forgiven, as some writers leave it out.
    fn properties(&mut self, depth: usize, count: Option<u32>) -> Result<Properties, BodyError> {
        let mut properties = Properties::new();
        loop {
            if self.cursor.is_at_end() && count.is_some_and(|count| properties.len() >= count as usize) {
                return Ok(properties);
            }
            if self.cursor.peek(3) == Some(&[0, 0, marker::OBJECT_END]) {
                self.cursor.take("AMF0 object end", 3)?;
                return Ok(properties);
            }
            let len = self.cursor.u16("AMF0 property name length")?;
            let name = self.string(len.into())?;
            properties.push((name, self.value(depth + 1)?));
        }
    }
}

/// Appends a value.
///
/// # Errors
/// A value beyond the bounds; `out` is then as it was.
pub fn encode(value: &Value, out: &mut BytesMut) -> Result<(), EncodeError> {
    let start = out.len();
    let result = encode_at(value, out, 1);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Appends values, one behind the other.
///
/// # Errors
/// A value beyond the bounds; `out` is then as it was.
pub fn encode_all<'a>(
    values: impl IntoIterator<Item = &'a Value>,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let start = out.len();
    for value in values {
        if let Err(err) = encode(value, out) {
            out.truncate(start);
            return Err(err);
        }
    }
    Ok(())
}

fn encode_at(value: &Value, out: &mut BytesMut, depth: usize) -> Result<(), EncodeError> {
    if depth > MAX_DEPTH {
        return Err(EncodeError::Depth);
    }
    match value {
        Value::Number(number) => {
            out.put_u8(marker::NUMBER);
            out.put_f64(*number);
        }
        Value::Boolean(truth) => out.put_slice(&[marker::BOOLEAN, u8::from(*truth)]),
        Value::String(string) if string.len() <= usize::from(u16::MAX) => {
            out.put_u8(marker::STRING);
            out.put_u16(string.len() as u16);
            out.put_slice(string.as_bytes());
        }
        Value::String(string) | Value::LongString(string) => {
            out.put_u8(marker::LONG_STRING);
            out.put_u32(length(string.len())?);
            out.put_slice(string.as_bytes());
        }
        Value::Object(properties) => {
            out.put_u8(marker::OBJECT);
            put_properties(properties, out, depth)?;
        }
        Value::Null => out.put_u8(marker::NULL),
        Value::Undefined => out.put_u8(marker::UNDEFINED),
        Value::EcmaArray(properties) => {
            out.put_u8(marker::ECMA_ARRAY);
            out.put_u32(length(properties.len())?);
            put_properties(properties, out, depth)?;
        }
        Value::StrictArray(values) => {
            out.put_u8(marker::STRICT_ARRAY);
            out.put_u32(length(values.len())?);
            for value in values {
                encode_at(value, out, depth + 1)?;
            }
        }
        Value::Date { millis, zone } => {
            out.put_u8(marker::DATE);
            out.put_f64(*millis);
            out.put_i16(*zone);
        }
    }
    Ok(())
}

fn put_properties(properties: &Properties, out: &mut BytesMut, depth: usize) -> Result<(), EncodeError> {
    for (name, value) in properties {
        let len = u16::try_from(name.len()).map_err(|_| EncodeError::Name(name.len()))?;
        out.put_u16(len);
        out.put_slice(name.as_bytes());
        encode_at(value, out, depth + 1)?;
    }
    out.put_slice(&[0, 0, marker::OBJECT_END]);
    Ok(())
}

fn length(len: usize) -> Result<u32, EncodeError> {
    u32::try_from(len).map_err(|_| EncodeError::Length(len))
}
