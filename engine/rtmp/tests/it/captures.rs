//! What real encoders sent once, byte for byte, in all kinds of pieces.
//!
//! Made with `examples/receive.rs`: FFmpeg 5.1, GStreamer 1.22's rtmp2sink, and
//! librtmp 2.4 (GStreamer's rtmpsink) with timestamps beyond 0xFFFFFF.

use bytes::Bytes;
use flv::TagKind;
use proptest::prelude::*;
use rtmp::Event;
use rtmp::handshake::ServerHandshake;
use rtmp::session::EndReason;

use crate::client::Harness;

struct Capture {
    bytes: &'static [u8],
    flash_version: Option<&'static str>,
    stream_key: &'static str,
    /// Script, video and audio tags.
    counts: [usize; 3],
    last_audio: u32,
    /// What the session makes of the end of the bytes.
    end: EndReason,
}

const FFMPEG: Capture = Capture {
    bytes: include_bytes!("../captures/ffmpeg.rtmp"),
    flash_version: Some("FMLE/3.0 (compatible; Lavf59.27.100)"),
    stream_key: "main?key=abc",
    counts: [1, 12, 46],
    last_audio: 1021,
    end: EndReason::Unpublished,
};

const RTMP2SINK: Capture = Capture {
    bytes: include_bytes!("../captures/rtmp2sink.rtmp"),
    flash_version: Some("LNX 10,0,32,18"),
    stream_key: "main?key=abc",
    counts: [1, 12, 45],
    last_audio: 998,
    end: EndReason::Unpublished,
};

const LIBRTMP: Capture = Capture {
    bytes: include_bytes!("../captures/librtmp.rtmp"),
    flash_version: None,
    stream_key: "main",
    counts: [1, 8, 28],
    last_audio: 16_800_580,
    end: EndReason::Unpublished,
};

/// Lets a session see the bytes in pieces.
pub fn play(bytes: &'static [u8], mut pieces: impl Iterator<Item = usize>) -> Harness {
    let mut h = Harness::new();
    h.client.bytes.clear();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(pieces.next().unwrap_or(usize::MAX).min(rest.len()));
        h.client.bytes.extend_from_slice(piece);
        rest = after;
        h.pump().unwrap();
        if let Some(Event::PublishRequested(request)) = h.events.last() {
            h.session.accept(request.request, h.now).ok();
        }
    }
    h.pump().unwrap();
    h
}

fn check(capture: &Capture) {
    let h = play(capture.bytes, std::iter::empty());
    let Some(Event::PublishRequested(request)) = h.events.first() else { panic!("no request") };
    assert_eq!(request.app.raw(), "live");
    assert_eq!(request.name.raw(), capture.stream_key);
    assert_eq!(request.peer.flash_version.as_deref(), capture.flash_version);
    let tags = h.tags();
    let count = |kind| tags.iter().filter(|tag| tag.0 == kind).count();
    assert_eq!([TagKind::Script, TagKind::Video, TagKind::Audio].map(count), capture.counts);
    assert_eq!((tags[0].0, tags[0].1), (TagKind::Script, 0));
    assert!(tags[0].2.starts_with(b"\x02\0\x0aonMetaData"));
    let last = tags.iter().rfind(|tag| tag.0 == TagKind::Audio).unwrap();
    assert_eq!(last.1, capture.last_audio);
    for (_, _, body) in tags.iter().filter(|tag| tag.0 == TagKind::Video) {
        check_avc(body);
    }
    let end = h.events.iter().find_map(|event| match event {
        Event::PublishEnded { reason, .. } => Some(*reason),
        _ => None,
    });
    assert_eq!(end, Some(capture.end));
}

/// Whether an AVC tag's NAL units fill its body exactly: a byte lost or gained
/// on the way would show.
pub fn check_avc(body: &Bytes) {
    assert_eq!(body[0] & 0x0F, 7);
    if body[1] != 1 {
        return;
    }
    let mut rest = &body[5..];
    while let Some((length, after)) = rest.split_first_chunk() {
        rest = &after[u32::from_be_bytes(*length) as usize..];
    }
    assert!(rest.is_empty());
}

#[test]
fn ffmpeg_is_understood() {
    check(&FFMPEG);
}

#[test]
fn rtmp2sink_is_understood() {
    check(&RTMP2SINK);
}

#[test]
fn librtmp_is_understood() {
    check(&LIBRTMP);
}

/// Who signs gets a signed answer, which FFmpeg as a player checks: see `real_players`.
#[test]
fn ffmpeg_signs_its_handshake_and_gets_a_signed_answer() {
    for (capture, version) in [(FFMPEG, [4, 5, 0, 1]), (RTMP2SINK, [0; 4]), (LIBRTMP, [0; 4])] {
        let mut answer = bytes::BytesMut::new();
        let mut handshake = ServerHandshake::new([7; 1528]);
        handshake.read(&mut Bytes::from_static(&capture.bytes[..1537]), 0, &mut answer).unwrap();
        assert_eq!(answer[5..9], version);
        assert_eq!(version == [0; 4], answer[1537..] == capture.bytes[1..1537]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn pieces_make_no_difference(
        which in 0usize..3,
        pieces in prop::collection::vec(prop_oneof![1usize..20, 1usize..4000], 1..50),
    ) {
        let bytes = [FFMPEG, RTMP2SINK, LIBRTMP][which].bytes;
        let whole = play(bytes, std::iter::empty());
        let cut = play(bytes, pieces.into_iter().cycle());
        prop_assert_eq!(cut.events, whole.events);
        prop_assert_eq!(cut.output, whole.output);
    }

    #[test]
    fn faults_in_them_do_no_harm(
        which in 0usize..3,
        faults in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        split in 1usize..5000,
    ) {
        let mut bytes = [FFMPEG, RTMP2SINK, LIBRTMP][which].bytes.to_vec();
        for (at, byte) in faults {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        crate::garbage::survive(&bytes, split);
    }
}
