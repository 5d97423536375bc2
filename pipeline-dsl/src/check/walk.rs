//! A tree against the grammar's tables: words, counts, types, names.
//!
//! What comes out is a tree of [`Part`]s with typed values. A part that is
//! wrong says so once; whatever would only repeat it is not said.

use std::collections::{HashMap, HashSet};

use crate::check::values::{Value, read, shown};
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::files::FileRef;
use crate::grammar::{Count, Form, Need, NodeSpec, Slot, Sort, Type};
use crate::model::Text;
use crate::reference::{homes, usage};
use crate::suggest::nearest;
use crate::syntax::{Atom, Block, Node, Pair, Quoting, Reading};

/// A node whose values have been read.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) spec: &'static NodeSpec,
    pub(crate) form: Option<&'static Form>,
    /// Its word.
    pub(crate) word: Span,
    pub(crate) values: Vec<(&'static str, Value, Span)>,
    pub(crate) parts: Vec<Part>,
}

macro_rules! getters {
    ($($name:ident $variant:ident $type:ty;)*) => {$(
        pub(crate) fn $name(&self, slot: &str) -> Option<$type> {
            match self.find(slot) {
                Some((Value::$variant(value), _)) => Some(value.clone()),
                _ => None,
            }
        }
    )*};
}

impl Part {
    /// What a node that is not there stands for.
    pub(crate) fn absent(spec: &'static NodeSpec) -> Self {
        let mut part =
            Self { spec, form: None, word: Span::default(), values: Vec::new(), parts: Vec::new() };
        part.fill(spec.args);
        part.fill(spec.keys);
        part
    }

    /// Adds the defaults of slots that have no value.
    fn fill(&mut self, slots: &[Slot]) {
        for slot in slots {
            if let (Need::Default(text), None) = (slot.need, self.find(slot.name)) {
                let atom = Atom { text: text.to_owned(), quoting: Quoting::Bare, span: self.word };
                if let Ok(value) = read(slot.name, slot.ty, &atom) {
                    self.values.push((slot.name, value, self.word));
                }
            }
        }
    }

    pub(crate) fn find(&self, slot: &str) -> Option<(&Value, Span)> {
        self.values.iter().find(|(name, ..)| *name == slot).map(|(_, value, span)| (value, *span))
    }

    /// Where a slot's value stands, else the word.
    pub(crate) fn span_of(&self, slot: &str) -> Span {
        self.find(slot).map_or(self.word, |(_, span)| span)
    }

    /// Every name a slot has, with its place.
    pub(crate) fn names(&self, slot: &str) -> impl Iterator<Item = (&str, Span)> {
        self.values.iter().filter_map(move |(name, value, span)| match value {
            Value::Name(text) if *name == slot => Some((text.as_str(), *span)),
            _ => None,
        })
    }

    pub(crate) fn all<'p>(&'p self, word: &str) -> impl Iterator<Item = &'p Part> {
        self.parts.iter().filter(move |part| part.spec.word == word)
    }

    pub(crate) fn one(&self, word: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.spec.word == word)
    }

    getters! {
        name Name String;
        text Text Text;
        point Point crate::model::PushPoint;
        pattern Pattern crate::model::Pattern;
        word Word &'static str;
        span Span media::Span;
        time Time media::Time;
        size Size media::Size;
        rate Rate media::FrameRate;
        sample_rate SampleRate media::SampleRate;
        number Number u32;
        ratio Ratio f32;
        address Address std::net::SocketAddr;
    }
}

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
    /// Names in lines whose word is unknown: they may define anything.
    pub(crate) blurred: HashSet<String>,
    /// Whether part of the file could not be read.
    pub(crate) torn: bool,
    owners: Vec<String>,
}

impl<'k> Walk<'k> {
    pub(crate) fn new(sink: &'k mut Sink) -> Self {
        Self {
            sink,
            refers: Vec::new(),
            files: Vec::new(),
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
                        let message = format!("`{}` may stand only once in `{}`", known.word, spec.word);
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
                        let message = format!("there is a {} `{}` already", known.word, shown(&name));
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
                let article = if node.count == Count::One { "a" } else { "at least one" };
                let message = format!("`{}` needs {article} `{}`", spec.word, node.word);
                let message =
                    if at.len == 0 { format!("there is no `{}` in this file", node.word) } else { message };
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
                format!("unknown word `{}` in `{}`; legal: {}", shown(text), spec.word, words.join(", "));
            Diagnostic::error("unknown-word", node.word.span, message)
        } else {
            let message = format!("`{text}` does not belong in `{}`; legal: {}", spec.word, words.join(", "));
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
            self.blurred.extend(node.args.iter().map(|atom| atom.text.clone()));
        }
        known
    }

