//! The session of a client that publishes or plays one stream.

mod commands;
mod config;
mod event;
mod sign_in;

use bytes::Bytes;
use flv::{FlvMillis, Tag, TagKind};
use media::{Span, Time};

use super::error::{NotStarted, TimeoutKind};
use super::link::{Arrived, Link, Step, Told};
use super::output::{Output, Scripts};
use super::timers::{Silence, Timers};
use crate::handshake::ClientHandshake;
use crate::message::{MessageStreamId, UserControl};
use crate::url::RtmpUrl;

pub use config::{ClientConfig, ClientTimeouts, Hops, Intent};
pub use event::{ClientEnd, ClientError, ClientEvent, Redirect, Refusal, ServerInfo, Stage, Status};

/// A client's side of one connection, on which it publishes or plays one stream.
///
/// It is driven like a [`ServerSession`](super::ServerSession): hand in what was
/// read, send what [`output`](Self::output) holds, act on what
/// [`poll_event`](Self::poll_event) gives, and keep the deadlines. There is
/// output from the start.
///
/// **Publishing.** After [`ClientEvent::Started`] tags go in with
/// [`send`](Self::send): metadata, which is wrapped as servers want it, stream
/// configurations, then from a key frame on. Nothing stops the caller from
/// sending more than the network takes; it must look at [`Output::len`] before
/// and leave out frames while that is too much. [`finish`](Self::finish) says
/// farewell.
///
/// **Back-pressure and the end** are as there.
#[derive(Debug)]
pub struct ClientSession {
    link: Link<ClientHandshake, ClientEvent>,
    config: Settings,
    state: State,
    /// `_checkbw` was sent.
    checked: bool,
    /// What is played is a recording.
    recorded: bool,
}

/// As AMF0, the names of data that servers send of their own.
const SERVERS_OWN: [&[u8]; 3] =
    [b"\x02\x00\x11|RtmpSampleAccess", b"\x02\x00\x0conPlayStatus", b"\x02\x00\x08onStatus"];

/// What of the configuration is needed after the start.
#[derive(Debug)]
struct Settings {
    url: RtmpUrl,
    intent: Intent,
    start_within: Span,
    chunk_size: crate::chunk::ChunkSize,
    window_ack: u32,
    flash_version: String,
    capabilities: crate::enhanced::Capabilities,
    buffer: Span,
    hops: Hops,
    /// Our challenge, where a server wants us to sign in.
    nonce: [u8; 4],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Creating,
    Starting(MessageStreamId),
    Running(MessageStreamId),
    /// What is played has ended, and may begin anew.
    Pausing(MessageStreamId),
}

impl State {
    fn stage(self) -> Stage {
        match self {
            Self::Connecting => Stage::Connect,
            Self::Creating => Stage::CreateStream,
            Self::Starting(_) => Stage::Start,
            Self::Running(_) | Self::Pausing(_) => Stage::Running,
        }
    }

    fn stream(self) -> Option<MessageStreamId> {
        match self {
            Self::Connecting | Self::Creating => None,
            Self::Starting(id) | Self::Running(id) | Self::Pausing(id) => Some(id),
        }
    }
}

impl ClientSession {
    /// A session on a connection that was just made to the URL's host and port.
    pub fn new(config: ClientConfig, now: Time) -> Self {
        let ClientConfig { random, opening, limits, timeouts, .. } = config;
        let silence = match config.intent {
            Intent::Publish => None,
            Intent::Play => Some(Silence { ping: timeouts.ping, idle: timeouts.idle }),
        };
        let mut timers = Timers::new(silence, now);
        timers.await_within(TimeoutKind::Connected, timeouts.connect, now);
        let mut hello = bytes::BytesMut::new();
        let handshake = ClientHandshake::new(random, opening, FlvMillis::from_time(now).0, &mut hello);
        let mut link = Link::new(handshake, limits, timers);
        link.output.raw(|out| out.unsplit(hello));
        Self {
            link,
            config: Settings {
                url: config.url,
                intent: config.intent,
                start_within: timeouts.start,
                chunk_size: config.chunk_size,
                window_ack: config.window_ack,
                flash_version: config.flash_version,
                capabilities: config.capabilities,
                buffer: config.buffer,
                hops: config.hops,
                nonce: [random[0], random[1], random[2], random[3]],
            },
            state: State::Connecting,
            checked: false,
            recorded: false,
        }
    }

    /// Takes what it wants off the front of `input`; what is left must be
    /// handed in again later. A closed session takes all and looks at nothing.
    ///
    /// Tags may be slices of `input` and keep its memory alive.
    ///
    /// # Errors
    /// If the server refuses us, or on anything outside the protocol or the
    /// limits; the session is closed then.
    pub fn handle_input(&mut self, input: &mut Bytes, now: Time) -> Result<(), ClientError> {
        self.link.begin_input(input, now);
        while !input.is_empty() {
            if self.is_closed() {
                input.clear();
            } else if !self.wants_input() {
                break;
            } else if let Err(err) = self.step(input, now) {
                self.link.close();
                return Err(err);
            }
        }
        self.link.end_input(self.wants_input());
        Ok(())
    }

