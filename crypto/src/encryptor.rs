//! Encryption of a stream's tags, one after another.

use std::fmt;

use bytes::Bytes;
use flv::Tag;
use media::Track;

use crate::aac_mode;
use crate::capsule_mode;
use crate::counter::Run;
use crate::error::{CryptoError, NoRule};
use crate::key::{KeyId, MasterKey};
use crate::key_header::{Mode, WireMode};
use crate::literal;
use crate::marker::{self, Framing};
use crate::nalu_mode::{self, Refusal};
use crate::salt::{OsSalts, SaltSource};
use crate::shape::{self, Shape};
use crate::unit::UnitCodec;

/// Whether tags are encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Encryption {
    /// Coded frames go out encrypted.
    On,
    /// Tags go out as they came, bit for bit. Only a tag that happens to carry
    /// our marker is marked as literal, so that a reader restores it.
    Off,
}

/// What to do with a body that the format has no rule for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum UnknownBody {
    /// [`CryptoError::NoRule`], naming what it is.
    #[default]
    Refuse,
    /// Let it through clear. Whoever chooses this gives its contents away.
    PassClear,
}

/// Encrypts the tags of one stream (one feed: a video and an audio track).
///
/// Each encrypted tag carries all that is needed to decrypt it, so tags may be
/// lost, reordered, cached and re-stamped afterwards. Sequence headers, script
/// tags, ends of sequence, commands and metadata stay clear.
///
/// - **Encrypt once, then fan out**: every viewer and CDN gets the same bytes.
/// - **Switching and rotation act on the next tag.** Do both right before a key
///   frame, so that readers need no picture they cannot read; this type does
///   not look for key frames.
/// - Feed it the sequence headers too: they say how long NALU lengths are
///   (4 bytes until one has come).
///
/// A salt that comes twice would give pictures away, so salts come from the
/// operating system and nowhere else, and an encryptor can be neither cloned
/// nor stored:
///
/// ```compile_fail
/// fn twice(encryptor: &crypto::TagEncryptor) -> crypto::TagEncryptor {
///     encryptor.clone()
/// }
/// ```
pub struct TagEncryptor {
    master: MasterKey,
    id: KeyId,
    mode: Mode,
    encryption: Encryption,
    unknown: UnknownBody,
    framing: Framing,
    runs: Runs,
    salts: Box<dyn SaltSource>,
}

impl TagEncryptor {
    /// An encryptor that is on, with new salts.
    ///
    /// # Errors
    /// [`CryptoError::Salt`] if the system's random source fails.
    pub fn new(key: MasterKey, id: KeyId, mode: Mode) -> Result<Self, CryptoError> {
        Self::with_salts(key, id, mode, Box::new(OsSalts))
    }

    pub(crate) fn with_salts(
        master: MasterKey,
        id: KeyId,
        mode: Mode,
        mut salts: Box<dyn SaltSource>,
    ) -> Result<Self, CryptoError> {
        let runs = Runs::start(&master, id, mode, salts.as_mut())?;
        Ok(Self {
            master,
            id,
            mode,
            encryption: Encryption::On,
            unknown: UnknownBody::Refuse,
            framing: Framing::default(),
            runs,
            salts,
        })
    }

    /// With another policy for bodies without a rule; [`UnknownBody::Refuse`] at first.
    #[must_use]
    pub fn with_unknown_body(mut self, policy: UnknownBody) -> Self {
        self.unknown = policy;
        self
    }

    /// The id of the current key.
    pub fn key_id(&self) -> KeyId {
        self.id
    }

    /// The mode of video tags.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether tags are encrypted now.
    pub fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// Switches from the next tag on. Call it right before a key frame.
    ///
    /// From off to on new salts are drawn; the state already set changes nothing.
    ///
    /// # Errors
    /// [`CryptoError::Salt`] if no salt could be drawn. The encryptor is then
    /// on all the same: it refuses tags until the source works again, rather
    /// than let them pass clear.
    pub fn set_encryption(&mut self, state: Encryption) -> Result<(), CryptoError> {
        let before = std::mem::replace(&mut self.encryption, state);
        if (before, state) == (Encryption::Off, Encryption::On) {
            self.runs = Runs::default();
            self.runs = Runs::start(&self.master, self.id, self.mode, self.salts.as_mut())?;
        }
        Ok(())
    }

    /// Goes on with another key from the next tag on. Call it right before a key
    /// frame. New salts are drawn, also for the same key again.
    ///
    /// # Errors
    /// [`CryptoError::Salt`] if no salt could be drawn; the old key stays.
    pub fn rotate(&mut self, key: MasterKey, id: KeyId) -> Result<(), CryptoError> {
        self.runs = Runs::start(&key, id, self.mode, self.salts.as_mut())?;
        (self.master, self.id) = (key, id);
        Ok(())
    }

