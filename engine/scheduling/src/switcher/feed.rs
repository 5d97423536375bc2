//! A camera or filler at a tick: one of its lines chosen, and what there is to tell of it.

use std::collections::VecDeque;

use media::{Tick, Time};
use pipeline_dsl::{Failover, Name};
use serde::{Deserialize, Serialize};

use super::{FeedIx, Output, event};
use crate::event::{Code, EventQueue, GONE};
use crate::line::{Doubt, Duty, LineChange, LineIx, LineReason, LineSelector, LineView};
use crate::view::SourceView;

/// Whether a camera is known to be on a line for want of a better one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Alarm {
    Off,
    Raised,
}

/// A camera, or a filler, which is a camera of one line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Feed {
    pub name: Name,
    pub lines: Vec<Name>,
    /// How each line stands.
    pub views: Vec<LineView>,
    pub selector: LineSelector,
    /// How it stands itself.
    pub shown: SourceView,
    /// What has been told of each line.
    suspects: Vec<Option<Doubt>>,
    duties: Vec<Duty>,
    alarm: Alarm,
}

impl Feed {
    pub fn new(name: &str, lines: Vec<Name>, failover: Failover) -> Self {
        let count = lines.len();
        Self {
            name: name.to_owned(),
            lines,
            views: vec![LineView::NEVER; count],
            selector: LineSelector::new(count, failover),
            shown: SourceView::NEVER,
            suspects: vec![None; count],
            duties: vec![Duty::Decode; count],
            alarm: Alarm::Off,
        }
    }

    /// Whether a stored one is of the same camera.
    pub fn fits(&self, other: &Self) -> bool {
        let count = self.lines.len();
        let each = [self.views.len(), self.suspects.len(), self.duties.len()].iter().all(|n| *n == count);
        each && self.name == other.name && self.lines == other.lines && self.selector.fits(&other.selector)
    }

    /// Goes on from the same camera with other lines or rules.
    pub fn carry(&mut self, old: &Self) {
        let lines = &self.lines;
        let place = |LineIx(ix): LineIx| {
            let name = old.lines.get(ix)?;
            lines.iter().position(|line| line == name).map(LineIx)
        };
        for ix in 0..old.lines.len() {
            let Some(LineIx(to)) = place(LineIx(ix)) else { continue };
            carry(&mut self.views, to, &old.views, ix);
            carry(&mut self.suspects, to, &old.suspects, ix);
            carry(&mut self.duties, to, &old.duties, ix);
        }
        self.selector.carry(&old.selector, place);
        self.shown = old.shown;
        self.alarm = old.alarm;
    }

    /// Nothing is known of its lines any more, and whoever was told of them is gone.
    pub fn wake(&mut self) {
        self.views.fill(LineView::NEVER);
        self.selector.wake();
        self.shown = SourceView::NEVER;
        self.suspects.fill(None);
        self.duties.fill(Duty::Decode);
        self.alarm = Alarm::Off;
    }

    /// The line that the director chose of it, if it is not among those of `new`.
    pub fn lost_choice(&self, new: Option<&Self>) -> Option<&str> {
        let LineIx(ix) = self.selector.chosen()?;
        let line = self.lines.get(ix)?;
        (!new.is_some_and(|new| new.lines.contains(line))).then_some(line)
    }

    /// What was told of it, or of lines of it, that `new` is without, is over: that is, of all if
    /// there is none.
    pub fn tell_gone(&self, new: Option<&Self>, tick: Tick, events: &mut EventQueue) {
        for (line, told) in self.lines.iter().zip(&self.suspects) {
            if told.is_some() && !new.is_some_and(|new| new.lines.contains(line)) {
                let subject = format!("{}/{line}", self.name);
                events.push(event(tick, Code::LineSound, subject, GONE.to_owned()));
            }
        }
        if self.alarm == Alarm::Raised && new.is_none() {
            events.push(event(tick, Code::FailoverRecovered, self.name.clone(), GONE.to_owned()));
        }
    }

