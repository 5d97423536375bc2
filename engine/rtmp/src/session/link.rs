//! What both sides of a connection have in common: handshake, chunks, the
//! messages that steer them, time, and the two queues.

use bytes::Bytes;
use flv::{FlvMillis, Tag, TagKind};
use media::{Span, Time};

use super::error::SessionError;
use super::inbox::{Inbox, Weight};
use super::output::Output;
use super::round_trip::RoundTrip;
use super::timers::{Due, Timers};
use crate::chunk::{Arrival, ChunkReader};
use crate::handshake::Handshake;
use crate::limits::Limits;
use crate::message::{
    Message, MessageError, MessageFault, MessageStreamId, MessageType, SubMessage, UserControl,
    unpack_aggregate,
};

#[derive(Debug)]
pub(super) struct Link<H, E> {
    pub limits: Limits,
    pub inbox: Inbox<E>,
    pub output: Output,
    pub timers: Timers,
    phase: Phase<H>,
    acknowledges: bool,
    /// The peer was not listened to, and had no chance to be heard since.
    blocked: bool,
    round_trip: RoundTrip,
}

#[derive(Debug)]
enum Phase<H> {
    Handshake(Box<H>),
    Chunks(Box<ChunkReader>),
    Closed,
}

/// A message that is none of the link's business.
#[derive(Debug)]
pub(super) struct Arrived {
    /// The offset of its first chunk in the peer's bytes.
    pub at: u64,
    pub stream: MessageStreamId,
    pub message: Told,
}

#[derive(Debug)]
pub(super) enum Told {
    Command(crate::message::Command),
    UserControl(UserControl),
    Tags(Vec<Tag>),
    Tag(Tag),
    ClearScript,
}

/// What one step of reading brought.
#[derive(Debug)]
pub(super) enum Step {
    /// The handshake is over.
    Opened,
    Arrived(Arrived),
    /// Nothing for the session.
    Nothing,
}

impl<H: Handshake, E: Weight> Link<H, E> {
    pub fn new(handshake: H, limits: Limits, timers: Timers) -> Self {
        Self {
            limits,
            inbox: Inbox::new(),
            output: Output::new(),
            timers,
            phase: Phase::Handshake(Box::new(handshake)),
            acknowledges: false,
            blocked: false,
            round_trip: RoundTrip::default(),
        }
    }

    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    pub fn close(&mut self) {
        self.phase = Phase::Closed;
    }

    /// Whether the queues have room for what more input would bring.
    pub fn has_room(&self) -> bool {
        !self.is_closed() && !self.inbox.is_full(&self.limits) && !self.output.is_full(&self.limits)
    }

    /// From `connect` on, what comes is acknowledged.
    pub fn acknowledge_from_now(&mut self) {
        self.acknowledges = true;
    }

    /// Before input is looked at.
    pub fn begin_input(&mut self, input: &Bytes, now: Time) {
        if !input.is_empty() {
            self.timers.heard(now);
            self.blocked = false;
        }
    }

    /// After it: `wants` says whether the session would take more.
    pub fn end_input(&mut self, wants: bool) {
        self.blocked |= !wants;
        if let Phase::Chunks(reader) = &self.phase
            && self.acknowledges
        {
            self.output.acknowledge(reader.received());
        }
    }

    /// We have answered: from here on the peer can be heard again.
    pub fn answered(&mut self, now: Time) {
        self.timers.heard(now);
        self.blocked = false;
    }

    /// Reads up to the end of the handshake, or of the next message.
    pub fn step(&mut self, input: &mut Bytes, now: Time) -> Result<Step, SessionError> {
        match &mut self.phase {
            Phase::Handshake(handshake) => {
                let clock = FlvMillis::from_time(now).0;
                self.output.raw(|out| handshake.read(input, clock, out))?;
                if handshake.is_done() {
                    let reader = ChunkReader::new(self.limits, handshake.received());
                    self.phase = Phase::Chunks(Box::new(reader));
                    return Ok(Step::Opened);
                }
                Ok(Step::Nothing)
            }
            Phase::Chunks(reader) => match reader.read(input)? {
                Some(arrival) => Ok(self.message(arrival, now)?.map_or(Step::Nothing, Step::Arrived)),
                None => Ok(Step::Nothing),
            },
            Phase::Closed => Ok(Step::Nothing),
        }
    }

