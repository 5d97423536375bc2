//! Pushing a rung to an RTMP server: connected, published to, and after a failure tried again.
//!
//! A push reads its feed like any other sink. While a server is away nothing waits for
//! it; when it is back, it gets the headers and the current GOP first, as a late viewer
//! does, with the show's own time stamps.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::Span;
use rtmp::session::{Hops, Intent};
use rtmp::{ClientEvent, RtmpUrl};
use scheduling::Backoff;

use crate::call::{Call, CallError, MOST_MOVES};
use crate::egress::EgressMeter;
use crate::egress::exit::Exit;
use crate::egress::feed::Feed;
use crate::egress::queue::{Bound, Item, SinkQueue, WhenFull};
use crate::event::Level;
use crate::keys;
use crate::report::EgressState;
use crate::reporter::{Reporter, roll};
use crate::secure::Trust;
use crate::seldom::{Hearing, Measure, Seldom};

/// What may wait for a server that takes less than it is sent: then frames are lost, up to a key frame.
pub(crate) const BOUND: Bound = Bound { millis: 5_000, bytes: 32 << 20, when_full: WhenFull::Drop };
/// So much is handed to the socket ahead of the queue, where it can still be dropped.
const AHEAD: usize = 256 << 10;
pub(crate) const FIRST_WAIT: Span = Span::from_millis(500);
pub(crate) const LONGEST_WAIT: Span = Span::from_secs(10);
/// What a connection may still take after the rung's end, farewell and all.
const OVERTIME: Duration = Duration::from_millis(2500);
/// A connection that held this long was well: the next failure is the first again.
pub(crate) const WELL: Duration = Duration::from_secs(10);

/// Why there is no push to such an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("pushing over {0} is not available yet in this version")]
    Unbuilt(String),
    #[error("the address of the push: {0}")]
    Url(#[from] rtmp::UrlError),
}

/// Where to push.
pub(crate) fn target(url: &str) -> Result<RtmpUrl, TargetError> {
    match url.split_once("://") {
        Some((scheme, _)) if !["rtmp", "rtmps"].iter().any(|ours| scheme.eq_ignore_ascii_case(ours)) => {
            Err(TargetError::Unbuilt(scheme.to_lowercase()))
        }
        _ => Ok(url.parse()?),
    }
}

/// What is told of a server, each as seldom as it deserves.
struct Told {
    losses: Seldom,
    failures: Seldom,
    moves: Seldom,
    /// Where it was last said to be published to.
    there: RefCell<String>,
}

impl Told {
    fn new() -> Self {
        let of = |code, level| Seldom::new(code, level, Measure::FAILURES);
        Self {
            losses: of("egress-lost", Level::Alarm),
            failures: of("egress-lost", Level::Warn),
            moves: of("egress-moved", Level::Info),
            there: RefCell::default(),
        }
    }

    /// The server is there, or not asked for: what was not told by now would be told behind that.
    /// Whether it was said to be lost, or tried in vain.
    fn over(&self) -> Hearing {
        match (self.losses.over(), self.failures.over()) {
            (Hearing::Counted, Hearing::Counted) => Hearing::Counted,
            _ => Hearing::Told,
        }
    }

    /// A server that lets us in and closes, again and again, is said to be there once.
    fn is_live(&self, url: &RtmpUrl, reporter: &Reporter) {
        let place = keys::server_shown(url);
        if self.over() == Hearing::Told || *self.there.borrow() != place {
            reporter.event(Level::Info, "egress-live", format!("publishing to {place}"));
            self.there.replace(place);
        }
    }
}

/// What follows an attempt that did not fail.
enum Next {
    /// The rung has ended, and all of it is sent.
    Done,
    /// The server wants us there; what is left of its leave to send us on.
    There(Box<RtmpUrl>, Hops),
}

