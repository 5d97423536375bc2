//! A command read: what is missing or wrong in it is told with what is legal.

use media::{Span, Time};
use pipeline_dsl::{
    Action, Anchor, At, Edge, MarkChange, MarkOrder, MarkTime, OWN_PLACE, Rgb, SceneOrder, Switch,
};
use scheduling::{CueNumber, Follow, Gain, PlanOrder, Transition};

use super::{Command, Refused, Verb};

/// A transition's length where none is given, and its legal range in milliseconds.
const OVER_MS: u32 = 500;
const OVER_RANGE_MS: std::ops::RangeInclusive<u32> = 1..=60_000;

/// The word for no line in particular.
pub(super) const AUTO: &str = "auto";

/// The longest words a watermark is told, in characters.
const MOST_WORDS: usize = 200;

/// Words that can be drawn.
fn words(text: &str) -> Result<String, Refused> {
    let fine = |c: char| c == '\n' || !c.is_control();
    if text.trim().is_empty() || text.chars().count() > MOST_WORDS || !text.chars().all(fine) {
        let legal = ["1 to 200 characters, no control characters but newlines"];
        return Err(Refused::new("bad-text", "`text` cannot be drawn", &legal));
    }
    Ok(text.to_owned())
}

/// What a command asks for.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Order {
    /// Something of one channel.
    Channel(scheduling::Command),
    /// A camera's line; `None` leaves it to the rules.
    Line { camera: String, line: Option<String> },
    /// Something of a scene, whatever channels show it.
    Scene { scene: String, order: SceneOrder },
}

impl Command {
    /// What is to be done.
    pub(crate) fn order(&self) -> Result<Order, Refused> {
        let switch = |word: &str| if word == "on" { Switch::On } else { Switch::Off };
        let on_off = || Ok::<_, Refused>(switch(self.state(&["on", "off"])?));
        Ok(Order::Channel(match self.verb {
            Verb::Cut => Transition::Cut.to(self.source()?).into(),
            Verb::Mix => self.transition("mix")?.to(self.source()?).into(),
            Verb::Wipe => self.transition("wipe")?.to(self.source()?).into(),
            Verb::Dip => self.transition("dip")?.to(self.source()?).into(),
            Verb::Preview => scheduling::Command::Preview { source: self.source()? },
            Verb::Take => {
                let with = self.with.as_deref().unwrap_or("cut");
                scheduling::Command::Take(self.transition(with)?)
            }
            Verb::Filler => Action::Filler(on_off()?).into(),
            Verb::Encrypt => match self.state(&["on", "off", "rotate"])? {
                "rotate" => Action::EncryptRotate.into(),
                word => Action::Encrypt(switch(word)).into(),
            },
            Verb::Sound => scheduling::Command::Sound(match &self.source {
                Some(source) => Follow::Source(source.clone()),
                None => {
                    self.state(&["follow"])?;
                    Follow::Picture
                }
            }),
            Verb::Gain => scheduling::Command::Gain { source: self.source()?, gain: self.gain()? },
            Verb::Mute => scheduling::Command::Mute { source: self.source()?, mute: on_off()? },
            Verb::Scene => {
                let missing = || Refused::new("missing-scene", "this command needs a `scene`", &[]);
                let scene = self.scene.clone().ok_or_else(missing)?;
                return Ok(Order::Scene { scene, order: self.scene_order()? });
            }
            Verb::Watermark => Action::Watermark(self.mark_order()?).into(),
            Verb::Plan => scheduling::Command::Plan(self.plan()?),
            Verb::Reload => {
                // It is arranged before it comes to a tick.
                return Err(Refused::new("not-reloadable", "the show file cannot be reloaded here", &[]));
            }
            Verb::Line => {
                let missing = |what: &str| {
                    Refused::new(&format!("missing-{what}"), format!("`line` needs a `{what}`"), &[])
                };
                let camera = self.camera.clone().ok_or_else(|| missing("camera"))?;
                let line = self.line.clone().ok_or_else(|| missing("line"))?;
                return Ok(Order::Line { camera, line: Some(line).filter(|line| line != AUTO) });
            }
        }))
    }

