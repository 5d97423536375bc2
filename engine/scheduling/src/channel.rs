//! A channel's program, tick by tick: intent, takes, filler, rundown and key frames.

mod alarms;
mod commands;
mod desk;
mod orders;
mod reload;
mod wake;

use media::{Key, Tick, Time};
use pipeline_dsl::{Channel, MarkOrder, Show, Switch};

use crate::cover::{FillerHole, Patience, Shot, Stage};
use crate::decision::{
    Blend, Decision, Freshness, Heard, Intent, OnAir, OnAirChange, Program, Reason, Standing,
};
use crate::event::{Code, Event};
use crate::line::LineReason;
use crate::plan::{Plan, PlanError};
use crate::scene::{SceneIx, SceneOp};
use crate::state::{Awake, Course, Mixing, NotThisShow, Opening, SavedChannel, State, Take};
use crate::view::{Look, SourceIx, SourceView};

/// Decides, for every tick of one channel, what is on air and why.
///
/// # Rules
/// - The first source is on air at the start; black until its first picture,
///   the filler from `after` on.
/// - Over a hole the last picture is held; `after` counted from when the first
///   missing picture was due, the filler comes in; the source is back with its
///   next clean picture. A channel without filler holds for 500 ms, then shows black.
/// - A filler that gives no more pictures is held for 2 s, or `after` if that is longer, from when
///   the last one came, late or not. Without a picture, or once it has ended, it is black and silence.
/// - Commands act at the next tick decided, cues at exactly theirs, after the
///   commands of that tick and in the order of the file.
/// - A director's take of a source whose hole is older than `after`, or which never had a
///   picture, is refused. A cue's is not: the plan goes on, and the filler is on air.
/// - `take` brings the source on preview, and puts the one that was wanted there instead.
/// - After `filler on`, cuts and mixes change the intent only, until `filler off`.
/// - A cut during a transition jumps. A transition during a transition is refused to a
///   director; a cue's jumps to the end of the one under way and goes on from there.
/// - Sound goes with the picture, unless that of one source is held; over a hole it goes
///   silent. Each source has a gain and a mute of its own.
/// - Cues come at their ticks, in order; while the rundown is held they wait. None is lost:
///   each is carried out, refused or skipped, and that is told.
/// - A mix whose target's hole grows older than `after` gives way to the filler.
/// - Every rung has a key frame on the grid and wherever what is on air, a mix,
///   a line or the encryption begins or ends.
#[derive(Clone, PartialEq, Debug)]
pub struct ChannelScheduler {
    plan: Plan,
    state: State,
}

impl ChannelScheduler {
    /// For a channel of the show, before its first tick.
    ///
    /// # Errors
    /// A channel without sources, a name that leads nowhere, or a cue that can
    /// never be carried out.
    pub fn new(show: &Show, channel: &Channel) -> Result<Self, PlanError> {
        let plan = Plan::new(show, channel)?;
        let state = State::new(&plan);
        Ok(Self { plan, state })
    }

    /// Everything it remembers, to go on after a restart.
    pub fn save(&self) -> SavedChannel {
        SavedChannel::new(&self.plan, &self.state)
    }

    /// Goes on from a stored state, with the tick after the last one decided.
    ///
    /// # Errors
    /// The state was stored for another channel, other sources, fillers, keys or cues.
    pub fn resume(mut self, saved: SavedChannel) -> Result<Self, NotThisShow> {
        self.state = saved.into_state(&self.plan)?;
        Ok(self)
    }

