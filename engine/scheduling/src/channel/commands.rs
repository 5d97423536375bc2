//! What directors and the rundown ask for: it changes the intent, and leaves
//! a take for the next decision.

use media::Tick;
use pipeline_dsl::Switch;

use super::ChannelScheduler;
use crate::decision::{KeyIx, OnAir};
use crate::event::Code;
use crate::plan::Op;
use crate::state::{Course, Opening, Take};
use crate::take::{Command, Effect, Reach, Refusal, RefusalCode};

impl ChannelScheduler {
    /// Takes a director's command. `at` is the tick the caller decides next; one
    /// already decided counts as the next.
    ///
    /// # Errors
    /// Why it cannot be done, and what could. Nothing has changed then.
    pub fn handle(&mut self, command: &Command, at: Tick) -> Result<Effect, Refusal> {
        let op = self.plan.op(command)?;
        let tick = at.max(self.next_tick());
        if self.state.course != Course::Running {
            return Err(self.refusal(RefusalCode::Ended, "is over", Vec::new()));
        }
        let asked = matches!(self.state.take, Some(Take::Mix { .. }));
        let in_mix = asked || self.state.mixing.is_some_and(|mixing| mixing.is_on(tick));
        if matches!(op, Op::Mix(..)) && in_mix && self.state.intent.filler == Switch::Off {
            let legal = self.plan.sources.iter().map(|source| format!("cut {source}")).collect();
            return Err(self.refusal(RefusalCode::InTransition, "is in a mix already", legal));
        }
        let reach = self.apply(op, tick)?;
        Ok(Effect { tick, intent: self.state.intent, reach })
    }

    fn refusal(&self, code: RefusalCode, what: &str, legal: Vec<String>) -> Refusal {
        Refusal { code, message: format!("channel {} {what}", self.plan.channel), legal }
    }

    /// Changes the intent and notes the transition for the next decision.
    fn apply(&mut self, op: Op, tick: Tick) -> Result<Reach, Refusal> {
        let before = self.state.intent;
        let state = &mut self.state;
        let at_rest = state.take.is_none() && state.mixing.is_none();
        let reach = match op {
            Op::Cut(source) | Op::Mix(source, _) if before.filler == Switch::On => {
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
            Op::Mix(source, _) if state.take.is_none() && state.shown() == Some(OnAir::Source(source)) => {
                Reach::Nothing
            }
            Op::Mix(source, ticks) => {
                // What was cut or mixed to last is where this one comes from,
                // even if no tick has shown it yet.
                let under_way =
                    state.mixing.is_some() || matches!(state.take, Some(Take::Cut | Take::Mix { .. }));
                let from = under_way.then_some(before.source);
                state.intent.source = source;
                state.take = Some(Take::Mix { from, ticks });
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
            Op::End => {
                state.course = Course::Ending;
                Reach::Program
            }
        };
        let moved = matches!(op, Op::Cut(_) | Op::Mix(..) | Op::Filler(_)) && reach != Reach::Nothing;
        if moved && self.state.decided.is_some() {
            self.state.opening = Opening::Over;
        }
        if self.state.intent != before {
            self.state.intent.since = tick;
        }
        if let Op::Filler(switch) = op
            && reach != Reach::Nothing
        {
            let word = if switch == Switch::On { "asked for" } else { "no longer asked for" };
            self.event(tick, Code::FillerAsked, None, format!("the filler is {word}"));
        }
        Ok(reach)
    }

    /// Carries out every cue that is due, in order.
    pub(super) fn run_cues(&mut self, tick: Tick) {
        while self.state.course == Course::Running {
            let Some(cue) = self.plan.cues.get(self.state.cues_done).filter(|cue| cue.tick <= tick) else {
                return;
            };
            let (op, title) = (cue.op, cue.title.clone());
            self.state.cues_done += 1;
            match self.apply(op, tick) {
                Ok(_) => self.event(tick, Code::Cue, None, title),
                Err(refusal) => self.event(tick, Code::CueRefused, None, format!("{title}: {refusal}")),
            }
        }
    }
}