    fn source(&self) -> Result<String, Refused> {
        let missing = || Refused::new("missing-source", "this command needs a `source`", &[]);
        self.source.clone().ok_or_else(missing)
    }

    fn state(&self, legal: &[&str]) -> Result<&str, Refused> {
        match self.state.as_deref() {
            Some(state) if legal.contains(&state) => Ok(state),
            Some(state) => Err(Refused::new("bad-state", format!("`state` is {state:?}"), legal)),
            None => Err(Refused::new("missing-state", "this command needs a `state`", legal)),
        }
    }

    fn over(ms: u32) -> Result<Span, Refused> {
        match OVER_RANGE_MS.contains(&ms) {
            true => Ok(Span::from_millis(ms.into())),
            false => Err(Refused::new("bad-length", format!("`over_ms` is {ms}"), &["1 to 60000"])),
        }
    }

    /// One thing of a scene: its layout, or the level or mute of one of its boxes.
    fn scene_order(&self) -> Result<SceneOrder, Refused> {
        let what = |code, message| Err(Refused::new(code, message, &["layout", "box"]));
        match (&self.layout, &self.scene_box) {
            (Some(layout), None) => {
                let over = self.over_ms.map(Self::over).transpose()?;
                Ok(SceneOrder::Layout { layout: layout.clone(), over })
            }
            (None, Some(name)) => match (self.gain_db, &self.state) {
                (Some(_), None) => Ok(SceneOrder::Level { name: name.clone(), level: self.gain()? }),
                (None, Some(_)) => {
                    let mute = if self.state(&["on", "off"])? == "on" { Switch::On } else { Switch::Off };
                    Ok(SceneOrder::Mute { name: name.clone(), mute })
                }
                _ => {
                    let message = "a box takes either a level (`gain_db`) or a mute (`state`)";
                    Err(Refused::new("missing-gain", message, &["gain_db", "state"]))
                }
            },
            (None, None) => what("missing-layout", "this command needs a `layout` or a `box`"),
            (Some(_), Some(_)) => what("bad-scene", "a command is about a `layout` or a `box`, not both"),
        }
    }

    /// One thing of a watermark: whether it is shown, what it says, or where it stands.
    fn mark_order(&self) -> Result<MarkOrder, Refused> {
        let legal = ["state", "text", "place"];
        let missing = || Refused::new("missing-watermark", "this command needs a `watermark`", &[]);
        let watermark = self.watermark.clone().ok_or_else(missing)?;
        let over = self.over_ms.map(Self::over).transpose()?;
        let change = match (&self.state, &self.text, &self.place) {
            (Some(_), None, None) => {
                let to = if self.state(&["on", "off"])? == "on" { Switch::On } else { Switch::Off };
                MarkChange::State { to, over }
            }
            (None, Some(_), None) if over.is_some() => {
                let message = "a text changes at once: `over_ms` says nothing of it";
                return Err(Refused::new("bad-watermark", message, &["state", "place"]));
            }
            (None, Some(text), None) => MarkChange::Text(words(text)?),
            (None, None, Some(place)) if place == OWN_PLACE => MarkChange::Place { to: None, over },
            (None, None, Some(place)) => {
                let bad = || {
                    let legal: Vec<&str> = Anchor::WORDS.into_iter().chain(["X,Y", OWN_PLACE]).collect();
                    Refused::new("bad-place", format!("`place` is {place:?}"), &legal)
                };
                MarkChange::Place { to: Some(At::parse(place).ok_or_else(bad)?), over }
            }
            (None, None, None) => {
                let message = "this command needs a `state`, a `text` or a `place`";
                return Err(Refused::new("missing-change", message, &legal));
            }
            _ => {
                let message = "a command changes one thing of a watermark";
                return Err(Refused::new("bad-watermark", message, &legal));
            }
        };
        let when = match self.when.as_deref() {
            None => MarkTime::Now,
            Some(word) => {
                let bad = || Refused::new("bad-when", format!("`when` is {word:?}"), &MarkTime::WORDS);
                MarkTime::ALL.into_iter().find(|when| when.as_str() == word).ok_or_else(bad)?
            }
        };
        Ok(MarkOrder { watermark, change, when })
    }

