//! Simulated ends of ways out: a server that is pushed to, and a disk.
//!
//! What lies before them is the engine's: the feed with its headers and its GOP, the queue that
//! loses frames up to a key frame, the times after which a server is given up and tried again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::{Span, Time, Track};
use pipeline_dsl::rehearsal::SinkFault;
use scheduling::Backoff;

use crate::call;
use crate::egress::EgressMeter;
use crate::egress::feed::{Feed, Header};
use crate::egress::push;
use crate::egress::queue::{Item, Role, SinkQueue};
use crate::event::Level;
use crate::rehearse::audience::Audience;
use crate::rehearse::chance::Chance;
use crate::rehearse::runs::Runs;
use crate::report::EgressState;
use crate::reporter::Reporter;

/// How long a server that says nothing is waited for.
const NO_ANSWER: Span = Span::from_secs(10);

/// From when to when a server or the disk fails, in rehearsal time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SinkTrouble {
    pub(crate) from: Time,
    /// Exclusive.
    pub(crate) to: Time,
    pub(crate) what: SinkEnd,
}

/// How the other end fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SinkEnd {
    Server(SinkFault),
    DiskFull,
}

/// What stands at the other end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A server that tags are pushed to.
    Server,
    /// A disk that they are recorded on.
    Disk,
    /// Viewers who come to us.
    Viewers,
}

/// How far a push has got.
enum Push {
    /// It is tried again then.
    Away { again: Time },
    /// It has called, and waits for an answer.
    Calling { since: Time },
    /// It sends; and since when nothing was taken.
    Up { since: Time, stuck: Option<Time>, queue: Arc<SinkQueue> },
    /// The recording has failed, for good.
    Failed,
}

/// One egress of one rung, over all lives of the engine.
pub(crate) struct Sink {
    pub(crate) channel: String,
    pub(crate) egress: String,
    pub(crate) rung: String,
    pub(crate) target: String,
    kind: Kind,
    troubles: Vec<SinkTrouble>,
    chance: Chance,
    pub(crate) audience: Audience,
    pub(crate) states: Runs<(EgressState, Option<String>)>,
    pub(crate) bytes: u64,
    pub(crate) dropped: u64,
    pub(crate) reconnects: u64,
    desk: Option<Desk>,
    push: Push,
    backoff: Backoff,
}

/// What of an engine a sink is connected with.
struct Desk {
    /// Show time zero.
    began: Time,
    /// A copy of the rung's feed, as the push would have joined it.
    feed: Feed,
    meter: Arc<EgressMeter>,
    reporter: Reporter,
}

/// A sink that the engine's threads and the rehearsal both hold.
#[derive(Clone)]
pub(crate) struct SharedSink(Arc<Mutex<Sink>>);

/// What a sink is known by.
pub(crate) struct Named {
    pub(crate) channel: String,
    pub(crate) egress: String,
    pub(crate) rung: String,
    pub(crate) target: String,
    pub(crate) kind: Kind,
}

