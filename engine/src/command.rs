//! What a director asks of a running show, and the answers.

mod order;

use std::collections::{HashMap, VecDeque};

use media::Tick;
use pipeline_dsl::Switch;
use serde::{Deserialize, Serialize};

pub(crate) use crate::command::order::Order;

/// A command as it comes over the wire or from an integrator.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The client's own id: the same one again returns the first result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The channel; may be left out where the show has one. `line` and `scene` need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// What to do.
    #[serde(rename = "do")]
    pub verb: Verb,
    /// The camera or scene, for `cut`, `mix`, `wipe`, `dip`, `preview`, `gain` and `mute`; for `sound`, the
    /// one that is always heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// For `filler`, `mute` and `watermark` (`on`, `off`), `encrypt` (`on`, `off`, `rotate`), `sound` (`follow`),
    /// `plan` (`next`, `hold`, `go`, `skip`, `move`, `at`) and `reload` (`dry-run`: nothing is done).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How a `take` brings its source: `cut`, `mix`, `wipe` or `dip`; `cut` if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// How long a `mix`, `wipe` or `dip` takes; 500 ms if it is left out. How long a `watermark` fades or
    /// is on its way; at once if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_ms: Option<u32>,
    /// The edge a `wipe` begins at: `left`, `right`, `top` or `bottom`; `left` if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<String>,
    /// The colour a `dip` leads through, by name or `#rrggbb`; black if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// The scene that a `scene` command is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene: Option<String>,
    /// The layout it is given, over `over_ms`; a cut if that is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    /// Or the box of it whose level (`gain_db`) or mute (`state`) is set.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub scene_box: Option<String>,
    /// The channel's watermark that is switched (`state`), told other words (`text`) or put
    /// somewhere (`place`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<String>,
    /// What a text watermark says from now on, in up to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where a watermark stands from now on: `top-right`, `X,Y`, or `own` for its own place or path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// From when on: `now`, which is where it is left out, or `keyframe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The camera whose `line` is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    /// The line, or `auto` to leave it to the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// How loud a source is, in decibels, for `gain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain_db: Option<f64>,
    /// The cue that a `plan` command is about, by its place in the show file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cue: Option<u32>,
    /// The cue before which `plan move` puts it; last if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u32>,
    /// For `reload`: the text of the show file to go on with; the file that the show was started
    /// with, read again, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The show time `plan at` gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u32>,
    /// What the sender believes is on air; if it is not so, nothing is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
}

/// The verbs there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Verb {
    Cut,
    Mix,
    Wipe,
    Dip,
    Preview,
    Take,
    Filler,
    Sound,
    Gain,
    Mute,
    Scene,
    Line,
    Plan,
    Encrypt,
    Reload,
    Watermark,
}

impl Verb {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Mix => "mix",
            Self::Wipe => "wipe",
            Self::Dip => "dip",
            Self::Preview => "preview",
            Self::Take => "take",
            Self::Filler => "filler",
            Self::Sound => "sound",
            Self::Gain => "gain",
            Self::Mute => "mute",
            Self::Scene => "scene",
            Self::Line => "line",
            Self::Plan => "plan",
            Self::Encrypt => "encrypt",
            Self::Reload => "reload",
            Self::Watermark => "watermark",
        }
    }
}

/// Every verb, for messages.
pub(crate) const VERBS: [&str; 16] = [
    "cut",
    "mix",
    "wipe",
    "dip",
    "preview",
    "take",
    "filler",
    "sound",
    "gain",
    "mute",
    "scene",
    "line",
    "plan",
    "encrypt",
    "watermark",
    "reload",
];

/// A command that was carried out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ack {
    /// The command's id, if it had one.
    pub id: Option<String>,
    /// The status revision with it.
    pub revision: u64,
    /// The first frame it acted on.
    pub frame: u64,
    /// That frame's show time in seconds.
    pub t: f64,
    /// What is on air from that frame on.
    pub on_air: Option<String>,
    /// For `encrypt`: whether tags are encrypted from that frame on, a key frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypt: Option<Switch>,
    /// For `encrypt`: the id of the key that is, while it is on, or that will be once it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<u8>,
    /// For `reload`: what changed, or would change, step by step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<String>>,
    /// For `reload`: which version of the show file runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_revision: Option<u64>,
}

/// A command that was not carried out; nothing has changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// A stable name, e.g. `unknown-source`.
    pub code: String,
    /// For people.
    pub message: String,
    /// What would have been taken.
    pub legal: Vec<String>,
    /// For `reload`: what is wrong with the show file, and where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a show file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// Its line, from 1.
    pub line: u32,
    /// The character of that line, from 1.
    pub column: u32,
    /// What kind of thing, as `obvan check` calls it.
    pub code: String,
    /// For people.
    pub message: String,
    /// A way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl From<&pipeline_dsl::Diagnostic> for Problem {
    fn from(said: &pipeline_dsl::Diagnostic) -> Self {
        Self {
            line: said.span.line,
            column: said.span.column,
            code: said.code.to_owned(),
            message: said.message.clone(),
            help: said.help.clone(),
        }
    }
}

impl Refused {
    pub(crate) fn new(code: &str, message: impl Into<String>, legal: &[&str]) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            legal: legal.iter().map(|s| (*s).to_owned()).collect(),
            problems: Vec::new(),
        }
    }
}

impl From<scheduling::Refusal> for Refused {
    fn from(refusal: scheduling::Refusal) -> Self {
        Self {
            code: refusal.code.as_str().to_owned(),
            message: refusal.message,
            legal: refusal.legal,
            problems: Vec::new(),
        }
    }
}

/// The longest id in bytes.
const LONGEST_ID: usize = 128;