    /// The channel's name.
    pub fn name(&self) -> &str {
        &self.plan.channel
    }
    /// Whether the show is over for it.
    pub fn is_over(&self) -> bool {
        self.state.course == Course::Ended
    }
    /// What is wanted.
    pub const fn intent(&self) -> Intent {
        self.state.intent
    }
    /// What is on air, why and since when; `None` before the first tick.
    pub const fn on_air(&self) -> Option<Standing> {
        self.state.standing
    }
    /// The next tick to decide, if none is skipped.
    pub fn next_tick(&self) -> Tick {
        self.state.decided.map_or(Tick(0), |tick| Tick(tick.0.saturating_add(1)))
    }
    /// Ticks from one key frame of the grid to the next.
    pub const fn keyframe_ticks(&self) -> u64 {
        self.plan.grid.ticks()
    }
    /// The name of a source.
    pub fn source_name(&self, source: SourceIx) -> Option<&str> {
        self.plan.sources.get(source.0).map(String::as_str)
    }
    /// The name of what is on air: a source's or the filler's; black has none.
    pub fn name_of(&self, on_air: OnAir) -> Option<&str> {
        match on_air {
            OnAir::Source(source) => self.source_name(source),
            OnAir::Filler => self.plan.filler.as_deref(),
            OnAir::Black => None,
        }
    }
    /// The next event that has not been fetched; the newest 1024 are kept.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.state.events.pop(&self.plan.channel)
    }

    /// Carries out the cues of a tick before it is decided, and gives what they ask of scenes.
    pub(crate) fn begin(&mut self, tick: Tick) -> Vec<(SceneIx, SceneOp)> {
        if tick >= self.next_tick() && self.state.course != Course::Ended {
            self.run_cues(tick);
        }
        std::mem::take(&mut self.state.scenes)
    }

    /// What cues and commands have asked of its watermarks since the last time, in order: to be
    /// carried out with the tick that was decided.
    pub fn take_marks(&mut self) -> Vec<MarkOrder> {
        std::mem::take(&mut self.state.marks)
    }

    /// Decides a tick. Ticks come in order, each once; over one that is left
    /// out, cues and key frames are made up for, and one that was decided
    /// before is answered as it was, without its change and key frame.
    ///
    /// `sources` are in the order of the channel's; one that is missing has
    /// never had a picture, nor has a `filler` of `None`.
    pub fn decide(&mut self, tick: Tick, sources: &[SourceView], filler: Option<SourceView>) -> Decision {
        if tick < self.next_tick() || self.state.course == Course::Ended {
            return self.decision(tick, Key::Delta, None);
        }
        self.run_cues(tick);
        let before = self.state.decided.replace(tick);
        if self.state.course == Course::Ending {
            return self.end(tick);
        }
        let now = self.plan.rate.time_of(tick);
        let mut marks = self.plan.grid.is_due(before, tick);
        marks |= self.encrypt(tick);
        let filler_hole = FillerHole::at(now, self.state.filler_hole, filler);
        self.state.filler_hole = filler_hole;
        let stage = Stage { now, after: self.plan.after, sources, filler, filler_hole };
        if now >= Time::ZERO + self.plan.after {
            self.state.opening = Opening::Over;
        }
        let shot = match self.state.intent.filler {
            Switch::On => stage.filler(),
            Switch::Off => stage.source(self.state.intent.source, self.patience()),
        };
        let mix_began = self.mix(tick, shot, &stage, &mut marks);
        let change = self.change(tick, shot.on_air, mix_began, sources);
        self.state.freshness = shot.freshness;
        self.state.heard = self.heard(&stage);
        for (ix, view) in self.state.views.iter_mut().enumerate() {
            *view = sources.get(ix).copied().unwrap_or(SourceView::NEVER);
        }
        if shot.on_air != OnAir::Black {
            self.state.opening = Opening::Over;
        }
        self.sound_alarms(tick, shot);
        marks |= change.is_some();
        self.decision(tick, if marks { Key::Frame } else { Key::Delta }, change)
    }

    /// How long the source that is wanted is waited for.
    fn patience(&self) -> Patience {
        let covered = matches!(self.state.shown(), Some(OnAir::Filler | OnAir::Black));
        match self.state.opening {
            Opening::Waiting => Patience::First,
            Opening::Over if covered && self.state.take.is_none() => Patience::None,
            Opening::Over => Patience::Hold,
        }
    }

    fn decision(&self, tick: Tick, key: Key, change: Option<OnAirChange>) -> Decision {
        let State { program, freshness, heard, encryption, .. } = self.state;
        Decision { tick, program, freshness, heard, key, change, encrypt: encryption }
    }

    fn end(&mut self, tick: Tick) -> Decision {
        self.state.course = Course::Ended;
        self.state.program = Program::Ended;
        (self.state.take, self.state.mixing) = (None, None);
        self.state.standing = Some(Standing { on_air: None, reason: Reason::End, since: tick });
        self.set_alarm(tick, None);
        self.event(tick, Code::End, "the show is over".to_owned());
        self.decision(tick, Key::Delta, Some(OnAirChange { on_air: None, reason: Reason::End }))
    }

    /// Whether encryption changes with this tick.
    fn encrypt(&mut self, tick: Tick) -> bool {
        let wanted = self.state.intent.encryption();
        if wanted == self.state.encryption {
            return false;
        }
        self.state.encryption = wanted;
        let message = match wanted {
            crate::Encryption::Clear => "encryption is off".to_owned(),
            crate::Encryption::Under(key) => format!("encrypted under key {} of the ring", key.0 + 1),
        };
        self.event(tick, Code::Encryption, message);
        true
    }

    /// Where what is heard comes from.
    fn heard(&self, stage: &Stage<'_>) -> Heard {
        let Some(source) = self.state.intent.sound else { return Heard::Picture };
        let view = stage.sources.get(source.0).copied().unwrap_or(SourceView::NEVER);
        let freshness = match view.look(stage.now, stage.after) {
            Look::Fresh | Look::Rough => Freshness::Live,
            Look::Last | Look::Gone | Look::Nothing => Freshness::Held,
        };
        Heard::Source { source, freshness }
    }

    /// Begins, carries on or ends a mix, and sets the program. How one goes that began.
    fn mix(&mut self, tick: Tick, shot: Shot, stage: &Stage<'_>, marks: &mut bool) -> Option<Blend> {
        let running = self.state.mixing.take();
        let began = match (self.state.take, shot.on_air) {
            (Some(Take::Mix { from, blend, ticks }), OnAir::Source(to)) => {
                let from =
                    from.map(|source| stage.source(source, Patience::Hold).on_air).or(self.state.shown());
                let from = from.filter(|from| *from != shot.on_air);
                from.map(|from| Mixing { from, to, blend, start: tick, ticks })
            }
            _ => None,
        };
        let goes_on = running.filter(|mixing| {
            self.state.take.is_none() && shot.on_air == OnAir::Source(mixing.to) && mixing.is_on(tick)
        });
        *marks |= began.is_some() || (running.is_some() && goes_on.is_none());
        self.state.mixing = began.or(goes_on);
        self.state.program = match self.state.mixing {
            None => Program::One(shot.on_air),
            Some(Mixing { from, blend, start, ticks, .. }) => {
                let gone = u32::try_from(tick.0.saturating_sub(start.0)).unwrap_or(u32::MAX);
                let step = gone.saturating_add(1).min(ticks);
                Program::Mix { from, to: shot.on_air, blend, step, of: ticks.saturating_add(1) }
            }
        };
        began.map(|mixing| mixing.blend)
    }

    /// What comes on air with this tick, if it is something else.
    fn change(
        &mut self,
        tick: Tick,
        on_air: OnAir,
        mix_began: Option<Blend>,
        views: &[SourceView],
    ) -> Option<OnAirChange> {
        let take = self.state.take.take();
        let before = self.state.standing;
        let awake = std::mem::take(&mut self.state.awake);
        let reason = if let Some(blend) = mix_began {
            match blend {
                Blend::Dissolve => Reason::Mix,
                Blend::Wipe(_) => Reason::Wipe,
                Blend::Dip(_) => Reason::Dip,
            }
        } else if awake == Awake::NotYet {
            match (on_air, take) {
                (OnAir::Filler | OnAir::Black, _) => Reason::Filler,
                (OnAir::Source(_), Some(Take::Cut)) => Reason::Cut,
                (OnAir::Source(_), _) => Reason::Resumed,
            }
        } else if self.state.shown() == Some(on_air) {
            let OnAir::Source(source) = on_air else { return None };
            match views.get(source.0).and_then(|view| view.line)? {
                LineReason::Start => return None,
                LineReason::Failover | LineReason::Suspect => Reason::Failover,
                LineReason::Chosen => Reason::Line,
                LineReason::Recovered => Reason::Recovered,
            }
        } else {
            match (before, on_air) {
                (None, OnAir::Source(_) | OnAir::Black) => Reason::Start,
                (_, OnAir::Filler | OnAir::Black) => Reason::Filler,
                (_, OnAir::Source(_)) if take == Some(Take::Cut) => Reason::Cut,
                (Some(Standing { on_air: Some(OnAir::Source(_)), .. }), _) => Reason::Cut,
                (Some(Standing { reason: Reason::Start, .. }), _) => Reason::Start,
                _ => Reason::Recovered,
            }
        };
        self.state.standing = Some(Standing { on_air: Some(on_air), reason, since: tick });
        Some(OnAirChange { on_air: Some(on_air), reason })
    }

    /// When a tick is, in show time.
    pub fn time_of(&self, tick: Tick) -> Time {
        self.plan.rate.time_of(tick)
    }
}
