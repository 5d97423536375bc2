//! Names: every use has its definition, and every definition its use.

use std::collections::{HashMap, HashSet};

use crate::check::part::Part;
use crate::check::values::shown;
use crate::check::walk::Refer;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::grammar::Sort;
use crate::model::StockLayout;
use crate::suggest::nearest;

/// The sorts other parts of a show refer to.
const SHARED: [Sort; 8] = [
    Sort::Camera,
    Sort::Filler,
    Sort::Layout,
    Sort::Scene,
    Sort::Watermark,
    Sort::Ladder,
    Sort::Key,
    Sort::Channel,
];

/// The parts of a show by their names.
pub(crate) struct Index<'p> {
    pub(crate) show: &'p Part,
    parts: HashMap<(Sort, &'p str), &'p Part>,
}

impl<'p> Index<'p> {
    pub(crate) fn new(show: &'p Part) -> Self {
        let mut parts = HashMap::new();
        for sort in SHARED {
            parts.extend(show.all(sort.word()).filter_map(|part| Some(((sort, part.called()?), part))));
        }
        Self { show, parts }
    }

    pub(crate) fn find(&self, sort: Sort, name: &str) -> Option<&'p Part> {
        kinds(sort).iter().find_map(|sort| self.parts.get(&(*sort, name)).copied())
    }

    /// The part that a slot of `part` names.
    pub(crate) fn named_by(&self, part: &Part, sort: Sort, slot: &str) -> Option<&'p Part> {
        let (name, _) = part.names(slot).next()?;
        self.find(sort, name)
    }

    /// The names of a sort in the order of the file.
    fn names(&self, sort: Sort) -> impl Iterator<Item = (&'p str, Span)> + use<'p> {
        kinds(sort).iter().flat_map(|sort| self.show.all(sort.word())).flat_map(|part| part.names("name"))
    }
}

/// The sorts of parts that a name of this sort can lead to.
fn kinds(sort: Sort) -> &'static [Sort] {
    match sort {
        Sort::Camera => &[Sort::Camera],
        Sort::Scene => &[Sort::Scene],
        Sort::Source => &[Sort::Camera, Sort::Scene],
        Sort::Layout => &[Sort::Layout],
        Sort::Filler => &[Sort::Filler],
        Sort::Watermark => &[Sort::Watermark],
        Sort::Ladder => &[Sort::Ladder],
        Sort::Key => &[Sort::Key],
        Sort::Channel => &[Sort::Channel],
    }
}

/// Which parts nothing uses, and whether that can be said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unused {
    Tell,
    /// Something that may use them is missing or could not be read.
    Unknown,
}

pub(crate) fn resolve(
    index: &Index<'_>,
    refers: &[Refer],
    blurred: &HashSet<String>,
    unused: Unused,
    sink: &mut Sink,
) {
    let mut used: HashSet<(Sort, &str)> = HashSet::new();
    // Where a name is wrong, a part of that kind seems unused only because of it.
    let mut mistaken: HashSet<Sort> = HashSet::new();
    for refer in refers {
        if index.find(refer.sort, &refer.name).is_some() {
            used.extend(kinds(refer.sort).iter().map(|sort| (*sort, refer.name.as_str())));
            continue;
        }
        mistaken.extend(kinds(refer.sort));
        if !blurred.contains(&refer.name) {
            let said = undefined(refer, index, sink.is_full());
            sink.push(said);
        }
    }
    if unused == Unused::Unknown {
        return;
    }
    // Channels need no one, and layouts are there for the director.
    let needing = SHARED.into_iter().filter(|sort| !matches!(sort, Sort::Channel | Sort::Layout));
    for sort in needing.filter(|sort| !mistaken.contains(sort)) {
        for (name, span) in index.names(sort).filter(|(name, _)| !used.contains(&(sort, name))) {
            let message = format!("no channel uses {} `{}`", sort.word(), shown(name));
            sink.push(Diagnostic::warning("unused", span, message));
        }
    }
}

/// What to say of a name nobody defines; little, if nobody will see it.
fn undefined(refer: &Refer, index: &Index<'_>, unseen: bool) -> Diagnostic {
    let word = refer.sort.word();
    let message = format!("there is no {word} `{}`", shown(&refer.name));
    if unseen {
        return Diagnostic::error("undefined-name", refer.span, message);
    }
    let stock: &[&str] = if refer.sort == Sort::Layout { &StockLayout::WORDS } else { &[] };
    let names = index.names(refer.sort).map(|(name, _)| name);
    let mut names: Vec<_> = stock.iter().copied().chain(names).take(9).map(shown).collect();
    if names.len() > 8 {
        names[8] = "…".to_owned();
    }
    let legal = match names.is_empty() {
        true => "there is none in this show".to_owned(),
        false => format!("there are: {}", names.join(", ")),
    };
    let said = Diagnostic::error("undefined-name", refer.span, format!("{message}; {legal}"));
    if let Some(near) = nearest(&refer.name, index.names(refer.sort).map(|(name, _)| name)) {
        let said = said.help(format!("did you mean `{near}`?"));
        return match index.find(refer.sort, near) {
            Some(part) => said.label(part.span_of("name"), format!("`{near}` is defined here")),
            None => said,
        };
    }
    // The name may be of another kind: a filler where a camera is asked for.
    let other = SHARED.into_iter().find_map(|sort| Some((sort, index.find(sort, &refer.name)?)));
    match other {
        Some((sort, part)) => {
            said.label(part.span_of("name"), format!("this is a {}, not a {word}", sort.word()))
        }
        None => {
            let word = kinds(refer.sort).first().map_or(word, |sort| sort.word());
            said.help(format!("define it in the show: `{word} {} …`", shown(&refer.name)))
        }
    }
}
