//! The codec header at the front of a video tag's body, legacy and enhanced.
//!
//! Sources: Adobe FLV specification 10.1, E.4.3; Enhanced RTMP version 2,
//! "Enhanced Video".

mod write;

use bytes::Bytes;

use crate::body::{BodyError, Cursor, FourCc};
use crate::modex;
pub use crate::modex::{MultitrackKind, TrackPart, TrackParts};

pub use self::write::{
    avc_end_of_sequence, avc_sequence_header, hevc_end_of_sequence, hevc_sequence_header, write_avc_frame,
    write_hevc_frame,
};

/// What kind of frame a tag holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum FrameType {
    /// Decoding may start here.
    Key = 1,
    /// Needs earlier frames.
    Inter = 2,
    /// Needs earlier frames, and none needs it (H.263 only by the letter; used for any).
    Disposable = 3,
    /// Made by a server.
    GeneratedKey = 4,
    /// No picture: a command or information.
    Command = 5,
}

impl From<media::Key> for FrameType {
    fn from(key: media::Key) -> Self {
        match key {
            media::Key::Frame => Self::Key,
            media::Key::Delta => Self::Inter,
        }
    }
}

impl FrameType {
    fn from_number(number: u8) -> Result<Self, BodyError> {
        match number {
            1 => Ok(Self::Key),
            2 => Ok(Self::Inter),
            3 => Ok(Self::Disposable),
            4 => Ok(Self::GeneratedKey),
            5 => Ok(Self::Command),
            got => Err(BodyError::illegal("frame type", 0, got.into(), "1 to 5")),
        }
    }
}

/// A video codec, as a tag names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum VideoCodec {
    /// H.264: legacy id 7 or `avc1`.
    Avc,
    /// H.265: id 12 (an extension in wide use) or `hvc1`.
    Hevc,
    /// `av01`.
    Av1,
    /// `vp08`.
    Vp8,
    /// `vp09`.
    Vp9,
    /// Another legacy id, 0 to 15.
    Legacy(u8),
    /// Another four-character code.
    Other(FourCc),
}

impl VideoCodec {
    /// The codec of a four-character code.
    pub fn from_fourcc(code: FourCc) -> Self {
        match &code.0 {
            b"avc1" => Self::Avc,
            b"hvc1" => Self::Hevc,
            b"av01" => Self::Av1,
            b"vp08" => Self::Vp8,
            b"vp09" => Self::Vp9,
            _ => Self::Other(code),
        }
    }

    /// The codec of a legacy id.
    pub fn from_legacy(id: u8) -> Self {
        match id {
            7 => Self::Avc,
            12 => Self::Hevc,
            id => Self::Legacy(id),
        }
    }

    /// The name the house gives it, if it has one.
    pub fn media(self) -> Option<media::VideoCodec> {
        match self {
            Self::Avc => Some(media::VideoCodec::Avc),
            Self::Hevc => Some(media::VideoCodec::Hevc),
            Self::Av1 => Some(media::VideoCodec::Av1),
            Self::Vp8 => Some(media::VideoCodec::Vp8),
            Self::Vp9 => Some(media::VideoCodec::Vp9),
            Self::Legacy(_) | Self::Other(_) => None,
        }
    }
}

impl std::fmt::Display for VideoCodec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Avc => f.write_str("AVC"),
            Self::Hevc => f.write_str("HEVC"),
            Self::Av1 => f.write_str("AV1"),
            Self::Vp8 => f.write_str("VP8"),
            Self::Vp9 => f.write_str("VP9"),
            Self::Legacy(id) => write!(f, "legacy video codec {id}"),
            Self::Other(code) => write!(f, "{code}"),
        }
    }
}

/// Which of the two header forms a tag has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HeaderForm {
    /// Frame type and codec id in one byte.
    Legacy,
    /// Enhanced RTMP: packet type and four-character code.
    Enhanced,
}

/// What follows the codec header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum VideoPacket {
    /// The decoder's configuration: `avcC`, `hvcC`, `av1C`, `vpcC`.
    SequenceStart,
    /// A frame; for AVC and HEVC, length-prefixed NAL units.
    Frame,
    /// No more frames of this sequence.
    SequenceEnd,
    /// AMF0 about the pictures, such as HDR colour.
    Metadata,
    /// The configuration as an MPEG-2 TS descriptor.
    Mpeg2TsSequenceStart,
    /// A frame of a legacy codec that has no packet types.
    Opaque,
    /// A client-side command: 0 starts a seek, 1 ends it.
    Command(u8),
    /// Parts of tracks, see [`VideoHeader::tracks`].
    Multitrack {
        /// How the parts are laid out.
        kind: MultitrackKind,
        /// What each part holds.
        each: TrackContent,
    },
}

