//! The codec header at the front of an audio tag's body, legacy and enhanced.
//!
//! Sources: Adobe FLV specification 10.1, E.4.2; Enhanced RTMP version 2,
//! "Enhanced Audio".

use bytes::{BufMut, Bytes, BytesMut};

use crate::body::{BodyError, Cursor, FourCc};
use crate::modex;
pub use crate::modex::{MultitrackKind, TrackPart, TrackParts};
pub use crate::video::HeaderForm;

/// An audio codec, as a tag names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AudioCodec {
    /// Legacy format 10 or `mp4a`.
    Aac,
    /// Legacy format 2 or 14, or `.mp3`.
    Mp3,
    /// `Opus`.
    Opus,
    /// `fLaC`.
    Flac,
    /// `ac-3`.
    Ac3,
    /// `ec-3`.
    Eac3,
    /// Another legacy format, 0 to 15.
    Legacy(u8),
    /// Another four-character code.
    Other(FourCc),
}

impl AudioCodec {
    /// The codec of a four-character code.
    pub fn from_fourcc(code: FourCc) -> Self {
        match &code.0 {
            b"mp4a" => Self::Aac,
            b".mp3" => Self::Mp3,
            b"Opus" => Self::Opus,
            b"fLaC" => Self::Flac,
            b"ac-3" => Self::Ac3,
            b"ec-3" => Self::Eac3,
            _ => Self::Other(code),
        }
    }

    /// The codec of a legacy sound format.
    pub fn from_legacy(format: u8) -> Self {
        match format {
            10 => Self::Aac,
            2 | 14 => Self::Mp3,
            format => Self::Legacy(format),
        }
    }

    /// The name the house gives it, if it has one.
    pub fn media(self) -> Option<media::AudioCodec> {
        match self {
            Self::Aac => Some(media::AudioCodec::Aac),
            Self::Mp3 => Some(media::AudioCodec::Mp3),
            Self::Opus => Some(media::AudioCodec::Opus),
            Self::Flac => Some(media::AudioCodec::Flac),
            Self::Ac3 => Some(media::AudioCodec::Ac3),
            Self::Eac3 => Some(media::AudioCodec::Eac3),
            Self::Legacy(_) | Self::Other(_) => None,
        }
    }
}

impl std::fmt::Display for AudioCodec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Aac => f.write_str("AAC"),
            Self::Mp3 => f.write_str("MP3"),
            Self::Opus => f.write_str("Opus"),
            Self::Flac => f.write_str("FLAC"),
            Self::Ac3 => f.write_str("AC-3"),
            Self::Eac3 => f.write_str("E-AC-3"),
            Self::Legacy(format) => write!(f, "legacy audio format {format}"),
            Self::Other(code) => write!(f, "{code}"),
        }
    }
}

/// What follows the codec header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AudioPacket {
    /// The decoder's configuration; for AAC an AudioSpecificConfig.
    SequenceStart,
    /// Coded sound; for AAC one raw data block.
    Frame,
    /// No more sound of this sequence.
    SequenceEnd,
    /// The order of the channels.
    MultichannelConfig,
    /// Parts of tracks, see [`AudioHeader::tracks`].
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
    /// The decoder's configuration.
    SequenceStart,
    /// Coded sound.
    CodedFrames,
    /// No more sound.
    SequenceEnd,
    /// The order of the channels.
    MultichannelConfig,
}

/// How many channels the legacy header names. For AAC it always says stereo.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Layout {
    /// One channel.
    Mono,
    /// Two channels.
    Stereo,
}

/// What a legacy header says of the sound; for AAC the AudioSpecificConfig counts instead.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LegacySound {
    /// Samples a second: 5500, 11025, 22050 or 44100.
    pub rate: u32,
    /// Bits a sample: 8 or 16.
    pub bits: u8,
    /// Channels.
    pub layout: Layout,
}

