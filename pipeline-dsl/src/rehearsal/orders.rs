//! Commands of a fault script: `at 12s cut karry`.
//!
//! They are read by the show file's own rules, as a node of a rundown would be.

use super::line::Piece;
use super::order::{Ask, Order, PlanStep, TimedOrder};
use super::subject::listed;
use super::table::AT;
use super::{AUTO, RELOAD};
use crate::check::build::{action, by_word};
use crate::check::marks;
use crate::check::part::Part;
use crate::check::values::shown;
use crate::check::{Refer, single};
use crate::diagnostic::{Diagnostic, Sink};
use crate::grammar::Sort;
use crate::model::{Action, Channel, Edge, Follow, SceneOrder, Show, Switch, Transition};
use crate::suggest::did_you_mean;
use crate::syntax::{Atom, Node, Reading};

/// The command of a line that begins with `at`; what is wrong has been said where there is none.
pub(super) fn order(show: &Show, at: &Atom, pieces: &[Piece], sink: &mut Sink) -> Option<TimedOrder> {
    let before = sink.errors();
    let node = node(at, pieces, sink)?;
    let (part, refers) = single(&AT, &node, sink);
    for refer in &refers {
        defined(show, refer, sink);
    }
    if sink.errors() > before {
        return None;
    }
    match checked(show, &part) {
        Ok(order) => Some(TimedOrder { at: part.time("time")?, order }),
        Err(said) => {
            sink.push(*said);
            None
        }
    }
}

fn node(at: &Atom, pieces: &[Piece], sink: &mut Sink) -> Option<Node> {
    let mut node = Node {
        word: at.clone(),
        args: Vec::new(),
        keys: Vec::new(),
        block: None,
        comment: None,
        span: pieces.last().map_or(at.span, |last| at.span.to(last.span())),
        reading: Reading::Whole,
    };
    for piece in pieces {
        match piece {
            Piece::Pair(pair) => node.keys.push(pair.clone()),
            Piece::Word(atom) if node.keys.is_empty() => node.args.push(atom.clone()),
            Piece::Word(atom) => {
                let message = format!("`{}` stands after a key", shown(&atom.text));
                let said = Diagnostic::error("argument-after-key", atom.span, message);
                sink.push(said.help("legal: `at TIME COMMAND… key=value…`, the arguments first"));
                return None;
            }
        }
    }
    Some(node)
}

/// Says of a name that the show does not have it.
fn defined(show: &Show, refer: &Refer, sink: &mut Sink) {
    let names: Vec<String> = match refer.sort {
        Sort::Channel => show.channels.iter().map(|c| c.name.clone()).collect(),
        Sort::Watermark => show.watermarks.iter().map(|w| w.name.clone()).collect(),
        Sort::Scene => show.scenes.iter().map(|s| s.name.clone()).collect(),
        Sort::Source => {
            let cameras = show.cameras.iter().map(|c| c.name.clone());
            cameras.chain(show.scenes.iter().map(|s| s.name.clone())).collect()
        }
        _ => show.cameras.iter().map(|c| c.name.clone()).collect(),
    };
    if names.contains(&refer.name) {
        return;
    }
    let legal = listed(&names).map_or_else(|| "there is none".to_owned(), |all| format!("there are: {all}"));
    let message = format!("there is no {} `{}`; {legal}", refer.sort.word(), shown(&refer.name));
    let near = did_you_mean(&refer.name, names.iter().map(String::as_str));
    sink.push(Diagnostic::error("undefined-name", refer.span, message).help_if(near));
}

type Wrong<T> = super::read::Wrong<T>;

fn wrong<T>(code: &'static str, part: &Part, slot: &str, message: impl Into<String>) -> Wrong<T> {
    Err(Box::new(Diagnostic::error(code, part.span_of(slot), message)))
}

/// Something that the reading before has made sure of.
fn unread(part: &Part) -> Box<Diagnostic> {
    Box::new(Diagnostic::error("missing-argument", part.word, "this command is not complete"))
}