    fn transition(&self, with: &str) -> Result<Transition, Refused> {
        let over = || Self::over(self.over_ms.unwrap_or(OVER_MS));
        match with {
            "cut" => Ok(Transition::Cut),
            "mix" => Ok(Transition::Mix { over: over()? }),
            "wipe" => {
                let word = self.edge.as_deref().unwrap_or("left");
                let edge = Edge::ALL.into_iter().find(|edge| edge.as_str() == word);
                let bad = || Refused::new("bad-edge", format!("`edge` is {word:?}"), &Edge::WORDS);
                Ok(Transition::Wipe { over: over()?, from: edge.ok_or_else(bad)? })
            }
            "dip" => {
                let word = self.color.as_deref().unwrap_or("black");
                let bad = || Refused::new("bad-color", format!("`color` is {word:?}"), &["#rrggbb", "black"]);
                Ok(Transition::Dip { over: over()?, color: Rgb::parse(word).ok_or_else(bad)? })
            }
            other => {
                let legal = ["cut", "mix", "wipe", "dip"];
                Err(Refused::new("bad-transition", format!("`with` is {other:?}"), &legal))
            }
        }
    }

    fn gain(&self) -> Result<Gain, Refused> {
        let legal = [Gain::LEGAL];
        let Some(db) = self.gain_db else {
            return Err(Refused::new("missing-gain", "this command needs a `gain_db`", &legal));
        };
        // The cast saturates, and what is no number is out of range as well.
        let tenths = if db.is_nan() { i16::MAX } else { (db * 10.0).round() as i16 };
        Gain::from_tenths(tenths)
            .ok_or_else(|| Refused::new("bad-gain", format!("`gain_db` is {db}"), &legal))
    }