impl SharedSink {
    pub(crate) fn new(named: Named, troubles: Vec<SinkTrouble>, seed: u64, audience: Audience) -> Self {
        let Named { channel, egress, rung, target, kind } = named;
        let chance = Chance::of(seed, &format!("{channel}/{egress}/{rung}"));
        Self(Arc::new(Mutex::new(Sink {
            channel,
            egress,
            rung,
            target,
            kind,
            troubles,
            chance,
            audience,
            states: Runs::default(),
            bytes: 0,
            dropped: 0,
            reconnects: 0,
            desk: None,
            push: Push::Away { again: Time::ZERO },
            backoff: Backoff::new(push::FIRST_WAIT, push::LONGEST_WAIT),
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Sink> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is(&self, channel: &str, egress: &str, rung: &str) -> bool {
        let sink = self.lock();
        sink.channel == channel && sink.egress == egress && sink.rung == rung
    }
}

impl Sink {
    /// An engine has started, whose show time zero is at `began`.
    pub(crate) fn attach(&mut self, began: Time, meter: Arc<EgressMeter>, reporter: Reporter) {
        meter.set(match self.kind {
            Kind::Server => EgressState::Connecting,
            Kind::Disk | Kind::Viewers => EgressState::Live,
        });
        self.desk = Some(Desk { began, feed: Feed::default(), meter, reporter });
        self.push = Push::Away { again: began };
        self.backoff = Backoff::new(push::FIRST_WAIT, push::LONGEST_WAIT);
        self.state(began, None);
    }

    /// The engine has ended, in good order or not.
    pub(crate) fn detach(&mut self, at: Time) {
        let Some(desk) = self.desk.take() else { return };
        if let Push::Up { queue, .. } = &self.push {
            desk.meter.dropped(queue.take_dropped());
        }
        self.bytes += desk.meter.bytes();
        self.dropped += desk.meter.dropped_frames();
        self.reconnects += desk.meter.reconnects();
        if desk.meter.state() == EgressState::Live {
            desk.meter.set(EgressState::Closed);
        }
        self.states.end(at);
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    fn state(&mut self, at: Time, why: Option<&str>) {
        if let Some(desk) = &self.desk {
            self.states.set(at, (desk.meter.state(), why.map(str::to_owned)));
        }
    }

    fn fails(&self, now: Time, what: SinkEnd) -> bool {
        self.troubles.iter().any(|trouble| trouble.from <= now && now < trouble.to && trouble.what == what)
    }

    /// What every joiner gets first.
    pub(crate) fn header(&mut self, header: Header, item: &Item) {
        if let Some(desk) = &self.desk {
            desk.feed.publish_header(header, item.tag.clone());
        }
    }

    /// A tag of this show time has left the engine.
    pub(crate) fn tag(&mut self, at: Time, item: &Item) {
        let Some(desk) = &self.desk else { return };
        let now = desk.began + (at - Time::ZERO);
        match self.kind {
            Kind::Server => {
                desk.feed.publish(item.clone());
                self.serve(now, at);
            }
            Kind::Disk => self.write(now, at, item),
            Kind::Viewers => {}
        }
    }

    fn write(&mut self, now: Time, at: Time, item: &Item) {
        let full = self.fails(now, SinkEnd::DiskFull);
        let Some(desk) = &self.desk else { return };
        match self.push {
            Push::Failed => {}
            _ if full => {
                let whole = desk.meter.bytes();
                let why = "No space left on device (os error 28)";
                let message =
                    format!("{}: {why}; the recording ends after {whole} bytes of whole tags", self.target);
                desk.reporter.event_at(at, Level::Alarm, "egress-failed", message);
                desk.meter.set(EgressState::Failed);
                self.push = Push::Failed;
                self.state(now, Some("the disk is full"));
            }
            _ => desk.meter.sent(item.tag.wire_len()),
        }
    }

    fn serve(&mut self, now: Time, at: Time) {
        let wedged = self.fails(now, SinkEnd::Server(SinkFault::Wedge));
        let refused = self.fails(now, SinkEnd::Server(SinkFault::Refuse));
        let Some(desk) = &self.desk else { return };
        match &mut self.push {
            Push::Failed => {}
            Push::Away { again } if now < *again => {}
            Push::Away { .. } if refused => self.lost(now, at, "Connection refused (os error 111)"),
            Push::Away { .. } if wedged => self.push = Push::Calling { since: now },
            Push::Calling { .. } if refused => self.lost(now, at, "Connection reset by peer (os error 104)"),
            Push::Calling { since } if wedged => {
                if now - *since > NO_ANSWER {
                    self.lost(now, at, "no answer to `connect` within 10 s");
                }
            }
            Push::Away { .. } | Push::Calling { .. } => {
                let queue = desk.feed.join(push::BOUND);
                desk.meter.set(EgressState::Live);
                let message = format!("publishing to {}", self.target);
                desk.reporter.event_at(at, Level::Info, "egress-live", message);
                self.push = Push::Up { since: now, stuck: None, queue };
                self.state(now, None);
                self.drain(now);
            }
            Push::Up { .. } if refused => self.lost(now, at, "the server closed the connection"),
            Push::Up { stuck, .. } if wedged => {
                let since = *stuck.get_or_insert(now);
                if now - since > Span::from_duration(call::STALLED) {
                    self.lost(now, at, "took nothing for 10 s");
                } else {
                    self.state(now, Some("it takes nothing"));
                }
            }
            Push::Up { stuck, .. } => {
                *stuck = None;
                self.state(now, None);
                self.drain(now);
            }
        }
    }

    /// The server takes all that waits for it.
    fn drain(&mut self, now: Time) {
        let (Some(desk), Push::Up { queue, .. }) = (&self.desk, &self.push) else { return };
        while let Some(item) = queue.try_pop() {
            desk.meter.sent(item.tag.wire_len());
            match item.role {
                Role::Header => {}
                Role::Key | Role::Delta => self.audience.came(Track::Video, now),
                Role::Sound => self.audience.came(Track::Audio, now),
            }
        }
        desk.meter.dropped(queue.take_dropped());
    }

    fn lost(&mut self, now: Time, at: Time, why: &str) {
        let Some(desk) = &self.desk else { return };
        let level = match &self.push {
            Push::Up { since, queue, .. } => {
                queue.close();
                desk.meter.dropped(queue.take_dropped());
                if now - *since > Span::from_duration(push::WELL) {
                    self.backoff.worked();
                }
                Level::Alarm
            }
            _ => Level::Warn,
        };
        let wait = self.backoff.failed(self.chance.roll());
        desk.reporter.event_at(at, level, "egress-lost", format!("{why}; it is tried again"));
        desk.meter.set(EgressState::Connecting);
        desk.meter.reconnect();
        self.push = Push::Away { again: now + wait };
        self.state(now, Some(why));
    }
}
