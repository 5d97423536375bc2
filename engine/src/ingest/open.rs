//! Lines and fillers of a show, opened: from the model to what the tick takes from.

use std::sync::Arc;
use std::thread::JoinHandle;

use media::Span;
use pipeline_dsl as dsl;
use pipeline_dsl::rehearsal::LineName;

use crate::event::Level;
use crate::ingest::align::Seat;
use crate::ingest::buffer::{AHEAD, LineBuffer, Pace};
use crate::ingest::device::{self, Camera, DeviceLine, Microphone};
use crate::ingest::end::EndOfLine;
use crate::ingest::file::FileLine;
use crate::ingest::flv_pull::{self, FlvPull};
use crate::ingest::intake::Intake;
use crate::ingest::iso::{self, Iso};
use crate::ingest::lane::{Decoding, Shape};
use crate::ingest::live::LiveLine;
use crate::ingest::pattern::TestSource;
use crate::ingest::play::{self, PlayLine};
use crate::ingest::point::{Point, Points};
use crate::ingest::source::{HeldLine, LiveEnd, NotHad, Registered, Runs, SourceTracks};
use crate::ingest::standby::Orders;
use crate::ingest::still::Still;
use crate::ingest::together::{self, Together};
use crate::ingest::wire::{AddressError, Wire, WireLine};
use crate::ingest::{Line, LineCounters, Origin};
use crate::keys;
use crate::options::Mode;
use crate::reporter::Reporter;
use crate::resume::KeptShow;
use crate::seldom::{Measure, Seldom};
use crate::start::{Place, StartError};
use crate::stream_key::StreamKey;

/// Held by a thread that goes and gets a line: a panic there is told.
struct Attended(Reporter, Whose);

/// Whose code such a thread runs.
#[derive(Clone, Copy)]
enum Whose {
    Ours,
    /// Of the program that embeds the engine.
    Source,
}

impl Drop for Attended {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let message = match self.1 {
                Whose::Ours => "its thread panicked: this is our bug; nothing more is received",
                Whose::Source => "the source panicked; nothing more is received",
            };
            self.0.event(Level::Alarm, "line-error", message);
        }
    }
}

/// Opens lines; what they run on is collected here.
pub(crate) struct Opener<'a> {
    pub(crate) show: &'a dsl::Show,
    pub(crate) place: &'a Place,
    pub(crate) points: Points,
    /// The lines that tell the time of day.
    pub(crate) together: Arc<Together>,
    /// UDP ports that lines of this show wait on, and which.
    pub(crate) bound: Vec<(dsl::Bound, String)>,
    pub(crate) threads: &'a mut Vec<JoinHandle<()>>,
    /// What records the line that is being opened, until its intake takes it.
    pub(crate) iso: Option<Iso>,
    /// Where the line that is being opened finds its place in its camera, and what is wanted of it.
    pub(crate) seat: Option<Arc<Seat>>,
    pub(crate) orders: Option<Arc<Orders>>,
    /// What is done about interlaced pictures of the line that is being opened.
    pub(crate) deinterlace: dsl::Deinterlace,
    /// What an engine left that died, if this one goes on from it.
    pub(crate) kept: Option<&'a KeptShow>,
}

