//! A show, started: threads, sockets and the handle to speak to it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::SystemTime;

use crossbeam_channel::bounded;
use media::{Span, Time};
use pipeline_dsl as dsl;
use scheduling::{LeftOut, Shedding};

use crate::clock::{Clock, RealClock, Stop, VirtualClock};
use crate::command::Memory;
use crate::egress::play::Programs;
use crate::event::{Event, EventLog, Level};
use crate::handle::{COMMANDS, Handle, Inner, ViewerFeed, Viewers};
use crate::ingest::door::RtmpDoor;
use crate::ingest::open::Opener;
use crate::ingest::point::Points;
use crate::options::{Mode, RunOptions};
use crate::rehearse::life::Life;
use crate::report::Report;
use crate::reporter::Reporter;
use crate::resume::{Keeper, KeptShow, StateFile, TakenUp};
use crate::rig;
use crate::show::reload::{Reloader, Standing, StandingChannel, on_disk};
use crate::show::{Begins, ShowRun, carry};
use crate::start::{Begun, Gate, Place, StartError};
use crate::status::{Board, EVENTS_SHOWN, LoadStatus, Status};
use crate::thumb::ThumbDesk;

/// A running show. Dropping it stops the show and waits for its files.
pub struct Engine {
    handle: Handle,
    show: Option<JoinHandle<Report>>,
    /// Serves RTMP; there only if a line is pushed to, or an egress serves there.
    door: Arc<Mutex<Option<RtmpDoor>>>,
}

impl Engine {
    /// Resolves and opens everything, then starts the show.
    ///
    /// # Errors
    /// Whatever keeps the show from starting as a whole. A single line or
    /// egress that does not open is an event, and the show goes on without it.
    pub fn start(show: dsl::Show, options: RunOptions) -> Result<Self, StartError> {
        Self::set_up(show, options, None)
    }

    /// Starts a show whose peers are simulated.
    pub(crate) fn rehearse(
        show: dsl::Show,
        options: RunOptions,
        life: Arc<Life>,
    ) -> Result<Self, StartError> {
        Self::set_up(show, options, Some(life))
    }

