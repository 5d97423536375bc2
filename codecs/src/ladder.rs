//! One canvas in, every rung's packets out.
//!
//! One thread scales: each rung from the next larger one. It also looks ahead for those rungs that
//! [share](crate::Lookahead::Shared) it. One thread an encoder encodes. Bounded channels between them:
//! who is slow slows the one before, and nothing piles up. A rung that fails ends alone.
//!
//! A ladder can [pause](Ladder::pause): all it was given comes out, and it goes on with new
//! encoders of the same settings, whose streams a decoder takes for one. So can a rung alone:
//! while it [rests](Ladder::order) it is neither scaled nor encoded. And its rungs can
//! [change](Ladder::change): come, go, or go on with another encoder.

mod cascade;
mod counters;
mod encoding;
mod open;
mod planning;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use media::{FrameRate, Key, Packet, Size, Time, VideoParams};

use crate::codec::CodecKit;
use crate::error::CodecError;
use crate::frame::Frame;
use crate::lookahead::Plan;
use crate::settings::{VideoEncoderName, VideoEncoderSettings};
use crate::turn::{Turn, Turns};
use crate::watermark::Finish;
use cascade::{Cascade, in_order, scale};
pub use counters::RungCounters;
pub use open::{NextRung, OpenRung};

/// Frames that may wait for the scaler. Where nothing has a due time none need: whoever hands the next
/// one in holds it.
const fn input(turns: Turns) -> usize {
    match turns {
        Turns::Even => 2,
        Turns::LargestFirst => 0,
    }
}
/// Frames that may wait for one encoder. One that goes first is waited for: the next is at hand
/// whenever it has taken one, and more would only take memory, of the largest pictures that there are.
const fn queue(turn: Turn) -> usize {
    match turn {
        Turn::Even | Turn::Behind => 3,
        Turn::First => 1,
    }
}
/// Packets that may wait to be fetched from one rung.
const OUTPUT: usize = 64;

/// What a ladder is to make.
#[derive(Clone, Debug, PartialEq)]
pub struct LadderSettings {
    /// Frames a second.
    pub rate: FrameRate,
    /// The rungs, in the order they are spoken of everywhere; any order of sizes.
    pub rungs: Vec<VideoEncoderSettings>,
    /// Which of its threads go first.
    pub turns: Turns,
}

impl LadderSettings {
    /// Rungs of these sizes and bitrates with everything else as usual:
    /// preset veryfast, key frames every 2 s, one thread an encoder.
    pub fn new(rate: FrameRate, rungs: impl IntoIterator<Item = (Size, u32)>) -> Self {
        let rungs = rungs.into_iter().map(|(size, bitrate)| VideoEncoderSettings::new(size, rate, bitrate));
        Self { rate, rungs: rungs.collect(), turns: Turns::default() }
    }
}

/// Why a ladder did not start or took no frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LadderError {
    /// It has no rungs.
    #[error("a ladder needs at least one rung")]
    NoRungs,
    /// An encoder could not be opened.
    #[error("rung {rung} ({size}): {source}")]
    Rung {
        /// The rung's number, from 0.
        rung: usize,
        /// Its picture size.
        size: Size,
        /// What its encoder said.
        source: CodecError,
    },
    /// A thread could not be started.
    #[error("no thread for the ladder: {0}")]
    Thread(String),
    /// A frame whose PTS is not after the one before.
    #[error("pts {got} does not lie after {last}, the one before")]
    PtsOrder {
        /// The PTS that came.
        got: Time,
        /// The PTS before it.
        last: Time,
    },
    /// It was finished, or every rung has ended.
    #[error("the ladder has ended")]
    Ended,
}

/// What comes out of a rung.
#[derive(Clone, Debug)]
pub enum RungOutput {
    /// A packet, in order of DTS.
    Packet(Packet),
    /// The rung rests: no packet comes of the frame of this time, and all before it have come. The
    /// first that follows is of an IDR.
    Rest(Time),
    /// All packets before this time have come; those that follow are of frames from it on, and
    /// begin with an IDR.
    Pause(Time),
    /// The encoder failed; nothing more comes.
    Failed(CodecError),
    /// All packets have come.
    End,
}

/// What is laid over the rungs' pictures of one frame.
type Finishing = Option<Arc<dyn Finish>>;

