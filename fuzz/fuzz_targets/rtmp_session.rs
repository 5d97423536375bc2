//! A client's bytes, and a server that is slow, quick or out of order, through a session:
//! no panic, no bound broken, and every stream that was accepted ends once.
//!
//! Input: flags (1 a handshake is put in front, 2 the usual limits in place of narrow ones,
//! 4 the caller decides on `connect`), how the bytes are cut, six steps (see [`Step`]) that are repeated, and the bytes.
#![no_main]

use std::collections::BTreeSet;

use bytes::Bytes;
use flv::{FlvMillis, Tag, TagKind};
use harness::{heap, pieces};
use libfuzzer_sys::fuzz_target;
use media::{Span, Time};
use rtmp::message::MessageStreamId;
use rtmp::session::{ConnectPolicy, ConnectRefusal, PlayEnd, PlayKind, PlayRefusal, Reject, SessionError};
use rtmp::{Event, Limits, ServerConfig, ServerSession};

const NARROW: Limits = Limits {
    chunk_streams: 4,
    media_message: 5000,
    command_message: 500,
    in_flight: 8000,
    message_streams: 2,
    aggregate_tags: 8,
    queued_events: 16,
    queued_bytes: 20_000,
    queued_output: 8_000,
};

fuzz_target!(|data: &[u8]| {
    let Some((&[flags, how, ref steps @ ..], sent)) = data.split_first_chunk::<8>() else { return };
    let steps: &[u8; 6] = steps;
    let narrow = flags & 2 == 0;
    let limits = if narrow { NARROW } else { Limits::default() };
    let connect = if flags & 4 == 0 { ConnectPolicy::Accept } else { ConnectPolicy::Ask };
    heap::bounded((2 << 20) + 64 * sent.len(), || {
        let mut show = Show::new(limits, connect);
        let greeting = if flags & 1 == 0 { &[][..] } else { &GREETING };
        for piece in pieces(greeting, 0) {
            show.feed(piece, Step(QUICK));
        }
        for (piece, step) in pieces(sent, how).zip(steps.iter().cycle()) {
            show.feed(piece, Step(*step));
            if show.over {
                break;
            }
        }
        show.end();
    });
    // With a caller that is quick, it does not matter how the bytes are cut.
    let quick = |how| {
        let mut show = Show::new(limits, connect);
        pieces(&GREETING, 0).chain(pieces(sent, how)).for_each(|piece| show.feed(piece, Step(QUICK)));
        show.end();
        show.told
    };
    assert_eq!(quick(0), quick(how.max(1)));
});

const GREETING: [u8; 1 + 2 * 1536] = {
    let mut bytes = [0; 1 + 2 * 1536];
    bytes[0] = 3;
    bytes
};

/// What the caller does behind a piece. 1: reads events. 2: fetches output. 4 and 8: its
/// answer to a request (0 accepts, 1 refuses, of publishers the second, 2 accepts twice, 3
/// leaves it). 16 and 32: time goes by (0, 1 ms, 5 s, 40 s). 64: what is played ends, and what is
/// published yields. 128: the client is dismissed. Both: the connection breaks.
#[derive(Clone, Copy)]
struct Step(u8);

/// Reads, fetches and accepts.
const QUICK: u8 = 3;

fn sound() -> Tag {
    Tag::new(TagKind::Audio, FlvMillis(40), Bytes::from_static(&[0xaf, 1, 0x21])).unwrap()
}

struct Show {
    session: ServerSession,
    limits: Limits,
    now: Time,
    waiting: Bytes,
    open: BTreeSet<u32>,
    played: BTreeSet<u32>,
    /// Published until they had to yield; their tags may still be unread.
    yielded: BTreeSet<u32>,
    requests: u32,
    told: Vec<Event>,
    over: bool,
}

impl Show {
    fn new(limits: Limits, connect: ConnectPolicy) -> Self {
        let config = ServerConfig { limits, connect, ..ServerConfig::new([7; rtmp::handshake::RANDOM]) };
        Self {
            session: ServerSession::new(config, Time::ZERO),
            limits,
            now: Time::ZERO,
            waiting: Bytes::new(),
            open: BTreeSet::new(),
            played: BTreeSet::new(),
            yielded: BTreeSet::new(),
            requests: 0,
            told: Vec::new(),
            over: false,
        }
    }

    fn feed(&mut self, piece: Bytes, step: Step) {
        self.waiting =
            if self.waiting.is_empty() { piece } else { [&self.waiting[..], &piece].concat().into() };
        // Once a piece: there would always be output to fetch, and events that nobody reads keep
        // what waits from being taken.
        for stream in &self.played {
            if self.session.output().len() < 1000 {
                let _ = self.session.send(MessageStreamId(*stream), &sound());
            }
        }
        loop {
            let before = self.waiting.len();
            let result = self.session.handle_input(&mut self.waiting, self.now);
            self.result(result);
            assert!(self.waiting.is_empty() || !self.session.wants_input());
            let moved = self.attend(step);
            if !moved && self.waiting.len() == before || self.waiting.is_empty() {
                break;
            }
        }
        let span = [0, 1, 5_000, 40_000][usize::from(step.0 >> 4 & 3)];
        if span > 0 {
            self.now += Span::from_millis(span);
            let result = self.session.handle_timeout(self.now);
            self.result(result);
        }
        match step.0 & 192 {
            64 => {
                for stream in std::mem::take(&mut self.played) {
                    // It may be over, and the event still unread.
                    let _ = self.session.end_play(MessageStreamId(stream), PlayEnd::Complete, self.now);
                    assert!(self.session.send(MessageStreamId(stream), &sound()).is_err());
                }
                for stream in self.open.clone() {
                    // As above, and then its end is still to be read.
                    if self.session.end_publish(MessageStreamId(stream), "yield", self.now).is_ok() {
                        self.open.remove(&stream);
                        self.yielded.insert(stream);
                    }
                }
            }
            128 => self.session.dismiss("no more"),
            192 => self.session.handle_close(),
            _ => {}
        }
        assert_eq!(self.session.next_deadline().is_none(), self.session.is_closed());
        assert!(!(self.session.is_closed() && self.session.wants_input()));
    }

