//! `obvan run`: a show from its file to its report.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::serve::ListenerExt;
use engine::{Ack, Command, Engine, Handle, Mode, Refused, Report, RunOptions, ShowFile as Origin};
use pipeline_dsl::{Input, Show};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::oneshot;

use crate::exit::{Means, Outcome, Result, wrong};
use crate::guard::{self, Guard, TOKEN_VARIABLE};
use crate::progress::Progress;
use crate::show_file::{ShowFile, tally};
use crate::state::{self, Found, Look};
use crate::target::Target;
use crate::{closing, page, term};

/// Run a show, in real time or offline
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  obvan run concert.show
  obvan run concert.show --for 30s --out out --report out/report.json
  obvan run concert.show --offline --for 60s --report - | jq .realtime_factor
  obvan run concert.show --fresh
  OBVAN_TOKEN=… obvan run concert.show --http 0.0.0.0:8080

Relative inputs are looked for beside the show file; recordings go to --out, and none that
is there is overwritten. The first Ctrl-C (or SIGTERM) ends the show in good order, a second
one at once. SIGHUP reads the show file again, as `obvan ctl reload` does. Beyond loopback the
page and API want the token that OBVAN_TOKEN holds.

While a show runs in real time its state is kept in a file, which goes when the show ends. If
the engine dies, the same command goes on: at the show time that the clock on the wall has
reached by then, with the same sources, rundown, levels, lines and watermarks. A state that is
older than half an hour is left alone unless --resume is said. docs/RESUME.md has it all.

Exit codes: 0 ok; 1 a channel, an egress or a stream failed; 2 wrong usage or an invalid show.")]
pub struct Args {
    /// The show file
    #[arg(value_name = "SHOW")]
    show: PathBuf,
    /// As fast as possible in virtual time; the same show twice gives the same tags
    #[arg(long)]
    offline: bool,
    /// End after this much show time, e.g. `30s`; a show that goes on, after so much more
    #[arg(long = "for", value_name = "DUR", value_parser = crate::duration::parse)]
    limit: Option<media::Span>,
    /// Where recordings go
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Write the report (JSON) here, `-` for stdout
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Listen here for the page, the API and viewers, e.g. `127.0.0.1:8080`
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// Listen here for encoders that push, e.g. `127.0.0.1:1935`
    #[arg(long, value_name = "ADDR")]
    rtmp: Option<SocketAddr>,
    /// Where the show's state is kept, to go on from if the engine dies; `NAME.state` in --out
    /// if this is left out
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    state: Option<PathBuf>,
    /// Go on from the state that is there, however old it is
    #[arg(long, conflicts_with_all = ["fresh", "offline"])]
    resume: bool,
    /// Begin anew, even if there is a state to go on from; that is put aside as `….old`
    #[arg(long, conflicts_with = "offline")]
    fresh: bool,
    /// A further name that the page and the API are reached by; may be repeated
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
}

/// Runs the command.
pub fn run(args: Args) -> Result {
    let file = ShowFile::read(&args.show)?;
    let checked = file.check();
    file.show(&checked.diagnostics);
    let Some(mut show) = checked.show else {
        return wrong(format_args!("{} does not run: {}", file.name, tally(&checked.diagnostics)));
    };
    let origin = Origin { path: args.show.clone(), listen: show.listen.clone() };
    show.listen.http = args.http.unwrap_or(show.listen.http);
    show.listen.rtmp = args.rtmp.unwrap_or(show.listen.rtmp);
    let mode = if args.offline { Mode::Offline } else { Mode::RealTime };
    std::fs::create_dir_all(&args.out).wrong(format!("making the output folder {}", args.out.display()))?;
    let report_to = args.report.as_deref().map(|path| Target::prepare("report", path)).transpose()?;

    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().failed("starting the runtime")?;
    let rate = show.video.rate;
    let found = match mode {
        Mode::Offline => Found::default(),
        Mode::RealTime => {
            let path = args.state.unwrap_or_else(|| state::beside(&args.out, &show.name));
            match state::look(&path, state::wanted(args.resume, args.fresh), &show)? {
                Look::Show(found) => found,
                Look::Over => return Ok(Outcome::Done),
            }
        }
    };
    let options = RunOptions {
        state: found.state,
        goes_on: found.goes_on,
        limit: args.limit,
        inputs: file.folder,
        out: args.out,
        show_file: (args.show != Path::new("-")).then_some(origin),
        ..RunOptions::new(mode)
    };
    // Offline there is nobody to wait for: it listens only where it was told to.
    let listens = mode == Mode::RealTime || args.http.is_some();
    let report = runtime.block_on(async {
        let door = if listens { Some(Door::open(&show, args.allow_host).await?) } else { None };
        perform(show, options, door).await
    })?;
    runtime.shutdown_timeout(Duration::from_secs(1));

    term::line(format_args!("\n{}", closing::text(&report, rate).trim_end()));
    if let Some(to) = report_to {
        let mut text = serde_json::to_string_pretty(&report).failed("making JSON")?;
        text.push('\n');
        to.write(&text)?;
    }
    Ok(if report.exit_code() == 0 { Outcome::Done } else { Outcome::Failed })
}

