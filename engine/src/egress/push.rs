//! Pushing a rung to an RTMP server: connected, published to, and after a failure tried again.
//!
//! A push reads its feed like any other sink. While a server is away nothing waits for
//! it; when it is back, it gets the headers and the current GOP first, as a late viewer
//! does, with the show's own time stamps.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use media::{Span, Time};
use rtmp::session::{ClientEnd, Hops, Intent};
use rtmp::{ClientConfig, ClientEvent, ClientSession, RtmpUrl};
use scheduling::Backoff;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::egress::EgressMeter;
use crate::egress::feed::Feed;
use crate::egress::queue::{Bound, SinkQueue, WhenFull};
use crate::event::Level;
use crate::report::EgressState;
use crate::reporter::Reporter;

/// What may wait for a server that takes less than it is sent: then frames are lost, up to a key frame.
const BOUND: Bound = Bound { millis: 5_000, bytes: 32 << 20, when_full: WhenFull::Drop };
/// So much is handed to the socket ahead of the queue, where it can still be dropped.
const AHEAD: usize = 256 << 10;
const FIRST_WAIT: Span = Span::from_millis(500);
const LONGEST_WAIT: Span = Span::from_secs(10);
/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(5);
/// A server that takes nothing for this long, while something waits for it, is gone.
const STALLED: Duration = Duration::from_secs(10);
/// How long the last bytes may take at the end.
const FAREWELL: Duration = Duration::from_secs(2);
const READ_AT_ONCE: usize = 16 << 10;
/// A connection that held this long was well: the next failure is the first again.
const WELL: Duration = Duration::from_secs(10);

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
        Some((scheme, _)) if !scheme.eq_ignore_ascii_case("rtmp") => {
            Err(TargetError::Unbuilt(scheme.to_lowercase()))
        }
        _ => Ok(url.parse()?),
    }
}

/// Why an attempt ended.
#[derive(Debug, thiserror::Error)]
enum PushError {
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    #[error("no connection within {} s", CONNECTING.as_secs())]
    ConnectSlow,
    #[error(transparent)]
    Session(#[from] rtmp::session::ClientError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("took nothing for {} s", STALLED.as_secs())]
    Stalled,
    #[error("the server closed the connection")]
    Closed,
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
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
    pub(crate) feed: Arc<Feed>,
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
            Ok(runtime) => runtime.block_on(self.push()),
            Err(error) => {
                self.meter.set(EgressState::Failed);
                self.reporter.event(Level::Alarm, "egress-failed", format!("no runtime for it: {error}"));
            }
        }
    }

    async fn push(self) {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        let (mut url, mut hops) = (self.url.clone(), Hops::default());
        let mut told = String::new();
        loop {
            let begun = Instant::now();
            let error = match self.attempt(url, hops).await {
                Ok(Next::Done) => return self.meter.set(EgressState::Closed),
                Ok(Next::There(there, left)) => {
                    self.reporter.event(
                        Level::Info,
                        "egress-moved",
                        format!("sent on to {}", there.server()),
                    );
                    (url, hops) = (*there, left);
                    continue;
                }
                Err(error) => error,
            };
            // It begins again where the show file says.
            (url, hops) = (self.url.clone(), Hops::default());
            let was_live = self.meter.state() == EgressState::Live;
            if was_live && begun.elapsed() > WELL {
                backoff.worked();
            }
            let what = error.to_string();
            if self.feed.has_ended() {
                return self.too_late(&what);
            }
            self.meter.set(EgressState::Connecting);
            if was_live || what != told {
                let level = if was_live { Level::Alarm } else { Level::Warn };
                self.reporter.event(level, "egress-lost", format!("{what}; it is tried again"));
                told.clone_from(&what);
            }
            let wait = backoff.failed(getrandom::u64().unwrap_or(u64::MAX / 2)).as_duration();
            self.feed.ended_within(wait).await;
            if self.feed.has_ended() {
                return self.too_late(&what);
            }
            self.meter.reconnect();
        }
    }

    /// Nobody is left to try again for; what the server did not take is lost to it.
    fn too_late(&self, what: &str) {
        self.meter.set(EgressState::Failed);
        let message = format!("the rung's end was not sent: {what}");
        self.reporter.event(Level::Alarm, "egress-failed", message);
    }

    /// One connection, from its beginning to its end.
    async fn attempt(&self, url: RtmpUrl, hops: Hops) -> Result<Next, PushError> {
        let to = (url.host().to_owned(), url.port());
        let stream = tokio::time::timeout(CONNECTING, TcpStream::connect(to)).await;
        let stream = stream.map_err(|_| PushError::ConnectSlow)?.map_err(PushError::Connect)?;
        // What we write is whole messages: no gathering.
        stream.set_nodelay(true)?;
        let mut random = [0; rtmp::handshake::RANDOM];
        getrandom::fill(&mut random).map_err(PushError::Random)?;
        let config = ClientConfig { hops, ..ClientConfig::new(url, Intent::Publish, random) };
        let begun = Instant::now();
        let session = ClientSession::new(config, Time::ZERO);
        let mut connection =
            Connection { push: self, stream, session, begun, queue: None, drained: Instant::now() };
        let result = connection.serve().await;
        if let Some(queue) = connection.queue {
            queue.close();
            self.meter.dropped(queue.take_dropped());
        }
        result
    }
}