/// What each part of a multitrack body holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TrackContent {
    /// As [`VideoPacket::SequenceStart`].
    SequenceStart,
    /// A frame, for AVC and HEVC behind 3 bytes of composition time.
    CodedFrames,
    /// No more frames.
    SequenceEnd,
    /// A frame whose composition time is 0 and left out.
    CodedFramesX,
    /// As [`VideoPacket::Metadata`].
    Metadata,
    /// As [`VideoPacket::Mpeg2TsSequenceStart`].
    Mpeg2TsSequenceStart,
}

impl TrackContent {
    /// The packet that holds the same of one track.
    fn alone(self) -> VideoPacket {
        match self {
            Self::SequenceStart => VideoPacket::SequenceStart,
            Self::CodedFrames | Self::CodedFramesX => VideoPacket::Frame,
            Self::SequenceEnd => VideoPacket::SequenceEnd,
            Self::Metadata => VideoPacket::Metadata,
            Self::Mpeg2TsSequenceStart => VideoPacket::Mpeg2TsSequenceStart,
        }
    }
}

/// The codec header of a video tag.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VideoHeader {
    /// What kind of frame.
    pub frame_type: FrameType,
    /// Which form the header has.
    pub form: HeaderForm,
    /// The codec; `None` for an enhanced command and for a multitrack body of many codecs.
    pub codec: Option<VideoCodec>,
    /// What follows.
    pub packet: VideoPacket,
    /// PTS minus DTS in milliseconds, -2^23 to 2^23 - 1; 0 where there is none.
    pub composition_ms: i32,
    /// Nanoseconds to add to the timestamp, from a modifier; 0 to 999999 by the letter.
    pub nanos: u32,
    /// Where the codec header ends and the payload begins, in bytes from the
    /// start of the body. What lies before must stay clear for relays.
    pub payload_offset: usize,
}

