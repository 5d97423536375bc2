//! One line as the tick sees it, whatever its material comes from.

use std::sync::Arc;

use codecs::Picture;
use media::{Span, Tick, Time};
use pipeline_dsl as dsl;
use scheduling::{Carries, Duty, Readiness};

use crate::clock::Stop;
use crate::ingest::align::{self, Seat};
use crate::ingest::buffer::{LineBuffer, Take, Waited};
use crate::ingest::counters::LineCounters;
use crate::ingest::iso::Recording;
use crate::ingest::pattern::TestSource;
use crate::ingest::stamps::MOST_FOR_STEP;
use crate::ingest::standby::Orders;
use crate::ingest::still::Still;
use crate::rehearse::veil::{Veil, VeilNow};
use crate::report::{LineState, RecordingReport};
use crate::stage::StageReading;

/// Where a line's material comes from.
pub(crate) enum Origin {
    /// Threads fill a buffer.
    Buffered(Arc<LineBuffer>),
    /// A pattern, drawn when it is looked at.
    Pattern(Box<TestSource>),
    /// A still picture with silence.
    Still(Still),
    /// Could not be opened: never gives anything.
    Dead,
    /// Not built yet in this version: never gives anything.
    Unbuilt,
}

/// One line as the tick sees it.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) counters: Arc<LineCounters>,
    /// What decoding it costs.
    pub(crate) costs: StageReading,
    /// Its recording as it comes, if it has one.
    recording: Option<Arc<Recording>>,
    /// Its place among its camera's lines, and what its thread is told to do, where somebody sends to it.
    seat: Arc<Seat>,
    orders: Arc<Orders>,
    /// What stops its threads.
    stop: Option<Arc<Stop>>,
    /// The last picture of the line whose place it took, until it has one of its own.
    inherited: Option<Inherited>,
    /// The picture it gave last, and since when there is none that is due.
    last: Option<Picture>,
    hole_since: Option<Time>,
    /// It has given a picture, or sound if that is all there is of it.
    seen: bool,
    carries: Carries,
    state: LineState,
    /// That its pictures are missing was told, and not yet that they come again.
    told_lost: bool,
    /// That it is on its way, since its last picture.
    told_connecting: bool,
    lost: Span,
    /// What befalls it in a rehearsal, and where it stands.
    veil: Option<Veil>,
    veiled: VeilNow,
}

/// A picture held over the opening of another line.
struct Inherited {
    picture: Picture,
    hole_since: Time,
}

impl Line {
    pub(crate) fn new(name: String, origin: Origin, counters: Arc<LineCounters>) -> Self {
        Self {
            name,
            origin,
            counters,
            costs: StageReading::default(),
            recording: None,
            seat: Arc::default(),
            orders: Arc::default(),
            stop: None,
            inherited: None,
            last: None,
            hole_since: None,
            seen: false,
            carries: Carries::Pictures,
            state: LineState::Never,
            told_lost: false,
            told_connecting: false,
            lost: Span::ZERO,
            veil: None,
            veiled: VeilNow::default(),
        }
    }

    /// With something that befalls it in a rehearsal.
    #[must_use]
    pub(crate) fn under(mut self, veil: Option<Veil>) -> Self {
        self.veil = veil;
        self
    }

    /// What of the last tick a veil has covered.
    pub(crate) fn veil_now(&self) -> VeilNow {
        self.veiled
    }

    /// Since when, in show time, the file runs that it is.
    pub(crate) fn since(&self) -> Option<Time> {
        self.counters.since()
    }

    /// Whether somebody sends to it as they please.
    pub(crate) fn is_live(&self) -> bool {
        matches!(&self.origin, Origin::Buffered(buffer) if buffer.is_live())
    }

    /// With a seat and orders that its thread looks at.
    #[must_use]
    pub(crate) fn led_by(mut self, seat: Arc<Seat>, orders: Arc<Orders>) -> Self {
        (self.seat, self.orders) = (seat, orders);
        self
    }

    /// How it stands by while it is not shown.
    pub(crate) fn stand_by(&self, standby: dsl::Standby) {
        self.orders.stand_by(standby);
    }

    /// What is to be done with what comes, from now on.
    pub(crate) fn order(&self, duty: Duty) {
        self.orders.give(duty);
    }

    /// Its place among the lines of its camera, if they are to be shown in step.
    pub(crate) fn sit(&self, place: Option<align::Place>) {
        if let (Origin::Buffered(buffer), Some(_)) = (&self.origin, &place) {
            buffer.may_wait(MOST_FOR_STEP);
        }
        self.seat.give(place);
    }

    /// With a recording of what comes.
    #[must_use]
    pub(crate) fn recorded(mut self, recording: Arc<Recording>) -> Self {
        self.recording = Some(recording);
        self
    }

    /// Its threads can be stopped by this.
    #[must_use]
    pub(crate) fn stopped_by(mut self, stop: Arc<Stop>) -> Self {
        self.stop = Some(stop);
        self
    }

    /// It takes the place of `old` from `now` on: that one's last picture is held until it has
    /// one of its own, as it would be over any hole.
    pub(crate) fn take_over(&mut self, old: &mut Self, now: Time) {
        let hole_since = old.hole_since.unwrap_or(now);
        let last = old.last.take().filter(|_| old.seen);
        self.inherited = last.map(|picture| Inherited { picture, hole_since });
        self.seen = self.inherited.is_some();
        // What was told of the one is over when the other has a picture.
        self.told_lost = std::mem::take(&mut old.told_lost);
    }