/// A connection while it lasts.
struct Connection<'p> {
    push: &'p Push,
    stream: TcpStream,
    session: ClientSession,
    begun: Instant,
    /// There once the server takes tags.
    queue: Option<Arc<SinkQueue>>,
    /// When the server last took something, or nothing waited for it.
    drained: Instant,
}

impl Connection<'_> {
    fn now(&self) -> Time {
        Time::ZERO + Span::from_duration(self.begun.elapsed())
    }

    async fn serve(&mut self) -> Result<Next, PushError> {
        let mut buffer = BytesMut::with_capacity(READ_AT_ONCE);
        let mut unread = Bytes::new();
        loop {
            if let Some(next) = self.listen(&mut unread)? {
                return Ok(next);
            }
            if self.session.is_closed() {
                return Err(PushError::Closed);
            }
            if self.session.output().is_empty() {
                self.drained = Instant::now();
            } else if self.drained.elapsed() > STALLED {
                return Err(PushError::Stalled);
            }
            let deadline = self.session.next_deadline().map_or(STALLED, |at| (at - self.now()).as_duration());
            let queue = self.queue.clone().filter(|_| self.session.output().len() < AHEAD);
            buffer.reserve(READ_AT_ONCE);
            let (mut from, mut to) = self.stream.split();
            let wants_input = self.session.wants_input();
            let waiting = self.session.output();
            tokio::select! {
                read = from.read_buf(&mut buffer), if wants_input => match read? {
                    0 => self.session.handle_close(),
                    _ => unread = buffer.split().freeze(),
                },
                written = to.write_buf(waiting), if !waiting.is_empty() => {
                    self.push.meter.sent(written?);
                    self.drained = Instant::now();
                }
                item = next_item(queue.as_deref()), if queue.is_some() => match item {
                    Some(item) => {
                        // It was let in, or there were no queue.
                        let _ = self.session.send(&item.tag);
                    }
                    None => return self.farewell().await,
                },
                () = tokio::time::sleep(deadline.min(STALLED)) => self.session.handle_timeout(self.now())?,
            }
            if let Some(queue) = &self.queue {
                self.push.meter.dropped(queue.take_dropped());
            }
        }
    }

    /// Lets the session read what has come, and does what it says.
    fn listen(&mut self, unread: &mut Bytes) -> Result<Option<Next>, PushError> {
        loop {
            let now = self.now();
            let result = self.session.handle_input(unread, now);
            let mut events = 0;
            while let Some(event) = self.session.poll_event() {
                events += 1;
                match event {
                    ClientEvent::Started => {
                        self.queue = Some(self.push.feed.join(BOUND));
                        self.push.meter.set(EgressState::Live);
                        let message = format!("publishing to {}", self.session.url().server());
                        self.push.reporter.event(Level::Info, "egress-live", message);
                    }
                    ClientEvent::Redirected(redirect) => {
                        return Ok(Some(Next::There(Box::new(redirect.url), redirect.hops)));
                    }
                    ClientEvent::ReconnectRequested { url, .. } => {
                        return Ok(Some(Next::There(url, Hops::default())));
                    }
                    ClientEvent::Ended(ClientEnd::Closed | ClientEnd::Disconnected) => {
                        return Err(PushError::Closed);
                    }
                    ClientEvent::Connected(_)
                    | ClientEvent::Status(_)
                    | ClientEvent::Tag(_)
                    | ClientEvent::Ended(_) => {}
                }
            }
            result?;
            if unread.is_empty() && events == 0 {
                return Ok(None);
            }
        }
    }

    /// The rung has ended: the rest goes out, and the server is told.
    async fn farewell(&mut self) -> Result<Next, PushError> {
        self.session.finish();
        let last = async {
            while !self.session.output().is_empty() {
                let written = self.stream.write_buf(self.session.output()).await?;
                self.push.meter.sent(written);
            }
            self.stream.shutdown().await?;
            // A socket closed with bytes unread takes back what it sent.
            let mut rest = [0; 4096];
            while matches!(self.stream.read(&mut rest).await, Ok(1..)) {}
            Ok(Next::Done)
        };
        let done = tokio::time::timeout(FAREWELL, last).await;
        // All was sent, and the server is slow to close: that is its own affair.
        let sent = self.session.output().is_empty();
        done.unwrap_or(if sent { Ok(Next::Done) } else { Err(PushError::Stalled) })
    }
}

async fn next_item(queue: Option<&SinkQueue>) -> Option<crate::egress::queue::Item> {
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
        for (url, scheme) in [("srt://a:1", "srt"), ("RTMPS://cdn.example/live/x", "rtmps")] {
            assert_eq!(target(url), Err(TargetError::Unbuilt(scheme.to_owned())));
        }
        let error = target("rtmp://:SECRET").unwrap_err().to_string();
        assert!(!error.contains("SECRET"), "{error}");
    }
}
