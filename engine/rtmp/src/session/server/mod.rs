//! The session of a server with a client that publishes or plays.

mod commands;
mod config;
mod event;
mod parting;
mod play;

use bytes::Bytes;
use flv::Tag;
use media::{Span, Time};

use super::error::{SessionError, TimeoutKind, UnknownRequest};
use super::link::{Arrived, Link, Step, Told};
use super::names::{AppName, StreamName};
use super::output::Output;
use super::replies::{self, shown};
use super::timers::{Silence, Timers};
use crate::chunk::ChunkSize;
use crate::enhanced::{Capabilities, Extras};
use crate::handshake::ServerHandshake;
use crate::message::{MessageStreamId, UserControl};
use crate::url::RtmpUrl;

pub use config::{ConnectPolicy, ServerConfig, Timeouts};
pub use event::{
    ConnectRefusal, ConnectRequest, EndReason, Event, MediaKind, Pause, Peer, PlayEnd, PlayKind, PlayRefusal,
    PlayRequest, PlayStart, PublishKind, PublishRequest, Reject, RequestId, Wanted,
};

/// A server's side of one connection, on which a client publishes or plays.
///
/// It does no I/O and has no clock. `now` is any monotonic time, the same
/// timeline in every call. The caller's loop is: hand in what was read, send
/// what [`output`](Self::output) holds, act on what
/// [`poll_event`](Self::poll_event) gives, and call
/// [`handle_timeout`](Self::handle_timeout) at
/// [`next_deadline`](Self::next_deadline).
///
/// **Back-pressure.** [`handle_input`](Self::handle_input) takes bytes off the
/// front of the caller's buffer and leaves there what it does not want yet:
/// while a request is unanswered, while too many events are unread or too many
/// answers unsent ([`Limits`](crate::Limits)). [`wants_input`](Self::wants_input)
/// says so. The caller then keeps the rest, reads nothing from the socket, and
/// hands the rest in again when the answer is given or the queues are emptied.
///
/// **Playing.** After [`accept_play`](Self::accept_play) the caller sends tags
/// with [`send`](Self::send): metadata and stream configurations first, then
/// from a key frame on. Nothing stops it from sending more than the network
/// takes; it must look at [`Output::len`] before and leave out frames while
/// that is too much.
///
/// **The end.** After an error, a rejection or [`handle_close`](Self::handle_close)
/// the session [`is_closed`](Self::is_closed): it takes nothing more, but what
/// is in the output should still be sent and the events still be read; every
/// stream that was accepted has its [`Event::PublishEnded`] or
/// [`Event::PlayEnded`] there.
#[derive(Debug)]
pub struct ServerSession {
    link: Link<ServerHandshake, Event>,
    chunk_size: ChunkSize,
    window_ack: u32,
    capabilities: Capabilities,
    policy: ConnectPolicy,
    timeouts: Timeouts,
    client: Option<Client>,
    streams: Vec<Stream>,
    next_request: u32,
}

/// What `connect` told.
#[derive(Debug)]
struct Client {
    app: AppName,
    peer: Peer,
    /// It sent `FCPublish` and may wait for `onFCPublish`.
    announced: bool,
    /// The answer is due: with which number, and for which object encoding.
    waits: Option<(f64, f64)>,
}

#[derive(Debug)]
struct Stream {
    id: MessageStreamId,
    state: StreamState,
}

#[derive(Debug)]
enum StreamState {
    Idle,
    Requested { request: RequestId, name: StreamName },
    Publishing { name: StreamName },
    PlayRequested { request: RequestId, name: StreamName, reset: Reset },
    Playing { name: StreamName },
}

/// Whether a player wants its playlist emptied before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reset {
    Yes,
    No,
}

impl ServerSession {
    /// A session with a client that has just connected.
    pub fn new(config: ServerConfig, now: Time) -> Self {
        let ServerConfig { random, limits, timeouts, chunk_size, window_ack, capabilities, connect } = config;
        let silence = Silence { ping: timeouts.ping, idle: timeouts.idle };
        let mut timers = Timers::new(Some(silence), now);
        timers.await_within(TimeoutKind::Connect, timeouts.connect, now);
        Self {
            link: Link::new(ServerHandshake::new(random), limits, timers),
            chunk_size,
            window_ack,
            capabilities,
            policy: connect,
            timeouts,
            client: None,
            streams: Vec::new(),
            next_request: 1,
        }
    }

