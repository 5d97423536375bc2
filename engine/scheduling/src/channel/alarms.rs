//! Alarms that stand while viewers do not see what they should, and events.

use media::Tick;
use pipeline_dsl::Switch;

use super::ChannelScheduler;
use crate::cover::Shot;
use crate::decision::OnAir;
use crate::event::{Code, Event};
use crate::state::{Alarm, Opening};
use crate::view::SourceIx;

impl ChannelScheduler {
    /// Raises and clears alarms after what is on air.
    pub(super) fn sound_alarms(&mut self, tick: Tick, shot: Shot) {
        let source = self.state.intent.source;
        let alarm = match (shot.on_air, self.state.intent.filler) {
            (OnAir::Filler, Switch::Off) => Some(Alarm::Filler(source)),
            (OnAir::Black, _) if self.state.opening == Opening::Over => Some(Alarm::Black),
            _ => None,
        };
        self.set_alarm(tick, alarm);
    }

    pub(super) fn set_alarm(&mut self, tick: Tick, alarm: Option<Alarm>) {
        if self.state.alarm == alarm {
            return;
        }
        match self.state.alarm {
            Some(Alarm::Filler(source)) => {
                let words = format!("the filler no longer covers {}", self.named(source));
                self.event(tick, Code::FillerOut, words);
            }
            Some(Alarm::Black) => {
                self.event(tick, Code::BlackOver, "there is a picture again".to_owned());
            }
            None => {}
        }
        match alarm {
            Some(Alarm::Filler(source)) => {
                let words = format!("{} has no picture: the filler covers it", self.named(source));
                self.event(tick, Code::FillerIn, words);
            }
            Some(Alarm::Black) => {
                self.event(tick, Code::Black, "no picture and no filler: black and silence".to_owned());
            }
            None => {}
        }
        self.state.alarm = alarm;
    }

    fn named(&self, source: SourceIx) -> &str {
        self.source_name(source).unwrap_or("it")
    }

    /// Of the channel: another one may show the same source, and have a picture of it.
    pub(super) fn event(&mut self, tick: Tick, code: Code, message: String) {
        let subject = self.plan.channel.clone();
        self.state.events.push(Event { tick, code, subject, message });
    }
}
