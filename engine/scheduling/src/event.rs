//! What happened, for the log, the report and whoever is on duty.

use std::collections::VecDeque;

use media::Tick;
use serde::{Deserialize, Serialize};

/// How much an event matters, as the report spells it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Somebody should look at it.
    Warn,
    /// Viewers do not see what they should; stands until it is cleared.
    Alarm,
}

/// What kind of thing happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The filler covers a source that has no picture.
    FillerIn,
    /// It no longer does.
    FillerOut,
    /// There is no picture and no filler either.
    Black,
    /// There is one again.
    BlackOver,
    /// A line that is shown or waits is suspect.
    LineSuspect,
    /// It no longer is.
    LineSound,
    /// A camera went over to another line, because the one before it was lost or suspect.
    Failover,
    /// It is back on a better line, or stays where it is for good.
    FailoverRecovered,
    /// A camera went over to a line that its rules prefer, off one that nothing was wrong with.
    LinePreferred,
    /// A camera went over to the line the director chose.
    LineChosen,
    /// A cue of the rundown was carried out.
    Cue,
    /// A cue could not be.
    CueRefused,
    /// A cue was left out, or given another time or place.
    CueChanged,
    /// The rundown is held, or goes on.
    Plan,
    /// The filler was asked for, or no longer is.
    FillerAsked,
    /// A scene has another layout, or one of its boxes is heard in another way.
    Scene,
    /// A box of a scene has no picture of its camera.
    BoxLost,
    /// It has one again.
    BoxBack,
    /// Encryption goes on, off, or to another key.
    Encryption,
    /// The show is over.
    End,
    /// Events were dropped because nobody fetched them.
    EventsLost,
}

impl Code {
    /// Every one of them.
    pub const ALL: [Self; 21] = [
        Self::FillerIn,
        Self::FillerOut,
        Self::Black,
        Self::BlackOver,
        Self::LineSuspect,
        Self::LineSound,
        Self::Failover,
        Self::FailoverRecovered,
        Self::LinePreferred,
        Self::LineChosen,
        Self::Cue,
        Self::CueRefused,
        Self::CueChanged,
        Self::Plan,
        Self::FillerAsked,
        Self::Scene,
        Self::BoxLost,
        Self::BoxBack,
        Self::Encryption,
        Self::End,
        Self::EventsLost,
    ];

    /// As the report spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FillerIn => "filler-in",
            Self::FillerOut => "filler-out",
            Self::Black => "black",
            Self::BlackOver => "black-over",
            Self::LineSuspect => "line-suspect",
            Self::LineSound => "line-sound",
            Self::Failover => "failover",
            Self::FailoverRecovered => "failover-recovered",
            Self::LinePreferred => "line-preferred",
            Self::LineChosen => "line-chosen",
            Self::Cue => "cue",
            Self::CueRefused => "cue-refused",
            Self::CueChanged => "cue-changed",
            Self::Plan => "plan",
            Self::FillerAsked => "filler-asked",
            Self::Scene => "scene",
            Self::BoxLost => "box-lost",
            Self::BoxBack => "box-back",
            Self::Encryption => "encryption",
            Self::End => "end",
            Self::EventsLost => "events-lost",
        }
    }
    /// How much it matters.
    pub const fn level(self) -> Level {
        match self {
            Self::FillerIn | Self::Black | Self::Failover => Level::Alarm,
            Self::LineSuspect | Self::BoxLost | Self::CueRefused | Self::EventsLost => Level::Warn,
            _ => Level::Info,
        }
    }
    /// The alarm or warning (of the same subject) that this puts an end to.
    pub const fn clears(self) -> Option<Self> {
        match self {
            Self::FillerOut => Some(Self::FillerIn),
            Self::BlackOver => Some(Self::Black),
            Self::LineSound => Some(Self::LineSuspect),
            Self::FailoverRecovered => Some(Self::Failover),
            Self::BoxBack => Some(Self::BoxLost),
            _ => None,
        }
    }
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub tick: Tick,
    /// What.
    pub code: Code,
    /// To whom: a camera's or scene's name for what is about its lines or its layout, `camera/line`
    /// for what is about one line, `scene/box` for what is about one box, else the channel's.
    pub subject: String,
    /// For people.
    pub message: String,
}

impl Event {
    /// How much it matters.
    pub const fn level(&self) -> Level {
        self.code.level()
    }
}

/// Why something is over that nothing has mended: a reload took it away.
pub(crate) const GONE: &str = "the show goes on without it";

/// Events that wait to be fetched: the newest `CAPACITY`, and a count of those dropped.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct EventQueue {
    waiting: VecDeque<Event>,
    lost: u64,
}

impl EventQueue {
    pub(crate) const CAPACITY: usize = 1024;

    pub(crate) fn push(&mut self, event: Event) {
        while self.waiting.len() >= Self::CAPACITY {
            self.waiting.pop_front();
            self.lost = self.lost.saturating_add(1);
        }
        self.waiting.push_back(event);
    }

    pub(crate) fn pop(&mut self, channel: &str) -> Option<Event> {
        if self.lost > 0 {
            let tick = self.waiting.front().map_or(Tick(0), |event| event.tick);
            let message = format!("{} events before this were not fetched in time and are lost", self.lost);
            self.lost = 0;
            return Some(Event { tick, code: Code::EventsLost, subject: channel.to_owned(), message });
        }
        self.waiting.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_the_loss_is_told() {
        let mut queue = EventQueue::default();
        for tick in 0..EventQueue::CAPACITY as u64 + 3 {
            let (subject, message) = ("program".to_owned(), String::new());
            queue.push(Event { tick: Tick(tick), code: Code::Cue, subject, message });
        }
        let first = queue.pop("program").unwrap();
        assert_eq!((first.code, first.tick), (Code::EventsLost, Tick(3)));
        assert!(first.message.starts_with("3 events"), "{}", first.message);
        let rest: Vec<_> = std::iter::from_fn(|| queue.pop("program")).map(|event| event.tick.0).collect();
        assert_eq!(rest, (3..EventQueue::CAPACITY as u64 + 3).collect::<Vec<_>>());
    }
}