impl Command {
    /// A cut to `source` in the only channel.
    pub fn cut(source: impl Into<String>) -> Self {
        Self { source: Some(source.into()), ..Self::bare(Verb::Cut) }
    }
    /// The filler on or off in the only channel.
    pub fn filler(state: Switch) -> Self {
        let state = match state {
            Switch::On => "on",
            Switch::Off => "off",
        };
        Self { state: Some(state.to_owned()), ..Self::bare(Verb::Filler) }
    }
    /// A camera's line, in any channel; `None` leaves it to the rules.
    pub fn line(camera: impl Into<String>, line: Option<&str>) -> Self {
        let line = Some(line.unwrap_or(order::AUTO).to_owned());
        Self { camera: Some(camera.into()), line, ..Self::bare(Verb::Line) }
    }
    /// Another layout for a scene, cut.
    pub fn layout(scene: impl Into<String>, layout: impl Into<String>) -> Self {
        Self { scene: Some(scene.into()), layout: Some(layout.into()), ..Self::bare(Verb::Scene) }
    }
    /// The show file is read again, and the difference applied.
    pub const fn reload() -> Self {
        Self::bare(Verb::Reload)
    }
    /// A command of which nothing but the verb is said yet.
    pub const fn bare(verb: Verb) -> Self {
        Self {
            id: None,
            channel: None,
            verb,
            source: None,
            state: None,
            with: None,
            over_ms: None,
            edge: None,
            color: None,
            scene: None,
            layout: None,
            scene_box: None,
            watermark: None,
            text: None,
            place: None,
            when: None,
            camera: None,
            line: None,
            gain_db: None,
            cue: None,
            before: None,
            file: None,
            at_ms: None,
            expect: None,
        }
    }

    /// Ids are remembered, so they are short.
    pub(crate) fn check_id(&self) -> Result<(), Refused> {
        match &self.id {
            Some(id) if id.len() > LONGEST_ID => {
                let message = format!("`id` is {} bytes long", id.len());
                Err(Refused::new("bad-id", message, &["at most 128 bytes"]))
            }
            _ => Ok(()),
        }
    }
}

/// The result of a command.
pub(crate) type Outcome = Result<Ack, Refused>;

/// How many results are remembered for repeats.
const REMEMBERED: usize = 256;

/// The results of the latest commands by id, so that a repeat changes nothing.
#[derive(Default)]
pub(crate) struct Memory {
    results: HashMap<String, Outcome>,
    order: VecDeque<String>,
}

impl Memory {
    pub(crate) fn recall(&self, id: Option<&str>) -> Option<Outcome> {
        self.results.get(id?).cloned()
    }
    /// The newest of them, in the order they came.
    pub(crate) fn newest(&self, count: usize) -> Vec<(String, Outcome)> {
        let ids = self.order.iter().skip(self.order.len().saturating_sub(count));
        ids.filter_map(|id| Some((id.clone(), self.results.get(id)?.clone()))).collect()
    }
    pub(crate) fn keep(&mut self, id: Option<&str>, outcome: &Outcome) {
        let Some(id) = id else { return };
        if self.results.insert(id.to_owned(), outcome.clone()).is_none() {
            self.order.push_back(id.to_owned());
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.results.remove(&oldest);
        }
    }
}

/// A command on its way to the show's thread, and where the answer goes.
pub(crate) struct Asked {
    pub(crate) command: Command,
    pub(crate) answer: crossbeam_channel::Sender<Outcome>,
}

/// A command that the scheduler took and that acts at `tick`.
pub(crate) struct Taken {
    pub(crate) asked: Asked,
    /// Whoever sent the same id within the same tick.
    pub(crate) repeats: Vec<crossbeam_channel::Sender<Outcome>>,
    /// The channel it acts on, if it is about one.
    pub(crate) channel: Option<usize>,
    pub(crate) tick: Tick,
    pub(crate) cause: &'static str,
}

/// Lets a repeat of a command already taken in this tick wait for that one's result;
/// gives it back if it is no repeat.
pub(crate) fn join_repeat(taken: &mut [Taken], asked: Asked) -> Option<Asked> {
    let id = asked.command.id.as_deref();
    let first = taken.iter_mut().find(|t| id.is_some() && t.asked.command.id.as_deref() == id);
    match first {
        Some(first) => {
            first.repeats.push(asked.answer);
            None
        }
        None => Some(asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_is_the_contract() {
        let json = r#"{"id":"7","channel":"program","do":"cut","source":"karry","expect":"main"}"#;
        let command: Command = serde_json::from_str(json).unwrap();
        let cut = pipeline_dsl::Action::Cut { source: "karry".into() };
        assert_eq!(command.order().unwrap(), Order::Channel(cut.into()));
        assert_eq!(serde_json::to_string(&command).unwrap(), json);
    }

    #[test]
    fn every_verb_is_named() {
        for verb in VERBS {
            let read: Verb = serde_json::from_value(serde_json::json!(verb)).unwrap();
            assert_eq!(read.as_str(), verb);
        }
    }

    #[test]
    fn an_id_has_at_most_128_bytes() {
        let with = |len: usize| Command { id: Some("x".repeat(len)), ..Command::cut("a") };
        assert_eq!(with(128).check_id(), Ok(()));
        let refused = with(129).check_id().unwrap_err();
        assert_eq!((refused.code.as_str(), refused.legal), ("bad-id", vec!["at most 128 bytes".to_owned()]));
        assert_eq!(Command::cut("a").check_id(), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = Memory::default();
        for n in 0..1000 {
            memory.keep(Some(&n.to_string()), &Err(Refused::new("x", "y", &[])));
        }
        assert_eq!((memory.results.len(), memory.order.len()), (REMEMBERED, REMEMBERED));
        assert!(memory.recall(Some("999")).is_some() && memory.recall(Some("0")).is_none());
    }
}
