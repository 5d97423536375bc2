//! The binary from outside: what it takes, says, writes and exits with.
#![allow(clippy::unwrap_used)]

mod crypt;
mod ctl;
mod directing;
mod disk;
mod endings;
mod films_go_on;
mod going_on;
mod inputs;
mod keys;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod libraries;
mod live_show;
mod obvan;
mod offline;
mod papers;
mod pipes;
mod probe;
mod recording;
mod refusals;
mod rehearse;
mod relays;
mod reloading;
mod secrets;
mod show;
mod stream;
mod usage;