    /// Takes what it wants off the front of `input`; what is left must be
    /// handed in again later (see back-pressure above). A closed session takes
    /// all and looks at nothing.
    ///
    /// Tags may be slices of `input` and keep its memory alive.
    ///
    /// # Errors
    /// On anything outside the protocol or the limits; the session is closed then.
    pub fn handle_input(&mut self, input: &mut Bytes, now: Time) -> Result<(), SessionError> {
        self.link.begin_input(input, now);
        while !input.is_empty() {
            if self.is_closed() {
                input.clear();
            } else if !self.wants_input() {
                break;
            } else if let Err(err) = self.step(input, now) {
                self.close(EndReason::Failed);
                return Err(err);
            }
        }
        self.link.end_input(self.wants_input());
        Ok(())
    }

    /// The connection was closed by the peer or broke: nothing is left to be
    /// read. A write that fails is not that yet. Publishers leave without
    /// waiting for an answer, and their farewell may still be there to be read.
    pub fn handle_close(&mut self) {
        self.close(EndReason::Disconnected);
    }

    /// Whether more input would be looked at; `false` means that an answer to a
    /// request is due, or events or output must be fetched first, or that the
    /// session is closed.
    pub fn wants_input(&self) -> bool {
        let unanswered =
            |s: &Stream| matches!(s.state, StreamState::Requested { .. } | StreamState::PlayRequested { .. });
        self.link.has_room()
            && !self.streams.iter().any(unanswered)
            && self.client.as_ref().is_none_or(|client| client.waits.is_none())
    }

    /// Whether the session is over. The connection can be closed as soon as the
    /// output is sent.
    pub fn is_closed(&self) -> bool {
        self.link.is_closed()
    }

    /// What waits to be sent: hand it to a vectored write and advance it by
    /// what was written, or take slices off it.
    pub fn output(&mut self) -> &mut Output {
        &mut self.link.output
    }

