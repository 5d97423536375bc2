//! The ways out: a feed fans encoded tags out, sinks carry them off.

pub(crate) mod disk;
pub(crate) mod exit;
pub(crate) mod feed;
pub(crate) mod play;
pub(crate) mod push;
pub(crate) mod queue;
pub(crate) mod record;
pub(crate) mod room;

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use crate::report::EgressState;

/// Counters of one egress of one rung.
#[derive(Debug, Default)]
pub(crate) struct EgressMeter {
    bytes: AtomicU64,
    dropped_frames: AtomicU64,
    reconnects: AtomicU64,
    state: AtomicU8,
}

impl EgressMeter {
    pub(crate) fn sent(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }
    pub(crate) fn dropped(&self, frames: u64) {
        self.dropped_frames.fetch_add(frames, Relaxed);
    }
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }
    pub(crate) fn dropped_frames(&self) -> u64 {
        self.dropped_frames.load(Relaxed)
    }
    /// It is tried again.
    pub(crate) fn reconnect(&self) {
        self.reconnects.fetch_add(1, Relaxed);
    }
    pub(crate) fn reconnects(&self) -> u64 {
        self.reconnects.load(Relaxed)
    }
    pub(crate) fn set(&self, state: EgressState) {
        self.state.store(state as u8, Relaxed);
    }
    pub(crate) fn state(&self) -> EgressState {
        const STATES: [EgressState; 5] = [
            EgressState::Live,
            EgressState::Connecting,
            EgressState::NotAvailable,
            EgressState::Closed,
            EgressState::Failed,
        ];
        let stored = self.state.load(Relaxed);
        STATES.into_iter().find(|state| *state as u8 == stored).unwrap_or(EgressState::Live)
    }
}
