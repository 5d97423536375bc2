//! One RTMP encoder's connection, and the push points it may publish to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use media::{Span, Time};
use pipeline_dsl::PushPoint;
use rtmp::session::{PlayRefusal, PublishRequest, Reject};
use rtmp::{Event, ServerConfig, ServerSession};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::dial::Carrier;
use crate::event::Level;
use crate::ingest::intake::{Arriving, Intake, Turned};
use crate::ingest::unpack::Unpacker;
use crate::reporter::Reporter;

const READ_AT_ONCE: usize = 64 << 10;
/// A peer that takes nothing for this long is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// How long a peer may take to close after us.
const FAREWELL: Duration = Duration::from_millis(500);

/// All push points of a show.
#[derive(Default)]
pub(crate) struct Points(pub(crate) HashMap<PushPoint, Arc<Intake>>);

impl Points {
    fn names(&self) -> String {
        let mut names: Vec<String> = self.0.keys().map(ToString::to_string).collect();
        names.sort();
        names.join(", ")
    }
}

/// Serves one peer until it leaves, over whatever carries its bytes.
pub(crate) async fn serve(stream: impl Carrier, from: SocketAddr, points: Arc<Points>, reporter: Reporter) {
    let mut connection = Connection::new(stream, from, points, reporter.clone());
    let result = connection.serve().await;
    connection.release(result.as_ref().err());
    if let Err(error) = result {
        reporter.event(Level::Warn, "rtmp-connection", format!("{from}: {error}"));
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
    arriving: Arriving,
    unpacker: Unpacker,
}

struct Connection<S> {
    stream: S,
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

impl<S: Carrier> Connection<S> {
    fn new(stream: S, from: SocketAddr, points: Arc<Points>, reporter: Reporter) -> Self {
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
            let written = async {
                self.stream.write_all(&bytes).await?;
                // What is encrypted may wait in the carrier.
                self.stream.flush().await
            };
            match tokio::time::timeout(WRITE_PATIENCE, written).await {
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
            Event::PlayRequested(request) => {
                session.refuse_play(request.request, PlayRefusal::NotFound, self.now())?;
            }
            // Nothing is played here, and connecting is nobody's to refuse.
            Event::RequestWithdrawn { .. }
            | Event::ConnectRequested(_)
            | Event::PlayEnded { .. }
            | Event::Pause { .. }
            | Event::Wants { .. }
            | Event::BufferLength { .. } => {}
            Event::Tag { stream, tag } => {
                if let Some(publishing) = self.publishing.get_mut(&stream) {
                    publishing.arriving.tag(&tag, &mut publishing.unpacker);
                }
            }
            Event::PublishEnded { stream, reason } => {
                if let Some(publishing) = self.publishing.remove(&stream) {
                    publishing.arriving.end(format!("{reason:?}").to_lowercase());
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
        let arriving = match point.begin(format!("{} publishes", self.from)) {
            Ok(arriving) => arriving,
            Err(turned) => {
                let (code, why, reject) = match turned {
                    Turned::Taken => ("push-taken", "where somebody publishes already", Reject::NameTaken),
                    Turned::Hangs => ("line-overrun", "whose decoder is far behind", Reject::Busy),
                };
                let message = format!("{} wants to publish to {wanted}, {why}: turned down", self.from);
                point.reporter.event(Level::Warn, code, message);
                return Ok(session.reject(request.request, reject)?);
            }
        };
        let stream = match session.accept(request.request, self.now()) {
            Ok(stream) => stream,
            Err(error) => {
                arriving.end(error.to_string());
                return Err(error.into());
            }
        };
        self.publishing.insert(stream, Publishing { arriving, unpacker: Unpacker::default() });
        Ok(())
    }

    /// Whatever way the connection ended, its points are free again.
    fn release(&mut self, error: Option<&ConnectionError>) {
        for (_, publishing) in self.publishing.drain() {
            publishing.arriving.end(error.map_or_else(|| "disconnected".to_owned(), ToString::to_string));
        }
    }
}
