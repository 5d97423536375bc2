//! A show, started: threads, sockets and the handle to speak to it.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use media::Time;
use pipeline_dsl as dsl;
use scheduling::ChannelScheduler;
use tokio::sync::broadcast;

use crate::channel::outlets::OutletKind;
use crate::channel::{Channel, OpenChannel};
use crate::clock::{Clock, RealClock, Stop, VirtualClock};
use crate::command::{Ack, Asked, Command, Memory, Refused};
use crate::egress::EgressMeter;
use crate::egress::feed::Feed;
use crate::event::{Event, EventLog};
use crate::ingest::open::Opener;
use crate::ingest::publish;
use crate::keys::ChannelKeys;
use crate::options::{Mode, RunOptions};
use crate::report::Report;
use crate::reporter::Reporter;
use crate::show::ShowRun;
use crate::show::cameras::CameraRun;
use crate::show::channels::ChannelRun;
use crate::start::{Begun, Place, StartError};
use crate::status::{Board, Delta, EVENTS_SHOWN, Status};

/// How long a command may wait for its tick: a channel may be behind, but not for this long.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// Commands that may wait.
const COMMANDS: usize = 64;

/// A running show. Dropping it stops the show and waits for its files.
pub struct Engine {
    handle: Handle,
    show: Option<JoinHandle<Report>>,
    /// Serves RTMP; there only if a line is pushed to.
    door: Option<RtmpDoor>,
}

/// Speaks to a running show; as many as you like.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

struct Inner {
    commands: Sender<Asked>,
    board: Arc<Board>,
    log: Arc<EventLog>,
    stop: Arc<Stop>,
    viewers: Vec<ViewerFeed>,
}

/// A feed that viewers may join.
pub(crate) struct ViewerFeed {
    pub(crate) channel: String,
    pub(crate) rung: String,
    pub(crate) feed: Arc<Feed>,
    pub(crate) meter: Arc<EgressMeter>,
}

impl Engine {
    /// Resolves and opens everything, then starts the show.
    ///
    /// # Errors
    /// Whatever keeps the show from starting as a whole. A single line or
    /// egress that does not open is an event, and the show goes on without it.
    pub fn start(show: dsl::Show, options: RunOptions) -> Result<Self, StartError> {
        let stop = Arc::new(Stop::default());
        let mut threads = Vec::new();
        let started = Self::launch(show, options, &stop, &mut threads);
        if started.is_err() {
            // What the lines' threads fed or waited for is gone: they end.
            stop.ask();
            for thread in threads {
                let _ = thread.join();
            }
        }
        started
    }

    fn launch(
        show: dsl::Show,
        options: RunOptions,
        stop: &Arc<Stop>,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = match options.mode {
            Mode::RealTime => Arc::new(RealClock::default()),
            Mode::Offline => Arc::new(VirtualClock::default()),
        };
        let log = Arc::new(EventLog::new());
        let reporter = Reporter::new(Arc::clone(&clock), Arc::clone(&log), Arc::clone(stop));
        let place = Place {
            kit: options.kit,
            mode: options.mode,
            inputs: options.inputs,
            out: options.out,
            reporter: reporter.clone(),
            begun: Arc::new(Begun::default()),
        };
        let limit = options.limit.map(|limit| Time::ZERO + limit);
        let end = match (show.end(), limit) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if end.is_none() && options.mode == Mode::Offline {
            return Err(StartError::Endless);
        }
        let plans = plan_channels(&show, &place)?;
        let mut opener = Opener { show: &show, place: &place, points: publish::Points::default(), threads };
        let cameras = open_cameras(&show, &mut opener)?;
        let fillers = open_fillers(&show, &mut opener)?;
        let points = opener.points;
        refuse_sourceless(&show, &cameras)?;
        let open = open_channels(&show, &plans, &place)?;
        let door = serve_rtmp(&show, points, &reporter)?;
        // Last, since it begins recordings: a show that does not start leaves none behind.
        let channels = start_channels(&show, open, plans, &place)?;

        let viewers = channels.iter().flat_map(viewer_feeds).collect();
        let (commands, asked) = bounded(COMMANDS);
        let board = Arc::new(Board::new(Status {
            revision: 0,
            epoch: u64::from(std::process::id()) << 32 | u64::from(wall_seconds()),
            show: show.name.clone(),
            t: 0.0,
            frame_rate: show.video.rate.as_f64(),
            channels: channels.iter().map(ChannelRun::status).collect(),
            cameras: cameras.iter().map(CameraRun::status).collect(),
            events: log.latest(EVENTS_SHOWN),
        }));
        let run = ShowRun {
            name: show.name.clone(),
            mode: place.mode,
            rate: show.video.rate,
            end,
            clock,
            stop: Arc::clone(stop),
            log: Arc::clone(&log),
            reporter,
            board: Arc::clone(&board),
            commands: asked,
            cameras,
            fillers,
            channels,
            threads: std::mem::take(threads),
            memory: Memory::default(),
        };
        let thread = std::thread::Builder::new().name("show".to_owned());
        let thread = thread
            .spawn(move || {
                place.begun.set();
                run.run()
            })
            .map_err(|source| StartError::Thread { name: "show".to_owned(), source })?;
        let handle =
            Handle { inner: Arc::new(Inner { commands, board, log, stop: Arc::clone(stop), viewers }) };
        Ok(Self { handle, show: Some(thread), door })
    }

