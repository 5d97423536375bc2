//! Who has a fault: lines, fillers and pushes of a show, by their names.

use super::model::{LineName, SinkName};
use super::table::{DISK, ENGINE, FILLER, Lines};
use crate::check::values::shown;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Camera, Channel, Input, Line, Name, Show, Target};
use crate::suggest::did_you_mean;

/// A subject as it was written: names with `/` between them.
pub(super) struct Subject<'a> {
    pub(super) show: &'a Show,
    pub(super) text: &'a str,
    pub(super) span: Span,
}

/// What a subject can be, by its looks and by the show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seems {
    Line,
    Filler,
    Push,
    Disk,
    Engine,
    Nothing,
}

impl Subject<'_> {
    fn parts(&self) -> Vec<&str> {
        self.text.split('/').collect()
    }

    /// What it most likely is; a camera's name goes before `disk` and `engine`.
    pub(super) fn seems(&self) -> Seems {
        let parts = self.parts();
        let first = parts.first().copied().unwrap_or_default();
        let is_line = self.show.camera(first).is_some_and(|camera| match parts[..] {
            [_] => true,
            [_, line] => camera.lines.iter().any(|l| l.name == line),
            _ => false,
        });
        let is_way = self.show.channel(first).is_some_and(|channel| {
            parts.get(1).is_some_and(|name| channel.egresses.iter().any(|e| e.name == *name))
        });
        match (self.text, is_line, is_way) {
            (_, true, _) => Seems::Line,
            (_, _, true) => Seems::Push,
            _ if parts.len() == 2 && first == FILLER => Seems::Filler,
            (DISK, ..) => Seems::Disk,
            (ENGINE, ..) => Seems::Engine,
            _ if self.show.camera(first).is_some() => Seems::Line,
            _ if self.show.channel(first).is_some() => Seems::Push,
            _ if self.show.filler(self.text).is_some() => Seems::Filler,
            _ => Seems::Nothing,
        }
    }

    fn unknown(&self, message: String, all: &[String]) -> Diagnostic {
        let legal = match listed(all) {
            Some(all) => format!("there are: {all}"),
            None => "there is none in this show".to_owned(),
        };
        let near = did_you_mean(self.text, all.iter().map(String::as_str));
        Diagnostic::error("undefined-name", self.span, format!("{message}; {legal}")).help_if(near)
    }

    fn none_sent(&self, of: &str, word: &str) -> Diagnostic {
        let message = format!("nothing is sent over {of}, so `{word}` cannot be; it is a file or drawn here");
        Diagnostic::error("not-sent", self.span, message)
            .help("legal there: lost, stall, freeze, black, silence")
    }

    /// The filler it means, `filler/standby`; where no camera is called so, its name alone will do.
    pub(super) fn filler(&self, which: Lines, word: &str) -> Result<Name, Diagnostic> {
        let name = match self.parts()[..] {
            [_, name] => name,
            _ => self.text,
        };
        match self.show.filler(name) {
            Some(_) if which == Lines::Sent => {
                Err(self.none_sent(&format!("filler `{}`", shown(name)), word))
            }
            Some(filler) => Ok(filler.name.clone()),
            None => {
                let all = self.show.fillers.iter().map(|filler| format!("{FILLER}/{}", filler.name));
                let all: Vec<_> = all.collect();
                Err(self.unknown(format!("there is no filler `{}`", shown(name)), &all))
            }
        }
    }

    /// The lines it means: one, or all of a camera's that can have such a fault.
    pub(super) fn lines(&self, which: Lines, word: &str) -> Result<Vec<LineName>, Diagnostic> {
        let can = |line: &&Line| which == Lines::Every || is_sent(&line.input);
        let name =
            |camera: &Camera, line: &Line| LineName { camera: camera.name.clone(), line: line.name.clone() };
        let all = |camera: &Camera| {
            camera.lines.iter().map(|line| name(camera, line).to_string()).collect::<Vec<_>>()
        };
        let none_sent = |of: &str| self.none_sent(of, word);
        match self.parts()[..] {
            [camera] => {
                let Some(camera) = self.show.camera(camera) else {
                    let names: Vec<_> = self.show.cameras.iter().map(|c| c.name.clone()).collect();
                    let message = format!("there is no camera `{}`", shown(camera));
                    return Err(self.unknown(message, &names));
                };
                let lines: Vec<_> = camera.lines.iter().filter(can).map(|line| name(camera, line)).collect();
                if lines.is_empty() {
                    return Err(none_sent(&format!("any line of camera `{}`", shown(&camera.name))));
                }
                Ok(lines)
            }
            [camera, line] => {
                let Some(camera) = self.show.camera(camera) else {
                    let all: Vec<_> = self.show.cameras.iter().flat_map(all).collect();
                    return Err(self.unknown(format!("there is no camera `{}`", shown(camera)), &all));
                };
                match camera.lines.iter().find(|l| l.name == line) {
                    None => {
                        let message =
                            format!("camera `{}` has no line `{}`", shown(&camera.name), shown(line));
                        Err(self.unknown(message, &all(camera)))
                    }
                    Some(line) if can(&line) => Ok(vec![name(camera, line)]),
                    Some(_) => Err(none_sent(&format!("`{}`", shown(self.text)))),
                }
            }
            _ => {
                let message = format!("`{word}` is of a line, `CAMERA/LINE`, not of `{}`", shown(self.text));
                Err(Diagnostic::error("bad-subject", self.span, message))
            }
        }
    }

    /// The push it means, or one rung of it.
    pub(super) fn sink(&self, word: &str) -> Result<SinkName, Diagnostic> {
        let parts = self.parts();
        let (name, egress, rung) = match parts[..] {
            [channel, egress] => (channel, egress, None),
            [channel, egress, rung] => (channel, egress, Some(rung)),
            _ => {
                let found = shown(self.text);
                let message = format!("`{word}` is of a push, `CHANNEL/EGRESS`, not of `{found}`");
                let pushes = pushes(self.show.channels.iter());
                let help = listed(&pushes).map(|pushes| format!("pushes of this show: {pushes}"));
                return Err(Diagnostic::error("bad-subject", self.span, message).help_if(help));
            }
        };
        let Some(channel) = self.show.channel(name) else {
            let message = format!("there is no channel `{}`", shown(name));
            return Err(self.unknown(message, &pushes(self.show.channels.iter())));
        };
        let all = pushes(std::iter::once(channel));
        let Some(way) = channel.egresses.iter().find(|e| e.name == egress) else {
            let message = format!("channel `{}` has no push `{}`", shown(name), shown(egress));
            return Err(self.unknown(message, &all));
        };
        if !matches!(way.target, Target::Push { .. }) {
            let message = format!("`{name}/{egress}` is no push, so `{word}` cannot happen to it");
            return Err(self.unknown(message, &all));
        }
        if let Some(rung) = rung {
            let rungs = self.show.ladder(&channel.ladder).into_iter().flat_map(|ladder| &ladder.rungs);
            let rungs: Vec<_> = rungs.map(|r| format!("{name}/{egress}/{}", r.name)).collect();
            if !rungs.iter().any(|full| full == self.text) {
                let message = format!("channel `{name}` has no rung `{}`", shown(rung));
                return Err(self.unknown(message, &rungs));
            }
        }
        Ok(SinkName {
            channel: channel.name.clone(),
            egress: way.name.clone(),
            rung: rung.map(str::to_owned),
        })
    }
}

/// Whether somebody sends it while the show runs.
fn is_sent(input: &Input) -> bool {
    match input {
        Input::Push { .. } | Input::Pull { .. } | Input::Device { .. } | Input::Source { .. } => true,
        Input::File { .. } | Input::Test { .. } | Input::Image { .. } => false,
    }
}

fn pushes<'a>(channels: impl Iterator<Item = &'a Channel>) -> Vec<String> {
    let of = |channel: &'a Channel| {
        let ways = channel.egresses.iter().filter(|e| matches!(e.target, Target::Push { .. }));
        ways.map(|e| format!("{}/{}", channel.name, e.name))
    };
    channels.flat_map(of).collect()
}

/// The first few of them; `None` for nothing.
pub(super) fn listed(all: &[String]) -> Option<String> {
    let mut few: Vec<_> = all.iter().take(8).map(|name| shown(name)).collect();
    if all.len() > few.len() {
        few.push("…".to_owned());
    }
    (!few.is_empty()).then(|| few.join(", "))
}
