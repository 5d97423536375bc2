//! The handle: made, given keys, asked what was wrong, freed.

use std::ffi::c_char;
use std::sync::{Mutex, MutexGuard};

use crypto::{AllowClear, MasterKey};
use zeroize::Zeroizing;

use crate::border::{Out, Room, bytes, guarded, shared};
use crate::machine::Machine;
use crate::status::Status;

/// Decrypts one stream. Calls from several threads wait for each other.
pub struct Decryptor {
    machine: Mutex<Machine>,
}

impl Decryptor {
    /// A panic while the handle was in use has poisoned it.
    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, Machine>, Status> {
        self.machine.lock().map_err(|_| Status::Internal)
    }
}

const _: () = {
    const fn any_thread<T: Send + Sync>() {}
    any_thread::<Decryptor>();
};

/// Flag for obvan_decryptor_new: drop coded frames that were never encrypted, so that
/// nobody on the way can slip clear pictures in.
pub const OBVAN_REFUSE_CLEAR: u32 = 1;

/// Makes a decryptor without keys. flags: 0, or OBVAN_REFUSE_CLEAR.
/// Free it with obvan_decryptor_free.
///
/// # Safety
/// decryptor points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_new(flags: u32, decryptor: *mut *mut Decryptor) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let out = unsafe { Out::new(decryptor)? };
        out.put(std::ptr::null_mut());
        let clear = match flags {
            0 => AllowClear::Yes,
            OBVAN_REFUSE_CLEAR => AllowClear::No,
            _ => return Err(Status::Argument),
        };
        let handle = Decryptor { machine: Mutex::new(Machine::new(clear)) };
        out.put(Box::into_raw(Box::new(handle)));
        Ok(())
    })
}

/// Frees a decryptor, wipes its keys, and sets the caller's pointer to null.
/// Does nothing where either pointer is null already.
///
/// # Safety
/// *decryptor came from obvan_decryptor_new, was not freed through another pointer, and
/// is in no other call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_free(decryptor: *mut *mut Decryptor) {
    // There is nothing that a caller could do about a failure to free.
    let _ = guarded(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { *shared(decryptor)? };
        if !handle.is_null() {
            // SAFETY: the same pointer was just read through.
            unsafe { decryptor.write(std::ptr::null_mut()) };
            // SAFETY: it came from `Box::into_raw`, and the caller promises that this is the
            // only time that it is freed.
            drop(unsafe { Box::from_raw(handle) });
        }
        Ok(())
    });
}

/// Adds a key of 16 bytes, or replaces the one of this id. At any time: before the
/// stream, or in the middle of it. The bytes are copied.
///
/// # Safety
/// decryptor is a live handle or null; key points to len bytes or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_add_key(
    decryptor: *mut Decryptor,
    id: u8,
    key: *const u8,
    len: usize,
) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise. No more is read than a key has.
        let (handle, key) = unsafe { (shared(decryptor)?, bytes(key, len.min(MasterKey::LEN + 1))?) };
        let key = Zeroizing::new(<[u8; MasterKey::LEN]>::try_from(key).map_err(|_| Status::Length)?);
        handle.lock()?.add_key(id, MasterKey::from_bytes(*key))
    })
}

/// Adds a key from its text, 32 hex digits of either case, as a key file holds it; white
/// space around them is skipped. No closing zero is needed.
///
/// # Safety
/// decryptor is a live handle or null; text points to len bytes or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_add_key_hex(
    decryptor: *mut Decryptor,
    id: u8,
    text: *const c_char,
    len: usize,
) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (handle, text) = unsafe { (shared(decryptor)?, bytes(text.cast(), len)?) };
        handle.lock()?.add_key_text(id, text)
    })
}

/// Forgets a key and all that was derived from it. Not having it is no error.
///
/// # Safety
/// decryptor is a live handle or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_remove_key(decryptor: *mut Decryptor, id: u8) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { shared(decryptor)? };
        handle.lock()?.remove_key(id)
    })
}

/// The last trouble of this handle with keys or the stream, in words and with its place;
/// empty if there was none. Writes at most capacity bytes, a closing zero included, and
/// sets *needed to the capacity that all of it needs. The text is UTF-8.
///
/// # Safety
/// decryptor is a live handle or null; text points to room for capacity bytes, or is null
/// where capacity is 0; needed points to a size_t or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_error_text(
    decryptor: *const Decryptor,
    text: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (handle, mut room, needed) =
            unsafe { (shared(decryptor)?, Room::new(text.cast(), capacity)?, Out::new(needed)?) };
        let machine = handle.lock()?;
        let words = &machine.trouble;
        if let Some(most) = capacity.checked_sub(1) {
            room.put(&words.as_bytes()[..words.floor_char_boundary(most)]);
            room.put(&[0]);
        }
        needed.put(words.len() + 1);
        Ok(())
    })
}
