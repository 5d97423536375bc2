//! What a channel may do without: rungs that its ladder has.

use crate::check::names::Index;
use crate::check::part::Part;
use crate::check::values::shown;
use crate::diagnostic::{Diagnostic, Sink};
use crate::grammar::Sort;
use crate::suggest::nearest;

/// The rungs a message names at the most.
const TOLD: usize = 8;

pub(crate) fn check(index: &Index<'_>, sink: &mut Sink) {
    for channel in index.show.all("channel") {
        let Some(part) = channel.one("ladder") else { continue };
        let Some(shed) = part.list("shed") else { continue };
        let Some(ladder) = index.named_by(part, Sort::Ladder, "ladder") else { continue };
        let rungs: Vec<&Part> = ladder.all("rung").collect();
        let names: Vec<&str> = rungs.iter().filter_map(|rung| rung.called()).collect();
        let span = part.span_of("shed");
        let place = |name: &str| rungs.iter().find(|rung| rung.called() == Some(name));
        for name in shed.iter().filter(|name| place(name).is_none()) {
            let mut told: Vec<_> = names.iter().take(TOLD).map(|name| shown(name)).collect();
            if names.len() > TOLD {
                told.push("…".to_owned());
            }
            let message =
                format!("this ladder has no rung `{}`; there are: {}", shown(name), told.join(", "));
            let said = Diagnostic::error("undefined-name", span, message);
            sink.push(match nearest(name, names.iter().copied()) {
                Some(near) => match place(near) {
                    Some(rung) => said
                        .help(format!("did you mean `{near}`?"))
                        .label(rung.span_of("name"), format!("`{near}` is defined here")),
                    None => said.help(format!("did you mean `{near}`?")),
                },
                None => said,
            });
        }
        for rung in rungs.iter().filter(|rung| rung.form.is_some()) {
            let Some(name) = rung.called().filter(|name| shed.iter().any(|gone| gone == name)) else {
                continue;
            };
            let message = format!("rung `{}` is copied: it costs nothing, and cannot rest", shown(name));
            let said = Diagnostic::error("shed-copy", span, message);
            sink.push(said.label(rung.word, "it is copied here").help("leave it out"));
        }
        if !names.is_empty() && names.iter().all(|name| shed.iter().any(|gone| gone == name)) {
            let message = "all rungs of this channel may rest: its viewers would have its sound alone";
            let help = "leave one out, the smallest for the least CPU";
            sink.push(Diagnostic::warning("shed-all", span, message).help(help));
        }
    }
}
