//! Commands: a name, a number for the answer, and values (section 7.2).

use bytes::BytesMut;
use flv::BodyError;
use flv::amf0::{self, EncodeError, Value};

use super::{MessageFault, amf3};

/// A command or the answer to one.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// `connect`, `publish`, `_result`, `onStatus` and so on.
    pub name: String,
    /// An answer carries the number of its command; 0 asks for none.
    pub transaction: f64,
    /// The command object; null for most.
    pub object: Value,
    /// What follows.
    pub args: Vec<Value>,
}

/// The marker of an AMF3 value among AMF0 values.
const AVM_PLUS: u8 = 0x11;

fn values(payload: &[u8]) -> Result<Vec<Value>, MessageFault> {
    let mut values = Vec::new();
    let mut rest = payload;
    while let Some((&first, after)) = rest.split_first() {
        let (value, taken) = if first == AVM_PLUS {
            let (value, taken) = amf3::decode(after)?;
            (value, taken + 1)
        } else {
            let at = payload.len() - rest.len();
            amf0::decode(rest).map_err(|err| BodyError { offset: err.offset + at, ..err })?
        };
        values.push(value);
        rest = &rest[taken..];
    }
    Ok(values)
}

impl Command {
    pub(super) fn decode(payload: &[u8]) -> Result<Self, MessageFault> {
        let mut values = values(payload)?.into_iter();
        let name = values.next();
        let Some(name) = name.as_ref().and_then(Value::as_str) else {
            return Err(MessageFault::NotACommand { missing: "name, a string" });
        };
        // FFmpeg as a server says `onFCPublish` and nothing more.
        let transaction = match values.next() {
            None => 0.0,
            Some(Value::Number(transaction)) => transaction,
            Some(_) => return Err(MessageFault::NotACommand { missing: "transaction, a number" }),
        };
        let object = values.next().unwrap_or(Value::Null);
        Ok(Self { name: name.to_owned(), transaction, object, args: values.collect() })
    }

    pub(super) fn encode(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        amf0::encode(&Value::from(self.name.as_str()), out)?;
        amf0::encode(&Value::Number(self.transaction), out)?;
        amf0::encode(&self.object, out)?;
        amf0::encode_all(&self.args, out)
    }

    /// An argument that is a string.
    pub fn text(&self, index: usize) -> Option<&str> {
        self.args.get(index)?.as_str()
    }

    /// An argument that is a number.
    pub fn number(&self, index: usize) -> Option<f64> {
        self.args.get(index)?.as_f64()
    }
}
