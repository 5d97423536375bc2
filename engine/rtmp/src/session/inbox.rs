//! Events that wait for the caller, counted.

use std::collections::VecDeque;

use super::event::Event;
use crate::limits::Limits;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    events: VecDeque<Event>,
    bytes: usize,
}

impl Inbox {
    pub fn push(&mut self, event: Event) {
        self.bytes += weight(&event);
        self.events.push_back(event);
    }

    pub fn pop(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.bytes -= weight(&event);
        Some(event)
    }

    pub fn is_full(&self, limits: &Limits) -> bool {
        self.events.len() >= limits.queued_events || self.bytes >= limits.queued_bytes
    }
}

fn weight(event: &Event) -> usize {
    match event {
        Event::Tag { tag, .. } => tag.body().len(),
        _ => 0,
    }
}