    /// The next slice of what waits to be sent.
    pub fn poll_output(&mut self) -> Option<Bytes> {
        self.link.output.pop()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.link.inbox.pop()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, if
    /// nothing happens before. It may move with every other call.
    pub fn next_deadline(&self) -> Option<Time> {
        self.link.next_deadline()
    }

    /// Pings the client to learn how long the way there and back takes, unless a ping is under way.
    /// Before `connect` is answered nothing is sent. Some clients never answer.
    pub fn ask_round_trip(&mut self, now: Time) {
        self.link.ask_round_trip(now);
    }

    /// How long the last ping that was answered took, there and back, with the time the client
    /// took to answer; `None` before the first answer.
    pub fn round_trip(&self) -> Option<Span> {
        self.link.round_trip()
    }

    /// Pings a silent peer; gives up one that takes too long. Calling it early
    /// or often does no harm.
    ///
    /// # Errors
    /// If the peer took too long; the session is closed then.
    pub fn handle_timeout(&mut self, now: Time) -> Result<(), SessionError> {
        let wants = self.wants_input();
        self.link.handle_timeout(wants, now).inspect_err(|_| self.close(EndReason::TimedOut))
    }

    /// What the client told of itself, once it has.
    pub fn peer(&self) -> Option<&Peer> {
        Some(&self.client.as_ref()?.peer)
    }

    /// Connects the client that asked for it.
    ///
    /// # Errors
    /// If none waits for an answer.
    pub fn accept_connect(&mut self, now: Time) -> Result<(), NotWaiting> {
        let client = self.client.as_mut().ok_or(NotWaiting)?;
        let (transaction, encoding) = client.waits.take().ok_or(NotWaiting)?;
        let confirmed = self.capabilities.confirmed_to(&client.peer.capabilities);
        let answer = replies::connected(transaction, encoding, &confirmed);
        self.link.output.command(MessageStreamId::CONTROL, answer);
        self.link.answered(now);
        self.link.timers.allow_pings();
        self.link.timers.await_within(TimeoutKind::Request, self.timeouts.request, now);
        Ok(())
    }

    /// Turns the client down and closes the session; see [`reject`](Self::reject).
    ///
    /// # Errors
    /// If none waits for an answer.
    pub fn refuse_connect(&mut self, refusal: &ConnectRefusal) -> Result<(), NotWaiting> {
        let client = self.client.as_mut().ok_or(NotWaiting)?;
        let (transaction, _) = client.waits.take().ok_or(NotWaiting)?;
        let code = "NetConnection.Connect.Rejected";
        let answer = match refusal {
            ConnectRefusal::NoSuchApp => {
                let words = format!("there is no application {}", shown(client.app.path()));
                replies::error(transaction, "NetConnection.Connect.InvalidApp", words)
            }
            ConnectRefusal::NotAllowed(words) => replies::error(transaction, code, words.clone()),
            ConnectRefusal::Moved(to) => replies::moved(transaction, to),
        };
        self.link.output.command(MessageStreamId::CONTROL, answer);
        self.close(EndReason::Rejected);
        Ok(())
    }

    /// Lets the client publish; its tags follow as events, with the stream returned here.
    ///
    /// # Errors
    /// If no such request to publish is waiting for an answer.
    pub fn accept(&mut self, request: RequestId, now: Time) -> Result<MessageStreamId, UnknownRequest> {
        let (id, name) = self.answer_publish(request, |name| StreamState::Publishing { name })?;
        self.link.answered(now);
        self.link.timers.await_nothing();
        self.link.output.user_control(UserControl::StreamBegin(id));
        if let Some(client) = &mut self.client
            && std::mem::take(&mut client.announced)
        {
            self.link.output.command(MessageStreamId::CONTROL, replies::on_fc_publish(name.name()));
        }
        let started = format!("{} is published", shown(name.name()));
        self.status(id, "status", "NetStream.Publish.Start", started);
        Ok(id)
    }

    /// Turns the client down and closes the session. The output tells the
    /// client why: send it, shut down the writing side, and read on to the end
    /// for a while. Closing a connection with bytes unread may take back what
    /// was sent last.
    ///
    /// # Errors
    /// If no such request to publish is waiting for an answer.
    pub fn reject(&mut self, request: RequestId, reason: Reject) -> Result<(), UnknownRequest> {
        let (id, name) = self.answer_publish(request, |_| StreamState::Idle)?;
        let refused = format!("{}: {reason}", shown(name.name()));
        self.status(id, "error", "NetStream.Publish.BadName", refused);
        self.close(EndReason::Rejected);
        Ok(())
    }

    /// Asks a client to connect anew, there or here: before a restart, say.
    /// Tells whether it said that it understands (enhanced RTMP); one that does
    /// not is not asked.
    pub fn ask_to_reconnect(&mut self, to: Option<&RtmpUrl>, why: &str) -> Asked {
        let client = self.client.as_ref().filter(|client| client.waits.is_none() && !self.is_closed());
        if !client.is_some_and(|client| client.peer.capabilities.extras.has(Extras::RECONNECT)) {
            return Asked::NotUnderstood;
        }
        let command = replies::reconnect(to.map(RtmpUrl::tc_url).as_deref(), &shown(why));
        self.link.output.command(MessageStreamId::CONTROL, command);
        Asked::Sent
    }

    fn answer_publish(
        &mut self,
        request: RequestId,
        next: impl FnOnce(StreamName) -> StreamState,
    ) -> Result<(MessageStreamId, StreamName), UnknownRequest> {
        for stream in &mut self.streams {
            if let StreamState::Requested { request: own, name } = &stream.state
                && *own == request
            {
                let name = name.clone();
                stream.state = next(name.clone());
                return Ok((stream.id, name));
            }
        }
        Err(UnknownRequest(request))
    }

    fn status(&mut self, stream: MessageStreamId, level: &str, code: &str, description: String) {
        self.link.output.command(stream, replies::status(level, code, description));
    }

    fn close(&mut self, reason: EndReason) {
        self.link.close();
        for Stream { id: stream, state } in self.streams.drain(..) {
            self.link.inbox.push(match state {
                StreamState::Idle => continue,
                StreamState::Requested { request, .. } | StreamState::PlayRequested { request, .. } => {
                    Event::RequestWithdrawn { request }
                }
                StreamState::Publishing { .. } => Event::PublishEnded { stream, reason },
                StreamState::Playing { .. } => Event::PlayEnded { stream, reason },
            });
        }
    }

    fn step(&mut self, input: &mut Bytes, now: Time) -> Result<(), SessionError> {
        let Step::Arrived(Arrived { at, stream, message }) = self.link.step(input, now)? else {
            return Ok(());
        };
        match message {
            Told::Command(command) => self.command(command, stream, at, now)?,
            Told::Tag(tag) => self.tag(stream, tag),
            Told::Tags(tags) => tags.into_iter().for_each(|tag| self.tag(stream, tag)),
            Told::UserControl(UserControl::SetBufferLength { stream, millis }) => {
                if self.plays(stream) {
                    self.link.inbox.push(Event::BufferLength { stream, millis });
                }
            }
            Told::UserControl(_) | Told::ClearScript => {}
        }
        Ok(())
    }

    /// A tag counts only on a stream that was accepted.
    fn tag(&mut self, stream: MessageStreamId, tag: Tag) {
        let accepted = |s: &Stream| s.id == stream && matches!(s.state, StreamState::Publishing { .. });
        if self.streams.iter().any(accepted) {
            self.link.inbox.push(Event::Tag { stream, tag });
        }
    }
}

/// No `connect` waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no `connect` is waiting for an answer")]
pub struct NotWaiting;

/// Whether a client could be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The request is in the output.
    Sent,
    /// The client does not know such requests.
    NotUnderstood,
}
