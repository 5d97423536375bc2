//! A channel: composed per tick, encoded into its rungs, turned into tags and
//! handed to its ways out.
//!
//! Threads: one composes (and encodes the one AAC stream), the ladder has its
//! own, and each rung has one that makes tags, encrypts and fans out.
//!
//! While its picture is the same as another channel's, a channel can carry what that one encodes:
//! its own ladder pauses, and its rungs take the coded pictures of the other's.

pub(crate) mod carry;
mod cipher;
pub(crate) mod compose;
mod composing;
pub(crate) mod copy;
mod cores;
mod in_step;
mod interleave;
mod ladder;
pub(crate) mod limiter;
pub(crate) mod making;
pub(crate) mod marks;
pub(crate) mod meter;
pub(crate) mod outlets;
pub(crate) mod renew;
mod rise;
pub(crate) mod rung;
pub(crate) mod scene;
pub(crate) mod sound;
pub(crate) mod splice;
mod vbv;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use codecs::{
    AudioEncoderSettings, EncoderThreads, Ladder, LadderSettings, RungCounters, RungDuty, VideoEncoderName,
};
use crossbeam_channel::{Receiver, Sender, bounded, never};
use media::{Key, Size, Span, Time, VideoParams};
use pipeline_dsl as dsl;

use crate::channel::compose::{Composer, Layers};
use crate::channel::composing::{LadderChange, Runs, Stage};
use crate::channel::copy::{
    Copied, CopyDesk, CopyStep, CopyWork, StandInSettings, StandInThread, open_stand_in,
};
use crate::channel::in_step::InStep;
use crate::channel::making::{Described, Making, Pictured};
use crate::channel::marks::{MarkStates, Marks};
use crate::channel::meter::RungMeter;
use crate::channel::outlets::{Outlet, Outlets};
use crate::channel::renew::Renewing;
use crate::channel::rung::{EncryptOrder, Feeds, RungEnd, RungOrder};
use crate::egress::feed::Feed;
use crate::egress::play::Programs;
use crate::event::Level;
use crate::keys::ChannelKeys;
use crate::options::Mode;
use crate::rehearse::Codecs;
use crate::reporter::Reporter;
use crate::stage::StageMeter;
use crate::start::{Place, StartError};
use crate::thumb::Glance;

/// Ticks that may wait to be composed in real time. Offline none need, and each would hold a picture.
const WAITING: usize = 3;

/// One tick's work.
pub(crate) struct Work {
    /// Other watermarks from this tick on.
    pub(crate) redrawn: Option<Marks>,
    /// Show time.
    pub(crate) at: Time,
    pub(crate) pictures: Pictures,
    /// What its copying rung needs of this tick, if it has one.
    pub(crate) copy: Option<CopyWork>,
    /// Other rungs from this tick on.
    pub(crate) ladder: Option<LadderChange>,
    /// What becomes of rungs from this tick on, by their encoders' numbers in the ladder.
    pub(crate) duties: Vec<(usize, RungDuty)>,
    /// Who wants to see what is composed: this channel's picture, and of those that carry it.
    pub(crate) glances: Vec<Glance>,
    /// How its watermarks are to be.
    pub(crate) marks: Arc<MarkStates>,
    /// Interleaved samples of exactly this tick.
    pub(crate) sound: Vec<f32>,
}

/// Where a tick's coded pictures come from.
pub(crate) enum Pictures {
    /// It is composed and encoded here.
    Encoded { layers: Layers, key: Key },
    /// From another channel, as the rungs have been told.
    Carried,
}

/// One rung as status and viewers see it.
#[derive(Clone)]
pub(crate) struct RungHandle {
    pub(crate) rung: dsl::Rung,
    /// What its encoder wrote into the headers.
    pub(crate) params: VideoParams,
    pub(crate) meter: Arc<RungMeter>,
    /// The one that is open all the time; none for a rung that copies.
    pub(crate) encoder: Option<RungEncoder>,
    pub(crate) feeds: Feeds,
}

impl RungHandle {
    /// The size of what leaves it.
    pub(crate) fn size(&self) -> Size {
        self.meter.size().unwrap_or(self.rung.size)
    }
}

/// A rung's encoder.
#[derive(Clone)]
pub(crate) struct RungEncoder {
    /// Its number in the channel's ladder.
    pub(crate) place: usize,
    pub(crate) name: VideoEncoderName,
    /// The device that was asked for, where that did not open.
    pub(crate) instead_of: Option<VideoEncoderName>,
    pub(crate) counters: Arc<RungCounters>,
    /// It was opened with.
    pub(crate) threads: EncoderThreads,
    /// CPU time of those that encoded the rung before it, in nanoseconds.
    pub(crate) cpu_before: u64,
}

