//! The only room with `unsafe`: FFmpeg behind safe types.
#![allow(unsafe_code, reason = "FFmpeg is a C library; each block says why it holds")]

mod bwdif;
mod call;
mod decode;
mod encode_audio;
mod encode_video;
mod follow;
mod frame;
mod pool;
mod resample;
mod sound;
mod swr;
mod sws;

pub(crate) use bwdif::Bwdif;
pub use bwdif::Cadence;
