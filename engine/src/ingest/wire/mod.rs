//! Lines that we pull through GStreamer: SRT, RTSP, HLS, MPEG-TS over UDP.
//!
//! A thread for each line builds a pipeline, listens to it, and when it ends or
//! falls silent takes it down and tries again, with a back-off.

mod address;
mod graph;

use std::sync::Arc;
use std::time::{Duration, Instant};

use media::Span;
use scheduling::Backoff;
use url::Url;

use crate::event::Level;
use crate::ingest::intake::Intake;
pub(crate) use crate::ingest::wire::address::{AddressError, Wire};
use crate::ingest::wire::graph::{Began, Graph, Landing, Said, WireError};
use crate::keys;
use crate::reporter::Reporter;

const FIRST_WAIT: Span = Span::from_millis(200);
const LONGEST_WAIT: Span = Span::from_secs(5);
/// A stream that is silent for so long is given up, and asked for anew.
const SILENCE: Duration = Duration::from_secs(5);
/// How long a first packet may take.
const OPENING: Duration = Duration::from_secs(15);
/// How often the thread looks up.
const GLANCE: Duration = Duration::from_millis(100);
/// The same failure is told again after so long.
const AGAIN: Duration = Duration::from_secs(60);

/// Everything a pulled line needs.
pub(crate) struct WireLine {
    pub(crate) wire: Wire,
    pub(crate) url: Url,
    pub(crate) intake: Arc<Intake>,
    pub(crate) reporter: Reporter,
}

/// What was last told, and when.
#[derive(Default)]
struct Told(Option<(String, Instant)>);

impl Told {
    fn is_news(&mut self, what: &str) -> bool {
        let known = matches!(&self.0, Some((told, at)) if told == what && at.elapsed() < AGAIN);
        if !known {
            self.0 = Some((what.to_owned(), Instant::now()));
        }
        !known
    }
}

/// What follows the end of an attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Again,
    /// No more is to be had.
    Nothing,
}

impl WireLine {
    /// Tries until the show is over.
    pub(crate) fn run(self) {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        let mut told = Told::default();
        while !self.reporter.is_stopping() {
            let from = format!("receiving from {}", keys::address_shown(self.url.as_str()));
            let landing = Arc::new(Landing::new(Arc::clone(&self.intake), from));
            let (why, then) = match Graph::start(self.wire, &self.url, &landing) {
                Ok(graph) => self.attend(&graph, &landing),
                Err(error) => (self.said(&error), Then::Again),
            };
            // A stream that had begun says itself why it ended.
            if landing.end(&why) == Began::Yes {
                backoff.worked();
                told = Told::default();
            } else if !self.reporter.is_stopping() && told.is_news(&why) {
                self.reporter.event(Level::Warn, "line-error", format!("{why}; it is tried again"));
            }
            if then == Then::Nothing {
                return;
            }
            self.reporter.wait(backoff.failed(roll()).as_duration());
        }
    }

    /// Listens until the pipeline is of no more use, and says why.
    fn attend(&self, graph: &Graph, landing: &Landing) -> (String, Then) {
        let begun = Instant::now();
        loop {
            match graph.listen(GLANCE) {
                Said::Error(error) => return (self.said(&error), Then::Again),
                // Asked for again, a playlist that has ended would play from its beginning.
                Said::End if self.wire == Wire::Hls => {
                    return ("the playlist has ended".to_owned(), Then::Nothing);
                }
                Said::End => return ("the stream has ended".to_owned(), Then::Again),
                Said::Nothing => {}
            }
            if self.reporter.is_stopping() {
                return ("the show is over".to_owned(), Then::Nothing);
            }
            match landing.quiet_for() {
                Some(quiet) if quiet > SILENCE => {
                    return (format!("nothing came for {} s", SILENCE.as_secs()), Then::Again);
                }
                None if begun.elapsed() > OPENING && !self.listens() => {
                    return (format!("nothing came within {} s", OPENING.as_secs()), Then::Again);
                }
                _ => {}
            }
        }
    }

    /// Whether we wait for somebody who may come at any time.
    fn listens(&self) -> bool {
        match self.wire {
            Wire::Udp => true,
            Wire::Srt => self.url.query_pairs().any(|(k, v)| k == "mode" && v == "listener"),
            Wire::Rtsp | Wire::Hls => false,
        }
    }

    /// An error in words that hold no secret of the address.
    fn said(&self, error: &WireError) -> String {
        keys::without_secrets(&error.to_string(), &self.url)
    }
}

/// Any number; when the system gives none, the middle.
fn roll() -> u64 {
    getrandom::u64().unwrap_or(u64::MAX / 2)
}
