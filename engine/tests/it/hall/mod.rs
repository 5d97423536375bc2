//! The port that encoders push to and players play from.

mod broken;
mod full;
mod idle;
mod played;
mod slow;
mod stream_keys;
mod take_over;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A file that only its owner can read.
pub(crate) fn secret(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Runs a program to its end, at most a minute.
pub(crate) fn finished(program: &str, words: &str) -> Output {
    let mut process = Command::new("timeout");
    process.args(["60", program]).args(words.split_whitespace()).stdin(Stdio::null());
    process.output().unwrap_or_else(|e| panic!("{program}: {e}: `make setup` installs it"))
}
