//! The rules of what is on air, in virtual time.
#![allow(clippy::unwrap_used)]

mod aligned;
mod backoffs;
mod carries;
mod damage;
mod histories;
mod holes;
mod line_histories;
mod lines;
mod marks;
mod million;
mod orders;
mod plans;
mod reloads;
mod restarts;
mod rig;
mod rundowns;
mod saved;
mod scenes;
mod sheds;
mod sound_alone;
mod suspects;
mod switchers;
mod takes;
mod two_lines;