    fn message(&mut self, arrival: Arrival, now: Time) -> Result<Option<Arrived>, MessageError> {
        let Arrival { at, csid, message: raw } = arrival;
        let (kind, stream, timestamp) = (raw.kind, raw.stream, raw.timestamp);
        let located = |fault: MessageFault| MessageError { at, csid, kind, fault };
        let message = match Message::decode(&raw).map_err(located)? {
            Message::SetChunkSize(size) => {
                self.with_reader(|reader| reader.set_chunk_size(size));
                return Ok(None);
            }
            Message::Abort(csid) => {
                self.with_reader(|reader| reader.abort(csid));
                return Ok(None);
            }
            Message::WindowAckSize(window) => {
                self.output.set_peer_window(window);
                return Ok(None);
            }
            Message::SetPeerBandwidth { window, .. } => {
                self.output.tell_window(window);
                return Ok(None);
            }
            Message::UserControl(UserControl::PingRequest(number)) => {
                self.output.user_control(UserControl::PingResponse(number));
                return Ok(None);
            }
            Message::UserControl(UserControl::PingResponse(number)) => {
                self.round_trip.answered(number, now);
                return Ok(None);
            }
            Message::UserControl(event) => Told::UserControl(event),
            Message::Command(command) => Told::Command(command),
            Message::ClearScript => Told::ClearScript,
            Message::Audio(body) => return Ok(tag(MessageType::AUDIO, timestamp, body).map(one(at, stream))),
            Message::Video(body) => return Ok(tag(MessageType::VIDEO, timestamp, body).map(one(at, stream))),
            Message::Script(body) => {
                return Ok(tag(MessageType::DATA_AMF0, timestamp, body).map(one(at, stream)));
            }
            Message::Aggregate(payload) => {
                let most = self.limits.aggregate_tags;
                let parts = unpack_aggregate(timestamp, payload, most).map_err(located)?;
                let part = |SubMessage { kind, timestamp, payload }| tag(kind, timestamp, payload);
                Told::Tags(parts.into_iter().filter_map(part).collect())
            }
            Message::Acknowledgement(_) | Message::Other { .. } => return Ok(None),
        };
        Ok(Some(Arrived { at, stream, message }))
    }

    fn with_reader(&mut self, change: impl FnOnce(&mut ChunkReader)) {
        if let Phase::Chunks(reader) = &mut self.phase {
            change(reader);
        }
    }

    /// The size of the peer's chunks, if it has begun to send any.
    pub fn peer_chunk_size(&self) -> Option<crate::chunk::ChunkSize> {
        match &self.phase {
            Phase::Chunks(reader) => Some(reader.chunk_size()),
            _ => None,
        }
    }

    pub fn next_deadline(&self) -> Option<Time> {
        if self.is_closed() { None } else { self.timers.next() }
    }

    fn ping(&mut self, now: Time) {
        let number = FlvMillis::from_time(now).0;
        self.round_trip.asked(number, now);
        self.output.user_control(UserControl::PingRequest(number));
    }

    /// Pings to learn the round trip, where the peer may be pinged and no ping is under way.
    pub fn ask_round_trip(&mut self, now: Time) {
        if !self.is_closed() && self.timers.may_ping() && !self.round_trip.is_asking(now) {
            self.ping(now);
        }
    }

    pub fn round_trip(&self) -> Option<Span> {
        self.round_trip.last()
    }

    /// Pings as is due; `wants` says whether the session takes input.
    pub fn handle_timeout(&mut self, wants: bool, now: Time) -> Result<(), SessionError> {
        if self.is_closed() {
            return Ok(());
        }
        // A peer we do not listen to cannot be heard.
        if self.blocked || !wants {
            self.timers.heard(now);
            self.blocked = !wants;
        }
        while let Some(due) = self.timers.due(now) {
            match due {
                Due::Ping => self.ping(now),
                Due::TimedOut(kind, limit) => return Err(SessionError::TimedOut { kind, limit }),
            }
        }
        Ok(())
    }
}

fn one(at: u64, stream: MessageStreamId) -> impl FnOnce(Tag) -> Arrived {
    move |tag| Arrived { at, stream, message: Told::Tag(tag) }
}

/// Empty ones, which some peers send to keep a stream alive, say nothing.
fn tag(kind: MessageType, timestamp: u32, body: Bytes) -> Option<Tag> {
    if body.is_empty() {
        return None;
    }
    Tag::new(TagKind::from_number(kind.0)?, FlvMillis(timestamp), body).ok()
}
