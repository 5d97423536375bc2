//! Other people's programs: run to their end, or beside the test.

use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The bound only keeps a broken relay from hanging the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for it.
#[track_caller]
pub fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A child that does not outlive its test.
pub struct Tool {
    name: &'static str,
    child: Child,
}

impl Tool {
    /// Starts it; what it reads and says is up to `command`.
    pub fn spawn(name: &'static str, command: &mut Command) -> Self {
        let child = command.spawn().unwrap_or_else(|e| panic!("{name}: {e}: `make setup` installs it"));
        Self { name, child }
    }

    /// Its stdin, once.
    pub fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// Whether it has ended, and how.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end, whatever that is like.
    #[track_caller]
    pub fn ended(mut self) -> ExitStatus {
        let name = self.name;
        wait_until(&format!("the end of {name}"), || self.status().is_some());
        self.status().unwrap()
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command in `folder` that reads nothing and says nothing.
pub fn quiet(folder: &Path, program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// `ffmpeg` with these words.
pub fn ffmpeg(folder: &Path, words: &str) -> Command {
    // A probing decoder has much to say about noise: only what ends ffmpeg is of interest.
    let lead = ["-nostdin", "-hide_banner", "-v", "fatal", "-y"];
    let words: Vec<&str> = words.split_whitespace().collect();
    quiet(folder, "ffmpeg", &[&lead[..], &words].concat())
}

/// Runs it; fails the test unless it ends well.
#[track_caller]
pub fn runs(command: &mut Command) {
    let output = command.stderr(Stdio::piped()).output();
    let output = output.unwrap_or_else(|e| panic!("{command:?}: {e}: `make setup` installs it"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
