//! The report of a show: what viewers saw, what every line and egress did.
//!
//! Times are seconds of show time unless the name says `_ms`; gaps are between
//! successive tags, in wall time when live, in media time offline.

use std::ops::Deref;

use pipeline_dsl::Switch;
use serde::{Deserialize, Serialize};

use crate::event::{Event, FAILURES};

/// A show, told afterwards.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract; the units are said above")]
pub struct Report {
    pub show: String,
    pub wall_s: f64,
    /// User and system time of this process.
    pub cpu_s: f64,
    /// Show time over wall time.
    pub realtime_factor: f64,
    pub cameras: Vec<CameraReport>,
    /// Fillers, told as cameras of one line; one may bear a camera's name.
    #[serde(default)]
    pub fillers: Vec<CameraReport>,
    /// Empty where the show has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenes: Vec<SceneReport>,
    pub channels: Vec<ChannelReport>,
    /// When engines ran, if one died in the show and another went on; all but `on_air` tells of
    /// the last one alone. Between two of them nothing went out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartReport>,
    pub events: Vec<Event>,
}

/// A part of a show that one engine ran.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct PartReport {
    pub from: f64,
    pub to: f64,
    pub end: PartEnd,
}

/// How a part of a show ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartEnd {
    /// The engine died, or its machine.
    Died,
    /// The show is over.
    Ended,
}

/// A scene; its changes of layout are among the events.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct SceneReport {
    pub name: String,
    /// The one it ended in.
    pub layout: String,
    pub boxes: Vec<BoxReport>,
}

/// A box of a scene.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct BoxReport {
    pub name: String,
    pub camera: String,
    /// How long it was without a current picture of its camera.
    pub lost_s: f64,
}

/// A camera position and its lines.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct CameraReport {
    pub name: String,
    pub lines: Vec<LineReport>,
}

/// How a line ended up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineState {
    /// Pictures come.
    Live,
    /// Pictures came, and are missing.
    Lost,
    /// It came to its end.
    Ended,
    /// Nothing ever came.
    Never,
    /// It is called, or somebody has connected, and no picture has come of that yet; there may
    /// have been some before.
    Connecting,
}

/// What a status and a report say of a line alike: up to now, or in all. Both are read as if it were
/// their own, and in JSON it is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct LineFacts {
    pub name: String,
    pub state: LineState,
    pub packets: u64,
    pub bytes: u64,
    /// How long pictures were missing in all, after the first had come.
    pub lost_s: f64,
    /// How long a live line's material is to wait, as the show file says; `None` for others.
    #[serde(default)]
    pub buffer_ms: Option<f64>,
    /// How much of it waits; in a report, on the average while the line was live.
    #[serde(default)]
    pub queue_ms: Option<f64>,
    /// Show time minus the stream's own, of the last stream that came; `None` before one.
    #[serde(default)]
    pub offset_ms: Option<f64>,
    /// How much faster its sender's clock runs than the show's, in millionths; `None` before that
    /// is known, which takes 20 s.
    #[serde(default)]
    pub drift_ppm: Option<f64>,
    /// How much later than the quickest line it could show what was taken at one moment; `None`
    /// where its stream does not tell the time of day.
    #[serde(default)]
    pub behind_ms: Option<f64>,
    /// How much later than over the camera's line that is shown the same pictures come over this
    /// one; `None` where the two are not known to carry the same.
    #[serde(default)]
    pub step_ms: Option<f64>,
    /// Its recording as it comes; `None` if the show asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingReport>,
    /// Between its last two key frames, by its own clock.
    #[serde(default)]
    pub keyframe_s: Option<f64>,
    /// Packets and pictures that could not be decoded.
    #[serde(default)]
    pub decode_errors: u64,
    /// What its wire tells of the network, since it was connected last.
    #[serde(default)]
    pub network: NetworkReport,
}

/// One line of a camera.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct LineReport {
    /// What its status says, too.
    #[serde(flatten)]
    pub facts: LineFacts,
    /// How long it was black, frozen and silent in all, counted where it was so for long enough to
    /// be told; `None` where that is not looked at.
    #[serde(default)]
    pub black_s: Option<f64>,
    #[serde(default)]
    pub frozen_s: Option<f64>,
    #[serde(default)]
    pub silent_s: Option<f64>,
    /// What decoding it cost; `None` for what is drawn here.
    #[serde(default)]
    pub stage: Option<StageReport>,
}