fn checked(show: &Show, part: &Part) -> Wrong<Order> {
    let form = part.form.ok_or_else(|| unread(part))?.word;
    if form == "line" {
        return line(show, part);
    }
    if form == RELOAD {
        return reload(part);
    }
    let channel = channel(show, part)?;
    let source = || -> Wrong<String> {
        let name = part.name("source").ok_or_else(|| unread(part))?;
        if channel.sources.contains(&name) {
            return Ok(name);
        }
        let message = format!(
            "`{}` is not a source of channel `{}`; legal: {}",
            shown(&name),
            shown(&channel.name),
            listed(&channel.sources).unwrap_or_default()
        );
        wrong("not-a-source", part, "source", message)
    };
    let ask = match form {
        "preview" => Ask::Preview { source: source()? },
        "take" => Ask::Take(take(part).ok_or_else(|| unread(part))?),
        "sound" => match (part.word("whose"), part.name("source")) {
            (Some("follow"), None) => Ask::Sound(Follow::Picture),
            (Some("follow"), Some(_)) => {
                return wrong("extra-argument", part, "source", "`sound follow` is of no one source");
            }
            (_, None) => {
                return wrong("missing-argument", part, "whose", "`sound hold` does not say whose: a source");
            }
            _ => Ask::Sound(Follow::Source(source()?)),
        },
        "gain" => {
            let by = part.level("gain").ok_or_else(|| unread(part))?;
            Ask::Gain { source: source()?, by }
        }
        "mute" => {
            let state = if part.word("state") == Some("on") { Switch::On } else { Switch::Off };
            Ask::Mute { source: source()?, state }
        }
        "plan" => Ask::Plan(plan(show, channel, part)?),
        _ => {
            if form == "watermark"
                && let Some(said) = marks::refuse(part, &marks::drawn(show, channel), &channel.name)
            {
                return Err(Box::new(said));
            }
            let action = action(part).ok_or_else(|| unread(part))?;
            if action.source().is_some() {
                source()?;
            }
            possible(show, channel, part, &action)?;
            Ask::Do(action)
        }
    };
    Ok(Order::Channel { channel: channel.name.clone(), ask })
}

/// The channel that is named, or the only one.
fn channel<'s>(show: &'s Show, part: &Part) -> Wrong<&'s Channel> {
    let named = part.name("channel").and_then(|name| show.channel(&name));
    match (named, show.channels.as_slice()) {
        (Some(channel), _) | (None, [channel]) => Ok(channel),
        (None, all) => {
            let names: Vec<_> = all.iter().map(|c| c.name.clone()).collect();
            let names = listed(&names).unwrap_or_default();
            let message = format!("say of which channel, with `channel=`; legal: {names}");
            wrong("missing-key", part, "channel", message)
        }
    }
}

fn line(show: &Show, part: &Part) -> Wrong<Order> {
    let (Some(name), Some(line)) = (part.name("camera"), part.name("line")) else {
        return Err(unread(part));
    };
    if part.name("channel").is_some() {
        let message = "a line is its camera's, whatever channel shows it";
        return wrong("unknown-key", part, "channel", message);
    }
    let lines = show.camera(&name).map_or(&[][..], |camera| &camera.lines);
    let is_auto = line == AUTO;
    if !is_auto && !lines.iter().any(|l| l.name == line) {
        let names: Vec<_> = lines.iter().map(|l| l.name.clone()).chain([AUTO.to_owned()]).collect();
        let legal = listed(&names).unwrap_or_default();
        let message = format!("camera `{}` has no line `{}`; legal: {legal}", shown(&name), shown(&line));
        let near = did_you_mean(&line, names.iter().map(String::as_str));
        let said = Diagnostic::error("undefined-name", part.span_of("line"), message);
        return Err(Box::new(said.help_if(near)));
    }
    Ok(Order::Line { camera: name, line: Some(line).filter(|_| !is_auto) })
}

fn reload(part: &Part) -> Wrong<Order> {
    if part.name("channel").is_some() {
        return wrong("unknown-key", part, "channel", "a show file is that of all channels");
    }
    Ok(Order::Reload { file: part.text("file").ok_or_else(|| unread(part))? })
}

