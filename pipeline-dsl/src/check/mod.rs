//! A show file into a checked [`Show`], and everything there is to say about it.

pub(crate) mod build;
mod copies;
mod cues;
mod egresses;
mod line;
mod lines;
pub(crate) mod marks;
mod names;
pub(crate) mod part;
mod rungs;
mod scenes;
mod shed;
pub(crate) mod values;
mod walk;
mod watermarks;
mod wires;

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::files::{AddressRef, FileRef, FontRef};
use crate::grammar::{NodeSpec, VIDEO, WHOLE};
use crate::model::Show;
use crate::parser::parse_into;
use crate::syntax::{Node, Reading};
use names::{Index, Unused};
use part::Part;
pub(crate) use values::shown;
pub(crate) use walk::Refer;
use walk::Walk;

/// What a show file says, and what there is to say about it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Checked {
    /// The show; there is one exactly if no diagnostic is an error.
    pub show: Option<Show>,
    /// Errors and warnings, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The files it reads. Whether they are there, [`missing_files`](crate::missing_files) tells.
    pub files: Vec<FileRef>,
    /// The addresses it names. Whether they can be used, [`unfit_addresses`](crate::unfit_addresses)
    /// tells; they may hold secrets, and are not written out.
    #[serde(skip)]
    pub addresses: Vec<AddressRef>,
    /// The fonts it names. Whether the system has them, [`unfit_fonts`](crate::unfit_fonts) tells.
    #[serde(skip)]
    pub fonts: Vec<FontRef>,
}

impl Checked {
    /// Whether something keeps the show from running.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Reads and checks a show file. Never fails: what is wrong is in the diagnostics.
pub fn check(source: &str) -> Checked {
    let mut sink = Sink::default();
    let root = parse_into(source, &mut sink);
    let start = Span { start: 0, len: 0, line: 1, column: 1 };
    // A file that could not be read at all has nothing missing: that has been said.
    let reading = if sink.errors() > 0 && root.items.is_empty() { Reading::Broken } else { Reading::Whole };
    let mut walk = Walk::new(&mut sink);
    let parts = walk.block(&WHOLE, &root, start, reading);
    let Walk { refers, files, addresses, fonts, blurred, torn, .. } = walk;
    let mut show = None;
    if let Some(part) = parts.first() {
        let unused = if torn { Unused::Unknown } else { Unused::Tell };
        let index = Index::new(part);
        names::resolve(&index, &refers, &blurred, unused, &mut sink);
        let canvas = part.one("video").cloned().unwrap_or_else(|| Part::absent(&VIDEO));
        rungs::check(part, &canvas, &mut sink);
        copies::check(&index, &mut sink);
        scenes::check(part, &canvas, &mut sink);
        watermarks::check(&index, &canvas, &mut sink);
        egresses::check(&index, &files, &mut sink);
        shed::check(&index, &mut sink);
        cues::check(&index, &mut sink);
        show = build::show(part).filter(|_| sink.errors() == 0);
    }
    Checked { show, diagnostics: sink.finish(), files, addresses, fonts }
}

/// One node outside a show file: its values read, and the names it uses, which are not looked up.
pub(crate) fn single(spec: &'static NodeSpec, node: &Node, sink: &mut Sink) -> (Part, Vec<Refer>) {
    let mut walk = Walk::new(sink);
    let part = walk.node(spec, node);
    (part, walk.refers)
}

/// The show of a show file, where it has no error; warnings are not told.
///
/// # Errors
/// All diagnostics, warnings too, if one of them is an error.
pub fn parse_show(source: &str) -> Result<Show, Vec<Diagnostic>> {
    let checked = check(source);
    checked.show.ok_or(checked.diagnostics)
}

impl Show {
    /// Checks a show that was built in code, by the rules a show file is checked by.
    ///
    /// It is written with [`Show::to_source`] and read again, so spans point into
    /// that text. What the language cannot say (a name with a space, a literal
    /// text that starts with `env:`, a filler file that does not loop) is an
    /// error as well.
    ///
    /// ```
    /// let mut show = pipeline_dsl::parse_show(pipeline_dsl::EXAMPLE).map_err(|_| "not valid")?;
    /// show.channels[0].ladder = "five".into();
    /// let problems = show.validate();
    /// assert_eq!(problems[0].message, "there is no ladder `five`; there are: four");
    /// # Ok::<(), &str>(())
    /// ```
    pub fn validate(&self) -> Vec<Diagnostic> {
        let checked = check(&self.to_source());
        let mut diagnostics = checked.diagnostics;
        if checked.show.as_ref().is_some_and(|read| read != self) {
            let message = "the show has a value that the show language cannot say";
            let start = Span { start: 0, len: 0, line: 1, column: 1 };
            diagnostics.push(
                Diagnostic::error("not-expressible", start, message)
                    .help("compare it with the show that its `to_source` reads back as"),
            );
        }
        diagnostics
    }
}
