//! The end of a line: whatever way its thread goes, nobody waits for what will not come.

use std::sync::Arc;

use crate::event::Level;
use crate::ingest::LineCounters;
use crate::ingest::buffer::LineBuffer;
use crate::reporter::Reporter;

/// Held by the thread that fills a line's buffer.
pub(crate) struct EndOfLine {
    pub(crate) buffer: Arc<LineBuffer>,
    pub(crate) counters: Arc<LineCounters>,
    pub(crate) reporter: Reporter,
}

impl Drop for EndOfLine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let message = "its thread panicked: this is our bug; the line has ended";
            self.reporter.event(Level::Alarm, "line-error", message);
        }
        self.counters.disconnect();
        self.buffer.end();
    }
}