/// One rung's push to one server.
pub(crate) struct Push {
    pub(crate) url: RtmpUrl,
    /// Whom, where it goes inside TLS.
    pub(crate) trust: Trust,
    pub(crate) feed: Arc<Feed>,
    /// Shut when the show has no such push any more.
    pub(crate) exit: Arc<Exit>,
    pub(crate) meter: Arc<EgressMeter>,
    pub(crate) reporter: Reporter,
}

/// A thread's push that ends in whatever way is no longer live.
struct EndOfPush {
    meter: Arc<EgressMeter>,
    reporter: Reporter,
}

impl Drop for EndOfPush {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.meter.set(EgressState::Failed);
            self.reporter.event(Level::Alarm, "egress-failed", "its thread panicked: this is our bug");
        }
    }
}

impl Push {
    /// Pushes until the rung has ended. For a thread of its own.
    pub(crate) fn run(self) {
        let _end = EndOfPush { meter: Arc::clone(&self.meter), reporter: self.reporter.clone() };
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                runtime.block_on(self.push());
                // A name that is still looked up must not hold up the show's end.
                runtime.shutdown_background();
            }
            Err(error) => {
                self.meter.set(EgressState::Failed);
                self.reporter.event(Level::Alarm, "egress-failed", format!("no runtime for it: {error}"));
            }
        }
    }

    async fn push(self) {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        let (mut url, mut hops) = (self.url.clone(), Hops::default());
        let told = Told::new();
        let mut moves = 0;
        loop {
            let begun = Instant::now();
            let place = keys::server_shown(&url);
            let result = tokio::select! {
                result = self.attempt(url, hops, &told) => result,
                () = self.overtime() => return self.too_late("the server is too slow"),
                // One that is sent to says farewell.
                () = self.taken_away() => return self.let_go(&told),
            };
            if begun.elapsed() > WELL {
                moves = 0;
            }
            if self.exit.is_shut() {
                return self.let_go(&told);
            }
            let was_live = self.meter.state() == EgressState::Live;
            let error = match result {
                Ok(Next::Done) => return self.meter.set(EgressState::Closed),
                Ok(Next::There(there, left)) if moves < MOST_MOVES && !self.feed.has_ended() => {
                    let next = keys::server_shown(&there);
                    // A server that has us sign in sends us to itself.
                    if was_live {
                        told.moves.happened(&format!("asked to connect anew, to {next}"), &self.reporter);
                        self.meter.reconnect();
                    } else if next != place {
                        told.moves.happened(&format!("sent on to {next}"), &self.reporter);
                    }
                    self.meter.set(EgressState::Connecting);
                    (url, hops) = (*there, left);
                    moves += 1;
                    continue;
                }
                Ok(Next::There(..)) => CallError::Moved,
                Err(error) => error,
            };
            moves = 0;
            // It begins again where the show file says.
            (url, hops) = (self.url.clone(), Hops::default());
            if was_live && begun.elapsed() > WELL {
                backoff.worked();
            }
            let what = match place == keys::server_shown(&url) {
                true => error.to_string(),
                false => format!("{place}, where it was sent: {error}"),
            };
            if self.feed.has_ended() {
                return self.too_late(&what);
            }
            self.meter.set(EgressState::Connecting);
            if was_live && begun.elapsed() > WELL {
                told.losses.worked();
                told.failures.worked();
            }
            let like = if was_live { &told.losses } else { &told.failures };
            like.happened(&format!("{what}; it is tried again"), &self.reporter);
            let wait = backoff.failed(roll()).as_duration();
            tokio::select! {
                () = self.feed.ended_within(wait) => {}
                () = self.exit.until_shut() => return self.let_go(&told),
            }
            if self.feed.has_ended() {
                return self.too_late(&what);
            }
            self.meter.reconnect();
        }
    }

    /// Returns when the rung has ended and even a slow server has had its time.
    async fn overtime(&self) {
        while !self.feed.has_ended() {
            self.feed.ended_within(Duration::from_secs(60)).await;
        }
        tokio::time::sleep(OVERTIME).await;
    }

    /// Returns when the show has no such push any more, and the server has had its time.
    async fn taken_away(&self) {
        self.exit.until_shut().await;
        tokio::time::sleep(OVERTIME).await;
    }

    /// The show goes on without it, and what was told of it is over.
    fn let_go(&self, told: &Told) {
        if told.over() == Hearing::Told && self.meter.state() == EgressState::Connecting {
            let message = "it is no longer tried: the show goes on without it";
            self.reporter.event(Level::Info, "egress-live", message);
        }
        self.meter.set(EgressState::Closed);
    }

    /// Nobody is left to try again for; what the server did not take is lost to it.
    fn too_late(&self, what: &str) {
        self.meter.set(EgressState::Failed);
        let message = format!("the rung's end was not sent: {what}");
        self.reporter.event(Level::Alarm, "egress-failed", message);
    }

    /// One connection, from its beginning to its end.
    async fn attempt(&self, url: RtmpUrl, hops: Hops, told: &Told) -> Result<Next, CallError> {
        let mut call = Call::open(url, Intent::Publish, hops, &self.trust).await?;
        // There once the server takes tags.
        let mut queue = None;
        let result = self.attend(&mut call, &mut queue, told).await;
        self.meter.sent(call.take_sent());
        if let Some(queue) = queue {
            queue.close();
            self.meter.dropped(queue.take_dropped());
        }
        result
    }

    async fn attend(
        &self,
        call: &mut Call,
        queue: &mut Option<Arc<SinkQueue>>,
        told: &Told,
    ) -> Result<Next, CallError> {
        loop {
            while let Some(event) = call.event()? {
                match event {
                    ClientEvent::Started => {
                        *queue = Some(self.feed.join(BOUND));
                        self.meter.set(EgressState::Live);
                        told.is_live(call.session().url(), &self.reporter);
                    }
                    ClientEvent::Redirected(redirect) => {
                        return Ok(Next::There(Box::new(redirect.url), redirect.hops));
                    }
                    ClientEvent::ReconnectRequested { url, .. } => {
                        return Ok(Next::There(url, Hops::default()));
                    }
                    ClientEvent::Ended(_) if queue.is_none() => return Err(CallError::TurnedAway),
                    ClientEvent::Ended(_) => return Err(CallError::Closed),
                    ClientEvent::Connected(_) | ClientEvent::Status(_) | ClientEvent::Tag(_) => {}
                }
            }
            let room = call.session().output().len() < AHEAD;
            let next = async {
                tokio::select! {
                    item = next_item(queue.as_deref().filter(|_| room)) => item,
                    () = self.exit.until_shut() => None,
                }
            };
            match call.turn(next).await? {
                Some(Some(item)) => {
                    // It was let in, or there were no queue.
                    let _ = call.session().send(&item.tag);
                }
                Some(None) => {
                    call.farewell().await?;
                    return Ok(Next::Done);
                }
                None => {}
            }
            self.meter.sent(call.take_sent());
            if let Some(queue) = queue {
                self.meter.dropped(queue.take_dropped());
            }
        }
    }
}

/// The queue's next tag; `None` at its end. Without a queue, never.
async fn next_item(queue: Option<&SinkQueue>) -> Option<Item> {
    match queue {
        Some(queue) => queue.pop().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtmp_is_pushed_and_the_rest_is_said_not_to_be() {
        assert!(target("rtmp://cdn.example/live/program_720p").is_ok());
        assert_eq!(target("RTMPS://cdn.example/live/x").unwrap().scheme(), rtmp::Scheme::Rtmps);
        for (url, scheme) in [("srt://a:1", "srt"), ("HTTP://cdn.example/live/x", "http")] {
            assert_eq!(target(url), Err(TargetError::Unbuilt(scheme.to_owned())));
        }
        let error = target("rtmp://:SECRET").unwrap_err().to_string();
        assert!(!error.contains("SECRET"), "{error}");
    }
}
