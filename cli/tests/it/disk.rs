//! Disks that fill, and folders that cannot be written.

use std::fs;
use std::process::{Command, Stdio};

use flv::TagKind;
use flv::video::VideoHeader;

use crate::live_show::{RECORDINGS, SHOW, events, folder, offline_show, report};
use crate::obvan::obvan;
use crate::recording::{complaints, read};

/// What `ulimit -f` counts in.
const BLOCK: usize = 1024;

#[test]
fn a_full_disk_ends_one_recording_at_its_last_whole_tag_and_nothing_else() {
    // A copy of the small rung's feed goes to a file that stays small enough.
    let folder = folder(&offline_show(""));
    let args = "run night.show --offline --for 8s --report report.json --out";
    let args: Vec<&str> = args.split(' ').collect();
    obvan(folder.path(), &[&args[..], &["free"]].concat()).exits(0);
    let [large, small] = RECORDINGS.map(|name| read(&folder.path().join("free").join(name)));
    assert!(large.len > 2 * small.len);
    let blocks = (small.len + large.len) / 2 / BLOCK;

    let script = format!(r#"trap "" XFSZ; ulimit -f {blocks}; exec "$0" "$@""#);
    let mut limited = Command::new("bash");
    limited.args(["-c", &script, env!("CARGO_BIN_EXE_obvan")]).args(&args).arg("full");
    let output = limited.current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");

    // The most whole tags that fit, and how long they last.
    let path = folder.path().join("full/180p.flv");
    let cut = read(&path);
    assert!(cut.is_whole(), "{:?}", cut.ending);
    let next = large.tags[cut.tags.len()].wire_len();
    assert!(cut.len <= blocks * BLOCK && cut.len + next > blocks * BLOCK, "{} and {next}", cut.len);
    assert!(cut.tags[1..] == large.tags[1..cut.tags.len()], "what fits is what was made");
    cut.is_closed_in_good_order();
    assert_eq!(complaints(&path), "");
    let alarm = format!(
        "ALARM program/disk/180p: full/180p.flv: File too large (os error 27); \
        the recording ends after {} bytes of whole tags [egress-failed]",
        cut.len
    );
    assert!(said.contains(&alarm), "{said}");

    // The other rung is as it would have been.
    let other = read(&folder.path().join("full/90p.flv"));
    other.is_closed_in_good_order();
    assert!(other.tags == small.tags);
    let report = report(folder.path());
    let failed: Vec<_> = events(&report).into_iter().filter(|(code, _)| code == "egress-failed").collect();
    assert_eq!(failed, [("egress-failed".into(), "program/disk/180p".into())]);
    let ways = &report["channels"][0]["egress"];
    assert_eq!((&ways[0]["state"], &ways[1]["state"]), (&"failed".into(), &"closed".into()));
    assert_eq!(ways[0]["bytes"], cut.len - flv::FILE_HEADER_LEN);
    assert_eq!(report["channels"][0]["rungs"][0]["frames"], 200, "the encoder goes on");
    assert!(cut.tags.iter().any(|tag| tag.kind == TagKind::Audio));
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_the_reason() {
    let folder = folder(&offline_show(""));
    let run = ["run", "night.show", "--offline", "--for", "1s", "--out"];
    let said = obvan(folder.path(), &[&run[..], &["night.show/out"]].concat()).exits(2);
    assert!(said.stderr.contains("output folder night.show/out: Not a directory"), "{}", said.stderr);
    // It is there, yet takes no files: also for root.
    let said = obvan(folder.path(), &[&run[..], &["/proc"]].concat()).exits(2);
    assert!(said.stderr.contains("channel program"), "{}", said.stderr);
    assert!(said.stderr.contains("disk (180p): /proc/180p.flv: cannot be created: "), "{}", said.stderr);
}

#[test]
fn a_report_that_fails_is_found_out_before_the_show() {
    let folder = folder(&offline_show(""));
    fs::create_dir(folder.path().join("here")).unwrap();
    for report in ["none/report.json", "here", "/proc/report.json"] {
        let args = ["run", "night.show", "--offline", "--for", "1s", "--report", report];
        let said = obvan(folder.path(), &args).exits(2);
        assert!(said.stderr.contains("the report cannot be written"), "{report}: {}", said.stderr);
        assert!(!folder.path().join("180p.flv").exists(), "{report}: the show ran");
    }
}

/// A line is recorded as it comes: when no more fits, the file ends at its last whole tag, and the
/// recording goes on in another at a key frame. The line is none the worse.
#[test]
fn a_full_disk_costs_the_recording_of_a_line_a_gap_and_the_line_nothing() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let show = SHOW
        .replace("gen test \"motion\" tone=440", "fiber push \"rtmp:live/stage\" record=\"iso/{line}.flv\"")
        .replace("    egress disk record \"{rung}.flv\"\n", "")
        .replace("camera stage", &format!("listen {{ rtmp \"127.0.0.1:{port}\" }}\n  camera stage"));
    let folder = folder(&show);
    let blocks = 100;
    let script = format!(r#"trap "" XFSZ; ulimit -f {blocks}; exec "$0" "$@""#);
    let args = "run night.show --http 127.0.0.1:0 --for 8s --report report.json --out out".split(' ');
    let mut limited = Command::new("bash");
    limited.args(["-c", &script, env!("CARGO_BIN_EXE_obvan")]).args(args).current_dir(folder.path());
    let run = limited.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let url = format!("rtmp://127.0.0.1:{port}/live/stage");
    let push = format!(
        "-nostdin -v error -re -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine -c:v libx264 \
         -preset ultrafast -tune zerolatency -g 25 -b:v 1500k -c:a aac -t 20 -f flv {url}"
    );
    // The show may not listen yet: an encoder in the field tries again, too.
    let script = r#"until ffmpeg "$@"; do sleep 0.1; kill -0 $PPID || exit; done"#;
    let mut push =
        Command::new("bash").args(["-c", script, "push"]).args(push.split_whitespace()).spawn().unwrap();
    let output = run.wait_with_output().unwrap();
    let _ = push.kill();
    let _ = push.wait();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");

    let path = folder.path().join("out/iso/fiber.flv");
    let cut = read(&path);
    assert!(cut.is_whole() && cut.len <= blocks * BLOCK, "{:?} at {}", cut.ending, cut.len);
    assert_eq!(complaints(&path), "");
    let alarm = format!("the recording ends after {} bytes of whole tags [iso-failed]", cut.len);
    assert!(said.contains(&alarm), "{said}");

    let report = report(folder.path());
    let line = &report["cameras"][0]["lines"][0];
    assert_eq!(line["state"], "live", "{said}");
    assert!(line["bytes"].as_u64().unwrap() > 2 * cut.len as u64, "the line goes on: {line}");
    let recording = &line["recording"];
    assert!(
        recording["failures"].as_u64().unwrap() >= 1 && recording["files"].as_u64().unwrap() >= 2,
        "{recording}"
    );
    // The second one has room for as much again.
    let path = folder.path().join("out/iso/fiber-2.flv");
    let next = read(&path);
    assert!(next.is_whole() && next.len <= blocks * BLOCK, "{:?} at {}", next.ending, next.len);
    assert_eq!(complaints(&path), "");
    let is_picture =
        |tag: &&flv::Tag| tag.kind == TagKind::Video && VideoHeader::parse(tag.body()).unwrap().has_picture();
    let [last, first] =
        [cut.tags.iter().rfind(is_picture), next.tags.iter().find(is_picture)].map(Option::unwrap);
    assert!(VideoHeader::parse(first.body()).unwrap().is_key_frame() && first.timestamp.0 > last.timestamp.0);
    let told = events(&report);
    assert!(told.iter().filter(|(code, _)| code == "iso-started").count() >= 2, "{said}");
    assert!(!told.iter().any(|(code, _)| code == "line-lost" || code == "egress-failed"), "{said}");
}
