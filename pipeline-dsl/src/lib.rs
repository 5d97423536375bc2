//! The show file: lexer, parser, checked [`Show`] model, diagnostics and formatter.
//!
//! A show file says what comes in, what goes on air when, and where it leaves.
//! [`check`] reads one and never fails: it gives the [`Show`] if nothing is
//! wrong, and otherwise says everything that is, each with its place, the
//! legal values and a way out. [`format`](crate::format()) rewrites it in
//! canonical form, [`Show::to_source`] writes one from a model, and
//! [`Show::validate`] checks a model that was built in code by the same rules.
//!
//! ```
//! let source = r#"
//! show "night" {
//!   camera stage { line gen test bars tone=440 }
//!   ladder one { rung 720p 1280x720 2500k }
//!   channel program {
//!     sources stge
//!     ladder one
//!     egress disk record "{channel}.flv"
//!   }
//! }"#;
//! let checked = pipeline_dsl::check(source);
//! assert!(checked.show.is_none());
//! for d in &checked.diagnostics {
//!     println!("{}:{}: {}[{}]: {}", d.span.line, d.span.column, d.severity, d.code, d.message);
//! }
//! assert_eq!(checked.diagnostics[0].help.as_deref(), Some("did you mean `stage`?"));
//!
//! let show = pipeline_dsl::parse_show(&source.replace("stge", "stage")).map_err(|_| "not valid")?;
//! assert_eq!(show.ladder("one").map(|ladder| ladder.rungs.len()), Some(1));
//! # Ok::<(), &str>(())
//! ```
//!
//! # The language
//! A file is made of nodes, `word argument… key=value… [{ children }]`, each
//! ended by a newline, a `;`, a `}` or the end of the file. [`reference()`]
//! gives all of them on one page. Literals carry their units: `500ms`, `2s`,
//! `10m`, `1:02:03.500`, `1920x1080`, `30000/1001fps`, `4500k`, `4.5M`,
//! `48kHz`. A bare run's place decides what it is, so a rung may be called
//! `1080p`. Two rules worth knowing:
//!
//! - `//` starts a comment only where a token could start. Within a bare run it
//!   belongs to the run: an unquoted `srt://10.0.0.7:9001` is a URL.
//! - A path, URL or key that says `env:NAME`, in quotes or not, is the value of
//!   that environment variable. A file of such a name is `./env:NAME`.
//!
//! The crate reads no file, clock or environment: which files a show names is
//! in [`Checked::files`], and [`missing_files`] tells, with the help of who can
//! look, which of them are not there.
#![forbid(unsafe_code)]

mod address;
mod bound;
mod check;
mod diagnostic;
mod difference;
mod door;
mod files;
mod format;
mod grammar;
mod lead;
mod lexer;
mod literal;
pub mod model;
mod parser;
mod path;
mod reference;
pub mod rehearsal;
mod source;
mod stand;
mod suggest;
pub mod syntax;
mod template;
mod timecode;
mod words;

pub use address::{address_shown, masked};
pub use bound::Bound;
pub use check::{Checked, check, parse_show};
pub use diagnostic::{Diagnostic, MOST_DIAGNOSTICS, Severity, Span};
pub use difference::{Change, Difference, Encoding, Fixed, Step};
pub use files::{
    AddressRef, FileKind, FileRef, FontRef, Way, exposed_keys, key_folders, missing_files, unfit_addresses,
    unfit_fonts, unfit_papers,
};
pub use format::format;
pub use lead::{MarkFade, MarkMove};
pub use model::*;
pub use path::{Frame, Standing};
pub use reference::reference;
pub use stand::{Area, Framed, LEAST_SIDE, Stand};
pub use template::{expand, expand_line};
pub use timecode::time_code;

/// A show with every part the language has; the one the manual explains.
pub const EXAMPLE: &str = include_str!("../example.show");