    fn set_up(show: dsl::Show, options: RunOptions, life: Option<Arc<Life>>) -> Result<Self, StartError> {
        let stop = Arc::new(Stop::default());
        let mut threads = Vec::new();
        let started = Self::launch(show, options, life, &stop, &mut threads);
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
        life: Option<Arc<Life>>,
        stop: &Arc<Stop>,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<Self, StartError> {
        let is_kept = life.is_some() || options.mode == Mode::RealTime;
        let kept = options.goes_on.filter(|_| is_kept);
        let taken_up = kept.as_ref().map(|kept| kept.take_up(&show));
        let kept = kept.filter(|_| matches!(taken_up, Some(Ok(_))));
        let now = life.as_ref().map_or_else(SystemTime::now, |life| life.clock.wall());
        let from = kept.as_ref().map_or(Time::ZERO, |kept| kept.time_at(now));
        let clock: Arc<dyn Clock> = match (&life, options.mode) {
            (Some(life), _) => Arc::clone(&life.clock) as Arc<dyn Clock>,
            (None, Mode::RealTime) if kept.is_some() => Arc::new(RealClock::going_on(from)),
            (None, Mode::RealTime) => Arc::new(RealClock::default()),
            (None, Mode::Offline) => Arc::new(VirtualClock::default()),
        };
        let log = Arc::new(EventLog::new());
        let reporter = Reporter::new(Arc::clone(&clock), Arc::clone(&log), Arc::clone(stop));
        let place = Place {
            kit: options.kit,
            mode: options.mode,
            inputs: options.inputs,
            out: options.out,
            rtmp: options.rtmp,
            sources: options.sources,
            reporter: reporter.clone(),
            begun: Arc::new(Begun::default()),
            life: life.clone(),
            gate: Arc::new(Gate::opened(from)),
        };
        let file = options.show_file;
        let limit = options.limit.map(|limit| from + limit);
        if show.end().is_none() && limit.is_none() && options.mode == Mode::Offline {
            return Err(StartError::Endless);
        }
        let planned = rig::plan_switching(&show, &place)?;
        let switcher = match taken_up {
            None => planned,
            Some(Ok(TakenUp { switcher, left_out })) => {
                if let Some(kept) = &kept {
                    let died = clock.day_time_at_zero().and(kept.died_at());
                    tell_taken_up(kept, (died, from), &left_out, &reporter);
                }
                switcher
            }
            Some(Err(error)) => {
                let message =
                    format!("the show begins anew: what was kept of it cannot be taken up: {error}");
                reporter.event(Level::Warn, "state-left", message);
                options.state.iter().for_each(StateFile::put_aside);
                planned
            }
        };
        let plans = rig::plan_channels(&show, &place)?;
        let mut opener = Opener {
            show: &show,
            place: &place,
            points: Points::default(),
            bound: Vec::new(),
            together: Arc::default(),
            threads,
            iso: None,
            seat: None,
            orders: None,
            deinterlace: pipeline_dsl::Deinterlace::default(),
            kept: kept.as_deref(),
        };
        let cameras = rig::open_cameras(&show, &mut opener)?;
        let fillers = rig::open_fillers(&show, &mut opener)?;
        let scenes = rig::set_scenes(&show);
        let (points, together) = (opener.points, opener.together);
        rig::refuse_sourceless(&show, &cameras)?;
        let open = rig::open_channels(&show, &plans, &place)?;
        let thumb_desk = ThumbDesk::open(&show, Arc::clone(&clock), &place)?;
        let programs = Programs::default();
        open.iter().for_each(|channel| channel.serve(&programs));
        // Nobody knocks in a rehearsal.
        let door = if life.is_some() { None } else { RtmpDoor::open(&show, points, programs, &place)? };
        // Last, since it begins recordings: a show that does not start leaves none behind.
        let mut channels = rig::start_channels(&show, open, plans, &place)?;
        if let Some(kept) = &kept {
            for channel in &mut channels {
                if let Some(before) = kept.channel(&channel.stage.name) {
                    channel.take_up(before, kept.reached());
                }
            }
        }

        let viewers = Arc::new(Viewers::new(channels.iter().flat_map(ViewerFeed::of).collect()));
        let (commands, asked) = bounded(COMMANDS);
        if let Some(life) = &life {
            life.speaks_at(commands.clone());
        }
        let (to_show, reloads) = bounded(1);
        let door = Arc::new(Mutex::new(door));
        let reloader = Arc::new(Reloader::new(Standing {
            show: show.clone(),
            place: place.clone(),
            file: on_disk(file),
            together,
            channels: channels.iter().map(|channel| StandingChannel::of(&channel.stage)).collect(),
            door: Arc::clone(&door),
            viewers: Arc::clone(&viewers),
            to_show,
        }));
        let (latest, events) = log.follow(EVENTS_SHOWN);
        let board = Arc::new(Board::new(Status {
            revision: 0,
            epoch: u64::from(std::process::id()) << 32 | u64::from(wall_seconds()),
            show: show.name.clone(),
            show_revision: 1,
            t: from.as_secs_f64(),
            frame_rate: show.video.rate.as_f64(),
            load: LoadStatus::default(),
            channels: channels.iter().map(|channel| channel.status(&switcher)).collect(),
            cameras: cameras.iter().map(|camera| camera.status(&switcher)).collect(),
            scenes: scenes.iter().filter_map(|scene| scene.status(&switcher)).collect(),
            events: latest,
        }));
        let mut memory = Memory::default();
        for (id, outcome) in kept.iter().flat_map(|kept| &kept.answers) {
            memory.keep(Some(id), outcome);
        }
        let thumbs = Arc::clone(thumb_desk.thumbs());
        let keeper = match (&life, options.state.filter(|_| is_kept)) {
            (Some(life), _) if !life.is_ever_killed() => None,
            (Some(life), _) => Some(Keeper::rehearsed(Arc::clone(life), show.clone(), reporter.clone())),
            (None, Some(file)) => Some(Keeper::begin(file, show.clone(), reporter.clone())?),
            (None, None) => None,
        };
        let run = ShowRun {
            name: show.name.clone(),
            mode: place.mode,
            rate: show.video.rate,
            limit,
            carrying: carry::carrying(&show, &channels),
            shedding: Shedding::new(&show),
            late: Span::ZERO,
            overload_since: None,
            switcher,
            clock,
            stop: Arc::clone(stop),
            log: Arc::clone(&log),
            events,
            reporter,
            board: Arc::clone(&board),
            commands: asked,
            reloads,
            rehearses: life.is_some().then(|| Arc::clone(&reloader)),
            gone: Vec::new(),
            gone_scenes: Vec::new(),
            cameras,
            fillers,
            scenes,
            channels,
            thumbs: thumb_desk,
            threads: std::mem::take(threads),
            memory,
            begins: if kept.is_some() { Begins::GoesOn } else { Begins::Anew },
            from,
            before: kept.as_ref().map(|kept| kept.parts_so_far()).unwrap_or_default(),
            keeper,
            life,
        };
        let thread = std::thread::Builder::new().name("show".to_owned());
        let thread = thread
            .spawn(move || {
                place.begun.set();
                place.turns().step_back();
                run.run()
            })
            .map_err(|source| StartError::Thread { name: "show".to_owned(), source })?;
        let stop = Arc::clone(stop);
        let handle = Handle::new(Inner { commands, board, log, stop, viewers, thumbs, reloader });
        Ok(Self { handle, show: Some(thread), door })
    }

    /// To speak to the show from elsewhere.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Where encoders push to and players play from, if the show has either: with the port the system gave, where the
    /// show left it open (port 0).
    pub fn rtmp_addr(&self) -> Option<SocketAddr> {
        self.door().as_ref().map(|door| door.addr)
    }

    /// As [`rtmp_addr`](Self::rtmp_addr), inside TLS; there only if the show listens there.
    pub fn rtmps_addr(&self) -> Option<SocketAddr> {
        self.door().as_ref().and_then(|door| door.secure_addr)
    }

    fn door(&self) -> std::sync::MutexGuard<'_, Option<RtmpDoor>> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the show has ended and all files are closed.
    pub(crate) fn is_over(&self) -> bool {
        self.show.as_ref().is_none_or(JoinHandle::is_finished)
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
            scenes: Vec::new(),
            channels: Vec::new(),
            parts: Vec::new(),
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
        let door = self.door().take();
        drop(door);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

/// The show goes on from what was kept: since then, by the clock where there is one, and up to now.
fn tell_taken_up(
    kept: &KeptShow,
    (died, from): (Option<dsl::TimeOfDay>, Time),
    left_out: &[LeftOut],
    reporter: &Reporter,
) {
    let clock = died.map_or_else(String::new, |at| format!(", {at} UTC"));
    let down = (from - kept.reached()).as_secs_f64();
    let message = format!(
        "the show goes on at {from}: its engine died at {}{clock}, and nothing went out for {down:.1} s",
        kept.reached()
    );
    reporter.event(Level::Warn, "resumed", message);
    for left in left_out {
        reporter.of(&left.subject).event(Level::Warn, "state-left", format!("not taken up: {}", left.what));
    }
}

/// Only to tell one run from another.
fn wall_seconds() -> u32 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| d.as_secs() as u32)
}
