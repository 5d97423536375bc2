//! A running show as it stands: intent and actual side by side, with a revision
//! that rises with every change.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use media::Time;
use pipeline_dsl::Switch;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::event::Event;
use crate::report::{EgressReport, LineFacts, RungFacts, StageFacts};

/// The whole of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Rises by one with every change.
    pub revision: u64,
    /// Differs from run to run.
    pub epoch: u64,
    /// The show's name.
    pub show: String,
    /// Which version of the show file runs: 1 at the start, one more with each reload.
    #[serde(default)]
    pub show_revision: u64,
    /// Seconds of show time.
    pub t: f64,
    /// Ticks a second.
    pub frame_rate: f64,
    /// Whether the engine keeps up.
    #[serde(default)]
    pub load: LoadStatus,
    /// Channels in the order of the show.
    pub channels: Vec<ChannelStatus>,
    /// Cameras in the order of the show.
    pub cameras: Vec<CameraStatus>,
    /// Scenes in the order of the show.
    #[serde(default)]
    pub scenes: Vec<SceneStatus>,
    /// The latest events.
    pub events: Vec<Event>,
}

/// Whether the engine keeps up with what is asked of it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct LoadStatus {
    /// How late the last tick was begun.
    pub late_ms: f64,
    /// Since when it does not, or does because rungs rest, in seconds of show time.
    pub overload_since: Option<f64>,
    /// What it does without: `thumbnails`, and rungs as `channel/rung` in the order in which they went.
    pub shed: Vec<String>,
    /// Thumbnails, which are made while somebody asks for them.
    #[serde(default)]
    pub thumbnails: ThumbnailStatus,
}

/// The thumbnails of a show's sources.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ThumbnailStatus {
    /// Whether somebody has asked for any in the last five seconds.
    pub asked: bool,
    /// Pictures that were made.
    pub made: u64,
    /// What making them costs; `None` in the first second.
    pub stage: Option<StageStatus>,
}

/// What a stage cost over the last second.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct StageStatus {
    /// What waits for it.
    pub queue: u64,
    /// What its report says, too.
    #[serde(flatten)]
    pub facts: StageFacts,
}

impl Deref for StageStatus {
    type Target = StageFacts;

    fn deref(&self) -> &StageFacts {
        &self.facts
    }
}

/// A channel.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ChannelStatus {
    /// Its name.
    pub name: String,
    /// The source the director wants.
    pub intent: String,
    /// The source that `take` brings.
    #[serde(default)]
    pub preview: Option<String>,
    /// The source that is heard whatever is seen; `None` while sound goes with the picture.
    #[serde(default)]
    pub sound: Option<String>,
    /// What is in the rendered picture: a camera's or the filler's name, `None` for black.
    pub on_air: Option<String>,
    /// Why: `start`, `cut`, `mix`, `wipe`, `dip`, `failover`, `line`, `filler`, `recovered`, `end`
    /// or `failed`.
    pub reason: String,
    /// The first frame of it.
    pub since_frame: u64,
    /// The mix that runs, if one does; what it leads to counts as on air.
    #[serde(default)]
    pub mix: Option<MixStatus>,
    /// Its sources' names.
    pub sources: Vec<String>,
    /// Sources that are not heard as they come.
    #[serde(default)]
    pub desk: Vec<StripStatus>,
    /// Its watermarks that are drawn, in their order.
    #[serde(default)]
    pub watermarks: Vec<MarkStatus>,
    /// Its rundown; `None` without one.
    #[serde(default)]
    pub plan: Option<PlanStatus>,
    /// Whether the filler is asked for; `None` without a filler.
    pub filler: Option<Switch>,
    /// Whether tags are to be encrypted; `None` without keys.
    pub encrypt: Option<Switch>,
    /// The id of the current key; `None` while clear.
    pub key_id: Option<u8>,
    /// The id of the key that takes effect when encryption goes on; `None` while it is.
    #[serde(default)]
    pub next_key_id: Option<u8>,
    /// Frames its ladder took so far.
    pub frames: u64,
    /// Ticks that were begun more than one frame after they were due.
    pub late_ticks: u64,
    /// What composing, scaling, a shared lookahead and the sound cost; `None` in the first second.
    #[serde(default)]
    pub stage: Option<StageStatus>,
    /// Its rungs.
    pub rungs: Vec<RungStatus>,
    /// Its ways out, one a rung.
    pub egress: Vec<EgressReport>,
}

/// A mix under way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MixStatus {
    /// What fades out: a camera's or the filler's name, `None` for black.
    pub from: Option<String>,
    /// The camera that fades in.
    pub to: String,
    /// `mix`, `wipe` or `dip`.
    #[serde(default)]
    pub how: String,
    /// The first frame that is its picture alone.
    pub until_frame: u64,
}

