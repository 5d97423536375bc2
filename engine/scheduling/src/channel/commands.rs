//! What directors and the rundown ask for: it changes the intent, and leaves
//! a take for the next decision.

use media::Tick;
use pipeline_dsl::{Action, Switch};

use super::ChannelScheduler;
use crate::decision::{KeyIx, OnAir};
use crate::event::Code;
use crate::plan::Op;
use crate::rundown::CueState;
use crate::state::{Course, Opening, Take};
use crate::take::{Command, Effect, Reach, Refusal, RefusalCode};
use crate::view::{Look, SourceIx};

/// What one tick can ask of scenes, and of watermarks.
const MOST_ORDERS: usize = 4096;

impl ChannelScheduler {
    /// Takes a director's command. `at` is the tick the caller decides next; one
    /// already decided counts as the next.
    ///
    /// # Errors
    /// Why it cannot be done, and what could. Nothing has changed then.
    pub fn handle(&mut self, command: &Command, at: Tick) -> Result<Effect, Refusal> {
        let tick = at.max(self.next_tick());
        let over = |this: &Self| this.refusal(RefusalCode::Ended, "is over", Vec::new());
        let before = self.state.intent;
        let reach = match command {
            Command::Act(action) => self.act(action, tick)?,
            _ if self.state.course != Course::Running => return Err(over(self)),
            Command::Take(transition) => self.take(*transition, tick)?,
            Command::Preview { source } => {
                self.state.intent.preview = Some(self.plan.source(source)?);
                Reach::IntentOnly
            }
            Command::Sound(follow) => self.follow(follow)?,
            Command::Gain { source, gain } => self.set_strip(source, |strip| strip.gain = *gain)?,
            Command::Mute { source, mute } => self.set_strip(source, |strip| strip.mute = *mute)?,
            Command::Plan(order) => self.order(*order, tick)?,
        };
        if self.state.intent != before {
            self.state.intent.since = tick;
        } else if matches!(command, Command::Preview { .. }) {
            return Ok(Effect { tick, intent: before, reach: Reach::Nothing });
        }
        Ok(Effect { tick, intent: self.state.intent, reach })
    }

    /// What a cue can say too, asked for by a director: there is someone to be told why not.
    fn act(&mut self, action: &Action, tick: Tick) -> Result<Reach, Refusal> {
        let op = self.plan.op(action)?;
        if self.state.course != Course::Running {
            return Err(self.refusal(RefusalCode::Ended, "is over", Vec::new()));
        }
        if self.state.intent.filler == Switch::Off {
            self.refuse_transition(&op, tick)?;
            self.refuse_lost(&op, tick)?;
        }
        self.apply(op, tick)
    }

    /// Brings what is on preview.
    fn take(&mut self, transition: crate::Transition, tick: Tick) -> Result<Reach, Refusal> {
        let Some(preview) = self.state.intent.preview else {
            let legal = self.plan.sources.iter().map(|source| format!("preview {source}")).collect();
            return Err(self.refusal(RefusalCode::NoPreview, "has nothing on preview", legal));
        };
        let before = self.state.intent.source;
        let name = self.source_name(preview).unwrap_or_default().to_owned();
        let reach = self.act(&transition.to(name), tick)?;
        if reach != Reach::Nothing {
            self.state.intent.preview = Some(before);
        }
        Ok(reach)
    }

    fn refuse_transition(&self, op: &Op, tick: Tick) -> Result<(), Refusal> {
        let asked = matches!(self.state.take, Some(Take::Mix { .. }));
        let in_mix = asked || self.state.mixing.is_some_and(|mixing| mixing.is_on(tick));
        if matches!(op, Op::Mix(..)) && in_mix {
            let legal = self.plan.sources.iter().map(|source| format!("cut {source}")).collect();
            return Err(self.refusal(RefusalCode::InTransition, "is in a transition already", legal));
        }
        Ok(())
    }

    /// A source without a picture would only bring the filler: better stay where we are.
    fn refuse_lost(&self, op: &Op, tick: Tick) -> Result<(), Refusal> {
        let (&Op::Cut(source) | &Op::Mix(source, ..)) = op else { return Ok(()) };
        let can = |source: SourceIx| {
            let now = self.time_of(tick);
            let look = self.state.views.get(source.0).map(|view| view.look(now, self.plan.after));
            !matches!(look, Some(Look::Gone | Look::Nothing))
        };
        if self.state.decided.is_none() || source == self.state.intent.source || can(source) {
            return Ok(());
        }
        let legal = (0..self.plan.sources.len()).map(SourceIx).filter(|source| can(*source));
        let legal = legal.filter_map(|source| self.source_name(source)).map(|name| format!("cut {name}"));
        let what = format!("cannot show {}: it has no picture", self.source_name(source).unwrap_or("it"));
        Err(self.refusal(RefusalCode::SourceLost, &what, legal.collect()))
    }

