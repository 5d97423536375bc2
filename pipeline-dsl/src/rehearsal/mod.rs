//! The fault script of a rehearsal: what breaks when, and what the crew does about it.
//!
//! A rehearsal runs a show in virtual time while its lines, its ways out, its
//! disk and the engine itself fail as the script says. [`check_faults`] reads a
//! script against the show it is for and never fails, as [`check`](crate::check())
//! does; [`check_faults_among`] is for a show that is reloaded meanwhile, by
//! `at TIME reload FILE`; [`fault_reference`] gives every word on one page.
//!
//! ```
//! use pipeline_dsl::rehearsal::{FaultKind, LineFault, check_faults};
//!
//! let show = pipeline_dsl::parse_show(pipeline_dsl::EXAMPLE).map_err(|_| "not valid")?;
//! let checked = check_faults("main/fiber lost@10s for 5s; at 12s cut karry", &show);
//! let script = checked.script.ok_or("a fault is not valid")?;
//! assert!(matches!(&script.faults[0].what, FaultKind::Line { fault: LineFault::Lost, .. }));
//! assert_eq!(
//!     script.to_string(),
//!     "main/fiber lost@0:10 for 5s\nat 0:12 cut karry channel=program\n",
//! );
//!
//! let checked = check_faults("main/fibre lost@10s", &show);
//! assert_eq!(checked.diagnostics[0].help.as_deref(), Some("did you mean `main/fiber`?"));
//! # Ok::<(), &str>(())
//! ```
//!
//! # The language
//! One fault a line, `SUBJECT WHAT[=VALUE]@TIME [for DURATION]`, or one command,
//! `at TIME COMMAND… [channel=NAME]`; `;` ends a line, too, and `//` starts a
//! comment. Times and values are written as in the show file. Without `for` a
//! fault stays until the end.

mod line;
mod model;
mod order;
mod orders;
mod read;
mod reference;
mod subject;
mod table;
mod write;

pub use model::*;
pub use order::*;
pub use read::{CheckedFaults, check_faults, check_faults_among, reloaded_files};
pub use reference::fault_reference;

/// The word that has another show file read.
const RELOAD: &str = "reload";
/// The word for no line in particular.
const AUTO: &str = "auto";
