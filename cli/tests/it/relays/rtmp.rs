//! ffmpeg publishes to nginx-rtmp; players are there from the start, or join late.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crypto::Sound;
use flv::TagKind;

use super::film::{GOP, PICTURES, Sealing, clear, opened, sealed_with, tags};
use super::frames::{Times, frames, part, track, whole};
use super::muxers::{READ_TS, write_preset};
use super::nginx::{App, Nginx};
use super::tool::{Tool, ffmpeg, runs, wait_until};

/// A live relay looks at a second of what comes, no more.
pub const LIVE: &str = "-analyzeduration 1M";

/// An ffmpeg that writes all it gets into a file, also before the first key frame.
pub struct Player {
    pub path: PathBuf,
    tool: Tool,
}

impl Player {
    /// Returns when nginx serves it.
    pub fn start(nginx: &Nginx, app: App, folder: &Path, name: &str) -> Self {
        Self::of("show", nginx, app, folder, name)
    }

    /// Plays another stream than `show`.
    pub fn of(stream: &str, nginx: &Nginx, app: App, folder: &Path, name: &str) -> Self {
        let before = nginx.clients(app);
        let url = nginx.stream(app, stream);
        let words = format!("{LIVE} -i {url} -c copy -copyinkf -flush_packets 1 {name}");
        let tool = Tool::spawn("ffmpeg", &mut ffmpeg(folder, &words));
        wait_until("a player to be let in", || nginx.clients(app) > before);
        Self { path: folder.join(name), tool }
    }

    /// Pictures in its file so far.
    pub fn pictures(&self) -> usize {
        track(&frames(fs::read(&self.path).unwrap_or_default()), TagKind::Video).len()
    }

    /// Waits until it has written its file to the end.
    #[track_caller]
    pub fn ended(self) -> PathBuf {
        assert!(self.tool.ended().success());
        self.path
    }
}

/// An ffmpeg that publishes what comes on its stdin.
fn publisher(nginx: &Nginx, app: App, folder: &Path) -> Tool {
    let mut command = ffmpeg(folder, &format!("{LIVE} -i - -c copy -f flv {}", nginx.url(app)));
    Tool::spawn("ffmpeg", command.stdin(Stdio::piped()))
}

/// Bytes of the film up to half a GOP behind its third key frame.
fn middle(film: &[u8]) -> usize {
    let mut pictures = 0;
    let mut at = flv::FILE_HEADER_LEN;
    for tag in tags(film.to_vec()) {
        if tag.kind == TagKind::Video {
            pictures += 1;
        }
        // One of them is the sequence header.
        if pictures > 1 + 2 * GOP + GOP / 2 {
            break;
        }
        at += tag.wire_len();
    }
    at
}

fn nginx_carries(sealing: Sealing, sound: Sound) {
    let folder = tempfile::tempdir().unwrap();
    let Some(nginx) = Nginx::start(folder.path()) else { return };
    let folder = folder.path();
    let stream = fs::read(folder.join(sealed_with(folder, sealing, sound))).unwrap();
    let (start, rest) = stream.split_at(middle(&stream));
    let reached = 2 * GOP + GOP / 2;

    // Pieces are fed by what has come through, not by time.
    let first = Player::start(&nginx, App::Live, folder, "first.flv");
    let first_abrupt = Player::start(&nginx, App::Abrupt, folder, "first-abrupt.flv");
    let mut publishers = [App::Live, App::Abrupt].map(|app| publisher(&nginx, app, folder));
    let mut feeds = publishers.each_mut().map(Tool::stdin);
    feeds.iter_mut().for_each(|feed| feed.write_all(start).unwrap());
    for player in [&first, &first_abrupt] {
        wait_until("the film's start at the players", || player.pictures() + 5 > reached);
    }
    let late = Player::start(&nginx, App::Live, folder, "late.flv");
    let late_abrupt = Player::start(&nginx, App::Abrupt, folder, "late-abrupt.flv");
    feeds.iter_mut().for_each(|feed| feed.write_all(rest).unwrap());
    drop(feeds);
    publishers.into_iter().for_each(|publisher| assert!(publisher.ended().success()));

    let film = frames(clear().to_vec());
    let played = |player: Player| part(&film, &opened(&player.ended(), sealing), Times::Exact);
    assert_eq!(played(first), whole(&film));
    assert_eq!(played(first_abrupt), whole(&film));
    let joined = played(late);
    assert_eq!(joined.pictures, 3 * GOP..PICTURES);
    assert_eq!(joined.sound.end, whole(&film).sound.end);
    // From the middle of a GOP it opens all the same.
    let joined = played(late_abrupt);
    assert!((reached - 5..=reached + 5).contains(&joined.pictures.start), "{joined:?}");
    assert_eq!(joined.pictures.end, PICTURES);

    // Its HLS is as whole as its RTMP.
    wait_until("the last of the HLS", || nginx.hls_seconds() > 5.9);
    let list = nginx.closed_playlist();
    write_preset(folder);
    let aid = if sound == Sound::Noise { READ_TS } else { "" };
    let words = format!("-live_start_index 0 -i {list} -c copy {aid} hls.flv");
    runs(&mut ffmpeg(folder, &words));
    let times = if sound == Sound::Noise { Times::Order } else { Times::Pictures };
    let hls = part(&film, &opened(&folder.join("hls.flv"), sealing), times);
    // When the publisher leaves, nginx-rtmp drops the sound it holds, of the clear film too.
    let all = whole(&film);
    assert_eq!((hls.pictures, hls.sound.start), (all.pictures, 0));
    assert!(all.sound.end - hls.sound.end <= 300 * 48 / 1024, "{:?}", hls.sound);
}

#[test]
fn nginx_carries_clear_film() {
    nginx_carries(Sealing::Clear, Sound::Noise);
}

#[test]
fn nginx_carries_nalu_mode() {
    nginx_carries(Sealing::Nalu, Sound::Noise);
}

#[test]
fn nginx_carries_capsule_mode() {
    nginx_carries(Sealing::Capsule, Sound::Noise);
}

#[test]
fn nginx_carries_toggles_and_a_rotation() {
    nginx_carries(Sealing::Switched, Sound::Noise);
}

/// Its HLS needs no word about the sample rate then.
#[test]
fn nginx_carries_sound_behind_silence() {
    nginx_carries(Sealing::Nalu, Sound::Silence);
}
