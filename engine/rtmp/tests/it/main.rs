//! The RTMP sessions seen from outside: by each other, by peers held by the
//! hand, by noise, and by real programs.
#![allow(clippy::unwrap_used)]

mod any_split;
mod bounds;
mod captures;
mod chunks;
mod client;
mod client_answers;
mod client_publishes;
mod enhanced;
mod extended_timestamps;
mod ffmpeg_serves;
mod garbage;
mod hand;
mod memory;
mod nginx;
mod operations;
mod pair;
mod play;
mod pressure;
mod publish;
mod real_encoders;
mod real_players;
mod round_trip;
mod runtime_oracle;
mod sign_in;
mod timeouts;
mod wire;
