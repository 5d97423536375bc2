//! Copied rungs: what would change the camera's own pictures, or has none, excludes them.

use crate::check::names::Index;
use crate::check::part::Part;
use crate::check::values::shown;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::grammar::Sort;

/// Cues that make a picture of two.
const BLENDS: [&str; 3] = ["mix", "wipe", "dip"];
/// Lines that bring no AVC or HEVC.
const UNCODED: [&str; 2] = ["test", "device"];

pub(crate) fn check(index: &Index<'_>, sink: &mut Sink) {
    for ladder in index.show.all("ladder") {
        once(ladder, sink);
    }
    for channel in index.show.all("channel") {
        let ladder = channel.one("ladder").and_then(|part| index.named_by(part, Sort::Ladder, "ladder"));
        let Some(rung) = ladder.and_then(copied) else { continue };
        let mut said = Said { channel, rung: rung.word, sink: &mut *sink };
        said.watermarks();
        said.sources(index);
        said.cues(index);
    }
}

/// The rung of a ladder that is copied.
fn copied(ladder: &Part) -> Option<&Part> {
    ladder.all("rung").find(|rung| rung.form.is_some())
}

fn once(ladder: &Part, sink: &mut Sink) {
    let mut copied = ladder.all("rung").filter(|rung| rung.form.is_some());
    let Some(first) = copied.next() else { return };
    for second in copied {
        let message = "this ladder has a copied rung already, and the camera has its pictures only once";
        sink.push(
            Diagnostic::error("second-copy", second.word, message).label(first.word, "the first one is here"),
        );
    }
}

/// A channel with a copied rung, and what is said of it.
struct Said<'a> {
    channel: &'a Part,
    rung: Span,
    sink: &'a mut Sink,
}

impl Said<'_> {
    fn excluded(&mut self, at: Span, message: String, help: &str) {
        let said = Diagnostic::error("not-copied", at, message).label(self.rung, "the copied rung is here");
        self.sink.push(said.help(help));
    }

    fn name(&self) -> String {
        shown(self.channel.called().unwrap_or_default())
    }

    fn watermarks(&mut self) {
        let channel = self.channel;
        for mark in channel.all("watermark") {
            let message = format!("nothing can be drawn on pictures that `{}` only copies", self.name());
            let help =
                "legal with a copied rung: no `watermark`; or give the channel a ladder without `copy`";
            self.excluded(mark.span_of("watermark"), message, help);
        }
    }

    fn sources(&mut self, index: &Index<'_>) {
        let channel = self.channel;
        for (name, at) in channel.all("sources").flat_map(|part| part.names("source")) {
            if index.find(Sort::Scene, name).is_some() {
                let message =
                    format!("`{}` is a scene: its picture is made here, and none to copy", shown(name));
                self.excluded(at, message, "legal with a copied rung: cameras");
                continue;
            }
            let lines = index.find(Sort::Camera, name).into_iter().flat_map(|camera| camera.all("line"));
            let uncoded = lines.filter_map(|line| Some((line.called()?, line.form?.word)));
            let uncoded: Vec<_> = uncoded.filter(|(_, word)| UNCODED.contains(word)).collect();
            for (line, word) in uncoded {
                let message = format!(
                    "line `{}` of `{}` brings no AVC or HEVC to copy: it is a `{word}`",
                    shown(line),
                    shown(name)
                );
                self.excluded(at, message, "legal with a copied rung: lines of push, pull, file, source");
            }
        }
    }

    fn cues(&mut self, index: &Index<'_>) {
        let name = self.channel.called().map(str::to_owned);
        let own = index.show.all("rundown").filter(|rundown| rundown.name("channel") == name);
        for cue in own.flat_map(|rundown| &rundown.parts) {
            let Some(word) = cue.form.map(|form| form.word).filter(|word| BLENDS.contains(word)) else {
                continue;
            };
            let message =
                format!("a {word} is a picture of two, and `{}` only copies a camera's", self.name());
            self.excluded(
                cue.span_of("source"),
                message,
                "legal with a copied rung: cut, filler, encrypt, end",
            );
        }
    }
}
