//! A channel's part of the show, worked out once: names become places, times become ticks.

use media::{FrameRate, Span, Tick, Time};
use pipeline_dsl::{Action, Channel, Name, Show, Switch};
use serde::{Deserialize, Serialize};

use crate::grid::KeyGrid;
use crate::take::{Refusal, RefusalCode};
use crate::view::SourceIx;

/// A channel that cannot be scheduled. `pipeline-dsl` finds these in show
/// files, with the place; an integrator's own `Show` may still have them.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanError {
    /// Nothing to show.
    #[error("channel {channel} has no sources: give it at least one camera")]
    NoSources {
        /// The channel.
        channel: Name,
    },
    /// A name that leads nowhere.
    #[error("channel {channel} asks for {kind} {name}, which the show does not have; it has: {}", list(.legal))]
    Unknown {
        /// The channel.
        channel: Name,
        /// What was looked for: `filler`, `ladder`, `key`.
        kind: &'static str,
        /// Its name.
        name: Name,
        /// The names there are.
        legal: Vec<Name>,
    },
    /// A cue that can never be carried out.
    #[error("cue {cue} of channel {channel}, at {at}: {refusal}; legal: {}", list(&.refusal.legal))]
    Cue {
        /// The channel.
        channel: Name,
        /// The cue's place in the rundown, from 1.
        cue: usize,
        /// Its time.
        at: Time,
        /// Why not.
        refusal: Refusal,
    },
    /// A key ring without a key.
    #[error("key ring {key} of channel {channel} is empty: give it at least one key")]
    NoKeys {
        /// The channel.
        channel: Name,
        /// The ring.
        key: Name,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// An action whose names have been looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    Cut(SourceIx),
    /// The length in ticks, at least one.
    Mix(SourceIx, u32),
    Filler(Switch),
    Encrypt(Switch),
    Rotate,
    End,
}

/// A cue at its exact tick.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct PlannedCue {
    pub tick: Tick,
    pub op: Op,
    /// As people read it: `cue 2 (cut karry)`.
    pub title: String,
}

/// What never changes while the channel runs.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Plan {
    pub channel: Name,
    pub rate: FrameRate,
    pub sources: Vec<Name>,
    pub filler: Option<Name>,
    pub after: Span,
    pub grid: KeyGrid,
    /// How many keys the ring has; 0 without encryption.
    pub keys: usize,
    pub cues: Vec<PlannedCue>,
}

impl Plan {
    /// How long the last picture is held where the channel has no filler.
    const HOLD: Span = Span::from_millis(500);

    pub fn new(show: &Show, channel: &Channel) -> Result<Self, PlanError> {
        let name = &channel.name;
        let unknown = |kind, wanted: &Name, legal: Vec<&Name>| PlanError::Unknown {
            channel: name.clone(),
            kind,
            name: wanted.clone(),
            legal: legal.into_iter().cloned().collect(),
        };
        if channel.sources.is_empty() {
            return Err(PlanError::NoSources { channel: name.clone() });
        }
        let ladder = show.ladder(&channel.ladder).ok_or_else(|| {
            unknown("ladder", &channel.ladder, show.ladders.iter().map(|l| &l.name).collect())
        })?;
        if let Some(filler) = channel.filler.as_ref().filter(|f| show.filler(&f.name).is_none()) {
            return Err(unknown("filler", &filler.name, show.fillers.iter().map(|f| &f.name).collect()));
        }
        let keys = match &channel.encrypt {
            None => 0,
            Some(encrypt) => {
                let ring = show.keys.iter().find(|ring| ring.name == encrypt.key).ok_or_else(|| {
                    unknown("key", &encrypt.key, show.keys.iter().map(|k| &k.name).collect())
                })?;
                if ring.keys.is_empty() {
                    return Err(PlanError::NoKeys { channel: name.clone(), key: ring.name.clone() });
                }
                ring.keys.len()
            }
        };
        let mut plan = Self {
            channel: name.clone(),
            rate: show.video.rate,
            sources: channel.sources.clone(),
            filler: channel.filler.as_ref().map(|f| f.name.clone()),
            after: channel.filler.as_ref().map_or(Self::HOLD, |f| f.after),
            grid: KeyGrid::new(show.video.rate, ladder.keyframe),
            keys,
            cues: Vec::new(),
        };
        let cues = show.rundown(name).map_or(&[][..], |rundown| &rundown.cues);
        let mut cues: Vec<_> = (1..).zip(cues).collect();
        // A stable sort: cues of one time keep the order of the file.
        cues.sort_by_key(|(_, cue)| cue.at);
        for (place, cue) in cues {
            let op = plan.op(&cue.action).map_err(|refusal| PlanError::Cue {
                channel: name.clone(),
                cue: place,
                at: cue.at,
                refusal,
            })?;
            let title = format!("cue {place} ({})", words(&cue.action));
            plan.cues.push(PlannedCue { tick: plan.rate.tick_from(cue.at), op, title });
        }
        Ok(plan)
    }

    /// Looks an action's names up.
    pub fn op(&self, action: &Action) -> Result<Op, Refusal> {
        Ok(match action {
            Action::Cut { source } => Op::Cut(self.source(source)?),
            Action::Mix { source, over } => {
                let source = self.source(source)?;
                // One below the greatest, so that the whole (one more) still fits.
                let ticks = self.rate.tick_from(Time::ZERO + *over).0.min(u64::from(u32::MAX - 1));
                match u32::try_from(ticks) {
                    Ok(0) | Err(_) => Op::Cut(source),
                    Ok(ticks) => Op::Mix(source, ticks),
                }
            }
            Action::Filler(switch) => {
                if self.filler.is_none() {
                    return Err(Refusal {
                        code: RefusalCode::NoFiller,
                        message: format!("channel {} has no filler", self.channel),
                        legal: Vec::new(),
                    });
                }
                Op::Filler(*switch)
            }
            Action::Encrypt(_) | Action::EncryptRotate if self.keys == 0 => {
                return Err(Refusal {
                    code: RefusalCode::NoEncryption,
                    message: format!("channel {} has no keys to encrypt with", self.channel),
                    legal: Vec::new(),
                });
            }
            Action::Encrypt(switch) => Op::Encrypt(*switch),
            Action::EncryptRotate => Op::Rotate,
            Action::End => Op::End,
        })
    }

    fn source(&self, name: &str) -> Result<SourceIx, Refusal> {
        self.sources.iter().position(|source| source == name).map(SourceIx).ok_or_else(|| Refusal {
            code: RefusalCode::UnknownSource,
            message: format!("channel {} has no source {name:?}", self.channel),
            legal: self.sources.clone(),
        })
    }
}

/// An action as the show file spells it.
fn words(action: &Action) -> String {
    let on_off = |switch: &Switch| match switch {
        Switch::On => "on",
        Switch::Off => "off",
    };
    match action {
        Action::Cut { source } => format!("cut {source}"),
        Action::Mix { source, over } => format!("mix {source} over={over}"),
        Action::Filler(switch) => format!("filler {}", on_off(switch)),
        Action::Encrypt(switch) => format!("encrypt {}", on_off(switch)),
        Action::EncryptRotate => "encrypt rotate".to_owned(),
        Action::End => "end".to_owned(),
    }
}
