//! One step from a show to another, and how it is said.

use std::fmt;

use media::Span;

use super::Difference;
use super::list::Named;
use crate::model::{
    Camera, ChannelFiller, Egress, Encoder, Failover, Filler, KeyRing, Ladder, Latency, Line, Name, Preset,
    Rundown, Rung, Scene, SceneLayout, Watermark,
};

/// What becomes of one of several parts.
#[derive(Clone, PartialEq, Debug)]
pub enum Change<T> {
    /// It is new.
    Added(T),
    /// The one of this name is gone.
    Removed(Name),
    /// The one of its name is now like this.
    Changed(T),
    /// They stand in this order.
    Order(Vec<Name>),
}

/// One step: it touches the part it names, and no other.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// The show is called something else.
    Name(Name),
    /// A camera comes or goes; what changes in one is said by its lines and its failover.
    Camera(Change<Camera>),
    /// A line of a camera: a changed one is opened again.
    Line {
        /// The camera's name.
        camera: Name,
        /// What becomes of which.
        change: Change<Line>,
    },
    /// A camera is led by other rules.
    Failover {
        /// The camera's name.
        camera: Name,
        /// The rules.
        failover: Failover,
    },
    /// A filler; a changed one is opened again.
    Filler(Change<Filler>),
    /// A layout for scenes; boxes of a changed one stand where it now has them.
    Layout(Change<SceneLayout>),
    /// A scene; of a changed one, what is said otherwise now is so, and the rest is as it was led.
    Scene(Change<Scene>),
    /// A watermark; a changed one is drawn anew wherever it is.
    Watermark(Change<Watermark>),
    /// A ladder comes, goes, or is changed while no channel runs on it.
    Ladder(Change<Ladder>),
    /// A ladder that channels run on encodes otherwise: rungs get new encoders.
    Encoding {
        /// The ladder's name.
        ladder: Name,
        /// How, from now on.
        encoding: Encoding,
    },
    /// A rung of a ladder that channels run on: a changed one gets a new encoder, and its viewers,
    /// recordings and servers stay.
    Rung {
        /// The ladder's name.
        ladder: Name,
        /// What becomes of which.
        change: Change<Rung>,
    },
    /// A key ring; one in use only grows.
    Keys(Change<KeyRing>),
    /// The channels stand in this order.
    Channels(Vec<Name>),
    /// What a channel can show.
    Sources {
        /// The channel's name.
        channel: Name,
        /// Its cameras.
        sources: Vec<Name>,
    },
    /// A channel runs on another ladder: rungs that both have go on, if need be with new encoders.
    Runs {
        /// The channel's name.
        channel: Name,
        /// The ladder's name.
        ladder: Name,
    },
    /// What covers a channel's holes, and when.
    Cover {
        /// The channel's name.
        channel: Name,
        /// Its filler.
        filler: Option<ChannelFiller>,
    },
    /// Which watermarks a channel bears.
    Marks {
        /// The channel's name.
        channel: Name,
        /// Their names, in the order of drawing.
        watermarks: Vec<Name>,
    },
    /// Which rungs a channel may do without.
    Shed {
        /// The channel's name.
        channel: Name,
        /// Their names, the first to go first; `None` for the usual ones.
        rungs: Option<Vec<Name>>,
    },
    /// A channel's way out: a changed one is closed and opened again.
    Egress {
        /// The channel's name.
        channel: Name,
        /// What becomes of which.
        change: Change<Egress>,
    },
    /// A rundown, by its channel; cues that are past stay past.
    Rundown(Change<Rundown>),
}

/// What a ladder says of the encoders of all its rungs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encoding {
    /// How long a picture may stay in them.
    pub latency: Latency,
    /// What encodes the rungs that say nothing else.
    pub encoder: Encoder,
    /// The speed of the rungs that say nothing else.
    pub preset: Preset,
    /// How often there is a key frame.
    pub keyframe: Span,
}

impl Encoding {
    pub(super) fn of(ladder: &Ladder) -> Self {
        let Ladder { latency, encoder, preset, keyframe, .. } = *ladder;
        Self { latency, encoder, preset, keyframe }
    }
}

