//! What a decryptor has done, in figures.

use crate::border::{Out, guarded, shared};
use crate::handle::Decryptor;
use crate::status::Status;

/// What was done so far.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Counts {
    /// Bytes that came in.
    pub bytes_in: u64,
    /// Bytes that came out.
    pub bytes_out: u64,
    /// Tags that came in.
    pub tags: u64,
    /// Script tags, sequence headers and the like, which are never encrypted.
    pub exempt: u64,
    /// Coded frames that were clear.
    pub clear: u64,
    /// Tags that were decrypted.
    pub decrypted: u64,
    /// Tags without a key, or with a wrong one, see obvan_decryptor_locked_keys.
    pub locked: u64,
    /// Tags whose encryption was damaged or of an unknown version.
    pub damaged: u64,
    /// Tags that were left out, for whatever reason.
    pub dropped: u64,
    /// Places where the FLV framing was damaged.
    pub gaps: u64,
    /// Bytes skipped there.
    pub skipped: u64,
    /// Whether the stream ended within a tag; known once it is finished.
    pub cut_off: bool,
    /// Whether every tag was read and came through.
    pub whole: bool,
}

impl From<&crypto::Counts> for Counts {
    fn from(counts: &crypto::Counts) -> Self {
        Self {
            bytes_in: counts.bytes_in,
            bytes_out: counts.bytes_out,
            tags: counts.tags,
            exempt: counts.exempt,
            clear: counts.clear,
            decrypted: counts.decrypted,
            locked: counts.locked.values().sum(),
            damaged: counts.damaged,
            dropped: counts.dropped,
            gaps: counts.gaps,
            skipped: counts.skipped,
            cut_off: counts.cut.is_some(),
            whole: counts.is_whole(),
        }
    }
}

/// A key that was missing or wrong.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct LockedKey {
    /// Tags that were encrypted under it.
    pub tags: u64,
    /// Its id.
    pub id: u8,
}

/// What was done so far.
///
/// # Safety
/// decryptor is a live handle or null; counts points to room for one or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_counts(decryptor: *const Decryptor, counts: *mut Counts) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (handle, out) = unsafe { (shared(decryptor)?, Out::new(counts)?) };
        let machine = handle.lock()?;
        out.put(machine.counts().unwrap_or(&crypto::Counts::default()).into());
        Ok(())
    })
}

/// Which keys were missing or wrong, in rising order of their ids: writes at most capacity
/// of them to keys, and sets *count to how many there are, at most 256.
///
/// # Safety
/// decryptor is a live handle or null; keys points to room for capacity of them, or is
/// null where capacity is 0; count points to a size_t or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn obvan_decryptor_locked_keys(
    decryptor: *const Decryptor,
    keys: *mut LockedKey,
    capacity: usize,
    count: *mut usize,
) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (handle, count) = unsafe { (shared(decryptor)?, Out::new(count)?) };
        let machine = handle.lock()?;
        let locked = machine.counts().map(|counts| &counts.locked);
        for (place, (id, tags)) in locked.into_iter().flatten().enumerate().take(capacity) {
            // SAFETY: the caller promised room for more than `place` of them. Wrapping, so
            // that a null pointer is only found out below.
            let out = unsafe { Out::new(keys.wrapping_add(place))? };
            out.put(LockedKey { id: *id, tags: *tags });
        }
        count.put(locked.map_or(0, |locked| locked.len()));
        Ok(())
    })
}
