//! What every call from C goes through: panics end here, and pointers become references.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::status::Status;

/// Runs the inside of a call. A panic must not unwind into C, so it ends here; a handle
/// that was in use then is poisoned and answers nothing else any more.
pub(crate) fn guarded(call: impl FnOnce() -> Result<(), Status>) -> Status {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(status)) => status,
        Err(payload) => {
            // Dropping what was thrown could throw again.
            std::mem::forget(payload);
            Status::Internal
        }
    }
}

/// The value behind a pointer.
///
/// # Safety
/// Unless null or misaligned, it points to a live `T` that nobody has `&mut` for `'a`.
pub(crate) unsafe fn shared<'a, T>(pointer: *const T) -> Result<&'a T, Status> {
    if pointer.is_null() || !pointer.is_aligned() {
        return Err(Status::Pointer);
    }
    // SAFETY: neither null nor misaligned, so live, by the caller's promise.
    Ok(unsafe { &*pointer })
}

/// The bytes behind a pointer; it may be null where there are none.
///
/// # Safety
/// Unless null, `data` points to `len` bytes that are initialised, and that nobody
/// writes for `'a`.
pub(crate) unsafe fn bytes<'a>(data: *const u8, len: usize) -> Result<&'a [u8], Status> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Status::Pointer);
    }
    if isize::try_from(len).is_err() {
        return Err(Status::Length);
    }
    // SAFETY: not null and not too long; the rest is the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// A place to write one value to.
#[derive(Debug)]
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Safety
    /// Unless null or misaligned, it points to room for a `T`, initialised or not, that
    /// is there as long as the result.
    pub(crate) unsafe fn new(pointer: *mut T) -> Result<Self, Status> {
        if pointer.is_null() || !pointer.is_aligned() {
            return Err(Status::Pointer);
        }
        Ok(Self(pointer))
    }

    /// Whatever was there before is overwritten, not dropped.
    pub(crate) fn put(&self, value: T) {
        // SAFETY: `new` was promised room, and checked the rest.
        unsafe { self.0.write(value) }
    }
}

/// Room for bytes, which may be uninitialised: so it is never a slice, only written to.
#[derive(Debug)]
pub(crate) struct Room {
    start: *mut u8,
    len: usize,
}

impl Room {
    /// # Safety
    /// Unless null, `start` points to `len` bytes of room, there as long as the result.
    pub(crate) unsafe fn new(start: *mut u8, len: usize) -> Result<Self, Status> {
        match (start.is_null(), isize::try_from(len)) {
            (true, _) if len > 0 => Err(Status::Pointer),
            (_, Err(_)) => Err(Status::Length),
            _ => Ok(Self { start, len }),
        }
    }

    /// How many bytes still go in.
    pub(crate) fn left(&self) -> usize {
        self.len
    }

    /// Writes as much as goes in, behind what was written before; how much that was.
    pub(crate) fn put(&mut self, data: &[u8]) -> usize {
        let fits = data.len().min(self.len);
        if fits > 0 {
            // SAFETY: `fits` bytes are left of the room that `new` was promised, and `data`
            // is memory of ours, which does not overlap with it.
            unsafe {
                self.start.copy_from_nonoverlapping(data.as_ptr(), fits);
                self.start = self.start.add(fits);
            }
            self.len -= fits;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_at_the_border() {
        assert_eq!(guarded(|| panic!("a defect, thrown by a test")), Status::Internal);
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropping what was thrown throws again");
            }
        }
        assert_eq!(guarded(|| std::panic::panic_any(Bomb)), Status::Internal);
        assert_eq!(guarded(|| Err(Status::Full)), Status::Full);
        assert_eq!(guarded(|| Ok(())), Status::Ok);
    }

    #[test]
    fn pointers_and_lengths_are_looked_at_first() {
        let odd = std::ptr::without_provenance_mut::<u64>(1);
        let some = [1u8, 2];
        // SAFETY: what is null, misaligned or too long is refused; the rest is live.
        unsafe {
            assert_eq!(shared(std::ptr::null::<u8>()).unwrap_err(), Status::Pointer);
            assert_eq!(shared(odd.cast_const()).unwrap_err(), Status::Pointer);
            assert_eq!(Out::new(odd).unwrap_err(), Status::Pointer);
            assert_eq!(bytes(std::ptr::null(), 1).unwrap_err(), Status::Pointer);
            assert_eq!(bytes(std::ptr::null(), 0).unwrap(), b"");
            assert_eq!(bytes(some.as_ptr(), usize::MAX).unwrap_err(), Status::Length);
            assert_eq!(bytes(some.as_ptr(), 2).unwrap(), some);
            assert_eq!(Room::new(std::ptr::null_mut(), 1).unwrap_err(), Status::Pointer);
            let mut target = [0; 3];
            assert_eq!(Room::new(target.as_mut_ptr(), usize::MAX).unwrap_err(), Status::Length);
            let mut room = Room::new(target.as_mut_ptr(), 3).unwrap();
            assert_eq!((room.put(&some), room.put(&some), room.left(), room.put(&some)), (2, 1, 0, 0));
            assert_eq!(target, [1, 2, 1]);
            assert_eq!(Room::new(std::ptr::null_mut(), 0).unwrap().put(&some), 0);
        }
    }
}