/// What is to become of a rung's frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RungDuty {
    /// They are encoded.
    #[default]
    Encode,
    /// They are left out.
    Rest,
}

/// What is handed in.
enum Order {
    Frame(Frame, Key, Finishing),
    Duty(usize, RungDuty),
    Pause(Time),
    Change(Vec<NextRung>),
}

/// What is handed on to a rung's encoder.
enum Job {
    /// With the rung's number at that frame.
    Frame(Frame, Plan, Option<(usize, Arc<dyn Finish>)>),
    Rest(Time),
    Pause(Time),
}

struct Input {
    sender: Option<Sender<Order>>,
    last: Option<Time>,
}

/// A running ladder. Dropping it is as [`finish`](Self::finish).
pub struct Ladder {
    input: Mutex<Input>,
    params: Vec<VideoParams>,
    outputs: Vec<Receiver<RungOutput>>,
    counters: Vec<Arc<RungCounters>>,
    scaling: Arc<RungCounters>,
    encoders: Vec<VideoEncoderName>,
    stand_ins: Vec<(usize, CodecError)>,
}

impl Ladder {
    /// Opens all encoders and starts the threads. Where a device that was asked for does not open,
    /// software makes the same codec: see [`stand_ins`](Self::stand_ins).
    ///
    /// # Errors
    /// No rungs, an encoder that does not open, or no thread.
    pub fn start(kit: Arc<dyn CodecKit>, settings: LadderSettings) -> Result<Self, LadderError> {
        if settings.rungs.is_empty() {
            return Err(LadderError::NoRungs);
        }
        let turns = settings.turns;
        let largest = settings.rungs.iter().map(|rung| rung.size.area()).max().unwrap_or(0);
        let rungs = settings.rungs.into_iter().enumerate().map(|(rung, settings)| {
            let turn = turns.of_rung(settings.size, largest);
            OpenRung::start(&kit, rung, settings, turn)
        });
        Self::in_turns(rungs.collect::<Result<_, _>>()?, turns)
    }

    /// One of rungs that are open, in their order, all threads alike.
    ///
    /// # Errors
    /// No rungs, or no thread.
    pub fn of(rungs: Vec<OpenRung>) -> Result<Self, LadderError> {
        Self::in_turns(rungs, Turns::Even)
    }

