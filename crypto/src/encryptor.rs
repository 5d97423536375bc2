//! Encryption of a stream's tags, one after another.

mod plan;
mod runs;
mod tracks;

use std::fmt;

use bytes::BytesMut;
use flv::{BodyTooLong, FlvMillis, Room, Tag, TagBuf, TagKind};
use media::Track;

use self::plan::{Coded, Plan};
use self::runs::{Runs, wire_mode};
use crate::capsule_mode;
use crate::counter::Run;
use crate::error::{CryptoError, NoRule};
use crate::key::{KeyId, MasterKey};
use crate::key_header::{KeyHeader, Mode, WireMode};
use crate::literal;
use crate::marker;
use crate::nalu_mode::{self, Refusal};
use crate::salt::{OsSalts, SaltSource};
use crate::shape::{self, Layout, Shape};
use crate::silence::{self, NoSilence, Sound};
use crate::tracks::{ByTrack, Framings};
use crate::unit::SEI_ROOM;
use crate::whole_tag;

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

/// What an encryptor did with a tag. Where its tracks fared differently, the least hidden counts:
/// a clear one before one marked as literal before an encrypted one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sealing {
    /// Clear by the rules: script tags, sequence headers, ends of sequence, commands, metadata.
    Exempt,
    /// Passed clear, bit for bit: encryption is off, or [`UnknownBody::PassClear`] says so.
    Clear,
    /// Passed clear, and marked so because it carries a marker of its own.
    Literal,
    /// Encrypted.
    Encrypted {
        /// Under which key.
        key: KeyId,
    },
}

