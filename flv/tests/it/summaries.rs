//! What a summary says of streams made for it.

use bytes::{Bytes, BytesMut};
use flv::summary::{KeyFrame, MAX_LISTED, Summary, TimeGap};
use flv::video::{FrameType, VideoCodec};
use flv::{FlvMillis, Tag, TagKind, video};
use media::Size;

use crate::any::hex;

fn frame(ms: u32, frame_type: FrameType, composition_ms: i32) -> Tag {
    let mut body = BytesMut::new();
    video::write_avc_frame(frame_type, composition_ms, &[0, 0, 0, 1, 0x65], &mut body).unwrap();
    Tag::new(TagKind::Video, FlvMillis(ms), body.freeze()).unwrap()
}

fn sound(ms: u32) -> Tag {
    Tag::new(TagKind::Audio, FlvMillis(ms), Bytes::from_static(&[0xaf, 1, 0x21])).unwrap()
}

#[test]
fn gaps_steps_back_and_the_wrap() {
    let mut summary = Summary::with_gap_threshold(500);
    let start = u32::MAX - 99;
    let metadata = flv::script::Metadata::default();
    summary.push(&metadata.to_tag(FlvMillis(0)).unwrap());
    for ms in [0u32, 40, 80, 120, 700, 660] {
        summary.push(&frame(start.wrapping_add(ms), FrameType::Inter, 0));
    }
    let at = |ms: i64| i64::from(start) + ms;
    let gap = |tag, from, to| TimeGap { kind: TagKind::Video, tag, from_ms: at(from), to_ms: at(to) };
    assert_eq!(summary.gaps.items(), [gap(5, 120, 700), gap(6, 700, 660)]);
    assert_eq!(summary.video.count.max_step_ms, 580);
    assert_eq!(summary.duration_ms(), Some(700));
}

#[test]
fn key_frames_and_disposable_ones() {
    let mut summary = Summary::new();
    for (ms, kind) in
        [(0, FrameType::Key), (40, FrameType::Disposable), (80, FrameType::Key), (2080, FrameType::Key)]
    {
        summary.push(&frame(ms, kind, 80));
        summary.push(&sound(ms + 5));
    }
    let keys = summary.video.key_frames.items();
    assert_eq!(keys[1], KeyFrame { tag: 4, dts_ms: 80, pts_ms: 160 });
    assert_eq!((keys.len(), summary.video.disposable, summary.video.max_key_distance_ms), (3, 1, 2000));
    assert_eq!((summary.audio.frames, summary.duration_ms(), summary.tags()), (4, Some(2085), 8));
}

#[test]
fn sizes_change_and_bad_bodies_are_listed() {
    let mut summary = Summary::new();
    let header =
        |config: &[u8]| Tag::new(TagKind::Video, FlvMillis(0), video::avc_sequence_header(config)).unwrap();
    let config = hex(crate::configs::HIGH_1080);
    summary.push(&header(&config));
    summary.push(&header(&config));
    summary.push(&header(&config[..9]));
    let enhanced = video::hevc_sequence_header(&hex(crate::configs::HEVC_718));
    summary.push(&Tag::new(TagKind::Video, FlvMillis(0), enhanced).unwrap());
    assert_eq!(summary.video.sizes.items(), [Size::new(1920, 1080), Size::new(1280, 718)]);
    assert_eq!(summary.video.codecs, [VideoCodec::Avc, VideoCodec::Hevc]);
    assert_eq!((summary.bad.count(), summary.bad.items()[0].tag), (1, 2));
    assert_eq!(summary.duration_ms(), None);
}

#[test]
fn lists_are_bounded_and_counts_go_on() {
    let mut summary = Summary::new();
    let many = MAX_LISTED as u32 + 10;
    for n in 0..many {
        summary.push(&frame(n, FrameType::Key, 0));
        let code = [0x91, (n >> 8) as u8, n as u8, 1, 1];
        summary.push(&Tag::new(TagKind::Video, FlvMillis(n), Bytes::copy_from_slice(&code)).unwrap());
    }
    assert_eq!(summary.video.key_frames.items().len(), MAX_LISTED);
    assert_eq!(summary.video.key_frames.count(), u64::from(many) * 2);
    assert!(summary.video.codecs.len() <= flv::summary::MAX_CODECS);
}
