//! Whose turn it is on cores that are fewer than threads.

use media::Size;

/// How urgent the work of a job's threads is to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turns {
    /// All alike: in real time each has its due time.
    #[default]
    Even,
    /// The encoders of a ladder's largest rungs go first, where nothing has a due time. They take
    /// longest, so no core is idle on the whole while one of them works its way through what all the
    /// others have done already. The others do not get less for it, only later.
    LargestFirst,
}

/// How far a thread steps back, in steps of niceness: to a third of the share of those that do not.
#[cfg(target_os = "linux")]
const BACK: i32 = 5;
/// The last step that there is.
#[cfg(target_os = "linux")]
const LAST: i32 = 19;

impl Turns {
    /// Has the calling thread, and those that it starts after this, go behind the encoders that go
    /// first; where none do, nothing changes.
    ///
    /// There is no way forward again: only threads that end with the job should step back. What the
    /// process shares (a pool of threads, a library's own) is to be started before, or it stays behind
    /// for whoever uses it later.
    pub fn step_back(self) {
        if self == Self::LargestFirst {
            lower();
        }
    }

    /// That of the thread that encodes a rung, in a ladder whose largest rung has this area.
    pub(crate) const fn of_rung(self, rung: Size, largest: u64) -> Turn {
        match self {
            Self::Even => Turn::Even,
            Self::LargestFirst if rung.area() < largest => Turn::Behind,
            Self::LargestFirst => Turn::First,
        }
    }
}

/// A rung's turn among those of its ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// As all others.
    Even,
    /// Before others.
    First,
    /// After others.
    Behind,
}

impl Turn {
    /// Has the calling thread go behind others, if its turn is after theirs.
    pub(crate) fn take(self) {
        if self == Self::Behind {
            lower();
        }
    }
}

/// Lets the process's other threads go first, from now on.
#[cfg(target_os = "linux")]
fn lower() {
    let thread = Some(rustix::thread::gettid());
    // Where it cannot be had all go alike, which only takes longer.
    let Ok(now) = rustix::process::getpriority_process(thread) else { return };
    let _ = rustix::process::setpriority_process(thread, (now + BACK).min(LAST));
}

/// Elsewhere niceness is a process's.
#[cfg(not(target_os = "linux"))]
fn lower() {}
