//! What a server does with a client's commands.

use flv::amf0::Value;
use media::Time;

use super::error::{ProtocolFault, SessionError};
use super::event::{EndReason, Event, Peer, PublishKind, PublishRequest, RequestId};
use super::names::{AppName, StreamName};
use super::replies::{self, shown};
use super::server::{Client, ServerSession, Stream, StreamState};
use super::timers::Awaits;
use crate::message::{BandwidthLimit, Command, Message, MessageStreamId};

/// How many FourCC codes of a client are looked at.
const MAX_FOUR_CCS: usize = 64;

impl ServerSession {
    pub(super) fn command(
        &mut self,
        command: Command,
        stream: MessageStreamId,
        at: u64,
        now: Time,
    ) -> Result<(), SessionError> {
        let done = match command.name.as_str() {
            "connect" => self.connect(&command, now),
            name if self.client.is_none() => Err(ProtocolFault::NotConnected { name: shown(name) }),
            "createStream" => self.create_stream(&command),
            "publish" => self.publish(&command, stream, now),
            "deleteStream" => {
                let named = self.named_stream(&command, stream);
                self.end_stream(named, now);
                self.streams.retain(|s| s.id != named);
                Ok(())
            }
            "closeStream" => {
                self.end_stream(stream, now);
                Ok(())
            }
            name => {
                // The first word of most farewells, and for some the only one.
                if name == "FCUnpublish"
                    && let Some(published) = command.text(0).and_then(|name| self.published_as(name))
                {
                    self.end_stream(published, now);
                }
                self.courtesy(name, &command, stream);
                Ok(())
            }
        };
        done.map_err(|fault| SessionError::Protocol { at, fault })
    }

    fn connect(&mut self, command: &Command, now: Time) -> Result<(), ProtocolFault> {
        if self.client.is_some() {
            return Err(ProtocolFault::ConnectedAlready);
        }
        let text = |name| command.object.get(name).and_then(Value::as_str).map(str::to_owned);
        let four_ccs = match command.object.get("fourCcList") {
            Some(Value::StrictArray(list)) => {
                list.iter().filter_map(Value::as_str).take(MAX_FOUR_CCS).collect()
            }
            _ => Vec::new(),
        };
        let known = |code: &[u8; 4]| four_ccs.iter().any(|&own| own == "*" || own.as_bytes() == code);
        let confirmed = self.four_ccs.iter().filter(|&code| known(code));
        let confirmed = confirmed.map(|code| Value::from(&*String::from_utf8_lossy(code))).collect();
        let encoding = command.object.get("objectEncoding").and_then(Value::as_f64).unwrap_or(0.0);

        self.outbox.tell_window(self.window_ack);
        let limit = BandwidthLimit::Dynamic;
        self.outbox.control(&Message::SetPeerBandwidth { window: self.window_ack, limit });
        self.outbox.set_chunk_size(self.chunk_size);
        let answer = replies::connected(command.transaction, encoding, confirmed);
        self.outbox.command(MessageStreamId::CONTROL, answer);

        self.client = Some(Client {
            app: AppName::new(text("app").unwrap_or_default()),
            peer: Peer {
                flash_version: text("flashVer"),
                tc_url: text("tcUrl"),
                swf_url: text("swfUrl"),
                four_ccs: four_ccs.into_iter().map(str::to_owned).collect(),
            },
            announced: false,
        });
        self.timers.await_now(Awaits::Publish, now);
        Ok(())
    }

    fn create_stream(&mut self, command: &Command) -> Result<(), ProtocolFault> {
        let got = self.streams.len() + 1;
        if got > self.limits.message_streams {
            return Err(ProtocolFault::MessageStreams { got, most: self.limits.message_streams });
        }
        let free = (1..).map(MessageStreamId).find(|id| self.streams.iter().all(|s| s.id != *id));
        let Some(id) = free else { return Ok(()) };
        self.streams.push(Stream { id, state: StreamState::Idle });
        let answer = replies::result(command.transaction, Value::Null, Value::from(id.0));
        self.outbox.command(MessageStreamId::CONTROL, answer);
        Ok(())
    }