impl Deref for LineReport {
    type Target = LineFacts;

    fn deref(&self) -> &LineFacts {
        &self.facts
    }
}

/// The recording of a line as it came: a file for each stream.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct RecordingReport {
    /// The newest file; `None` while nothing has come.
    pub file: Option<String>,
    /// Files begun.
    pub files: u64,
    /// Files that could not be made or finished, and streams that were not recorded for lack of
    /// room; the events say why.
    pub failures: u64,
    /// `live` while a stream is written, `connecting` between streams.
    pub state: EgressState,
    /// Of all files: whole tags.
    pub bytes: u64,
    /// Pictures that a slow disk cost.
    pub dropped_frames: u64,
}

/// What a wire tells of the network behind it; `None` where it does not.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct NetworkReport {
    /// There and back (SRT).
    pub rtt_ms: Option<f64>,
    /// By how much packets come unevenly (RTP).
    pub jitter_ms: Option<f64>,
    /// Packets that never came, or too late (SRT, RTP).
    pub lost: Option<u64>,
    /// Packets that came at the second attempt (SRT).
    pub again: Option<u64>,
}

/// One channel.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct ChannelReport {
    pub name: String,
    /// Frames handed to its ladder while that worked.
    pub frames: u64,
    /// Ticks that were begun more than one frame after they were due.
    pub late_ticks: u64,
    pub on_air: Vec<OnAirReport>,
    /// From when its tags were encrypted and under which key; empty if they never were.
    #[serde(default)]
    pub encryption: Vec<EncryptionReport>,
    /// What composing, scaling, a shared lookahead and the sound cost.
    #[serde(default)]
    pub stage: Option<StageReport>,
    pub rungs: Vec<RungReport>,
    pub egress: Vec<EgressReport>,
}

/// From when what was on air, and why.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct OnAirReport {
    pub t: f64,
    /// A camera's or the filler's name; `None` for black, and at the end.
    pub source: Option<String>,
    pub reason: String,
}

/// From when, a key frame in all rungs, a channel's tags were encrypted or clear.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct EncryptionReport {
    pub t: f64,
    pub state: Switch,
    /// The id of the key while it is on.
    pub key_id: Option<u8>,
}

/// What a status and a report say of a rung alike: up to now, or in all. Both are read as if it were
/// their own, and in JSON it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct RungFacts {
    pub name: String,
    pub width: u32,
    pub height: u32,
    pub frames: u64,
    pub keyframes: u64,
    /// Of pictures and sound as the channel carries them: whole tags, after encryption.
    pub bytes: u64,
}

/// One rung of a channel.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct RungReport {
    /// What its status says, too.
    #[serde(flatten)]
    pub facts: RungFacts,
    pub max_video_gap_ms: f64,
    pub max_audio_gap_ms: f64,
    /// Of `frames`, those that another channel encoded, since it showed the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<CarriedReport>,
    /// Of `frames`, those that are the camera's own; there only for a rung that copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied: Option<u64>,
    /// What encoding it and making its tags cost.
    #[serde(default)]
    pub stage: Option<StageReport>,
    /// How long it had no pictures, since the engine did not keep up, in all.
    #[serde(default)]
    pub shed_s: f64,
    /// When; each ends with a key frame.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shed: Vec<ShedReport>,
    /// Pictures whose last bit comes too late for a player with a buffer of a second at the rung's
    /// rate: encoders keep to it, a splice of two may not.
    #[serde(default)]
    pub vbv_overshoots: u64,
    /// How late at the most.
    #[serde(default)]
    pub vbv_overshoot_ms: f64,
}

impl Deref for RungReport {
    type Target = RungFacts;

    fn deref(&self) -> &RungFacts {
        &self.facts
    }
}

/// What a status and a report say of a stage alike: over the last second, or over all of the show.
/// Both are read as if it were their own, and in JSON it is.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct StageFacts {
    /// CPU time of its threads: milliseconds in a second, on the average.
    pub cpu_ms: f64,
    /// The most that waited for it.
    pub queue_max: u64,
    /// From when a picture's tick was due until it left the stage: the median, in a report that of each
    /// second, on the average; `None` where it is not measured, as offline, and while there are no
    /// pictures.
    pub latency_ms: Option<f64>,
    /// The longest.
    pub latency_max_ms: Option<f64>,
}

