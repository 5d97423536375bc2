//! The C face, called from Rust and from C.
#![allow(clippy::unwrap_used, unsafe_code)]

mod calls;
mod example;
mod header;
mod player;
