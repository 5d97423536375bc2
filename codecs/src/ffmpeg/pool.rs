//! Memory of written pictures, used again: no allocation per frame once warm.

use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

use ffmpeg_next::ffi;
use media::Size;

use super::call::error;
use crate::error::{CodecError, Step};
use crate::picture::Plane;

/// Rows start on this many bytes: the widest vector of x86.
const ALIGN: usize = 64;
/// Bytes behind the last plane that swscale's widest writes may touch.
const SLACK: usize = 128;
/// The longest side of a picture.
const MAX_SIDE: u32 = 16_384;
/// How many sizes keep their memory; a show has its rungs and a few sources.
const SIZES: usize = 16;

/// Where the planes of a 4:2:0 picture lie in its one buffer.
pub(super) struct Layout {
    pub(super) strides: [usize; 3],
    pub(super) offsets: [usize; 3],
    pub(super) bytes: usize,
}

impl Layout {
    pub(super) fn of(size: Size) -> Result<Self, CodecError> {
        let legal = 1..=MAX_SIDE;
        if !legal.contains(&size.width) || !legal.contains(&size.height) {
            return Err(CodecError::Setting {
                codec: "picture",
                name: "size",
                got: size.to_string(),
                legal: "1x1 to 16384x16384".into(),
            });
        }
        let mut layout = Self { strides: [0; 3], offsets: [0; 3], bytes: 0 };
        for (i, plane) in Plane::ALL.into_iter().enumerate() {
            let Size { width, height } = plane.size_in(size);
            layout.strides[i] = (width as usize).next_multiple_of(ALIGN);
            layout.offsets[i] = layout.bytes;
            layout.bytes += layout.strides[i] * height as usize;
        }
        layout.bytes += SLACK;
        Ok(layout)
    }
}

/// FFmpeg's own pool of buffers of one length.
struct Pool {
    bytes: usize,
    ptr: NonNull<ffi::AVBufferPool>,
}

// SAFETY: AVBufferPool is thread-safe; its documentation says so.
unsafe impl Send for Pool {}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut ptr = self.ptr.as_ptr();
        // SAFETY: from `av_buffer_pool_init`; buffers still out keep it alive
        // until they come back.
        unsafe { ffi::av_buffer_pool_uninit(&raw mut ptr) };
    }
}

/// The pools by length, the one used last at the end.
static POOLS: Mutex<Vec<Pool>> = Mutex::new(Vec::new());

/// A buffer of `bytes` bytes, aligned for vectors; the caller owns the reference.
pub(super) fn buffer(bytes: usize) -> Result<NonNull<ffi::AVBufferRef>, CodecError> {
    let no_memory = || error("picture", Step::Allocate, None, -ffmpeg_next::error::ENOMEM);
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    match pools.iter().position(|pool| pool.bytes == bytes) {
        Some(at) => {
            let last = pools.len() - 1;
            pools[at..=last].rotate_left(1);
        }
        None => {
            // Zeroed, so that a picture nobody painted on shows nothing of this process.
            // SAFETY: a plain constructor; null is checked.
            let ptr = unsafe { ffi::av_buffer_pool_init(bytes, Some(ffi::av_buffer_allocz)) };
            let ptr = NonNull::new(ptr).ok_or_else(no_memory)?;
            if pools.len() >= SIZES {
                pools.remove(0);
            }
            pools.push(Pool { bytes, ptr });
        }
    }
    let pool = pools.last().ok_or_else(no_memory)?;
    // SAFETY: the pool is live, the lock is held.
    NonNull::new(unsafe { ffi::av_buffer_pool_get(pool.ptr.as_ptr()) }).ok_or_else(no_memory)
}
