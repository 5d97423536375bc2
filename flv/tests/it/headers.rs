//! Codec headers against known bytes, and against their writers.

use bytes::BytesMut;
use flv::audio::{self, AudioCodec, AudioHeader, AudioPacket, Layout};
use flv::video::{
    self, FrameType, HeaderForm, MultitrackKind, TrackContent, TrackPart, VideoCodec, VideoHeader,
    VideoPacket,
};
use flv::{BodyError, FourCc};
use proptest::prelude::*;

use crate::any::hex;

fn video(text: &str) -> VideoHeader {
    VideoHeader::parse(&hex(text)).unwrap()
}

/// Frame type, codec, packet, composition time and payload offset.
fn facts(text: &str) -> (FrameType, Option<VideoCodec>, VideoPacket, i32, usize) {
    let h = video(text);
    (h.frame_type, h.codec, h.packet, h.composition_ms, h.payload_offset)
}

#[test]
fn legacy_video() {
    use FrameType::{Command, Disposable, Inter, Key};
    let avc = Some(VideoCodec::Avc);
    assert_eq!(facts("17 00 000000 0164"), (Key, avc, VideoPacket::SequenceStart, 0, 5));
    assert_eq!(facts("17 01 000050 0000"), (Key, avc, VideoPacket::Frame, 80, 5));
    assert_eq!(facts("27 01 ffffd8"), (Inter, avc, VideoPacket::Frame, -40, 5));
    assert_eq!(facts("37 01 800000"), (Disposable, avc, VideoPacket::Frame, -(1 << 23), 5));
    assert_eq!(facts("17 02 000000"), (Key, avc, VideoPacket::SequenceEnd, 0, 5));
    assert_eq!(facts("1c 01 000001"), (Key, Some(VideoCodec::Hevc), VideoPacket::Frame, 1, 5));
    assert_eq!(facts("57 00"), (Command, avc, VideoPacket::Command(0), 0, 2));
    assert_eq!(facts("12 84"), (Key, Some(VideoCodec::Legacy(2)), VideoPacket::Opaque, 0, 1));
    assert!(video("17 01 000000").is_key_frame());
    assert!(!video("17 00 000000").is_key_frame());
}

#[test]
fn enhanced_video() {
    use FrameType::{Command, Inter, Key};
    let hevc = Some(VideoCodec::Hevc);
    let hvc1 = "68766331";
    assert_eq!(facts(&format!("90 {hvc1} 01")), (Key, hevc, VideoPacket::SequenceStart, 0, 5));
    assert_eq!(facts(&format!("91 {hvc1} ffffff")), (Key, hevc, VideoPacket::Frame, -1, 8));
    assert_eq!(facts(&format!("a3 {hvc1} 00")), (Inter, hevc, VideoPacket::Frame, 0, 5));
    assert_eq!(facts(&format!("92 {hvc1}")), (Key, hevc, VideoPacket::SequenceEnd, 0, 5));
    assert_eq!(facts(&format!("94 {hvc1} 02")), (Key, hevc, VideoPacket::Metadata, 0, 5));
    assert_eq!(
        facts("95 61763031 80"),
        (Key, Some(VideoCodec::Av1), VideoPacket::Mpeg2TsSequenceStart, 0, 5)
    );
    assert_eq!(facts("91 61763031 0a"), (Key, Some(VideoCodec::Av1), VideoPacket::Frame, 0, 5));
    assert_eq!(facts("91 76703039 00"), (Key, Some(VideoCodec::Vp9), VideoPacket::Frame, 0, 5));
    assert_eq!(facts("91 61766331 000010"), (Key, Some(VideoCodec::Avc), VideoPacket::Frame, 16, 8));
    assert_eq!(facts("d1 01"), (Command, None, VideoPacket::Command(1), 0, 2));
    assert_eq!(facts(&format!("d4 {hvc1}")), (Command, hevc, VideoPacket::Metadata, 0, 5));
    let unknown = Some(VideoCodec::Other(FourCc(*b"abcd")));
    assert_eq!(facts("a1 61626364"), (Inter, unknown, VideoPacket::Frame, 0, 5));
}

#[test]
fn modifiers_are_skipped() {
    // Nanoseconds 000102, then another modifier of 2 bytes, then CodedFrames.
    let header = video("97 02 000102 07 01 aabb 11 68766331 000005 00");
    assert_eq!((header.nanos, header.packet, header.composition_ms), (0x102, VideoPacket::Frame, 5));
    assert_eq!(header.payload_offset, 17);
    // A modifier of 256 bytes and more has a long size.
    let long = format!("97 ff 0100 {} 03 68766331", "00".repeat(257));
    assert_eq!(video(&long).payload_offset, 1 + 3 + 257 + 1 + 4);
    assert_eq!(VideoHeader::parse(&[0x97].repeat(400)).unwrap_err().field, "ModEx data");
    let endless = [&[0x97][..], &[0, 0, 7].repeat(20)].concat();
    assert_eq!(VideoHeader::parse(&endless).unwrap_err().field, "ModEx modifiers");
}

