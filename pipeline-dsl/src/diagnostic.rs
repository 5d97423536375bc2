//! What is wrong with a show file, where, and what would be right.

use std::fmt;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

/// A piece of the source text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct Span {
    /// Bytes before it.
    pub start: usize,
    /// Its length in bytes.
    pub len: usize,
    /// The line it starts on, from 1.
    pub line: u32,
    /// The character of that line it starts at, from 1.
    pub column: u32,
}

impl Span {
    /// The byte after its last one.
    pub const fn end(self) -> usize {
        self.start + self.len
    }

    /// From the start of this one to the end of `last`.
    pub(crate) fn to(self, last: Self) -> Self {
        Self { len: last.end().saturating_sub(self.start).max(self.len), ..self }
    }

    /// The text it covers; empty where `source` is not the text it was made from.
    pub fn of(self, source: &str) -> &str {
        source.get(self.start..self.end()).unwrap_or("")
    }
}

/// Whether a show can run in spite of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It runs, though hardly as meant.
    Warning,
    /// It does not run.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One thing to say about a show file.
///
/// It implements [`miette::Diagnostic`], to be shown with its source, and
/// [`Serialize`], with lines and columns, for programs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    /// What kind of thing it is; stable, e.g. `unknown-word`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, and what would be legal.
    pub message: String,
    /// Where.
    pub span: Span,
    /// Other places that matter, and why.
    #[serde(serialize_with = "labels_as_objects")]
    pub labels: Vec<(Span, String)>,
    /// How to put it right.
    pub help: Option<String>,
}

fn labels_as_objects<S: Serializer>(labels: &[(Span, String)], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Label<'a> {
        span: Span,
        text: &'a str,
    }
    let mut seq = serializer.serialize_seq(Some(labels.len()))?;
    for (span, text) in labels {
        seq.serialize_element(&Label { span: *span, text })?;
    }
    seq.end()
}

impl Diagnostic {
    pub(crate) fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, severity: Severity::Error, message, span, labels: Vec::new(), help: None }
    }

    pub(crate) fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    pub(crate) fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push((span, text.into()));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn help_if(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// Whether it keeps the show from running.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl miette::Diagnostic for Diagnostic {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display + 'a>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let whole = |span: Span| miette::SourceSpan::from((span.start, span.len));
        let first = miette::LabeledSpan::new_primary_with_span(None, whole(self.span));
        let others = self
            .labels
            .iter()
            .map(move |(span, text)| miette::LabeledSpan::new_with_span(Some(text.clone()), whole(*span)));
        Some(Box::new(std::iter::once(first).chain(others)))
    }
}

/// How many diagnostics one file is told; the rest is only counted.
pub const MOST_DIAGNOSTICS: usize = 200;

/// Collects diagnostics, up to [`MOST_DIAGNOSTICS`].
#[derive(Default, Debug)]
pub(crate) struct Sink {
    list: Vec<Diagnostic>,
    errors: usize,
    untold: usize,
}

impl Sink {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.is_error());
        if self.is_full() {
            self.untold += 1;
        } else {
            self.list.push(diagnostic);
        }
    }

    /// Counts errors that nobody kept.
    pub(crate) fn skip(&mut self, errors: usize) {
        self.errors += errors;
        self.untold += errors;
    }

    /// Whether more is only counted: a reason not to look for suggestions any longer.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= MOST_DIAGNOSTICS
    }

    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Everything said, in the order of the file.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|d| (d.span.start, std::cmp::Reverse(d.severity)));
        if let (Some(last), true) = (self.list.last(), self.untold > 0) {
            let span = last.span;
            let message = match self.untold {
                1 => "1 more problem is not shown".to_owned(),
                n => format!("{n} more problems are not shown"),
            };
            // An error even after warnings only: what is not shown may be one.
            self.list.push(Diagnostic::error("too-many-problems", span, message));
        }
        self.list
    }
}
