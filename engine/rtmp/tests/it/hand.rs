//! A server held by the hand, for what ours does not say.

use bytes::{Bytes, BytesMut};
use flv::amf0::Value;
use media::Time;
use rtmp::chunk::{ChunkReader, ChunkWriter, Csid};
use rtmp::message::{Command, Message, MessageStreamId};
use rtmp::session::{ClientError, Intent};
use rtmp::{ClientConfig, ClientEvent, ClientSession, Limits};

use crate::client::CONNECTION;

/// A server by hand: what it says goes to a client, what that says is read.
pub struct Server {
    pub client: ClientSession,
    pub writer: ChunkWriter,
    reader: ChunkReader,
    out: BytesMut,
    pub said: Vec<(MessageStreamId, Message)>,
}

impl Server {
    /// With the handshake over and `connect` read.
    pub fn new(config: ClientConfig) -> Self {
        let mut client = ClientSession::new(config, Time::ZERO);
        let hello = client.poll_output().unwrap();
        assert_eq!(hello.len(), 1537);
        let mut input = Bytes::from([&[3][..], &[1; 1536], &hello[1..]].concat());
        client.handle_input(&mut input, Time::ZERO).unwrap();
        let mut server = Self {
            client,
            writer: ChunkWriter::new(),
            reader: ChunkReader::new(Limits::default(), 0),
            out: BytesMut::new(),
            said: Vec::new(),
        };
        let c2 = std::iter::from_fn(|| server.client.poll_output()).collect::<Vec<_>>().concat();
        assert_eq!(c2[..1536], [1; 1536]);
        server.read(c2[1536..].to_vec().into());
        assert!(matches!(&server.said[..], [(CONNECTION, Message::Command(c))] if c.name == "connect"));
        server
    }

    fn read(&mut self, mut bytes: Bytes) {
        while let Some(arrival) = self.reader.read(&mut bytes).unwrap() {
            let message = Message::decode(&arrival.message).unwrap();
            if let Message::SetChunkSize(size) = message {
                self.reader.set_chunk_size(size);
            }
            self.said.push((arrival.message.stream, message));
        }
    }

    pub fn send(&mut self, stream: MessageStreamId, message: &Message) -> Result<(), ClientError> {
        let raw = message.encode(stream, 0).unwrap();
        self.writer.write(Csid::COMMAND, &raw, &mut self.out).unwrap();
        let mut input = self.out.split().freeze();
        let result = self.client.handle_input(&mut input, Time::ZERO);
        while let Some(bytes) = self.client.poll_output() {
            self.read(bytes);
        }
        result
    }

    pub fn command(&mut self, name: &str, transaction: f64, args: Vec<Value>) -> Result<(), ClientError> {
        let command = Command { name: name.into(), transaction, object: Value::Null, args };
        self.send(CONNECTION, &Message::Command(command))
    }

    pub fn status(&mut self, level: &str, code: &str) -> Result<(), ClientError> {
        self.command("onStatus", 0.0, vec![info(level, code)])
    }

    pub fn running(config: ClientConfig) -> Self {
        let intent = config.intent;
        let mut server = Self::new(config);
        server.command("_result", 1.0, vec![]).unwrap();
        server.command("_result", 4.0, vec![1.0.into()]).unwrap();
        let start = match intent {
            Intent::Publish => "NetStream.Publish.Start",
            Intent::Play => "NetStream.Play.Start",
        };
        server.status("status", start).unwrap();
        let last = server.events().pop();
        assert_eq!(last, Some(ClientEvent::Started));
        server
    }

    pub fn events(&mut self) -> Vec<ClientEvent> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    pub fn commands(&self) -> Vec<&str> {
        self.said
            .iter()
            .filter_map(|(_, m)| match m {
                Message::Command(c) => Some(c.name.as_str()),
                _ => None,
            })
            .collect()
    }
}

pub fn info(level: &str, code: &str) -> Value {
    Value::object([("level", level), ("code", code), ("description", "d")].map(|(n, v)| (n, Value::from(v))))
}