impl TrackContent {
    /// The packet that holds the same of one track.
    fn alone(self) -> AudioPacket {
        match self {
            Self::SequenceStart => AudioPacket::SequenceStart,
            Self::CodedFrames => AudioPacket::Frame,
            Self::SequenceEnd => AudioPacket::SequenceEnd,
            Self::MultichannelConfig => AudioPacket::MultichannelConfig,
        }
    }
}

/// The codec header of an audio tag.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AudioHeader {
    /// Which form the header has.
    pub form: HeaderForm,
    /// The codec; `None` for a multitrack body of many codecs.
    pub codec: Option<AudioCodec>,
    /// What follows.
    pub packet: AudioPacket,
    /// What the legacy form says of the sound.
    pub sound: Option<LegacySound>,
    /// Nanoseconds to add to the timestamp, from a modifier; 0 to 999999 by the letter.
    pub nanos: u32,
    /// Where the codec header ends and the payload begins, in bytes from the
    /// start of the body. What lies before must stay clear for relays.
    pub payload_offset: usize,
}

impl AudioHeader {
    /// Reads the front of a body.
    ///
    /// # Errors
    /// A body that ends within its header, and reserved values.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let mut cursor = Cursor::new(body);
        let first = cursor.u8("audio header")?;
        const ENHANCED: u8 = 9;
        if first >> 4 == ENHANCED { Self::enhanced(first, cursor) } else { Self::legacy(first, cursor) }
    }

    fn legacy(first: u8, mut cursor: Cursor<'_>) -> Result<Self, BodyError> {
        let codec = AudioCodec::from_legacy(first >> 4);
        let packet = if codec == AudioCodec::Aac {
            match cursor.u8("AAC packet type")? {
                0 => AudioPacket::SequenceStart,
                1 => AudioPacket::Frame,
                got => return Err(BodyError::illegal("AAC packet type", 1, got.into(), "0 or 1")),
            }
        } else {
            AudioPacket::Frame
        };
        let rate = match (first >> 4, (first >> 2) & 3) {
            // MP3 at 8 kHz, Nellymoser at 16 and 8 kHz, and the telephone codecs have their own rates.
            (14 | 5 | 7 | 8, _) => 8_000,
            (4 | 11, _) => 16_000,
            (_, 0) => 5_500,
            (_, 1) => 11_025,
            (_, 2) => 22_050,
            _ => 44_100,
        };
        let sound = LegacySound {
            rate,
            bits: if first & 2 == 0 { 8 } else { 16 },
            layout: if first & 1 == 0 { Layout::Mono } else { Layout::Stereo },
        };
        Ok(Self {
            form: HeaderForm::Legacy,
            codec: Some(codec),
            packet,
            sound: Some(sound),
            nanos: 0,
            payload_offset: cursor.offset(),
        })
    }

    fn enhanced(first: u8, mut cursor: Cursor<'_>) -> Result<Self, BodyError> {
        const MULTITRACK: u8 = 5;
        let modifiers = modex::skip_modifiers(&mut cursor, first & 0x0f)?;
        let type_at = cursor.offset() - 1;
        let (codec, packet) = if modifiers.packet_type == MULTITRACK {
            let types_at = cursor.offset();
            let types = cursor.u8("multitrack type")?;
            let kind = MultitrackKind::from_number(types >> 4, types_at)?;
            let each = track_content(types & 0x0f, types_at, "0, 1, 2 or 4")?;
            let codec = match kind {
                MultitrackKind::ManyTracksManyCodecs => None,
                _ => Some(AudioCodec::from_fourcc(cursor.fourcc("audio FourCC")?)),
            };
            (codec, AudioPacket::Multitrack { kind, each })
        } else {
            let content = track_content(modifiers.packet_type, type_at, "0, 1, 2, 4, 5 or 7")?;
            (Some(AudioCodec::from_fourcc(cursor.fourcc("audio FourCC")?)), content.alone())
        };
        Ok(Self {
            form: HeaderForm::Enhanced,
            codec,
            packet,
            sound: None,
            nanos: modifiers.nanos,
            payload_offset: cursor.offset(),
        })
    }

    /// Whether the tag holds the decoder's configuration.
    pub fn is_sequence_start(&self) -> bool {
        matches!(
            self.packet,
            AudioPacket::SequenceStart | AudioPacket::Multitrack { each: TrackContent::SequenceStart, .. }
        )
    }

    /// Whether the tag holds sound.
    pub fn has_sound(&self) -> bool {
        matches!(
            self.packet,
            AudioPacket::Frame | AudioPacket::Multitrack { each: TrackContent::CodedFrames, .. }
        )
    }

    /// The payload, shared with the body this header was parsed from.
    pub fn payload(&self, body: &Bytes) -> Bytes {
        body.slice(self.payload_offset.min(body.len())..)
    }

    /// The parts of a multitrack body, from which this header was parsed; none for any other.
    pub fn tracks<'a>(&self, body: &'a [u8]) -> TrackParts<'a> {
        match self.packet {
            AudioPacket::Multitrack { kind, .. } => {
                let codec = self.payload_offset.checked_sub(4).and_then(|at| body.get(at..)?.first_chunk());
                let shared = codec.filter(|_| kind != MultitrackKind::ManyTracksManyCodecs);
                TrackParts::new(body, self.payload_offset, kind, shared.map(|code| FourCc(*code)))
            }
            _ => TrackParts::new(&[], 0, MultitrackKind::OneTrack, None),
        }
    }

    /// What the body holds of the track that is heard where nobody chooses, number 0: a header as if
    /// there were no other, and its payload. All of a body that is none of several tracks; `None` of
    /// one that holds only others.
    ///
    /// # Errors
    /// A part that is cut off, up to this track's.
    pub fn default_track(&self, body: &Bytes) -> Result<Option<(Self, Bytes)>, BodyError> {
        let AudioPacket::Multitrack { each, .. } = self.packet else {
            return Ok(Some((*self, self.payload(body))));
        };
        let Some(part) = self.tracks(body).default_part()? else { return Ok(None) };
        let codec = Some(AudioCodec::from_fourcc(part.codec));
        let header = Self { codec, packet: each.alone(), payload_offset: part.data.start, ..*self };
        Ok(Some((header, body.slice(part.data))))
    }
}

