//! What a director asks of a running show, and the answers.

use std::collections::{HashMap, VecDeque};

use media::{Span, Tick};
use pipeline_dsl::{Action, Switch};
use serde::{Deserialize, Serialize};

/// A command as it comes over the wire or from an integrator.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The client's own id: the same one again returns the first result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The channel; may be left out where the show has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// What to do.
    #[serde(rename = "do")]
    pub verb: Verb,
    /// The camera, for `cut` and `mix`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// For `filler` (`on`, `off`) and `encrypt` (`on`, `off`, `rotate`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How long a `mix` takes; 500 ms if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_ms: Option<u32>,
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
    Filler,
    Encrypt,
}

/// Every verb, for messages.
pub(crate) const VERBS: [&str; 4] = ["cut", "mix", "filler", "encrypt"];

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
}

impl Refused {
    pub(crate) fn new(code: &str, message: impl Into<String>, legal: &[&str]) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            legal: legal.iter().map(|s| (*s).to_owned()).collect(),
        }
    }
}

impl From<scheduling::Refusal> for Refused {
    fn from(refusal: scheduling::Refusal) -> Self {
        Self { code: refusal.code.as_str().to_owned(), message: refusal.message, legal: refusal.legal }
    }
}

/// The longest id in bytes.
const LONGEST_ID: usize = 128;

/// A mix's length where none is given, and its legal range in milliseconds.
const MIX_MS: u32 = 500;
const MIX_RANGE_MS: std::ops::RangeInclusive<u32> = 1..=60_000;

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
    fn bare(verb: Verb) -> Self {
        Self { id: None, channel: None, verb, source: None, state: None, over_ms: None, expect: None }
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

    /// What the scheduler is to do.
    pub(crate) fn action(&self) -> Result<Action, Refused> {
        let source = || {
            let missing = || Refused::new("missing-source", "this command needs a `source`", &[]);
            self.source.clone().ok_or_else(missing)
        };
        let state = |legal: &[&str]| match self.state.as_deref() {
            Some(state) if legal.contains(&state) => Ok(state.to_owned()),
            Some(state) => Err(Refused::new("bad-state", format!("`state` is {state:?}"), legal)),
            None => Err(Refused::new("missing-state", "this command needs a `state`", legal)),
        };
        let switch = |word: &str| if word == "on" { Switch::On } else { Switch::Off };
        Ok(match self.verb {
            Verb::Cut => Action::Cut { source: source()? },
            Verb::Mix => {
                let ms = self.over_ms.unwrap_or(MIX_MS);
                if !MIX_RANGE_MS.contains(&ms) {
                    return Err(Refused::new("bad-length", format!("`over_ms` is {ms}"), &["1 to 60000"]));
                }
                Action::Mix { source: source()?, over: Span::from_millis(ms.into()) }
            }
            Verb::Filler => Action::Filler(switch(&state(&["on", "off"])?)),
            Verb::Encrypt => match state(&["on", "off", "rotate"])?.as_str() {
                "rotate" => Action::EncryptRotate,
                word => Action::Encrypt(switch(word)),
            },
        })
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
    pub(crate) channel: usize,
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
        assert_eq!(command.action().unwrap(), Action::Cut { source: "karry".into() });
        assert_eq!(serde_json::to_string(&command).unwrap(), json);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_with_what_is_legal() {
        let filler: Command = serde_json::from_str(r#"{"do":"filler","state":"maybe"}"#).unwrap();
        let refused = filler.action().unwrap_err();
        assert_eq!((refused.code.as_str(), refused.legal), ("bad-state", vec!["on".into(), "off".into()]));
        let mix: Command = serde_json::from_str(r#"{"do":"mix","source":"a","over_ms":0}"#).unwrap();
        assert_eq!(mix.action().unwrap_err().code, "bad-length");
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
