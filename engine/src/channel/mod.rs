//! A channel: composed per tick, encoded into its rungs, turned into tags and
//! handed to its ways out.
//!
//! Threads: one composes (and encodes the one AAC stream), the ladder has its
//! own, and each rung has one that makes tags, encrypts and fans out.

pub(crate) mod compose;
mod interleave;
pub(crate) mod meter;
pub(crate) mod outlets;
pub(crate) mod rung;
pub(crate) mod sound;

use std::sync::Arc;
use std::thread::JoinHandle;

use codecs::{
    AudioEncoderSettings, EncoderThreads, Frame, Ladder, LadderSettings, Pcm, VideoEncoderSettings,
};
use crossbeam_channel::{Receiver, Sender, bounded};
use flv::script::{CodecId, Metadata};
use flv::{FlvMillis, Tag, TagKind};
use media::{Key, Packet, Span, Time};
use pipeline_dsl as dsl;

use crate::channel::compose::{Composer, Layers};
use crate::channel::meter::RungMeter;
use crate::channel::outlets::{Outlet, Outlets};
use crate::channel::rung::{EncryptOrder, Feeds, GapTime, RungEnd};
use crate::egress::feed::Feed;
use crate::event::Level;
use crate::keys::ChannelKeys;
use crate::options::Mode;
use crate::start::{Place, StartError};

/// Ticks that may wait to be composed.
const WAITING: usize = 3;
/// AAC packets that may wait for one rung.
const SOUND_WAITING: usize = 256;

/// One tick's work.
pub(crate) struct Work {
    /// Show time.
    pub(crate) at: Time,
    pub(crate) layers: Layers,
    pub(crate) key: Key,
    /// Interleaved samples of exactly this tick.
    pub(crate) sound: Vec<f32>,
}

/// One rung as status and viewers see it.
pub(crate) struct RungHandle {
    pub(crate) rung: dsl::Rung,
    pub(crate) meter: Arc<RungMeter>,
    pub(crate) feeds: Feeds,
}

/// A running channel.
pub(crate) struct Channel {
    pub(crate) name: String,
    work: Option<Sender<Work>>,
    orders: Vec<Sender<EncryptOrder>>,
    pub(crate) rungs: Vec<RungHandle>,
    pub(crate) outlets: Vec<Outlet>,
    threads: Vec<JoinHandle<()>>,
}

fn ladder_settings(show: &dsl::Show, ladder: &dsl::Ladder) -> LadderSettings {
    let rungs = ladder.rungs.iter().map(|rung| VideoEncoderSettings {
        size: rung.size,
        rate: show.video.rate,
        bitrate: rung.bitrate,
        preset: ladder.preset.as_str(),
        keyframe: ladder.keyframe,
        // Rungs are many and cores few: one thread each costs the least CPU, and is deterministic.
        threads: EncoderThreads::One,
    });
    LadderSettings { rate: show.video.rate, rungs: rungs.collect() }
}

/// What is added to every time stamp: B-frames and AAC priming lie before the first picture.
fn lead(show: &dsl::Show) -> Span {
    let reorder = show.video.rate.tick_span().times(2);
    let priming = Span::from_units(1024, 1, show.audio.rate.hz());
    Span::from_millis((reorder.max(priming)).as_millis_rounded() + 1)
}

impl Channel {
    /// Opens encoders and outlets and starts the threads.
    pub(crate) fn start(
        show: &dsl::Show,
        channel: &dsl::Channel,
        keys: Option<Arc<ChannelKeys>>,
        place: &Place,
    ) -> Result<Self, StartError> {
        let fail = |message: String| StartError::Channel { channel: channel.name.clone(), message };
        let ladder_model = show
            .ladder(&channel.ladder)
            .ok_or_else(|| fail(format!("there is no ladder {}", channel.ladder)))?;
        let settings = ladder_settings(show, ladder_model);
        let mut ladder = Ladder::start(Arc::clone(&place.kit), settings)
            .map_err(|e| fail(format!("the ladder does not start: {e}")))?;
        let audio_settings = AudioEncoderSettings {
            rate: show.audio.rate,
            channels: show.audio.layout.channels(),
            bitrate: ladder_model.audio_bitrate,
        };
        let audio = place
            .kit
            .audio_encoder(&audio_settings)
            .map_err(|e| fail(format!("the AAC encoder does not start: {e}")))?;
        let composer = Composer::new(show, channel, &place.inputs).map_err(&fail)?;

        let wants_clear = keys.is_some() && channel.egresses.iter().any(|e| e.door == dsl::Door::Clear);
        let mut handles = Vec::new();
        let mut ends = Vec::new();
        let (mut orders, mut sounds) = (Vec::new(), Vec::new());
        let params = ladder.params().to_vec();
        for ((rung, params), video) in ladder_model.rungs.iter().zip(params).zip(ladder.outputs()) {
            let headers = headers(show, ladder_model, rung, &params.config, &audio.params().config)
                .map_err(|e| fail(format!("rung {}: {e}", rung.name)))?;
            let main = Arc::new(Feed::default());
            let clear = wants_clear.then(|| Arc::new(Feed::default()));
            let (order, ordered) = bounded(64);
            let (sound, sounded) = bounded::<Packet>(SOUND_WAITING);
            orders.push(order);
            sounds.push(sound);
            let meter = Arc::new(RungMeter::default());
            ends.push(RungEnd {
                video,
                audio: sounded,
                orders: ordered,
                headers,
                feeds: Feeds { main: Arc::clone(&main), clear: clear.clone() },
                keys: keys.clone(),
                meter: Arc::clone(&meter),
                lead: lead(show),
                gap_time: match place.mode {
                    Mode::RealTime => GapTime::Wall,
                    Mode::Offline => GapTime::Media,
                },
                reporter: place.reporter.of(format!("{}/{}", channel.name, rung.name)),
            });
            handles.push(RungHandle { rung: rung.clone(), meter, feeds: Feeds { main, clear } });
        }
        // Outlets join before the first tag.
        let Outlets { outlets, mut threads, .. } = Outlets::open(channel, &handles, place)?;
        for end in ends {
            threads.push(place.spawn(format!("rung {}/{}", channel.name, threads.len()), move || end.run())?);
        }
        let (work, jobs) = bounded(WAITING);
        let stage = Stage {
            composer,
            ladder,
            audio,
            sounds,
            rate: show.audio.rate,
            channels: show.audio.layout.channels(),
            reporter: place.reporter.of(&channel.name),
        };
        threads.push(place.spawn(format!("channel {}", channel.name), move || stage.run(&jobs))?);
        Ok(Self { name: channel.name.clone(), work: Some(work), orders, rungs: handles, outlets, threads })
    }

