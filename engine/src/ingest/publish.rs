//! The door for RTMP encoders: a listener, a task for each connection, and the
//! push points they may publish to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use crossbeam_channel::{Sender, TrySendError};
use flv::{Tag, TagKind};
use media::{Span, Time};
use pipeline_dsl::PushPoint;
use rtmp::session::{PublishRequest, Reject};
use rtmp::{Event, ServerConfig, ServerSession};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::event::Level;
use crate::reporter::Reporter;

/// Connections at one time; a truck has a dozen encoders.
const MOST_CONNECTIONS: usize = 128;
const READ_AT_ONCE: usize = 64 << 10;
/// A peer that takes nothing for this long is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// How long a peer may take to close after us.
const FAREWELL: Duration = Duration::from_millis(500);

/// What a publisher sends to its line.
pub(crate) enum Pushed {
    /// An encoder has begun to publish.
    Started {
        from: SocketAddr,
    },
    Tag(Tag),
    /// It has ended, and why.
    Ended(String),
}

/// Where a line waits for its publisher.
pub(crate) struct Point {
    pub(crate) to_line: Sender<Pushed>,
    pub(crate) reporter: Reporter,
    taken: AtomicBool,
}

impl Point {
    pub(crate) fn new(to_line: Sender<Pushed>, reporter: Reporter) -> Self {
        Self { to_line, reporter, taken: AtomicBool::new(false) }
    }
}

/// All push points of a show.
#[derive(Default)]
pub(crate) struct Points(pub(crate) HashMap<PushPoint, Arc<Point>>);

impl Points {
    fn names(&self) -> String {
        let mut names: Vec<String> = self.0.keys().map(ToString::to_string).collect();
        names.sort();
        names.join(", ")
    }
}