    fn in_turns(rungs: Vec<OpenRung>, turns: Turns) -> Result<Self, LadderError> {
        if rungs.is_empty() {
            return Err(LadderError::NoRungs);
        }
        let (mut params, mut names, mut stand_ins) = (Vec::new(), Vec::new(), Vec::new());
        let (mut outputs, mut counters, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for (rung, open) in rungs.into_iter().enumerate() {
            params.push(open.params);
            names.push(open.encoder);
            stand_ins.extend(open.missing.map(|why| (rung, why)));
            outputs.extend(open.output);
            counters.push(open.counters);
            steps.push(Cascade { rung, ..open.step });
        }
        in_order(&mut steps);
        let (sender, orders) = bounded(input(turns));
        let scaling = Arc::new(RungCounters::default());
        let counted = Arc::clone(&scaling);
        let work = move || {
            turns.step_back();
            scale(steps, &orders, &counted);
        };
        spawn("scale", work)?;
        Ok(Self {
            input: Mutex::new(Input { sender: Some(sender), last: None }),
            params,
            outputs,
            counters,
            scaling,
            encoders: names,
            stand_ins,
        })
    }

    /// Hands in the next canvas picture, an IDR of every rung if `key` says
    /// so. Waits while the ladder is full.
    ///
    /// # Errors
    /// A PTS that does not rise, or a ladder that has ended.
    pub fn send(&self, frame: Frame, key: Key) -> Result<(), LadderError> {
        self.hand_in(frame, key, None)
    }

    /// As [`send`](Self::send); `finish` is laid over each rung's picture once it has the rung's
    /// size, on the rung's own thread.
    ///
    /// # Errors
    /// As `send`.
    pub fn send_finished(&self, frame: Frame, key: Key, finish: Arc<dyn Finish>) -> Result<(), LadderError> {
        self.hand_in(frame, key, Some(finish))
    }

    fn hand_in(&self, frame: Frame, key: Key, finish: Finishing) -> Result<(), LadderError> {
        let sender = {
            let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(last) = input.last.filter(|&last| frame.pts <= last) {
                return Err(LadderError::PtsOrder { got: frame.pts, last });
            }
            input.last = Some(frame.pts);
            input.sender.clone().ok_or(LadderError::Ended)?
        };
        sender.send(Order::Frame(frame, key, finish)).map_err(|_| LadderError::Ended)
    }

    /// No frames for a while: what was handed in comes out at once, without the frames that an
    /// encoder would look ahead to, then every rung gives [`RungOutput::Pause`] with this time,
    /// which frames from now on do not lie before. The next one is an IDR whatever is asked. Waits
    /// while the ladder is full.
    ///
    /// # Errors
    /// A time that a frame has already passed, or a ladder that has ended.
    pub fn pause(&self, until: Time) -> Result<(), LadderError> {
        let sender = {
            let input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(last) = input.last.filter(|&last| until <= last) {
                return Err(LadderError::PtsOrder { got: until, last });
            }
            input.sender.clone().ok_or(LadderError::Ended)?
        };
        sender.send(Order::Pause(until)).map_err(|_| LadderError::Ended)
    }

    /// What becomes of a rung's frames from the next one on. A rung that rests gives what it was
    /// handed in before, then [`RungOutput::Rest`] for each frame, which costs next to nothing; the
    /// first frame after that is an IDR whatever is asked. A rung that is not there is none the
    /// wiser. Waits while the ladder is full.
    ///
    /// # Errors
    /// A ladder that has ended.
    pub fn order(&self, rung: usize, duty: RungDuty) -> Result<(), LadderError> {
        let sender = self.input.lock().unwrap_or_else(PoisonError::into_inner).sender.clone();
        let sender = sender.ok_or(LadderError::Ended)?;
        sender.send(Order::Duty(rung, duty)).map_err(|_| LadderError::Ended)
    }

    /// Its rungs from the next frame on, in their order: those that stay, by their numbers as they
    /// were, and those that come, with that frame, which is an IDR of theirs whatever is asked. All
    /// others end: what they hold comes out, then [`RungOutput::End`]. What a shared lookahead holds goes
    /// on at once, so rungs that stay have a gap later, as long as that looks ahead. Waits while the
    /// ladder is full. What [`params`](Self::params) and the like tell is of the rungs it was started with.
    ///
    /// # Errors
    /// A ladder that has ended.
    pub fn change(&self, rungs: Vec<NextRung>) -> Result<(), LadderError> {
        let sender = self.input.lock().unwrap_or_else(PoisonError::into_inner).sender.clone();
        let sender = sender.ok_or(LadderError::Ended)?;
        sender.send(Order::Change(rungs)).map_err(|_| LadderError::Ended)
    }

    /// No more frames: what was handed in is encoded, then every rung gives
    /// [`RungOutput::End`]. Does not wait for that.
    pub fn finish(&self) {
        self.input.lock().unwrap_or_else(PoisonError::into_inner).sender = None;
    }

    /// What a decoder of each rung must know, in the order of the settings.
    pub fn params(&self) -> &[VideoParams] {
        &self.params
    }

    /// What encodes each rung, in the order of the settings: what was asked for, or what
    /// [stands in](Self::stand_ins).
    pub fn encoders(&self) -> &[VideoEncoderName] {
        &self.encoders
    }

    /// The rungs (by number) whose device did not open, and why: software encodes them.
    pub fn stand_ins(&self) -> &[(usize, CodecError)] {
        &self.stand_ins
    }

    /// The rungs' outputs, in the order of the settings. They can be taken
    /// once; later calls give none. Read each: they are bounded, and a full one
    /// holds up the whole ladder. A rung whose output is dropped ends. An
    /// output that closes without [`RungOutput::End`] or
    /// [`RungOutput::Failed`] is of a thread that panicked.
    pub fn outputs(&mut self) -> Vec<Receiver<RungOutput>> {
        std::mem::take(&mut self.outputs)
    }

    /// The rungs' counters, in the order of the settings.
    pub fn counters(&self) -> &[Arc<RungCounters>] {
        &self.counters
    }

    /// The counters of the thread that scales for all rungs: its frames, CPU time and queue.
    pub fn scaling(&self) -> &Arc<RungCounters> {
        &self.scaling
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), LadderError> {
    // Threads end by themselves once their channels close, so none is joined:
    // waiting here for a caller who stopped reading would never end.
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map(|_| ()).map_err(|err| LadderError::Thread(err.to_string()))
}
