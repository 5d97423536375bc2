//! Who calls an SRT listener of ours and is not let in: the library turns them
//! away itself, over a wrong passphrase above all, and tells nobody.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;

/// So long after its call a caller is in, or was turned away: the handshake takes two round trips more.
const DECIDED: Duration = Duration::from_secs(2);
/// Calls that wait to be decided; more at a time are not counted.
const MOST: usize = 64;

/// Calls of which it is not known yet whether they were let in.
#[derive(Debug, Default)]
pub(super) struct Knocks(Mutex<VecDeque<Instant>>);

impl Knocks {
    /// The calls of an `srtsrc`.
    pub(super) fn at(source: &gst::Element) -> Arc<Self> {
        let knocks = Arc::new(Self::default());
        if gst::glib::subclass::SignalId::lookup("caller-connecting", source.type_()).is_some() {
            // Else the calls are not told.
            source.set_property("authentication", true);
            let calling = Arc::clone(&knocks);
            source.connect("caller-connecting", false, move |_| {
                calling.called(Instant::now());
                // Whether it may come in, the passphrase says.
                Some(true.to_value())
            });
            let added = Arc::clone(&knocks);
            source.connect("caller-added", false, move |_| {
                added.let_in();
                None
            });
        }
        knocks
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn called(&self, now: Instant) {
        let mut calls = self.lock();
        if calls.len() < MOST {
            calls.push_back(now);
        }
    }

    /// The latest call was answered: those before it are decided by the clock.
    fn let_in(&self) {
        self.lock().pop_back();
    }

    /// How many were turned away since this was last asked.
    pub(super) fn turned_away(&self, now: Instant) -> usize {
        let mut calls = self.lock();
        let decided = calls.iter().take_while(|at| now.saturating_duration_since(**at) >= DECIDED).count();
        calls.drain(..decided).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_let_in_is_not_turned_away_and_a_flood_is_bounded() {
        let begun = Instant::now();
        let knocks = Knocks::default();
        knocks.called(begun);
        knocks.called(begun);
        knocks.let_in();
        assert_eq!(knocks.turned_away(begun + DECIDED / 2), 0);
        assert_eq!(knocks.turned_away(begun + DECIDED), 1);
        assert_eq!(knocks.turned_away(begun + DECIDED * 2), 0);
        (0..1000).for_each(|_| knocks.called(begun));
        assert_eq!(knocks.turned_away(begun + DECIDED), MOST);
        knocks.let_in();
    }
}
