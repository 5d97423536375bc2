//! What is behind a handle, in safe Rust: a decryptor that turns to streams or to tags.

use bytes::{Buf, Bytes};
use crypto::{AllowClear, Gate, KeyId, KeyRing, MasterKey, TagDecryptor, TranscodeError, Transcoder};
use flv::{FlvMillis, Tag, TagKind};

use crate::border::Room;
use crate::status::Status;
use crate::stream::OBVAN_PENDING_MAX;

/// A decryptor and what it is used for.
pub(crate) struct Machine {
    work: Work,
    /// Taken from the transcoder, not yet by the caller.
    ready: Bytes,
    /// Bytes the caller has taken.
    taken: u64,
    /// The last refusal in words.
    pub(crate) trouble: String,
}

enum Work {
    /// Nothing came yet.
    Fresh {
        decryptor: TagDecryptor,
        gate: Gate,
    },
    Stream(Box<Transcoder>),
    /// The stream is not FLV.
    Foreign(Box<Transcoder>),
    Finished(crypto::Counts),
    Tags {
        decryptor: TagDecryptor,
        gate: Gate,
        counts: crypto::Counts,
    },
    /// Between two of the above; stays only where something panicked.
    Broken,
}

impl Machine {
    pub(crate) fn new(clear: AllowClear) -> Self {
        let decryptor = TagDecryptor::new(KeyRing::new());
        Self {
            work: Work::Fresh { decryptor, gate: Gate::new(clear) },
            ready: Bytes::new(),
            taken: 0,
            trouble: String::new(),
        }
    }

    /// Keeps the refusal's words for whoever asks.
    fn refuse(&mut self, status: Status, why: impl Into<String>) -> Status {
        self.trouble = why.into();
        status
    }

    fn decryptor(&mut self) -> Result<&mut TagDecryptor, Status> {
        match &mut self.work {
            Work::Fresh { decryptor, .. } | Work::Tags { decryptor, .. } => Ok(decryptor),
            Work::Stream(stream) => stream.decryptor_mut().ok_or(Status::Internal),
            Work::Foreign(_) => Err(Status::NotFlv),
            Work::Finished(_) => Err(Status::Finished),
            Work::Broken => Err(Status::Internal),
        }
    }

    pub(crate) fn add_key(&mut self, id: u8, key: MasterKey) -> Result<(), Status> {
        self.decryptor()?.add_key(KeyId(id), key);
        Ok(())
    }

    /// Reads the key from its text first.
    pub(crate) fn add_key_text(&mut self, id: u8, text: &[u8]) -> Result<(), Status> {
        // The words repeat nothing of the text.
        let parsed = str::from_utf8(text).map_err(|_| "a key is 32 hex digits; this is not even text".into());
        match parsed.and_then(|text| text.parse::<MasterKey>().map_err(|err| err.to_string())) {
            Ok(key) => self.add_key(id, key),
            Err(why) => Err(self.refuse(Status::KeyText, why)),
        }
    }

    pub(crate) fn remove_key(&mut self, id: u8) -> Result<(), Status> {
        self.decryptor()?.remove_key(KeyId(id));
        Ok(())
    }

    pub(crate) fn counts(&self) -> Option<&crypto::Counts> {
        match &self.work {
            Work::Fresh { .. } | Work::Broken => None,
            Work::Stream(stream) | Work::Foreign(stream) => Some(stream.counts()),
            Work::Finished(counts) | Work::Tags { counts, .. } => Some(counts),
        }
    }

    /// The stream to feed, begun if this is the first piece.
    fn stream(&mut self) -> Result<&mut Transcoder, Status> {
        if matches!(self.work, Work::Fresh { .. })
            && let Work::Fresh { decryptor, gate } = std::mem::replace(&mut self.work, Work::Broken)
        {
            self.work = Work::Stream(Box::new(Transcoder::decrypting(decryptor, gate)));
        }
        match &mut self.work {
            Work::Stream(stream) => Ok(stream),
            Work::Foreign(_) => Err(Status::NotFlv),
            Work::Finished(_) => Err(Status::Finished),
            Work::Tags { .. } => Err(Status::Mixed),
            Work::Fresh { .. } | Work::Broken => Err(Status::Internal),
        }
    }

