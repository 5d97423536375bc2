//! AMF3 values inside AMF0, behind marker 0x11: read, never written.
//!
//! Flash clients that ask for `objectEncoding` 3 may send them as arguments.
//! They become the AMF0 value nearest to them. Everything is bounded as there;
//! references to strings and traits are followed, references to whole objects
//! are refused: they could make a small message stand for a huge one.
//!
//! Source: Adobe AMF3 file format specification (2013).

use flv::amf0::{MAX_DEPTH, Value};

/// The most values in one AMF3 value, those inside included.
const MAX_VALUES: usize = 4096;
/// The most bytes that all strings together may come to, references counted anew.
const MAX_TEXT: usize = 1 << 20;

/// An AMF3 value that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("AMF3 at byte {offset}: {problem}")]
pub struct Amf3Error {
    /// From the value's first byte.
    pub offset: usize,
    /// What is wrong.
    pub problem: Amf3Problem,
}

/// What can be wrong with an AMF3 value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Amf3Problem {
    /// It ends too early.
    #[error("cut off")]
    Truncated,
    /// A type we do not read.
    #[error("type {0} is not legal: 0 to 12 is")]
    Type(u8),
    /// A string or traits that did not come before.
    #[error("reference {got} to {of}; {there} came before")]
    Reference {
        /// To what.
        of: &'static str,
        /// The number of the reference.
        got: usize,
        /// How many there are.
        there: usize,
    },
    /// A reference to an object, array, date or byte array.
    #[error("references to objects are not read")]
    ObjectReference,
    /// An object that serialises itself.
    #[error("externalizable objects are not read")]
    Externalizable,
    /// Nested too deep.
    #[error("nested too deep: at most {MAX_DEPTH} levels")]
    Depth,
    /// Too many values.
    #[error("more than {MAX_VALUES} values")]
    Values,
    /// Too much text.
    #[error("more than {MAX_TEXT} bytes of strings")]
    Text,
}

#[derive(Clone)]
struct Traits {
    names: Vec<String>,
    dynamic: bool,
}

struct Decoder<'a> {
    data: &'a [u8],
    at: usize,
    strings: Vec<String>,
    traits: Vec<Traits>,
    values: usize,
    text: usize,
}

/// Reads one value from the front; also says how many bytes it took.
pub(super) fn decode(data: &[u8]) -> Result<(Value, usize), Amf3Error> {
    let mut decoder = Decoder { data, at: 0, strings: Vec::new(), traits: Vec::new(), values: 0, text: 0 };
    match decoder.value(1) {
        Ok(value) => Ok((value, decoder.at)),
        Err(problem) => Err(Amf3Error { offset: decoder.at, problem }),
    }
}

/// The low bit of a length says whether it is one, or the number of a reference.
enum Length {
    Of(usize),
    Reference(usize),
}

