//! The session of a server with a client that publishes.

use bytes::Bytes;
use flv::{FlvMillis, Tag, TagKind};
use media::Time;

use super::config::ServerConfig;
use super::error::{SessionError, UnknownRequest};
use super::event::{EndReason, Event, Peer, Reject, RequestId};
use super::inbox::Inbox;
use super::names::{AppName, StreamName};
use super::outbox::Outbox;
use super::replies::{self, shown};
use super::timers::{Awaits, Due, Timers};
use crate::chunk::{Arrival, ChunkReader, ChunkSize};
use crate::handshake::ServerHandshake;
use crate::limits::Limits;
use crate::message::{
    Message, MessageError, MessageFault, MessageStreamId, SubMessage, UserControl, unpack_aggregate,
};

/// A server's side of one connection on which a client publishes.
///
/// It does no I/O and has no clock. `now` is any monotonic time, the same
/// timeline in every call. The caller's loop is: hand in what was read, send
/// what [`poll_output`](Self::poll_output) gives, act on what
/// [`poll_event`](Self::poll_event) gives, and call
/// [`handle_timeout`](Self::handle_timeout) at
/// [`next_deadline`](Self::next_deadline).
///
/// **Back-pressure.** [`handle_input`](Self::handle_input) takes bytes off the
/// front of the caller's buffer and leaves there what it does not want yet:
/// while a publish request is unanswered, while too many events are unread or
/// too much output is unfetched ([`Limits`]). [`wants_input`](Self::wants_input)
/// says so. The caller then keeps the rest, reads nothing from the socket, and
/// hands the rest in again when the answer is given or the queues are emptied.
///
/// **The end.** After an error, a rejection or [`handle_close`](Self::handle_close)
/// the session [`is_closed`](Self::is_closed): it takes nothing more, but what
/// is in the output should still be sent and the events still be read; every
/// stream that was accepted has its [`Event::PublishEnded`] there.
#[derive(Debug)]
pub struct ServerSession {
    pub(super) limits: Limits,
    pub(super) chunk_size: ChunkSize,
    pub(super) window_ack: u32,
    pub(super) four_ccs: Vec<[u8; 4]>,
    phase: Phase,
    pub(super) client: Option<Client>,
    pub(super) streams: Vec<Stream>,
    pub(super) next_request: u32,
    pub(super) inbox: Inbox,
    pub(super) outbox: Outbox,
    pub(super) timers: Timers,
    /// Input is wanted again, and the peer had no chance to be heard since.
    resumed: bool,
}

#[derive(Debug)]
enum Phase {
    Handshake(Box<ServerHandshake>),
    Chunks(Box<ChunkReader>),
    Closed,
}

/// What `connect` told.
#[derive(Debug)]
pub(super) struct Client {
    pub app: AppName,
    pub peer: Peer,
    /// It sent `FCPublish` and may wait for `onFCPublish`.
    pub announced: bool,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub id: MessageStreamId,
    pub state: StreamState,
}

#[derive(Debug)]
pub(super) enum StreamState {
    Idle,
    Requested { request: RequestId, name: StreamName },
    Publishing { name: StreamName },
}

