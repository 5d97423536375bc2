//! Pipelines that could not be taken down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;

use crate::event::Level;
use crate::ingest::again::{Attempt, Began, Then};
use crate::reporter::Reporter;

/// How long a pipeline may take to stop.
const TEARDOWN: Duration = Duration::from_secs(2);
/// Pipelines of one line that may be left to themselves: each holds threads and sockets.
const MOST: u32 = 8;

/// How many of a line's pipelines are left to themselves, shared by all of them.
#[derive(Clone, Default)]
pub(crate) struct Stuck(Arc<AtomicU32>);

impl Stuck {
    /// Takes a pipeline down. Some of GStreamer's elements wait for one another for ever when they
    /// are stopped at a bad moment: then it is left to itself and counted, for a line must go on,
    /// and a show must end.
    pub(super) fn take_down(&self, pipeline: &gst::Pipeline) {
        let pipeline = pipeline.clone();
        let (done, is_done) = crossbeam_channel::bounded(1);
        let take_down = move || {
            // Stopping cannot fail in a way that anybody could act on.
            let _ = pipeline.set_state(gst::State::Null);
            let _ = done.send(());
        };
        let started = std::thread::Builder::new().name("take down".to_owned()).spawn(take_down);
        if started.is_err() || is_done.recv_timeout(TEARDOWN).is_err() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What becomes of a line that has left too many behind: it is not tried again.
    pub(crate) fn given_up(&self, reporter: &Reporter) -> Option<Attempt> {
        (self.0.load(Ordering::Relaxed) > MOST).then(|| {
            let why = format!("{MOST} pipelines could not be taken down: the line is given up");
            reporter.event(Level::Alarm, "line-error", why.clone());
            Attempt { began: Began::Yes, why, then: Then::Nothing }
        })
    }
}
