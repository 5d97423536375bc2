//! A channel after its engine was down: what is wanted is as it was, what was seen is not there.

use super::ChannelScheduler;
use crate::decision::{Freshness, Heard};
use crate::event::EventQueue;
use crate::state::{Awake, Opening};
use crate::view::SourceView;

impl ChannelScheduler {
    /// Nothing it showed is there any more, and whoever was told of anything is gone: with the next
    /// decision what is wanted comes on air again, in a key frame. A transition that was under way
    /// is over.
    pub(crate) fn wake(&mut self) {
        let state = &mut self.state;
        // Before the first tick nothing was on air that could be taken up.
        if state.decided.is_some() {
            (state.awake, state.opening) = (Awake::NotYet, Opening::Over);
        }
        state.mixing = None;
        (state.freshness, state.heard) = (Freshness::Live, Heard::Picture);
        state.views.fill(SourceView::NEVER);
        state.alarm = None;
        state.events = EventQueue::default();
    }
}
