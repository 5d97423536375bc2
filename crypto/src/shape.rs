//! What a tag's body is to us: which rule it falls under, told from its codec
//! header alone. Encryption leaves that header as it is, so writer and reader
//! come to the same answer.

use flv::TagKind;
use flv::audio::{AudioCodec, AudioHeader, AudioPacket};
use flv::nalu::LengthSize;
use flv::video::{HeaderForm, TrackContent, VideoHeader, VideoPacket};

use crate::error::NoRule;
use crate::tracks;
use crate::unit::UnitCodec;

/// Whether a body falls under one rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// It does.
    Single(Shape),
    /// Sequence headers of several tracks, or of one that is not the default: it stays clear.
    TrackConfigs,
    /// Coded frames of such: each track's part has its rule, see [`tracks::parts`].
    Tracks,
}

/// The rule a body falls under, or one track's part of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Stays clear: script tags, ends of sequence, commands, metadata, empty bodies.
    Exempt,
    /// Stays clear, and tells how long NALU lengths are from here on.
    Sequence(LengthSize),
    /// Stays clear, and has an AudioSpecificConfig from `payload` on.
    SoundConfig { payload: usize },
    /// One AAC raw data block from `payload` on.
    Aac { payload: usize },
    /// Length-prefixed NAL units from `payload` on.
    Units { codec: UnitCodec, payload: usize },
    /// Neither of these.
    NoRule(NoRule),
}

impl Shape {
    /// Whether such a body stays clear whatever is asked for.
    pub(crate) fn is_exempt(&self) -> bool {
        matches!(self, Self::Exempt | Self::Sequence(_) | Self::SoundConfig { .. })
    }
}

/// Reads the front of a tag's body.
#[inline]
pub(crate) fn of(kind: TagKind, body: &[u8]) -> Layout {
    usual(kind, body).map_or_else(|| parsed(kind, body), Layout::Single)
}

/// Coded frames behind a legacy header, which nearly all tags are: to parse the whole
/// header would take longer than to encrypt a small frame.
fn usual(kind: TagKind, body: &[u8]) -> Option<Shape> {
    match (kind, body) {
        (TagKind::Audio, [0xa0..=0xaf, 1, ..]) => Some(Shape::Aac { payload: 2 }),
        (TagKind::Video, [0x17 | 0x27 | 0x37, 1, _, _, _, ..]) => {
            Some(Shape::Units { codec: UnitCodec::Avc, payload: 5 })
        }
        (TagKind::Video, [0x1c | 0x2c | 0x3c, 1, _, _, _, ..]) => {
            Some(Shape::Units { codec: UnitCodec::Hevc, payload: 5 })
        }
        _ => None,
    }
}

/// By way of the parsed codec header.
fn parsed(kind: TagKind, body: &[u8]) -> Layout {
    // An empty body gives nothing away, and some encoders send them.
    if body.is_empty() {
        return Layout::Single(Shape::Exempt);
    }
    let layout = match kind {
        TagKind::Script => Ok(Layout::Single(Shape::Exempt)),
        TagKind::Audio => AudioHeader::parse(body).map(|header| audio(&header, body)),
        TagKind::Video => VideoHeader::parse(body).map(|header| video(&header, body)),
    };
    layout.unwrap_or_else(|err| Layout::Single(Shape::NoRule(err.into())))
}

fn audio(header: &AudioHeader, body: &[u8]) -> Layout {
    let payload = header.payload_offset;
    Layout::Single(match (header.packet, header.codec) {
        (AudioPacket::Multitrack { .. }, _) if header.is_sequence_start() => return Layout::TrackConfigs,
        // A header without a track behind it gives nothing away.
        (AudioPacket::Multitrack { .. }, _) if header.has_sound() && body.len() > payload => {
            return Layout::Tracks;
        }
        (AudioPacket::Frame, Some(AudioCodec::Aac)) => Shape::Aac { payload },
        (AudioPacket::SequenceStart, Some(AudioCodec::Aac)) => Shape::SoundConfig { payload },
        (AudioPacket::Frame, Some(codec)) if header.form == HeaderForm::Enhanced => {
            Shape::NoRule(NoRule::EnhancedAudio(codec))
        }
        (AudioPacket::Frame, Some(codec)) => Shape::NoRule(NoRule::Audio(codec)),
        _ => Shape::Exempt,
    })
}

