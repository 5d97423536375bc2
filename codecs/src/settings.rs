//! What encoders are asked for.

use media::{FrameRate, SampleRate, Size, Span, VideoCodec};

use crate::{CodecError, Pcm};

/// What a rung's encoder is asked for. [`new`](Self::new) has the usual for all but the first three.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoEncoderSettings {
    /// Picture size; frames sent must have it.
    pub size: Size,
    /// Frames a second.
    pub rate: FrameRate,
    /// Bits a second, as a mean.
    pub bitrate: u32,
    /// Bits a second that flow into the player's buffer (VBV) at the most.
    pub maxrate: u32,
    /// The player's buffer, in bits.
    pub buffer: u32,
    /// Which encoder.
    pub encoder: VideoEncoderName,
    /// Its preset, in x264's words; VA-API and V4L2 have none.
    pub preset: &'static str,
    /// Its tune, where it has one.
    pub tune: Option<&'static str>,
    /// B-frames between two others at the most; where it is not said the preset's, and none of a
    /// device.
    pub bframes: Option<u8>,
    /// How far it looks ahead.
    pub lookahead: Lookahead,
    /// The longest distance between key frames the scheduler will ask for.
    pub keyframe: Span,
    /// How many threads the encoder may have; one is deterministic.
    pub threads: EncoderThreads,
}

impl VideoEncoderSettings {
    /// x264, preset veryfast, a buffer of one second, key frames every 2 s, one thread.
    pub fn new(size: Size, rate: FrameRate, bitrate: u32) -> Self {
        Self {
            size,
            rate,
            bitrate,
            maxrate: bitrate,
            buffer: bitrate,
            encoder: VideoEncoderName::X264,
            preset: "veryfast",
            tune: None,
            bframes: None,
            lookahead: Lookahead::Preset,
            keyframe: Span::from_secs(2),
            threads: EncoderThreads::One,
        }
    }

    /// Whether plans are to be told to the encoder: see [`Lookahead::Shared`].
    pub fn shares_lookahead(&self) -> bool {
        self.lookahead == Lookahead::Shared
            && self.encoder == VideoEncoderName::X264
            && self.preset == "veryfast"
            && self.bframes.is_none()
            && self.tune.is_none()
    }
}

/// The encoders for pictures that FFmpeg may bring along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoEncoderName {
    /// AVC in software.
    X264,
    /// HEVC in software.
    X265,
    /// AVC by an NVIDIA card.
    H264Nvenc,
    /// HEVC by an NVIDIA card.
    HevcNvenc,
    /// AVC by Intel's Quick Sync.
    H264Qsv,
    /// HEVC by Intel's Quick Sync.
    HevcQsv,
    /// AVC by any card with a VA-API driver (Intel, AMD).
    H264Vaapi,
    /// HEVC by such a card.
    HevcVaapi,
    /// AVC by the encoder of a board's chip, over V4L2.
    H264V4l2,
    /// HEVC by such an encoder.
    HevcV4l2,
}

/// What an encoder runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EncoderFamily {
    /// The machine's own cores.
    Software,
    /// An NVIDIA card.
    Nvenc,
    /// Intel's Quick Sync.
    Qsv,
    /// A card with a VA-API driver.
    Vaapi,
    /// A board's chip, over V4L2.
    V4l2,
}

impl VideoEncoderName {
    /// Every one of them.
    pub const ALL: [Self; 10] = [
        Self::X264,
        Self::X265,
        Self::H264Nvenc,
        Self::HevcNvenc,
        Self::H264Qsv,
        Self::HevcQsv,
        Self::H264Vaapi,
        Self::HevcVaapi,
        Self::H264V4l2,
        Self::HevcV4l2,
    ];

    /// FFmpeg's name for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X264 => "libx264",
            Self::X265 => "libx265",
            Self::H264Nvenc => "h264_nvenc",
            Self::HevcNvenc => "hevc_nvenc",
            Self::H264Qsv => "h264_qsv",
            Self::HevcQsv => "hevc_qsv",
            Self::H264Vaapi => "h264_vaapi",
            Self::HevcVaapi => "hevc_vaapi",
            Self::H264V4l2 => "h264_v4l2m2m",
            Self::HevcV4l2 => "hevc_v4l2m2m",
        }
    }

    /// The codec of what it makes.
    pub const fn codec(self) -> VideoCodec {
        match self {
            Self::X264 | Self::H264Nvenc | Self::H264Qsv | Self::H264Vaapi | Self::H264V4l2 => {
                VideoCodec::Avc
            }
            Self::X265 | Self::HevcNvenc | Self::HevcQsv | Self::HevcVaapi | Self::HevcV4l2 => {
                VideoCodec::Hevc
            }
        }
    }

    /// What it runs on.
    pub const fn family(self) -> EncoderFamily {
        match self {
            Self::X264 | Self::X265 => EncoderFamily::Software,
            Self::H264Nvenc | Self::HevcNvenc => EncoderFamily::Nvenc,
            Self::H264Qsv | Self::HevcQsv => EncoderFamily::Qsv,
            Self::H264Vaapi | Self::HevcVaapi => EncoderFamily::Vaapi,
            Self::H264V4l2 | Self::HevcV4l2 => EncoderFamily::V4l2,
        }
    }

    /// What makes the same codec in software, for where a device is missing; `None` if it is that.
    pub const fn stand_in(self) -> Option<Self> {
        match (self.family(), self.codec()) {
            (EncoderFamily::Software, _) => None,
            (_, VideoCodec::Hevc) => Some(Self::X265),
            _ => Some(Self::X264),
        }
    }
}

/// How many pictures an encoder may look at before it gives the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookahead {
    /// None: each picture comes out as soon as it is encoded, and there are no B-frames.
    None,
    /// As the preset has it.
    Preset,
    /// This many.
    Pictures(u8),
    /// As far as x264's preset has it, but most of it is done [once](crate::lookahead) for all rungs of
    /// a ladder and told to each: for [`X264`](VideoEncoderName::X264) at the preset veryfast, with as
    /// many B-frames as that has and no tune. To any other encoder it is the same as [`Preset`](Self::Preset).
    Shared,
}

/// Threads of one encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncoderThreads {
    /// One: the same frames give the same bytes.
    One,
    /// This many frame threads, of which each but the first holds a picture back. How many bits a
    /// picture gets depends on how they take turns, and with one on what lies in memory: x264 takes
    /// all vector code that it has, where for [`One`](Self::One) it leaves out what reads astray.
    Many(std::num::NonZeroU8),
}

/// What the channel's AAC encoder is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AudioEncoderSettings {
    /// Samples a second.
    pub rate: SampleRate,
    /// 1 or 2.
    pub channels: u8,
    /// Bits a second.
    pub bitrate: u32,
}

impl AudioEncoderSettings {
    /// Whether sound has the rate and layout that was set.
    pub(crate) fn check(&self, codec: &'static str, pcm: &Pcm) -> Result<(), CodecError> {
        let Self { rate, channels, .. } = *self;
        if pcm.rate == rate && pcm.channels == channels {
            return Ok(());
        }
        Err(CodecError::SoundForm {
            codec,
            got: format!("{}, {} channels", pcm.rate, pcm.channels),
            want: format!("{rate}, {channels} channels"),
        })
    }
}
