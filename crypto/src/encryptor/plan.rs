//! What is to be done with a body, found out before any of it is done.

use bytes::{Bytes, BytesMut};
use flv::TagBuf;
use media::Track;

use crate::aac_mode;
use crate::aac_silence;
use crate::capsule_mode;
use crate::key_header::KeyHeader;
use crate::marker::DSE_LEN;
use crate::nalu_mode::{self, Refusal};
use crate::track_key::TrackKey;

/// What is to be done with a body.
pub(super) enum Plan {
    Exempt,
    Clear,
    /// Instead of it, this one.
    Literal(Bytes),
    Encrypt(Coded, KeyHeader),
}

/// A coded frame that was looked through.
pub(super) enum Coded {
    Block { payload: usize },
    BehindSilence { payload: usize, silence: &'static [u8] },
    Units(nalu_mode::Plan),
    Capsule(capsule_mode::Plan),
}

impl Coded {
    pub(super) fn track(&self) -> Track {
        match self {
            Self::Block { .. } | Self::BehindSilence { .. } => Track::Audio,
            Self::Units(_) | Self::Capsule(_) => Track::Video,
        }
    }

    /// How long the encrypted body becomes if nothing is to be escaped.
    pub(super) fn encrypted_len(&self, body: &[u8], header: &KeyHeader) -> usize {
        match self {
            Self::Block { .. } => body.len() + DSE_LEN,
            Self::BehindSilence { payload, silence } => aac_silence::encrypted_len(body, *payload, silence),
            Self::Units(plan) => plan.encrypted_len(body, header),
            Self::Capsule(plan) => plan.encrypted_len(body),
        }
    }

    /// The copying twin of [`in_place`](Self::in_place).
    pub(super) fn append(
        &self,
        body: &[u8],
        header: &KeyHeader,
        key: &TrackKey,
        out: &mut BytesMut,
    ) -> Result<(), Refusal> {
        match self {
            Self::Block { payload } => aac_mode::encrypt(body, *payload, header, key, out),
            Self::BehindSilence { payload, silence } => {
                aac_silence::encrypt(body, *payload, silence, header, key, out);
            }
            Self::Units(plan) => plan.encrypt(body, header, key, out)?,
            Self::Capsule(plan) => plan.encrypt(body, header, key, out),
        }
        Ok(())
    }

    pub(super) fn in_place(
        &self,
        tag: &mut TagBuf,
        header: &KeyHeader,
        key: &TrackKey,
    ) -> Result<(), Refusal> {
        match self {
            Self::Block { payload } => Ok(aac_mode::encrypt_in_place(tag, *payload, header, key)?),
            Self::BehindSilence { payload, silence } => {
                Ok(aac_silence::encrypt_in_place(tag, *payload, silence, header, key)?)
            }
            Self::Units(plan) => plan.encrypt_in_place(tag, header, key),
            Self::Capsule(plan) => plan.encrypt_in_place(tag, header, key),
        }
    }
}
