//! The binary from outside: what it takes, says, writes and exits with.
#![allow(clippy::unwrap_used)]

mod crypt;
mod ctl;
mod obvan;
mod probe;
mod show;
mod stream;
mod usage;
