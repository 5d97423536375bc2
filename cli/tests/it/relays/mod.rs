//! Encrypted film goes through the relays people have, and comes out bit for bit.
//!
//! What is compared is the clear film itself, as its [`frames`]: what a relay
//! changes by its trade (tags, length prefixes, access unit delimiters, parameter
//! sets in band, where time begins) is left out, all else must be the same.

mod film;
mod frames;
mod ladders;
mod muxers;
mod nginx;
mod push;
mod rtmp;
mod secure;
mod show;
mod silence;
mod tool;
mod ways;
