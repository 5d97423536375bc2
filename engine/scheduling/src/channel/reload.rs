//! A channel that goes on with other sources, another filler or another rundown.

use pipeline_dsl::Switch;

use super::ChannelScheduler;
use crate::decision::{Heard, OnAir, Program};
use crate::event::Code;
use crate::plan::{Op, Plan};
use crate::rundown::Rundown;
use crate::state::{Alarm, Mixing, State, Take};
use crate::take::{Refusal, RefusalCode, Strip};
use crate::view::{SourceIx, SourceView};

impl ChannelScheduler {
    /// Every source that viewers see or hear, or are to.
    pub(crate) fn places_on_air(&self) -> impl Iterator<Item = SourceIx> {
        // What is on preview can go.
        let mut state = self.state.clone();
        state.intent.preview = None;
        state.places().collect::<Vec<_>>().into_iter()
    }

    /// Goes on from the channel as it was, with the tick after the last one decided.
    pub(crate) fn carry(&mut self, old: &Self) -> Result<(), Refusal> {
        let mut move_to = Move { old: &old.plan, new: &self.plan, missing: None };
        let state = move_to.state(&old.state);
        if let Some(missing) = move_to.missing {
            return Err(self.refuse_missing(old, &missing));
        }
        let covers = [old.state.shown(), old.state.mixing.map(|mixing| mixing.from)];
        let asked = old.state.intent.filler == Switch::On;
        if self.plan.filler.is_none() && (asked || covers.contains(&Some(OnAir::Filler))) {
            let filler = old.plan.filler.as_deref().unwrap_or_default();
            return Err(Refusal {
                code: RefusalCode::OnAir,
                message: format!("filler {filler} is on air on channel {}", self.plan.channel),
                legal: vec!["filler off".to_owned()],
            });
        }
        self.go_on_with(old, state);
        Ok(())
    }

    /// Goes on from the channel as it was before the engine died, as far as it fits. What does not
    /// is given back, in words.
    pub(crate) fn adopt(&mut self, old: &Self) -> Vec<String> {
        let mut left = Vec::new();
        let mut move_to = Move { old: &old.plan, new: &self.plan, missing: None };
        let mut state = move_to.state(&old.state);
        let fresh = self.state.intent;
        if let Some(missing) = move_to.missing.take() {
            // What is missing was put in the first source's place.
            let is_there = |source: &SourceIx| move_to.find(*source).is_some();
            let first = self.source_name(SourceIx(0)).unwrap_or_default();
            left.push(format!("{missing} is no source of it any more: {first} stands in its place"));
            state.intent.sound = state.intent.sound.filter(|_| old.state.intent.sound.iter().all(is_there));
            state.take = None;
        }
        if state.intent.filler == Switch::On && self.plan.filler.is_none() {
            state.intent.filler = Switch::Off;
            left.push("its filler was asked for, and it has none any more".to_owned());
        }
        if (old.plan.keys == 0) != (self.plan.keys == 0) || state.intent.key.0 >= self.plan.keys.max(1) {
            (state.intent.encrypt, state.intent.key) = (fresh.encrypt, fresh.key);
            left.push("its keys are others: it begins with the first".to_owned());
        }
        state.encryption = state.intent.encryption();
        self.go_on_with(old, state);
        left
    }

    /// Has this state, which was moved to its places, and the cues of the show.
    fn go_on_with(&mut self, old: &Self, mut state: State) {
        state.filler_hole = state.filler_hole.filter(|_| old.plan.filler == self.plan.filler);
        let same = old.plan.cues.len() == self.plan.cues.len()
            && old
                .plan
                .cues
                .iter()
                .zip(&self.plan.cues)
                .all(|(old, new)| (old.number, old.due, &old.words) == (new.number, new.due, &new.words));
        if same {
            for cue in &mut state.rundown.cues {
                if let Some(planned) = self.plan.cues.iter().find(|planned| planned.number == cue.number) {
                    cue.op.clone_from(&planned.op);
                }
            }
            self.state = state;
            return;
        }
        let next = old.next_tick();
        let past = state.rundown.replace(&self.plan.cues, next, self.plan.rate);
        self.state = state;
        for number in past {
            let words = format!("cue {number} is new and already past: it is skipped");
            self.event(next, Code::CueChanged, words);
        }
        self.event(next, Code::Plan, "another rundown is in force".to_owned());
    }