#[test]
fn multitrack_parts() {
    let body = hex("96 11 68766331 00 000004 00000511 02 000001 ff");
    let header = VideoHeader::parse(&body).unwrap();
    let each = TrackContent::CodedFrames;
    assert_eq!(header.packet, VideoPacket::Multitrack { kind: MultitrackKind::ManyTracks, each });
    assert!(header.is_key_frame());
    let parts: Result<Vec<_>, _> = header.tracks(&body).collect();
    let codec = FourCc(*b"hvc1");
    assert_eq!(
        parts.unwrap(),
        [TrackPart { track: 0, codec, data: 10..14 }, TrackPart { track: 2, codec, data: 18..19 }]
    );

    let body = hex("96 20 61766331 00 000001 01 76703039 05 000009 00");
    let header = VideoHeader::parse(&body).unwrap();
    assert_eq!((header.codec, header.payload_offset), (None, 2));
    let parts: Vec<_> = header.tracks(&body).collect();
    assert_eq!(parts[0], Ok(TrackPart { track: 0, codec: FourCc(*b"avc1"), data: 10..11 }));
    let err = parts[1].clone().unwrap_err();
    assert_eq!(err.to_string(), "track data at byte 19: cut off after 1 of 9 bytes");
    assert_eq!(parts.len(), 2);

    let body = hex("95 01 4f707573 07 aabb");
    let header = AudioHeader::parse(&body).unwrap();
    let parts: Vec<_> = header.tracks(&body).collect();
    assert_eq!(parts, [Ok(TrackPart { track: 7, codec: FourCc(*b"Opus"), data: 7..9 })]);
}

#[test]
fn the_default_track_is_read_as_if_it_were_alone() {
    let pictures = |text: &str| -> Result<Option<(VideoPacket, i32, bytes::Bytes)>, String> {
        let body = bytes::Bytes::from(hex(text));
        let track = VideoHeader::parse(&body).and_then(|header| header.default_track(&body));
        let track = track.map_err(|error| error.to_string())?;
        Ok(track.map(|(header, payload)| (header.packet, header.composition_ms, payload)))
    };
    let data = |text: &str| bytes::Bytes::from(hex(text));
    let alone = Ok(Some((VideoPacket::Frame, 5, data("11"))));
    assert_eq!(pictures("91 68766331 000005 11"), alone);
    assert_eq!(pictures("96 01 68766331 00 000005 11"), alone);
    assert_eq!(pictures("96 11 68766331 02 000001 ff 00 000004 000005 11"), alone);
    assert_eq!(pictures("96 21 76703039 01 000001 ff 68766331 00 000004 000005 11"), alone);
    assert_eq!(pictures("a6 03 61766331 00 11"), Ok(Some((VideoPacket::Frame, 0, data("11")))));
    assert_eq!(pictures("96 00 61766331 00 1122"), Ok(Some((VideoPacket::SequenceStart, 0, data("1122")))));
    assert_eq!(pictures("96 01 68766331 01 000005 11"), Ok(None));
    // What a part says is its own: the next one's bytes are not its composition time.
    assert!(pictures("96 11 68766331 00 000002 0000 01 000001 ff").is_err());
    assert!(pictures("96 11 68766331 02 000009 ff").is_err());

    let sound = |text: &str| {
        let body = bytes::Bytes::from(hex(text));
        let track = AudioHeader::parse(&body).unwrap().default_track(&body).unwrap();
        track.map(|(header, payload)| (header.codec, header.packet, payload))
    };
    let alone = Some((Some(AudioCodec::Opus), AudioPacket::Frame, data("aabb")));
    assert_eq!(sound("91 4f707573 aabb"), alone);
    assert_eq!(sound("95 01 4f707573 00 aabb"), alone);
    assert_eq!(sound("95 21 6d703461 03 000001 ff 4f707573 00 000002 aabb"), alone);
    assert_eq!(sound("95 01 4f707573 07 aabb"), None);
}