impl RungEncoder {
    /// All CPU time that encoding the rung took, in nanoseconds.
    pub(crate) fn cpu_nanos(&self) -> u64 {
        self.cpu_before + self.counters.cpu_nanos()
    }
}

/// A running channel.
pub(crate) struct Channel {
    pub(crate) name: String,
    work: Option<Sender<Work>>,
    orders: Vec<Sender<RungOrder>>,
    pub(crate) rungs: Vec<RungHandle>,
    pub(crate) making: Arc<Making>,
    /// What its ladder becomes with the next tick.
    renewing: Renewing,
    /// Decides what its copying rung sends, if it has one.
    copy: Option<CopyDesk>,
    /// With what is encoded where there is nothing to copy.
    stand_in: Option<Arc<Mutex<LadderSettings>>>,
    pub(crate) outlets: Vec<Outlet>,
    threads: Vec<JoinHandle<()>>,
    pulse: Arc<Pulse>,
    /// What composing and the sound cost.
    pub(crate) costs: Arc<StageMeter>,
    /// What scaling does.
    pub(crate) scaling: Option<Arc<RungCounters>>,
    reporter: Reporter,
}

/// A channel that no longer takes ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Gone;

/// How a channel is doing, told by its own threads.
#[derive(Debug, Default)]
struct Pulse {
    /// Frames its ladder took.
    frames: AtomicU64,
    failed: AtomicBool,
}

impl Pulse {
    /// Tells the channel's failure, the first time.
    fn fail(&self, reporter: &Reporter, message: impl Into<String>) {
        if !self.failed.swap(true, Ordering::Relaxed) {
            reporter.event(Level::Alarm, "channel-failed", message);
        }
    }
}

/// A channel whose encoders are open and whose ways out are planned: nothing is written yet.
pub(crate) struct OpenChannel {
    channel: Channel,
    ends: Vec<RungEnd>,
    stage: Stage,
    /// What encodes for a rung that copies.
    stand_in: Option<StandInThread>,
    jobs: Receiver<Work>,
    outlets: Outlets,
}

impl OpenChannel {
    /// Makes the recordings' files; they go again if the show does not start.
    pub(crate) fn create_files(&mut self, place: &Place) -> Result<(), StartError> {
        self.outlets.create_files(place)
    }

    /// Adds what of it players may ask for.
    pub(crate) fn serve(&self, programs: &Programs) {
        self.outlets.serve(programs);
    }

    /// Starts the threads.
    pub(crate) fn start(self, place: &Place) -> Result<Channel, StartError> {
        let Self { mut channel, ends, stage, stand_in, jobs, outlets } = self;
        // On an error all but the channel is dropped in there, so its threads end and can be joined.
        channel.spawn(ends, stage, stand_in, jobs, outlets, place)?;
        Ok(channel)
    }
}

/// What is added to every time stamp: B-frames and AAC priming lie before the first picture.
pub(crate) fn lead(show: &dsl::Show) -> Span {
    let reorder = show.video.rate.tick_span().times(2);
    let priming = Span::from_units(1024, 1, show.audio.rate.hz());
    Span::from_millis((reorder.max(priming)).as_millis_rounded() + 1)
}

/// Tells of a rung whose device did not open.
fn say_missing(reporter: &Reporter, channel: &str, rung: &str, why: &str) {
    let message = format!("software encodes it: {why}");
    reporter.of(format!("{channel}/{rung}")).event(Level::Alarm, "encoder-fallback", message);
}