/// Where HTTP comes in.
struct Door {
    listener: TcpListener,
    guard: Guard,
}

impl Door {
    async fn open(show: &Show, names: Vec<String>) -> Result<Self> {
        let addr = show.listen.http;
        let token = std::env::var(TOKEN_VARIABLE).ok();
        // Before the port is open, and again with the port that was given for 0.
        Guard::new(addr, names.clone(), token.clone()).wrong("the page and API cannot be served")?;
        let hint = "another address: --http ADDR or `listen { http \"…\" }`";
        let listener =
            TcpListener::bind(addr).await.wrong(format!("HTTP cannot listen on {addr} ({hint})"))?;
        let bound = listener.local_addr().wrong("asking for the port")?;
        let guard = Guard::new(bound, names, token).wrong("the page and API cannot be served")?;
        Ok(Self { listener, guard })
    }

    /// Says where everything is, and serves it until `close` is dropped.
    fn serve(
        self,
        show: &Show,
        handle: Handle,
        close: oneshot::Receiver<()>,
    ) -> Result<tokio::task::JoinHandle<()>> {
        let bound = self.listener.local_addr().failed("asking for the port")?;
        let token =
            if bound.ip().is_loopback() { String::new() } else { format!("?token=${TOKEN_VARIABLE}") };
        term::line(format_args!("page    http://{bound}/{token}"));
        for (channel, rungs) in served(show, &pipeline_dsl::Target::ServeHttpFlv) {
            term::line(format_args!("live    http://{bound}/live/{channel}/{{{}}}.flv", rungs.join(",")));
        }
        let guard = axum::middleware::from_fn_with_state(Arc::new(self.guard), guard::check);
        let routes = engine::http::routes(handle).fallback(page::serve).layer(guard);
        let listener = self.listener.tap_io(|stream| {
            // Tags are small and due now.
            let _ = stream.set_nodelay(true);
        });
        Ok(tokio::spawn(async move {
            let closed = async {
                let _ = close.await;
            };
            if let Err(err) = axum::serve(listener, routes).with_graceful_shutdown(closed).await {
                term::say("warning", format_args!("HTTP ended: {err}"));
            }
        }))
    }
}

/// The channels that viewers can fetch, with their rungs.
fn served<'s>(
    show: &'s Show,
    over: &'s pipeline_dsl::Target,
) -> impl Iterator<Item = (&'s str, Vec<&'s str>)> {
    let serves = move |c: &&pipeline_dsl::Channel| c.egresses.iter().any(|e| e.target == *over);
    show.channels.iter().filter(serves).map(|channel| {
        let rungs = show.ladder(&channel.ladder).into_iter().flat_map(|l| &l.rungs);
        (channel.name.as_str(), rungs.map(|r| r.name.as_str()).collect())
    })
}

/// From the first tick to the report.
async fn perform(show: Show, options: RunOptions, door: Option<Door>) -> Result<Report> {
    let mut signals = Signals::catch()?;
    let describe = show.clone();
    // Opening files and devices may take a while; the runtime has other threads for that.
    let starting = tokio::task::spawn_blocking(move || Engine::start(show, options));
    let started = tokio::select! {
        started = starting => started,
        _ = signals.next() => {
            term::line(format_args!("aborted before the first tick"));
            std::process::exit(1);
        }
    };
    let engine = started.failed("starting the show")?.wrong("the show does not start")?;
    let handle = engine.handle();
    if let Some(rtmp) = engine.rtmp_addr() {
        say_push_points(&describe, rtmp, engine.rtmps_addr());
        say_played(&describe, rtmp, engine.rtmps_addr());
    }
    let (close, closed) = oneshot::channel();
    let server = door.map(|door| door.serve(&describe, handle.clone(), closed)).transpose()?;
    let report = follow(engine, &handle, signals).await?;
    drop(close);
    if let Some(server) = server {
        // Viewers get their last tags; who does not take them is not waited for.
        let _ = tokio::time::timeout(Duration::from_secs(1), server).await;
    }
    Ok(report)
}

