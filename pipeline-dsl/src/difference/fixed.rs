//! What cannot be changed on air, and where the show file says it.

use crate::diagnostic::{Diagnostic, Span};
use crate::model::Name;
use crate::syntax::{Block, Node, parse};

/// Where a part stands in a show file, by its words and names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    path: Vec<(&'static str, Option<Name>)>,
}

impl Place {
    /// A part of which a show has one.
    pub(super) fn of(word: &'static str) -> Self {
        Self { path: vec![(word, None)] }
    }
    pub(super) fn named(word: &'static str, name: &str) -> Self {
        Self { path: vec![(word, Some(name.to_owned()))] }
    }
    pub(super) fn and(mut self, word: &'static str, name: Option<&str>) -> Self {
        self.path.push((word, name.map(str::to_owned)));
        self
    }

    /// As far as the source has it: at least the show's own word.
    fn span(&self, source: &str) -> Span {
        let root = parse(source).root;
        let start = Span { start: 0, len: 0, line: 1, column: 1 };
        let Some(show) = root.nodes().find(|node| node.word.text == "show") else { return start };
        let (mut node, mut span) = (show, show.word.span);
        for (word, name) in &self.path {
            let Some(found) = node.block.as_ref().and_then(|block| find(block, word, name.as_deref())) else {
                break;
            };
            (node, span) = (found, found.span);
        }
        span
    }
}

fn find<'b>(block: &'b Block, word: &str, name: Option<&str>) -> Option<&'b Node> {
    block.nodes().find(|node| {
        let called = node.args.first().map(|atom| atom.text.as_str());
        node.word.text == word && name.is_none_or(|name| called == Some(name))
    })
}

/// One thing that cannot be changed while the show is on air.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Fixed {
    place: Place,
    /// What it is, and why it stays.
    pub message: String,
    /// What to do instead.
    pub help: &'static str,
}

impl Fixed {
    pub(super) fn new(place: Place, message: String, help: &'static str) -> Self {
        Self { place, message, help }
    }

    /// With its place in the `source` of the new show.
    pub fn diagnostic(&self, source: &str) -> Diagnostic {
        Diagnostic::error("fixed-on-air", self.place.span(source), self.message.clone()).help(self.help)
    }
}
