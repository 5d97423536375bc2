//! Events that wait for the caller, counted.

use std::collections::VecDeque;

use crate::limits::Limits;

/// What an event keeps in memory besides itself.
pub(super) trait Weight {
    /// Bytes.
    fn weight(&self) -> usize;
}

#[derive(Debug)]
pub(super) struct Inbox<E> {
    events: VecDeque<E>,
    bytes: usize,
}

impl<E: Weight> Inbox<E> {
    pub fn new() -> Self {
        Self { events: VecDeque::new(), bytes: 0 }
    }

    pub fn push(&mut self, event: E) {
        self.bytes += event.weight();
        self.events.push_back(event);
    }

    pub fn pop(&mut self) -> Option<E> {
        let event = self.events.pop_front()?;
        self.bytes -= event.weight();
        Some(event)
    }

    pub fn is_full(&self, limits: &Limits) -> bool {
        self.events.len() >= limits.queued_events || self.bytes >= limits.queued_bytes
    }
}
