//! What came of a rehearsal: what was asked for and what was on air, every fault, and every gap
//! that a viewer would have seen.
//!
//! Times are seconds of rehearsal time: it begins with the show and goes on while the engine is
//! killed and restarted. It is show time, until a show begins anew. A run `[from, to)` ends where the next one begins.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::report::{EgressState, LineState};

/// A show, rehearsed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rehearsal {
    /// The show's name.
    pub show: String,
    /// What chance was drawn from: the same seed and faults give the same rehearsal.
    pub seed: u64,
    /// What pictures and sound were made with.
    pub codecs: Codecs,
    /// How much show was rehearsed.
    pub length_s: f64,
    /// What it took here; the one part that is another each time.
    pub cost: Cost,
    /// When the engine ran: more than once if it was killed.
    pub engines: Vec<EngineRun>,
    /// What was done to the show, in the order of the script.
    pub faults: Vec<FaultRun>,
    /// What the script had the director do.
    pub commands: Vec<CommandRun>,
    /// Cues that were due.
    pub cues: Vec<CueRun>,
    /// Every line, by camera as in the show.
    pub lines: Vec<LineRun>,
    /// Every camera, and which of its lines it came over.
    pub cameras: Vec<CameraRun>,
    /// Every channel.
    pub channels: Vec<ChannelRun>,
    /// Every egress of every rung.
    pub sinks: Vec<SinkRun>,
    /// What viewers would have missed, by time.
    pub gaps: Vec<Gap>,
    /// What the engine said, by time.
    pub events: Vec<Event>,
}

impl Rehearsal {
    /// The longest gap there was.
    pub fn longest_gap(&self) -> Option<&Gap> {
        self.gaps.iter().max_by(|a, b| a.length_s().total_cmp(&b.length_s()))
    }
}

/// With what pictures and sound are made in a rehearsal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codecs {
    /// With a codec that costs nothing, on a small canvas: hours in minutes.
    #[default]
    Fake,
    /// With the real ones, at full size.
    Pixels,
}

/// What a rehearsal took on this machine.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Wall time.
    pub wall_s: f64,
    /// User and system time of this process.
    pub cpu_s: f64,
}

/// The engine, from its start to its end.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct EngineRun {
    pub from: f64,
    pub to: f64,
    #[serde(default)]
    pub begins: EngineBegins,
    pub end: EngineEnd,
}

/// What an engine began with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineBegins {
    /// With its show's beginning.
    #[default]
    Anew,
    /// With what the one before it had kept: show time went on while none ran.
    GoesOn,
}

/// How an engine came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineEnd {
    /// With the show, or with what was to be rehearsed of it.
    Ended,
    /// It was killed.
    Killed,
}

/// A fault, when it acted.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FaultRun {
    /// When it begins.
    pub from: f64,
    /// When it ends; `None` if it lasts, or is over in a moment.
    pub to: Option<f64>,
    /// To what it was done: a line (`main/fiber`), an egress (`program/cdn-a`), `disk` or `engine`.
    pub subject: String,
    /// As the fault script says it.
    pub words: String,
}

/// A command of the script.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CommandRun {
    /// When it was given.
    pub t: f64,
    /// Its channel, if it is about one that was named.
    pub channel: Option<String>,
    /// As the fault script says it.
    pub words: String,
    /// What came of it.
    pub outcome: CommandOutcome,
}

/// What came of a command.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandOutcome {
    /// It was carried out.
    Done {
        /// What was on air from that tick on.
        on_air: Option<String>,
    },
    /// The show file that it named is in force.
    Reloaded {
        /// Which it is, from the first, 1, on.
        revision: u64,
        /// What became different.
        steps: Vec<String>,
    },
    /// It was refused, and nothing changed.
    Refused {
        /// Why, for people.
        message: String,
    },
    /// Nobody was there to take it: the engine was down, or the show over.
    Unheard,
}

/// A cue that was due.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct CueRun {
    pub t: f64,
    pub channel: String,
    /// What was done, or why it could not be.
    pub what: String,
}

/// Who stands at the other end of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sender {
    /// A simulated one: the line is live on the day.
    Simulated,
    /// The file, image or pattern itself.
    Itself,
}

/// A line and how it stood.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct LineRun {
    pub camera: String,
    pub line: String,
    pub sender: Sender,
    pub states: Vec<LineSpan>,
}

/// From when to when a line stood like this.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct LineSpan {
    pub from: f64,
    pub to: f64,
    pub state: LineState,
    /// Why it is suspect, while it is: `fps`, `bitrate`, `errors`, …
    pub suspect: Option<String>,
}

/// A camera and the lines it came over.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct CameraRun {
    pub camera: String,
    pub lines: Vec<CameraSpan>,
}

/// From when to when a camera came over this line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct CameraSpan {
    pub from: f64,
    pub to: f64,
    /// `None` before any of them was live.
    pub line: Option<String>,
}

/// A channel: what was asked for, and what was on air.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct ChannelRun {
    pub name: String,
    /// Its rungs, as in its ladder: each has a viewer.
    pub rungs: Vec<String>,
    pub intent: Vec<IntentSpan>,
    pub actual: Vec<ActualSpan>,
    /// Its watermarks, in its order, each from its beginning to its end; a forensic one is always there.
    #[serde(default)]
    pub watermarks: Vec<MarkSpan>,
}

