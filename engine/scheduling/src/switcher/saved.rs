//! A switcher between two ticks, to be stored, and to go on from after a restart.

use media::Tick;
use serde::{Deserialize, Serialize};

use super::Switcher;
use super::feed::Feed;
use crate::event::EventQueue;
use crate::scene::{SavedScene, SceneScheduler};
use crate::state::{NotThisShow, SavedChannel};

/// A switcher between two ticks. What it has not been asked for of the last tick is not part
/// of it; events are.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SavedSwitcher {
    feeds: Vec<Feed>,
    #[serde(default)]
    scenes: Vec<SavedScene>,
    channels: Vec<SavedChannel>,
    decided: Option<Tick>,
    events: EventQueue,
}

impl Switcher {
    /// Everything it remembers, to go on after a restart.
    pub fn save(&self) -> SavedSwitcher {
        SavedSwitcher {
            feeds: self.cameras.iter().chain(&self.fillers).cloned().collect(),
            scenes: self.scenes.iter().map(SceneScheduler::save).collect(),
            channels: self.channels.iter().map(|bus| bus.scheduler.save()).collect(),
            decided: self.decided,
            events: self.events.clone(),
        }
    }

    /// Goes on from a stored state, with the tick after the last one decided.
    ///
    /// # Errors
    /// The state was stored for other cameras, lines, failover rules or channels.
    pub fn resume(mut self, saved: SavedSwitcher) -> Result<Self, NotThisShow> {
        let here = self.cameras.iter().chain(&self.fillers);
        let count = self.cameras.len() + self.fillers.len();
        let same = saved.feeds.len() == count && saved.feeds.iter().zip(here).all(|(a, b)| a.fits(b));
        let differs = |channel: &str, what| NotThisShow { channel: channel.to_owned(), what };
        let first = self.channels.first().map_or("", |bus| bus.scheduler.name()).to_owned();
        if !same {
            return Err(differs(&first, "cameras"));
        }
        let mut scenes = saved.scenes.iter().zip(&self.scenes);
        if saved.scenes.len() != self.scenes.len() || !scenes.all(|(saved, scene)| scene.fits(saved)) {
            return Err(differs(&first, "scenes"));
        }
        if saved.channels.len() != self.channels.len() {
            return Err(differs(&first, "channels"));
        }
        let mut feeds = saved.feeds.into_iter();
        for feed in self.cameras.iter_mut().chain(&mut self.fillers) {
            if let Some(stored) = feeds.next() {
                *feed = stored;
            }
        }
        for (bus, stored) in self.channels.iter_mut().zip(saved.channels) {
            bus.scheduler = bus.scheduler.clone().resume(stored)?;
        }
        for (scene, stored) in self.scenes.iter_mut().zip(saved.scenes) {
            scene.resume(stored);
        }
        self.decided = saved.decided;
        self.events = saved.events;
        Ok(self)
    }
}