impl Channel {
    /// Opens encoders and plans outlets.
    pub(crate) fn open(
        show: &dsl::Show,
        channel: &dsl::Channel,
        keys: Option<Arc<ChannelKeys>>,
        place: &Place,
    ) -> Result<OpenChannel, StartError> {
        let fail = |message: String| StartError::Channel { channel: channel.name.clone(), message };
        let ladder_model = show
            .ladder(&channel.ladder)
            .ok_or_else(|| fail(format!("there is no ladder {}", channel.ladder)))?;
        // With several threads x264 keeps within its buffer by how far each of them happens to be:
        // offline the same show is to give the same bytes.
        let cores = match (place.mode, &place.life) {
            (Mode::RealTime, None) => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            _ => 1,
        };
        let settings = LadderSettings { turns: place.turns(), ..ladder::settings(show, ladder_model, cores) };
        let threads: Vec<EncoderThreads> = settings.rungs.iter().map(|rung| rung.threads).collect();
        let mut encoded = match settings {
            settings if settings.rungs.is_empty() => None,
            settings => Some(
                Ladder::start(Arc::clone(&place.kit), settings)
                    .map_err(|e| fail(format!("the ladder does not start: {e}")))?,
            ),
        };
        let mut settings_of_stand_in = None;
        let mut copying = match ladder_model.copied() {
            None => None,
            Some(rung) => {
                let ladder = ladder::stand_in(show, ladder_model, rung, cores);
                let settings =
                    StandInSettings { kit: Arc::clone(&place.kit), ladder: Arc::new(Mutex::new(ladder)) };
                settings_of_stand_in = Some(Arc::clone(&settings.ladder));
                let opened = open_stand_in(settings, rung.size);
                Some(opened.map_err(|e| fail(format!("rung {}: {e}", rung.name)))?)
            }
        };
        let own = ladder_model.rungs.iter().filter(|rung| !rung.is_copied());
        let mut missing = Vec::new();
        for (place, why) in encoded.iter().flat_map(|ladder| ladder.stand_ins()) {
            missing.extend(own.clone().nth(*place).map(|rung| (rung, why.to_string())));
        }
        if let (Some((_, thread, _)), Some(rung)) = (&copying, ladder_model.copied()) {
            missing.extend(thread.missing().map(|why| (rung, why.to_string())));
        }
        for (rung, why) in missing {
            say_missing(&place.reporter, &channel.name, &rung.name, &why);
        }
        let audio_settings = AudioEncoderSettings {
            rate: show.audio.rate,
            channels: show.audio.layout.channels(),
            bitrate: ladder_model.audio_bitrate,
        };
        let audio = place
            .kit
            .audio_encoder(&audio_settings)
            .map_err(|e| fail(format!("the AAC encoder does not start: {e}")))?;
        let drawn = place.life.as_ref().is_none_or(|life| life.codecs == Codecs::Pixels);
        let mut composer = match drawn {
            true => Composer::new(show, channel, &place.inputs),
            false => Ok(Composer::bare(show, channel)),
        }
        .map_err(&fail)?;
        if place.mode == Mode::Offline
            && place.life.is_none()
            && let Some(name) = composer.marks().needs_day()
        {
            return Err(fail(format!(
                "its watermark {name} shows the time of day, and an offline show has none: \
                 use `timecode show`, or run in real time"
            )));
        }

        let wants_clear = keys.is_some() && channel.egresses.iter().any(|e| e.door == dsl::Door::Clear);
        let tick = show.video.rate.tick_span();
        let own = encoded.as_mut().map(|ladder| (ladder.params().to_vec(), ladder.outputs()));
        let (params, outputs) = own.unwrap_or_default();
        let counters = encoded.as_ref().map_or_else(Vec::new, |ladder| ladder.counters().to_vec());
        let names = encoded.as_ref().map_or_else(Vec::new, |ladder| ladder.encoders().to_vec());
        let asked = ladder_model.rungs.iter().filter(|rung| !rung.is_copied());
        let asked = asked.map(|rung| ladder::name(ladder_model.encoder_of(rung)));
        let encoders = counters.into_iter().zip(names).zip(asked).zip(threads).enumerate();
        let encoders = encoders.map(|(place, (((counters, name), asked), threads))| {
            let instead_of = (asked != name).then_some(asked);
            RungEncoder { place, name, instead_of, counters, threads, cpu_before: 0 }
        });
        let mut own = params.into_iter().zip(outputs).zip(encoders);
        let names = ladder_model.rungs.iter().map(|rung| rung.name.clone()).collect();
        let (in_step, parts) = InStep::new(names, place.reporter.of(&channel.name));
        let sound = audio.params().config.clone();
        let making = Making { channel: channel.name.clone(), sound, keys, in_step, cores };
        let (mut handles, mut ends) = (Vec::new(), Vec::new());
        let (mut orders, mut sounds) = (Vec::new(), Vec::new());
        for (rung, in_step) in ladder_model.rungs.iter().zip(parts) {
            let stands_in = copying.as_ref().filter(|_| rung.is_copied());
            let pictured = match stands_in {
                // What encodes it is told with each stretch.
                Some((.., params)) => {
                    Some(Pictured { params: params.clone(), video: never(), encoder: None })
                }
                None => own.next().map(|((params, video), encoder)| Pictured {
                    params,
                    video,
                    encoder: Some(encoder),
                }),
            };
            let Some(pictured) = pictured else { break };
            let clear = wants_clear.then(|| Arc::new(Feed::default()));
            let described = Described { show, ladder: ladder_model, rung };
            let made = making.rung(described, pictured, in_step, clear, place).map_err(&fail)?;
            handles.push(made.handle);
            ends.push(made.end);
            orders.push(made.order);
            sounds.push((rung.name.clone(), made.sound));
        }
        let outlets = Outlets::plan(channel, &handles, place)?;
        let pulse = Arc::new(Pulse::default());
        let (work, jobs) = bounded(match place.mode {
            Mode::RealTime => WAITING,
            Mode::Offline => 0,
        });
        let copy = copying.as_ref().map(|_| CopyDesk::new(tick, show.video.size));
        let costs = Arc::new(StageMeter::default());
        let scaling = encoded.as_ref().map(|ladder| Arc::clone(ladder.scaling()));
        let (stand_in, stand_in_thread) = match copying.take() {
            Some((stand_in, thread, _)) => (Some(stand_in), Some(thread)),
            None => (None, None),
        };
        let stage = Stage {
            composer,
            ladder: encoded,
            stand_in,
            audio,
            sounds,
            rate: show.audio.rate,
            channels: show.audio.layout.channels(),
            ladder_runs: Runs::No,
            costs: Arc::clone(&costs),
            timed: place.mode,
            pulse: Arc::clone(&pulse),
            reporter: place.reporter.of(&channel.name),
        };
        let channel = Self {
            name: channel.name.clone(),
            work: Some(work),
            orders,
            rungs: handles,
            making: Arc::new(making),
            renewing: Renewing::default(),
            copy,
            stand_in: settings_of_stand_in,
            outlets: Vec::new(),
            threads: Vec::new(),
            pulse,
            costs,
            scaling,
            reporter: place.reporter.of(&channel.name),
        };
        Ok(OpenChannel { channel, ends, stage, stand_in: stand_in_thread, jobs, outlets })
    }

