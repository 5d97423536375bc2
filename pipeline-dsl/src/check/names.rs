//! Names: every use has its definition, and every definition its use.

use std::collections::{HashMap, HashSet};

use crate::check::values::shown;
use crate::check::walk::{Part, Refer};
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::grammar::Sort;
use crate::suggest::nearest;

/// The sorts other parts of a show refer to; channels need no one to use them.
const SHARED: [Sort; 6] =
    [Sort::Camera, Sort::Filler, Sort::Watermark, Sort::Ladder, Sort::Key, Sort::Channel];

/// Which parts nothing uses, and whether that can be said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unused {
    Tell,
    /// Part of the file could not be read, and may use anything.
    Unknown,
}

pub(crate) fn resolve(
    show: &Part,
    refers: &[Refer],
    blurred: &HashSet<String>,
    unused: Unused,
    sink: &mut Sink,
) {
    let mut defined: HashMap<Sort, Vec<(&str, Span)>> = HashMap::new();
    for sort in SHARED {
        let names = show.all(sort.word()).flat_map(|part| part.names("name"));
        defined.insert(sort, names.collect());
    }
    let index: HashSet<(Sort, &str)> =
        defined.iter().flat_map(|(sort, names)| names.iter().map(|(name, _)| (*sort, *name))).collect();
    let mut used: HashSet<(Sort, &str)> = HashSet::new();
    // Where a name is wrong, a part of that kind seems unused only because of it.
    let mut mistaken: HashSet<Sort> = HashSet::new();
    for refer in refers {
        let name = (refer.sort, refer.name.as_str());
        if index.contains(&name) {
            used.insert(name);
            continue;
        }
        mistaken.insert(refer.sort);
        if blurred.contains(&refer.name) {
            continue;
        }
        let there = defined.get(&refer.sort).map_or(&[][..], Vec::as_slice);
        let near = if sink.is_full() { None } else { nearest(&refer.name, there.iter().map(|(n, _)| *n)) };
        sink.push(undefined(refer, there, near, show));
    }
    if unused == Unused::Unknown {
        return;
    }
    for sort in SHARED.into_iter().filter(|sort| *sort != Sort::Channel && !mistaken.contains(sort)) {
        for (name, span) in defined.get(&sort).into_iter().flatten() {
            if !used.contains(&(sort, name)) {
                let message = format!("no channel uses {} `{}`", sort.word(), shown(name));
                sink.push(Diagnostic::warning("unused", *span, message));
            }
        }
    }
}

fn undefined(refer: &Refer, there: &[(&str, Span)], near: Option<&str>, show: &Part) -> Diagnostic {
    let word = refer.sort.word();
    let names: Vec<_> = there.iter().take(8).map(|(name, _)| shown(name)).collect();
    let more = if there.len() > names.len() { ", …" } else { "" };
    let legal = match names.is_empty() {
        true => "there is none in this show".to_owned(),
        false => format!("there are: {}{more}", names.join(", ")),
    };
    let message = format!("there is no {word} `{}`; {legal}", shown(&refer.name));
    let said = Diagnostic::error("undefined-name", refer.span, message);
    if let Some(near) = near {
        let place = there.iter().find(|(name, _)| *name == near).map(|(_, span)| *span);
        let said = said.help(format!("did you mean `{near}`?"));
        return match place {
            Some(span) => said.label(span, format!("`{near}` is defined here")),
            None => said,
        };
    }
    // The name may be of another kind: a filler where a camera is asked for.
    let other = SHARED.into_iter().filter(|sort| *sort != refer.sort).find_map(|sort| {
        let mut names = show.all(sort.word()).flat_map(|part| part.names("name"));
        names.find(|(name, _)| *name == refer.name).map(|(_, span)| (sort, span))
    });
    match other {
        Some((sort, span)) => said.label(span, format!("this is a {}, not a {word}", sort.word())),
        None => said.help(format!("define it in the show: `{word} {} …`", shown(&refer.name))),
    }
}