    fn publish(&mut self, command: &Command, id: MessageStreamId, now: Time) -> Result<(), ProtocolFault> {
        let open = self.streams.len();
        let Some(stream) = self.streams.iter_mut().find(|s| s.id == id) else {
            return Err(ProtocolFault::NoSuchStream { got: id, open });
        };
        if !matches!(stream.state, StreamState::Idle) {
            return Err(ProtocolFault::PublishesAlready { stream: id });
        }
        let Some(raw) = command.text(0) else { return Err(ProtocolFault::NoStreamName) };
        let kind = match command.text(1) {
            Some("record") => PublishKind::Record,
            Some("append") => PublishKind::Append,
            _ => PublishKind::Live,
        };
        let Some(client) = &self.client else { return Ok(()) };
        let request = RequestId(self.next_request);
        self.next_request = self.next_request.wrapping_add(1);
        let name = StreamName::new(raw);
        stream.state = StreamState::Requested { request, name: name.clone() };
        self.inbox.push(Event::PublishRequested(Box::new(PublishRequest {
            request,
            stream: id,
            app: client.app.clone(),
            name,
            kind,
            peer: client.peer.clone(),
        })));
        self.timers.await_now(Awaits::Nothing, now);
        Ok(())
    }

    /// The stream a `deleteStream` means: it is named by its number, by
    /// GStreamer by what is published there, else it is the one it came on.
    fn named_stream(&self, command: &Command, came_on: MessageStreamId) -> MessageStreamId {
        if let Some(number) = command.number(0) {
            return MessageStreamId(number as u32);
        }
        command.text(0).and_then(|name| self.published_as(name)).unwrap_or(came_on)
    }

    fn published_as(&self, raw: &str) -> Option<MessageStreamId> {
        let publishes = |s: &&Stream| match &s.state {
            StreamState::Publishing { name } => name.raw() == raw,
            _ => false,
        };
        self.streams.iter().find(publishes).map(|s| s.id)
    }

    /// The stream stays, what it published ends.
    fn end_stream(&mut self, id: MessageStreamId, now: Time) {
        let Some(stream) = self.streams.iter_mut().find(|s| s.id == id) else { return };
        if !matches!(stream.state, StreamState::Publishing { .. }) {
            return;
        }
        stream.state = StreamState::Idle;
        self.inbox.push(Event::PublishEnded { stream: id, reason: EndReason::Unpublished });
        let status = replies::status("status", "NetStream.Unpublish.Success", "unpublished".to_owned());
        self.outbox.command(id, status);
        if !self.streams.iter().any(|s| matches!(s.state, StreamState::Publishing { .. })) {
            self.timers.await_now(Awaits::Publish, now);
        }
    }

    /// Commands that only want an answer. A transaction of 0 wants none.
    fn courtesy(&mut self, name: &str, command: &Command, stream: MessageStreamId) {
        let Command { transaction, .. } = *command;
        let answer = match name {
            "FCPublish" => {
                if let Some(client) = &mut self.client {
                    client.announced = true;
                }
                replies::result(transaction, Value::Null, Value::Undefined)
            }
            "releaseStream" | "FCUnpublish" | "_checkbw" => {
                replies::result(transaction, Value::Null, Value::Undefined)
            }
            "getStreamLength" => replies::result(transaction, Value::Null, Value::Number(0.0)),
            "play" | "play2" => {
                let refused = "this server takes streams and plays none".to_owned();
                self.outbox.command(stream, replies::status("error", "NetStream.Play.Failed", refused));
                return;
            }
            "_result" | "_error" | "onStatus" => return,
            name => {
                let unknown = format!("there is no command {}", shown(name));
                replies::error(transaction, "NetConnection.Call.Failed", unknown)
            }
        };
        if transaction != 0.0 {
            self.outbox.command(stream, answer);
        }
    }
}
