//! A simulated sender: an encoder in the field, a server we pull from, or a camera on a cable, and
//! all that can befall what it sends.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use media::{FrameRate, Key, Packet, SampleRate, Size, Span, Tick, Time, Track};
use pipeline_dsl::rehearsal::{LineFault, LineName};
use scheduling::Backoff;

use crate::ingest::intake::{Arriving, Intake};
use crate::ingest::lane::StreamParams;
use crate::rehearse::chance::Chance;
use crate::rehearse::clip::{BLOCK, Clip};

/// From the sender to us.
const WAY: Span = Span::from_millis(40);
/// By up to this much more, a packet takes now and then.
const JITTER: Span = Span::from_millis(8);
/// It has made its first picture by then.
const WARM: Span = Span::from_millis(80);
/// No sender makes more pictures a second.
const MOST_FPS: u32 = 30;
/// What an encoder in the field sends of 1080p, of smaller pictures by their share, of sound.
const FULL_BITRATE: u64 = 6_000_000;
const LEAST_BITRATE: u64 = 1_000_000;
const MOST_BITRATE: u64 = 20_000_000;
const SOUND_BITRATE: u64 = 128_000;

/// From when to when something befalls a line, in rehearsal time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineTrouble {
    pub(crate) from: Time,
    /// Exclusive.
    pub(crate) to: Time,
    pub(crate) what: LineFault,
}

impl LineTrouble {
    pub(crate) fn holds_at(&self, now: Time) -> bool {
        self.from <= now && now < self.to
    }
}

/// The clips of a rehearsal: one of the usual size, and those of sizes that faults ask for.
pub(crate) struct Clips {
    pub(crate) usual: Arc<Clip>,
    pub(crate) sized: Vec<(Size, Arc<Clip>)>,
}

impl Clips {
    fn of(&self, size: Option<Size>) -> &Clip {
        self.sized.iter().find(|(of, _)| Some(*of) == size).map_or(&self.usual, |(_, clip)| clip)
    }
}

/// How fast a sender makes pictures for a show of this rate.
pub(crate) fn sent_rate(ticks: FrameRate) -> FrameRate {
    let mut den = ticks.den();
    while ticks.num() > MOST_FPS.saturating_mul(den).saturating_add(den / 2) {
        den = den.saturating_mul(2);
    }
    FrameRate::new(ticks.num(), den).unwrap_or(ticks)
}

/// How many bits a second a sender of pictures of this size is taken to send. What it does send is
/// tiny, and would be too little for any `min-bitrate`; who asks for more than is usual has a
/// line that gives half as much again.
pub(crate) fn claimed_bitrate(size: Size, min_bitrate: Option<u32>) -> u64 {
    let share = u64::from(size.width) * u64::from(size.height) * FULL_BITRATE / (1920 * 1080);
    let asked = min_bitrate.map_or(0, |least| u64::from(least) * 3 / 2);
    share.clamp(LEAST_BITRATE, MOST_BITRATE).max(asked)
}

/// Whether its stream is with us.
enum Link {
    /// It is not, and is tried again then.
    Down {
        again: Time,
    },
    Up(Box<Arriving>),
}

/// What its pictures show, and how large they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Scene {
    shows: Shows,
    size: Option<Size>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shows {
    Moving,
    Still,
    Black,
}

/// One of its two streams: the next packet, by its number, by the sender's clock, and by ours.
#[derive(Debug)]
struct Stream {
    next: u64,
    made: Time,
    arrives: Time,
}

pub(crate) struct Sender {
    pub(crate) name: LineName,
    troubles: Vec<LineTrouble>,
    clips: Arc<Clips>,
    rate: FrameRate,
    hz: SampleRate,
    /// Bits a second that it is taken to send.
    bitrate: u64,
    chance: Chance,
    /// What its stamps begin at.
    base: Span,
    pictures: Stream,
    sound: Stream,
    /// The picture its clip began with.
    began: u64,
    scene: Scene,
    link: Link,
    backoff: Backoff,
    /// When something of it last came to us.
    heard: Time,
    /// How long our end waits for one that says nothing; a cable waits for ever.
    patience: Option<Span>,
    /// Whether something before the next picture was lost with the connection or in a stall.
    broken: Broken,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Broken {
    No,
    Yes,
}

/// What a sender is made with.
pub(crate) struct Setting {
    pub(crate) name: LineName,
    pub(crate) troubles: Vec<LineTrouble>,
    pub(crate) clips: Arc<Clips>,
    pub(crate) rate: FrameRate,
    pub(crate) hz: SampleRate,
    /// Bits a second that it is taken to send.
    pub(crate) bitrate: u64,
    pub(crate) patience: Option<Span>,
    /// After which a stream that was cut off is tried again.
    pub(crate) backoff: Backoff,
    /// How long what it sends waits with us.
    pub(crate) buffer: Span,
}

impl Sender {
    /// One that has begun to send before the show does, so that its first picture is there by then.
    pub(crate) fn new(setting: Setting, seed: u64) -> Self {
        let Setting { name, troubles, clips, rate, hz, bitrate, patience, backoff, buffer } = setting;
        let from = Time::ZERO - buffer - WARM;
        let mut chance = Chance::of(seed, &name.to_string());
        // No two clocks tell the same time, and no two cameras make their pictures at once.
        let base = Span::from_secs(100) + Span::from_millis(chance.below(900_000) as i64);
        let begins = from + Span::from_flicks(chance.below(rate.tick_span().flicks().max(1) as u64) as i64);
        let stream = || Stream { next: 0, made: begins, arrives: begins + WAY };
        Self {
            name,
            troubles,
            clips,
            rate,
            hz,
            bitrate,
            base,
            pictures: stream(),
            sound: stream(),
            began: 0,
            scene: Scene { shows: Shows::Moving, size: None },
            link: Link::Down { again: begins },
            backoff,
            heard: begins,
            patience,
            broken: Broken::Yes,
            chance,
        }
    }

