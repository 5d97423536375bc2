//! A stream in pieces: fed, taken, finished.

use crate::border::{Out, Room, bytes, guarded, shared};
use crate::handle::Decryptor;
use crate::status::Status;

/// With more decrypted bytes than this waiting to be taken, a decryptor lets no more in.
pub const OBVAN_PENDING_MAX: u32 = 33_554_432;

/// Hands in the next bytes of an FLV stream, from its file header on, in pieces of any
/// size. What comes out is for obvan_decryptor_take.
///
/// A tag that cannot be read (no key, a wrong key, damage) is left out, with all that a
/// decoder could not show without it, up to the next key frame; damaged framing is
/// skipped up to the next tag. All of it is counted, see obvan_decryptor_counts, and
/// none of it is an error.
///
/// # Safety
/// decryptor is a live handle or null; data points to len bytes or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_feed(
    decryptor: *mut Decryptor,
    data: *const u8,
    len: usize,
) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (handle, piece) = unsafe { (shared(decryptor)?, bytes(data, len)?) };
        handle.lock()?.feed(piece)
    })
}

/// Says that no more bytes come. What is left can be taken, and the counts are final.
/// A stream that ends within a tag is no error; the counts say so.
///
/// # Safety
/// decryptor is a live handle or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_finish(decryptor: *mut Decryptor) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { shared(decryptor)? };
        handle.lock()?.finish()
    })
}

/// How many decrypted bytes can be taken now.
///
/// # Safety
/// decryptor is a live handle or null; pending points to a size_t or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_pending(decryptor: *const Decryptor, pending: *mut usize) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (handle, pending) = unsafe { (shared(decryptor)?, Out::new(pending)?) };
        pending.put(usize::try_from(handle.lock()?.pending()).unwrap_or(usize::MAX));
        Ok(())
    })
}

/// Moves decrypted bytes to buffer: a clear FLV stream, cut anywhere. Sets *written to how
/// many; 0 means that more must be fed, or, behind obvan_decryptor_finish, the end.
/// What came out before an error can still be taken.
///
/// # Safety
/// decryptor is a live handle or null; buffer points to room for capacity bytes or is
/// null; written points to a size_t or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_take(
    decryptor: *mut Decryptor,
    buffer: *mut u8,
    capacity: usize,
    written: *mut usize,
) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (handle, mut room, written) =
            unsafe { (shared(decryptor)?, Room::new(buffer, capacity)?, Out::new(written)?) };
        written.put(0);
        written.put(handle.lock()?.take(&mut room));
        Ok(())
    })
}