    fn refuse_missing(&self, old: &Self, missing: &str) -> Refusal {
        let others = self.plan.sources.iter().filter(|name| old.plan.sources.contains(*name));
        Refusal {
            code: RefusalCode::OnAir,
            message: format!(
                "channel {} has {missing} on air: cut to a source that stays first",
                self.plan.channel
            ),
            legal: others.map(|name| format!("cut {name}")).collect(),
        }
    }
}

/// From a source's place to its new one, by its name.
struct Move<'a> {
    old: &'a Plan,
    new: &'a Plan,
    /// The first one that is used and not there any more.
    missing: Option<String>,
}

impl Move<'_> {
    fn find(&self, SourceIx(ix): SourceIx) -> Option<SourceIx> {
        let name = self.old.sources.get(ix)?;
        self.new.sources.iter().position(|source| source == name).map(SourceIx)
    }

    fn source(&mut self, from: SourceIx) -> SourceIx {
        self.find(from).unwrap_or_else(|| {
            let name = self.old.sources.get(from.0).cloned().unwrap_or_default();
            self.missing.get_or_insert(name);
            SourceIx(0)
        })
    }

    fn on_air(&mut self, on_air: OnAir) -> OnAir {
        match on_air {
            OnAir::Source(source) => OnAir::Source(self.source(source)),
            other => other,
        }
    }

    fn state(&mut self, old: &State) -> State {
        let mut state = old.clone();
        state.intent.source = self.source(old.intent.source);
        state.intent.preview = old.intent.preview.and_then(|source| self.find(source));
        state.intent.sound = old.intent.sound.map(|source| self.source(source));
        state.take = old.take.map(|take| match take {
            Take::Mix { from, blend, ticks } => {
                Take::Mix { from: from.map(|source| self.source(source)), blend, ticks }
            }
            other => other,
        });
        state.mixing = old.mixing.map(|mixing| Mixing {
            from: self.on_air(mixing.from),
            to: self.source(mixing.to),
            ..mixing
        });
        if let Some(standing) = &mut state.standing {
            standing.on_air = standing.on_air.map(|on_air| self.on_air(on_air));
        }
        state.program = match old.program {
            Program::One(on_air) => Program::One(self.on_air(on_air)),
            Program::Mix { from, to, blend, step, of } => {
                Program::Mix { from: self.on_air(from), to: self.on_air(to), blend, step, of }
            }
            Program::Ended => Program::Ended,
        };
        if let Heard::Source { source, freshness } = old.heard {
            state.heard = Heard::Source { source: self.source(source), freshness };
        }
        state.alarm = old.alarm.map(|alarm| match alarm {
            Alarm::Filler(source) => Alarm::Filler(self.source(source)),
            Alarm::Black => Alarm::Black,
        });
        let count = self.new.sources.len();
        state.views = vec![SourceView::NEVER; count];
        state.strips = vec![Strip::UNITY; count];
        for ix in 0..self.old.sources.len() {
            let Some(SourceIx(to)) = self.find(SourceIx(ix)) else { continue };
            if let (Some(slot), Some(view)) = (state.views.get_mut(to), old.views.get(ix)) {
                *slot = *view;
            }
            if let (Some(slot), Some(strip)) = (state.strips.get_mut(to), old.strips.get(ix)) {
                *slot = *strip;
            }
        }
        self.cues(&mut state.rundown);
        state
    }

    /// Cues of sources that are gone are in no rundown any more.
    fn cues(&self, rundown: &mut Rundown) {
        rundown.cues.retain_mut(|cue| match &mut cue.op {
            Op::Cut(source) | Op::Mix(source, ..) => match self.find(*source) {
                Some(to) => {
                    *source = to;
                    true
                }
                None => false,
            },
            _ => true,
        });
        rundown.settle();
    }
}
