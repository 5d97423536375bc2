//! A channel's part of the show, worked out once: names become places, times become ticks.

use media::{FrameRate, Span, Time};
use pipeline_dsl::{
    Action, Art, Channel, Mark, MarkChange, MarkOrder, Name, Rundown, Show, Switch, TimeOfDay, When, Zone,
};
use serde::{Deserialize, Serialize};

use crate::decision::Blend;
use crate::grid::KeyGrid;
use crate::rundown::{CueNumber, Due, PlannedCue};
use crate::scene::{SceneIx, SceneNames, SceneOp};
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
    #[error("cue {cue} of channel {channel}, {when}: {refusal}; legal: {}", list(&.refusal.legal))]
    Cue {
        /// The channel.
        channel: Name,
        /// The cue's place in the rundown, from 1.
        cue: usize,
        /// When it comes.
        when: When,
        /// Why not.
        refusal: Box<Refusal>,
    },
    /// A scene that cannot be composed.
    #[error("scene {scene} {what}; legal: {}", list(.legal))]
    Scene {
        /// The scene.
        scene: Name,
        /// What is wrong with it.
        what: String,
        /// What would be right.
        legal: Vec<String>,
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

impl PlanError {
    /// The channel that cannot be scheduled, or the scene.
    pub fn channel(&self) -> &str {
        match self {
            Self::NoSources { channel }
            | Self::Unknown { channel, .. }
            | Self::Cue { channel, .. }
            | Self::NoKeys { channel, .. } => channel,
            Self::Scene { scene, .. } => scene,
        }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// An action whose names have been looked up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    Cut(SourceIx),
    /// The length in ticks, at least one.
    Mix(SourceIx, Blend, u32),
    Filler(Switch),
    Encrypt(Switch),
    Rotate,
    Scene(SceneIx, SceneOp),
    Watermark(MarkOrder),
    End,
}

/// A graphic of the channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PlannedMark {
    pub name: Name,
    pub sort: MarkSort,
}

/// What can be asked of a graphic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MarkSort {
    /// Other words, too.
    Text,
    Other,
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
    /// What cues can ask scenes for.
    pub scenes: Vec<SceneNames>,
    /// What cues can ask watermarks for.
    pub marks: Vec<PlannedMark>,
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
        let mark = |name: &Name| match &show.watermarks.iter().find(|mark| mark.name == *name)?.mark {
            Mark::Graphic(graphic) => {
                let sort =
                    if matches!(graphic.art, Art::Text { .. }) { MarkSort::Text } else { MarkSort::Other };
                Some(PlannedMark { name: name.clone(), sort })
            }
            // It is all over the picture, always.
            Mark::Forensic { .. } => None,
        };
        let mut plan = Self {
            channel: name.clone(),
            rate: show.video.rate,
            sources: channel.sources.clone(),
            filler: channel.filler.as_ref().map(|f| f.name.clone()),
            after: channel.filler.as_ref().map_or(Self::HOLD, |f| f.after),
            grid: KeyGrid::new(show.video.rate, ladder.keyframe),
            keys,
            scenes: show.scenes.iter().map(|scene| SceneNames::new(show, scene)).collect(),
            marks: channel.watermarks.iter().filter_map(mark).collect(),
            cues: Vec::new(),
        };
        if let Some(rundown) = show.rundown(name) {
            plan.cues = plan.cues_of(rundown)?;
        }
        Ok(plan)
    }

    /// A rundown's cues, with their names looked up.
    pub fn cues_of(&self, rundown: &Rundown) -> Result<Vec<PlannedCue>, PlanError> {
        let plan = |(place, cue): (usize, &pipeline_dsl::Cue)| {
            let channel = || self.channel.clone();
            let refused = |refusal| PlanError::Cue {
                channel: channel(),
                cue: place,
                when: cue.when,
                refusal: Box::new(refusal),
            };
            let op = self.op(&cue.action).map_err(refused)?;
            let due = match cue.when {
                When::At(at) => Due::At(self.rate.tick_from(at)),
                When::Clock(time) => Due::Clock(utc(time, rundown.zone)),
                When::Next => Due::Next,
            };
            let number = CueNumber(u32::try_from(place).unwrap_or(u32::MAX));
            Ok(PlannedCue { number, due, op, words: cue.action.to_string() })
        };
        let mut cues: Vec<_> = (1..).zip(&rundown.cues).collect();
        // Those at show times come in order of time, whatever the file says; of one time in its order.
        let timed = |cue: &(usize, &pipeline_dsl::Cue)| cue.1.when.show_time().is_some();
        let mut by_time: Vec<_> = cues.iter().copied().filter(timed).collect();
        by_time.sort_by_key(|(_, cue)| cue.when.show_time());
        let slots = cues.iter_mut().filter(|cue| timed(cue));
        slots.zip(by_time).for_each(|(slot, cue)| *slot = cue);
        cues.into_iter().map(plan).collect()
    }

    /// Looks an action's names up.
    pub fn op(&self, action: &Action) -> Result<Op, Refusal> {
        Ok(match action {
            Action::Cut { source } => Op::Cut(self.source(source)?),
            Action::Mix { source, over } => self.blend(source, Blend::Dissolve, *over)?,
            Action::Wipe { source, over, from } => self.blend(source, Blend::Wipe(*from), *over)?,
            Action::Dip { source, over, color } => self.blend(source, Blend::Dip(*color), *over)?,
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
            Action::Scene { scene, order } => {
                let names = || self.scenes.iter().map(|scene| scene.name.clone()).collect();
                let place = self.scenes.iter().position(|names| names.name == *scene);
                let unknown = || Refusal::unknown(RefusalCode::UnknownScene, "scene", scene, names());
                let ix = place.ok_or_else(unknown)?;
                let op = self.scenes.get(ix).ok_or_else(unknown)?.op(order, self.rate)?;
                Op::Scene(SceneIx(ix), op)
            }
            Action::Watermark(order) => Op::Watermark(self.mark(order)?),
            Action::End => Op::End,
        })
    }

    /// What is asked of a watermark, if the channel has it and it can do that.
    fn mark(&self, order: &MarkOrder) -> Result<MarkOrder, Refusal> {
        let names =
            |marks: &mut dyn Iterator<Item = &PlannedMark>| marks.map(|mark| mark.name.clone()).collect();
        let wanted = &order.watermark;
        let Some(mark) = self.marks.iter().find(|mark| mark.name == *wanted) else {
            return Err(Refusal {
                code: RefusalCode::UnknownWatermark,
                message: format!("channel {} has no watermark {wanted}", self.channel),
                legal: names(&mut self.marks.iter()),
            });
        };
        if matches!(order.change, MarkChange::Text(_)) && mark.sort != MarkSort::Text {
            return Err(Refusal {
                code: RefusalCode::NoText,
                message: format!("watermark {wanted} is no text"),
                legal: names(&mut self.marks.iter().filter(|mark| mark.sort == MarkSort::Text)),
            });
        }
        Ok(order.clone())
    }

    fn blend(&self, source: &str, blend: Blend, over: Span) -> Result<Op, Refusal> {
        let source = self.source(source)?;
        // One below the greatest, so that the whole (one more) still fits.
        let ticks = self.rate.tick_from(Time::ZERO + over).0.min(u64::from(u32::MAX - 1));
        Ok(match u32::try_from(ticks) {
            Ok(0) | Err(_) => Op::Cut(source),
            Ok(ticks) => Op::Mix(source, blend, ticks),
        })
    }

    pub fn source(&self, name: &str) -> Result<SourceIx, Refusal> {
        self.sources.iter().position(|source| source == name).map(SourceIx).ok_or_else(|| Refusal {
            code: RefusalCode::UnknownSource,
            message: format!("channel {} has no source {name:?}", self.channel),
            legal: self.sources.clone(),
        })
    }
}

/// A zone's time of day in UTC.
fn utc(time: TimeOfDay, zone: Zone) -> TimeOfDay {
    let shifted = time.since_midnight() - zone.offset();
    let day = TimeOfDay::DAY.flicks();
    // A remainder of a day lies within one.
    TimeOfDay::new(Span::from_flicks(shifted.flicks().rem_euclid(day))).unwrap_or(time)
}
