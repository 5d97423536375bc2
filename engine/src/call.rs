//! A call to an RTMP server: a client session on a socket of its own.
//!
//! Egress publishes over it, ingest plays. Whoever calls drives it: fetch
//! [`Call::event`]s until there are none, then wait in [`Call::turn`].

use std::future::Future;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use media::{Span, Time};
use rtmp::session::{ClientError, Hops, Intent};
use rtmp::{ClientConfig, ClientEvent, ClientSession, RtmpUrl};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// So often in a row a server may send us elsewhere before that counts as a failure.
pub(crate) const MOST_MOVES: u32 = 3;
/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(5);
/// A server that takes nothing for this long, while something waits for it, is gone.
const STALLED: Duration = Duration::from_secs(10);
/// How long the last bytes may take at the end.
const FAREWELL: Duration = Duration::from_secs(2);
const READ_AT_ONCE: usize = 64 << 10;

/// Why a call ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    #[error("no connection within {} s", CONNECTING.as_secs())]
    ConnectSlow,
    #[error(transparent)]
    Session(#[from] ClientError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("took nothing for {} s", STALLED.as_secs())]
    Stalled,
    #[error("the server closed the connection")]
    Closed,
    #[error("the server sends us elsewhere again and again")]
    Moved,
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// An open connection.
pub(crate) struct Call {
    stream: TcpStream,
    session: ClientSession,
    begun: Instant,
    buffer: BytesMut,
    unread: Bytes,
    /// Told once all events from before it are fetched.
    failed: Option<ClientError>,
    /// When the server last took something, or nothing waited for it.
    drained: Instant,
    /// Bytes that the socket took since this was last asked.
    sent: usize,
}

impl Call {
    /// Connects to the URL's server.
    pub(crate) async fn open(url: RtmpUrl, intent: Intent, hops: Hops) -> Result<Self, CallError> {
        let to = (url.host().to_owned(), url.port());
        let stream = tokio::time::timeout(CONNECTING, TcpStream::connect(to)).await;
        let stream = stream.map_err(|_| CallError::ConnectSlow)?.map_err(CallError::Connect)?;
        // What we write is whole messages: no gathering.
        stream.set_nodelay(true)?;
        let mut random = [0; rtmp::handshake::RANDOM];
        getrandom::fill(&mut random).map_err(CallError::Random)?;
        let config = ClientConfig { hops, ..ClientConfig::new(url, intent, random) };
        let begun = Instant::now();
        Ok(Self {
            stream,
            session: ClientSession::new(config, Time::ZERO),
            begun,
            buffer: BytesMut::new(),
            unread: Bytes::new(),
            failed: None,
            drained: begun,
            sent: 0,
        })
    }

    pub(crate) fn session(&mut self) -> &mut ClientSession {
        &mut self.session
    }

    /// Bytes that have gone out since this was last asked.
    pub(crate) fn take_sent(&mut self) -> usize {
        std::mem::take(&mut self.sent)
    }

    fn now(&self) -> Time {
        Time::ZERO + Span::from_duration(self.begun.elapsed())
    }

    /// What the server has said, one by one; `None` until more has come.
    pub(crate) fn event(&mut self) -> Result<Option<ClientEvent>, CallError> {
        loop {
            if let Some(event) = self.session.poll_event() {
                return Ok(Some(event));
            }
            if let Some(error) = self.failed.take() {
                return Err(error.into());
            }
            if self.session.is_closed() {
                return Err(CallError::Closed);
            }
            let left = self.unread.len();
            let now = self.now();
            self.failed = self.session.handle_input(&mut self.unread, now).err();
            if self.unread.len() == left && self.failed.is_none() {
                return Ok(None);
            }
        }
    }

    /// Waits until something moves: bytes come or go, a deadline passes, or `other` is done,
    /// whose result it gives.
    pub(crate) async fn turn<T>(&mut self, other: impl Future<Output = T>) -> Result<Option<T>, CallError> {
        if self.session.output().is_empty() {
            self.drained = Instant::now();
        } else if self.drained.elapsed() > STALLED {
            return Err(CallError::Stalled);
        }
        let deadline = self.session.next_deadline().map_or(STALLED, |at| (at - self.now()).as_duration());
        let wants_input = self.session.wants_input() && self.unread.is_empty();
        let mut done = None;
        self.buffer.reserve(READ_AT_ONCE);
        let (mut from, mut to) = self.stream.split();
        let waiting = self.session.output();
        tokio::select! {
            read = from.read_buf(&mut self.buffer), if wants_input => match read? {
                0 => self.session.handle_close(),
                _ => self.unread = self.buffer.split().freeze(),
            },
            written = to.write_buf(waiting), if !waiting.is_empty() => {
                self.sent += written?;
                self.drained = Instant::now();
            }
            result = other => done = Some(result),
            () = tokio::time::sleep(deadline.min(STALLED)) => self.session.handle_timeout(self.now())?,
        }
        Ok(done)
    }

    /// Says farewell once all that waits is sent. Fails if not all of it was.
    pub(crate) async fn farewell(&mut self) -> Result<(), CallError> {
        self.session.finish();
        let last = async {
            while !self.session.output().is_empty() {
                self.sent += self.stream.write_buf(self.session.output()).await?;
            }
            self.stream.shutdown().await?;
            // A socket closed with bytes unread takes back what it sent.
            let mut rest = [0; 4096];
            while matches!(self.stream.read(&mut rest).await, Ok(1..)) {}
            Ok(())
        };
        let done = tokio::time::timeout(FAREWELL, last).await;
        // All was sent, and the server is slow to close: that is its own affair.
        let sent = self.session.output().is_empty();
        done.unwrap_or(if sent { Ok(()) } else { Err(CallError::Stalled) })
    }
}