    /// To speak to the show from elsewhere.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until the show has ended and all files are closed.
    pub fn wait(mut self) -> Report {
        let report = self.show.take().and_then(|thread| thread.join().ok());
        self.close();
        report.unwrap_or_else(|| Report {
            show: self.handle.status().show,
            wall_s: 0.0,
            cpu_s: 0.0,
            realtime_factor: 0.0,
            cameras: Vec::new(),
            fillers: Vec::new(),
            channels: Vec::new(),
            events: vec![Event {
                t: self.handle.status().t,
                level: crate::Level::Alarm,
                code: "channel-failed".to_owned(),
                subject: "show".to_owned(),
                message: "the show's thread panicked: this is our bug".to_owned(),
            }],
        })
    }

    fn close(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.show.take() {
            let _ = thread.join();
        }
        drop(self.door.take());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

impl Handle {
    /// Has a command carried out at the next tick, and waits for it.
    ///
    /// # Errors
    /// Why nothing was done, and what would have been legal.
    pub fn command(&self, command: Command) -> Result<Ack, Refused> {
        let over = || Refused::new("ended", "the show is over", &[]);
        let (answer, answered) = bounded(1);
        match self.inner.commands.try_send(Asked { command, answer }) {
            Ok(()) => {}
            Err(crossbeam_channel::TrySendError::Full(_)) => {
                return Err(Refused::new("busy", format!("{COMMANDS} commands are waiting already"), &[]));
            }
            Err(crossbeam_channel::TrySendError::Disconnected(_)) => return Err(over()),
        }
        match answered.recv_timeout(ANSWER_PATIENCE) {
            Ok(outcome) => outcome,
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => Err(over()),
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {
                Err(Refused::new("late", "no tick came in 5 s: the command may still act", &[]))
            }
        }
    }

    /// The show as it stands.
    pub fn status(&self) -> Status {
        self.inner.board.status()
    }

    /// The show as it stands, and every change after that. The receiver is closed after the
    /// last one, which has the cause `end`; at once, if the show is over.
    pub fn subscribe(&self) -> (Status, broadcast::Receiver<Delta>) {
        self.inner.board.subscribe()
    }

    /// Events as they happen.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.inner.log.subscribe()
    }

    /// Ends the show at the next tick; files are closed in good order.
    pub fn stop(&self) {
        self.inner.stop.ask();
    }

    /// The feed viewers of this rung join, if the show serves it.
    pub(crate) fn viewer_feed(&self, channel: &str, rung: &str) -> Option<&ViewerFeed> {
        self.inner.viewers.iter().find(|v| v.channel == channel && v.rung == rung)
    }

    /// The paths viewers can fetch.
    pub(crate) fn viewer_paths(&self) -> Vec<String> {
        self.inner.viewers.iter().map(|v| format!("/live/{}/{}.flv", v.channel, v.rung)).collect()
    }
}

/// What a channel needs to be known before anything is written.
struct ChannelPlan {
    scheduler: ChannelScheduler,
    keys: Option<Arc<ChannelKeys>>,
}

fn plan_channels(show: &dsl::Show, place: &Place) -> Result<Vec<ChannelPlan>, StartError> {
    let mut plans = Vec::new();
    for model in &show.channels {
        let keys = match &model.encrypt {
            Some(encrypt) => {
                let ring = show.keys.iter().find(|ring| ring.name == encrypt.key);
                let ring = ring.ok_or_else(|| crate::keys::ResolveError::NoRing {
                    owner: format!("channel {}", model.name),
                    name: encrypt.key.clone(),
                })?;
                Some(Arc::new(ChannelKeys::load(ring, encrypt.mode, &place.inputs)?))
            }
            None => None,
        };
        for egress in &model.egresses {
            let live = matches!(egress.target, dsl::Target::Push { .. } | dsl::Target::ServeHttpFlv);
            if live && place.mode == Mode::Offline {
                let subject = format!("egress {} of channel {}", egress.name, model.name);
                return Err(StartError::LiveOffline { subject, what: "egress" });
            }
        }
        let scheduler = ChannelScheduler::new(show, model)
            .map_err(|source| StartError::Plan { channel: model.name.clone(), source })?;
        plans.push(ChannelPlan { scheduler, keys });
    }
    Ok(plans)
}

fn open_channels(
    show: &dsl::Show,
    plans: &[ChannelPlan],
    place: &Place,
) -> Result<Vec<OpenChannel>, StartError> {
    let models = show.channels.iter().zip(plans);
    models.map(|(model, plan)| Channel::open(show, model, plan.keys.clone(), place)).collect()
}

fn start_channels(
    show: &dsl::Show,
    mut open: Vec<OpenChannel>,
    plans: Vec<ChannelPlan>,
    place: &Place,
) -> Result<Vec<ChannelRun>, StartError> {
    for channel in &mut open {
        channel.create_files(place)?;
    }
    let mut channels = Vec::new();
    for ((model, open), ChannelPlan { scheduler, keys }) in show.channels.iter().zip(open).zip(plans) {
        channels.push(ChannelRun::new(show, model, scheduler, open.start(place)?, keys));
    }
    Ok(channels)
}

fn open_cameras(show: &dsl::Show, opener: &mut Opener<'_>) -> Result<Vec<CameraRun>, StartError> {
    let mut cameras = Vec::new();
    for camera in &show.cameras {
        let open = |line: &dsl::Line| {
            opener.open(&line.name, &format!("{}/{}", camera.name, line.name), &line.input)
        };
        let lines = camera.lines.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        cameras.push(CameraRun::new(camera.name.clone(), lines, camera.failover));
    }
    Ok(cameras)
}

fn open_fillers(show: &dsl::Show, opener: &mut Opener<'_>) -> Result<Vec<CameraRun>, StartError> {
    let mut fillers = Vec::new();
    for filler in &show.fillers {
        // A filler's file loops, whatever else the show says.
        let input = match &filler.input {
            dsl::Input::File { path, .. } => {
                dsl::Input::File { path: path.clone(), repeat: dsl::Repeat::Loop }
            }
            other => other.clone(),
        };
        let line = opener.open("filler", &filler.name, &input)?;
        fillers.push(CameraRun::new(filler.name.clone(), vec![line], dsl::Failover::default()));
    }
    Ok(fillers)
}

/// A channel none of whose sources this version can show has no program.
fn refuse_sourceless(show: &dsl::Show, cameras: &[CameraRun]) -> Result<(), StartError> {
    for channel in &show.channels {
        let built = |name: &String| {
            let camera = cameras.iter().find(|c| c.name == *name);
            camera.is_some_and(|c| c.lines.iter().any(crate::ingest::Line::is_built))
        };
        if !channel.sources.iter().any(built) {
            return Err(StartError::Channel {
                channel: channel.name.clone(),
                message: "none of its sources has a line that is available in this version".to_owned(),
            });
        }
    }
    Ok(())
}

fn serve_rtmp(
    show: &dsl::Show,
    points: publish::Points,
    reporter: &Reporter,
) -> Result<Option<RtmpDoor>, StartError> {
    if points.0.is_empty() {
        return Ok(None);
    }
    let addr = show.listen.rtmp;
    let failed = |source| StartError::Rtmp { addr, source };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("rtmp")
        .enable_all()
        .build()
        .map_err(failed)?;
    // Bound without waiting: whoever starts a show may be a task of another runtime.
    let (alive, closed) = bounded(0);
    let mut door = RtmpDoor { runtime: Some(runtime), listening: None, closed };
    let listener = std::net::TcpListener::bind(addr).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    if let Some(runtime) = &door.runtime {
        let inside = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        drop(inside);
        let listen = publish::listen(listener, Arc::new(points), reporter.of("rtmp"));
        let task = runtime.spawn(async move {
            let _alive: Sender<()> = alive;
            listen.await;
        });
        door.listening = Some(task);
    }
    Ok(Some(door))
}

/// The runtime that serves RTMP. Closing it frees the port, and blocks in no other runtime's way.
struct RtmpDoor {
    runtime: Option<tokio::runtime::Runtime>,
    listening: Option<tokio::task::JoinHandle<()>>,
    /// Disconnected once nobody listens any more.
    closed: crossbeam_channel::Receiver<()>,
}

impl Drop for RtmpDoor {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            let _ = self.closed.recv_timeout(Duration::from_secs(1));
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn viewer_feeds(channel: &ChannelRun) -> impl Iterator<Item = ViewerFeed> {
    let outlets = channel.stage.outlets.iter();
    outlets.filter_map(|outlet| match &outlet.kind {
        OutletKind::Viewers(feed) => Some(ViewerFeed {
            channel: channel.stage.name.clone(),
            rung: outlet.rung.clone(),
            feed: Arc::clone(feed),
            meter: Arc::clone(&outlet.meter),
        }),
        OutletKind::Own => None,
    })
}

/// Only to tell one run from another.
fn wall_seconds() -> u32 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| d.as_secs() as u32)
}
