//! What a channel's scheduler remembers from tick to tick, and how it is kept over a restart.

use media::Tick;
use pipeline_dsl::{MarkOrder, Name, Switch};
use serde::{Deserialize, Serialize};

use crate::cover::FillerHole;
use crate::decision::{Blend, Encryption, Freshness, Heard, Intent, KeyIx, OnAir, Program, Standing};
use crate::event::EventQueue;
use crate::plan::Plan;
use crate::rundown::{PlannedCue, Rundown};
use crate::scene::{SceneIx, SceneOp};
use crate::take::Strip;
use crate::view::{SourceIx, SourceView};

/// A transition that was asked for and waits for the next tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Take {
    /// Off the filler that was asked for, back to the source.
    Return,
    Cut,
    Mix {
        /// A source cut to within the same tick, or the target of a mix this
        /// one breaks into; `None` for what is on air.
        from: Option<SourceIx>,
        blend: Blend,
        ticks: u32,
    },
}

/// A mix under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Mixing {
    pub from: OnAir,
    pub to: SourceIx,
    pub blend: Blend,
    pub start: Tick,
    pub ticks: u32,
}

impl Mixing {
    /// Whether two pictures are mixed at `tick`.
    pub fn is_on(&self, tick: Tick) -> bool {
        tick.0.saturating_sub(self.start.0) < u64::from(self.ticks)
    }
}

/// Whether the show's first picture is still waited for in black. It was due
/// at the show's start, so until `after`, or until something else is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Opening {
    Waiting,
    Over,
}

/// Whether the show goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Course {
    Running,
    /// The end was asked for and comes with the next tick.
    Ending,
    Ended,
}

/// Whether what was on air is to be taken up again: the engine was down since the tick decided last.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) enum Awake {
    #[default]
    Yes,
    /// With the next decision.
    NotYet,
}

/// An alarm that stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Alarm {
    /// The filler covers this source.
    Filler(SourceIx),
    Black,
}

/// Everything that changes while a channel runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub intent: Intent,
    pub take: Option<Take>,
    pub mixing: Option<Mixing>,
    pub opening: Opening,
    pub course: Course,
    /// The tick decided last.
    pub decided: Option<Tick>,
    pub rundown: Rundown,
    pub standing: Option<Standing>,
    pub program: Program,
    pub freshness: Freshness,
    pub heard: Heard,
    pub encryption: Encryption,
    /// How its sources stood at the tick decided last.
    pub views: Vec<SourceView>,
    /// How each source is heard.
    pub strips: Vec<Strip>,
    pub alarm: Option<Alarm>,
    /// That of the filler at the tick decided last.
    #[serde(default)]
    pub filler_hole: Option<FillerHole>,
    #[serde(default)]
    pub awake: Awake,
    pub events: EventQueue,
    /// What its cues asked of scenes at the tick that is decided.
    #[serde(default)]
    pub scenes: Vec<(SceneIx, SceneOp)>,
    /// What was asked of its watermarks since the last tick.
    #[serde(default)]
    pub marks: Vec<MarkOrder>,
}

impl State {
    pub fn new(plan: &Plan) -> Self {
        let encrypt = if plan.keys > 0 { Switch::On } else { Switch::Off };
        let intent = Intent {
            source: SourceIx(0),
            preview: None,
            sound: None,
            filler: Switch::Off,
            encrypt,
            key: KeyIx(0),
            since: Tick(0),
        };
        Self {
            intent,
            take: None,
            mixing: None,
            opening: Opening::Waiting,
            course: Course::Running,
            decided: None,
            rundown: Rundown::new(&plan.cues),
            standing: None,
            program: Program::One(OnAir::Black),
            freshness: Freshness::Live,
            heard: Heard::Picture,
            views: vec![SourceView::NEVER; plan.sources.len()],
            strips: vec![Strip::UNITY; plan.sources.len()],
            encryption: intent.encryption(),
            alarm: None,
            filler_hole: None,
            awake: Awake::Yes,
            events: EventQueue::default(),
            scenes: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// Whether it speaks of so many sources, each of them.
    fn fits(&self, sources: usize) -> bool {
        let each = self.views.len() == sources && self.strips.len() == sources;
        each && self.rundown.fits(sources) && self.places().all(|place| place.0 < sources)
    }

    /// Every source it speaks of.
    pub fn places(&self) -> impl Iterator<Item = SourceIx> {
        let source = |on_air| match on_air {
            OnAir::Source(source) => Some(source),
            OnAir::Filler | OnAir::Black => None,
        };
        let (from, to) = match self.program {
            Program::One(to) => (None, Some(to)),
            Program::Mix { from, to, .. } => (Some(from), Some(to)),
            Program::Ended => (None, None),
        };
        let mixing = self.mixing.map(|mixing| mixing.from);
        let take = match self.take {
            Some(Take::Mix { from, .. }) => from,
            _ => None,
        };
        let alarm = match self.alarm {
            Some(Alarm::Filler(source)) => Some(source),
            _ => None,
        };
        let heard = match self.heard {
            Heard::Source { source, .. } => Some(source),
            Heard::Picture => None,
        };
        let shown = [from, to, mixing, self.shown()].into_iter().flatten().filter_map(source);
        let Intent { source, preview, sound, .. } = self.intent;
        [Some(source), preview, sound, heard, self.mixing.map(|mixing| mixing.to), take, alarm]
            .into_iter()
            .flatten()
            .chain(shown)
    }

    /// What counts as on air since the last tick.
    pub fn shown(&self) -> Option<OnAir> {
        self.standing.and_then(|standing| standing.on_air)
    }
}

/// A channel's scheduler between two ticks, to be stored and
/// [resumed](crate::ChannelScheduler::resume) by a core that starts again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SavedChannel {
    pub(crate) channel: Name,
    pub(crate) sources: Vec<Name>,
    pub(crate) filler: Option<Name>,
    pub(crate) keys: usize,
    pub(crate) cues: Vec<PlannedCue>,
    pub(crate) state: State,
}

/// A stored state that does not belong to this show.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the stored state of channel {channel} does not fit the show: its {what} differ; start it anew")]
pub struct NotThisShow {
    /// The channel the state was stored for.
    pub channel: Name,
    /// What differs.
    pub what: &'static str,
}

impl SavedChannel {
    pub(crate) fn new(plan: &Plan, state: &State) -> Self {
        Self {
            channel: plan.channel.clone(),
            sources: plan.sources.clone(),
            filler: plan.filler.clone(),
            keys: plan.keys,
            cues: plan.cues.clone(),
            state: state.clone(),
        }
    }

    /// The state, if it was stored for this plan.
    pub(crate) fn into_state(self, plan: &Plan) -> Result<State, NotThisShow> {
        let state = &self.state;
        let differs = if self.channel != plan.channel {
            Some("channels")
        } else if self.sources != plan.sources || !state.fits(plan.sources.len()) {
            Some("sources")
        } else if self.filler != plan.filler {
            Some("fillers")
        } else if self.keys != plan.keys || state.intent.key.0 >= plan.keys.max(1) {
            Some("keys")
        } else if self.cues != plan.cues {
            Some("cues")
        } else {
            None
        };
        match differs {
            Some(what) => Err(NotThisShow { channel: self.channel, what }),
            None => Ok(self.state),
        }
    }
}
