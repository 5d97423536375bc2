//! Throughput benches of every room: one file a room in `benches/`, and here what they share.
//!
//! `make bench` runs them in full, in the release profile; `cargo test -p benches --benches`
//! runs each once, which proves that they work and measures nothing. A bench of a fast path
//! stands beside the floor it cannot go below (a copy of the same bytes, the bare cipher) or
//! beside its slow twin, so that one run gives the ratio, whatever the machine.
#![forbid(unsafe_code)]

pub mod film;
pub mod lookahead;
pub mod rtmp;
pub mod scheduling;
pub mod tags;

use bytes::Bytes;

/// How much a bench is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// Once, to see that it works.
    Short,
    /// Until the figures hold.
    Full,
}

impl Extent {
    /// As this process was called: `cargo bench` passes `--bench`, `cargo test` does not.
    pub fn asked() -> Self {
        let given = |flag: &str| std::env::args().any(|arg| arg == flag);
        if given("--bench") && !given("--test") { Self::Full } else { Self::Short }
    }

    /// The number of the two that fits.
    pub const fn pick(self, short: usize, full: usize) -> usize {
        match self {
            Self::Short => short,
            Self::Full => full,
        }
    }
}

/// `whole` as a socket gives it: pieces of at most `len` bytes, each in memory of its own.
pub fn pieces(whole: &[u8], len: usize) -> Vec<Bytes> {
    whole.chunks(len.max(1)).map(Bytes::copy_from_slice).collect()
}
