//! Sequences of what clients, callers and time may do, in any order.

use std::collections::BTreeMap;

use flv::TagKind;
use flv::amf0::Value;
use media::Span;
use proptest::prelude::*;
use rtmp::message::{Message, MessageStreamId, UserControl};
use rtmp::session::{ConnectPolicy, ConnectRefusal, PlayEnd, PlayKind, PlayRefusal, Reject, RequestId};
use rtmp::{Event, Limits, ServerConfig};

use crate::client::{CONNECTION, Harness, config};
use crate::pair::tag;

#[derive(Clone, Debug)]
enum Act {
    Say { name: &'static str, on: u32, args: usize },
    Tag { on: u32, length: usize },
    Control { on: u32 },
    Answer(Answer),
    Play { on: u32, length: usize },
    EndPlay { on: u32 },
    EndPublish { on: u32 },
    Wait { millis: i64 },
    Dismiss,
    HangUp,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Yes,
    No,
    Later,
}

fn act() -> impl Strategy<Value = Act> {
    let names = [
        "publish",
        "play",
        "publish",
        "play",
        "createStream",
        "pause",
        "seek",
        "receiveVideo",
        "closeStream",
        "closeStream",
        "deleteStream",
        "FCPublish",
        "FCUnpublish",
        "releaseStream",
        "play2",
    ];
    // What ends the session is rare, so that much happens before.
    let on = || prop_oneof![60 => 1u32..3, 1 => Just(0), 1 => Just(3)];
    let answer = [Answer::Yes, Answer::Yes, Answer::Yes, Answer::Later, Answer::Later];
    prop_oneof![
        200 => (prop::sample::select(names.to_vec()), on(), 0usize..4)
            .prop_map(|(name, on, args)| Act::Say { name, on, args }),
        1 => Just(Act::Say { name: "connect", on: 0, args: 0 }),
        100 => (on(), 0usize..900).prop_map(|(on, length)| Act::Tag { on, length }),
        20 => on().prop_map(|on| Act::Control { on }),
        200 => prop::sample::select(answer.to_vec()).prop_map(Act::Answer),
        4 => Just(Act::Answer(Answer::No)),
        100 => (on(), 1usize..900).prop_map(|(on, length)| Act::Play { on, length }),
        20 => on().prop_map(|on| Act::EndPlay { on }),
        20 => on().prop_map(|on| Act::EndPublish { on }),
        20 => prop::sample::select(vec![1i64, 900, 6000]).prop_map(|millis| Act::Wait { millis }),
        2 => Just(Act::Dismiss),
        2 => Just(Act::HangUp),
    ]
}

/// What the events so far must have left.
#[derive(Default)]
struct Books {
    connect_waits: bool,
    waiting: Option<(RequestId, MessageStreamId, &'static str)>,
    /// What is accepted on each stream.
    open: BTreeMap<u32, &'static str>,
}

impl Books {
    fn enter(&mut self, event: Event) {
        match event {
            Event::ConnectRequested(_) => self.connect_waits = true,
            Event::PublishRequested(request) => {
                assert!(self.waiting.replace((request.request, request.stream, "publish")).is_none());
            }
            Event::PlayRequested(request) => {
                assert!(self.waiting.replace((request.request, request.stream, "play")).is_none());
            }
            Event::RequestWithdrawn { request } => {
                assert_eq!(self.waiting.take().map(|waiting| waiting.0), Some(request));
            }
            Event::Tag { stream, .. } => assert_eq!(self.open.get(&stream.0), Some(&"publish")),
            Event::PublishEnded { stream, .. } => assert_eq!(self.open.remove(&stream.0), Some("publish")),
            Event::PlayEnded { stream, .. } => assert_eq!(self.open.remove(&stream.0), Some("play")),
            Event::Pause { stream, .. }
            | Event::Wants { stream, .. }
            | Event::BufferLength { stream, .. } => {
                assert_eq!(self.open.get(&stream.0), Some(&"play"));
            }
        }
    }
}

fn args(count: usize) -> Vec<Value> {
    [Value::from("main"), Value::from(true), Value::from(1.0)]
        .into_iter()
        .cycle()
        .skip(count)
        .take(count)
        .collect()
}

fn act_out(h: &mut Harness, books: &mut Books, act: Act) {
    match act {
        Act::Say { name, on, args: count } => {
            let named = matches!(name, "publish" | "play") && count < 3;
            let args = if named { vec!["main".into()] } else { args(count) };
            h.client.command_with(
                MessageStreamId(on),
                name,
                3.0,
                Value::object([("app", "live".into())]),
                args,
            );
        }
        Act::Tag { on, length } => {
            h.client.send(6, MessageStreamId(on), 7, &Message::Video(vec![7; length].into()))
        }
        Act::Control { on } => {
            let event = UserControl::SetBufferLength { stream: MessageStreamId(on), millis: 5 };
            h.client.send(2, CONNECTION, 0, &Message::UserControl(event));
        }
        Act::Answer(Answer::Later) => {}
        Act::Answer(answer) => {
            if std::mem::take(&mut books.connect_waits) {
                let result = match answer {
                    Answer::No => h.session.refuse_connect(&ConnectRefusal::NoSuchApp),
                    _ => h.session.accept_connect(h.now),
                };
                assert!(result.is_ok() || h.session.is_closed());
            }
            let Some((request, stream, what)) = books.waiting.take() else { return };
            let taken = match (what, answer) {
                ("publish", Answer::No) => h.session.reject(request, Reject::Busy).is_ok(),
                ("publish", _) => h.session.accept(request, h.now).is_ok(),
                (_, Answer::No) => h.session.refuse_play(request, PlayRefusal::Busy, h.now).is_ok(),
                (_, _) => h.session.accept_play(request, PlayKind::Live, h.now).is_ok(),
            };
            assert!(taken && h.session.accept(request, h.now).is_err());
            if matches!(answer, Answer::Yes) {
                books.open.insert(stream.0, what);
            }
        }
        Act::Play { on, length } => {
            let sent = h.session.send(MessageStreamId(on), &tag(TagKind::Video, 1, vec![7; length]));
            assert_eq!(sent.is_ok(), books.open.get(&on) == Some(&"play"));
        }
        Act::EndPlay { on } => {
            let ended = h.session.end_play(MessageStreamId(on), PlayEnd::Unpublished, h.now);
            let wanted = books.open.get(&on) == Some(&"play");
            assert_eq!(ended.is_ok(), wanted);
            if wanted {
                books.open.remove(&on);
            }
        }
        Act::EndPublish { on } => {
            let ended = h.session.end_publish(MessageStreamId(on), "somebody else is here", h.now);
            let wanted = books.open.get(&on) == Some(&"publish");
            assert_eq!(ended.is_ok(), wanted);
            if wanted {
                books.open.remove(&on);
            }
        }
        Act::Wait { millis } => {
            h.now += Span::from_millis(millis);
            let late = h.session.handle_timeout(h.now).is_err();
            assert!(!late || h.session.is_closed());
        }
        Act::Dismiss => h.session.dismiss("enough"),
        Act::HangUp => h.session.handle_close(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_accepted_ends_once(
        ask in prop::sample::select(vec![ConnectPolicy::Accept, ConnectPolicy::Ask]),
        acts in prop::collection::vec(act(), 1..60),
    ) {
        let limits = Limits { message_streams: 3, queued_events: 8, ..Limits::default() };
        let mut h = Harness::with(ServerConfig { limits, connect: ask, ..config() });
        let mut books = Books::default();
        h.client.connect("live");
        h.client.create_stream();
        h.client.create_stream();
        for act in acts {
            act_out(&mut h, &mut books, act);
            // Until nothing moves: what waits for an answer waits.
            while let Ok(()) = h.deliver() {
                let events: Vec<_> = std::iter::from_fn(|| h.session.poll_event()).collect();
                let moved = !events.is_empty();
                events.into_iter().for_each(|event| books.enter(event));
                while h.session.poll_output().is_some() {}
                if !moved {
                    break;
                }
            }
            std::iter::from_fn(|| h.session.poll_event()).for_each(|event| books.enter(event));
            prop_assert!(h.session.output().len() < 100_000);
            prop_assert!(!(h.session.wants_input() && (books.waiting.is_some() || books.connect_waits)));
            prop_assert!(h.session.wants_input() || h.session.is_closed() || books.waiting.is_some() || books.connect_waits);
            if h.session.is_closed() {
                prop_assert_eq!(h.session.next_deadline(), None);
                prop_assert!(books.open.is_empty() && books.waiting.is_none());
            }
        }
        h.session.handle_close();
        std::iter::from_fn(|| h.session.poll_event()).for_each(|event| books.enter(event));
        prop_assert!(books.open.is_empty() && books.waiting.is_none());
    }
}
