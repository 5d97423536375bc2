//! Compressed packets and what a decoder must know of their stream.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::rate::SampleRate;
use crate::size::Size;
use crate::time::{Span, Time};

/// Which of a line's two tracks something belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Track {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// Whether a picture can be decoded without one before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    /// An IDR or its like: decoding may start here.
    Frame,
    /// Needs earlier pictures.
    Delta,
}

/// One compressed picture or block of sound.
///
/// AVC and HEVC data is length-prefixed (4 bytes, as in MP4 and FLV), AAC is a
/// raw data block without ADTS; every other codec as FFmpeg's decoder takes it.
#[derive(Clone)]
pub struct Packet {
    /// Video or audio.
    pub track: Track,
    /// When it is shown, on its stream's timeline.
    pub pts: Time,
    /// When it must be decoded; at most `pts`.
    pub dts: Time,
    /// How long it lasts, where the container tells.
    pub duration: Option<Span>,
    /// Whether decoding can start here; always [`Key::Frame`] for audio.
    pub key: Key,
    /// The bytes, shared.
    pub data: Bytes,
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} packet pts {} dts {} {:?} {} bytes",
            self.track,
            self.pts,
            self.dts,
            self.key,
            self.data.len()
        )
    }
}

/// The video codecs the house knows by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum VideoCodec {
    Avc,
    Hevc,
    Av1,
    Vp8,
    Vp9,
    Mpeg2,
    Mpeg4,
    Mjpeg,
    Prores,
    Png,
    Theora,
}

/// The audio codecs the house knows by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum AudioCodec {
    Aac,
    Mp2,
    Mp3,
    Opus,
    Vorbis,
    Flac,
    Ac3,
    Eac3,
    /// Interleaved signed 16-bit little-endian samples.
    PcmS16,
}

/// What a video decoder must know before the first packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VideoParams {
    /// The codec.
    pub codec: VideoCodec,
    /// The coded size, where the container tells.
    pub size: Option<Size>,
    /// Codec configuration: `avcC`/`hvcC` contents for AVC and HEVC (whose
    /// packets are then length-prefixed; empty means Annex B), else FFmpeg's extradata.
    pub config: Bytes,
}

/// What an audio decoder must know before the first packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AudioParams {
    /// The codec.
    pub codec: AudioCodec,
    /// Samples a second as the container tells it.
    pub rate: SampleRate,
    /// Channels as the container tells it.
    pub channels: u8,
    /// AudioSpecificConfig for AAC, else FFmpeg's extradata.
    pub config: Bytes,
}
