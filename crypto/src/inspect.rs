//! What a tag says of its encryption, told without a key.

use std::fmt;

use flv::{Tag, TagKind};

use crate::key::KeyId;
use crate::key_header::{Mode, WireMode};
use crate::marker::{self, Fault};
use crate::salt::Salt;
use crate::shape::{self, Layout, Shape};
use crate::tracks::{self, Framings, Part, Tear};

/// A tag's encryption state. Where its tracks differ, the worst counts: mangled before unsupported
/// before clear before literal before encrypted (of these, the first).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Marking {
    /// Clear by the rules: script tags, sequence headers and the like.
    Exempt,
    /// A coded frame without a marker.
    Clear,
    /// Clear, and marked so because it carries a marker of its own.
    Literal,
    /// Encrypted.
    Encrypted {
        /// How; AAC says [`Mode::Capsule`] in a stream of either mode.
        mode: Mode,
        /// Under which key.
        key: KeyId,
        /// Under which salt: it changes with each start of an encryptor.
        salt: Salt,
        /// The tag's number under this salt.
        seq: u32,
    },
    /// Our marker, in a version or mode that is not known here.
    Unsupported {
        /// The version; known are 1 and 2, the latter of sound only.
        version: u8,
        /// The mode.
        mode: u8,
    },
    /// Our marker, but mangled.
    Mangled,
}

impl Marking {
    /// What is said of two tracks of a tag.
    fn and(self, other: Self) -> Self {
        let badness = |marking| match marking {
            Self::Exempt => 0,
            Self::Encrypted { .. } => 1,
            Self::Literal => 2,
            Self::Clear => 3,
            Self::Unsupported { .. } => 4,
            Self::Mangled => 5,
        };
        if badness(other) > badness(self) { other } else { self }
    }
}

impl fmt::Display for Marking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exempt => f.write_str("exempt"),
            Self::Clear => f.write_str("clear"),
            Self::Literal => f.write_str("literal"),
            Self::Encrypted { mode, key, salt, seq } => write!(f, "{mode} key={key} salt={salt} seq={seq}"),
            Self::Unsupported { version, mode } => write!(f, "unsupported version={version} mode={mode}"),
            Self::Mangled => f.write_str("mangled"),
        }
    }
}

/// Reads the markers of a stream's tags. It keeps how long NALU lengths are, as
/// the sequence headers say; feed it those too.
#[derive(Clone, Debug, Default)]
pub struct Inspector {
    framings: Framings,
}

impl Inspector {
    /// For a stream of which nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What one tag says.
    pub fn inspect(&mut self, tag: &Tag) -> Marking {
        match shape::of(tag.kind, tag.body()) {
            Layout::Single(shape) => {
                self.framings.observe(0, &shape);
                self.marking(0, tag.body(), &shape)
            }
            Layout::TrackConfigs => {
                self.framings.observe_tracks(tag.kind, tag.body());
                Marking::Exempt
            }
            Layout::Tracks => self.tracks(tag.kind, tag.body()),
        }
    }

    /// What the tracks of a body say.
    fn tracks(&self, kind: TagKind, body: &[u8]) -> Marking {
        let marking = |part: &Part<'_>| self.marking(part.track, part.data, &part.shape);
        let mut whole = Marking::Exempt;
        for part in tracks::parts(kind, body).into_iter().flatten() {
            match part {
                Ok(part) => whole = whole.and(marking(&part)),
                Err(Tear { rest, .. }) => {
                    let rest = rest.as_ref().map_or(Marking::Clear, marking);
                    let clear = [Marking::Exempt, Marking::Clear];
                    let all_clear = clear.contains(&whole) && clear.contains(&rest);
                    return if all_clear { Marking::Clear } else { Marking::Mangled };
                }
            }
        }
        whole
    }

    /// What a body says, or one track's part of it.
    fn marking(&self, track: u8, body: &[u8], shape: &Shape) -> Marking {
        if shape.is_exempt() {
            return Marking::Exempt;
        }
        let Some(found) = marker::find(body, shape, self.framings.of(track)) else {
            return Marking::Clear;
        };
        let mode = |wire| match wire {
            WireMode::Literal => None,
            WireMode::Capsule | WireMode::Silence => Some(Mode::Capsule),
            WireMode::Nalu => Some(Mode::Nalu),
        };
        match found.header {
            Ok(_) if found.is_literal() => Marking::Literal,
            // A capsule that says it is clear is none of ours.
            Ok(header) => mode(header.mode).map_or(Marking::Mangled, |mode| Marking::Encrypted {
                mode,
                key: header.key,
                salt: header.salt,
                seq: header.seq,
            }),
            Err(Fault::Mangled) => Marking::Mangled,
            Err(Fault::Unreadable(odd)) => Marking::Unsupported { version: odd.version, mode: odd.mode },
        }
    }
}

/// What a single tag says, where no sequence header is at hand.
pub fn inspect(tag: &Tag) -> Marking {
    Inspector::new().inspect(tag)
}