/// A watermark of a channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MarkStatus {
    /// Its name.
    pub name: String,
    /// Whether it is shown.
    pub state: Switch,
    /// What it was told to say instead of the show file's words.
    pub text: Option<String>,
    /// Where it was put, as the show file has places.
    pub at: Option<String>,
    /// Whether something asked of it waits for a key frame.
    pub waiting: bool,
}

/// How a source is heard, wherever it is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StripStatus {
    /// The source.
    pub source: String,
    /// Decibels; 0 is as it comes.
    pub gain_db: f64,
    /// `on` is silent.
    pub mute: Switch,
}

/// A rundown as it runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PlanStatus {
    /// `running`, or `held`: no cue comes of itself.
    pub state: String,
    /// Cues that were carried out.
    pub done: usize,
    /// Cues that could not be.
    pub refused: usize,
    /// Cues that were left out.
    pub skipped: usize,
    /// Cues still to come.
    pub waiting: usize,
    /// The one that the director's `next` calls.
    pub on_next: Option<CueStatus>,
    /// The first eight that wait: those with a time by their time, then the others.
    pub coming: Vec<CueStatus>,
}

/// A cue that waits.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CueStatus {
    /// Its place in the show file, from 1.
    pub cue: u32,
    /// When, in seconds of show time; `None` while that is open.
    pub t: Option<f64>,
    /// The time of day it waits for, UTC.
    pub clock_utc: Option<String>,
    /// What happens then, as the show file spells it.
    pub what: String,
}

/// A rung.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as in the report")]
pub struct RungStatus {
    /// What its report says, too.
    #[serde(flatten)]
    pub facts: RungFacts,
    /// Over the last second; `None` before there was one.
    pub fps: Option<f64>,
    /// As `fps`.
    pub kbps: Option<f64>,
    /// FFmpeg's name of its own encoder; `None` for a rung that copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<String>,
    /// The device that was asked for, where that did not open and [`encoder`](Self::encoder) stands
    /// in for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder_missing: Option<String>,
    /// The channel that encodes its pictures at present; `None` while this one does itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_from: Option<String>,
    /// The camera and the line whose own pictures it sends at present; `None` while they are
    /// encoded here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<String>,
    /// What encoding it and making its tags cost; `None` in the first second.
    #[serde(default)]
    pub stage: Option<StageStatus>,
    /// Since when it has no pictures, since the engine does not keep up, in seconds of show time;
    /// `None` while it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shed_since: Option<f64>,
}

impl Deref for RungStatus {
    type Target = RungFacts;

    fn deref(&self) -> &RungFacts {
        &self.facts
    }
}

/// A camera.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CameraStatus {
    /// Its name.
    pub name: String,
    /// The line its picture comes over; `None` before the first.
    pub line: Option<String>,
    /// The line the director chose; `None` while it is chosen by the rules.
    #[serde(default)]
    pub chosen: Option<String>,
    /// Its lines.
    pub lines: Vec<LineStatus>,
}

/// A line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LineStatus {
    /// What its report says, too.
    #[serde(flatten)]
    pub facts: LineFacts,
    /// What it is suspect for, if it is.
    #[serde(default)]
    pub suspect: Option<String>,
    /// What is seen and heard to be wrong with it: `black`, `frozen`, `silent`.
    #[serde(default)]
    pub amiss: Vec<String>,
    /// Pictures decoded over the last second; `None` where nothing is pushed at present.
    pub fps: Option<f64>,
    /// Over the last second, both tracks; as `fps`.
    pub kbps: Option<f64>,
    /// Whether it shows the same at every tick as all other lines of its camera that are in step.
    #[serde(default)]
    pub in_step: bool,
    /// What decoding it costs; `None` in the first second, and for what is drawn here.
    #[serde(default)]
    pub stage: Option<StageStatus>,
}

impl Deref for LineStatus {
    type Target = LineFacts;

    fn deref(&self) -> &LineFacts {
        &self.facts
    }
}

/// A scene.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SceneStatus {
    /// Its name.
    pub name: String,
    /// The layout it has, or goes over to.
    pub layout: String,
    /// The layouts it can be given.
    pub layouts: Vec<String>,
    /// The first frame at which its boxes are where they belong, while they move.
    pub settled_frame: Option<u64>,
    /// Its boxes, in the order of the show.
    pub boxes: Vec<BoxStatus>,
}

/// A box of a scene.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BoxStatus {
    /// Its name.
    pub name: String,
    /// Its camera.
    pub camera: String,
    /// `camera`, `held` (its last picture, over a hole), `filler`, `empty`, or `nothing` where the
    /// layout has no place for it.
    pub shows: String,
    /// Where its picture stands: pixels from the left and the top, width, height.
    pub place: Option<[u32; 4]>,
    /// How loud it is heard, in decibels; 0 is as it comes.
    pub level_db: f64,
    /// `on` is silent.
    pub mute: Switch,
}

