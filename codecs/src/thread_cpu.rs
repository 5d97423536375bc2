//! What the calling thread costs.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// CPU time that the calling thread has taken since it began.
///
/// ```
/// let before = codecs::thread_cpu();
/// assert!(codecs::thread_cpu() >= before);
/// ```
pub fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // It counts up from zero.
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