/// What a stage cost, over all of the show.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct StageReport {
    /// CPU time of its threads in all.
    pub cpu_s: f64,
    /// What its status says, too.
    #[serde(flatten)]
    pub facts: StageFacts,
}

impl Deref for StageReport {
    type Target = StageFacts;

    fn deref(&self) -> &StageFacts {
        &self.facts
    }
}

/// A stretch of a rung without pictures.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct ShedReport {
    pub t: f64,
    /// How long.
    pub for_s: f64,
}

/// Pictures of a rung that came from another channel's rung of the same name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct CarriedReport {
    pub channel: String,
    pub frames: u64,
}

/// Where an egress stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EgressState {
    /// Tags flow.
    Live,
    /// The other side is not there yet, or not any more; it is tried again.
    Connecting,
    /// It is not built yet in this version.
    NotAvailable,
    /// Closed in good order.
    Closed,
    /// It has stopped; the events say why.
    Failed,
}

/// One egress of one rung.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract")]
pub struct EgressReport {
    pub name: String,
    pub rung: String,
    pub target: String,
    /// The show file says `clear=true`: it carries clear tags even while the channel is encrypted.
    #[serde(default)]
    pub clear: bool,
    pub state: EgressState,
    pub bytes: u64,
    pub dropped_frames: u64,
    pub reconnects: u64,
}

impl Report {
    /// 0, or 1 if a channel, a rung, an egress or a line's recording failed.
    pub fn exit_code(&self) -> u8 {
        let egress = self.channels.iter().flat_map(|c| &c.egress);
        let failed_egress = egress.into_iter().any(|e| e.state == EgressState::Failed);
        let failed_part = self.events.iter().any(|e| FAILURES.contains(&e.code.as_str()));
        let mut recordings = self.cameras.iter().flat_map(|c| &c.lines).filter_map(|l| l.recording.as_ref());
        let failed_recording = recordings.any(|recording| recording.failures > 0);
        u8::from(failed_egress || failed_part || failed_recording)
    }
}

/// User and system time of this process so far, in seconds; 0 where the system does not tell.
pub(crate) fn cpu_seconds() -> f64 {
    // Fields 14 and 15 of proc(5)'s stat, counted after the last `)`, in ticks of 1/100 s.
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return 0.0 };
    let Some((_, after)) = stat.rsplit_once(')') else { return 0.0 };
    let mut fields = after.split_ascii_whitespace().skip(11);
    let mut next = || fields.next().and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (next() + next()) / 100.0
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use crate::{LineReport, LineStatus, StageReport, StageStatus};

    /// The names of what such a thing says, of one that is read from this.
    fn said<T: Serialize + DeserializeOwned>(json: &str) -> String {
        let read: T = serde_json::from_str(json).unwrap();
        let value = serde_json::to_value(read).unwrap();
        value.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// What a status and a report share stands among what each says alone.
    #[test]
    fn a_line_and_a_stage_say_all_in_one_place() {
        let line = r#"{"name":"fiber","state":"live","packets":1,"bytes":2,"lost_s":0.5}"#;
        let facts = "behind_ms buffer_ms bytes decode_errors drift_ppm keyframe_s lost_s name network offset_ms packets \
            queue_ms stage state step_ms";
        let sorted = |more: &str| {
            let mut names: Vec<_> = facts.split(' ').chain(more.split(' ')).collect();
            names.sort_unstable();
            names.join(" ")
        };
        assert_eq!(said::<LineStatus>(line), sorted("amiss fps in_step kbps suspect"));
        assert_eq!(said::<LineReport>(line), sorted("black_s frozen_s silent_s"));
        let stage = r#"{"cpu_s":1.0,"cpu_ms":2.0,"queue":3,"queue_max":4}"#;
        assert_eq!(said::<StageStatus>(stage), "cpu_ms latency_max_ms latency_ms queue queue_max");
        assert_eq!(said::<StageReport>(stage), "cpu_ms cpu_s latency_max_ms latency_ms queue_max");
    }

    #[test]
    fn cpu_time_is_read() {
        let mut x = 1u64;
        while super::cpu_seconds() <= 0.0 {
            x = std::hint::black_box(x.wrapping_mul(3));
        }
        assert!(super::cpu_seconds() > 0.0);
    }
}
