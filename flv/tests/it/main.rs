//! The crate from outside: round trips, damage, known bytes, and garbage.
#![allow(clippy::unwrap_used)]

mod amf;
mod any;
mod configs;
mod garbage;
mod headers;
mod known_file;
mod reading;
mod recovery;
mod scripts;
mod slow_reader;
mod summaries;