    fn node(&mut self, spec: &'static NodeSpec, node: &Node) -> Part {
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

    /// The arguments and keys of a node.
    fn line(&mut self, part: &mut Part, node: &Node, broken: bool) {
        let spec = part.spec;
        let lead = spec.args.len();
        let mut args: Vec<&Slot> = spec.args.iter().collect();
        let mut keys: Vec<&Slot> = spec.keys.iter().collect();
        let mut atoms: Vec<&Atom> = node.args.iter().collect();
        let mut lost = broken;
        if !spec.forms.is_empty() {
            match atoms.get(lead) {
                Some(_) => {
                    let word = atoms.remove(lead);
                    part.form = self.form(spec, word);
                    lost |= part.form.is_none();
                    if let Some(form) = part.form {
                        args.extend(form.args);
                        keys.extend(form.keys);
                    }
                }
                None if atoms.len() == lead && !broken => {
                    let words: Vec<_> = spec.forms.iter().map(|form| form.word).collect();
                    let message = format!("`{}` does not say which: {}", spec.word, words.join(", "));
                    let help = format!("write `{}`", usage(spec, None));
                    self.sink.push(Diagnostic::error("missing-argument", node.span, message).help(help));
                    lost = true;
                }
                None => {}
            }
        }
        if lost && part.form.is_none() && !spec.forms.is_empty() {
            atoms.truncate(lead);
            self.arguments(part, &args, &atoms, node, true);
            return;
        }
        self.arguments(part, &args, &atoms, node, lost);
        if spec.forms.is_empty() || part.form.is_some() {
            self.keys(part, &keys, node, lost);
        }
        part.fill(spec.args);
        part.fill(spec.keys);
        if let Some(form) = part.form {
            part.fill(form.args);
            part.fill(form.keys);
        }
    }

    fn form(&mut self, spec: &'static NodeSpec, atom: &Atom) -> Option<&'static Form> {
        let text = atom.text.as_str();
        if let Some(form) = spec.forms.iter().find(|form| form.word == text) {
            return Some(form);
        }
        let words: Vec<_> = spec.forms.iter().map(|form| form.word).collect();
        let meant = nearest(text, words.iter().copied());
        let message = format!("`{}` takes {}, not `{}`", spec.word, words.join(", "), shown(text));
        let homes = homes(text);
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if !homes.is_empty() && text != "camera" => {
                format!(
                    "`{text}` belongs in {}",
                    homes.iter().map(|h| format!("`{h}`")).collect::<Vec<_>>().join(" or ")
                )
            }
            None => format!("write `{}`", usage(spec, None)),
        };
        self.sink.push(Diagnostic::error("unknown-value", atom.span, message).help(help));
        meant.and_then(|word| spec.forms.iter().find(|form| form.word == word))
    }

    fn arguments(&mut self, part: &mut Part, slots: &[&Slot], atoms: &[&Atom], node: &Node, broken: bool) {
        let least = slots.iter().filter(|s| matches!(s.need, Need::Required | Need::Several)).count();
        let several = slots.last().filter(|slot| slot.need == Need::Several);
        let few = atoms.len() < least;
        if few && !broken {
            let wanting: Vec<_> = slots.iter().map(|slot| slot.name).collect();
            let message = format!(
                "`{}` takes {}; found {}",
                part.spec.word,
                counted(least, several.is_some(), &wanting),
                atoms.len()
            );
            let examples: Vec<_> = slots.iter().map(|slot| slot.ty.example()).collect();
            let (usage, examples) = (usage(part.spec, part.form), examples.join(" "));
            self.sink.push(
                Diagnostic::error("missing-argument", node.span, message)
                    .help(format!("write `{usage}`, for example {examples}")),
            );
        }
        if let (Some(extra), None) = (atoms.get(slots.len()), several) {
            if !broken {
                let last = atoms.last().map_or(extra.span, |atom| atom.span);
                let message = match slots.len() {
                    0 => format!("`{}` takes no arguments", part.spec.word),
                    1 => format!("`{}` takes 1 argument; found {}", part.spec.word, atoms.len()),
                    n => format!("`{}` takes {n} arguments; found {}", part.spec.word, atoms.len()),
                };
                self.sink.push(
                    Diagnostic::error("extra-argument", extra.span.to(last), message)
                        .help(format!("write `{}`", usage(part.spec, part.form))),
                );
            }
        }
        for (i, atom) in atoms.iter().enumerate() {
            let Some(slot) = slots.get(i).or(several) else { break };
            let subject = format!("`{}`", part.form.map_or(part.spec.word, |form| form.word));
            match read(&subject, slot.ty, atom) {
                Ok(value) => self.take(part, slot, value, atom.span),
                // With an argument missing, the others may only have slipped into the wrong place.
                Err(_) if few || broken => {}
                Err(said) => self.sink.push(said),
            }
        }
    }

    fn keys(&mut self, part: &mut Part, slots: &[&Slot], node: &Node, broken: bool) {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for Pair { key, value } in &node.keys {
            let Some(slot) = self.key(part, slots, key) else { continue };
            if let Some(earlier) = seen.insert(slot.name, key.span) {
                let message = format!("`{}=` is said twice", slot.name);
                self.sink.push(
                    Diagnostic::error("repeated", key.span, message).label(earlier, "the first one is here"),
                );
                continue;
            }
            match read(&format!("`{}=`", slot.name), slot.ty, value) {
                Ok(read) => self.take(part, slot, read, value.span),
                Err(said) => self.sink.push(said),
            }
        }
        let choice: Vec<_> = slots.iter().filter(|s| s.need == Need::Choice).map(|s| s.name).collect();
        let mut chosen = choice.iter().filter_map(|name| seen.get(name));
        let written = choice.iter().map(|name| format!("`{name}=`")).collect::<Vec<_>>().join(" or ");
        match (chosen.next(), chosen.next()) {
            (Some(first), Some(second)) => {
                let message = format!("`{}` takes either {written}, not both", part.spec.word);
                let (first, second) =
                    if first.start < second.start { (first, second) } else { (second, first) };
                self.sink.push(
                    Diagnostic::error("repeated", *second, message).label(*first, "the first one is here"),
                );
            }
            (None, _) if !choice.is_empty() && !broken && seen.len() == node.keys.len() => {
                let message = format!("`{}` needs {written}", part.spec.word);
                let help = format!("write `{}`", usage(part.spec, part.form));
                self.sink.push(Diagnostic::error("missing-key", node.span, message).help(help));
            }
            _ => {}
        }
    }

    /// The slot of a key. An unknown one is said, and taken for the one that was meant.
    fn key<'s>(&mut self, part: &Part, slots: &[&'s Slot], key: &Atom) -> Option<&'s Slot> {
        let text = key.text.as_str();
        if let Some(slot) = slots.iter().find(|slot| slot.name == text) {
            return Some(slot);
        }
        let word = part.form.map_or(part.spec.word, |form| form.word);
        let names: Vec<_> = slots.iter().map(|slot| slot.name).collect();
        let message = if names.is_empty() {
            format!("`{word}` takes no keys, so not `{}=`", shown(text))
        } else {
            let legal = names.iter().map(|name| format!("{name}=")).collect::<Vec<_>>().join(", ");
            format!("unknown key `{}=` of `{word}`; legal: {legal}", shown(text))
        };
        let meant = nearest(text, names.iter().copied());
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}=`?"),
            None => format!("write `{}`", usage(part.spec, part.form)),
        };
        self.sink.push(Diagnostic::error("unknown-key", key.span, message).help(help));
        meant.and_then(|name| slots.iter().find(|slot| slot.name == name)).copied()
    }

    /// Notes a value, and what follows from it.
    fn take(&mut self, part: &mut Part, slot: &Slot, value: Value, span: Span) {
        match (slot.ty, &value) {
            (Type::Refer(sort), Value::Name(name)) => {
                self.refers.push(Refer { sort, name: name.clone(), span });
            }
            (Type::Input(kind), Value::Text(path)) => self.file(kind, path, span),
            _ => {}
        }
        part.values.push((slot.name, value, span));
    }

    fn file(&mut self, kind: crate::FileKind, path: &Text, span: Span) {
        // The show itself and the innermost word, where it has no name, say nothing new.
        let owners = self.owners.get(1..).unwrap_or(&[]);
        let named = owners.iter().filter(|owner| !owner.starts_with("file ") && !owner.starts_with("image "));
        let named: Vec<_> = named.map(String::as_str).collect();
        self.files.push(FileRef { path: path.clone(), kind, span, owner: named.join(", ") });
    }
}

fn counted(least: usize, more: bool, names: &[&str]) -> String {
    let names = names.iter().map(|name| name.to_uppercase()).collect::<Vec<_>>().join(", ");
    let more = if more { " or more" } else { "" };
    match least {
        1 => format!("1 argument{more} ({names})"),
        n => format!("{n} arguments{more} ({names})"),
    }
}
