//! What is wrong with a stream, told a few times and counted after that.

use crate::event::Level;
use crate::reporter::Reporter;

/// So many are told.
const TOLD: u32 = 8;

/// The complaints about one stream.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    count: u32,
}

impl Complaints {
    pub(crate) fn about(&mut self, problem: &str, reporter: &Reporter) {
        self.count = self.count.saturating_add(1);
        if self.count <= TOLD {
            reporter.event(Level::Warn, "decode-error", problem);
        }
    }

    /// At the stream's end: how many were not told.
    pub(crate) fn sum_up(&self, reporter: &Reporter) {
        if self.count > TOLD {
            reporter.event(Level::Warn, "decode-error", format!("{} more like these", self.count - TOLD));
        }
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> u32 {
        self.count
    }
}