    /// Encrypts one tag, or passes it on where the rules or the state say so.
    /// Kind and timestamp stay as they are.
    ///
    /// # Errors
    /// See [`CryptoError`]; after an error the next tag may be tried.
    pub fn encrypt(&mut self, tag: Tag) -> Result<Tag, CryptoError> {
        let shape = shape::of(&tag);
        self.framing.observe(&shape);
        match (self.encryption, &shape) {
            (_, Shape::Exempt | Shape::Sequence(_)) => Ok(tag),
            (Encryption::Off, _) => self.clear(tag, &shape),
            (Encryption::On, Shape::Aac { payload }) => self.aac(&tag, *payload),
            (Encryption::On, Shape::Units { codec, payload }) => {
                match self.units(&tag, *codec, *payload) {
                    // Lengths that do not add up: a body without a rule, like any other.
                    Err(CryptoError::NoRule { .. }) if self.unknown == UnknownBody::PassClear => {
                        self.clear(tag, &shape)
                    }
                    result => result,
                }
            }
            (Encryption::On, Shape::NoRule(what)) => match self.unknown {
                UnknownBody::Refuse => Err(no_rule(&tag, what.clone())),
                UnknownBody::PassClear => Ok(tag),
            },
        }
    }

    fn aac(&mut self, tag: &Tag, payload: usize) -> Result<Tag, CryptoError> {
        let run = current(&mut self.runs.audio, || {
            Run::start(&self.master, self.id, Track::Audio, AUDIO_MODE, self.salts.as_mut())
        })?;
        let (header, key) = run.take(Track::Audio)?;
        with_body(tag, aac_mode::encrypt(tag.body(), payload, header, key))
    }

    fn units(&mut self, tag: &Tag, codec: UnitCodec, payload: usize) -> Result<Tag, CryptoError> {
        let run = current(&mut self.runs.video, || {
            Run::start(&self.master, self.id, Track::Video, video_mode(self.mode), self.salts.as_mut())
        })?;
        let (header, key) = run.take(Track::Video)?;
        let body = match self.mode {
            Mode::Nalu => nalu_mode::encrypt(tag.body(), payload, codec, self.framing.size(), header, key),
            Mode::Capsule => {
                capsule_mode::encrypt(tag.body(), payload, codec, self.framing.size(), header, key)
            }
        };
        with_body(tag, body.map_err(|refusal| refused(tag, self.mode, refusal))?)
    }

    /// Passes a tag clear; one that carries a marker is marked as literal.
    fn clear(&self, tag: Tag, shape: &Shape) -> Result<Tag, CryptoError> {
        let Some(forged) = marker::find(tag.body(), shape, self.framing) else {
            return Ok(tag);
        };
        match literal::mark(tag.body(), shape, self.framing, &forged) {
            Some(body) => with_body(&tag, body),
            None => Err(CryptoError::Ambiguous { kind: tag.kind, at: tag.timestamp }),
        }
    }
}

#[cfg(test)]
impl TagEncryptor {
    /// Goes on with this number on both tracks.
    pub(crate) fn skip_to(&mut self, seq: u32) {
        for run in [&mut self.runs.video, &mut self.runs.audio].into_iter().flatten() {
            run.skip_to(seq);
        }
    }

    /// The numbers of the next video and audio tag.
    pub(crate) fn next_numbers(&self) -> (Option<u32>, Option<u32>) {
        let next = |run: &Option<Run>| run.as_ref().and_then(Run::next_number);
        (next(&self.runs.video), next(&self.runs.audio))
    }
}

/// Prints neither key nor counters.
impl fmt::Debug for TagEncryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TagEncryptor")
            .field("id", &self.id)
            .field("mode", &self.mode)
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}

/// The tracks' counters; `None` where a salt is still to be drawn.
#[derive(Default)]
struct Runs {
    video: Option<Run>,
    audio: Option<Run>,
}

impl Runs {
    fn start(
        master: &MasterKey,
        id: KeyId,
        mode: Mode,
        salts: &mut dyn SaltSource,
    ) -> Result<Self, CryptoError> {
        Ok(Self {
            video: Some(Run::start(master, id, Track::Video, video_mode(mode), salts)?),
            audio: Some(Run::start(master, id, Track::Audio, AUDIO_MODE, salts)?),
        })
    }
}

/// The run to take a counter from: a new one where the old is used up.
fn current(
    slot: &mut Option<Run>,
    start: impl FnOnce() -> Result<Run, CryptoError>,
) -> Result<&mut Run, CryptoError> {
    match slot {
        Some(run) if !run.is_over() => {}
        _ => *slot = Some(start()?),
    }
    Ok(slot.as_mut().expect("it was there, or was put there in the line before"))
}

/// Sound is wrapped whole in both modes, and its header says so.
const AUDIO_MODE: WireMode = WireMode::Capsule;

fn video_mode(mode: Mode) -> WireMode {
    match mode {
        Mode::Nalu => WireMode::Nalu,
        Mode::Capsule => WireMode::Capsule,
    }
}

fn with_body(tag: &Tag, body: Bytes) -> Result<Tag, CryptoError> {
    tag.with_body(body).map_err(|err| CryptoError::TooLong {
        kind: err.kind,
        at: tag.timestamp,
        len: err.len,
    })
}

fn no_rule(tag: &Tag, what: NoRule) -> CryptoError {
    CryptoError::NoRule { kind: tag.kind, at: tag.timestamp, what }
}

fn refused(tag: &Tag, mode: Mode, refusal: Refusal) -> CryptoError {
    let at = tag.timestamp;
    match refusal {
        Refusal::Framing(err) => no_rule(tag, NoRule::Body(err)),
        Refusal::TooManyUnits => CryptoError::TooManyUnits { at },
        Refusal::UnitTooLong { len, max } => CryptoError::UnitTooLong { at, len, max },
        Refusal::Unsupported(why) => CryptoError::Unsupported { mode, at, why },
    }
}
