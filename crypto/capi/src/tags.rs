//! Single tags, for players that take FLV or RTMP apart themselves.

use bytes::Bytes;
use flv::{MAX_BODY, TagKind};

use crate::border::{Out, Room, bytes, guarded, shared};
use crate::handle::Decryptor;
use crate::status::Status;
use crate::verdict::Verdict;

/// Decrypts one tag in the caller's buffer. kind is the FLV tag type or RTMP message type:
/// 8 audio, 9 video, 18 script. *len is the length of the body, and becomes that of the
/// decrypted one, which is never longer. A body that is not decrypted stays as it is.
///
/// Hand in all tags of a stream, sequence headers too: they say how NAL units are framed.
/// Order, gaps and timestamps do not matter. Give a decoder the tag only if the verdict
/// says pass.
///
/// # Safety
/// decryptor is a live handle or null; body points to *len bytes or is null; len and
/// verdict point to one of theirs or are null. None of these overlap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_decrypt_tag(
    decryptor: *mut Decryptor,
    kind: u8,
    body: *mut u8,
    len: *mut usize,
    verdict: *mut Verdict,
) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (handle, old_len, new_len, out) =
            unsafe { (shared(decryptor)?, *shared(len)?, Out::new(len)?, Out::new(verdict)?) };
        if old_len > MAX_BODY {
            return Err(Status::Length);
        }
        let kind = TagKind::from_number(kind).ok_or(Status::Argument)?;
        // SAFETY: the caller's promise. The bytes are copied before anything is written.
        let (copy, mut room) =
            unsafe { (Bytes::copy_from_slice(bytes(body, old_len)?), Room::new(body, old_len)?) };
        let (decrypted, what, passes) = handle.lock()?.tag(kind, copy)?;
        if matches!(what, crypto::Verdict::Encrypted { .. } | crypto::Verdict::Literal) {
            room.put(&decrypted);
            new_len.put(decrypted.len());
        }
        out.put(Verdict::new(what, passes));
        Ok(())
    })
}
