//! Ladders: what each rung is encoded with, and how fast it has to come out.

use media::{FrameRate, Size, Span};
use serde::{Deserialize, Serialize};

use super::Name;

/// The rungs a channel is encoded into.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ladder {
    /// Its name.
    pub name: Name,
    /// How long a picture may stay in the encoders.
    pub latency: Latency,
    /// What encodes the rungs that say nothing else.
    pub encoder: Encoder,
    /// The speed of the rungs that say nothing else.
    pub preset: Preset,
    /// Every rung has a key frame this often (and at each cut).
    pub keyframe: Span,
    /// AAC bits a second.
    pub audio_bitrate: u32,
    /// The rungs, the largest first.
    pub rungs: Vec<Rung>,
}

/// How long pictures may stay in a ladder's encoders, for quality's sake.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Latency {
    /// Not at all: no B-frames, and no looking ahead.
    Low,
    /// As the preset has it.
    #[default]
    Normal,
    /// Up to 60 pictures are looked at before the first is encoded.
    Quality,
}

/// What encodes a rung, and so its codec.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoder {
    /// AVC by libx264.
    #[default]
    X264,
    /// HEVC by libx265.
    X265,
    /// AVC by an NVIDIA card.
    H264Nvenc,
    /// HEVC by an NVIDIA card.
    HevcNvenc,
    /// AVC by Intel's Quick Sync.
    H264Qsv,
    /// HEVC by Intel's Quick Sync.
    HevcQsv,
    /// AVC by a card with a VA-API driver (Intel, AMD).
    H264Vaapi,
    /// HEVC by such a card.
    HevcVaapi,
    /// AVC by a board's chip, over V4L2.
    H264V4l2,
    /// HEVC by such a chip.
    HevcV4l2,
}

/// x264's and x265's speeds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Preset {
    Ultrafast,
    Superfast,
    Veryfast,
    Faster,
    Fast,
    Medium,
    Slow,
    Slower,
    Veryslow,
}

/// What x264 and x265 are to spend their bits on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tune {
    /// Film: detail stays (x264 alone).
    Film,
    /// Drawn pictures: flat areas and sharp edges.
    Animation,
    /// Film grain stays grain.
    Grain,
    /// Pictures that hardly move: slides (x264 alone).
    Stillimage,
    /// Cheap to decode, larger.
    Fastdecode,
}

/// One quality of a channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rung {
    /// Its name, e.g. `720p`.
    pub name: Name,
    /// Pixels; even both ways, within the canvas. Of a copied rung the canvas'.
    pub size: Size,
    /// Video bits a second, as a mean. Of a copied rung those of what is encoded where there is
    /// nothing to copy.
    pub bitrate: u32,
    /// Where its pictures come from.
    #[serde(skip_serializing_if = "RungPictures::is_encoded", default)]
    pub pictures: RungPictures,
    /// What differs from the rest of its ladder.
    #[serde(flatten)]
    pub own: RungOwn,
}

/// Where a rung's coded pictures come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RungPictures {
    /// They are encoded here.
    #[default]
    Encoded,
    /// They are the camera's own, as long as that is what the channel shows.
    Copied,
}

impl RungPictures {
    fn is_encoded(&self) -> bool {
        *self == Self::Encoded
    }
}

/// What a rung says for itself; what is `None` is as its ladder, or its encoder, has it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RungOwn {
    /// Bits a second that flow into the player's buffer at the most; the bitrate if not said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub maxrate: Option<u32>,
    /// The player's buffer (VBV) in bits; a second of `maxrate` if not said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub buffer: Option<u32>,
    /// Its speed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub preset: Option<Preset>,
    /// What it spends its bits on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tune: Option<Tune>,
    /// B-frames between two others at the most; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bframes: Option<u8>,
    /// What encodes it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub encoder: Option<Encoder>,
}

impl Ladder {
    /// What encodes this rung.
    pub fn encoder_of(&self, rung: &Rung) -> Encoder {
        rung.own.encoder.unwrap_or(self.encoder)
    }

    /// The rung whose pictures are the camera's own, if there is one.
    pub fn copied(&self) -> Option<&Rung> {
        self.rungs.iter().find(|rung| rung.is_copied())
    }

    /// The speed of this rung.
    pub fn preset_of(&self, rung: &Rung) -> Preset {
        rung.own.preset.unwrap_or(self.preset)
    }
}

impl Rung {
    /// Whether its pictures are the camera's own.
    pub fn is_copied(&self) -> bool {
        self.pictures == RungPictures::Copied
    }

    /// What a copied rung on this canvas stands in with, where that is not said: a fourteenth of a
    /// bit for each pixel, in steps of 100k.
    pub fn copied_bitrate(canvas: Size, rate: FrameRate) -> u32 {
        let pixels = canvas.area() as f64 * rate.as_f64();
        ((pixels / 14.0 / 100_000.0).round() as u32).clamp(1, 2_000) * 100_000
    }

    /// Bits a second that flow into the player's buffer at the most.
    pub fn maxrate(&self) -> u32 {
        self.own.maxrate.unwrap_or(self.bitrate)
    }

    /// The player's buffer in bits.
    pub fn buffer(&self) -> u32 {
        self.own.buffer.unwrap_or(self.maxrate())
    }
}
