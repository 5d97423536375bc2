//! A small FLV stream as a recorder would leave it.

use bytes::{Bytes, BytesMut};
use flv::script::Metadata;
use flv::video::{FrameType, avc_sequence_header, write_avc_frame};
use flv::{FlvMillis, Tag, TagKind, Tracks, write_file_header};

/// An `avcC` of 640x360, constrained baseline.
const AVC_CONFIG: &str = "0142c01effe100196742c01ed900a02ff97011000003000100000300320f162e4801000568cb83cb20";

pub fn hex(text: &str) -> Vec<u8> {
    let digit = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap();
    (0..text.len() / 2).map(digit).collect()
}

/// 25 pictures and 47 blocks of sound (a second), a key frame every ten pictures.
pub fn flv() -> Vec<u8> {
    let mut out = BytesMut::new();
    write_file_header(&mut out, Tracks::Both);
    for tag in tags() {
        tag.write_into(&mut out);
    }
    out.to_vec()
}

pub fn tags() -> Vec<Tag> {
    let metadata = Metadata { width: Some(640), height: Some(360), ..Metadata::default() };
    let tag = |kind, ms, body: Bytes| Tag::new(kind, FlvMillis(ms), body).unwrap();
    let mut tags = vec![
        metadata.to_tag(FlvMillis(0)).unwrap(),
        tag(TagKind::Video, 0, avc_sequence_header(&hex(AVC_CONFIG))),
        tag(TagKind::Audio, 0, Bytes::from_static(&[0xaf, 0, 0x11, 0x90])),
    ];
    let mut frames: Vec<(u32, Tag)> = Vec::new();
    for n in 0..25u32 {
        let key = n.is_multiple_of(10);
        let (frame_type, nal) = if key { (FrameType::Key, 0x65) } else { (FrameType::Inter, 0x41) };
        // Zeros, so that emulation prevention has something to do, and all else.
        let slice: Vec<u8> = (0..400u32).map(|i| if i % 7 < 3 { 0 } else { (i * 31 + n) as u8 }).collect();
        let mut nalu = vec![0, 0, 0, 0, nal, 0x88];
        nalu.extend(slice.iter().map(|b| b | 4));
        let len = u32::try_from(nalu.len() - 4).unwrap();
        nalu[..4].copy_from_slice(&len.to_be_bytes());
        let mut body = BytesMut::new();
        write_avc_frame(frame_type, 0, &nalu, &mut body).unwrap();
        frames.push((n * 40, tag(TagKind::Video, n * 40, body.freeze())));
    }
    for n in 0..47u32 {
        let ms = n * 1024 / 48;
        let sound = [&[0xaf, 1, 0x21, 0x10][..], &[n as u8; 120]].concat();
        frames.push((ms, tag(TagKind::Audio, ms, sound.into())));
    }
    frames.sort_by_key(|(ms, _)| *ms);
    tags.extend(frames.into_iter().map(|(_, tag)| tag));
    tags
}

/// The key every test uses.
pub const KEY: &str = "000102030405060708090a0b0c0d0e0f\n";
