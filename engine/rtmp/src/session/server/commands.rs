//! What a server does with a client's commands.

use flv::amf0::Value;
use media::Time;

use super::event::{ConnectRequest, EndReason, Event, Peer, PublishKind, PublishRequest, RequestId};
use super::{Client, ConnectPolicy, ServerSession, Stream, StreamState};
use crate::enhanced::Capabilities;
use crate::message::{BandwidthLimit, Command, Message, MessageStreamId};
use crate::session::error::{ProtocolFault, SessionError};
use crate::session::names::{AppName, StreamName};
use crate::session::replies::{self, shown};

/// How a client ends a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// What it publishes or plays is over.
    Closed,
    /// The stream itself is: a player wants no answer to that (section 7.2.2.3). librtmp, which reads
    /// one in one thread while it closes in another, closes twice then, and crashes.
    Deleted,
}

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
            "publish" => self.publish(&command, stream),
            "play" => self.play(&command, stream),
            "pause" | "pauseRaw" | "seek" | "receiveAudio" | "receiveVideo" => {
                self.player_command(&command, stream);
                Ok(())
            }
            "deleteStream" => {
                let named = self.named_stream(&command, stream);
                self.end_stream(named, Ending::Deleted, now);
                self.streams.retain(|s| s.id != named);
                Ok(())
            }
            "closeStream" => {
                self.end_stream(stream, Ending::Closed, now);
                Ok(())
            }
            name => {
                // The first word of most farewells, and for some the only one.
                if name == "FCUnpublish"
                    && let Some(published) = command.text(0).and_then(|name| self.published_as(name))
                {
                    self.end_stream(published, Ending::Closed, now);
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
        let encoding = command.object.get("objectEncoding").and_then(Value::as_f64).unwrap_or(0.0);
        let app = AppName::new(text("app").unwrap_or_default());
        let peer = Peer {
            flash_version: text("flashVer"),
            tc_url: text("tcUrl"),
            swf_url: text("swfUrl"),
            capabilities: Capabilities::read(&command.object),
        };
        self.link.acknowledge_from_now();
        self.link.output.tell_window(self.window_ack);
        let limit = BandwidthLimit::Dynamic;
        self.link.output.control(&Message::SetPeerBandwidth { window: self.window_ack, limit });
        self.link.output.set_chunk_size(self.chunk_size);
        let request = ConnectRequest { app: app.clone(), peer: peer.clone() };
        let waits = Some((command.transaction, encoding));
        self.client = Some(Client { app, peer, announced: false, waits });
        match self.policy {
            ConnectPolicy::Ask => {
                self.link.inbox.push(Event::ConnectRequested(Box::new(request)));
                self.link.timers.await_nothing();
            }
            ConnectPolicy::Accept => self.accept_connect(now).expect("it has just asked"),
        }
        Ok(())
    }

    fn create_stream(&mut self, command: &Command) -> Result<(), ProtocolFault> {
        let got = self.streams.len() + 1;
        if got > self.link.limits.message_streams {
            return Err(ProtocolFault::MessageStreams { got, most: self.link.limits.message_streams });
        }
        let free = (1..).map(MessageStreamId).find(|id| self.streams.iter().all(|s| s.id != *id));
        let Some(id) = free else { return Ok(()) };
        self.streams.push(Stream { id, state: StreamState::Idle });
        let answer = replies::result(command.transaction, Value::Null, Value::from(id.0));
        self.link.output.command(MessageStreamId::CONTROL, answer);
        Ok(())
    }

    fn publish(&mut self, command: &Command, id: MessageStreamId) -> Result<(), ProtocolFault> {
        let open = self.streams.len();
        let Some(stream) = self.streams.iter_mut().find(|s| s.id == id) else {
            return Err(ProtocolFault::NoSuchStream { command: "publish", got: id, open });
        };
        if !matches!(stream.state, StreamState::Idle) {
            return Err(ProtocolFault::InUse { command: "publish", stream: id });
        }
        let Some(raw) = command.text(0) else {
            return Err(ProtocolFault::NoStreamName { command: "publish" });
        };
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
        self.link.inbox.push(Event::PublishRequested(Box::new(PublishRequest {
            request,
            stream: id,
            app: client.app.clone(),
            name,
            kind,
            peer: client.peer.clone(),
        })));
        self.link.timers.await_nothing();
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
    fn end_stream(&mut self, id: MessageStreamId, how: Ending, now: Time) {
        let Some(stream) = self.streams.iter_mut().find(|s| s.id == id) else { return };
        match stream.state {
            StreamState::Publishing { .. } => {
                stream.state = StreamState::Idle;
                self.link.inbox.push(Event::PublishEnded { stream: id, reason: EndReason::Unpublished });
                self.status(id, "status", "NetStream.Unpublish.Success", "unpublished".to_owned());
            }
            StreamState::Playing { .. } => {
                stream.state = StreamState::Idle;
                self.link.inbox.push(Event::PlayEnded { stream: id, reason: EndReason::Stopped });
                if how == Ending::Closed {
                    self.status(id, "status", "NetStream.Play.Stop", "stopped".to_owned());
                }
            }
            _ => return,
        }
        self.await_request_if_idle(now);
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
            "releaseStream" | "FCUnpublish" | "FCSubscribe" | "_checkbw" => {
                replies::result(transaction, Value::Null, Value::Undefined)
            }
            "getStreamLength" => replies::result(transaction, Value::Null, Value::Number(0.0)),
            "play2" => {
                let refused = "there is no changing between streams here".to_owned();
                return self.status(stream, "error", "NetStream.Play.Failed", refused);
            }
            "_result" | "_error" | "onStatus" => return,
            name => {
                let unknown = format!("there is no command {}", shown(name));
                replies::error(transaction, "NetConnection.Call.Failed", unknown)
            }
        };
        // Answered where it came, for clients that look there.
        if transaction != 0.0 {
            self.link.output.command(stream, answer);
        }
    }
}
