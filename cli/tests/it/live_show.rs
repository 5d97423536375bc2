//! A show that runs in the binary: started, watched, signalled, waited for.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::obvan::{Said, obvan};
use crate::stream::KEY;

/// The bound only keeps a broken engine from hanging the test.
const PATIENCE: Duration = Duration::from_secs(20);

/// Generated cameras, two rungs, recordings and viewers; `night.show` in a folder of its own.
pub const SHOW: &str = r#"show "night" {
  video 320x180 25fps
  audio 48kHz stereo
  camera stage { line gen test "motion" tone=440 }
  camera bars { line gen test "bars" }
  filler green { test "color:lime" }
  ladder two { preset ultrafast; keyframe 1s; audio 64k; rung 180p 320x180 400k; rung 90p 160x90 100k }
  channel program {
    sources stage bars
    filler green after=500ms
    ladder two
    egress web serve http-flv
    egress disk record "{rung}.flv"
  }
}
"#;

/// The recordings of [`SHOW`].
pub const RECORDINGS: [&str; 2] = ["180p.flv", "90p.flv"];

/// A folder with this show in it.
pub fn folder(show: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("night.show"), show).unwrap();
    folder
}

/// [`SHOW`] as an offline run takes it: without viewers, its channel going on with `more`.
pub fn offline_show(more: &str) -> String {
    SHOW.replace("    egress web serve http-flv\n", more)
}

/// `obvan run night.show` on a free port, recording to `out`, its report in `report.json`.
pub struct LiveShow {
    child: Child,
    folder: PathBuf,
    stderr: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl LiveShow {
    /// Starts it; returns when its page is served.
    pub fn start(folder: &Path, more: &[&str]) -> Self {
        let args = ["run", "night.show", "--http", "127.0.0.1:0", "--out", "out", "--report", "report.json"];
        let mut child = Command::new(env!("CARGO_BIN_EXE_obvan"))
            .args(args)
            .args(more)
            .current_dir(folder)
            .env_remove("OBVAN_TOKEN")
            .env("OBVAN_KEY", KEY.trim())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = Arc::new(Mutex::new(String::new()));
        let (mut pipe, heard) = (child.stderr.take().unwrap(), Arc::clone(&stderr));
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = pipe.read(&mut bytes) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
            }
        });
        let show = Self { child, folder: folder.to_owned(), stderr, reader: Some(reader) };
        show.wait_until("the page's address", |show| show.said().contains("page    http://"));
        show
    }

    /// All it said so far.
    pub fn said(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    #[track_caller]
    pub fn wait_until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is(self) {
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}; it said: {}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where its API is.
    pub fn url(&self) -> String {
        let said = self.said();
        let line = said.lines().find_map(|line| line.strip_prefix("page    ")).unwrap();
        line.trim_end_matches('/').to_owned()
    }

    /// `obvan ctl` to this show.
    pub fn ctl(&self, args: &[&str]) -> Said {
        let url = self.url();
        obvan(&self.folder, &[&["ctl", "--api", &url], args].concat())
    }

    pub fn status(&self) -> Value {
        self.ctl(&["status", "--json"]).exits(0).json()
    }

    /// Waits until the show has come this far.
    pub fn reaches(&self, seconds: f64) {
        self.wait_until("show time to pass", |show| show.status()["t"].as_f64().unwrap() >= seconds);
    }

    /// `TERM`, `INT` or `KILL`.
    pub fn signal(&self, name: &str) {
        // The shell's own: a small system has no `kill` beside it.
        let kill = format!("kill -s {name} {}", self.child.id());
        assert!(Command::new("bash").args(["-c", &kill]).status().unwrap().success());
    }

    /// Its exit code and all it said, once it has ended; `None` for one that was killed.
    #[track_caller]
    pub fn ended(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end; it said: {}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        };
        self.reader.take().unwrap().join().unwrap();
        (status.code(), self.said())
    }
}

impl Drop for LiveShow {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The report in `folder`.
pub fn report(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap()
}

/// Codes and subjects of a report's events.
pub fn events(report: &Value) -> Vec<(String, String)> {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    report["events"].as_array().unwrap().iter().map(|e| (text(&e["code"]), text(&e["subject"]))).collect()
}
