//! What a cue, or a command of a fault script, asks of a watermark of its channel.

use crate::check::build::by_word;
use crate::check::names::Index;
use crate::check::part::Part;
use crate::check::values::shown;
use crate::check::watermarks::DRAWN;
use crate::diagnostic::{Diagnostic, Sink};
use crate::grammar::Sort;
use crate::model::{
    Anchor, Art, At, Channel, Mark, MarkChange, MarkOrder, MarkTime, OWN_PLACE, Show, Switch,
};
use crate::suggest::did_you_mean;

/// What is said of one that the channel does not have.
const NOT_DRAWN: &str = "not-a-watermark";

/// How many watermarks a message names.
const NAMED: usize = 8;

/// One that is drawn on a channel.
pub(crate) struct Drawn {
    name: String,
    sort: DrawnSort,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DrawnSort {
    Text,
    Other,
}

/// Those of a channel of a checked show.
pub(crate) fn drawn(show: &Show, channel: &Channel) -> Vec<Drawn> {
    let named = |name: &String| show.watermarks.iter().find(|mark| mark.name == *name);
    let drawn = |name: &String| match &named(name)?.mark {
        Mark::Graphic(graphic) => {
            let sort =
                if matches!(graphic.art, Art::Text { .. }) { DrawnSort::Text } else { DrawnSort::Other };
            Some(Drawn { name: name.clone(), sort })
        }
        Mark::Forensic { .. } => None,
    };
    channel.watermarks.iter().filter_map(drawn).collect()
}

/// Those of a channel that is checked.
fn drawn_of(index: &Index<'_>, channel: &Part) -> Vec<Drawn> {
    let names = channel.all("watermark").flat_map(|part| part.names("watermark"));
    let drawn = |(name, _): (&str, _)| {
        let mark = index.find(Sort::Watermark, name)?;
        let word = DRAWN.into_iter().find(|word| mark.one(word).is_some())?;
        let sort = if word == "text" { DrawnSort::Text } else { DrawnSort::Other };
        Some(Drawn { name: name.to_owned(), sort })
    };
    names.filter_map(drawn).collect()
}

/// A cue of a rundown: whether its channel has what it speaks of, and can do that with it.
pub(super) fn cue(index: &Index<'_>, cue: &Part, channel: &Part, sink: &mut Sink) {
    // Of a name that nobody defines it was said.
    if index.named_by(cue, Sort::Watermark, "watermark").is_none() {
        return;
    }
    let drawn = drawn_of(index, channel);
    let said = refuse(cue, &drawn, channel.called().unwrap_or_default());
    if let Some(said) = said {
        let is_of_channel = said.code == NOT_DRAWN;
        sink.push(if is_of_channel { said.label(channel.word, "the channel is here") } else { said });
    }
}

/// Why a channel with these watermarks cannot do what is asked.
pub(crate) fn refuse(part: &Part, drawn: &[Drawn], channel: &str) -> Option<Diagnostic> {
    let (name, change) = (part.name("watermark")?, part.word("change")?);
    let (legal, what): (Vec<&str>, _) = match change {
        "text" => {
            let texts = drawn.iter().filter(|drawn| drawn.sort == DrawnSort::Text);
            (texts.map(|drawn| drawn.name.as_str()).collect(), "a text")
        }
        _ => (drawn.iter().map(|drawn| drawn.name.as_str()).collect(), "drawn"),
    };
    if !legal.contains(&name.as_str()) {
        let mut named: Vec<_> = legal.iter().take(NAMED).map(|name| shown(name)).collect();
        if legal.len() > NAMED {
            named.push("…".to_owned());
        }
        let named =
            if named.is_empty() { "none is".to_owned() } else { format!("legal: {}", named.join(", ")) };
        let message = format!("`{}` is not {what} on channel `{}`; {named}", shown(&name), shown(channel));
        return Some(
            Diagnostic::error(NOT_DRAWN, part.span_of("watermark"), message)
                .help_if(did_you_mean(&name, legal)),
        );
    }
    let wrong = |code, slot, message: String| Some(Diagnostic::error(code, part.span_of(slot), message));
    match (change, part.name("what")) {
        ("text", None) => {
            return wrong("missing-argument", "change", "`watermark … text` does not say which words".into());
        }
        ("at", None) => {
            return wrong("missing-argument", "change", "`watermark … at` does not say where".into());
        }
        ("at", Some(place)) if place != OWN_PLACE && At::parse(&place).is_none() => {
            let words = || Anchor::WORDS.into_iter().chain([OWN_PLACE]);
            let legal = words().collect::<Vec<_>>().join(", ");
            let message = format!("`watermark … at` takes {legal}, X,Y, not `{}`", shown(&place));
            return Some(
                Diagnostic::error("unknown-value", part.span_of("what"), message)
                    .help_if(did_you_mean(&place, words())),
            );
        }
        ("on" | "off", Some(_)) => {
            return wrong("extra-argument", "what", format!("`watermark … {change}` takes no words"));
        }
        _ => {}
    }
    if change == "text" && part.find("over").is_some() {
        let said = wrong("unknown-key", "over", "`over=` says nothing of a text: it changes at once".into());
        return said.map(|said| said.help("`on`, `off` and `at` take `over=`"));
    }
    None
}

/// What is asked for; `None` where it cannot be read, which [`refuse`] tells.
pub(crate) fn order(part: &Part) -> Option<MarkOrder> {
    let over = part.span("over");
    let change = match (part.word("change")?, part.name("what")) {
        ("on", _) => MarkChange::State { to: Switch::On, over },
        ("off", _) => MarkChange::State { to: Switch::Off, over },
        ("text", Some(words)) => MarkChange::Text(words),
        ("at", Some(place)) if place == OWN_PLACE => MarkChange::Place { to: None, over },
        ("at", Some(place)) => MarkChange::Place { to: Some(At::parse(&place)?), over },
        _ => return None,
    };
    let when = by_word(MarkTime::ALL, MarkTime::WORDS, part.word("when")?)?;
    Some(MarkOrder { watermark: part.name("watermark")?, change, when })
}