    /// Hands in a tick; waits while the channel is behind.
    pub(crate) fn send(&self, work: Work) {
        if let Some(sender) = &self.work {
            // A stage that has failed has said so itself.
            let _ = sender.send(work);
        }
    }

    /// From the key frame at this time on, encrypt like this. To be given before that tick's work.
    pub(crate) fn encrypt(&self, order: EncryptOrder) {
        for sender in &self.orders {
            let _ = sender.send(order);
        }
    }

    /// No more ticks: what was handed in is encoded and written.
    pub(crate) fn finish(&mut self) {
        self.work = None;
    }

    /// Waits until all files are closed.
    pub(crate) fn join(&mut self) {
        self.finish();
        for thread in self.threads.drain(..) {
            // A panic was reported by its thread's own hook.
            let _ = thread.join();
        }
    }
}

fn headers(
    show: &dsl::Show,
    ladder: &dsl::Ladder,
    rung: &dsl::Rung,
    video: &[u8],
    audio: &[u8],
) -> Result<[Tag; 3], String> {
    let metadata = Metadata {
        duration: Some(0.0),
        width: Some(rung.size.width),
        height: Some(rung.size.height),
        framerate: Some(show.video.rate.as_f64()),
        videodatarate: Some(f64::from(rung.bitrate) / 1000.0),
        videocodecid: Some(CodecId::AVC),
        audiodatarate: Some(f64::from(ladder.audio_bitrate) / 1000.0),
        audiosamplerate: Some(f64::from(show.audio.rate.hz())),
        audiosamplesize: Some(16),
        layout: Some(match show.audio.layout {
            dsl::Layout::Mono => flv::audio::Layout::Mono,
            dsl::Layout::Stereo => flv::audio::Layout::Stereo,
        }),
        audiocodecid: Some(CodecId::AAC),
        encoder: Some(concat!("obvan ", env!("CARGO_PKG_VERSION")).to_owned()),
        ..Metadata::default()
    };
    let tag = |kind, body| Tag::new(kind, FlvMillis(0), body).map_err(|e| e.to_string());
    Ok([
        metadata.to_tag(FlvMillis(0)).map_err(|e| e.to_string())?,
        tag(TagKind::Video, flv::video::avc_sequence_header(video))?,
        tag(TagKind::Audio, flv::audio::aac_sequence_header(audio))?,
    ])
}

/// The composing thread's belongings.
struct Stage {
    composer: Composer,
    ladder: Ladder,
    audio: Box<dyn codecs::AudioEncoder>,
    sounds: Vec<Sender<Packet>>,
    rate: media::SampleRate,
    channels: u8,
    reporter: crate::reporter::Reporter,
}

impl Stage {
    fn run(mut self, jobs: &Receiver<Work>) {
        for work in jobs {
            if let Err(error) = self.tick(work) {
                self.reporter.event(Level::Alarm, "channel-failed", error);
                break;
            }
        }
        if let Err(error) = self.audio.flush().map_err(|e| e.to_string()).and_then(|()| self.send_sound()) {
            self.reporter.event(Level::Alarm, "channel-failed", error);
        }
        self.ladder.finish();
    }

    fn tick(&mut self, work: Work) -> Result<(), String> {
        let picture = self.composer.compose(&work.layers).map_err(|e| e.to_string())?;
        self.ladder.send(Frame { pts: work.at, picture }, work.key).map_err(|e| e.to_string())?;
        let pcm = Pcm::new(work.at, self.rate, self.channels, work.sound);
        self.audio.send(&pcm).map_err(|e| e.to_string())?;
        self.send_sound()
    }

    fn send_sound(&mut self) -> Result<(), String> {
        while let Some(packet) = self.audio.receive().map_err(|e| e.to_string())? {
            for sound in &self.sounds {
                // A rung that has failed takes no more; the others go on.
                let _ = sound.send(packet.clone());
            }
        }
        Ok(())
    }
}