impl VideoHeader {
    /// Reads the front of a body.
    ///
    /// # Errors
    /// A body that ends within its header, and reserved values.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let mut cursor = Cursor::new(body);
        let first = cursor.u8("video header")?;
        if first & 0x80 == 0 { Self::legacy(first, cursor) } else { Self::enhanced(first, cursor) }
    }

    fn legacy(first: u8, mut cursor: Cursor<'_>) -> Result<Self, BodyError> {
        let frame_type = FrameType::from_number(first >> 4)?;
        let codec = VideoCodec::from_legacy(first & 0x0f);
        let mut composition_ms = 0;
        let packet = if frame_type == FrameType::Command {
            VideoPacket::Command(cursor.u8("video command")?)
        } else if matches!(codec, VideoCodec::Avc | VideoCodec::Hevc) {
            let packet = match cursor.u8("AVC packet type")? {
                0 => VideoPacket::SequenceStart,
                1 => VideoPacket::Frame,
                2 => VideoPacket::SequenceEnd,
                got => return Err(BodyError::illegal("AVC packet type", 1, got.into(), "0, 1 or 2")),
            };
            composition_ms = cursor.i24("composition time")?;
            packet
        } else {
            VideoPacket::Opaque
        };
        Ok(Self {
            frame_type,
            form: HeaderForm::Legacy,
            codec: Some(codec),
            packet,
            composition_ms,
            nanos: 0,
            payload_offset: cursor.offset(),
        })
    }

    fn enhanced(first: u8, mut cursor: Cursor<'_>) -> Result<Self, BodyError> {
        let frame_type = FrameType::from_number((first >> 4) & 7)?;
        let modifiers = modex::skip_modifiers(&mut cursor, first & 0x0f)?;
        let mut header = Self {
            frame_type,
            form: HeaderForm::Enhanced,
            codec: None,
            packet: VideoPacket::Metadata,
            composition_ms: 0,
            nanos: modifiers.nanos,
            payload_offset: 0,
        };
        let type_at = cursor.offset() - 1;
        const METADATA: u8 = 4;
        const MULTITRACK: u8 = 6;
        if frame_type == FrameType::Command && modifiers.packet_type != METADATA {
            header.packet = VideoPacket::Command(cursor.u8("video command")?);
        } else if modifiers.packet_type == MULTITRACK {
            let types_at = cursor.offset();
            let types = cursor.u8("multitrack type")?;
            let kind = MultitrackKind::from_number(types >> 4, types_at)?;
            let each = track_content(types & 0x0f, types_at, "0 to 5")?;
            if kind != MultitrackKind::ManyTracksManyCodecs {
                header.codec = Some(VideoCodec::from_fourcc(cursor.fourcc("video FourCC")?));
            }
            header.packet = VideoPacket::Multitrack { kind, each };
        } else {
            let content = track_content(modifiers.packet_type, type_at, "0 to 7")?;
            let codec = VideoCodec::from_fourcc(cursor.fourcc("video FourCC")?);
            header.codec = Some(codec);
            header.packet = content.alone();
            if content == TrackContent::CodedFrames && has_composition_time(codec) {
                header.composition_ms = cursor.i24("composition time")?;
            }
        }
        header.payload_offset = cursor.offset();
        Ok(header)
    }

    /// Whether decoding may start with this tag's picture: a key frame, not its configuration.
    pub fn is_key_frame(&self) -> bool {
        self.frame_type == FrameType::Key && self.has_picture()
    }

    /// Whether the tag holds a picture at all.
    pub fn has_picture(&self) -> bool {
        match self.packet {
            VideoPacket::Frame | VideoPacket::Opaque => true,
            VideoPacket::Multitrack { each, .. } => {
                matches!(each, TrackContent::CodedFrames | TrackContent::CodedFramesX)
            }
            _ => false,
        }
    }

    /// Whether the tag holds the decoder's configuration.
    pub fn is_sequence_start(&self) -> bool {
        matches!(
            self.packet,
            VideoPacket::SequenceStart
                | VideoPacket::Mpeg2TsSequenceStart
                | VideoPacket::Multitrack {
                    each: TrackContent::SequenceStart | TrackContent::Mpeg2TsSequenceStart,
                    ..
                }
        )
    }

    /// The payload, shared with the body this header was parsed from.
    pub fn payload(&self, body: &Bytes) -> Bytes {
        body.slice(self.payload_offset.min(body.len())..)
    }

    /// The parts of a multitrack body, from which this header was parsed; none for any other.
    pub fn tracks<'a>(&self, body: &'a [u8]) -> TrackParts<'a> {
        match self.packet {
            VideoPacket::Multitrack { kind, .. } => {
                let codec = self.payload_offset.checked_sub(4).and_then(|at| body.get(at..)?.first_chunk());
                let shared = codec.filter(|_| kind != MultitrackKind::ManyTracksManyCodecs);
                TrackParts::new(body, self.payload_offset, kind, shared.map(|code| FourCc(*code)))
            }
            _ => TrackParts::new(&[], 0, MultitrackKind::OneTrack, None),
        }
    }

    /// What the body holds of the track that is shown where nobody chooses, number 0: a header as if
    /// there were no other, and its payload. All of a body that is none of several tracks; `None` of
    /// one that holds only others.
    ///
    /// # Errors
    /// A part that is cut off, up to this track's.
    pub fn default_track(&self, body: &Bytes) -> Result<Option<(Self, Bytes)>, BodyError> {
        let VideoPacket::Multitrack { each, .. } = self.packet else {
            return Ok(Some((*self, self.payload(body))));
        };
        let Some(part) = self.tracks(body).default_part()? else { return Ok(None) };
        let codec = VideoCodec::from_fourcc(part.codec);
        let part_of = body.slice(..part.data.end);
        let mut cursor = Cursor::at(&part_of, part.data.start);
        let composition_ms = match each {
            TrackContent::CodedFrames if has_composition_time(codec) => cursor.i24("composition time")?,
            _ => 0,
        };
        let payload_offset = cursor.offset();
        let header =
            Self { codec: Some(codec), packet: each.alone(), composition_ms, payload_offset, ..*self };
        Ok(Some((header, header.payload(&part_of))))
    }
}

/// Whether CodedFrames of this codec begin with a composition time.
pub fn has_composition_time(codec: VideoCodec) -> bool {
    match codec {
        VideoCodec::Avc | VideoCodec::Hevc => true,
        VideoCodec::Other(code) => code.0 == *b"vvc1",
        _ => false,
    }
}

fn track_content(number: u8, offset: usize, legal: &'static str) -> Result<TrackContent, BodyError> {
    match number {
        0 => Ok(TrackContent::SequenceStart),
        1 => Ok(TrackContent::CodedFrames),
        2 => Ok(TrackContent::SequenceEnd),
        3 => Ok(TrackContent::CodedFramesX),
        4 => Ok(TrackContent::Metadata),
        5 => Ok(TrackContent::Mpeg2TsSequenceStart),
        got => Err(BodyError::illegal("video packet type", offset, got.into(), legal)),
    }
}
