//! What is kept of a show, and what the next engine makes of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media::{Span, Time};
use pipeline_dsl as dsl;
use pipeline_dsl::{MarkFade, MarkMove, MarkOrder, Name, Switch, Text, TimeOfDay};
use scheduling::{LeftOut, NotGoneOn, SavedSwitcher, Switcher};
use serde::{Deserialize, Serialize};

use super::file::unix_millis;
use crate::command::Outcome;
use crate::report::{OnAirReport, PartEnd, PartReport};

/// How much younger than the file the sign of life beside it may be: it is written more often.
const YOUNGER: i64 = 15_000;
/// No show time and no clock lies beyond: 100 years, in milliseconds.
const FURTHEST: i64 = 100 * 366 * 86_400_000;

/// A show as its engine left it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeptShow {
    /// The show that ran, as it had last been reloaded.
    #[serde(with = "shared")]
    pub(crate) show: Arc<dsl::Show>,
    /// Show time when it was kept, and the clock on the wall then.
    pub(crate) at: Time,
    pub(crate) unix_ms: i64,
    pub(crate) switcher: SavedSwitcher,
    pub(crate) channels: Vec<KeptChannel>,
    /// Files that ran. An engine of before did not keep them.
    #[serde(default)]
    pub(crate) files: Vec<KeptFile>,
    /// What came of commands with an id: one that is sent again is not carried out again.
    pub(crate) answers: Vec<(String, Outcome)>,
    /// When engines ran: the last one is that which kept it.
    pub(crate) parts: Vec<PartReport>,
}

/// A file that is a line of a camera, or a filler.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct KeptFile {
    /// Whose it is, as in events: `karry/disk`, or the filler.
    pub(crate) subject: String,
    /// Where it is, as the show file says.
    pub(crate) path: Text,
    /// When it began, in show time: if it loops, its first pass.
    pub(crate) since: Time,
}

/// What the switcher does not know of a channel.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct KeptChannel {
    pub(crate) name: Name,
    pub(crate) marks: KeptMarks,
    /// What was on air, the newest of it.
    pub(crate) on_air: Vec<OnAirReport>,
}

/// A channel's watermarks as they were led.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct KeptMarks {
    pub(crate) marks: Vec<KeptMark>,
    /// What waited for a key frame.
    pub(crate) waiting: Vec<MarkOrder>,
}

/// One of them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct KeptMark {
    pub(crate) name: Name,
    /// What the show file said of it.
    pub(crate) said: Switch,
    pub(crate) fade: MarkFade,
    pub(crate) text: Option<String>,
    pub(crate) put: MarkMove,
}

/// A kept show, taken up by another engine.
pub(crate) struct TakenUp {
    pub(crate) switcher: Switcher,
    pub(crate) left_out: Vec<LeftOut>,
}

impl KeptShow {
    /// The show's name.
    pub fn show_name(&self) -> &str {
        &self.show.name
    }

    /// How far it had come, in show time, when its engine died: to about a second.
    pub fn reached(&self) -> Time {
        self.at
    }

    /// When that was.
    pub fn died(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.unix_ms.unsigned_abs())
    }

    /// How long ago that is; nothing if the clock has been put back behind it.
    pub fn age(&self, now: SystemTime) -> Duration {
        Duration::from_millis((unix_millis(now) - self.unix_ms).max(0).unsigned_abs())
    }

    /// The show time that it has `now`: it went on with the clock on the wall.
    pub fn time_at(&self, now: SystemTime) -> Time {
        let gone = Span::from_millis((unix_millis(now) - self.unix_ms).clamp(0, FURTHEST));
        let next = self.show.video.rate.tick_from(self.at).next();
        (self.at + gone).max(self.show.video.rate.time_of(next))
    }

    /// When `show`, which may be another one by now, ends by its rundowns if it goes on from here;
    /// `None` if it does not, or if nothing can be taken up.
    pub fn end_of(&self, show: &dsl::Show) -> Option<Time> {
        self.take_up(show).ok()?.switcher.end()
    }

    /// Why nothing of it can be taken up by `show`; `None` if it can.
    pub fn problem(&self, show: &dsl::Show) -> Option<String> {
        self.take_up(show).err().map(|error| error.to_string())
    }

    /// The time of day when it died, UTC.
    pub(crate) fn died_at(&self) -> Option<TimeOfDay> {
        TimeOfDay::new(Span::from_millis(self.unix_ms.rem_euclid(86_400_000)))
    }

    /// Its switching, for a show that may be another one by now.
    pub(crate) fn take_up(&self, show: &dsl::Show) -> Result<TakenUp, NotGoneOn> {
        let (switcher, left_out) = Switcher::go_on(show, &self.show, self.switcher.clone())?;
        Ok(TakenUp { switcher, left_out })
    }

    pub(crate) fn channel(&self, name: &str) -> Option<&KeptChannel> {
        self.channels.iter().find(|channel| channel.name == name)
    }

    /// Since when this file has run there, in show time.
    pub(crate) fn file_since(&self, subject: &str, path: &Text) -> Option<Time> {
        let is_it = |file: &&KeptFile| file.subject == subject && file.path == *path;
        self.files.iter().find(is_it).map(|file| file.since)
    }

    /// The parts of the show up to its engine's death.
    pub(crate) fn parts_so_far(&self) -> Vec<PartReport> {
        let mut parts = self.parts.clone();
        if let Some(last) = parts.last_mut() {
            (last.to, last.end) = (self.at.as_secs_f64(), PartEnd::Died);
        }
        parts
    }

    /// Its engine gave this sign of life, which is more exact than the time it was kept at.
    pub(crate) fn died_no_earlier(mut self, touched: Option<SystemTime>) -> Self {
        let later = touched.map_or(0, |touched| unix_millis(touched) - self.unix_ms).clamp(0, YOUNGER);
        self.at += Span::from_millis(later);
        self.unix_ms += later;
        self
    }

    /// Whether its times can be reckoned with.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_time = |ms: i64| (0..FURTHEST).contains(&ms);
        if !is_time(self.at.as_millis_rounded()) || !is_time(self.unix_ms) {
            return Err(format!("its times, {} and {} ms, are none", self.at, self.unix_ms));
        }
        Ok(())
    }
}

/// One show, however many keep it.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(it: &Arc<T>, to: S) -> Result<S::Ok, S::Error> {
        T::serialize(it, to)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Arc<T>, D::Error> {
        T::deserialize(from).map(Arc::new)
    }
}
