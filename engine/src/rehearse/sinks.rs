//! Simulated ends of ways out: a server that is pushed to, and a disk.
//!
//! What lies before them is the engine's: the feed with its headers and its GOP, the queue that
//! loses frames up to a key frame, the times after which a server is given up and tried again, and
//! what writes a recording.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::{Span, Time, Track};
use pipeline_dsl as dsl;
use pipeline_dsl::rehearsal::{DiskFault, SinkFault};
use scheduling::Backoff;

use crate::call;
use crate::egress::EgressMeter;
use crate::egress::feed::{Feed, Header};
use crate::egress::push;
use crate::egress::queue::{Item, Role, SinkQueue};
use crate::egress::record;
use crate::event::Level;
use crate::rehearse::audience::Audience;
use crate::rehearse::chance::Chance;
use crate::rehearse::disk::Health;
use crate::rehearse::life::Birth;
use crate::rehearse::recording::{Behind, Held, Pace, Recording};
use crate::rehearse::report::EngineEnd;
use crate::rehearse::runs::Runs;
use crate::report::EgressState;
use crate::reporter::Reporter;

/// What is the matter with a recording on a slow disk.
const WAITS: &str = "the disk is slow: what is recorded waits";
const LOSES: &str = "the disk is too slow: pictures are lost";

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
    Disk(DiskFault),
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

impl Kind {
    /// What stands at the end of an egress.
    pub(crate) const fn of(target: &dsl::Target) -> Self {
        match target {
            dsl::Target::Push { .. } => Self::Server,
            dsl::Target::Record { .. } => Self::Disk,
            dsl::Target::ServeHttpFlv | dsl::Target::ServeRtmp => Self::Viewers,
        }
    }
}

/// How far a push has got.
enum Push {
    /// It is tried again then.
    Away { again: Time },
    /// It has called, and waits for an answer.
    Calling { since: Time },
    /// It sends; and since when nothing was taken.
    Up { since: Time, stuck: Option<Time>, queue: Arc<SinkQueue> },
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
    /// Up to when the show has it, if it is not in force any more.
    pub(crate) until: Option<Time>,
    pub(crate) audience: Audience,
    pub(crate) states: Runs<(EgressState, Option<String>)>,
    pub(crate) bytes: u64,
    pub(crate) dropped: u64,
    pub(crate) reconnects: u64,
    desk: Option<Desk>,
    push: Push,
    backoff: Backoff,
    /// What is written to the disk, until it fails.
    recording: Option<Recording>,
    /// What the disk holds by now, a file for each life of the engine.
    pub(crate) held: Vec<Held>,
}

/// What of an engine a sink is connected with.
struct Desk {
    /// Show time zero.
    zero: Time,
    /// Since when it is connected: what came before is known to who joins, and no more.
    since: Time,
    /// A copy of the rung's feed, as the push would have joined it.
    feed: Feed,
    meter: Arc<EgressMeter>,
    reporter: Reporter,
}

/// A sink that the engine's threads and the rehearsal both hold.
#[derive(Clone)]
pub(crate) struct SharedSink(Arc<Mutex<Sink>>);

/// What a sink is known by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Named {
    pub(crate) channel: String,
    pub(crate) egress: String,
    pub(crate) rung: String,
    pub(crate) target: String,
    pub(crate) kind: Kind,
}

impl SharedSink {
    /// One that the show has from this time on.
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
            until: None,
            audience,
            states: Runs::default(),
            bytes: 0,
            dropped: 0,
            reconnects: 0,
            desk: None,
            push: Push::Away { again: Time::ZERO },
            backoff: Backoff::new(push::FIRST_WAIT, push::LONGEST_WAIT),
            recording: None,
            held: Vec::new(),
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Sink> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is this one, and the show has it still.
    pub(crate) fn is(&self, named: &Named) -> bool {
        let sink = self.lock();
        let own = (&sink.channel, &sink.egress, &sink.rung, sink.kind);
        sink.until.is_none() && own == (&named.channel, &named.egress, &named.rung, named.kind)
    }
}

impl Sink {
    /// An engine has started.
    /// What its rung's feed has by then is known to who joins; a recording is the `n`th of its name.
    pub(crate) fn attach(
        &mut self,
        birth: Birth,
        (feed, n): (Feed, u32),
        meter: Arc<EgressMeter>,
        reporter: Reporter,
    ) {
        meter.set(match self.kind {
            Kind::Server => EgressState::Connecting,
            Kind::Disk | Kind::Viewers => EgressState::Live,
        });
        let Birth { at, zero } = birth;
        self.desk = Some(Desk { zero, since: at, feed, meter, reporter });
        self.push = Push::Away { again: at };
        self.backoff = Backoff::new(push::FIRST_WAIT, push::LONGEST_WAIT);
        self.state(at, None);
        if self.kind == Kind::Disk {
            self.begin_to_record(birth, n);
        }
    }