    /// Chooses its line for a tick.
    pub fn tick(
        &mut self,
        feed: FeedIx,
        tick: Tick,
        now: Time,
        outputs: &mut VecDeque<Output>,
        events: &mut EventQueue,
    ) {
        let choice = self.selector.select(now, &self.views);
        let line = choice.line.and_then(|line| {
            let view = self.views.get(line.0)?;
            Some(LineView { hole_since: self.selector.hole(line).or(view.hole_since), ..*view })
        });
        self.shown = SourceView::of_line(line.as_ref());
        self.tell_suspects(tick, events);
        self.tell_duties(feed, outputs);
        match choice.change {
            Some(change) => {
                self.shown = self.shown.over_line(change.reason);
                outputs.push_back(Output::Line { feed, change });
                self.tell_change(tick, change, events);
            }
            None if self.alarm == Alarm::Raised && self.selector.is_settled(now) => {
                self.alarm = Alarm::Off;
                let stays = format!("stays on {}", self.line_name(choice.line));
                events.push(event(tick, Code::FailoverRecovered, self.name.clone(), stays));
            }
            None => {}
        }
    }

    fn line_name(&self, line: Option<LineIx>) -> &str {
        line.and_then(|LineIx(ix)| self.lines.get(ix)).map_or("", String::as_str)
    }

    fn tell_change(&mut self, tick: Tick, change: LineChange, events: &mut EventQueue) {
        let mut message = format!("{} → {}", self.line_name(change.from), self.line_name(Some(change.to)));
        let before = self.alarm;
        let code = match change.reason {
            LineReason::Start => return,
            LineReason::Failover | LineReason::Suspect => {
                self.alarm = Alarm::Raised;
                if change.reason == LineReason::Suspect {
                    let doubt = change.from.and_then(|line| self.selector.suspect(line));
                    message += &format!(": {}", doubt.map_or("it is suspect", Doubt::as_str));
                }
                Code::Failover
            }
            LineReason::Recovered => {
                self.alarm = Alarm::Off;
                // It may have been there first, or been chosen: then nothing is over.
                match before {
                    Alarm::Raised => Code::FailoverRecovered,
                    Alarm::Off => Code::LinePreferred,
                }
            }
            LineReason::Chosen => {
                self.alarm = Alarm::Off;
                Code::LineChosen
            }
        };
        events.push(event(tick, code, self.name.clone(), message));
        if change.reason == LineReason::Chosen && before == Alarm::Raised {
            let message = format!("the director chose {}", self.line_name(Some(change.to)));
            events.push(event(tick, Code::FailoverRecovered, self.name.clone(), message));
        }
    }

    fn tell_suspects(&mut self, tick: Tick, events: &mut EventQueue) {
        for (ix, told) in self.suspects.iter_mut().enumerate() {
            let suspect = self.selector.suspect(LineIx(ix));
            let before = std::mem::replace(told, suspect);
            if before.is_some() == suspect.is_some() {
                continue;
            }
            let subject = format!("{}/{}", self.name, self.lines.get(ix).map_or("", String::as_str));
            events.push(match suspect {
                Some(doubt) => event(tick, Code::LineSuspect, subject, doubt.as_str().to_owned()),
                None => event(tick, Code::LineSound, subject, "it is no longer suspect".to_owned()),
            });
        }
    }

    fn tell_duties(&mut self, feed: FeedIx, outputs: &mut VecDeque<Output>) {
        for (ix, told) in self.duties.iter_mut().enumerate() {
            let duty = self.selector.duty(LineIx(ix));
            if std::mem::replace(told, duty) != duty {
                outputs.push_back(Output::Duty { feed, line: LineIx(ix), duty });
            }
        }
    }
}

fn carry<T: Copy>(to: &mut [T], at: usize, from: &[T], ix: usize) {
    if let (Some(slot), Some(value)) = (to.get_mut(at), from.get(ix)) {
        *slot = *value;
    }
}