impl Step {
    /// What it is about, as events name it: `main/fiber`, `program`.
    pub fn subject(&self) -> String {
        match self {
            Self::Name(_) | Self::Channels(_) => "show".to_owned(),
            Self::Camera(change) => change.name().unwrap_or("show").to_owned(),
            Self::Filler(change) => change.name().unwrap_or("show").to_owned(),
            Self::Layout(change) => change.name().unwrap_or("show").to_owned(),
            Self::Scene(change) => change.name().unwrap_or("show").to_owned(),
            Self::Watermark(change) => change.name().unwrap_or("show").to_owned(),
            Self::Ladder(change) => change.name().unwrap_or("show").to_owned(),
            Self::Keys(change) => change.name().unwrap_or("show").to_owned(),
            Self::Rundown(change) => change.name().unwrap_or("show").to_owned(),
            Self::Failover { camera, .. } => camera.clone(),
            Self::Line { camera, change } => within(camera, change.name()),
            Self::Encoding { ladder, .. } => ladder.clone(),
            Self::Rung { ladder, change } => within(ladder, change.name()),
            Self::Egress { channel, change } => within(channel, change.name()),
            Self::Sources { channel, .. }
            | Self::Runs { channel, .. }
            | Self::Cover { channel, .. }
            | Self::Marks { channel, .. }
            | Self::Shed { channel, .. } => channel.clone(),
        }
    }
}

fn within(whole: &str, part: Option<&str>) -> String {
    part.map_or_else(|| whole.to_owned(), |part| format!("{whole}/{part}"))
}

#[allow(private_bounds, reason = "the parts of a show are named, and only they are in lists")]
impl<T: Named> Change<T> {
    /// Which one it is about; none, if it is their order.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Added(part) | Self::Changed(part) => Some(part.name()),
            Self::Removed(name) => Some(name),
            Self::Order(_) => None,
        }
    }

    fn said(&self, kind: &str, changed: &str) -> String {
        match self {
            Self::Added(part) => format!("{kind} {} is added", part.name()),
            Self::Removed(name) => format!("{kind} {name} is taken away"),
            Self::Changed(part) => format!("{kind} {} {changed}", part.name()),
            Self::Order(order) => {
                let plural = if kind.ends_with('s') { "es" } else { "s" };
                format!("{kind}{plural} stand in this order: {}", order.join(", "))
            }
        }
    }
}

/// In words, without anything that may be secret: `camera main, line fiber is opened again`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Name(name) => format!("the show is called {name}"),
            Self::Camera(change) => change.said("camera", "is changed"),
            Self::Line { camera, change } => {
                format!("camera {camera}: {}", change.said("line", "is opened again"))
            }
            Self::Failover { camera, .. } => format!("camera {camera}: other failover rules"),
            Self::Filler(change) => change.said("filler", "is opened again"),
            Self::Layout(change) => change.said("layout", "has other places"),
            Self::Scene(change) => change.said("scene", "is composed otherwise"),
            Self::Watermark(change) => change.said("watermark", "is drawn anew"),
            Self::Ladder(change) => change.said("ladder", "is changed, which no channel runs on"),
            Self::Encoding { ladder, encoding: Encoding { latency, encoder, preset, keyframe } } => format!(
                "ladder {ladder}: latency {}, encoder {}, preset {}, a key frame every {}",
                latency.as_str(),
                encoder.as_str(),
                preset.as_str(),
                crate::literal::write_span(*keyframe)
            ),
            Self::Rung { ladder, change } => {
                format!("ladder {ladder}: {}", change.said("rung", "is encoded anew"))
            }
            Self::Runs { channel, ladder } => format!("channel {channel}: it runs on ladder {ladder}"),
            Self::Keys(change) => change.said("key", "has other keys behind those it had"),
            Self::Channels(order) => format!("channels stand in this order: {}", order.join(", ")),
            Self::Sources { channel, sources } => {
                format!("channel {channel}: its sources are {}", sources.join(", "))
            }
            Self::Cover { channel, filler: Some(ChannelFiller { name, after }) } => {
                let after = crate::literal::write_span(*after);
                format!("channel {channel}: filler {name} covers its holes after {after}")
            }
            Self::Cover { channel, filler: None } => {
                format!("channel {channel}: no filler covers its holes")
            }
            Self::Marks { channel, watermarks } if watermarks.is_empty() => {
                format!("channel {channel}: no watermark")
            }
            Self::Marks { channel, watermarks } => {
                format!("channel {channel}: its watermarks are {}", watermarks.join(", "))
            }
            Self::Shed { channel, rungs: None } => {
                format!("channel {channel}: under overload it does without the usual rungs")
            }
            Self::Shed { channel, rungs: Some(rungs) } if rungs.is_empty() => {
                format!("channel {channel}: under overload it does without no rung")
            }
            Self::Shed { channel, rungs: Some(rungs) } => {
                format!("channel {channel}: under overload it does without {}", rungs.join(", "))
            }
            Self::Egress { channel, change } => {
                format!("channel {channel}: {}", change.said("egress", "is closed and opened again"))
            }
            Self::Rundown(change) => change.said("rundown", "has other cues; those that are past stay past"),
        };
        f.write_str(&words)
    }
}

/// A step a line.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}
