//! A server's bytes through a client session that publishes or plays: no panic, no bound
//! broken, tags are taken between start and end only, and the same however it is cut.
//!
//! Input: flags (1 a handshake is put in front, 2 the usual limits in place of narrow ones,
//! 4 plays), how the bytes are cut, six steps (see [`Step`]) that are repeated, and the bytes.
#![no_main]

use bytes::Bytes;
use flv::{FlvMillis, Tag, TagKind};
use harness::{heap, pieces};
use libfuzzer_sys::fuzz_target;
use media::{Span, Time};
use rtmp::session::{ClientError, Intent};
use rtmp::{ClientConfig, ClientEvent, ClientSession, Limits, RtmpUrl};

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

const GREETING: [u8; 1 + 2 * 1536] = {
    let mut bytes = [0; 1 + 2 * 1536];
    bytes[0] = 3;
    bytes
};

fuzz_target!(|data: &[u8]| {
    let Some((&[flags, how, ref steps @ ..], sent)) = data.split_first_chunk::<8>() else { return };
    let steps: &[u8; 6] = steps;
    let limits = if flags & 2 == 0 { NARROW } else { Limits::default() };
    let intent = if flags & 4 == 0 { Intent::Publish } else { Intent::Play };
    heap::bounded((2 << 20) + 64 * sent.len(), || {
        let mut show = Show::new(limits, intent);
        if flags & 1 != 0 {
            show.feed(Bytes::from_static(&GREETING), Step(QUICK));
        }
        for (piece, step) in pieces(sent, how).zip(steps.iter().cycle()) {
            show.feed(piece, Step(*step));
        }
        show.end();
    });
    // With a caller that is quick, it does not matter how the bytes are cut.
    let quick = |how| {
        let mut show = Show::new(limits, intent);
        show.feed(Bytes::from_static(&GREETING), Step(QUICK));
        pieces(sent, how).for_each(|piece| show.feed(piece, Step(QUICK)));
        show.end();
        (show.told, show.failed)
    };
    assert_eq!(quick(0), quick(how.max(1)));
});

/// What the caller does behind a piece. 1: reads events. 2: fetches output. 4: sends a tag.
/// 16 and 32: time goes by (0, 1 ms, 5 s, 40 s). 64: farewell. 128: the connection breaks.
#[derive(Clone, Copy)]
struct Step(u8);

/// Reads and fetches.
const QUICK: u8 = 3;

struct Show {
    session: ClientSession,
    limits: Limits,
    intent: Intent,
    now: Time,
    waiting: Bytes,
    told: Vec<ClientEvent>,
    failed: Option<ClientError>,
}

impl Show {
    fn new(limits: Limits, intent: Intent) -> Self {
        let url: RtmpUrl = "rtmp://host/live/main?key=secret".parse().unwrap();
        let config = ClientConfig { limits, ..ClientConfig::new(url, intent, [7; rtmp::handshake::RANDOM]) };
        Self {
            session: ClientSession::new(config, Time::ZERO),
            limits,
            intent,
            now: Time::ZERO,
            waiting: Bytes::new(),
            told: Vec::new(),
            failed: None,
        }
    }

    fn feed(&mut self, piece: Bytes, step: Step) {
        self.waiting = [&self.waiting[..], &piece].concat().into();
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
        if step.0 & 64 != 0 {
            self.session.finish();
        }
        if step.0 & 128 != 0 {
            self.session.handle_close();
        }
        assert!(!(self.session.is_closed() && self.session.wants_input()));
        if step.0 & 4 != 0 && self.session.output().len() < 1000 {
            let tag = Tag::new(TagKind::Audio, FlvMillis(40), Bytes::from_static(&[0xaf, 1, 0x21])).unwrap();
            let sent = self.session.send(&tag);
            assert!(sent.is_err() || self.intent == Intent::Publish && !self.session.is_closed());
        }
    }

    fn result(&mut self, result: Result<(), ClientError>) {
        if let Err(err) = result {
            assert!(self.session.is_closed() && self.failed.is_none());
            assert!(!err.to_string().contains("secret"), "{err}");
            self.failed = Some(err);
        }
    }

    /// Whether anything was there to be read or fetched.
    fn attend(&mut self, step: Step) -> bool {
        let (mut events, mut held, mut output) = (0, 0, 0);
        while step.0 & 1 != 0
            && let Some(event) = self.session.poll_event()
        {
            events += 1;
            if let ClientEvent::Tag(tag) = &event {
                assert_eq!(self.intent, Intent::Play);
                assert!(self.told.contains(&ClientEvent::Started) || tag.kind == TagKind::Script);
                held += tag.body().len();
            }
            self.told.push(event);
        }
        while step.0 & 2 != 0
            && let Some(bytes) = self.session.poll_output()
        {
            output += bytes.len();
        }
        // Each queue may go beyond its limit by what one message brings.
        let Limits { queued_events, aggregate_tags, .. } = self.limits;
        assert!(events <= queued_events + aggregate_tags + 4, "{events} events");
        assert!(
            held <= self.limits.queued_bytes + self.limits.media_message as usize,
            "{held} bytes in events"
        );
        let answer = 5000 + 4 * self.limits.command_message as usize;
        assert!(output <= self.limits.queued_output + answer, "{output} bytes of output");
        events + output > 0
    }

    /// The connection breaks; what is left is read.
    fn end(&mut self) {
        self.session.handle_close();
        assert!(self.session.is_closed() && self.session.next_deadline().is_none());
        self.attend(Step(QUICK));
        let mut more = Bytes::from_static(b"more");
        assert_eq!(self.session.handle_input(&mut more, self.now), Ok(()));
        assert!(more.is_empty() && self.session.poll_event().is_none());
    }
}