fn track_content(number: u8, offset: usize, legal: &'static str) -> Result<TrackContent, BodyError> {
    match number {
        0 => Ok(TrackContent::SequenceStart),
        1 => Ok(TrackContent::CodedFrames),
        2 => Ok(TrackContent::SequenceEnd),
        4 => Ok(TrackContent::MultichannelConfig),
        got => Err(BodyError::illegal("audio packet type", offset, got.into(), legal)),
    }
}

/// A body that holds an AudioSpecificConfig: see [`crate::aac`].
pub fn aac_sequence_header(config: &[u8]) -> Bytes {
    [&[0xaf, 0], config].concat().into()
}

/// Appends a legacy body of one MP3 frame, which tells its own rate and layout: those of the
/// legacy header go no further than 44.1 kHz.
pub fn write_mp3_frame(frame: &[u8], out: &mut BytesMut) {
    out.reserve(1 + frame.len());
    out.put_u8(0x2f);
    out.put_slice(frame);
}

/// An enhanced body that holds a codec's configuration: an OpusHead for `Opus`.
pub fn enhanced_sequence_header(codec: FourCc, config: &[u8]) -> Bytes {
    [&[0x90][..], &codec.0, config].concat().into()
}

/// Appends an enhanced body of coded sound.
pub fn write_enhanced_frame(codec: FourCc, frame: &[u8], out: &mut BytesMut) {
    out.reserve(5 + frame.len());
    out.put_u8(0x91);
    out.put_slice(&codec.0);
    out.put_slice(frame);
}

/// Appends a body of one AAC raw data block (without ADTS).
pub fn write_aac_frame(raw: &[u8], out: &mut BytesMut) {
    out.reserve(2 + raw.len());
    out.put_slice(&[0xaf, 1]);
    out.put_slice(raw);
}
