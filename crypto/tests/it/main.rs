//! What the crate promises, seen from outside.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bodies;
mod files;
mod keys;
mod markers;
mod purity;
mod refusals;
mod round_trip;
mod secrets;
mod show;
mod silence;
mod tracks;
mod transmux;
