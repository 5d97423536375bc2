//! A camera of two lines by itself, in virtual time.

use pipeline_dsl::Failover;
use scheduling::{LineReason, LineSelector, LineView};

use crate::rig::ms;

pub(crate) const TICK: i64 = 40;

/// Two lines, and every change of them in ms.
pub(crate) struct TwoLines {
    pub(crate) selector: LineSelector,
    pub(crate) now: i64,
    pub(crate) changes: Vec<(i64, usize, LineReason)>,
}

impl TwoLines {
    pub(crate) fn new(failover: Failover) -> Self {
        Self { selector: LineSelector::new(2, failover), now: 0, changes: vec![] }
    }
    /// Ticks up to `end`, with these lines.
    pub(crate) fn run(&mut self, end: i64, lines: [LineView; 2]) -> &mut Self {
        while self.now < end {
            let choice = self.selector.select(ms(self.now), &lines);
            self.changes.extend(choice.change.map(|change| (self.now, change.to.0, change.reason)));
            self.now += TICK;
        }
        self
    }
}