/// With the ports that are open now.
fn say_push_points(show: &Show, rtmp: SocketAddr, rtmps: Option<SocketAddr>) {
    for camera in &show.cameras {
        for line in &camera.lines {
            if let Input::Push { point, .. } = &line.input {
                let (app, stream) = (&point.app, &point.stream);
                for (scheme, addr) in doors(rtmp, rtmps) {
                    term::line(format_args!(
                        "push    {}/{} at {scheme}://{addr}/{app}/{stream}",
                        camera.name, line.name
                    ));
                }
            }
        }
    }
}

fn say_played(show: &Show, rtmp: SocketAddr, rtmps: Option<SocketAddr>) {
    for (channel, rungs) in served(show, &pipeline_dsl::Target::ServeRtmp) {
        for (scheme, addr) in doors(rtmp, rtmps) {
            term::line(format_args!("play    {scheme}://{addr}/live/{channel}_{{{}}}", rungs.join(",")));
        }
    }
}

/// Where RTMP comes in the clear, and inside TLS if it does.
fn doors(rtmp: SocketAddr, rtmps: Option<SocketAddr>) -> impl Iterator<Item = (&'static str, SocketAddr)> {
    std::iter::once(("rtmp", rtmp)).chain(rtmps.map(|addr| ("rtmps", addr)))
}

/// What asks us to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    /// What a hang-up means: the terminal's end, or that the show file is to be read again.
    terminal: Terminal,
}

/// Where we were started from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Terminal {
    None,
    There,
}

impl Terminal {
    fn now() -> Self {
        if std::io::stderr().is_terminal() { Self::There } else { Self::None }
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    End,
    Reload,
}

impl Signals {
    fn catch() -> Result<Self> {
        let catch = |kind| signal(kind).failed("catching signals");
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
            hangup: catch(SignalKind::hangup())?,
            terminal: Terminal::now(),
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::End,
            _ = self.terminate.recv() => Asked::End,
            // A terminal that is closed is none any more.
            _ = self.hangup.recv() => match (self.terminal, Terminal::now()) {
                (Terminal::There, Terminal::None) => Asked::End,
                _ => Asked::Reload,
            },
        }
    }
}

/// Shows the show until it has ended.
async fn follow(engine: Engine, handle: &Handle, mut signals: Signals) -> Result<Report> {
    let mut progress = Progress::new();
    // From the very first: the status keeps the last ones only, and many lines may fail at once.
    let (past, mut events) = handle.history();
    past.iter().for_each(|event| progress.event(event));
    // A show that goes on has come far already.
    let (began, came) = (Instant::now(), handle.status().t);
    let mut ended = tokio::task::spawn_blocking(move || engine.wait());
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.tick().await;
    let mut stopping = false;
    let mut reloading = tokio::task::JoinSet::new();
    let mut looking = tokio::task::JoinSet::new();
    let report = loop {
        tokio::select! {
            report = &mut ended => break report,
            _ = second.tick() => {
                let status = handle.status();
                let speed = (status.t - came) / began.elapsed().as_secs_f64();
                progress.at(&status, speed);
                // One look at a time, however slow the disk is.
                if looking.is_empty() {
                    let handle = handle.clone();
                    looking.spawn_blocking(move || handle.look_at_file());
                }
            }
            Some(_) = looking.join_next() => {}
            Some(Ok(outcome)) = reloading.join_next() => say_reload(&outcome, &mut progress),
            event = events.recv() => if let Err(RecvError::Lagged(missed)) = event {
                progress.say(&format!("{missed} events were not shown"));
            } else if let Ok(event) = event {
                progress.event(&event);
            },
            asked = signals.next() => {
                if asked == Asked::Reload {
                    let handle = handle.clone();
                    reloading.spawn_blocking(move || handle.command(Command::reload()));
                    continue;
                }
                if stopping {
                    progress.end();
                    term::line(format_args!("aborted; recordings play up to their last tag"));
                    std::process::exit(1);
                }
                stopping = true;
                progress.say("ending the show in good order; once more to abort");
                handle.stop();
            }
        }
    };
    progress.end();
    let report = report.failed("waiting for the show")?;
    progress.rest(&report.events);
    Ok(report)
}

/// The steps are told as events; what is wrong with the file, and where, is not.
fn say_reload(outcome: &std::result::Result<Ack, Refused>, progress: &mut Progress) {
    match outcome {
        Ok(ack) => {
            let revision = ack.show_revision.unwrap_or_default();
            progress.say(&format!("revision {revision} of the show file is in force"));
        }
        Err(refused) => {
            progress.say(&format!("not reloaded: {}", refused.message));
            for problem in &refused.problems {
                progress.say(&format!("  line {}: {}", problem.line, problem.message));
            }
        }
    }
}