/// The parts of a status that changed.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) channels: Vec<ChannelStatus>,
    pub(crate) cameras: Vec<CameraStatus>,
    pub(crate) scenes: Vec<SceneStatus>,
    pub(crate) load: Option<LoadStatus>,
    pub(crate) events: Vec<Event>,
}

/// A change: the parts that are new, and why.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Delta {
    /// The revision with it.
    pub revision: u64,
    /// The run.
    pub epoch: u64,
    /// `figures` once a second and `event`, which have all parts, or what changed: `cut`, `filler`,
    /// `failover`, `mix-over`, …
    /// After a `reload` the lists are whole, and over HTTP a `snapshot` takes its place.
    pub cause: String,
    /// Seconds of show time.
    pub t: f64,
    /// Channels that changed.
    pub channels: Vec<ChannelStatus>,
    /// Cameras that changed.
    pub cameras: Vec<CameraStatus>,
    /// Scenes that changed.
    #[serde(default)]
    pub scenes: Vec<SceneStatus>,
    /// Whether the engine keeps up, where that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadStatus>,
    /// New events.
    pub events: Vec<Event>,
    /// The whole of it, where parts came or went: after a reload.
    #[serde(skip)]
    pub(crate) whole: Option<std::sync::Arc<Status>>,
}

/// How many events a status carries.
pub(crate) const EVENTS_SHOWN: usize = 50;

/// The status as it stands, and everyone who wants to hear of changes.
pub(crate) struct Board {
    shown: Mutex<Shown>,
}

struct Shown {
    status: Status,
    /// `None` once the show is over: nothing will change any more.
    deltas: Option<broadcast::Sender<Delta>>,
}

impl Board {
    pub(crate) fn new(status: Status) -> Self {
        Self { shown: Mutex::new(Shown { status, deltas: Some(broadcast::channel(256).0) }) }
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn status(&self) -> Status {
        self.lock().status.clone()
    }

    /// A snapshot, and every delta after it; closed at once if the show is over.
    pub(crate) fn subscribe(&self) -> (Status, broadcast::Receiver<Delta>) {
        // Under one lock: no delta falls between the two.
        let shown = self.lock();
        let deltas = match &shown.deltas {
            Some(deltas) => deltas.subscribe(),
            None => broadcast::channel(1).1,
        };
        (shown.status.clone(), deltas)
    }

    /// Nothing will change any more: readers come to their end.
    pub(crate) fn close(&self) {
        self.lock().deltas = None;
    }

    /// Puts the parts in place and tells everyone; the new revision.
    pub(crate) fn change(&self, now: Time, cause: &str, parts: Parts) -> u64 {
        let Parts { channels, cameras, scenes, load, events } = parts;
        let mut shown = self.lock();
        let Shown { status, deltas } = &mut *shown;
        status.revision += 1;
        status.t = now.as_secs_f64();
        for channel in &channels {
            if let Some(slot) = status.channels.iter_mut().find(|c| c.name == channel.name) {
                slot.clone_from(channel);
            }
        }
        for camera in &cameras {
            if let Some(slot) = status.cameras.iter_mut().find(|c| c.name == camera.name) {
                slot.clone_from(camera);
            }
        }
        for scene in &scenes {
            if let Some(slot) = status.scenes.iter_mut().find(|s| s.name == scene.name) {
                slot.clone_from(scene);
            }
        }
        if let Some(load) = &load {
            status.load.clone_from(load);
        }
        status.events.extend(events.iter().cloned());
        let over = status.events.len().saturating_sub(EVENTS_SHOWN);
        status.events.drain(..over);
        let delta = Delta {
            revision: status.revision,
            epoch: status.epoch,
            cause: cause.to_owned(),
            t: status.t,
            channels,
            cameras,
            scenes,
            load,
            events,
            whole: None,
        };
        // Nobody listening is no error. Sent under the lock, so revisions go out in order.
        if let Some(deltas) = deltas {
            let _ = deltas.send(delta);
        }
        status.revision
    }

    /// Other parts are there from now on; the new revision, and that of the show file.
    pub(crate) fn reload(&self, now: Time, show: &str, parts: Parts) -> (u64, u64) {
        let mut shown = self.lock();
        let Shown { status, deltas } = &mut *shown;
        status.revision += 1;
        status.show_revision += 1;
        status.t = now.as_secs_f64();
        status.show = show.to_owned();
        (status.channels, status.cameras, status.scenes) = (parts.channels, parts.cameras, parts.scenes);
        let delta = Delta {
            revision: status.revision,
            epoch: status.epoch,
            cause: "reload".to_owned(),
            t: status.t,
            channels: status.channels.clone(),
            cameras: status.cameras.clone(),
            scenes: status.scenes.clone(),
            load: None,
            events: Vec::new(),
            whole: Some(std::sync::Arc::new(status.clone())),
        };
        if let Some(deltas) = deltas {
            let _ = deltas.send(delta);
        }
        (status.revision, status.show_revision)
    }

    pub(crate) fn revision(&self) -> u64 {
        self.lock().status.revision
    }
}
