//! A tree against the grammar's tables: words, counts, types, names.
//!
//! What comes out is a tree of [`Part`]s with typed values. A part that is
//! wrong says so once; whatever would only repeat it is not said.

use std::collections::{HashMap, HashSet};

use crate::check::part::Part;
use crate::check::values::shown;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::files::{AddressRef, FileRef, FontRef};
use crate::grammar::{Count, NodeSpec, Sort, Type};
use crate::reference::{homes, usage};
use crate::suggest::nearest;
use crate::syntax::{Block, Node, Quoting, Reading};

/// A name that was used, to be looked up once all are known.
pub(crate) struct Refer {
    pub(crate) sort: Sort,
    pub(crate) name: String,
    pub(crate) span: Span,
}

pub(crate) struct Walk<'k> {
    pub(crate) sink: &'k mut Sink,
    pub(crate) refers: Vec<Refer>,
    pub(crate) files: Vec<FileRef>,
    pub(crate) addresses: Vec<AddressRef>,
    pub(crate) fonts: Vec<FontRef>,
    /// Names in lines whose word is unknown: they may define anything.
    pub(crate) blurred: HashSet<String>,
    /// Whether something that may refer to others is missing or could not be read.
    pub(crate) torn: bool,
    /// The words and names of the nodes around the present one.
    pub(super) owners: Vec<String>,
}

impl<'k> Walk<'k> {
    pub(crate) fn new(sink: &'k mut Sink) -> Self {
        Self {
            sink,
            refers: Vec::new(),
            files: Vec::new(),
            addresses: Vec::new(),
            fonts: Vec::new(),
            blurred: HashSet::new(),
            torn: false,
            owners: Vec::new(),
        }
    }

