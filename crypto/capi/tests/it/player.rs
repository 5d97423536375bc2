//! A player of one stream, written against the C functions.

use std::ptr;

use bytes::Bytes;
use crypto::{KeyId, MasterKey, Mode, TagEncryptor, Transcoder};
use obvan_crypto::*;

pub const KEY: [u8; 16] = [7; 16];

/// The file encrypted under [`KEY`], id 1.
pub fn encrypted(file: &Bytes, mode: Mode) -> Bytes {
    let encryptor = TagEncryptor::new(MasterKey::from_bytes(KEY), KeyId(1), mode).unwrap();
    let mut work = Transcoder::encrypting(encryptor);
    work.push(file.clone()).unwrap();
    work.finish().unwrap().0
}

/// Owns a handle.
pub struct Player(pub *mut Decryptor);

impl Player {
    pub fn new(flags: u32) -> Self {
        let mut handle = ptr::null_mut();
        // SAFETY: the place is live.
        assert_eq!(unsafe { obvan_decryptor_new(flags, &mut handle) }, Status::Ok);
        Self(handle)
    }
    /// With [`KEY`].
    pub fn keyed(flags: u32) -> Self {
        let player = Self::new(flags);
        assert_eq!(player.add_key(1, &KEY), Status::Ok);
        player
    }
    pub fn add_key(&self, id: u8, key: &[u8]) -> Status {
        // SAFETY: handle and slice are live.
        unsafe { obvan_decryptor_add_key(self.0, id, key.as_ptr(), key.len()) }
    }
    pub fn add_hex(&self, id: u8, text: &[u8]) -> Status {
        // SAFETY: handle and slice are live.
        unsafe { obvan_decryptor_add_key_hex(self.0, id, text.as_ptr().cast(), text.len()) }
    }
    pub fn remove_key(&self, id: u8) -> Status {
        // SAFETY: the handle is live.
        unsafe { obvan_decryptor_remove_key(self.0, id) }
    }
    pub fn feed(&self, piece: &[u8]) -> Status {
        // SAFETY: handle and slice are live.
        unsafe { obvan_decryptor_feed(self.0, piece.as_ptr(), piece.len()) }
    }
    pub fn finish(&self) -> Status {
        // SAFETY: the handle is live.
        unsafe { obvan_decryptor_finish(self.0) }
    }
    pub fn pending(&self) -> usize {
        let mut pending = 77;
        // SAFETY: handle and place are live.
        assert_eq!(unsafe { obvan_decryptor_pending(self.0, &mut pending) }, Status::Ok);
        pending
    }
    /// At most `room` bytes.
    pub fn take(&self, room: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(room);
        let mut written = 77;
        // SAFETY: handle and place are live, the vector has room, and what was written is there.
        unsafe {
            let status = obvan_decryptor_take(self.0, out.as_mut_ptr(), room, &mut written);
            assert_eq!(status, Status::Ok);
            assert!(written <= room);
            out.set_len(written);
        }
        out
    }
    pub fn tag(&self, kind: u8, body: &mut Vec<u8>) -> (Status, Verdict) {
        let mut len = body.len();
        let mut verdict = Verdict::default();
        // SAFETY: all of them are live, and apart.
        let status =
            unsafe { obvan_decryptor_decrypt_tag(self.0, kind, body.as_mut_ptr(), &mut len, &mut verdict) };
        assert!(len <= body.len());
        body.truncate(len);
        (status, verdict)
    }
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        // SAFETY: handle and place are live.
        assert_eq!(unsafe { obvan_decryptor_counts(self.0, &mut counts) }, Status::Ok);
        counts
    }
    /// The first `room` of the locked keys, and how many there are.
    pub fn locked(&self, room: usize) -> (Vec<LockedKey>, usize) {
        let mut keys = vec![LockedKey::default(); room];
        let mut count = 77;
        // SAFETY: handle, slice and place are live.
        let status = unsafe { obvan_decryptor_locked_keys(self.0, keys.as_mut_ptr(), room, &mut count) };
        assert_eq!(status, Status::Ok);
        keys.truncate(count);
        (keys, count)
    }
    /// The words of the last trouble as far as `room` goes, and the room they need.
    pub fn trouble(&self, room: usize) -> (String, usize) {
        let mut text = vec![b'#'; room];
        let mut needed = 77;
        // SAFETY: handle, slice and place are live.
        let status =
            unsafe { obvan_decryptor_error_text(self.0, text.as_mut_ptr().cast(), room, &mut needed) };
        assert_eq!(status, Status::Ok);
        let text: Vec<u8> = text.into_iter().take_while(|byte| *byte != 0).collect();
        (String::from_utf8(text).unwrap(), needed)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // SAFETY: the handle is live, and owned here.
        unsafe { obvan_decryptor_free(&mut self.0) };
        assert!(self.0.is_null());
    }
}
