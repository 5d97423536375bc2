//! A small publishing client, and a session held by the hand.

use bytes::{Bytes, BytesMut};
use flv::amf0::Value;
use media::Time;
use rtmp::chunk::{ChunkReader, ChunkSize, ChunkWriter, Csid};
use rtmp::message::{Command, Message, MessageStreamId};
use rtmp::session::{PublishRequest, SessionError};
use rtmp::{Event, Limits, ServerConfig, ServerSession};

pub const STREAM: MessageStreamId = MessageStreamId(1);
pub const CONNECTION: MessageStreamId = MessageStreamId::CONTROL;

pub fn csid(number: u32) -> Csid {
    Csid::new(number).unwrap()
}

pub fn config() -> ServerConfig {
    ServerConfig::new([0x5A; 1528])
}

/// Writes what a publisher sends.
pub struct Client {
    writer: ChunkWriter,
    pub bytes: BytesMut,
}

impl Client {
    /// With C0, C1 and C2 written.
    pub fn new() -> Self {
        let mut bytes = BytesMut::new();
        bytes.extend_from_slice(&[3]);
        bytes.extend_from_slice(&[1; 1536]);
        bytes.extend_from_slice(&[2; 1536]);
        Self { writer: ChunkWriter::new(), bytes }
    }

    pub fn send(&mut self, on: u32, stream: MessageStreamId, timestamp: u32, message: &Message) {
        let raw = message.encode(stream, timestamp).unwrap();
        self.writer.write(csid(on), &raw, &mut self.bytes).unwrap();
    }

    pub fn set_chunk_size(&mut self, size: u32) {
        let size = ChunkSize::new(size).unwrap();
        self.send(2, CONNECTION, 0, &Message::SetChunkSize(size));
        self.writer.set_chunk_size(size);
    }

    pub fn command(&mut self, stream: MessageStreamId, name: &str, transaction: f64, args: Vec<Value>) {
        self.command_with(stream, name, transaction, Value::Null, args);
    }

    pub fn command_with(
        &mut self,
        stream: MessageStreamId,
        name: &str,
        transaction: f64,
        object: Value,
        args: Vec<Value>,
    ) {
        let command = Command { name: name.into(), transaction, object, args };
        self.send(3, stream, 0, &Message::Command(command));
    }

    pub fn connect(&mut self, app: &str) {
        let object = Value::object([("app", Value::from(app)), ("tcUrl", Value::from("rtmp://h/live"))]);
        self.command_with(CONNECTION, "connect", 1.0, object, vec![]);
    }

    pub fn create_stream(&mut self) {
        self.command(CONNECTION, "createStream", 4.0, vec![]);
    }

    pub fn publish(&mut self, stream: MessageStreamId, name: &str) {
        self.command(stream, "publish", 5.0, vec![Value::from(name), Value::from("live")]);
    }

    /// All up to the publish request.
    pub fn begin(&mut self) {
        self.connect("live");
        self.create_stream();
        self.publish(STREAM, "main");
    }

    pub fn video(&mut self, timestamp: u32, body: impl Into<Bytes>) {
        self.send(6, STREAM, timestamp, &Message::Video(body.into()));
    }

    pub fn audio(&mut self, timestamp: u32, body: impl Into<Bytes>) {
        self.send(4, STREAM, timestamp, &Message::Audio(body.into()));
    }
}

/// A session, its client, and what has passed between them.
pub struct Harness {
    pub session: ServerSession,
    pub client: Client,
    pub waiting: Bytes,
    pub events: Vec<Event>,
    pub output: Vec<u8>,
    pub now: Time,
}

impl Harness {
    pub fn new() -> Self {
        Self::with(config())
    }

    pub fn limited(limits: Limits) -> Self {
        Self::with(ServerConfig { limits, ..config() })
    }

    pub fn with(config: ServerConfig) -> Self {
        Self {
            session: ServerSession::new(config, Time::ZERO),
            client: Client::new(),
            waiting: Bytes::new(),
            events: Vec::new(),
            output: Vec::new(),
            now: Time::ZERO,
        }
    }

    /// Hands over what the client has written, and fetches nothing.
    pub fn deliver(&mut self) -> Result<(), SessionError> {
        self.waiting = [self.waiting.split_off(0), self.client.bytes.split().freeze()].concat().into();
        self.session.handle_input(&mut self.waiting, self.now)
    }

    /// Hands over what the client has written until nothing moves any more,
    /// and fetches what comes of it.
    pub fn pump(&mut self) -> Result<(), SessionError> {
        loop {
            let result = self.deliver();
            let fetched = self.fetch();
            if result.is_err() || fetched == 0 {
                return result;
            }
        }
    }

    pub fn fetch(&mut self) -> usize {
        let before = (self.events.len(), self.output.len());
        while let Some(event) = self.session.poll_event() {
            self.events.push(event);
        }
        while let Some(bytes) = self.session.poll_output() {
            self.output.extend_from_slice(&bytes);
        }
        self.events.len() - before.0 + self.output.len() - before.1
    }

    /// Up to an accepted stream, with all that passed until then forgotten.
    pub fn publishing(mut self) -> Self {
        self.client.begin();
        self.pump().unwrap();
        let request = self.request().request;
        assert_eq!(self.session.accept(request, self.now), Ok(STREAM));
        self.fetch();
        self.events.clear();
        self
    }

    pub fn request(&self) -> PublishRequest {
        match self.events.last() {
            Some(Event::PublishRequested(request)) => (**request).clone(),
            other => panic!("no publish request but {other:?}"),
        }
    }

    /// What the server has said since the handshake.
    pub fn replies(&self) -> Vec<(MessageStreamId, Message)> {
        let mut bytes = Bytes::copy_from_slice(&self.output[3073..]);
        let mut reader = ChunkReader::new(Limits::default(), 0);
        let mut said = Vec::new();
        while let Some(arrival) = reader.read(&mut bytes).unwrap() {
            let message = Message::decode(&arrival.message).unwrap();
            if let Message::SetChunkSize(size) = message {
                reader.set_chunk_size(size);
            }
            said.push((arrival.message.stream, message));
        }
        said
    }

    /// The commands among the replies.
    pub fn answers(&self) -> Vec<Command> {
        let command = |(_, message)| match message {
            Message::Command(command) => Some(command),
            _ => None,
        };
        self.replies().into_iter().filter_map(command).collect()
    }

    /// The tags among the events: kind, timestamp, body.
    pub fn tags(&self) -> Vec<(flv::TagKind, u32, Bytes)> {
        let tag = |event: &Event| match event {
            Event::Tag { tag, .. } => Some((tag.kind, tag.timestamp.0, tag.body().clone())),
            _ => None,
        };
        self.events.iter().filter_map(tag).collect()
    }
}

/// A property of a command's last value: of the information object.
pub fn info(command: &Command, name: &str) -> Value {
    command.args.last().and_then(|info| info.get(name)).cloned().unwrap_or(Value::Undefined)
}
