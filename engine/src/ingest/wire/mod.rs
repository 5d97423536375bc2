//! Lines that we pull through GStreamer: SRT, RTSP, MPEG-TS over UDP.
//!
//! A thread for each line builds a pipeline, listens to it, and when it ends or
//! falls silent takes it down and tries again, with a back-off.

mod address;
mod graph;
mod knocks;
mod landing;
mod marks;
mod network;
mod pace;
mod repeats;
mod rtp;
mod rtsp;
mod stuck;

use std::sync::Arc;
use std::time::{Duration, Instant};

use url::Url;

use crate::event::Level;
use crate::ingest::again::{self, Attempt, GLANCE, Then};
use crate::ingest::intake::Intake;
pub(crate) use crate::ingest::wire::address::{AddressError, Wire};
pub(crate) use crate::ingest::wire::graph::{Container, Graph, Said, WireError};
pub(crate) use crate::ingest::wire::landing::Landing;
pub(crate) use crate::ingest::wire::stuck::Stuck;
use crate::keys;
use crate::reporter::Reporter;
use crate::seldom::{Measure, Seldom};

/// How long a first packet may take.
const OPENING: Duration = Duration::from_secs(15);
/// How often a pipeline is asked what its network is like.
const FIGURES: Duration = Duration::from_secs(1);

/// Everything a pulled line needs.
pub(crate) struct WireLine {
    pub(crate) wire: Wire,
    pub(crate) url: Url,
    pub(crate) intake: Arc<Intake>,
    pub(crate) reporter: Reporter,
}

impl WireLine {
    /// Tries until the show is over.
    pub(crate) fn run(self) {
        let strangers = Seldom::new("srt-refused", Level::Warn, Measure::TRAFFIC);
        let stuck = Stuck::default();
        again::until_over(&self.intake, || {
            if let Some(last) = stuck.given_up(&self.reporter) {
                return last;
            }
            let from = format!("receiving from {}", keys::address_shown(self.url.as_str()));
            let landing = Arc::new(Landing::new(Arc::clone(&self.intake), from));
            let (why, then) = match Graph::start(self.wire, &self.url, &landing, &stuck) {
                Ok(graph) => self.attend(&graph, &landing, &strangers),
                Err(error) => (self.said(&error), Then::Again),
            };
            Attempt { began: landing.end(&why), why, then }
        });
    }

    /// Listens until the pipeline is of no more use, and says why.
    fn attend(&self, graph: &Graph, landing: &Landing, strangers: &Seldom) -> (String, Then) {
        let begun = Instant::now();
        let mut told = begun;
        loop {
            if told.elapsed() >= FIGURES {
                told = Instant::now();
                self.intake.counters.network_is(graph.network());
            }
            for refused in graph.turned_away() {
                strangers.happened(&refused.to_string(), &self.reporter);
            }
            match graph.listen(GLANCE) {
                Said::Error(error) => return (self.said(&error), Then::Again),
                Said::End => return ("the stream has ended".to_owned(), Then::Again),
                Said::Nothing => {}
            }
            if self.reporter.is_stopping() {
                return ("the show is over".to_owned(), Then::Nothing);
            }
            if let Some(why) = landing.overdue(begun, (!self.listens()).then_some(OPENING)) {
                return (why, Then::Again);
            }
        }
    }

    /// Whether we wait for somebody who may come at any time.
    fn listens(&self) -> bool {
        match self.wire {
            Wire::Udp => true,
            Wire::Srt => self.url.query_pairs().any(|(k, v)| k == "mode" && v == "listener"),
            Wire::Rtsp => false,
        }
    }

    /// An error in words that hold no secret of the address.
    fn said(&self, error: &WireError) -> String {
        keys::without_secrets(&error.to_string(), &self.url)
    }
}
