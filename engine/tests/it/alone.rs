//! A process of its own: for an engine, so that what it takes can be told from what a test does,
//! and for a test, so that no other is beside it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use codecs::Fake;
use engine::{Engine, Event, Mode, RtmpTimeouts, RunOptions};
use media::Span;
use pipeline_dsl::Show;

/// What the other process is told.
const HOW_LONG: &str = "OBVAN_TEST_PATIENCE";
const SHOW: &str = "OBVAN_TEST_SHOW";
const KIT: &str = "OBVAN_TEST_KIT";

/// Past it a test is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(45);

/// Its codecs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kit {
    Fake,
    Ffmpeg,
}

/// Where nothing is said of a show, there is nothing to do.
#[test]
#[ignore = "the process that other tests start"]
fn engine_alone() {
    let Ok(text) = std::env::var(SHOW) else { return };
    let mut show = crate::support::show(&text);
    show.listen.rtmp.set_port(0);
    let out = tempfile::tempdir().unwrap();
    let patience = Span::from_millis(std::env::var(HOW_LONG).unwrap().parse().unwrap());
    let idle = Span::from_secs(3);
    let rtmp = RtmpTimeouts {
        connect: patience,
        request: patience,
        idle: patience.max(idle),
        ..RtmpTimeouts::default()
    };
    let mut options = RunOptions { out: out.path().to_owned(), rtmp, ..RunOptions::new(Mode::RealTime) };
    if std::env::var(KIT).unwrap() == "Fake" {
        options.kit = Arc::new(Fake::new());
    }
    let engine = Engine::start(show, options).unwrap();
    let (past, mut events) = engine.handle().history();
    // Ends with the process.
    std::thread::spawn(move || {
        let live = std::iter::from_fn(|| events.blocking_recv().ok());
        for event in past.into_iter().chain(live) {
            println!("\nevent {} {}", event.subject, event.code);
        }
    });
    println!("\naddr {}", engine.rtmp_addr().unwrap());
    // Until the other one has seen enough.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    engine.handle().stop();
    println!("\nreport {}", serde_json::to_string(&engine.wait()).unwrap());
}

/// Of this program, in a process that does nothing else.
fn process(test: &str) -> Command {
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["--exact", test, "--ignored", "--nocapture"]);
    process
}

/// Runs a test that bears no neighbours.
pub(crate) fn test(name: &str) {
    let out = process(name).output().unwrap();
    let told = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{told}{}", String::from_utf8_lossy(&out.stderr));
    assert!(told.contains("1 passed"), "no such test: {told}");
}

pub(crate) struct Alone {
    pub(crate) process: Child,
    told: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Alone {
    /// A show with a port that the system gives, whose RTMP peers have so many milliseconds to begin.
    pub(crate) fn start(show: &Show, how_long: &str, kit: Kit) -> (Self, SocketAddr) {
        let mut process = process("alone::engine_alone");
        process.env(HOW_LONG, how_long).env(SHOW, show.to_source()).env(KIT, format!("{kit:?}"));
        let mut process = process.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let told = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut alone = Self { process, told };
        let addr = alone.said("addr ").parse().unwrap();
        (alone, addr)
    }

    pub(crate) fn said(&mut self, word: &str) -> String {
        let mut lines = self.told.by_ref().map(Result::unwrap);
        lines.find_map(|line| line.strip_prefix(word).map(str::to_owned)).unwrap()
    }

    /// All of these, in whatever order.
    pub(crate) fn said_all(&mut self, lines: impl IntoIterator<Item = String>) {
        let mut missing: Vec<String> = lines.into_iter().collect();
        while !missing.is_empty() {
            let line = self.told.next().unwrap_or_else(|| panic!("never said: {missing:?}")).unwrap();
            missing.retain(|awaited| *awaited != line);
        }
    }

    fn proc(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.process.id())).unwrap()
    }

    /// A figure of `/proc/PID/status`.
    pub(crate) fn figure(&self, name: &str) -> i64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
    }

    pub(crate) fn sockets(&self) -> usize {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.process.id())).unwrap();
        let leads = |file: std::io::Result<std::fs::DirEntry>| std::fs::read_link(file.ok()?.path()).ok();
        files.filter_map(leads).filter(|to| to.to_string_lossy().starts_with("socket:")).count()
    }

    /// Waits for so many open sockets.
    pub(crate) fn wait_for(&self, what: &str, is: impl Fn(usize) -> bool) {
        let begun = Instant::now();
        while !is(self.sockets()) {
            assert!(begun.elapsed() < PATIENCE, "{what}: {} are open", self.sockets());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it; its report.
    pub(crate) fn end(&mut self) -> serde_json::Value {
        drop(self.process.stdin.take());
        serde_json::from_str(&self.said("report ")).unwrap()
    }

    /// Ends it; what it said of this port.
    pub(crate) fn told_of_rtmp(&mut self) -> Vec<Event> {
        let events: Vec<Event> = serde_json::from_value(self.end()["events"].take()).unwrap();
        events.into_iter().filter(|event| event.subject == "rtmp").collect()
    }

    /// In hundredths.
    pub(crate) fn cpu(&self) -> u64 {
        let stat = self.proc("stat");
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}
