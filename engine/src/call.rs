//! A call to an RTMP server: a client session on a socket of its own.
//!
//! Egress publishes over it, ingest plays. Whoever calls drives it: fetch
//! [`Call::event`]s until there are none, then wait in [`Call::turn`].

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use media::{Span, Time};
use rtmp::session::{ClientError, Hops, Intent};
use rtmp::{ClientConfig, ClientEvent, ClientSession, RtmpUrl, Scheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::dial::{self, Carrier, Cover, DialError};
use crate::keys;
use crate::secure::Trust;

/// So often in a row a server may send us elsewhere before that counts as a failure.
pub(crate) const MOST_MOVES: u32 = 3;
/// A server that takes nothing for this long, while something waits for it, is gone.
pub(crate) const STALLED: Duration = Duration::from_secs(10);
/// How long the last bytes may take at the end.
const FAREWELL: Duration = Duration::from_secs(2);
const READ_AT_ONCE: usize = 64 << 10;

/// Why a call ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error(transparent)]
    Session(#[from] ClientError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("took nothing for {} s", STALLED.as_secs())]
    Stalled,
    #[error("the server closed the connection")]
    Closed,
    #[error("the server closed the connection without a word: is all of the address right, its key, too?")]
    TurnedAway,
    #[error("the server sends us elsewhere again and again")]
    Moved,
    #[error("the server sends us from rtmps:// to {0}, out of TLS: refused")]
    Downgrade(String),
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// An open connection.
pub(crate) struct Call {
    stream: Box<dyn Carrier>,
    /// What TLS has taken of our bytes may still wait there.
    unflushed: bool,
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
    pub(crate) async fn open(
        url: RtmpUrl,
        intent: Intent,
        hops: Hops,
        trust: &Trust,
    ) -> Result<Self, CallError> {
        let cover = match url.scheme() {
            Scheme::Rtmp => Cover::Clear,
            Scheme::Rtmps => Cover::Tls(trust),
        };
        let stream = dial::dial(url.host(), url.port(), cover).await?;
        let mut random = [0; rtmp::handshake::RANDOM];
        getrandom::fill(&mut random).map_err(CallError::Random)?;
        let config = ClientConfig { hops, ..ClientConfig::new(url, intent, random) };
        let begun = Instant::now();
        Ok(Self {
            stream,
            unflushed: false,
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

    /// How long the last ping took, there and back; and pings anew.
    pub(crate) fn round_trip(&mut self) -> Option<Span> {
        let now = self.now();
        self.session.ask_round_trip(now);
        self.session.round_trip()
    }

    /// What the server has said, one by one; `None` until more has come.
    pub(crate) fn event(&mut self) -> Result<Option<ClientEvent>, CallError> {
        loop {
            if let Some(event) = self.session.poll_event() {
                self.must_stay_covered(&event)?;
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

    /// Who was called inside TLS is not followed out of it: whoever reads on the way there would
    /// get the stream's name and all that is in it.
    fn must_stay_covered(&self, event: &ClientEvent) -> Result<(), CallError> {
        let to = match event {
            ClientEvent::Redirected(redirect) => &redirect.url,
            ClientEvent::ReconnectRequested { url, .. } => url,
            _ => return Ok(()),
        };
        match (self.session.url().scheme(), to.scheme()) {
            (Scheme::Rtmps, Scheme::Rtmp) => Err(CallError::Downgrade(keys::server_shown(to))),
            _ => Ok(()),
        }
    }

    /// Waits until something moves: bytes come or go, a deadline passes, or `other` is done,
    /// whose result it gives.
    pub(crate) async fn turn<T>(&mut self, other: impl Future<Output = T>) -> Result<Option<T>, CallError> {
        let idle = self.session.output().is_empty() && !self.unflushed;
        if idle {
            self.drained = Instant::now();
        } else if self.drained.elapsed() > STALLED {
            return Err(CallError::Stalled);
        }
        let deadline = self.session.next_deadline().map_or(STALLED, |at| (at - self.now()).as_duration());
        let wants_input = self.session.wants_input() && self.unread.is_empty();
        let mut done = None;
        let moved = moved(
            &mut self.stream,
            wants_input.then_some(&mut self.buffer),
            self.session.output(),
            &mut self.unflushed,
        );
        tokio::select! {
            moved = moved => {
                if let Some(sent) = moved.sent.transpose()? {
                    self.sent += sent;
                    self.drained = Instant::now();
                }
                match moved.read.transpose()? {
                    Some(0) => self.session.handle_close(),
                    Some(_) => self.unread = self.buffer.split().freeze(),
                    None => {}
                }
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
            self.stream.flush().await?;
            self.unflushed = false;
            self.stream.shutdown().await?;
            // A socket closed with bytes unread takes back what it sent.
            let mut rest = [0; 4096];
            while matches!(self.stream.read(&mut rest).await, Ok(1..)) {}
            Ok(())
        };
        let done = tokio::time::timeout(FAREWELL, last).await;
        // All was sent, and the server is slow to close: that is its own affair.
        let sent = self.session.output().is_empty() && !self.unflushed;
        done.unwrap_or(if sent { Ok(()) } else { Err(CallError::Stalled) })
    }
}

/// What a connection has moved.
struct Moved {
    read: Option<io::Result<usize>>,
    sent: Option<io::Result<usize>>,
}

/// Waits until bytes come, where they are wanted, or go. Loses none when it is dropped.
async fn moved(
    stream: &mut Box<dyn Carrier>,
    mut buffer: Option<&mut BytesMut>,
    output: &mut impl Buf,
    unflushed: &mut bool,
) -> Moved {
    if let Some(buffer) = &mut buffer {
        buffer.reserve(READ_AT_ONCE);
    }
    poll_fn(|cx| {
        let mut sent = None;
        if output.has_remaining() {
            if let Poll::Ready(result) = pin!(stream.write_buf(output)).poll(cx) {
                *unflushed = true;
                sent = Some(result);
            }
        } else if *unflushed && let Poll::Ready(result) = pin!(stream.flush()).poll(cx) {
            *unflushed = false;
            sent = Some(result.map(|()| 0));
        }
        let read = buffer.as_mut().map(|buffer| pin!(stream.read_buf(*buffer)).poll(cx));
        let read = read.and_then(|poll| match poll {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        });
        if read.is_none() && sent.is_none() { Poll::Pending } else { Poll::Ready(Moved { read, sent }) }
    })
    .await
}

#[cfg(test)]
mod tests {
    use rtmp::session::{ConnectPolicy, ConnectRefusal};
    use rtmp::{Event, ServerConfig, ServerSession};
    use tokio::net::TcpListener;

    use super::*;
    use crate::secure;
    use crate::secure::papers::{Papers, Valid};

    /// A server that sends whoever publishes to `there`.
    async fn send_on(mut stream: Box<dyn Carrier>, there: RtmpUrl) {
        let config =
            ServerConfig { connect: ConnectPolicy::Ask, ..ServerConfig::new([7; rtmp::handshake::RANDOM]) };
        let mut session = ServerSession::new(config, Time::ZERO);
        let mut buffer = BytesMut::new();
        while let Ok(1..) = stream.read_buf(&mut buffer).await {
            let mut unread = buffer.split().freeze();
            while !unread.is_empty() {
                session.handle_input(&mut unread, Time::ZERO).unwrap();
                while let Some(event) = session.poll_event() {
                    if let Event::ConnectRequested(_) = event {
                        let moved = ConnectRefusal::Moved(Box::new(there.clone()));
                        session.refuse_connect(&moved).unwrap();
                    }
                }
            }
            while let Some(bytes) = session.poll_output() {
                stream.write_all(&bytes).await.unwrap();
            }
            stream.flush().await.unwrap();
        }
    }

    /// Where one is sent on to from a server by this scheme.
    fn sent_from(scheme: &str, there: &str) -> Result<String, String> {
        let papers = Papers::new();
        let (cert, key) = papers.server("127.0.0.1", Valid::Now);
        let trust = Trust::file(&papers.ca()).unwrap();
        let acceptor = secure::acceptor(&cert, &key).unwrap();
        let there: RtmpUrl = there.parse().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("{scheme}://{}/live/SECRET", listener.local_addr().unwrap()).parse().unwrap();
            let is_secure = scheme == "rtmps";
            let server = tokio::spawn(async move {
                let (stream, _) = listener.accept().await.unwrap();
                let stream: Box<dyn Carrier> = if is_secure {
                    Box::new(acceptor.accept(stream).await.unwrap())
                } else {
                    Box::new(stream)
                };
                send_on(stream, there).await;
            });
            let sent = async {
                let mut call = Call::open(url, Intent::Publish, Hops::default(), &trust).await?;
                loop {
                    while let Some(event) = call.event()? {
                        if let ClientEvent::Redirected(to) = event {
                            return Ok(keys::server_shown(&to.url));
                        }
                    }
                    call.turn(std::future::pending::<()>()).await?;
                }
            };
            let sent: Result<String, CallError> = sent.await;
            server.abort();
            sent.map_err(|error| error.to_string())
        })
    }

    #[test]
    fn one_is_sent_into_tls_and_never_out_of_it() {
        assert_eq!(sent_from("rtmp", "rtmps://cdn.example/live/x").unwrap(), "rtmps://cdn.example:443");
        assert_eq!(sent_from("rtmp", "rtmp://cdn.example/live/x").unwrap(), "rtmp://cdn.example:1935");
        assert_eq!(sent_from("rtmps", "rtmps://[::1]:7/live/x").unwrap(), "rtmps://[::1]:7");
        let refused = sent_from("rtmps", "rtmp://cdn.example/live/SECRET").unwrap_err();
        assert_eq!(
            refused,
            "the server sends us from rtmps:// to rtmp://cdn.example:1935, out of TLS: refused"
        );
    }
}
