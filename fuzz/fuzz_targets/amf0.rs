//! Any bytes through AMF0 and what is built on it: no panic, little memory, errors that
//! point into the data, and values that come back from what they are written as.
#![no_main]

use bytes::BytesMut;
use flv::amf0::{self, EncodeError, Value};
use flv::script::{Metadata, Script};
use flv::{BodyError, FlvMillis};
use harness::heap;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // A named value takes 3 bytes at least, and 64 in memory, twice while a list grows.
    heap::bounded((64 << 10) + 128 * data.len(), || {
        if let Some((value, len)) = inside(amf0::decode(data), data) {
            assert!(len > 0 && len <= data.len());
            round(&value);
            assert_eq!(inside(amf0::decode(&data[..len]), data).map(|(_, len)| len), Some(len));
        }
    });
    if let Some(values) = inside(amf0::decode_all(data), data) {
        values.iter().for_each(round);
    }
    if let Some(script) = inside(Script::parse(data), data) {
        let _ = script.to_tag(FlvMillis(0));
    }
    if let Some(Some(metadata)) = inside(Metadata::parse(data), data)
        && let Ok(tag) = metadata.to_tag(FlvMillis(0))
    {
        let again = Metadata::parse(tag.body()).unwrap().unwrap();
        assert_eq!(again.to_tag(FlvMillis(0)).unwrap(), tag);
    }
});

fn inside<T>(result: Result<T, BodyError>, data: &[u8]) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(err) => {
            assert!(err.offset <= data.len(), "{err}");
            None
        }
    }
}

/// Compared by their bytes, as a number that is none differs from itself.
fn round(value: &Value) {
    let mut first = BytesMut::new();
    match amf0::encode(value, &mut first) {
        Ok(()) => {}
        // A byte that is no UTF-8 becomes three.
        Err(EncodeError::Name(len)) => {
            assert!(len > usize::from(u16::MAX));
            return;
        }
        Err(err) => panic!("{err}"),
    }
    let (back, len) = amf0::decode(&first).unwrap();
    assert_eq!(len, first.len());
    let mut second = BytesMut::new();
    amf0::encode(&back, &mut second).unwrap();
    assert_eq!(first, second);
}
