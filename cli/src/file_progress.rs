//! A bar over the bytes of one file; shown on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::flv_in::FlvIn;

/// The bar; gone without a trace when it is dropped.
pub struct FileProgress(ProgressBar);

impl FileProgress {
    /// A bar named by what is done, e.g. `decrypting`.
    pub fn new(doing: &'static str, input: &FlvIn) -> Self {
        let (bar, shape) = match input.length() {
            Some(length) => {
                (ProgressBar::new(length), "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
            }
            None => (ProgressBar::new_spinner(), "{spinner} {msg} {bytes} {bytes_per_sec}"),
        };
        if let Ok(style) = ProgressStyle::with_template(shape) {
            bar.set_style(style);
        }
        bar.set_message(doing);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// So far the input was read.
    pub fn at(&self, input: &FlvIn) {
        self.0.set_position(input.read());
    }
}

impl Drop for FileProgress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
