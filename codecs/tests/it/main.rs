//! Codecs, scalers and the ladder, from the outside.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod aac;
mod damage;
mod decode;
mod fake;
mod fields;