    pub(crate) fn feed(&mut self, piece: &[u8]) -> Result<(), Status> {
        let waiting = self.pending();
        let stream = self.stream()?;
        if waiting > OBVAN_PENDING_MAX as u64 {
            let why = format!("{waiting} bytes are waiting: at most {OBVAN_PENDING_MAX} may when more come");
            return Err(self.refuse(Status::Full, why));
        }
        match stream.push(Bytes::copy_from_slice(piece)) {
            Ok(()) => Ok(()),
            Err(err) => {
                if let Work::Stream(stream) = std::mem::replace(&mut self.work, Work::Broken) {
                    self.work = Work::Foreign(stream);
                }
                Err(self.failed(&err))
            }
        }
    }

    pub(crate) fn finish(&mut self) -> Result<(), Status> {
        self.stream()?;
        let Work::Stream(stream) = std::mem::replace(&mut self.work, Work::Broken) else {
            return Err(Status::Internal);
        };
        let (rest, counts) = stream.finish().map_err(|err| self.failed(&err))?;
        self.ready = if self.ready.is_empty() { rest } else { [&self.ready[..], &rest].concat().into() };
        self.work = Work::Finished(counts);
        Ok(())
    }

    /// No other error than a foreign stream comes up where tags are decrypted.
    fn failed(&mut self, err: &TranscodeError) -> Status {
        let status = match err {
            TranscodeError::NotFlv(_) => Status::NotFlv,
            _ => Status::Internal,
        };
        self.refuse(status, err.to_string())
    }

    /// Bytes that can be taken.
    pub(crate) fn pending(&self) -> u64 {
        match &self.work {
            Work::Tags { .. } => 0,
            _ => self.counts().map_or(0, |counts| counts.bytes_out - self.taken),
        }
    }

    pub(crate) fn take(&mut self, room: &mut Room) -> usize {
        let mut written = 0;
        while room.left() > 0 {
            if let (true, Work::Stream(stream) | Work::Foreign(stream)) =
                (self.ready.is_empty(), &mut self.work)
            {
                self.ready = stream.take();
            }
            if self.ready.is_empty() {
                break;
            }
            let put = room.put(&self.ready);
            self.ready.advance(put);
            written += put;
        }
        if self.ready.is_empty() {
            // Lets go of the memory, so that the transcoder can use it again.
            self.ready = Bytes::new();
        }
        self.taken += written as u64;
        written
    }

    /// Decrypts one tag: its body, what became of it, and whether a decoder should see it.
    pub(crate) fn tag(
        &mut self,
        kind: TagKind,
        body: Bytes,
    ) -> Result<(Bytes, crypto::Verdict, bool), Status> {
        if matches!(self.work, Work::Fresh { .. })
            && let Work::Fresh { decryptor, gate } = std::mem::replace(&mut self.work, Work::Broken)
        {
            self.work = Work::Tags { decryptor, gate, counts: crypto::Counts::default() };
        }
        let Work::Tags { decryptor, gate, counts } = &mut self.work else {
            let broken = matches!(self.work, Work::Broken);
            return Err(if broken { Status::Internal } else { Status::Mixed });
        };
        // The timestamp plays no part.
        let tag = Tag::new(kind, FlvMillis(0), body).map_err(|_| Status::Length)?;
        counts.bytes_in += tag.body().len() as u64;
        let (tag, verdict) = decryptor.decrypt(tag);
        counts.note(verdict);
        let body = tag.body().clone();
        let passes = gate.admit(tag, verdict).is_some();
        if passes {
            counts.bytes_out += body.len() as u64;
        } else {
            counts.dropped += 1;
        }
        Ok((body, verdict, passes))
    }
}
