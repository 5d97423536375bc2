//! How far a stream is; shown on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line with bytes and rate, and with a bar and the time left where the length
/// is known. Gone without a trace when it is dropped.
pub struct FileProgress(ProgressBar);

impl FileProgress {
    /// Named by what is done, e.g. `decrypting`, to so many bytes, if that is known.
    pub fn new(doing: &'static str, length: Option<u64>) -> Self {
        let (bar, shape) = match length {
            Some(length) => (
                ProgressBar::new(length),
                "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
            ),
            None => (ProgressBar::new_spinner(), "{spinner} {msg} {bytes} {bytes_per_sec}"),
        };
        if let Ok(style) = ProgressStyle::with_template(shape) {
            bar.set_style(style);
        }
        bar.set_message(doing);
        // Without a terminal nothing is drawn, and no thread is needed for it.
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self(bar)
    }

    /// So many bytes were read so far.
    pub fn at(&self, read: u64) {
        self.0.set_position(read);
    }

    /// Says something while the line stands aside.
    pub fn aside(&self, say: impl FnOnce()) {
        self.0.suspend(say);
    }
}

impl Drop for FileProgress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
