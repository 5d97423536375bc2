//! AMF0: round trips, known bytes, bounds.

use bytes::BytesMut;
use flv::amf0::{self, EncodeError, MAX_DEPTH, Value};
use proptest::prelude::*;

use crate::any::{self, hex};

fn bytes_of(value: &Value) -> Vec<u8> {
    let mut out = BytesMut::new();
    amf0::encode(value, &mut out).unwrap();
    out.to_vec()
}

proptest! {
    #[test]
    fn values_round_trip(values in prop::collection::vec(any::value(), 0..5)) {
        let mut out = BytesMut::new();
        amf0::encode_all(&values, &mut out).unwrap();
        prop_assert_eq!(amf0::decode_all(&out).unwrap(), &values[..]);
        if let Some(first) = values.first() {
            let (value, len) = amf0::decode(&out).unwrap();
            prop_assert_eq!(&value, first);
            prop_assert_eq!(len, bytes_of(first).len());
        }
    }

    #[test]
    fn a_cut_value_is_an_error_within_it(value in any::value(), cut in any::<prop::sample::Index>()) {
        let bytes = bytes_of(&value);
        let cut = cut.index(bytes.len());
        match amf0::decode(&bytes[..cut]) {
            Err(err) => prop_assert!(err.offset <= cut),
            // An ECMA array whose count is reached may lack its end, and so may what it ends:
            // then nothing but end markers was cut off.
            Ok((back, len)) => {
                prop_assert_eq!(back, value);
                prop_assert_eq!(len, cut);
            }
        }
    }
}

#[test]
fn known_bytes() {
    let connect = "02 0007 636f6e6e656374 00 3ff0000000000000 03 0003 617070 02 0004 6c697665 0000 09";
    let values = amf0::decode_all(&hex(connect)).unwrap();
    let expected = [Value::from("connect"), Value::from(1.0), Value::object([("app", Value::from("live"))])];
    assert_eq!(values, expected);
    let mut out = BytesMut::new();
    amf0::encode_all(&expected, &mut out).unwrap();
    assert_eq!(&out[..], hex(connect));

    for (text, value) in [
        ("05", Value::Null),
        ("06", Value::Undefined),
        ("01 01", Value::from(true)),
        ("08 00000001 0001 61 05 0000 09", Value::ecma_array([("a", Value::Null)])),
        ("0a 00000002 05 06", Value::StrictArray(vec![Value::Null, Value::Undefined])),
        ("0b 4270000000000000 ffc4", Value::Date { millis: (1u64 << 40) as f64, zone: -60 }),
        ("0c 00000001 61", Value::LongString("a".into())),
    ] {
        assert_eq!(bytes_of(&value), hex(text));
        assert_eq!(amf0::decode(&hex(text)), Ok((value, hex(text).len())));
    }
}

#[test]
fn a_long_string_is_written_as_one() {
    let bytes = bytes_of(&Value::String("a".repeat(65_536)));
    assert_eq!(bytes[..5], [12, 0, 1, 0, 0]);
    assert_eq!(bytes_of(&Value::String("a".repeat(65_535)))[..3], [2, 255, 255]);
}

#[test]
fn wrong_counts_and_a_missing_end_are_forgiven_in_ecma_arrays_only() {
    let expected = Value::ecma_array([("a", Value::Null), ("b", Value::Undefined)]);
    for text in ["08 00000000 000161 05 000162 06 000009", "08 00000002 000161 05 000162 06"] {
        assert_eq!(amf0::decode_all(&hex(text)), Ok(vec![expected.clone()]), "{text}");
    }
    assert!(amf0::decode(&hex("08 00000003 000161 05 000162 06")).is_err());
    assert!(amf0::decode(&hex("03 000161 05 000162 06")).is_err());
}

#[test]
fn text_that_is_not_utf8_is_kept_readable() {
    assert_eq!(amf0::decode(&hex("02 0003 61ff62")), Ok(("a\u{fffd}b".into(), 6)));
}

fn nested(levels: usize) -> Value {
    (1..levels).fold(Value::Null, |inner, _| Value::StrictArray(vec![inner]))
}

#[test]
fn the_bounds_hold_in_both_directions() {
    let deepest = nested(MAX_DEPTH);
    assert_eq!(amf0::decode(&bytes_of(&deepest)).unwrap().0, deepest);
    let mut out = BytesMut::from(&b"before"[..]);
    assert_eq!(amf0::encode(&nested(MAX_DEPTH + 1), &mut out), Err(EncodeError::Depth));
    let long_name = Value::object([("x".repeat(65_536), Value::Null)]);
    assert_eq!(amf0::encode_all(&[Value::Null, long_name], &mut out), Err(EncodeError::Name(65_536)));
    assert_eq!(&out[..], b"before");

    let said = |bytes: &[u8]| amf0::decode_all(bytes).unwrap_err().to_string();
    let mut text = said(&hex("0a 00000001").repeat(MAX_DEPTH + 1));
    text += &format!("\n{}", said(&[5].repeat(amf0::MAX_VALUES + 1)));
    for bytes in
        ["05 07 0001", "10 0001", "0a ffffffff 05", "0c ffffffff 61", "00 00", "03 0001", "05 03 0000"]
    {
        text += &format!("\n{}", said(&hex(bytes)));
    }
    insta::assert_snapshot!(text, @r"
    AMF0 nesting at byte 80: 17 is not legal: at most 16 levels
    AMF0 value count at byte 262144: 262145 is not legal: at most 262144
    AMF0 type at byte 1: 7 is not legal: 0 to 3, 5, 6, 8 or 10 to 12
    AMF0 type at byte 0: 16 is not legal: 0 to 3, 5, 6, 8 or 10 to 12
    AMF0 array at byte 5: cut off after 1 of 4294967295 bytes
    AMF0 string at byte 5: cut off after 1 of 4294967295 bytes
    AMF0 number at byte 1: cut off after 1 of 8 bytes
    AMF0 string at byte 3: cut off after 0 of 1 bytes
    AMF0 type at byte 4: cut off after 0 of 1 bytes
    ");
}
