//! The arguments and keys of one node, against the grammar's tables.

use std::collections::HashMap;

use crate::check::part::Part;
use crate::check::values::{Value, read, shown};
use crate::check::walk::{Refer, Walk};
use crate::diagnostic::{Diagnostic, Span};
use crate::files::{AddressRef, FileKind, FileRef, FontRef, Way};
use crate::grammar::{Form, Need, NodeSpec, Slot, Sort, Type};
use crate::model::{KeyPlace, StockLayout, Text};
use crate::reference::{example, homes, usage};
use crate::suggest::nearest;
use crate::syntax::{Atom, Node, Pair};

impl Walk<'_> {
    /// The arguments and keys of a node.
    pub(super) fn line(&mut self, part: &mut Part, node: &Node, broken: bool) {
        let spec = part.spec;
        let lead = spec.args.len();
        let mut args: Vec<&Slot> = spec.args.iter().collect();
        let mut keys: Vec<&Slot> = spec.keys.iter().collect();
        let mut atoms: Vec<&Atom> = node.args.iter().collect();
        let mut lost = broken;
        if let Some(form) = spec.instead
            && atoms.get(1).is_some_and(|atom| atom.text == form.word)
        {
            atoms.remove(1);
            args.truncate(1);
            args.extend(form.args);
            keys = form.keys.iter().collect();
            part.form = Some(form);
        }
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
        self.torn |= meant.is_none();
        meant.and_then(|word| spec.forms.iter().find(|form| form.word == word))
    }

    fn arguments(&mut self, part: &mut Part, slots: &[&Slot], atoms: &[&Atom], node: &Node, broken: bool) {
        let least = slots.iter().filter(|s| matches!(s.need, Need::Required | Need::Several)).count();
        let several = slots.last().filter(|slot| slot.need == Need::Several);
        let few = atoms.len() < least;
        self.torn |= few;
        if few && !broken {
            let wanting: Vec<_> = slots.iter().map(|slot| slot.name).collect();
            let message = format!(
                "`{}` takes {}; found {}",
                part.spec.word,
                counted(least, several.is_some(), &wanting),
                atoms.len()
            );
            let mut help = format!("write `{}`", usage(part.spec, part.form));
            if let Some(example) = example(part.spec, part.form) {
                help = format!("{help}, for example `{example}`");
            }
            self.sink.push(Diagnostic::error("missing-argument", node.span, message).help(help));
        }
        if let (Some(extra), None, false) = (atoms.get(slots.len()), several, broken) {
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
        for (i, atom) in atoms.iter().enumerate() {
            let Some(slot) = slots.get(i).or(several) else { break };
            let subject = format!("`{}`", part.form.map_or(part.spec.word, |form| form.word));
            match read(&subject, slot.ty, atom) {
                Ok(value) => self.take(part, slot, value, atom.span),
                // With an argument missing, the others may only have slipped into the wrong place.
                Err(_) if few || broken => {}
                Err(said) => {
                    self.torn |= matches!(slot.ty, Type::Refer(_));
                    self.sink.push(said);
                }
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
        let wanting = slots.iter().filter(|s| s.need == Need::Required && !seen.contains_key(s.name));
        let wanting: Vec<_> = wanting.map(|slot| format!("`{}=`", slot.name)).collect();
        if !wanting.is_empty() && !broken && seen.len() == node.keys.len() {
            let message = format!("`{}` needs {}", part.spec.word, wanting.join(" and "));
            let help = format!("write `{}`", usage(part.spec, part.form));
            self.sink.push(Diagnostic::error("missing-key", node.span, message).help(help));
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
            (Type::Refer(Sort::Layout), Value::Name(name)) if StockLayout::named(name).is_some() => {}
            (Type::Refer(sort), Value::Name(name)) => {
                self.refers.push(Refer { sort, name: name.clone(), span });
            }
            (Type::Input(kind), Value::Text(path)) => self.file(kind, path, span),
            (Type::PullUrl, Value::Text(Text::Plain(url))) => self.address(Way::Pull, url, span),
            (Type::PushUrl, Value::Text(Text::Plain(url))) => self.address(Way::Push, url, span),
            (Type::Secret, Value::Secret(KeyPlace::File(path))) => self.file(FileKind::Key, path, span),
            (Type::Font, Value::Name(name)) => {
                let owner = self.owner();
                self.fonts.push(FontRef { name: name.clone(), span, owner });
            }
            _ => {}
        }
        part.values.push((slot.name, value, span));
    }

    fn file(&mut self, kind: FileKind, path: &Text, span: Span) {
        // A card is no file.
        if kind == FileKind::Device && matches!(path, Text::Plain(path) if path.starts_with("decklink:")) {
            return;
        }
        let owner = self.owner();
        self.files.push(FileRef { path: path.clone(), kind, span, owner });
    }

    fn address(&mut self, way: Way, url: &str, span: Span) {
        let owner = self.owner();
        self.addresses.push(AddressRef { url: url.to_owned(), way, span, owner });
    }

    fn owner(&self) -> String {
        // The show itself and the innermost word, where it has no name, say nothing new.
        let owners = self.owners.get(1..).unwrap_or(&[]);
        let bare = ["file ", "image ", "text ", "timecode "];
        let named = owners.iter().filter(|owner| !bare.iter().any(|word| owner.starts_with(word)));
        let named: Vec<_> = named.map(String::as_str).collect();
        named.join(", ")
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
