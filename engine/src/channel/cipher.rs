//! How a rung's tags are encrypted, from which key frame on.

use std::collections::VecDeque;
use std::sync::Arc;

use crypto::CryptoError;
use flv::{Room, Tag, TagBuf};
use media::Time;
use scheduling::{Encryption, KeyIx};

use crate::channel::rung::EncryptOrder;
use crate::egress::feed::Header;
use crate::event::Level;
use crate::keys::ChannelKeys;
use crate::reporter::Reporter;

/// A rung's encryption as it stands.
pub(super) struct Cipher {
    keys: Option<Arc<ChannelKeys>>,
    headers: [Tag; 3],
    now: Encryption,
    encryptor: Option<crypto::TagEncryptor>,
    /// What is to come, in order.
    pub(super) ordered: VecDeque<EncryptOrder>,
}

impl Cipher {
    pub(super) fn new(keys: Option<Arc<ChannelKeys>>, headers: [Tag; 3]) -> Self {
        Self { keys, headers, now: Encryption::Clear, encryptor: None, ordered: VecDeque::new() }
    }

    /// Carries out what has been ordered up to the key frame at `pts`.
    pub(super) fn follow(&mut self, pts: Time, reporter: &Reporter) -> Result<(), CryptoError> {
        while self.ordered.front().is_some_and(|order| order.at <= pts) {
            let Some(order) = self.ordered.pop_front() else { break };
            if order.encryption == self.now {
                continue;
            }
            self.encryptor = match (order.encryption, &self.keys) {
                (Encryption::Clear, _) | (_, None) => None,
                (Encryption::Under(ix), Some(keys)) => Some(self.encryptor(keys, ix)?),
            };
            self.now = order.encryption;
            let message = match &self.encryptor {
                Some(encryptor) => format!("encrypted under key {} from {pts} on", encryptor.key_id().0),
                None => format!("clear from {pts} on"),
            };
            // Of its key frame's time, whenever that has been encoded.
            reporter.event_at(pts, Level::Info, "encryption", message);
        }
        Ok(())
    }

    /// What those who join are told.
    pub(super) fn replace(&mut self, which: Header, tag: &Tag) {
        if let Some(header) = self.headers.get_mut(which as usize) {
            *header = tag.clone();
        }
    }

    /// Another header than before.
    pub(super) fn header(&mut self, which: Header, tag: &Tag) -> Result<(), CryptoError> {
        self.replace(which, tag);
        if let Some(encryptor) = &mut self.encryptor {
            encryptor.encrypt(tag.clone())?;
        }
        Ok(())
    }

    /// A new one, which is told what the headers say of the stream.
    fn encryptor(&self, keys: &ChannelKeys, ix: KeyIx) -> Result<crypto::TagEncryptor, CryptoError> {
        let mut encryptor = keys.encryptor(ix)?;
        for header in &self.headers {
            encryptor.encrypt(header.clone())?;
        }
        Ok(encryptor)
    }

    /// What a tag's body needs around it to be encrypted where it lies.
    pub(super) fn room(&self) -> Room {
        if self.encryptor.is_some() { crypto::ROOM } else { Room::NONE }
    }

    pub(super) fn apply(&mut self, mut tag: TagBuf) -> Result<Tag, CryptoError> {
        if let Some(encryptor) = &mut self.encryptor {
            encryptor.encrypt_in_place(&mut tag)?;
        }
        Ok(tag.into())
    }

    /// The same for a tag that somebody else has, too.
    pub(super) fn apply_shared(&mut self, tag: Tag) -> Result<Tag, CryptoError> {
        match &mut self.encryptor {
            Some(encryptor) => Ok(encryptor.encrypt(tag)?),
            None => Ok(tag),
        }
    }
}