    pub(super) fn refusal(&self, code: RefusalCode, what: &str, legal: Vec<String>) -> Refusal {
        Refusal { code, message: format!("channel {} {what}", self.plan.channel), legal }
    }

    /// Changes the intent and notes the transition for the next decision.
    fn apply(&mut self, op: Op, tick: Tick) -> Result<Reach, Refusal> {
        let before = self.state.intent;
        let state = &mut self.state;
        let at_rest = state.take.is_none() && state.mixing.is_none();
        let moves = matches!(op, Op::Cut(_) | Op::Mix(..) | Op::Filler(_));
        let filler = if let Op::Filler(switch) = op { Some(switch) } else { None };
        let reach = match op {
            Op::Cut(source) | Op::Mix(source, ..) if before.filler == Switch::On => {
                state.intent.source = source;
                if before.source == source { Reach::Nothing } else { Reach::IntentOnly }
            }
            Op::Cut(source) if at_rest && before.source == source => Reach::Nothing,
            Op::Cut(source) => {
                state.intent.source = source;
                state.take = Some(Take::Cut);
                Reach::Program
            }
            // What is on air, or being mixed to.
            Op::Mix(source, ..) if state.take.is_none() && state.shown() == Some(OnAir::Source(source)) => {
                Reach::Nothing
            }
            Op::Mix(source, blend, ticks) => {
                // What was cut or mixed to last is where this one comes from,
                // even if no tick has shown it yet.
                let under_way =
                    state.mixing.is_some() || matches!(state.take, Some(Take::Cut | Take::Mix { .. }));
                let from = under_way.then_some(before.source);
                state.intent.source = source;
                state.take = Some(Take::Mix { from, blend, ticks });
                Reach::Program
            }
            Op::Filler(switch) => {
                state.intent.filler = switch;
                match (before.filler, switch) {
                    // A mix under way ends with the next decision.
                    (Switch::Off, Switch::On) => state.take = None,
                    (Switch::On, Switch::Off) => state.take = Some(Take::Return),
                    _ => {}
                }
                if before.filler == switch { Reach::Nothing } else { Reach::Program }
            }
            Op::Encrypt(switch) => {
                state.intent.encrypt = switch;
                if before.encrypt == switch { Reach::Nothing } else { Reach::Program }
            }
            Op::Rotate => {
                let next = KeyIx(before.key.0.saturating_add(1));
                if next.0 >= self.plan.keys {
                    let what = format!("is on the last of its {} keys", self.plan.keys);
                    return Err(self.refusal(RefusalCode::NoNextKey, &what, Vec::new()));
                }
                state.intent.key = next;
                if before.encrypt == Switch::On { Reach::Program } else { Reach::IntentOnly }
            }
            Op::Scene(scene, op) => {
                // It is the switcher's to hand on; nobody collects more than a rundown has.
                if state.scenes.len() < MOST_ORDERS {
                    state.scenes.push((scene, op));
                }
                Reach::IntentOnly
            }
            Op::Watermark(order) => {
                // As with scenes: whoever draws them collects it with the tick.
                if state.marks.len() < MOST_ORDERS {
                    state.marks.push(order);
                }
                Reach::IntentOnly
            }
            Op::End => {
                state.course = Course::Ending;
                Reach::Program
            }
        };
        if moves && reach != Reach::Nothing && self.state.decided.is_some() {
            self.state.opening = Opening::Over;
        }
        if self.state.intent != before {
            self.state.intent.since = tick;
        }
        if let Some(switch) = filler
            && reach != Reach::Nothing
        {
            let word = if switch == Switch::On { "asked for" } else { "no longer asked for" };
            self.event(tick, Code::FillerAsked, format!("the filler is {word}"));
        }
        Ok(reach)
    }

    /// Carries out every cue that is due, in order.
    pub(super) fn run_cues(&mut self, tick: Tick) {
        while self.state.course == Course::Running {
            let Some(ix) = self.state.rundown.due(tick) else { return };
            let Some(cue) = self.state.rundown.cues.get_mut(ix) else { return };
            cue.state = CueState::Done;
            let (op, title) = (cue.op.clone(), format!("cue {} ({})", cue.number, cue.words));
            self.state.rundown.settle();
            match self.apply(op, tick) {
                Ok(_) => self.event(tick, Code::Cue, title),
                Err(refusal) => {
                    if let Some(cue) = self.state.rundown.cues.get_mut(ix) {
                        cue.state = CueState::Refused;
                    }
                    self.event(tick, Code::CueRefused, format!("{title}: {refusal}"));
                }
            }
        }
    }
}