/// The room that [`TagEncryptor::encrypt_in_place`] wants around a body, whatever the mode:
/// in front for the marker, behind for escapes, of which more than one in a tag is rare, or for
/// the frame of [`Sound::Silence`]. A body of several tracks wants it once for each, on either side.
pub const ROOM: Room = Room { front: SEI_ROOM, back: silence::LONGEST };

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
///   (4 bytes until one has come), and which channels [`Sound::Silence`] is for, of each track.
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
///
/// ```compile_fail
/// // Salts can be read, and not be made.
/// let salt = crypto::Salt([0; 8]);
/// ```
pub struct TagEncryptor {
    master: MasterKey,
    id: KeyId,
    mode: Mode,
    encryption: Encryption,
    unknown: UnknownBody,
    sound: Sound,
    /// A silent frame for each track's last AAC sequence header, or why there is none.
    silences: ByTrack<Result<&'static [u8], NoSilence>>,
    framings: Framings,
    runs: Runs,
    salts: Box<dyn SaltSource>,
    /// Where a body of several tracks is written before it is put into its tag.
    scratch: BytesMut,
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
            sound: Sound::Noise,
            silences: ByTrack::default(),
            framings: Framings::default(),
            runs,
            salts,
            scratch: BytesMut::new(),
        })
    }

    /// With another policy for bodies without a rule; [`UnknownBody::Refuse`] at first.
    #[must_use]
    pub fn with_unknown_body(mut self, policy: UnknownBody) -> Self {
        self.unknown = policy;
        self
    }

    /// With another choice of what is heard without the key; [`Sound::Noise`] at first.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use crypto::{KeyId, MasterKey, Mode, Sound, TagEncryptor};
    /// use flv::{FlvMillis, Tag, TagKind};
    ///
    /// # let key: MasterKey = "000102030405060708090a0b0c0d0e0f".parse()?;
    /// let sound = |body: &'static [u8]| Tag::new(TagKind::Audio, FlvMillis(40), Bytes::from_static(body));
    /// let mut encryptor = TagEncryptor::new(key, KeyId(1), Mode::Nalu)?.with_sound(Sound::Silence);
    /// // Without the sequence header nobody knows of which channels the silence is to be.
    /// assert!(encryptor.encrypt(sound(&[0xaf, 1, 0x21, 0x10, 0x04])?).is_err());
    /// encryptor.encrypt(sound(&[0xaf, 0, 0x11, 0x90])?)?;
    /// let encrypted = encryptor.encrypt(sound(&[0xaf, 1, 0x21, 0x10, 0x04])?)?;
    /// assert!(encrypted.body().ends_with(&[0x21, 0, 0, 0, 0, 0x1c]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_sound(mut self, sound: Sound) -> Self {
        self.sound = sound;
        self
    }

    /// What is heard without the key.
    pub fn sound(&self) -> Sound {
        self.sound
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
    /// Kind and timestamp stay as they are. What is encrypted is copied: if nobody else
    /// holds the body, see [`encrypt_in_place`](Self::encrypt_in_place).
    ///
    /// # Errors
    /// See [`CryptoError`]; after an error the next tag may be tried.
    pub fn encrypt(&mut self, tag: Tag) -> Result<Tag, CryptoError> {
        let at = tag.timestamp;
        let Some(shape) = self.look(tag.kind, tag.body()) else { return self.encrypt_tracks(tag) };
        let body = match self.plan(tag.kind, at, 0, tag.body(), &shape)? {
            Plan::Exempt | Plan::Clear => return Ok(tag),
            Plan::Literal(body) => body,
            Plan::Encrypt(coded, header) => {
                // To the byte, so that a body without escapes needs no second look of the allocator.
                let mut out = BytesMut::with_capacity(coded.encrypted_len(tag.body(), &header));
                let key = self.runs.key(coded.track());
                coded
                    .append(tag.body(), &header, key, &mut out)
                    .map_err(|why| self.refused(tag.kind, at, why))?;
                out.freeze()
            }
        };
        tag.with_body(body).map_err(|err| too_long(at, err))
    }

    /// As [`encrypt`](Self::encrypt), where the body lies. With the room of [`ROOM`] around
    /// it, only a few bytes at its front move and nothing is allocated; with less, more.
    ///
    /// ```
    /// use crypto::{KeyId, MasterKey, Mode, ROOM, TagEncryptor};
    /// use flv::{FlvMillis, TagBuf, TagKind};
    ///
    /// # let key: MasterKey = "000102030405060708090a0b0c0d0e0f".parse()?;
    /// # let mut encryptor = TagEncryptor::new(key, KeyId(1), Mode::Nalu)?;
    /// # let sound = [0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c];
    /// let mut body = ROOM.buffer(2 + sound.len());
    /// flv::audio::write_aac_frame(&sound, &mut body);
    /// let mut tag = TagBuf::new(TagKind::Audio, FlvMillis(40), body, ROOM)?;
    /// encryptor.encrypt_in_place(&mut tag)?;
    /// let tag: flv::Tag = tag.into();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`encrypt`](Self::encrypt). The body is then empty, so that nothing half done can
    /// go out.
    pub fn encrypt_in_place(&mut self, tag: &mut TagBuf) -> Result<Sealing, CryptoError> {
        let result = self.try_in_place(tag);
        if result.is_err() {
            tag.truncate(0);
        }
        result
    }

    fn try_in_place(&mut self, tag: &mut TagBuf) -> Result<Sealing, CryptoError> {
        let (kind, at) = (tag.kind, tag.timestamp);
        let Some(shape) = self.look(kind, tag.body()) else { return self.tracks_in_place(tag) };
        match self.plan(kind, at, 0, tag.body(), &shape)? {
            Plan::Exempt => Ok(Sealing::Exempt),
            Plan::Clear => Ok(Sealing::Clear),
            Plan::Literal(body) => {
                *tag = TagBuf::new(kind, at, body.into(), Room::NONE).map_err(|err| too_long(at, err))?;
                Ok(Sealing::Literal)
            }
            Plan::Encrypt(coded, header) => {
                let key = self.runs.key(coded.track());
                coded.in_place(tag, &header, key).map_err(|why| self.refused(kind, at, why))?;
                Ok(Sealing::Encrypted { key: self.id })
            }
        }
    }

    /// Encrypts one tag whose body others hold, and appends the whole of it, header and
    /// trailer too, to `out`. Says what was done with it.
    ///
    /// # Errors
    /// As [`encrypt`](Self::encrypt); nothing is appended then.
    pub fn encrypt_into(&mut self, tag: &Tag, out: &mut BytesMut) -> Result<Sealing, CryptoError> {
        let (kind, at) = (tag.kind, tag.timestamp);
        let Some(shape) = self.look(kind, tag.body()) else {
            let start = whole_tag::begin(tag, ROOM.front + ROOM.back, out);
            let sealing = self.tracks_into(tag, out).inspect_err(|_| out.truncate(start))?;
            whole_tag::end(tag, start, out).map_err(|err| too_long(at, err))?;
            return Ok(sealing);
        };
        let plan = self.plan(kind, at, 0, tag.body(), &shape)?;
        let sealing = match &plan {
            Plan::Exempt => Sealing::Exempt,
            Plan::Clear => Sealing::Clear,
            Plan::Literal(_) => Sealing::Literal,
            Plan::Encrypt(..) => Sealing::Encrypted { key: self.id },
        };
        let start = whole_tag::begin(tag, ROOM.front + ROOM.back, out);
        match plan {
            Plan::Exempt | Plan::Clear => out.extend_from_slice(tag.body()),
            Plan::Literal(body) => out.extend_from_slice(&body),
            Plan::Encrypt(coded, header) => {
                let key = self.runs.key(coded.track());
                if let Err(why) = coded.append(tag.body(), &header, key, out) {
                    out.truncate(start);
                    return Err(self.refused(kind, at, why));
                }
            }
        }
        whole_tag::end(tag, start, out).map_err(|err| too_long(at, err))?;
        Ok(sealing)
    }

    /// The rule a body falls under, `None` if each of its tracks has one. Takes note of what
    /// sequence headers say.
    // Inlined, as `plan` is.
    #[inline(always)]
    fn look(&mut self, kind: TagKind, body: &[u8]) -> Option<Shape> {
        match shape::of(kind, body) {
            Layout::Single(shape) => {
                self.framings.observe(0, &shape);
                if let Shape::SoundConfig { payload } = shape {
                    self.silences.set(0, silence::frame(&body[payload..]));
                }
                Some(shape)
            }
            Layout::TrackConfigs => {
                self.note_tracks(kind, body);
                Some(Shape::Exempt)
            }
            Layout::Tracks => None,
        }
    }

    /// What is to be done with a body, or with one track's part of it. A number is used up
    /// before anything is looked at, so that no failure can lead to its being used again.
    // Inlined, so that what is found out need not be carried through memory.
    #[inline(always)]
    fn plan(
        &mut self,
        kind: TagKind,
        at: FlvMillis,
        track: u8,
        body: &[u8],
        shape: &Shape,
    ) -> Result<Plan, CryptoError> {
        match (self.encryption, shape) {
            (_, Shape::Exempt | Shape::Sequence(_) | Shape::SoundConfig { .. }) => Ok(Plan::Exempt),
            (Encryption::Off, _) => self.clear(kind, at, track, body, shape),
            (Encryption::On, Shape::Aac { payload }) => {
                let header = self.number(Track::Audio)?;
                match self.sound {
                    Sound::Noise => Ok(Plan::Encrypt(Coded::Block { payload: *payload }, header)),
                    Sound::Silence => {
                        let silence = self.silences.get(track).cloned();
                        let silence = silence.unwrap_or(Err(NoSilence::NoConfig));
                        let silence = silence.map_err(|why| CryptoError::NoSilence { at, why })?;
                        let header = KeyHeader { mode: WireMode::Silence, ..header };
                        Ok(Plan::Encrypt(Coded::BehindSilence { payload: *payload, silence }, header))
                    }
                }
            }
            (Encryption::On, Shape::Units { codec, payload }) => {
                let header = self.number(Track::Video)?;
                let (codec, payload, size) = (*codec, *payload, self.framings.of(track).size());
                let coded = match self.mode {
                    Mode::Nalu => nalu_mode::plan(body, payload, codec, size).map(Coded::Units),
                    Mode::Capsule => capsule_mode::plan(body, payload, codec, size).map(Coded::Capsule),
                };
                match coded {
                    Ok(coded) => Ok(Plan::Encrypt(coded, header)),
                    // Lengths that do not add up: a body without a rule, like any other.
                    Err(Refusal::Framing(_)) if self.unknown == UnknownBody::PassClear => {
                        self.clear(kind, at, track, body, shape)
                    }
                    Err(why) => Err(self.refused(kind, at, why)),
                }
            }
            (Encryption::On, Shape::NoRule(what)) => match self.unknown {
                UnknownBody::Refuse => Err(CryptoError::NoRule { kind, at, what: what.clone() }),
                UnknownBody::PassClear => Ok(Plan::Clear),
            },
        }
    }

    /// The header for the next tag of a track.
    #[inline]
    fn number(&mut self, track: Track) -> Result<KeyHeader, CryptoError> {
        let slot = self.runs.slot(track);
        if slot.as_ref().is_none_or(Run::is_over) {
            let mode = wire_mode(track, self.mode);
            *slot = Some(Run::start(&self.master, self.id, track, mode, self.salts.as_mut())?);
        }
        slot.as_mut().expect("it was there, or was put there in the lines before").take(track)
    }

    /// Passes a tag clear; one that carries a marker is marked as literal.
    fn clear(
        &self,
        kind: TagKind,
        at: FlvMillis,
        track: u8,
        body: &[u8],
        shape: &Shape,
    ) -> Result<Plan, CryptoError> {
        let framing = self.framings.of(track);
        let Some(forged) = marker::find(body, shape, framing) else {
            return Ok(Plan::Clear);
        };
        match literal::mark(body, shape, framing, &forged) {
            Some(body) => Ok(Plan::Literal(body)),
            None => Err(CryptoError::Ambiguous { kind, at }),
        }
    }

    fn refused(&self, kind: TagKind, at: FlvMillis, refusal: Refusal) -> CryptoError {
        match refusal {
            Refusal::Framing(err) => CryptoError::NoRule { kind, at, what: NoRule::Body(err) },
            Refusal::TooManyUnits => CryptoError::TooManyUnits { at },
            Refusal::UnitTooLong { len, max } => CryptoError::UnitTooLong { at, len, max },
            Refusal::TooLong(err) => too_long(at, err),
            Refusal::Unsupported(why) => CryptoError::Unsupported { mode: self.mode, at, why },
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

fn too_long(at: FlvMillis, err: BodyTooLong) -> CryptoError {
    CryptoError::TooLong { kind: err.kind, at, len: err.len }
}