    /// The connection was closed by the server or broke: nothing is left to be read.
    pub fn handle_close(&mut self) {
        if !self.is_closed() {
            self.link.close();
            self.link.inbox.push(ClientEvent::Ended(ClientEnd::Disconnected));
        }
    }

    /// Whether more input would be looked at; `false` means that events or
    /// output must be fetched first, or that the session is closed.
    pub fn wants_input(&self) -> bool {
        self.link.has_room()
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
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.link.inbox.pop()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, if
    /// nothing happens before. It may move with every other call.
    pub fn next_deadline(&self) -> Option<Time> {
        self.link.next_deadline()
    }

    /// Pings the server to learn how long the way there and back takes, unless a ping is under way.
    /// Before the server has answered `connect` nothing is sent. Some servers never answer.
    pub fn ask_round_trip(&mut self, now: Time) {
        self.link.ask_round_trip(now);
    }

    /// How long the last ping that was answered took, there and back, with the time the server
    /// took to answer; `None` before the first answer.
    pub fn round_trip(&self) -> Option<Span> {
        self.link.round_trip()
    }

    /// Pings a silent server; gives up one that takes too long. Calling it
    /// early or often does no harm.
    ///
    /// # Errors
    /// If the server took too long; the session is closed then.
    pub fn handle_timeout(&mut self, now: Time) -> Result<(), ClientError> {
        let wants = self.wants_input();
        self.link.handle_timeout(wants, now).map_err(|err| {
            self.link.close();
            err.into()
        })
    }

    /// Where the session is connected to.
    pub fn url(&self) -> &RtmpUrl {
        &self.config.url
    }

    /// Publishes a tag. Its body is shared, not copied, except for metadata.
    ///
    /// # Errors
    /// Before [`ClientEvent::Started`], after the end, and to a session that plays.
    pub fn send(&mut self, tag: &Tag) -> Result<(), NotStarted> {
        match self.state {
            State::Running(stream) if self.config.intent == Intent::Publish && !self.is_closed() => {
                self.link.output.tag(stream, tag, Scripts::Wrapped);
                Ok(())
            }
            state => Err(NotStarted(state.stream().unwrap_or(MessageStreamId::CONTROL))),
        }
    }

    /// Ends the session with the farewell a server expects. What is in the
    /// output should still be sent; then shut down the writing side and read on
    /// to the end for a while.
    pub fn finish(&mut self) {
        if !self.is_closed() {
            self.farewell();
            self.link.close();
        }
    }

    fn step(&mut self, input: &mut Bytes, now: Time) -> Result<(), ClientError> {
        match self.link.step(input, now)? {
            Step::Opened => {
                self.link.acknowledge_from_now();
                self.connect();
                Ok(())
            }
            Step::Nothing => Ok(()),
            Step::Arrived(Arrived { at, stream, message }) => match message {
                Told::Command(command) => self.command(&command, at, now),
                Told::Tag(tag) => {
                    self.tag(stream, tag);
                    Ok(())
                }
                Told::Tags(tags) => {
                    tags.into_iter().for_each(|tag| self.tag(stream, tag));
                    Ok(())
                }
                Told::UserControl(UserControl::StreamIsRecorded(id)) => {
                    self.recorded |= self.state.stream() == Some(id);
                    Ok(())
                }
                Told::UserControl(UserControl::StreamEof(id)) => {
                    if self.state.stream() == Some(id) {
                        let live = ClientEnd::Unpublished;
                        self.ended(if self.recorded { ClientEnd::Complete } else { live });
                    }
                    Ok(())
                }
                Told::UserControl(_) | Told::ClearScript => Ok(()),
            },
        }
    }

    fn tag(&mut self, stream: MessageStreamId, tag: Tag) {
        // FFmpeg as a server sends on stream 0; there is but one it can mean.
        let ours = self.state.stream().is_some_and(|id| id == stream || stream == MessageStreamId::CONTROL);
        if self.config.intent == Intent::Publish || !ours {
            return;
        }
        // Some servers send tags before they say that they will. What they say
        // themselves comes as data too, and is none of the stream's.
        if tag.kind != TagKind::Script {
            self.started();
        } else if SERVERS_OWN.iter().any(|own| tag.body().starts_with(own)) {
            return;
        }
        self.link.inbox.push(ClientEvent::Tag(tag));
    }

    fn started(&mut self) {
        if let State::Starting(id) | State::Pausing(id) = self.state {
            self.state = State::Running(id);
            self.link.timers.await_nothing();
            self.link.inbox.push(ClientEvent::Started);
        }
    }

    fn ended(&mut self, end: ClientEnd) {
        if self.config.intent == Intent::Play
            && let State::Running(id) = self.state
        {
            self.state = State::Pausing(id);
            self.link.inbox.push(ClientEvent::Ended(end));
        }
    }
}