    fn result(&mut self, result: Result<(), SessionError>) {
        if let Err(err) = result {
            assert!(self.session.is_closed());
            assert!(!err.to_string().is_empty());
        }
    }

    /// Whether anything was there to be read or fetched, or was answered.
    fn attend(&mut self, step: Step) -> bool {
        let (mut events, mut held, mut output) = (0, 0, 0);
        while step.0 & 1 != 0
            && let Some(event) = self.session.poll_event()
        {
            events += 1;
            if let Event::Tag { tag, .. } = &event {
                held += tag.body().len();
            }
            self.event(event, step);
        }
        while step.0 & 2 != 0
            && let Some(bytes) = self.session.poll_output()
        {
            assert!(!bytes.is_empty());
            output += bytes.len();
        }
        // Each queue may go beyond its limit by what one message brings.
        let Limits { queued_events, aggregate_tags, message_streams, .. } = self.limits;
        assert!(events <= queued_events + aggregate_tags + message_streams + 2, "{events} events");
        assert!(
            held <= self.limits.queued_bytes + self.limits.media_message as usize,
            "{held} bytes in events"
        );
        let answer = 5000 + 4 * self.limits.command_message as usize;
        assert!(output <= self.limits.queued_output + answer, "{output} bytes of output");
        events + output > 0
    }

    fn event(&mut self, event: Event, step: Step) {
        match &event {
            Event::PublishRequested(request) => {
                self.requests += 1;
                let closed = self.session.is_closed();
                let id = request.request;
                match step.0 >> 2 & 3 {
                    1 if self.requests > 1 => {
                        assert_eq!(self.session.reject(id, Reject::NameTaken).is_err(), closed);
                        assert!(self.session.is_closed());
                    }
                    3 => {}
                    answer => {
                        let accepted = self.session.accept(id, self.now);
                        assert_eq!(accepted.is_err(), closed);
                        if let Ok(MessageStreamId(stream)) = accepted {
                            assert!(self.open.insert(stream), "stream {stream} was accepted before");
                        }
                        if answer == 2 {
                            assert!(self.session.accept(id, self.now).is_err());
                        }
                    }
                }
            }
            Event::ConnectRequested(_) => {
                let closed = self.session.is_closed();
                let answered = match step.0 >> 2 & 3 {
                    1 => self.session.refuse_connect(&ConnectRefusal::NoSuchApp),
                    3 => Ok(()),
                    _ => self.session.accept_connect(self.now),
                };
                assert!(answered.is_ok() || closed);
                if step.0 >> 2 & 3 == 2 {
                    assert!(self.session.accept_connect(self.now).is_err());
                }
            }
            Event::PlayRequested(request) => {
                let closed = self.session.is_closed();
                let id = request.request;
                match step.0 >> 2 & 3 {
                    1 => {
                        let refused = self.session.refuse_play(id, PlayRefusal::NotFound, self.now);
                        assert_eq!(refused.is_err(), closed);
                    }
                    3 => {}
                    answer => {
                        let accepted = self.session.accept_play(id, PlayKind::Live, self.now);
                        assert_eq!(accepted.is_err(), closed);
                        if let Ok(MessageStreamId(stream)) = accepted {
                            assert!(self.played.insert(stream), "stream {stream} was accepted before");
                        }
                        if answer == 2 {
                            assert!(self.session.accept(id, self.now).is_err());
                        }
                    }
                }
            }
            // The caller may have ended it before it read this.
            Event::PlayEnded { stream, .. } => {
                self.played.remove(&stream.0);
            }
            Event::Tag { stream, .. } => {
                let known = self.open.contains(&stream.0) || self.yielded.contains(&stream.0);
                assert!(known, "a tag of stream {stream}");
            }
            Event::PublishEnded { stream, .. } => {
                assert!(self.open.remove(&stream.0), "stream {stream} was not open");
            }
            Event::RequestWithdrawn { .. } | Event::BufferLength { .. } => {}
            Event::Pause { .. } | Event::Wants { .. } => {}
        }

        self.told.push(event);
    }

    /// The connection breaks; what is left is read.
    fn end(&mut self) {
        self.session.handle_close();
        assert!(self.session.is_closed());
        self.attend(Step(QUICK));
        assert!(self.open.is_empty(), "streams without an end: {:?}", self.open);
        assert!(self.played.is_empty(), "plays without an end: {:?}", self.played);
        let mut more = Bytes::from_static(b"more");
        assert_eq!(self.session.handle_input(&mut more, self.now), Ok(()));
        assert!(more.is_empty() && self.session.poll_event().is_none());
    }
}