/// A watermark, as it was led: with the codec that costs nothing it is not drawn.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct MarkSpan {
    pub name: String,
    pub from: f64,
    pub to: f64,
    /// Whether it is seen.
    pub on: bool,
    /// Whether it comes or goes.
    #[serde(default)]
    pub fading: bool,
    /// What it says instead of the show file's words.
    pub text: Option<String>,
    /// Where it was put, or is on its way to, instead of the show file's place.
    #[serde(default)]
    pub at: Option<String>,
}

/// What the director and the rundown asked for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct IntentSpan {
    pub from: f64,
    pub to: f64,
    pub source: String,
    /// Whether the filler was asked for instead.
    pub filler: bool,
}

/// What was on air, as viewers saw and heard it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ActualSpan {
    /// From when,
    pub from: f64,
    /// to when.
    pub to: f64,
    /// What kind of thing it was.
    pub kind: OnAirKind,
    /// The camera's or the filler's name; `None` for black and while the engine was down.
    pub source: Option<String>,
    /// The line the camera came over; `None` for what has none.
    pub line: Option<String>,
    /// Why it came on air: `start`, `cut`, `failover`, `filler`, `recovered`, … ; `down` while the
    /// engine was.
    pub reason: String,
    /// What its picture did.
    pub picture: PictureSeen,
    /// What its sound did.
    pub sound: SoundHeard,
}

/// What kind of thing was on air.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnAirKind {
    /// A source of the channel.
    Source,
    /// Its filler.
    Filler,
    /// Black and silence, for want of anything else.
    Black,
    /// Nothing: the engine was down, or the channel is over.
    Nothing,
}

/// What the picture on air did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PictureSeen {
    /// It was as it should be.
    Live,
    /// It stood still: held over a hole, or frozen at its source.
    Frozen,
    /// It was black.
    Black,
    /// There was none.
    Nothing,
}

/// What the sound on air did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SoundHeard {
    /// It was as it should be; a filler without sound is.
    Live,
    /// It was missing, and silence stood in.
    Silence,
    /// There was none.
    Nothing,
}

/// An egress of a rung, or an audience of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct SinkRun {
    pub channel: String,
    pub egress: String,
    pub rung: String,
    /// What stands at its other end.
    #[serde(default)]
    pub way: WayOut,
    /// Where it leads, without its secrets.
    pub target: String,
    pub states: Vec<SinkSpan>,
    pub bytes: u64,
    pub dropped_frames: u64,
    pub reconnects: u64,
    /// What the disk would hold of it: a file each time the engine began.
    #[serde(default)]
    pub files: Vec<FileRun>,
}

/// What stands at the other end of an egress.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WayOut {
    /// A server that tags are pushed to.
    Push,
    /// A disk that they are recorded on.
    Record,
    /// Viewers who come to us.
    #[default]
    Viewers,
}

/// A recording that is on the disk in the end, whole up to its last tag.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FileRun {
    /// Its name: none takes the place of another.
    pub name: String,
    /// When it was opened,
    #[serde(default)]
    pub from: f64,
    /// and when it was closed, or nothing more could be written.
    #[serde(default)]
    pub to: f64,
    /// From its first picture to its last.
    pub length_s: f64,
    /// How large it would be about, by the bitrates of its rung and its sound.
    pub bytes: u64,
}

/// From when to when an egress stood like this.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct SinkSpan {
    pub from: f64,
    pub to: f64,
    pub state: EgressState,
    /// What is the matter, where something is.
    pub why: Option<String>,
}

/// Something a viewer would have missed. What lasts no longer than three frames, or a tenth of a
/// second, is none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Gap {
    /// When the first thing that is missing was due.
    pub from: f64,
    /// When it went on.
    pub to: f64,
    /// Whose program.
    pub channel: String,
    /// Which rung of it was watched.
    pub rung: String,
    /// Over which egress, where its server is to blame; `None` for all who watch the rung.
    pub egress: Option<String>,
    /// Whether eyes or ears missed it.
    pub sense: Sense,
    /// What stood in.
    pub saw: Saw,
    /// Why, for people.
    pub why: String,
    /// The fault behind it, by its place in [`Rehearsal::faults`], where one is.
    pub fault: Option<usize>,
}

impl Gap {
    /// How long it was.
    pub fn length_s(&self) -> f64 {
        self.to - self.from
    }
}

/// Whether eyes or ears.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sense {
    /// Eyes.
    Picture,
    /// Ears.
    Sound,
}

/// What a viewer has instead of the program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Saw {
    /// Nothing comes: the player waits.
    Nothing,
    /// A black picture.
    Black,
    /// A picture that stands still.
    Frozen,
    /// Silence.
    Silence,
}

/// How far a rehearsal has got.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Progress {
    /// Seconds of it that are done,
    pub done_s: f64,
    /// of so many; `None` where the director's word decides the end.
    pub of_s: Option<f64>,
    /// Wall time so far.
    pub wall_s: f64,
}