fn video(header: &VideoHeader, body: &[u8]) -> Layout {
    let payload = header.payload_offset;
    let units = header.codec.and_then(UnitCodec::of);
    Layout::Single(match (header.packet, header.codec, units) {
        (VideoPacket::Command(_), ..) => Shape::Exempt,
        (VideoPacket::Multitrack { each, .. }, ..) => match each {
            TrackContent::SequenceStart => return Layout::TrackConfigs,
            TrackContent::CodedFrames | TrackContent::CodedFramesX if body.len() > payload => {
                return Layout::Tracks;
            }
            TrackContent::SequenceEnd => match tracks::bytes(TagKind::Video, body) {
                0 => Shape::Exempt,
                behind => Shape::NoRule(NoRule::DataBehindEnd(behind)),
            },
            _ => Shape::Exempt,
        },
        (VideoPacket::SequenceStart, _, Some(codec)) => {
            codec.length_size(body.get(payload..).unwrap_or_default()).map_or(Shape::Exempt, Shape::Sequence)
        }
        (VideoPacket::SequenceEnd, ..) if body.len() > payload => {
            Shape::NoRule(NoRule::DataBehindEnd(body.len() - payload))
        }
        _ if !header.has_picture() => Shape::Exempt,
        (VideoPacket::Frame, _, Some(codec)) => Shape::Units { codec, payload },
        (_, Some(codec), _) => Shape::NoRule(NoRule::Video(codec)),
        (_, None, _) => Shape::NoRule(NoRule::Unnamed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    #[test]
    fn coded_frames_are_found_and_all_else_is_exempt_or_named() {
        use TagKind::{Audio, Script, Video};
        let avc = |payload| Shape::Units { codec: UnitCodec::Avc, payload };
        let hevc = |payload| Shape::Units { codec: UnitCodec::Hevc, payload };
        for (kind, body, want) in [
            (Script, &b"\x02\0\x0aonMetaData"[..], Shape::Exempt),
            (Audio, b"", Shape::Exempt),
            (Audio, b"\xaf\0\x11\x90", Shape::SoundConfig { payload: 2 }),
            (Audio, b"\x90mp4a\x11\x90", Shape::SoundConfig { payload: 5 }),
            (Audio, b"\xaf\x01\x21", Shape::Aac { payload: 2 }),
            (Video, b"\x17\0\0\0\0\x01\x64\0\x28\xfd\xe1", Shape::Sequence(LengthSize::Two)),
            (Video, b"\x17\0\0\0\0\x01", Shape::Exempt),
            (Video, b"\x17\x01\0\0\0\0", avc(5)),
            (Video, b"\x17\x02\0\0\0", Shape::Exempt),
            (Video, b"\x17\x02\0\0\0\0\0\0\x01\x65", Shape::NoRule(NoRule::DataBehindEnd(5))),
            (Video, b"\xa2hvc1\0", Shape::NoRule(NoRule::DataBehindEnd(1))),
            (Video, b"\x57\0", Shape::Exempt),
            (Video, b"\x2c\x01\0\0\0", hevc(5)),
            (Video, b"\x91hvc1\0\0\0", hevc(8)),
            (Video, b"\xa3hvc1", hevc(5)),
            (Video, b"\x91avc1\0\0\0", avc(8)),
            (Video, b"\x92hvc1", Shape::Exempt),
            (Video, b"\x94hvc1\x02", Shape::Exempt),
            (Video, b"\x95av01", Shape::Exempt),
            (Video, b"\xd1\0", Shape::Exempt),
            // A modifier of 3 bytes, then CodedFramesX.
            (Video, b"\x97\x02\0\0\0\x03hvc1", hevc(10)),
            // Two modifiers, then CodedFrames with a composition time below zero.
            (Video, b"\xa7\0\x09\x17\x01\0\0\x01avc1\xff\xff\xd8", avc(15)),
            // One whose size takes the long form: 256 is 0xff, then 16 bits.
            (Video, &[&b"\x97\xff\0\xff"[..], &[7; 256], b"\x01hvc1\0\0\x50"].concat(), hevc(268)),
            // Behind a modifier: configuration, end, metadata, MPEG-TS descriptor, command.
            (Video, b"\x97\0\0\x00hvc1\x01", Shape::Exempt),
            (Video, b"\x97\0\0\x02hvc1", Shape::Exempt),
            (Video, b"\x97\0\0\x04hvc1\x02", Shape::Exempt),
            (Video, b"\x97\0\0\x05hvc1\x01", Shape::Exempt),
            (Video, b"\xd7\0\0\x01\0", Shape::Exempt),
            // Several tracks, and none of it a picture.
            (Video, b"\x96\x12avc1\0\0\0\0", Shape::Exempt),
            (Video, b"\x96\x14avc1\0\0\0\x01\x02", Shape::Exempt),
            (Video, b"\x96\x15av01\0\0\0\x01\x02", Shape::Exempt),
            (Video, b"\x96\x11avc1", Shape::Exempt),
            (Video, b"\x96\x21", Shape::Exempt),
            (Audio, b"\x95\x01mp4a", Shape::Exempt),
            (Audio, b"\x95\x14mp4a\0\0\0\x01\x02", Shape::Exempt),
            // Enhanced AAC, behind a modifier too.
            (Audio, b"\x91mp4a\x21", Shape::Aac { payload: 5 }),
            (Audio, b"\x97\x02\0\0\x09\x01mp4a\x21", Shape::Aac { payload: 10 }),
        ] {
            assert_eq!(of(kind, body), Layout::Single(want), "{kind} {body:02x?}");
        }
        for (kind, body, want) in [
            (Video, &b"\x96\x00hvc1\0\x01"[..], Layout::TrackConfigs),
            (Audio, b"\x95\x00Opus\0\x11", Layout::TrackConfigs),
            (Video, b"\x96\x01hvc1\0", Layout::Tracks),
            (Video, b"\x96\x13avc1\0\0\0\0", Layout::Tracks),
            (Video, b"\x96\x21avc1\0\0\0\0", Layout::Tracks),
            (Video, b"\x97\0\0\x06\x21avc1\0\0\0\0", Layout::Tracks),
            (Audio, b"\x95\x01Opus\0", Layout::Tracks),
        ] {
            assert_eq!(of(kind, body), want, "{kind} {body:02x?}");
        }
        for (kind, body, want) in [
            (Audio, &b"\x2f\xff\xfb"[..], "there is no rule for MP3 audio"),
            (Audio, b"\x91Opus\xfc", "there is no rule for Opus audio with an enhanced header"),
            (Audio, b"\xaf", "AAC packet type at byte 1: "),
            (Audio, b"\xaf\x07", "AAC packet type at byte 1: 7 is not legal"),
            (Video, b"\x12\0", "there is no rule for legacy video codec 2 video"),
            (Video, b"\x91av01\x0a", "there is no rule for AV1 video"),
            (Video, b"\x96\x12avc1\0\0\0\x02\0\0", "there is no rule for 2 bytes in an end of sequence"),
            (Video, b"\x96\x02avc1\0\x65", "there is no rule for 1 bytes in an end of sequence"),
            (Video, b"\x96\x12avc1\0\0\0\x09\0", "there is no rule for 1 bytes in an end of sequence"),
            (Video, b"\x97\0", "ModEx data at byte 2: "),
            (Video, b"\x97\x02\0\0\0", "ModEx type at byte 5: "),
            (Video, b"\x17\x01\0", "composition time at byte 2: "),
            (Video, b"\x17\x03\0\0\0", "AVC packet type at byte 1: 3 is not legal"),
        ] {
            match of(kind, body) {
                Layout::Single(Shape::NoRule(what)) => assert!(what.to_string().starts_with(want), "{what}"),
                other => panic!("{body:02x?} is {other:?}"),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn the_usual_is_what_the_header_says(
            kind in prop::sample::select(vec![TagKind::Audio, TagKind::Video, TagKind::Script]),
            first in any::<u8>(), second in 0u8..4, rest in prop::collection::vec(any::<u8>(), 0..8), cut in 0usize..10,
        ) {
            let body = [&[first, second], &rest[..]].concat();
            let body = &body[..cut.min(body.len())];
            let usual = usual(kind, body);
            prop_assert!(usual.is_none() || usual.map(Layout::Single) == Some(parsed(kind, body)), "{kind} {body:02x?}");
        }
    }
}
