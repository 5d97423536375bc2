//! Script tags and `onMetaData`.

use flv::amf0::Value;
use flv::audio::Layout;
use flv::script::{CodecId, Metadata, Script};
use flv::{FlvMillis, FourCc, TagKind};
use proptest::prelude::*;

use crate::any::{self, hex};

fn codec() -> impl Strategy<Value = CodecId> {
    prop_oneof![
        any::<u8>().prop_map(CodecId::Legacy),
        prop::array::uniform4(33u8..127).prop_map(|c| CodecId::FourCc(FourCc(c)))
    ]
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let number = || prop::option::of(0.0..1e9f64);
    let count = || prop::option::of(any::<u32>());
    let codec = || prop::option::of(codec());
    let layout = prop::option::of(prop::sample::select(vec![Layout::Mono, Layout::Stereo]));
    let other = prop::collection::vec(("x[a-z]{0,6}", any::value()), 0..4);
    (
        (number(), count(), count(), number(), number(), codec()),
        (number(), number(), count(), layout, codec()),
        (prop::option::of(".{0,20}"), other),
    )
        .prop_map(|(video, audio, (encoder, other))| Metadata {
            duration: video.0,
            width: video.1,
            height: video.2,
            framerate: video.3,
            videodatarate: video.4,
            videocodecid: video.5,
            audiodatarate: audio.0,
            audiosamplerate: audio.1,
            audiosamplesize: audio.2,
            layout: audio.3,
            audiocodecid: audio.4,
            encoder,
            other,
        })
}

proptest! {
    #[test]
    fn metadata_round_trips(metadata in metadata(), ms in any::<u32>()) {
        let tag = metadata.to_tag(FlvMillis(ms)).unwrap();
        prop_assert_eq!((tag.kind, tag.timestamp), (TagKind::Script, FlvMillis(ms)));
        prop_assert_eq!(Metadata::parse(tag.body()).unwrap(), Some(metadata));
    }

    #[test]
    fn scripts_round_trip(name in "on[A-Z][a-z]{0,8}", values in prop::collection::vec(any::value(), 0..4)) {
        let script = Script { name, values };
        let tag = script.to_tag(FlvMillis(0)).unwrap();
        prop_assert_eq!(Script::parse(tag.body()).unwrap(), script);
    }
}

#[test]
fn known_metadata() {
    let metadata = Metadata { width: Some(320), layout: Some(Layout::Mono), ..Metadata::default() };
    let body = metadata.to_tag(FlvMillis(0)).unwrap().into_body();
    let text = "02 000a 6f6e4d65746144617461 08 00000002 0005 7769647468 00 4074000000000000 \
        0006 73746572656f 01 00 0000 09";
    assert_eq!(&body[..], hex(text));
    // As an RTMP publisher sends it.
    let published = [hex("02 000d 40736574446174614672616d65"), hex(text)].concat();
    assert_eq!(Metadata::parse(&published), Ok(Some(metadata)));
}

#[test]
fn what_is_odd_is_kept_aside() {
    let odd = Value::object([
        ("width", Value::from(1.5)),
        ("height", Value::from(-1.0)),
        ("framerate", Value::from(f64::NAN)),
        ("videocodecid", Value::from("avc1")),
        ("audiocodecid", Value::from("aac")),
        ("encoder", Value::Null),
        ("duration", Value::from(1.0)),
        ("duration", Value::from(2.0)),
    ]);
    let metadata = Metadata::from_value(&odd);
    assert_eq!(metadata.videocodecid, Some(CodecId::FourCc(FourCc(*b"avc1"))));
    assert_eq!((metadata.width, metadata.height, metadata.framerate), (None, None, None));
    assert_eq!(metadata.duration, Some(1.0));
    let names: Vec<&str> = metadata.other.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["width", "height", "framerate", "audiocodecid", "encoder", "duration"]);
}

#[test]
fn other_scripts_are_no_metadata() {
    let cue =
        Script { name: "onCuePoint".into(), values: vec![Value::object([("width", Value::from(1.0))])] };
    assert_eq!(Metadata::parse(cue.to_tag(FlvMillis(0)).unwrap().body()), Ok(None));
    let bare = Script { name: "onMetaData".into(), values: vec![Value::Null] };
    assert_eq!(Metadata::parse(bare.to_tag(FlvMillis(0)).unwrap().body()), Ok(None));
    let err = Script::parse(&hex("05")).unwrap_err();
    assert_eq!(err.to_string(), "script name at byte 0: 5 is not legal: an AMF0 string (type 2)");
    assert!(Script::parse(&[]).is_err());
}