    fn spawn(
        &mut self,
        ends: Vec<RungEnd>,
        stage: Stage,
        stand_in: Option<StandInThread>,
        jobs: Receiver<Work>,
        outlets: Outlets,
        place: &Place,
    ) -> Result<(), StartError> {
        // Outlets join before the first tag.
        self.outlets = outlets.start(&mut self.threads, place)?;
        for end in ends {
            let name = format!("rung {}/{}", self.name, self.threads.len());
            self.threads.push(place.spawn(name, move || end.run())?);
        }
        if let Some(stand_in) = stand_in {
            let (name, reporter) = (format!("copy {}", self.name), self.reporter.clone());
            self.threads.push(place.spawn(name, move || stand_in.run(&reporter))?);
        }
        let name = format!("channel {}", self.name);
        self.threads.push(place.spawn(name, move || stage.run(&jobs))?);
        Ok(())
    }

    /// Has ways out that were opened while it runs, and the threads they run on.
    pub(crate) fn adopt(&mut self, outlets: Vec<Outlet>, threads: Vec<JoinHandle<()>>) {
        self.outlets.extend(outlets);
        self.threads.extend(threads);
    }

    /// Frames its ladder took.
    pub(crate) fn frames(&self) -> u64 {
        self.pulse.frames.load(Ordering::Relaxed)
    }

    /// Ticks that wait to be composed, and how many can.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let most = self.work.as_ref().and_then(Sender::capacity);
        (self.work.as_ref().map_or(0, Sender::len), most.unwrap_or(WAITING))
    }

    /// Hands in a tick; waits while the channel is behind.
    ///
    /// # Errors
    /// It takes no more; if that is a failure, it has said so itself.
    pub(crate) fn send(&self, work: Work) -> Result<(), Gone> {
        let sender = self.work.as_ref().ok_or(Gone)?;
        self.costs.waits(sender.len());
        sender.send(work).map_err(|_| Gone)
    }

    /// Decides what its copying rung sends at a tick, if it has one, and tells it: `wanted` is the
    /// key frame the channel would have, `copied` what is on air if that can be copied. Where all
    /// rungs have a key frame, and what is to be done with the tick. To be said before that tick's
    /// work.
    pub(crate) fn copy(
        &mut self,
        at: Time,
        wanted: Key,
        copied: Option<&Copied<'_>>,
    ) -> Option<(Key, CopyWork)> {
        let CopyStep { key, stretch, work } = self.copy.as_mut()?.tick(at, wanted, copied);
        let rung = self.rungs.iter().position(|rung| rung.rung.is_copied());
        if let (Some(stretch), Some(order)) = (stretch, rung.and_then(|rung| self.orders.get(rung))) {
            let _ = order.send(RungOrder::Stretch(stretch));
        }
        Some((key, work))
    }

    /// From the key frame at this time on, encrypt like this. To be given before that tick's work.
    pub(crate) fn encrypt(&self, order: EncryptOrder) {
        for sender in &self.orders {
            let _ = sender.send(RungOrder::Encrypt(order));
        }
    }

    /// No more ticks: what was handed in is encoded and written.
    pub(crate) fn finish(&mut self) {
        // What is copied ends with it.
        (self.work, self.copy) = (None, None);
        self.orders.clear();
    }

    /// Waits until all files are closed.
    pub(crate) fn join(&mut self) {
        self.finish();
        for thread in self.threads.drain(..) {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if thread.join().is_err() {
                self.pulse.fail(&self.reporter, format!("its thread {name:?} panicked: this is our bug"));
            }
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.join();
    }
}