    /// How its recording stands, if it has one.
    pub(crate) fn recording(&self) -> Option<RecordingReport> {
        self.recording.as_ref().map(|recording| recording.report())
    }

    /// Offline: returns when the line is known up to `to`.
    pub(crate) fn wait_for(&self, to: Time, stop: &Stop) -> Waited {
        match &self.origin {
            Origin::Buffered(buffer) => buffer.wait_for(to, stop),
            _ => Waited::Known,
        }
    }

    /// Takes what belongs to the tick.
    pub(crate) fn take(&mut self, tick: Tick, from: Time, to: Time) -> Take {
        let mut take = match &mut self.origin {
            Origin::Buffered(buffer) => buffer.take(from, to),
            Origin::Pattern(source) => source.take(tick, from, to),
            Origin::Still(still) => still.take(),
            Origin::Dead | Origin::Unbuilt => {
                Take { hole_since: Some(Time::ZERO), ended: true, ..Take::default() }
            }
        };
        if let Some(veil) = &mut self.veil {
            self.veiled = veil.now(from);
            take = veil.over(from, take);
        }
        let take = self.or_inherited(take);
        self.seen |= take.picture.is_some() || take.readiness == Readiness::Kept || take.is_heard_alone();
        self.carries = take.carries;
        let on_its_way = self.counters.is_on_its_way();
        self.hole_since = take.hole_since;
        if take.picture.is_some() {
            self.last.clone_from(&take.picture);
        }
        let was_live = self.state == LineState::Live;
        self.state = match (self.seen, take.hole_since) {
            (true, None) => LineState::Live,
            (true, Some(_)) if take.ended => LineState::Ended,
            (_, _) if on_its_way => LineState::Connecting,
            (false, _) => LineState::Never,
            (true, Some(_)) => LineState::Lost,
        };
        if self.seen && matches!(self.state, LineState::Lost | LineState::Connecting) {
            self.lost += to - from;
        }
        match self.state {
            LineState::Live => (self.told_connecting, self.told_lost) = (false, false),
            LineState::Lost | LineState::Connecting => self.told_lost |= was_live,
            LineState::Never | LineState::Ended => {}
        }
        take
    }

    /// Where what comes over it is kept, coded and decoded; `None` for what is drawn here.
    pub(crate) fn buffer(&self) -> Option<&Arc<LineBuffer>> {
        match &self.origin {
            Origin::Buffered(buffer) => Some(buffer),
            _ => None,
        }
    }

    /// Whether it is somebody else's, and not drawn here.
    pub(crate) fn comes_from_outside(&self) -> bool {
        matches!(self.origin, Origin::Buffered(_))
    }
    fn or_inherited(&mut self, take: Take) -> Take {
        match &self.inherited {
            // What is kept undecoded is there, if it is wanted.
            Some(held)
                if take.picture.is_none() && take.readiness != Readiness::Kept && !take.is_heard_alone() =>
            {
                Take {
                    picture: Some(held.picture.clone()),
                    hole_since: Some(held.hole_since),
                    carries: Carries::Pictures,
                    ended: false,
                    ..take
                }
            }
            _ => {
                self.inherited = None;
                take
            }
        }
    }

    /// Whether this version can make anything of it at all.
    pub(crate) fn is_built(&self) -> bool {
        !matches!(self.origin, Origin::Unbuilt)
    }
    /// Waits until a line from a file has its first picture, or has none.
    pub(crate) fn wait_for_first(&self, patience: std::time::Duration) {
        if let Origin::Buffered(buffer) = &self.origin {
            buffer.wait_for_first(patience);
        }
    }
    /// Whether it has ever had a picture, or sound if that is all there is of it.
    pub(crate) fn seen(&self) -> bool {
        self.seen
    }
    /// What it is looked at for.
    pub(crate) fn carries(&self) -> Carries {
        self.carries
    }
    pub(crate) fn state(&self) -> LineState {
        self.state
    }
    /// Whether the alarm stands that its pictures are missing.
    pub(crate) fn is_told_lost(&self) -> bool {
        self.told_lost
    }
    pub(crate) fn lost(&self) -> Span {
        self.lost
    }

    /// Whether it is news that it is on its way: a line that nobody answers is called all the time.
    pub(crate) fn begins_to_connect(&mut self) -> bool {
        self.state == LineState::Connecting && !std::mem::replace(&mut self.told_connecting, true)
    }

    /// How much of a live line's material waits for its tick.
    pub(crate) fn waiting(&self) -> Option<Span> {
        match &self.origin {
            Origin::Buffered(buffer) => buffer.waiting(),
            _ => None,
        }
    }

    /// It is not needed any more: its threads stop.
    pub(crate) fn close(&self) {
        if let Some(stop) = &self.stop {
            stop.ask();
        }
        if let Some(recording) = &self.recording {
            recording.close();
        }
        if let Origin::Buffered(buffer) = &self.origin {
            buffer.close();
        }
    }
}

/// A line nobody takes from any more stops its threads, whatever way it went.
impl Drop for Line {
    fn drop(&mut self) {
        self.close();
    }
}
