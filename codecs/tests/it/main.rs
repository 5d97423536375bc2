//! Codecs, scalers and the ladder, from the outside.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod aac;
mod damage;
mod decode;
mod encoders;
mod fake;
mod fields;
mod follow;
mod foreign;
mod forensic;
mod ladder;
mod lookahead;
mod opening;
mod pattern;
mod pcm_fields;
mod picture;
mod resample;
mod scale;
mod still;
mod tagged;
mod turns;
mod watermark;
mod x264;