    /// The parts of a block of `spec`, whose word stands at `at`.
    pub(crate) fn block(
        &mut self,
        spec: &'static NodeSpec,
        block: &Block,
        at: Span,
        reading: Reading,
    ) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut first: HashMap<&str, Span> = HashMap::new();
        let mut defined: HashMap<(&str, String), Span> = HashMap::new();
        let mut choice: Option<(&str, Span)> = None;
        let mut complete = reading == Reading::Whole;
        for node in block.nodes() {
            if node.reading == Reading::Broken {
                self.torn = true;
            }
            if node.word.quoting == Quoting::Quoted {
                complete = false;
                continue;
            }
            let Some(known) = self.word(spec, node) else {
                complete = false;
                continue;
            };
            let part = self.node(known, node);
            match known.count {
                Count::Optional | Count::One => {
                    if let Some(earlier) = first.get(known.word) {
                        let message = format!("`{}` may stand only once in {}", known.word, spec.title());
                        self.sink.push(
                            Diagnostic::error("repeated", node.word.span, message)
                                .label(*earlier, "the first one is here"),
                        );
                        continue;
                    }
                }
                Count::Choice => {
                    if let Some((word, earlier)) = choice {
                        let message = format!(
                            "`{}` has `{word}` already, so `{}` cannot be in it too",
                            spec.word, known.word
                        );
                        self.sink.push(
                            Diagnostic::error("repeated", node.word.span, message)
                                .label(earlier, "the first one is here"),
                        );
                        continue;
                    }
                    choice = Some((known.word, node.word.span));
                }
                Count::Any | Count::AtLeastOne => {}
            }
            first.entry(known.word).or_insert(node.word.span);
            if let Some(slot) = known.args.iter().find(|slot| matches!(slot.ty, Type::Define))
                && let Some(name) = part.name(slot.name)
            {
                let span = part.span_of(slot.name);
                match defined.get(&(known.word, name.clone())) {
                    Some(earlier) => {
                        let message = format!("{} `{}` is there already", known.word, shown(&name));
                        self.sink.push(
                            Diagnostic::error("duplicate-name", span, message)
                                .label(*earlier, "the first one is here")
                                .help("names are unique per kind"),
                        );
                        continue;
                    }
                    None => {
                        defined.insert((known.word, name), span);
                    }
                }
            }
            parts.push(part);
        }
        if complete {
            self.absent(spec, &first, choice.is_some(), at);
        }
        parts
    }

    /// Says which nodes a block must have and has not.
    fn absent(&mut self, spec: &NodeSpec, there: &HashMap<&str, Span>, chosen: bool, at: Span) {
        for node in spec.nodes {
            let needed = matches!(node.count, Count::One | Count::AtLeastOne);
            if needed && !there.contains_key(node.word) {
                self.torn = true;
                let least = if node.count == Count::One { "" } else { "at least one " };
                let message = format!("{} needs {least}`{}`", spec.title(), node.word);
                let help = format!("write `{}`", usage(node, None));
                self.sink.push(Diagnostic::error("missing-node", at, message).help(help));
            }
        }
        let words: Vec<_> = spec.nodes.iter().filter(|n| n.count == Count::Choice).map(|n| n.word).collect();
        if !words.is_empty() && !chosen {
            let message = format!("`{}` needs one of {}", spec.word, words.join(", "));
            self.sink.push(Diagnostic::error("missing-node", at, message));
        }
    }

    /// The spec of a node within `spec`. An unknown word is said, and taken for the one that was meant.
    fn word(&mut self, spec: &'static NodeSpec, node: &Node) -> Option<&'static NodeSpec> {
        let text = node.word.text.as_str();
        if let Some(known) = spec.nodes.iter().find(|known| known.word == text) {
            return Some(known);
        }
        let meant = if self.sink.is_full() { None } else { nearest(text, spec.nodes.iter().map(|n| n.word)) };
        let words: Vec<_> = spec.nodes.iter().map(|n| n.word).collect();
        let homes = if meant.is_none() { homes(text) } else { Vec::new() };
        let mut said = if homes.is_empty() {
            let message =
                format!("unknown word `{}` in {}; legal: {}", shown(text), spec.title(), words.join(", "));
            Diagnostic::error("unknown-word", node.word.span, message)
        } else {
            let message =
                format!("`{text}` does not belong in {}; legal: {}", spec.title(), words.join(", "));
            let homes: Vec<_> = homes.iter().map(|home| format!("`{home}`")).collect();
            Diagnostic::error("misplaced-word", node.word.span, message)
                .help(format!("it belongs in {}", homes.join(" or ")))
        };
        if let Some(meant) = meant {
            said = said.help(format!("did you mean `{meant}`?"));
        }
        self.sink.push(said);
        let known = meant.and_then(|word| spec.nodes.iter().find(|known| known.word == word));
        if known.is_none() {
            self.torn = true;
            self.blurred.extend(node.args.iter().map(|atom| atom.text.clone()));
        }
        known
    }

    /// A node that stands for `spec`.
    pub(super) fn node(&mut self, spec: &'static NodeSpec, node: &Node) -> Part {
        let mut part = Part { spec, form: None, word: node.word.span, values: Vec::new(), parts: Vec::new() };
        let broken = node.reading == Reading::Broken;
        let owner = match node.args.first() {
            Some(name) => format!("{} {}", spec.word, shown(&name.text)),
            None => spec.word.to_owned(),
        };
        self.owners.push(owner);
        self.line(&mut part, node, broken);
        match &node.block {
            Some(block) if spec.nodes.is_empty() => {
                let message = format!("`{}` takes no block", spec.word);
                let at = block.nodes().next().map_or(node.word.span, |child| child.word.span);
                self.sink.push(
                    Diagnostic::error("no-block", at, message)
                        .help(format!("write `{}`", usage(spec, part.form))),
                );
            }
            Some(block) => part.parts = self.block(spec, block, node.word.span, node.reading),
            None => part.parts = self.block(spec, &Block::default(), node.word.span, node.reading),
        }
        self.owners.pop();
        part
    }
}