    /// When the next packet comes.
    pub(crate) fn next(&self) -> Time {
        self.pictures.arrives.min(self.sound.arrives)
    }

    /// What befalls it at `now`, of one kind.
    fn trouble<T>(&self, now: Time, of: impl Fn(LineFault) -> Option<T>) -> Option<T> {
        self.troubles
            .iter()
            .rev()
            .filter(|trouble| trouble.holds_at(now))
            .find_map(|trouble| of(trouble.what))
    }

    fn has(&self, now: Time, what: LineFault) -> bool {
        self.trouble(now, |fault| (fault == what).then_some(())).is_some()
    }

    /// The next packet comes, where there is somebody to take it.
    pub(crate) fn step(&mut self, intake: Option<&Arc<Intake>>) {
        let now = self.next();
        let track = if self.pictures.arrives <= self.sound.arrives { Track::Video } else { Track::Audio };
        let n = match track {
            Track::Video => self.pictures.next,
            Track::Audio => self.sound.next,
        };
        self.connect(now, intake);
        if let Some(sent) = self.send(now, track, n)
            && let Some(intake) = intake
        {
            intake.counters.weigh(self.weight(track).saturating_sub(sent));
        }
        self.make_next(track, now);
    }

    /// The connection breaks, or is tried again.
    fn connect(&mut self, now: Time, intake: Option<&Arc<Intake>>) {
        let is_lost = self.has(now, LineFault::Lost);
        let is_deaf = matches!(self.link, Link::Up(_))
            && self.patience.is_some_and(|patience| now - self.heard > patience);
        match (&self.link, intake) {
            (Link::Up(_), Some(_)) if !is_lost && !is_deaf => {}
            (Link::Up(_), _) => {
                let why = if is_lost { "the connection was reset" } else { "nothing came for too long" };
                self.hang_up(now, why);
            }
            (Link::Down { again }, _) if now < *again => {}
            (Link::Down { .. }, Some(intake)) if !is_lost && !self.has(now, LineFault::Stall) => {
                match intake.begin(format!("{}, simulated", self.name)) {
                    Ok(arriving) => {
                        self.link = Link::Up(Box::new(arriving));
                        self.backoff.worked();
                        (self.broken, self.heard) = (Broken::Yes, now);
                        self.tell_params();
                    }
                    Err(_) => self.wait(now),
                }
            }
            (Link::Down { .. }, _) => self.wait(now),
        }
    }

    fn wait(&mut self, now: Time) {
        let wait = self.backoff.failed(self.chance.roll());
        self.link = Link::Down { again: now + wait };
    }

    /// The stream ends here, and is tried again.
    pub(crate) fn hang_up(&mut self, now: Time, why: &str) {
        let again = now + self.backoff.failed(self.chance.roll());
        if let Link::Up(arriving) = std::mem::replace(&mut self.link, Link::Down { again }) {
            arriving.end(why.to_owned());
        }
    }

    /// Nobody is there any more who could be told that it ends.
    pub(crate) fn cut_off(&mut self, now: Time) {
        self.link = Link::Down { again: now };
        self.wait(now);
    }

    fn tell_params(&mut self) {
        let clip = self.clips.of(self.scene.size);
        if let Link::Up(arriving) = &mut self.link {
            arriving.params(StreamParams::Video(clip.video.clone()));
            arriving.params(StreamParams::Audio(clip.audio.clone()));
        }
    }