#[test]
fn audio_headers() {
    let aac = AudioHeader::parse(&hex("af 01 21")).unwrap();
    assert_eq!((aac.codec, aac.packet, aac.payload_offset), (Some(AudioCodec::Aac), AudioPacket::Frame, 2));
    let sound = aac.sound.unwrap();
    assert_eq!((sound.rate, sound.bits, sound.layout), (44_100, 16, Layout::Stereo));
    assert!(AudioHeader::parse(&hex("af 00 1210")).unwrap().is_sequence_start());
    let mp3 = AudioHeader::parse(&hex("2a ff")).unwrap();
    assert_eq!((mp3.codec, mp3.payload_offset), (Some(AudioCodec::Mp3), 1));
    assert_eq!((mp3.sound.unwrap().rate, mp3.sound.unwrap().layout), (22_050, Layout::Mono));
    let opus = AudioHeader::parse(&hex("90 4f707573 4f")).unwrap();
    assert_eq!(
        (opus.codec, opus.packet, opus.payload_offset),
        (Some(AudioCodec::Opus), AudioPacket::SequenceStart, 5)
    );
    assert_eq!(opus.form, HeaderForm::Enhanced);
    let timed = AudioHeader::parse(&hex("97 02 0f423f 01 6d703461 21")).unwrap();
    assert_eq!((timed.nanos, timed.payload_offset, timed.codec), (999_999, 10, Some(AudioCodec::Aac)));
}

#[test]
fn errors_name_the_field_and_the_legal_values() {
    let video = |text: &str| VideoHeader::parse(&hex(text)).unwrap_err();
    let audio = |text: &str| AudioHeader::parse(&hex(text)).unwrap_err();
    let said: Vec<String> = [
        video(""),
        video("07 01"),
        video("17 03 000000"),
        video("17 01 0000"),
        video("98 68766331"),
        video("91 6876"),
        video("96 31"),
        audio("af"),
        audio("af 02"),
        audio("93 6d703461"),
    ]
    .iter()
    .map(BodyError::to_string)
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    video header at byte 0: cut off after 0 of 1 bytes
    frame type at byte 0: 0 is not legal: 1 to 5
    AVC packet type at byte 1: 3 is not legal: 0, 1 or 2
    composition time at byte 2: cut off after 2 of 3 bytes
    video packet type at byte 0: 8 is not legal: 0 to 7
    video FourCC at byte 1: cut off after 2 of 4 bytes
    multitrack type at byte 1: 3 is not legal: 0, 1 or 2
    AAC packet type at byte 1: cut off after 0 of 1 bytes
    AAC packet type at byte 1: 2 is not legal: 0 or 1
    audio packet type at byte 0: 3 is not legal: 0, 1, 2, 4, 5 or 7
    ");
}

#[test]
fn known_bodies_are_written() {
    assert_eq!(&video::avc_sequence_header(&[1, 100])[..], hex("17 00 000000 0164"));
    assert_eq!(&video::avc_end_of_sequence()[..], hex("17 02 000000"));
    assert_eq!(&video::hevc_sequence_header(&[1])[..], hex("90 68766331 01"));
    assert_eq!(&video::hevc_end_of_sequence()[..], hex("92 68766331"));
    assert_eq!(&audio::aac_sequence_header(&[0x12, 0x10])[..], hex("af 00 1210"));
    let mut out = BytesMut::new();
    audio::write_aac_frame(&[0x21, 0x10], &mut out);
    assert_eq!(&out[..], hex("af 01 2110"));
}

fn frame_type() -> impl Strategy<Value = FrameType> {
    prop::sample::select(vec![
        FrameType::Key,
        FrameType::Inter,
        FrameType::Disposable,
        FrameType::GeneratedKey,
    ])
}

proptest! {
    #[test]
    fn frames_round_trip(frame_type in frame_type(), ms in -(1i32 << 23)..1 << 23, nalus in prop::collection::vec(any::<u8>(), 0..50)) {
        type Write = fn(FrameType, i32, &[u8], &mut BytesMut) -> Result<(), media::OutOfRange>;
        let writers: [(Write, VideoCodec); 2] =
            [(video::write_avc_frame, VideoCodec::Avc), (video::write_hevc_frame, VideoCodec::Hevc)];
        for (write, codec) in writers {
            for ms in [ms, 0] {
                let mut out = BytesMut::new();
                write(frame_type, ms, &nalus, &mut out).unwrap();
                let body = out.freeze();
                let header = VideoHeader::parse(&body).unwrap();
                prop_assert_eq!(header.frame_type, frame_type);
                prop_assert_eq!(header.codec, Some(codec));
                prop_assert_eq!(header.packet, VideoPacket::Frame);
                prop_assert_eq!(header.composition_ms, ms);
                prop_assert_eq!(&header.payload(&body)[..], &nalus[..]);
            }
        }
    }

    #[test]
    fn a_composition_time_that_does_not_fit_is_refused(ms in prop_oneof![i32::MIN..-(1 << 23), 1 << 23..=i32::MAX]) {
        let mut out = BytesMut::new();
        prop_assert!(video::write_avc_frame(FrameType::Key, ms, &[], &mut out).is_err());
        prop_assert!(video::write_hevc_frame(FrameType::Key, ms, &[], &mut out).is_err());
        prop_assert!(out.is_empty());
    }
}
