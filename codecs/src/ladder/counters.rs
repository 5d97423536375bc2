//! What a rung's threads count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::thread_cpu::thread_cpu;

/// What a rung, or what scales for all of them, has done so far; written by its thread, read by anyone.
#[derive(Debug, Default)]
pub struct RungCounters {
    pub(super) frames: AtomicU64,
    pub(super) packets: AtomicU64,
    pub(super) keys: AtomicU64,
    pub(super) bytes: AtomicU64,
    cpu: AtomicU64,
    queued: AtomicU64,
    longest: AtomicU64,
}

impl RungCounters {
    /// Frames the encoder took.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }
    /// Packets the encoder gave.
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }
    /// Key frames among them.
    pub fn keys(&self) -> u64 {
        self.keys.load(Ordering::Relaxed)
    }
    /// Bytes of the packets.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
    /// CPU time of the rung's thread in nanoseconds. An encoder's further threads are not in it.
    pub fn cpu_nanos(&self) -> u64 {
        self.cpu.load(Ordering::Relaxed)
    }
    /// Frames that waited for the encoder when last looked at.
    pub fn queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }
    /// The most that waited since this was asked last.
    pub fn take_longest_queue(&self) -> u64 {
        self.longest.swap(self.queued(), Ordering::Relaxed)
    }
    pub(super) fn waits(&self, frames: usize) {
        self.queued.store(frames as u64, Ordering::Relaxed);
        self.longest.fetch_max(frames as u64, Ordering::Relaxed);
    }
    /// What the calling thread has taken since `begun`.
    pub(super) fn took(&self, begun: Duration) {
        let took = thread_cpu().saturating_sub(begun).as_nanos();
        self.cpu.store(u64::try_from(took).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