    /// Sends a packet, if it gets through. Gives how many bytes it has.
    fn send(&mut self, now: Time, track: Track, n: u64) -> Option<u64> {
        if matches!(self.link, Link::Down { .. }) || self.has(now, LineFault::Stall) {
            self.broken = Broken::Yes;
            return None;
        }
        let (data, key) = match track {
            Track::Video => self.picture(now, n),
            Track::Audio => (self.block(now, n), Key::Frame),
        };
        self.heard = now;
        let drips = self.trouble(now, |fault| match fault {
            LineFault::Drip(share) => Some(share),
            _ => None,
        });
        if drips.is_some_and(|share| !self.chance.hits(share.millionths())) {
            return None;
        }
        let data = self.through_the_air(now, data);
        let own = match track {
            Track::Video => self.rate.time_of(Tick(n)),
            Track::Audio => self.hz.time_of(n as i64 * BLOCK),
        };
        let at = own + self.base + self.jumped(now);
        let packet = Packet { track, pts: at, dts: at, duration: None, key, data };
        let Link::Up(arriving) = &mut self.link else { return None };
        let sent = packet.data.len() as u64;
        arriving.packet(packet);
        Some(sent)
    }

    /// How many bytes a packet of this track is taken to have.
    fn weight(&self, track: Track) -> u64 {
        let (bits, lasts) = match track {
            Track::Video => (self.bitrate.saturating_sub(SOUND_BITRATE), self.rate.tick_span()),
            Track::Audio => (SOUND_BITRATE, self.hz.time_of(BLOCK) - Time::ZERO),
        };
        (bits as f64 / 8.0 * lasts.as_secs_f64()) as u64
    }

    /// Its `n`th picture.
    fn picture(&mut self, now: Time, n: u64) -> (Bytes, Key) {
        let size = self.trouble(now, |fault| match fault {
            LineFault::Resolution(size) => Some(size),
            _ => None,
        });
        let shows = if self.has(now, LineFault::Black) {
            Shows::Black
        } else if self.has(now, LineFault::Freeze) {
            Shows::Still
        } else {
            Shows::Moving
        };
        let scene = Scene { shows, size };
        let before = std::mem::replace(&mut self.scene, scene);
        if before.size != size {
            self.tell_params();
        }
        if before != scene || self.broken == Broken::Yes {
            (self.began, self.broken) = (n, Broken::No);
        }
        let clip = self.clips.of(size);
        match shows {
            Shows::Black => (clip.black.clone(), Key::Frame),
            Shows::Still => {
                (clip.pictures.first().map_or_else(Bytes::new, |(data, _)| data.clone()), Key::Frame)
            }
            Shows::Moving => {
                let at = (n - self.began) as usize % clip.pictures.len().max(1);
                clip.pictures.get(at).cloned().unwrap_or((Bytes::new(), Key::Delta))
            }
        }
    }

    /// Its `n`th block of sound.
    fn block(&self, now: Time, n: u64) -> Bytes {
        let clip = self.clips.of(None);
        if self.has(now, LineFault::Silence) {
            return clip.silent.clone();
        }
        clip.sound.get(n as usize % clip.sound.len().max(1)).cloned().unwrap_or_default()
    }

    /// By how much its stamps are off.
    fn jumped(&self, now: Time) -> Span {
        let holds = self.troubles.iter().filter(|trouble| trouble.holds_at(now));
        holds.fold(Span::ZERO, |sum, trouble| match trouble.what {
            LineFault::Jump(by) => sum + by,
            _ => sum,
        })
    }

    /// What comes of a packet's bytes.
    fn through_the_air(&mut self, now: Time, data: Bytes) -> Bytes {
        let share = self.trouble(now, |fault| match fault {
            LineFault::Corrupt(share) => Some(share),
            _ => None,
        });
        if data.is_empty() || !share.is_some_and(|share| self.chance.hits(share.millionths())) {
            return data;
        }
        let mut bytes = BytesMut::from(&data[..]);
        for _ in 0..3 {
            let at = self.chance.below(bytes.len() as u64) as usize;
            // Never zero, so that the byte is another one.
            bytes[at] ^= 1 << self.chance.below(8);
        }
        bytes.freeze()
    }

    /// When the stream's next packet is made, and when it comes.
    fn make_next(&mut self, track: Track, now: Time) {
        let ppm = self.trouble(now, |fault| match fault {
            LineFault::Drift(drift) => Some(drift.ppm()),
            _ => None,
        });
        let late = Span::from_flicks(self.chance.below(JITTER.flicks() as u64) as i64);
        let (stream, own) = match track {
            Track::Video => {
                let n = self.pictures.next;
                let own = self.rate.time_of(Tick(n + 1)) - self.rate.time_of(Tick(n));
                (&mut self.pictures, own)
            }
            Track::Audio => {
                let n = self.sound.next as i64;
                let own = self.hz.time_of((n + 1) * BLOCK) - self.hz.time_of(n * BLOCK);
                (&mut self.sound, own)
            }
        };
        // A fast clock makes them sooner.
        let speed = 1_000_000 + i128::from(ppm.unwrap_or(0));
        let took = i128::from(own.flicks()) * 1_000_000 / speed;
        stream.next += 1;
        stream.made += Span::from_flicks(i64::try_from(took).unwrap_or(own.flicks()));
        // One connection brings all in the order it was sent.
        stream.arrives = (stream.made + WAY + late).max(now);
    }
}
