//! What can go wrong, with its place and what would have been legal.

use std::borrow::Cow;

use media::{Size, Time};

use crate::PixelFormat;

/// What was being done when FFmpeg said no.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Step {
    FindDevice,
    Open,
    SendPacket,
    ReceiveFrame,
    SendFrame,
    ReceivePacket,
    Flush,
    Upload,
    Scale,
    Resample,
    Filter,
    Allocate,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::FindDevice => "find a device",
            Self::Open => "open",
            Self::SendPacket => "take a packet",
            Self::ReceiveFrame => "give a frame",
            Self::SendFrame => "take a frame",
            Self::ReceivePacket => "give a packet",
            Self::Flush => "flush",
            Self::Upload => "bring a picture to its device",
            Self::Scale => "scale",
            Self::Resample => "resample",
            Self::Filter => "filter",
            Self::Allocate => "allocate",
        })
    }
}

fn at(pts: &Option<Time>) -> String {
    pts.map(|t| format!(" at pts {t}")).unwrap_or_default()
}

fn before(lacking: &[String]) -> String {
    lacking.iter().map(|one| format!("{one}; ")).collect()
}

fn behind(said: &[String]) -> String {
    if said.is_empty() { String::new() } else { format!(": {}", said.join("; ")) }
}

/// Why a codec, scaler or resampler did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// FFmpeg refused.
    #[error("{codec} could not {step}{}: {text} ({code})", at(pts))]
    Ffmpeg {
        /// Which codec or tool, by FFmpeg's name.
        codec: &'static str,
        /// What it was to do.
        step: Step,
        /// The packet or frame in question, if there was one.
        pts: Option<Time>,
        /// FFmpeg's (negative) error code.
        code: i32,
        /// FFmpeg's text for it.
        text: String,
    },
    /// A device does not encode.
    #[error("{}{why}{}", before(lacking), behind(said))]
    Device {
        /// What it needs and this machine does not have, as far as that can be seen.
        lacking: Vec<String>,
        /// FFmpeg's error.
        why: Box<CodecError>,
        /// What FFmpeg says of it in its log: a few lines.
        said: Vec<String>,
    },
    /// This build of FFmpeg has no such codec.
    #[error("this FFmpeg has no {codec}: install one built with it")]
    Unavailable {
        /// FFmpeg's name of the codec or filter.
        codec: &'static str,
    },
    /// A library that is loaded when it is first needed is not to be had.
    #[error("{codec} needs {library}, which does not load: {why}")]
    Library {
        /// What is part of it, by FFmpeg's name.
        codec: &'static str,
        /// The library's file.
        library: String,
        /// The system's word.
        why: String,
    },
    /// A setting outside what the codec takes.
    #[error("{codec}: {name} is {got}, legal is {legal}")]
    Setting {
        /// Which codec or tool.
        codec: &'static str,
        /// The setting.
        name: &'static str,
        /// What was asked for.
        got: String,
        /// What may be asked for.
        legal: Cow<'static, str>,
    },
    /// A picture that does not have the size that was agreed.
    #[error("a picture of {got}, where {want} is needed")]
    PictureSize {
        /// The size that came.
        got: Size,
        /// The size that was agreed.
        want: Size,
    },
    /// A picture whose pixels cannot be worked on here.
    #[error("a picture in {got:?}, where {want:?} is needed: scale it first")]
    PictureFormat {
        /// The format that came.
        got: PixelFormat,
        /// The format that is needed.
        want: PixelFormat,
    },
    /// A frame whose PTS is not after the one before.
    #[error("{codec}: pts {got} does not lie after {last}, the one before")]
    PtsOrder {
        /// Which encoder.
        codec: &'static str,
        /// The PTS that came.
        got: Time,
        /// The PTS before it.
        last: Time,
    },
    /// Sound in another form than was set.
    #[error("{codec}: sound of {got}, where {want} was set")]
    SoundForm {
        /// Which codec.
        codec: &'static str,
        /// The form that came, e.g. `44100 Hz, 2 channels`.
        got: String,
        /// The form that was set.
        want: String,
    },
    /// Data that is not what its codec says it is.
    #[error("{codec}: damaged data{}: {why}", at(pts))]
    Damaged {
        /// Which codec.
        codec: &'static str,
        /// The packet in question.
        pts: Option<Time>,
        /// What is wrong with it.
        why: Cow<'static, str>,
    },
    /// Handed something in after `flush`.
    #[error("{codec}: already flushed, it takes nothing more")]
    Flushed {
        /// Which encoder.
        codec: &'static str,
    },
    /// An image file that could not be read or written.
    #[error("the image cannot be read or written: {0}")]
    Image(String),
    /// A test's own failure, see [`Fake`](crate::Fake).
    #[error("fake failure at pts {pts}, as asked for")]
    Asked {
        /// The frame it was asked for.
        pts: Time,
    },
}