impl ServerSession {
    /// A session with a client that has just connected.
    pub fn new(config: ServerConfig, now: Time) -> Self {
        let ServerConfig { random, limits, timeouts, chunk_size, window_ack, four_ccs } = config;
        Self {
            limits,
            chunk_size,
            window_ack,
            four_ccs,
            phase: Phase::Handshake(Box::new(ServerHandshake::new(random))),
            client: None,
            streams: Vec::new(),
            next_request: 1,
            inbox: Inbox::default(),
            outbox: Outbox::new(),
            timers: Timers::new(timeouts, now),
            resumed: false,
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
        if !input.is_empty() {
            self.timers.heard(now);
            self.resumed = false;
        }
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
        if let Phase::Chunks(reader) = &self.phase
            && self.client.is_some()
        {
            self.outbox.acknowledge(reader.received());
        }
        Ok(())
    }

    /// The connection was closed by the peer or broke: nothing is left to be
    /// read. A write that fails is not that yet. Publishers leave without
    /// waiting for an answer, and their farewell may still be there to be read.
    pub fn handle_close(&mut self) {
        self.close(EndReason::Disconnected);
    }

    /// Whether more input would be looked at; `false` means that an answer to a
    /// publish request is due, or events or output must be fetched first, or
    /// that the session is closed.
    pub fn wants_input(&self) -> bool {
        let unanswered = |s: &Stream| matches!(s.state, StreamState::Requested { .. });
        !self.is_closed()
            && !self.inbox.is_full(&self.limits)
            && !self.outbox.is_full(&self.limits)
            && !self.streams.iter().any(unanswered)
    }

    /// Whether the session is over. The connection can be closed as soon as the
    /// output is sent.
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// The next bytes for the peer.
    pub fn poll_output(&mut self) -> Option<Bytes> {
        self.unblocking(|session| session.outbox.take())
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.unblocking(|session| session.inbox.pop())
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, if
    /// nothing happens before. It may move with every other call.
    pub fn next_deadline(&self) -> Option<Time> {
        (!self.is_closed()).then(|| self.timers.next())
    }

    /// Pings a silent peer; gives up one that takes too long. Calling it early
    /// or often does no harm.
    ///
    /// # Errors
    /// If the peer took too long; the session is closed then.
    pub fn handle_timeout(&mut self, now: Time) -> Result<(), SessionError> {
        if self.is_closed() {
            return Ok(());
        }
        // A peer we do not listen to cannot be heard.
        if self.resumed || !self.wants_input() {
            self.timers.heard(now);
            self.resumed = false;
        }
        while let Some(due) = self.timers.due(now) {
            match due {
                Due::Ping => {
                    self.outbox.user_control(UserControl::PingRequest(FlvMillis::from_time(now).0));
                }
                Due::TimedOut(kind, limit) => {
                    self.close(EndReason::TimedOut);
                    return Err(SessionError::TimedOut { kind, limit });
                }
            }
        }
        Ok(())
    }

    /// Lets the client publish; its tags follow as events, with the stream returned here.
    ///
    /// # Errors
    /// If no such request is waiting for an answer.
    pub fn accept(&mut self, request: RequestId, now: Time) -> Result<MessageStreamId, UnknownRequest> {
        let (id, name) = self.answer(request, |name| StreamState::Publishing { name })?;
        self.timers.heard(now);
        self.timers.await_now(Awaits::Nothing, now);
        self.outbox.user_control(UserControl::StreamBegin(id));
        if let Some(client) = &mut self.client
            && std::mem::take(&mut client.announced)
        {
            self.outbox.command(MessageStreamId::CONTROL, replies::on_fc_publish(name.name()));
        }
        let started = format!("{} is published", shown(name.name()));
        self.outbox.command(id, replies::status("status", "NetStream.Publish.Start", started));
        Ok(id)
    }

    /// Turns the client down and closes the session. The output tells the
    /// client why: send it, shut down the writing side, and read on to the end
    /// for a while. Closing a connection with bytes unread may take back what
    /// was sent last.
    ///
    /// # Errors
    /// If no such request is waiting for an answer.
    pub fn reject(&mut self, request: RequestId, reason: Reject) -> Result<(), UnknownRequest> {
        let (id, name) = self.answer(request, |_| StreamState::Idle)?;
        let refused = format!("{}: {reason}", shown(name.name()));
        self.outbox.command(id, replies::status("error", "NetStream.Publish.BadName", refused));
        self.close(EndReason::Rejected);
        Ok(())
    }

    fn answer(
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

    /// Notes if fetching something makes input wanted again.
    fn unblocking<T>(&mut self, fetch: impl FnOnce(&mut Self) -> T) -> T {
        let wanted = self.wants_input();
        let fetched = fetch(self);
        self.resumed |= !wanted && self.wants_input();
        fetched
    }

    fn close(&mut self, reason: EndReason) {
        self.phase = Phase::Closed;
        for Stream { id: stream, state } in self.streams.drain(..) {
            match state {
                StreamState::Idle => {}
                StreamState::Requested { request, .. } => {
                    self.inbox.push(Event::RequestWithdrawn { request })
                }
                StreamState::Publishing { .. } => self.inbox.push(Event::PublishEnded { stream, reason }),
            }
        }
    }

    fn step(&mut self, input: &mut Bytes, now: Time) -> Result<(), SessionError> {
        match &mut self.phase {
            Phase::Handshake(handshake) => {
                handshake.read(input, FlvMillis::from_time(now).0, &mut self.outbox.bytes)?;
                if handshake.is_done() {
                    let reader = ChunkReader::new(self.limits, handshake.received());
                    self.phase = Phase::Chunks(Box::new(reader));
                }
                Ok(())
            }
            Phase::Chunks(reader) => match reader.read(input)? {
                Some(arrival) => self.message(arrival, now),
                None => Ok(()),
            },
            Phase::Closed => Ok(()),
        }
    }

    fn message(&mut self, arrival: Arrival, now: Time) -> Result<(), SessionError> {
        let Arrival { at, csid, message: raw } = arrival;
        let (kind, stream, timestamp) = (raw.kind, raw.stream, raw.timestamp);
        let located = |fault: MessageFault| MessageError { at, csid, kind, fault };
        match Message::decode(&raw).map_err(located)? {
            Message::SetChunkSize(size) => self.with_reader(|reader| reader.set_chunk_size(size)),
            Message::Abort(csid) => self.with_reader(|reader| reader.abort(csid)),
            Message::WindowAckSize(window) => self.outbox.set_peer_window(window),
            Message::SetPeerBandwidth { window, .. } => self.outbox.tell_window(window),
            Message::UserControl(UserControl::PingRequest(number)) => {
                self.outbox.user_control(UserControl::PingResponse(number));
            }
            Message::Command(command) => self.command(command, stream, at, now)?,
            Message::Audio(body) => self.tag(TagKind::Audio, stream, timestamp, body),
            Message::Video(body) => self.tag(TagKind::Video, stream, timestamp, body),
            Message::Script(body) => self.tag(TagKind::Script, stream, timestamp, body),
            Message::Aggregate(payload) => {
                let tags =
                    unpack_aggregate(timestamp, payload, self.limits.aggregate_tags).map_err(located)?;
                for SubMessage { kind, timestamp, payload } in tags {
                    if let Some(kind) = TagKind::from_number(kind.0) {
                        self.tag(kind, stream, timestamp, payload);
                    }
                }
            }
            Message::Acknowledgement(_)
            | Message::UserControl(_)
            | Message::ClearScript
            | Message::Other { .. } => {}
        }
        Ok(())
    }

    fn with_reader(&mut self, change: impl FnOnce(&mut ChunkReader)) {
        if let Phase::Chunks(reader) = &mut self.phase {
            change(reader);
        }
    }

    /// A tag counts only on a stream that was accepted. Empty ones, which some
    /// encoders send to keep a stream alive, say nothing.
    fn tag(&mut self, kind: TagKind, stream: MessageStreamId, timestamp: u32, body: Bytes) {
        let accepted = |s: &Stream| s.id == stream && matches!(s.state, StreamState::Publishing { .. });
        if body.is_empty() || !self.streams.iter().any(accepted) {
            return;
        }
        if let Ok(tag) = Tag::new(kind, FlvMillis(timestamp), body) {
            self.inbox.push(Event::Tag { stream, tag });
        }
    }
}
