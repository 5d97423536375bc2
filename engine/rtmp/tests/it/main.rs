//! The RTMP server session seen from outside: by a small client, by bytes made
//! by hand, by noise, and by real encoders.
#![allow(clippy::unwrap_used)]

mod bounds;
mod captures;
mod chunks;
mod client;
mod extended_timestamps;
mod garbage;
mod pressure;
mod publish;
mod real_encoders;
mod round_trip;
mod timeouts;