impl Opener<'_> {
    fn shape(&self) -> Shape {
        Shape {
            kit: Arc::clone(&self.place.kit),
            canvas: self.show.video.size,
            ticks: self.show.video.rate,
            rate: self.show.audio.rate,
            channels: self.show.audio.layout.channels(),
            deinterlace: self.deinterlace,
            decoding: Decoding::of_held(self.show, self.place.mode),
        }
    }

    fn buffer(&self, pace: Pace) -> Arc<LineBuffer> {
        let audio = self.show.audio;
        let tick = self.show.video.rate.tick_span();
        let buffer = LineBuffer::new(pace, tick, audio.rate, audio.layout.channels());
        // Before the first packet, so that all of them are there.
        if self.show.ladders.iter().any(|ladder| ladder.copied().is_some()) {
            buffer.coded.want();
        }
        Arc::new(buffer)
    }

    /// What is kept of a line that can be held back. In real time it delivers ahead, since decoding
    /// may take longer now and then; offline the tick waits, and pictures would only take memory.
    fn held(&self) -> Arc<LineBuffer> {
        self.buffer(Pace::Held {
            ahead: match self.place.mode {
                Mode::RealTime => AHEAD,
                Mode::Offline => Span::ZERO,
            },
        })
    }

    /// An offline show has no live lines.
    fn live_only(&self, subject: &str) -> Result<(), StartError> {
        match self.place.mode {
            Mode::Offline if self.place.life.is_some() => Ok(()),
            Mode::Offline => Err(StartError::LiveOffline { subject: subject.to_owned(), what: "line" }),
            Mode::RealTime => Ok(()),
        }
    }

    /// A line that waits for datagrams needs a port of its own. The check of the show file says the
    /// same, yet a variable or a show built in code comes only here.
    fn take_port(&mut self, address: &str, subject: &str) -> Result<(), StartError> {
        let Some(bound) = dsl::Bound::of(address) else { return Ok(()) };
        if let Some((_, first)) = self.bound.iter().find(|(taken, _)| taken.clashes(&bound)) {
            let message = format!("the line {first} waits on UDP port {} already", bound.port());
            return Err(StartError::Line { subject: subject.to_owned(), message });
        }
        self.bound.push((bound, subject.to_owned()));
        Ok(())
    }

    /// A line that decodes what arrives at the intake.
    fn live(
        &mut self,
        subject: &str,
        live: dsl::Live,
        counters: &Arc<LineCounters>,
        reporter: &Reporter,
    ) -> Result<(Arc<Intake>, Arc<LineBuffer>), StartError> {
        let (intake, arrivals) = Intake::new(reporter.clone());
        let intake = intake.counted(counters).recorded(self.iso.take());
        // By the clock it is in step already, or on purpose not.
        let seat = self.seat.take().filter(|_| live.sync == dsl::SyncBy::Arrival);
        let buffer = self.buffer(Pace::Live {
            // It may have to wait for others, too.
            depth: live.buffer
                + match live.sync {
                    dsl::SyncBy::Clock => together::MOST,
                    dsl::SyncBy::Arrival => Span::ZERO,
                },
        });
        let line = LiveLine {
            arrivals,
            shape: Shape { decoding: Decoding::of_live(self.show), ..self.shape() },
            depth: live.buffer,
            sync: live.sync,
            together: Arc::clone(&self.together),
            seat: seat.unwrap_or_default(),
            orders: self.orders.take().unwrap_or_default(),
            buffer: Arc::clone(&buffer),
            counters: Arc::clone(counters),
            reporter: reporter.clone(),
        };
        counters.time(|timing| timing.buffer = Some(live.buffer));
        if let Some(life) = &self.place.life {
            let (camera, name) = subject.split_once('/').unwrap_or((subject, subject));
            let name = LineName { camera: camera.to_owned(), line: name.to_owned() };
            let intake = Arc::new(intake);
            life.add_line(name, Arc::clone(&intake), line);
            return Ok((intake, buffer));
        }
        let end = EndOfLine {
            buffer: Arc::clone(&buffer),
            counters: Arc::clone(counters),
            reporter: reporter.clone(),
        };
        let work = move || {
            let _end = end;
            line.run();
        };
        self.threads.push(self.place.spawn(format!("live {subject}"), work)?);
        Ok((Arc::new(intake), buffer))
    }

    /// A line that a source of the program's hands in to; what is to run on a thread, if anything.
    fn source(
        &mut self,
        source: Registered,
        subject: &str,
        counters: &Arc<LineCounters>,
        reporter: &Reporter,
        live: dsl::Live,
    ) -> Result<(Option<Runs>, Arc<LineBuffer>), StartError> {
        match self.place.mode {
            Mode::RealTime => {
                let (intake, buffer) = self.live(subject, live, counters, reporter)?;
                if source.tracks == SourceTracks::Sound {
                    buffer.sounds_alone();
                }
                let end = LiveEnd::new(intake, source.handle.name());
                Ok((source.connect_live(end), buffer))
            }
            Mode::Offline => {
                let buffer = self.held();
                if source.tracks == SourceTracks::Sound {
                    buffer.sounds_alone();
                }
                let iso = self.iso.take();
                let (line, end) = HeldLine::new(
                    source.tracks,
                    self.shape(),
                    Arc::clone(&buffer),
                    Arc::clone(counters),
                    reporter.clone(),
                    iso,
                );
                self.threads.push(self.place.spawn(format!("held {subject}"), move || line.run())?);
                Ok((source.connect_held(end), buffer))
            }
        }
    }

    /// A thread that goes and gets a line.
    fn attend(
        &mut self,
        whose: Whose,
        name: String,
        reporter: Reporter,
        fetch: impl FnOnce() + Send + 'static,
    ) -> Result<(), StartError> {
        let attended = Attended(reporter, whose);
        if self.place.life.is_some() {
            // Whoever is at the other end comes by himself.
            return Ok(());
        }
        let work = move || {
            let _attended = attended;
            fetch();
        };
        self.threads.push(self.place.spawn(name, work)?);
        Ok(())
    }

    /// Opens a camera's line, and the recording of what comes over it if it asks for one.
    pub(crate) fn open_line(&mut self, camera: &dsl::Camera, line: &dsl::Line) -> Result<Line, StartError> {
        let (seat, orders) = (Arc::<Seat>::default(), Arc::<Orders>::default());
        (self.seat, self.orders) = (Some(Arc::clone(&seat)), Some(Arc::clone(&orders)));
        self.deinterlace = line.deinterlace;
        let opened = self.open_recorded(&camera.name, line);
        self.deinterlace = dsl::Deinterlace::default();
        // One that is not live has not taken them.
        (self.seat, self.orders) = (None, None);
        Ok(opened?.led_by(seat, orders))
    }

    fn open_recorded(&mut self, camera: &str, line: &dsl::Line) -> Result<Line, StartError> {
        let subject = format!("{camera}/{}", line.name);
        let Some(text) = &line.record else { return self.open(&line.name, &subject, &line.input, line.live) };
        let (iso, recorder, recording) = iso::set_up(self.place, camera, line, text)?;
        self.threads.push(self.place.spawn(format!("iso {subject}"), move || recorder.run())?);
        self.iso = Some(iso);
        let opened = self.open(&line.name, &subject, &line.input, line.live);
        // One that is not built has not taken it.
        self.iso = None;
        Ok(opened?.recorded(recording))
    }

    /// Opens one input; `subject` is how people know it, e.g. `main/fiber`.
    pub(crate) fn open(
        &mut self,
        name: &str,
        subject: &str,
        input: &dsl::Input,
        live: dsl::Live,
    ) -> Result<Line, StartError> {
        let counters = Arc::new(LineCounters::default());
        let (reporter, stop) = self.place.reporter.of(subject).apart();
        let bad = |message: String| StartError::Line { subject: subject.to_owned(), message };
        let origin = match input {
            dsl::Input::File { path, repeat } => {
                let since = self.kept.and_then(|kept| kept.file_since(subject, path));
                let path = keys::path(path, &self.place.inputs, subject)?;
                let buffer = self.held();
                let shape = match &self.place.life {
                    Some(life) => Shape { kit: Arc::clone(&life.files), ..self.shape() },
                    None => self.shape(),
                };
                let line = FileLine {
                    path,
                    repeat: *repeat,
                    shape,
                    buffer: Arc::clone(&buffer),
                    counters: Arc::clone(&counters),
                    reporter,
                    damage: Seldom::new("decode-error", Level::Warn, Measure::DAMAGE),
                    gate: Arc::clone(&self.place.gate),
                    since,
                    turns: self.place.turns(),
                };
                self.threads.push(self.place.spawn_abreast(format!("file {subject}"), move || line.run())?);
                Origin::Buffered(buffer)
            }
            dsl::Input::Push { point, key } => {
                self.live_only(subject)?;
                let load = |place| StreamKey::load(place, &self.place.inputs, subject);
                let key = key.as_ref().map(load).transpose()?;
                let (intake, buffer) = self.live(subject, live, &counters, &reporter)?;
                self.points.add(point, Arc::new(Point::new(intake, key)));
                Origin::Buffered(buffer)
            }
            dsl::Input::Test { pattern, tone } => {
                let (video, audio) = (self.show.video, self.show.audio);
                let channels = audio.layout.channels();
                let source =
                    TestSource::new(pattern.clone(), *tone, video.size, video.rate, audio.rate, channels);
                Origin::Pattern(Box::new(source.map_err(|e| bad(e.to_string()))?))
            }
            dsl::Input::Image { path } => {
                let path = keys::path(path, &self.place.inputs, subject)?;
                match Still::load(&path, self.show.video.size) {
                    Ok(still) => Origin::Still(still),
                    Err(error) => {
                        reporter.event(Level::Alarm, "line-error", error);
                        Origin::Dead
                    }
                }
            }
            dsl::Input::Pull { url, ca } => {
                self.live_only(subject)?;
                let address = keys::text(url, subject)?;
                self.take_port(&address, subject)?;
                let trust = keys::trust(ca.as_ref(), &self.place.inputs, subject)?;
                if play::is_played(&address) {
                    let url = address.parse().map_err(|e: rtmp::UrlError| bad(e.to_string()))?;
                    let (intake, buffer) = self.live(subject, live, &counters, &reporter)?;
                    let line = PlayLine { url, trust, intake, reporter: reporter.clone() };
                    self.attend(Whose::Ours, format!("play {subject}"), reporter, move || line.run())?;
                    Origin::Buffered(buffer)
                } else if let Some(url) = flv_pull::asked(&address).map_err(|e| bad(e.to_string()))? {
                    let (intake, buffer) = self.live(subject, live, &counters, &reporter)?;
                    let line = FlvPull { url, trust, intake, reporter: reporter.clone() };
                    self.attend(Whose::Ours, format!("fetch {subject}"), reporter, move || line.run())?;
                    Origin::Buffered(buffer)
                } else {
                    match Wire::parse(&address) {
                        Ok((wire, url)) => {
                            let (intake, buffer) = self.live(subject, live, &counters, &reporter)?;
                            let line = WireLine { wire, url, intake, reporter: reporter.clone() };
                            self.attend(Whose::Ours, format!("pull {subject}"), reporter, move || {
                                line.run()
                            })?;
                            Origin::Buffered(buffer)
                        }
                        Err(error @ AddressError::Scheme { .. }) => {
                            reporter.event(Level::Warn, "not-available", error.to_string());
                            Origin::Unbuilt
                        }
                        Err(error) => return Err(bad(error.to_string())),
                    }
                }
            }
            dsl::Input::Source { .. } if self.place.life.is_some() => {
                Origin::Buffered(self.live(subject, live, &counters, &reporter)?.1)
            }
            dsl::Input::Source { name } => {
                let source = self.place.sources.take(name).map_err(|why| match why {
                    NotHad::Unknown => StartError::Source {
                        subject: subject.to_owned(),
                        name: name.clone(),
                        registered: self.place.sources.names().map(str::to_owned).collect(),
                    },
                    NotHad::Taken => {
                        StartError::SourceTaken { subject: subject.to_owned(), name: name.clone() }
                    }
                })?;
                let (runs, buffer) = self.source(source, subject, &counters, &reporter, live)?;
                if let Some(runs) = runs {
                    self.attend(Whose::Source, format!("source {subject}"), reporter, runs)?;
                }
                Origin::Buffered(buffer)
            }
            dsl::Input::Device { path, audio } => {
                self.live_only(subject)?;
                let name = keys::text(path, subject)?;
                let camera = Camera::parse(&name).map_err(|e| bad(e.to_string()))?;
                let camera = match camera {
                    Camera::Video4Linux(_) => {
                        let path = keys::path(path, &self.place.inputs, subject)?;
                        Camera::Video4Linux(path.display().to_string())
                    }
                    card => card,
                };
                let microphone = match audio {
                    None => None,
                    Some(audio) => {
                        let microphone = Microphone::parse(&keys::text(audio, subject)?);
                        Some(microphone.map_err(|e| bad(e.to_string()))?)
                    }
                };
                let (intake, buffer) = self.live(subject, live, &counters, &reporter)?;
                let canvas = self.show.video.size;
                let known = camera.clone();
                let captures = Box::new(move || device::captures(&known, microphone.as_ref(), canvas));
                let line = DeviceLine { name, camera, captures, intake, reporter: reporter.clone() };
                self.attend(Whose::Ours, format!("device {subject}"), reporter, move || line.run())?;
                Origin::Buffered(buffer)
            }
        };
        let veil = self.place.life.as_ref().and_then(|life| match subject.split_once('/') {
            Some((camera, line)) => {
                (!crate::rehearse::is_simulated(input)).then(|| life.veil(camera, line)).flatten()
            }
            None => life.veil_over_filler(subject),
        });
        Ok(Line::new(name.to_owned(), origin, counters).under(veil).stopped_by(stop))
    }
}
