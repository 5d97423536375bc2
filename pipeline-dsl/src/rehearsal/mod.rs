//! The fault script of a rehearsal: what breaks when, and what the crew does about it.
//!
//! A rehearsal runs a show in virtual time while its lines, its ways out, its
//! disk and the engine itself fail as the script says.
//!
//! # The language
//! One fault a line, `SUBJECT WHAT[=VALUE]@TIME [for DURATION]`, or one command,
//! `at TIME COMMAND… [channel=NAME]`; `;` ends a line, too, and `//` starts a
//! comment. Times and values are written as in the show file. Without `for` a
//! fault stays until the end.

mod model;
mod order;
mod write;

pub use model::*;
pub use order::*;

/// The word for no line in particular.
const AUTO: &str = "auto";
