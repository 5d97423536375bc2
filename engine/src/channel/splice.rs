//! Where a rung's pictures come from, stretch after stretch, and to whom it lends its own.
//!
//! The show's thread says at which tick a stretch begins, before it hands on that tick's work. Both
//! sides of it have a key frame there, so what lies before the tick in time lies before it in order
//! of decoding, too.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use codecs::RungOutput;
use crossbeam_channel::{Receiver, Sender, bounded, never};
use media::{Packet, Time};

use crate::channel::copy::{CopiedPacket, Opened};

/// Packets that may wait for whoever carries them.
///
/// A rung waits where one that carries it has not come so far yet, since that one still waits for
/// another's last pictures. Those are on their way whatever this rung does: an encoder holds back
/// 250 frames at the most (x264's longest lookahead), and more than that can wait here.
const LENT: usize = 512;

/// Where a stretch of a rung's pictures comes from.
pub(crate) enum Stretch {
    /// Its own encoder, until that pauses or ends.
    Own,
    /// Another channel's rung, until that closes.
    Carried {
        /// The channel's name.
        from: Arc<str>,
        packets: Receiver<Lent>,
    },
    /// A camera's line, until that closes.
    Copied {
        /// The camera's name and the line's.
        from: Arc<str>,
        packets: Receiver<CopiedPacket>,
    },
    /// An encoder that is opened for it, until that ends; none if it closes.
    StandIn(Receiver<Opened>),
    /// No stretch: from here on this is what its own encoder gives.
    Encoder(Receiver<RungOutput>),
}

/// When a loan ends; shared by all who have to do with it, and set before the lender is handed the
/// work of that tick.
#[derive(Clone)]
pub(crate) struct Until(Arc<AtomicI64>);

impl Until {
    pub(crate) fn open() -> Self {
        Self(Arc::new(AtomicI64::new(i64::MAX)))
    }
    pub(crate) fn set(&self, at: Time) {
        self.0.store(at.flicks(), Ordering::Release);
    }
    fn get(&self) -> Time {
        Time::from_flicks(self.0.load(Ordering::Acquire))
    }
}

/// A rung's own pictures from a tick to another, for somebody else as well.
pub(crate) struct Loan {
    from: Time,
    until: Until,
    to: Sender<Lent>,
}

/// What comes of one.
pub(crate) enum Lent {
    Packet(Packet),
    /// The rung rests: of this time there is no picture.
    Rest(Time),
}

impl Loan {
    /// One that begins at `from`, and where its packets come out.
    pub(crate) fn new(from: Time, until: Until) -> (Self, Receiver<Lent>) {
        let (to, packets) = bounded(LENT);
        (Self { from, until, to }, packets)
    }
}

/// All loans of a rung.
#[derive(Default)]
pub(crate) struct Loans(Vec<Loan>);

impl Loans {
    pub(crate) fn add(&mut self, loan: Loan) {
        self.0.push(loan);
    }

    /// The rung's own encoder gave this.
    pub(crate) fn hand_out(&mut self, packet: &Packet) {
        self.end_before(packet.pts);
        // Who has gone needs no more.
        self.0.retain(|loan| packet.pts < loan.from || loan.to.send(Lent::Packet(packet.clone())).is_ok());
    }

    /// The rung's own encoder left out the picture of this time; all before it have come.
    pub(crate) fn rest(&mut self, at: Time) {
        self.end_before(at);
        self.0.retain(|loan| at < loan.from || loan.to.send(Lent::Rest(at)).is_ok());
    }

    /// All packets before this time have come.
    pub(crate) fn end_before(&mut self, at: Time) {
        self.0.retain(|loan| loan.until.get() > at);
    }

    /// No more packets come.
    pub(crate) fn end(&mut self) {
        self.0.clear();
    }

    /// All have come of those loans that have an end: what comes next is another encoder's.
    pub(crate) fn end_those_told(&mut self) {
        self.0.retain(|loan| loan.until.get() == Time::from_flicks(i64::MAX));
    }
}

/// Whether more stretches may come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    GoesOn,
    Closed,
}

/// A rung's pictures, put together.
pub(crate) struct Splice {
    encoder: Receiver<RungOutput>,
    stage: Stage,
    coming: VecDeque<Stretch>,
    course: Course,
    /// What the own encoder gives, while that is what the rung shows.
    pub(crate) own: Receiver<RungOutput>,
    /// What is carried, while that is.
    pub(crate) carried: Receiver<Lent>,
    /// What is copied, while that is.
    pub(crate) copied: Receiver<CopiedPacket>,
    /// The encoder that stands in, until it is there.
    pub(crate) opened: Receiver<Opened>,
}

/// The stretch under way.
enum Stage {
    Between,
    Own,
    Carried(Arc<str>),
    Copied(Arc<str>),
}

impl Splice {
    pub(crate) fn new(encoder: Receiver<RungOutput>) -> Self {
        Self {
            encoder,
            stage: Stage::Between,
            coming: VecDeque::new(),
            course: Course::GoesOn,
            own: never(),
            carried: never(),
            copied: never(),
            opened: never(),
        }
    }

    /// The channel whose pictures these are; `None` for the rung's own.
    pub(crate) fn carried_from(&self) -> Option<&Arc<str>> {
        match &self.stage {
            Stage::Carried(from) => Some(from),
            Stage::Between | Stage::Own | Stage::Copied(_) => None,
        }
    }

    /// The line whose pictures these are, if they are copied.
    pub(crate) fn copied_from(&self) -> Option<&Arc<str>> {
        match &self.stage {
            Stage::Copied(from) => Some(from),
            Stage::Between | Stage::Own | Stage::Carried(_) => None,
        }
    }

    /// The encoder of the stretch under way is there.
    pub(crate) fn open(&mut self, packets: Receiver<RungOutput>) {
        (self.own, self.opened) = (packets, never());
    }

    /// A stretch that follows all others.
    pub(crate) fn add(&mut self, stretch: Stretch) {
        self.coming.push_back(stretch);
        self.go_on();
    }

    /// No more stretches come.
    pub(crate) fn close(&mut self) {
        self.course = Course::Closed;
    }

    /// All of the stretch under way has come.
    pub(crate) fn end_stretch(&mut self) {
        (self.stage, self.own, self.carried) = (Stage::Between, never(), never());
        (self.copied, self.opened) = (never(), never());
        self.go_on();
    }

    /// Whether another encoder's pictures follow on its own one's.
    pub(crate) fn gets_another_encoder(&self) -> bool {
        self.coming.iter().any(|stretch| matches!(stretch, Stretch::Encoder(_)))
    }

    /// Whether all pictures have come.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Between) && self.course == Course::Closed && self.coming.is_empty()
    }

    fn go_on(&mut self) {
        if !matches!(self.stage, Stage::Between) {
            return;
        }
        match self.coming.pop_front() {
            None => {}
            Some(Stretch::Encoder(packets)) => {
                self.encoder = packets;
                self.go_on();
            }
            Some(Stretch::Own) => {
                self.stage = Stage::Own;
                self.own = self.encoder.clone();
            }
            Some(Stretch::Carried { from, packets }) => {
                self.stage = Stage::Carried(from);
                self.carried = packets;
            }
            Some(Stretch::Copied { from, packets }) => {
                self.stage = Stage::Copied(from);
                self.copied = packets;
            }
            Some(Stretch::StandIn(opened)) => {
                self.stage = Stage::Own;
                self.opened = opened;
            }
        }
    }
}