impl Decoder<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], Amf3Problem> {
        let taken = self.data.get(self.at..).and_then(|rest| rest.get(..count));
        let taken = taken.ok_or(Amf3Problem::Truncated)?;
        self.at += count;
        Ok(taken)
    }

    fn u29(&mut self) -> Result<u32, Amf3Problem> {
        let mut value = 0;
        for number in 0..4 {
            let &[byte] = self.take(1)? else { return Err(Amf3Problem::Truncated) };
            if number == 3 {
                return Ok(value << 8 | u32::from(byte));
            }
            value = value << 7 | u32::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(value)
    }

    fn length(&mut self) -> Result<Length, Amf3Problem> {
        let value = self.u29()?;
        let number = (value >> 1) as usize;
        Ok(if value & 1 == 1 { Length::Of(number) } else { Length::Reference(number) })
    }

    /// The length of something that has no reference table here.
    fn own_length(&mut self) -> Result<usize, Amf3Problem> {
        match self.length()? {
            Length::Of(length) => Ok(length),
            Length::Reference(_) => Err(Amf3Problem::ObjectReference),
        }
    }

    fn double(&mut self) -> Result<f64, Amf3Problem> {
        let bytes = self.take(8)?.try_into().map_err(|_| Amf3Problem::Truncated)?;
        Ok(f64::from_be_bytes(bytes))
    }

    fn counted(&mut self, string: String) -> Result<String, Amf3Problem> {
        self.text += string.len();
        if self.text > MAX_TEXT { Err(Amf3Problem::Text) } else { Ok(string) }
    }

    fn plain(&mut self, length: usize) -> Result<String, Amf3Problem> {
        let string = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.counted(string)
    }

    fn string(&mut self) -> Result<String, Amf3Problem> {
        match self.length()? {
            Length::Of(length) => {
                let string = self.plain(length)?;
                if !string.is_empty() {
                    self.strings.push(string.clone());
                }
                Ok(string)
            }
            Length::Reference(got) => {
                let there = self.strings.len();
                let known = self.strings.get(got).cloned();
                self.counted(known.ok_or(Amf3Problem::Reference { of: "a string", got, there })?)
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Amf3Problem> {
        if depth > MAX_DEPTH {
            return Err(Amf3Problem::Depth);
        }
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(Amf3Problem::Values);
        }
        let &[kind] = self.take(1)? else { return Err(Amf3Problem::Truncated) };
        Ok(match kind {
            0 => Value::Undefined,
            1 => Value::Null,
            2 => Value::Boolean(false),
            3 => Value::Boolean(true),
            // 29 bits, two's complement.
            4 => Value::Number(f64::from((self.u29()? << 3) as i32 >> 3)),
            5 => Value::Number(self.double()?),
            6 => Value::String(self.string()?),
            // XML and byte arrays: as text.
            7 | 11 | 12 => {
                let length = self.own_length()?;
                Value::LongString(self.plain(length)?)
            }
            8 => {
                self.own_length()?;
                Value::Date { millis: self.double()?, zone: 0 }
            }
            9 => self.array(depth)?,
            10 => self.object(depth)?,
            kind => {
                self.at -= 1;
                return Err(Amf3Problem::Type(kind));
            }
        })
    }

    fn array(&mut self, depth: usize) -> Result<Value, Amf3Problem> {
        let dense = self.own_length()?;
        let mut named = self.dynamic(depth)?;
        // Every value takes at least a byte.
        if dense > self.data.len() - self.at {
            return Err(Amf3Problem::Truncated);
        }
        let mut values = Vec::new();
        for _ in 0..dense {
            values.push(self.value(depth + 1)?);
        }
        if named.is_empty() {
            return Ok(Value::StrictArray(values));
        }
        named.extend(values.into_iter().enumerate().map(|(number, value)| (number.to_string(), value)));
        Ok(Value::EcmaArray(named))
    }

    fn object(&mut self, depth: usize) -> Result<Value, Amf3Problem> {
        let head = self.u29()?;
        if head & 1 == 0 {
            return Err(Amf3Problem::ObjectReference);
        }
        let traits = if head & 2 == 0 {
            let (got, there) = ((head >> 2) as usize, self.traits.len());
            let known = self.traits.get(got).cloned();
            known.ok_or(Amf3Problem::Reference { of: "traits", got, there })?
        } else if head & 4 != 0 {
            return Err(Amf3Problem::Externalizable);
        } else {
            self.string()?;
            let count = (head >> 4) as usize;
            if count > self.data.len() - self.at {
                return Err(Amf3Problem::Truncated);
            }
            let mut names = Vec::new();
            for _ in 0..count {
                names.push(self.string()?);
            }
            let traits = Traits { names, dynamic: head & 8 != 0 };
            self.traits.push(traits.clone());
            traits
        };
        let mut properties = Vec::new();
        for name in traits.names {
            let name = self.counted(name)?;
            properties.push((name, self.value(depth + 1)?));
        }
        if traits.dynamic {
            properties.extend(self.dynamic(depth)?);
        }
        Ok(Value::Object(properties))
    }

    /// Named values up to an empty name.
    fn dynamic(&mut self, depth: usize) -> Result<Vec<(String, Value)>, Amf3Problem> {
        let mut properties = Vec::new();
        loop {
            let name = self.string()?;
            if name.is_empty() {
                return Ok(properties);
            }
            properties.push((name, self.value(depth + 1)?));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(data: &[u8]) -> Result<Value, String> {
        decode(data).map(|(value, _)| value).map_err(|err| err.to_string())
    }

    #[test]
    fn values_become_their_nearest() {
        let name = |name: &str, value| (name.to_owned(), value);
        for (data, value) in [
            (&[0u8][..], Value::Undefined),
            (&[1], Value::Null),
            (&[3], Value::Boolean(true)),
            (&[4, 5], Value::Number(5.0)),
            (&[4, 0x81, 0x00], Value::Number(128.0)),
            (&[4, 0xFF, 0xFF, 0xFF, 0xFF], Value::Number(-1.0)),
            (&[5, 0x40, 0, 0, 0, 0, 0, 0, 0], Value::Number(2.0)),
            (&[6, 5, b'h', b'i'], Value::from("hi")),
            (&[8, 1, 0x40, 0, 0, 0, 0, 0, 0, 0], Value::Date { millis: 2.0, zone: 0 }),
            (&[12, 3, b'x'], Value::LongString("x".into())),
            (&[9, 5, 1, 6, 3, b'a', 6, 0], Value::StrictArray(vec![Value::from("a"), Value::from("a")])),
            (
                &[9, 3, 3, b'k', 2, 1, 1],
                Value::EcmaArray(vec![name("k", Value::Boolean(false)), name("0", Value::Null)]),
            ),
            (
                // Traits with one name, then two objects of them, the second dynamic-less by reference.
                &[9, 5, 1, 10, 0x13, 1, 3, b'a', 4, 1, 10, 1, 4, 2],
                Value::StrictArray(vec![
                    Value::Object(vec![name("a", Value::Number(1.0))]),
                    Value::Object(vec![name("a", Value::Number(2.0))]),
                ]),
            ),
            (&[10, 0x0B, 1, 3, b'd', 3, 1], Value::Object(vec![name("d", Value::Boolean(true))])),
        ] {
            assert_eq!(decode(data), Ok((value, data.len())), "{data:?}");
        }
    }

    #[test]
    fn what_is_not_read_is_named() {
        let err = |data: &[u8]| read(data).unwrap_err();
        assert_eq!(err(&[13]), "AMF3 at byte 0: type 13 is not legal: 0 to 12 is");
        assert_eq!(err(&[6, 9, b'x']), "AMF3 at byte 2: cut off");
        assert_eq!(err(&[6, 4]), "AMF3 at byte 2: reference 2 to a string; 0 came before");
        assert_eq!(err(&[9, 2]), "AMF3 at byte 2: references to objects are not read");
        assert_eq!(err(&[10, 1]), "AMF3 at byte 2: reference 0 to traits; 0 came before");
        assert_eq!(err(&[10, 7]), "AMF3 at byte 2: externalizable objects are not read");
        assert_eq!(err(&[9, 3, 1].repeat(20)), "AMF3 at byte 48: nested too deep: at most 16 levels");
        assert_eq!(
            err(&[&[9, 0xC0, 0x01, 1][..], &[1; 8192]].concat()),
            "AMF3 at byte 4099: more than 4096 values"
        );
        // A long string and many references to it.
        let long =
            [&[9, 0x81, 0x23, 1, 6, 0x81, 0xFF, 0x7F][..], &[b'x'; 16383], &[6, 0].repeat(80)].concat();
        assert!(err(&long).ends_with("more than 1048576 bytes of strings"), "{}", err(&long));
    }

    proptest! {
        #[test]
        fn noise_is_read_or_refused(noise in prop::collection::vec(0u8..16, 0..200)) {
            if let Ok((_, taken)) = decode(&noise) {
                prop_assert!(taken <= noise.len());
            }
        }
    }
}