/// Accepts encoders until the runtime is shut down.
pub(crate) async fn listen(listener: TcpListener, points: Arc<Points>, reporter: Reporter) {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: later there may be some again.
                reporter.event(Level::Warn, "rtmp-accept", error.to_string());
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        if open.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            reporter.event(
                Level::Warn,
                "rtmp-refused",
                format!("{from}: {MOST_CONNECTIONS} connections are open, the most there may be"),
            );
            continue;
        }
        let (points, reporter, open) = (Arc::clone(&points), reporter.clone(), Arc::clone(&open));
        tokio::spawn(async move {
            let mut connection = Connection::new(stream, from, points, reporter.clone());
            let result = connection.serve().await;
            connection.release(result.as_ref().err());
            if let Err(error) = result {
                reporter.event(Level::Warn, "rtmp-connection", format!("{from}: {error}"));
            }
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error(transparent)]
    Session(#[from] rtmp::session::SessionError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("took no answer for {} s", WRITE_PATIENCE.as_secs())]
    Stalled,
    #[error(transparent)]
    Answer(#[from] rtmp::session::UnknownRequest),
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// A stream this connection publishes.
struct Publishing {
    point: Arc<Point>,
    /// The line's queue was full: nothing until the next key frame.
    skipping: Skipping,
}

#[derive(PartialEq, Eq)]
enum Skipping {
    No,
    UntilKey,
}

struct Connection {
    stream: TcpStream,
    from: SocketAddr,
    points: Arc<Points>,
    reporter: Reporter,
    begun: Instant,
    publishing: HashMap<rtmp::message::MessageStreamId, Publishing>,
    hears: Hears,
}

/// Whether the peer still takes what we send. One that does not may yet have
/// sent a farewell that is worth reading.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hears {
    Yes,
    No,
}

impl Connection {
    fn new(stream: TcpStream, from: SocketAddr, points: Arc<Points>, reporter: Reporter) -> Self {
        Self {
            stream,
            from,
            points,
            reporter,
            begun: Instant::now(),
            publishing: HashMap::new(),
            hears: Hears::Yes,
        }
    }

    fn now(&self) -> Time {
        Time::ZERO + Span::from_duration(self.begun.elapsed())
    }

    async fn serve(&mut self) -> Result<(), ConnectionError> {
        // Answers are small and awaited: no gathering.
        self.stream.set_nodelay(true)?;
        let mut random = [0; rtmp::handshake::RANDOM];
        getrandom::fill(&mut random).map_err(ConnectionError::Random)?;
        let mut session = ServerSession::new(ServerConfig::new(random), self.now());
        let mut unread = Bytes::new();
        let mut buffer = BytesMut::with_capacity(READ_AT_ONCE);
        loop {
            let outcome = self.turn(&mut session, &mut unread).await;
            self.flush(&mut session).await?;
            outcome?;
            if session.is_closed() {
                self.farewell().await;
                return Ok(());
            }
            let wait =
                session.next_deadline().map_or(Duration::from_secs(60), |at| (at - self.now()).as_duration());
            buffer.reserve(READ_AT_ONCE);
            tokio::select! {
                read = self.stream.read_buf(&mut buffer), if session.wants_input() => {
                    if read? == 0 {
                        session.handle_close();
                    } else {
                        unread = buffer.split().freeze();
                    }
                }
                () = tokio::time::sleep(wait) => session.handle_timeout(self.now())?,
            }
        }
    }

    /// Lets the session read what has come, and carries out what it says, until it wants more.
    async fn turn(&mut self, session: &mut ServerSession, unread: &mut Bytes) -> Result<(), ConnectionError> {
        loop {
            let result = session.handle_input(unread, self.now());
            let mut events = 0;
            while let Some(event) = session.poll_event() {
                events += 1;
                self.handle(session, event)?;
            }
            result?;
            self.flush(session).await?;
            if unread.is_empty() && events == 0 || session.is_closed() {
                return Ok(());
            }
        }
    }

    async fn flush(&mut self, session: &mut ServerSession) -> Result<(), ConnectionError> {
        while let Some(bytes) = session.poll_output() {
            if self.hears == Hears::No {
                continue;
            }
            match tokio::time::timeout(WRITE_PATIENCE, self.stream.write_all(&bytes)).await {
                Err(_) => return Err(ConnectionError::Stalled),
                Ok(Err(_)) => self.hears = Hears::No,
                Ok(Ok(())) => {}
            }
        }
        Ok(())
    }

    /// Closes so that the last answer arrives: a socket closed with bytes unread takes it back.
    async fn farewell(&mut self) {
        let _ = self.stream.shutdown().await;
        let mut rest = [0; 4096];
        let drain = async { while matches!(self.stream.read(&mut rest).await, Ok(1..)) {} };
        let _ = tokio::time::timeout(FAREWELL, drain).await;
    }

    fn handle(&mut self, session: &mut ServerSession, event: Event) -> Result<(), ConnectionError> {
        match event {
            Event::PublishRequested(request) => self.answer(session, &request)?,
            Event::RequestWithdrawn { .. } => {}
            Event::Tag { stream, tag } => {
                if let Some(publishing) = self.publishing.get_mut(&stream) {
                    publishing.hand_on(tag);
                }
            }
            Event::PublishEnded { stream, reason } => {
                if let Some(publishing) = self.publishing.remove(&stream) {
                    publishing.end(format!("{reason:?}").to_lowercase());
                }
            }
        }
        Ok(())
    }

    fn answer(
        &mut self,
        session: &mut ServerSession,
        request: &PublishRequest,
    ) -> Result<(), ConnectionError> {
        let wanted = PushPoint { app: request.app.path().to_owned(), stream: request.name.name().to_owned() };
        let Some(point) = self.points.0.get(&wanted) else {
            let message = format!(
                "{} wants to publish to {wanted}, which no line waits for; legal: {}",
                self.from,
                self.points.names()
            );
            self.reporter.event(Level::Warn, "push-unknown", message);
            return Ok(session.reject(request.request, Reject::NoSuchPoint)?);
        };
        if point.taken.swap(true, Ordering::AcqRel) {
            let message = format!(
                "{} wants to publish to {wanted}, where somebody publishes already: turned down",
                self.from
            );
            point.reporter.event(Level::Warn, "push-taken", message);
            return Ok(session.reject(request.request, Reject::NameTaken)?);
        }
        let point = Arc::clone(point);
        // The line reads until the show ends; after that nobody minds.
        let _ = point.to_line.send(Pushed::Started { from: self.from });
        let stream = match session.accept(request.request, self.now()) {
            Ok(stream) => stream,
            Err(error) => {
                point.taken.store(false, Ordering::Release);
                return Err(error.into());
            }
        };
        self.publishing.insert(stream, Publishing { point, skipping: Skipping::No });
        Ok(())
    }

    /// Whatever way the connection ended, its points are free again.
    fn release(&mut self, error: Option<&ConnectionError>) {
        for (_, publishing) in self.publishing.drain() {
            publishing.end(error.map_or_else(|| "disconnected".to_owned(), ToString::to_string));
        }
    }
}

impl Publishing {
    /// Hands a tag to the line, which must never make the socket wait.
    fn hand_on(&mut self, tag: Tag) {
        if self.skipping == Skipping::UntilKey {
            let header = (tag.kind == TagKind::Video)
                .then(|| flv::video::VideoHeader::parse(tag.body()).ok())
                .flatten();
            if !header.is_some_and(|h| h.is_key_frame() || h.is_sequence_start()) {
                return;
            }
        }
        match self.point.to_line.try_send(Pushed::Tag(tag)) {
            Ok(()) => self.skipping = Skipping::No,
            Err(TrySendError::Full(_)) => {
                if self.skipping == Skipping::No {
                    let message = "decoding cannot keep up: frames are dropped up to the next key frame";
                    self.point.reporter.event(Level::Warn, "line-overrun", message);
                }
                self.skipping = Skipping::UntilKey;
            }
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    fn end(self, why: String) {
        // Frees the name first: an encoder that comes straight back must find it free.
        let point = &self.point;
        if point.to_line.send_timeout(Pushed::Ended(why), Duration::from_secs(1)).is_err() {
            point.reporter.event(Level::Warn, "line-overrun", "decoding hangs");
        }
        point.taken.store(false, Ordering::Release);
    }
}