    /// The engine has ended like this.
    pub(crate) fn end(&mut self, at: Time, end: EngineEnd) {
        match self.until {
            Some(_) => self.leave(),
            None => self.detach(at, end),
        }
    }

    /// The show has it no longer.
    fn leave(&mut self) {
        if let Some(until) = self.until {
            self.detach(until, EngineEnd::Ended);
        }
    }

    /// It has nothing to do with the engine any more, which ended like this, or goes on without it.
    fn detach(&mut self, at: Time, end: EngineEnd) {
        if let (Some(mut recording), Some(desk)) = (self.recording.take(), &self.desk) {
            let ended = match end {
                EngineEnd::Ended => recording.end(&desk.meter),
                // What is on the disk is on the disk.
                EngineEnd::Killed => Ok(()),
            };
            match ended {
                Ok(()) => self.held.push(recording.held(at)),
                Err(error) => {
                    let shown = Time::ZERO + (at - desk.zero);
                    self.stop_recording(at, shown, recording, &error);
                }
            }
        }
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
        let now = desk.zero + (at - Time::ZERO);
        if self.kind == Kind::Viewers {
            return;
        }
        if self.until.is_some_and(|until| now >= until) {
            self.leave();
            return;
        }
        desk.feed.publish(item.clone());
        if now < desk.since {
            return;
        }
        match self.kind {
            Kind::Server => self.serve(now, at),
            Kind::Disk => self.write(now, at, item),
            Kind::Viewers => {}
        }
    }

    /// What the disk is like, by the latest fault that holds.
    fn disk(&self, now: Time) -> (Health, Pace) {
        let holds = |trouble: &&SinkTrouble| trouble.from <= now && now < trouble.to;
        let faults = self.troubles.iter().filter(holds).filter_map(|trouble| match trouble.what {
            SinkEnd::Disk(fault) => Some(fault),
            SinkEnd::Server(_) => None,
        });
        faults.fold((Health::Well, Pace::Abreast), |(health, pace), fault| match fault {
            DiskFault::Slow(share) => (health, Pace::Share(share.millionths())),
            fault => (health.after(fault), pace),
        })
    }

    fn begin_to_record(&mut self, birth: Birth, n: u32) {
        let Some(desk) = &self.desk else { return };
        let (health, _) = self.disk(birth.at);
        match Recording::begin(&self.target, n, &desk.feed, health, birth.at) {
            Ok(recording) => self.recording = Some(recording),
            Err(message) => self.failed(birth.at, birth.shown(), message),
        }
    }

    fn write(&mut self, now: Time, at: Time, item: &Item) {
        let disk = self.disk(now);
        let (Some(desk), Some(recording)) = (&self.desk, &mut self.recording) else { return };
        let before = recording.behind;
        match recording.step(now, item, disk, &desk.meter) {
            Ok(said) => {
                let behind = recording.behind;
                if let Some(message) = said {
                    desk.reporter.event_at(at, Level::Warn, record::EGRESS.behind, message);
                }
                match behind {
                    _ if behind == before => {}
                    Behind::No => self.state(now, None),
                    Behind::Waits(since) => self.state(since, Some(WAITS)),
                    Behind::Loses => self.state(now, Some(LOSES)),
                }
            }
            Err(error) => {
                if let Some(recording) = self.recording.take() {
                    self.stop_recording(now, at, recording, &error);
                }
            }
        }
    }

    fn stop_recording(&mut self, now: Time, at: Time, recording: Recording, error: &io::Error) {
        let Some(desk) = &self.desk else { return };
        let (held, message) = recording.fail(now, error, &desk.meter);
        self.held.push(held);
        self.failed(now, at, message);
    }

    /// The recording is over, before its time.
    fn failed(&mut self, now: Time, at: Time, message: String) {
        let Some(desk) = &self.desk else { return };
        desk.reporter.event_at(at, Level::Alarm, record::EGRESS.failed, message);
        desk.meter.set(EgressState::Failed);
        let why = match self.disk(now) {
            (Health::Broken, _) => "the disk cannot be written to",
            _ => "the disk is full",
        };
        self.state(now, Some(why));
    }

    fn serve(&mut self, now: Time, at: Time) {
        let wedged = self.fails(now, SinkEnd::Server(SinkFault::Wedge));
        let refused = self.fails(now, SinkEnd::Server(SinkFault::Refuse));
        let Some(desk) = &self.desk else { return };
        match &mut self.push {
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
