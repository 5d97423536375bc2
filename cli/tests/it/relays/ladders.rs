//! The ladder of a show that pushes to nginx-rtmp changes on air: the server keeps its publishers, and
//! whoever plays there, from before or from then on, decodes every picture.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use flv::TagKind;

use super::film::{Sealing, opened};
use super::frames::{Times, frames, part, track, whole};
use super::nginx::{App, Nginx};
use super::push::{pushed, show};
use super::rtmp::{LIVE, Player};
use super::tool::{Tool, ffmpeg, wait_until};
use crate::live_show::{LiveShow, folder, report};
use crate::obvan::obvan;
use crate::stream::KEY;

/// A push of all rungs that there are.
fn tour(url: &str, sealing: Sealing, rungs: &[&str]) -> String {
    let encrypted = show(url).replace("rung 180p 320x180 400k; rung 90p 160x90 100k", &rungs.join("; "));
    match sealing {
        Sealing::Clear => encrypted.replace("    encrypt tour mode=nalu\n", "").replace(" clear=true", ""),
        _ => encrypted,
    }
}

/// What ffmpeg decodes of a stream, picture by picture.
struct Decoding {
    path: PathBuf,
    tool: Tool,
}

fn framecrc(input: &str, name: &str) -> String {
    format!("{input} -map 0:v -fps_mode passthrough -flush_packets 1 -f framecrc {name}")
}

/// A checksum of each picture.
fn pictures(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit(',').next()).map(|crc| crc.trim().to_owned()).collect()
}

impl Decoding {
    fn of(stream: &str, nginx: &Nginx, folder: &Path, name: &str) -> Self {
        let input = format!("{LIVE} -i {}", nginx.stream(App::Live, stream));
        let tool = Tool::spawn("ffmpeg", &mut ffmpeg(folder, &framecrc(&input, name)));
        Self { path: folder.join(name), tool }
    }

    /// All pictures that it has decoded, once its stream has ended.
    #[track_caller]
    fn ended(self) -> Vec<String> {
        assert!(self.tool.ended().success());
        pictures(&self.path)
    }
}

/// The pictures of a file, decoded.
fn decoded(folder: &Path, name: &str) -> Vec<String> {
    let said = Command::new("ffmpeg")
        .args("-nostdin -v error -y -i".split(' '))
        .args(framecrc(name, "decoded.txt").split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    pictures(&folder.join("decoded.txt"))
}

/// Those that were played are an unbroken run of those recorded.
#[track_caller]
fn assert_part(all: &[String], played: &[String], what: &str) {
    let is_there = !played.is_empty() && all.windows(played.len()).any(|run| run == played);
    assert!(is_there, "{what}: {} pictures that are no run of the {} recorded", played.len(), all.len());
}

fn a_ladder_changes_behind_a_server(sealing: Sealing) {
    let scratch = tempfile::tempdir().unwrap();
    let Some(nginx) = Nginx::start(scratch.path()) else { return };
    let url = nginx.stream(App::Live, "{channel}_{rung}");
    let (big, small, tiny) = ("rung 180p 320x180 400k", "rung 90p 160x90 100k", "rung 45p 80x44 50k");
    let folder = folder(&tour(&url, sealing, &[big, small]));
    let folder = folder.path();
    crate::keys::write(&folder.join("key.hex"), KEY, 0o600);
    let play = |rung: &str, name: &str| {
        Player::of(&format!("program_{rung}"), &nginx, App::Live, folder, &format!("{name}.flv"))
    };
    let watch = |rung: &str, name: &str| {
        let watches = sealing == Sealing::Clear;
        watches.then(|| Decoding::of(&format!("program_{rung}"), &nginx, folder, &format!("{name}.txt")))
    };
    let [first, first_small] = ["180p", "90p"].map(|rung| play(rung, &format!("{rung}-first")));
    let watched = watch("180p", "180p-watched");
    let live = LiveShow::start(folder, &[]);
    let seen = |player: &Player, more: usize| {
        let before = player.pictures();
        wait_until("more pictures at the player", || player.pictures() >= before + more);
    };
    let reload = |rungs: &[&str]| {
        fs::write(folder.join("night.show"), tour(&url, sealing, rungs)).unwrap();
        live.ctl(&["reload"]).exits(0);
        seen(&first, 30);
    };
    seen(&first, 30);
    seen(&first_small, 1);
    // Another bitrate; then another preset with B-frames, of which a decoder must know; a rung more.
    reload(&[&big.replace("400k", "150k"), small]);
    let other = "rung 180p 320x180 150k preset=superfast bframes=2";
    reload(&[other, small]);
    let (late, late_watched) = (play("180p", "180p-late"), watch("180p", "180p-late-watched"));
    reload(&[other, small, tiny]);
    let third = play("45p", "45p-first");
    seen(&third, 30);
    // One less: its publisher leaves, and the others stay.
    reload(&[other, tiny]);
    let small_path = first_small.ended();
    seen(&late, 1);
    live.signal("TERM");
    assert_eq!(live.ended().0, Some(0));

    let report = report(folder);
    for rung in ["180p", "90p", "45p"] {
        let row = pushed(&report, rung);
        assert_eq!((&row["state"], &row["reconnects"]), (&"closed".into(), &0.into()), "{row}");
        assert_eq!(row["dropped_frames"], 0, "{row}");
    }
    let record = |rung: &str| frames(fs::read(folder.join(format!("out/{rung}.flv"))).unwrap());
    let check = |rung: &str, path: PathBuf| {
        let (record, what) = (record(rung), path.display().to_string());
        let found = part(&record, &opened(&path, sealing), Times::Exact);
        assert_eq!(found.pictures.end, whole(&record).pictures.end, "{what}");
        // The first picture of a stream cannot be played from its middle, and none is lost after that.
        let open = folder.join("open.flv");
        if sealing == Sealing::Clear {
            fs::copy(&path, &open).unwrap();
        } else {
            let key = ["--key-file", "key.hex", "--force"];
            let args = ["decrypt", path.to_str().unwrap(), open.to_str().unwrap()];
            obvan(folder, &[&args[..], &key[..]].concat()).exits(0);
        }
        let played = decoded(folder, "open.flv");
        assert_eq!(played.len(), found.pictures.len(), "{what}");
        assert_part(&decoded(folder, &format!("out/{rung}.flv")), &played, &what);
        found
    };
    assert_eq!(check("180p", first.ended()), whole(&record("180p")));
    assert_eq!(check("90p", small_path), whole(&record("90p")));
    check("45p", third.ended());
    let joined = check("180p", late.ended());
    assert!(joined.pictures.start > 60, "{joined:?}");
    for (name, watched) in [("from the start", watched), ("late", late_watched)] {
        let Some(watched) = watched else { continue };
        let all = decoded(folder, "out/180p.flv");
        let shown = watched.ended();
        assert_part(&all, &shown, name);
        assert_eq!(shown.last(), all.last(), "{name}");
    }
    // A stream of each rung, in which there was all of it.
    assert_eq!(track(&record("180p"), TagKind::Video).len() as u64, report["channels"][0]["frames"]);
}

#[test]
fn a_ladder_changes_behind_a_server_in_the_clear() {
    a_ladder_changes_behind_a_server(Sealing::Clear);
}

#[test]
fn a_ladder_changes_behind_a_server_encrypted() {
    a_ladder_changes_behind_a_server(Sealing::Nalu);
}