fn take(part: &Part) -> Option<Transition> {
    let over = part.span("over")?;
    Some(match part.word("with")? {
        "cut" => Transition::Cut,
        "mix" => Transition::Mix { over },
        "wipe" => Transition::Wipe { over, from: by_word(Edge::ALL, Edge::WORDS, part.word("from")?)? },
        _ => Transition::Dip { over, color: part.color("color")? },
    })
}

fn plan(show: &Show, channel: &Channel, part: &Part) -> Wrong<PlanStep> {
    let step = part.word("step").ok_or_else(|| unread(part))?;
    let (cue, time, before) = (part.number("cue"), part.time("to"), part.number("before"));
    let takes = |cue: Option<u32>| match cue {
        Some(cue) => Ok(cue),
        None => wrong("missing-argument", part, "step", format!("`plan {step}` does not say which cue")),
    };
    let cues = show.rundown(&channel.name).map_or(0, |rundown| rundown.cues.len());
    for (slot, number) in [("cue", cue), ("before", before)] {
        if number.is_some_and(|n| usize::try_from(n).is_ok_and(|n| n > cues)) {
            let message = match cues {
                0 => format!("channel `{}` has no rundown", shown(&channel.name)),
                1 => format!("the rundown of `{}` has one cue", shown(&channel.name)),
                n => format!("the rundown of `{}` has cues 1 to {n}", shown(&channel.name)),
            };
            return wrong("out-of-range", part, slot, message);
        }
    }
    let extra = match step {
        "next" | "hold" | "go" => [("cue", cue.is_some()), ("before", before.is_some())],
        "skip" => [("to", time.is_some()), ("before", before.is_some())],
        "move" => [("to", time.is_some()), ("to", false)],
        _ => [("before", before.is_some()), ("before", false)],
    };
    if let Some((slot, _)) = extra.into_iter().find(|(_, is_there)| *is_there) {
        return wrong(
            "extra-argument",
            part,
            slot,
            format!("`plan {step}` takes no {}", if slot == "to" { "time" } else { slot }),
        );
    }
    Ok(match step {
        "next" => PlanStep::Next,
        "hold" => PlanStep::Hold,
        "go" => PlanStep::Go,
        "skip" => PlanStep::Skip { cue: takes(cue)? },
        "move" => PlanStep::Move { cue: takes(cue)?, before },
        _ => match (takes(cue)?, time) {
            (cue, Some(time)) => PlanStep::At { cue, time },
            _ => return wrong("missing-argument", part, "cue", "`plan at` does not say the cue's new time"),
        },
    })
}

/// What the channel has nothing for.
fn possible(show: &Show, channel: &Channel, part: &Part, action: &Action) -> Wrong<()> {
    match action {
        Action::Filler(_) if channel.filler.is_none() => {
            let message = format!("channel `{}` has no filler to switch", shown(&channel.name));
            wrong("no-filler", part, "state", message)
        }
        Action::Encrypt(_) | Action::EncryptRotate => {
            let Some(encrypt) = &channel.encrypt else {
                let message = format!("channel `{}` has no key to encrypt with", shown(&channel.name));
                return wrong("no-encrypt", part, "state", message);
            };
            let ring = show.keys.iter().find(|ring| ring.name == encrypt.key);
            if *action == Action::EncryptRotate && ring.is_some_and(|ring| ring.keys.len() < 2) {
                let message = format!("key ring `{}` has no next key to rotate to", shown(&encrypt.key));
                return wrong("no-next-key", part, "state", message);
            }
            Ok(())
        }
        Action::Scene { scene, order } => {
            let Some(scene) = show.scene(scene) else { return Err(unread(part)) };
            let (kind, name, legal): (_, _, Vec<String>) = match order {
                SceneOrder::Layout { layout, .. } => {
                    ("layout", layout, show.scene_layouts().map(str::to_owned).collect())
                }
                SceneOrder::Level { name, .. } | SceneOrder::Mute { name, .. } => {
                    ("box", name, scene.boxes.iter().map(|part| part.name.clone()).collect())
                }
            };
            if legal.contains(name) {
                return Ok(());
            }
            let message = format!("there is no {kind} `{}`; there are: {}", shown(name), legal.join(", "));
            wrong("undefined-name", part, "which", message)
        }
        _ => Ok(()),
    }
}