    fn plan(&self) -> Result<PlanOrder, Refused> {
        let cue = || {
            let missing = || Refused::new("missing-cue", "this command needs a `cue`, by its number", &[]);
            self.cue.map(CueNumber).ok_or_else(missing)
        };
        Ok(match self.state(&["next", "hold", "go", "skip", "move", "at"])? {
            "next" => PlanOrder::Next,
            "hold" => PlanOrder::Hold,
            "go" => PlanOrder::Go,
            "skip" => PlanOrder::Skip(cue()?),
            "move" => PlanOrder::Move { cue: cue()?, before: self.before.map(CueNumber) },
            _ => {
                let missing = || Refused::new("missing-time", "`plan at` needs an `at_ms`", &[]);
                let at = Time::from_millis(self.at_ms.ok_or_else(missing)?.into());
                PlanOrder::Retime { cue: cue()?, at }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Order, Refused> {
        serde_json::from_str::<Command>(json).unwrap().order()
    }
    fn code(json: &str) -> String {
        read(json).unwrap_err().code
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_with_what_is_legal() {
        let refused = read(r#"{"do":"filler","state":"maybe"}"#).unwrap_err();
        assert_eq!((refused.code.as_str(), refused.legal), ("bad-state", vec!["on".into(), "off".into()]));
        assert_eq!(code(r#"{"do":"mix","source":"a","over_ms":0}"#), "bad-length");
        assert_eq!(code(r#"{"do":"take","with":"fade"}"#), "bad-transition");
        assert_eq!(code(r#"{"do":"wipe","source":"a","edge":"middle"}"#), "bad-edge");
        assert_eq!(code(r##"{"do":"dip","source":"a","color":"#12"}"##), "bad-color");
        assert_eq!(code(r#"{"do":"gain","source":"a"}"#), "missing-gain");
        assert_eq!(code(r#"{"do":"gain","source":"a","gain_db":1e9}"#), "bad-gain");
        assert_eq!(code(r#"{"do":"line","camera":"a"}"#), "missing-line");
        assert_eq!(code(r#"{"do":"plan","state":"skip"}"#), "missing-cue");
        assert_eq!(code(r#"{"do":"plan","state":"at","cue":1}"#), "missing-time");
        assert_eq!(code(r#"{"do":"scene","layout":"pip"}"#), "missing-scene");
        assert_eq!(code(r#"{"do":"scene","scene":"duo"}"#), "missing-layout");
        assert_eq!(code(r#"{"do":"scene","scene":"duo","layout":"a","box":"b"}"#), "bad-scene");
        assert_eq!(code(r#"{"do":"scene","scene":"duo","box":"b"}"#), "missing-gain");
        assert_eq!(code(r#"{"do":"scene","scene":"duo","box":"b","gain_db":13}"#), "bad-gain");
        assert_eq!(code(r#"{"do":"scene","scene":"duo","box":"b","state":"soft"}"#), "bad-state");
        assert_eq!(code(r#"{"do":"scene","scene":"duo","layout":"a","over_ms":0}"#), "bad-length");
        assert_eq!(code(r#"{"do":"watermark","state":"on"}"#), "missing-watermark");
        assert_eq!(code(r#"{"do":"watermark","watermark":"bug"}"#), "missing-change");
        assert_eq!(code(r#"{"do":"watermark","watermark":"bug","state":"dim"}"#), "bad-state");
        assert_eq!(code(r#"{"do":"watermark","watermark":"bug","state":"on","text":"x"}"#), "bad-watermark");
        assert_eq!(code(r#"{"do":"watermark","watermark":"bug","text":" "}"#), "bad-text");
        assert_eq!(code(r#"{"do":"watermark","watermark":"bug","place":"topp"}"#), "bad-place");
        assert_eq!(code(r#"{"do":"watermark","watermark":"bug","state":"on","when":"soon"}"#), "bad-when");
        assert_eq!(code(r#"{"do":"watermark","watermark":"bug","text":"x","over_ms":500}"#), "bad-watermark");
        assert_eq!(code(r#"{"do":"watermark","watermark":"bug","state":"on","over_ms":0}"#), "bad-length");
        assert_eq!(code(r#"{"do":"preview"}"#), "missing-source");
        assert_eq!(code(r#"{"do":"sound"}"#), "missing-state");
    }

    #[test]
    fn what_is_left_out_is_the_usual() {
        let over = Span::from_millis(500);
        let take = |transition| Ok(Order::Channel(scheduling::Command::Take(transition)));
        assert_eq!(read(r#"{"do":"take"}"#), take(Transition::Cut));
        assert_eq!(read(r#"{"do":"take","with":"mix"}"#), take(Transition::Mix { over }));
        let wipe = Transition::Wipe { over, from: Edge::Left };
        assert_eq!(read(r#"{"do":"take","with":"wipe"}"#), take(wipe));
        let dip = Transition::Dip { over, color: Rgb { r: 0, g: 0, b: 0 } };
        assert_eq!(read(r#"{"do":"take","with":"dip"}"#), take(dip));
        let mark = read(r#"{"do":"watermark","watermark":"bug","place":"own"}"#);
        let order =
            |change| Action::Watermark(MarkOrder { watermark: "bug".into(), change, when: MarkTime::Now });
        let told = |change| Ok(Order::Channel(order(change).into()));
        assert_eq!(mark, told(MarkChange::Place { to: None, over: None }));
        let fades = read(r#"{"do":"watermark","watermark":"bug","state":"off","over_ms":500}"#);
        assert_eq!(fades, told(MarkChange::State { to: Switch::Off, over: Some(over) }));
        let line = read(r#"{"do":"line","camera":"a","line":"auto"}"#);
        assert_eq!(line, Ok(Order::Line { camera: "a".into(), line: None }));
    }
}
