//! A client and a server, connected in memory.

use bytes::{Buf, Bytes, BytesMut};
use flv::{FlvMillis, Tag, TagKind};
use media::Time;
use rtmp::session::{ClientError, Intent, PlayKind, SessionError};
use rtmp::{ClientConfig, ClientEvent, ClientSession, Event, RtmpUrl, ServerConfig, ServerSession};

pub fn url(text: &str) -> RtmpUrl {
    text.parse().unwrap()
}

pub fn client_config(intent: Intent) -> ClientConfig {
    ClientConfig::new(url("rtmp://h/live/main?key=secret"), intent, [0x3C; 1528])
}

pub fn tag(kind: TagKind, timestamp: u32, body: impl Into<Bytes>) -> Tag {
    Tag::new(kind, FlvMillis(timestamp), body.into()).unwrap()
}

/// Both ends of a connection; what is on its way lies between them.
pub struct Pair {
    pub client: ClientSession,
    pub server: ServerSession,
    pub to_server: BytesMut,
    pub to_client: BytesMut,
    pub heard: Vec<ClientEvent>,
    pub seen: Vec<Event>,
    pub now: Time,
}

#[derive(Debug, PartialEq)]
pub enum Fault {
    Client(ClientError),
    Server(SessionError),
}

impl Pair {
    pub fn new(client: ClientConfig, server: ServerConfig) -> Self {
        Self {
            client: ClientSession::new(client, Time::ZERO),
            server: ServerSession::new(server, Time::ZERO),
            to_server: BytesMut::new(),
            to_client: BytesMut::new(),
            heard: Vec::new(),
            seen: Vec::new(),
            now: Time::ZERO,
        }
    }

    /// Moves at most so many bytes each way; says whether anything moved.
    pub fn step(&mut self, to_server: usize, to_client: usize) -> Result<bool, Fault> {
        let mut moved = false;
        let out = self.client.output();
        moved |= !out.is_empty();
        self.to_server.extend_from_slice(&out.copy_to_bytes(out.len()));
        while let Some(slice) = self.server.poll_output() {
            moved = true;
            self.to_client.extend_from_slice(&slice);
        }
        for (wire, most) in [(&mut self.to_server, to_server), (&mut self.to_client, to_client)] {
            moved |= !wire.is_empty() && most > 0;
        }
        let mut input = self.to_server.split_to(to_server.min(self.to_server.len())).freeze();
        let served = self.server.handle_input(&mut input, self.now);
        self.to_server = BytesMut::from(&[&input[..], &self.to_server].concat()[..]);
        let mut input = self.to_client.split_to(to_client.min(self.to_client.len())).freeze();
        let answered = self.client.handle_input(&mut input, self.now);
        self.to_client = BytesMut::from(&[&input[..], &self.to_client].concat()[..]);
        let before = self.seen.len() + self.heard.len();
        self.seen.extend(std::iter::from_fn(|| self.server.poll_event()));
        self.heard.extend(std::iter::from_fn(|| self.client.poll_event()));
        moved |= self.seen.len() + self.heard.len() > before;
        answered.map_err(Fault::Client)?;
        served.map_err(Fault::Server)?;
        Ok(moved)
    }

    /// Until nothing moves any more, or a request waits.
    pub fn run(&mut self) -> Result<(), Fault> {
        loop {
            let stuck = !self.server.wants_input() && !self.server.is_closed();
            let moved = self.step(usize::MAX, usize::MAX)?;
            let waits = !self.server.wants_input() && self.client.output().is_empty();
            if !moved || stuck || waits && self.to_client.is_empty() && self.server.output().is_empty() {
                return Ok(());
            }
        }
    }

    /// Answers the request that waits, with leave.
    pub fn allow(&mut self) {
        match self.seen.last().expect("a request") {
            Event::PublishRequested(request) => {
                let request = request.request;
                self.server.accept(request, self.now).unwrap();
            }
            Event::PlayRequested(request) => {
                let request = request.request;
                self.server.accept_play(request, PlayKind::Live, self.now).unwrap();
            }
            other => panic!("no request but {other:?}"),
        }
    }

    /// Up to the start, with all that passed until then forgotten.
    pub fn started(intent: Intent) -> Self {
        let mut pair = Self::new(client_config(intent), crate::client::config());
        pair.run().unwrap();
        pair.allow();
        pair.run().unwrap();
        assert!(pair.heard.contains(&ClientEvent::Started), "{:?}", pair.heard);
        pair.heard.clear();
        pair.seen.clear();
        pair
    }

    pub fn received(&self) -> Vec<Tag> {
        let published = self.seen.iter().filter_map(|event| match event {
            Event::Tag { tag, .. } => Some(tag.clone()),
            _ => None,
        });
        let played = self.heard.iter().filter_map(|event| match event {
            ClientEvent::Tag(tag) => Some(tag.clone()),
            _ => None,
        });
        published.chain(played).collect()
    }
}
