//! Shows that do not start, and shows that start without some of their parts.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use crate::live_show::{LiveShow, SHOW, events, folder, offline_show, report};
use crate::obvan::{Said, obvan};

fn run(folder: &Path, more: &[&str]) -> Said {
    let args = ["run", "night.show", "--out", "out", "--report", "-"];
    // Whoever needs HTTP and does not say where gets a port that is free.
    let http: &[&str] = if more.iter().any(|a| ["--http", "--offline"].contains(a)) {
        &[]
    } else {
        &["--http", "127.0.0.1:0"]
    };
    obvan(folder, &[&args[..], http, more].concat())
}

/// Refused with these words, with nothing on stdout, and no recording begun.
fn refused(show: &str, more: &[&str], words: &[&str]) {
    let folder = folder(show);
    let said = run(folder.path(), more).exits(2);
    for words in words {
        assert!(said.stderr.contains(words), "{words:?} is not in {}", said.stderr);
    }
    assert!(said.stdout.is_empty(), "{said:?}");
    let told =
        said.stderr.lines().find(|line| ["push ", "play ", "page "].iter().any(|p| line.starts_with(p)));
    assert!(told.is_none(), "nothing is open: {told:?}");
    let out = folder.path().join("out");
    let left: Vec<_> = fs::read_dir(out).map(|d| d.map(|e| e.unwrap().path()).collect()).unwrap_or_default();
    assert!(left.is_empty(), "a show that did not start leaves {left:?}");
}

fn pushed() -> String {
    SHOW.replace(r#"gen test "motion" tone=440"#, r#"fiber push "rtmp:live/stage""#)
}

fn taken() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    (listener, addr)
}

#[test]
fn a_port_in_use_is_named_with_the_way_out() {
    let (_http, addr) = taken();
    refused(SHOW, &["--for", "1s", "--http", &addr], &[&addr, "Address already in use", "--http ADDR"]);
    let (_rtmp, addr) = taken();
    refused(&pushed(), &["--for", "1s", "--rtmp", &addr], &[&addr, "Address already in use", "--rtmp ADDR"]);
}

#[test]
fn the_addresses_that_are_told_are_open() {
    let show = pushed().replace("    egress web", "    egress relay serve rtmp\n    egress web");
    let folder = folder(&show);
    let live = LiveShow::start(folder.path(), &["--rtmp", "127.0.0.1:0"]);
    let said = live.said();
    for (what, path) in [("push    stage/fiber at ", "/live/stage"), ("play    ", "/live/program_{180p,90p}")]
    {
        let url = said.lines().find_map(|line| line.strip_prefix(what)?.strip_suffix(path));
        let addr =
            url.and_then(|url| url.strip_prefix("rtmp://")).unwrap_or_else(|| panic!("{what}: {said}"));
        assert!(TcpStream::connect(addr).is_ok(), "{addr} is not open");
    }
}

#[test]
fn offline_takes_nothing_live_and_nothing_endless() {
    refused(SHOW, &["--offline", "--for", "1s"], &["egress web of channel program is live", "real time"]);
    let show = pushed().replace("    egress web serve http-flv\n", "");
    refused(&show, &["--offline", "--for", "1s"], &["stage/fiber is live"]);
    let show = show.replace(r#"push "rtmp:live/stage""#, r#"pull "srt://127.0.0.1:9001""#);
    refused(&show, &["--offline", "--for", "1s"], &["stage/fiber is live"]);
    refused(&offline_show(""), &["--offline"], &["an offline show must end", "--for DUR"]);
}

#[test]
fn keys_that_are_not_there_are_named() {
    let keyed = |place: &str| {
        offline_show("    encrypt tour mode=nalu\n")
            .replace("  channel", &format!("  key tour {{ id 7 {place} }}\n  channel"))
    };
    let offline = ["--offline", "--for", "1s"];
    refused(&keyed("env=OBVAN_NO_SUCH_KEY"), &offline, &["key tour id 7", "OBVAN_NO_SUCH_KEY is not set"]);
    refused(&keyed(r#"file="none.hex""#), &offline, &["key tour id 7", "none.hex: No such file"]);
    // What is no key may still be a secret.
    let folder = folder(&keyed(r#"file="night.hex""#));
    crate::keys::write(&folder.path().join("night.hex"), "secretsecret", 0o600);
    let said = run(folder.path(), &offline).exits(2);
    assert!(said.stderr.contains("32 hex digits") && !said.stderr.contains("secret"), "{}", said.stderr);
    // Nor is what others can read.
    crate::keys::write(&folder.path().join("night.hex"), crate::stream::KEY, 0o644);
    let said = run(folder.path(), &offline).exits(2);
    assert!(said.stderr.contains("key tour id 7: the key file "), "{}", said.stderr);
    assert!(said.stderr.contains("its mode is 0644") && said.stderr.contains("chmod 600 it"));
    crate::keys::write(&folder.path().join("night.hex"), crate::stream::KEY, 0o600);
    run(folder.path(), &offline).exits(0);
}

#[test]
fn a_variable_cannot_lead_an_encrypted_channel_out_of_a_door_that_is_closed() {
    let show = offline_show("    encrypt tour mode=nalu\n")
        .replace("  channel", "  key tour { id 7 env=OBVAN_KEY }\n  channel")
        .replace(r#"record "{rung}.flv""#, "record env:OBVAN_FILM");
    let folder = folder(&show);
    let film = |name: &str| {
        let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_obvan"));
        run.args(["run", "night.show", "--offline", "--for", "1s"]).current_dir(folder.path());
        run.env("OBVAN_KEY", crate::stream::KEY.trim()).env("OBVAN_FILM", name);
        let output = run.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = film("{rung}.mp4");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("channel program: it is encrypted, but egress disk carries no FLV tags"), "{said}");
    assert!(fs::read_dir(folder.path()).unwrap().count() == 1, "nothing was recorded");
    assert_eq!(film("{rung}.flv").0, Some(0));
}

#[test]
fn a_second_channel_that_cannot_start_leaves_no_recording_of_the_first() {
    let second = "  key tour { id 7 env=OBVAN_NO_SUCH_KEY }\n  channel second {\n    sources bars\n    ladder two\n    \
        encrypt tour mode=nalu\n    egress disk record \"second-{rung}.flv\"\n  }\n}\n";
    let show = offline_show("").trim_end().strip_suffix('}').unwrap().to_owned() + second;
    refused(&show, &["--offline", "--for", "1s"], &["OBVAN_NO_SUCH_KEY is not set"]);
}

#[test]
fn a_channel_without_a_way_out_does_not_start() {
    let push = "    egress cdn push \"srt://cdn.example:9000?streamid={rung}\"\n";
    let show = offline_show(push).replace("    egress disk record \"{rung}.flv\"\n", "");
    refused(
        &show,
        &["--for", "1s"],
        &["channel program", "cdn (180p): pushing over srt is not available yet"],
    );
    let film = "    egress film record \"{rung}.mp4\"\n";
    let show = offline_show(film).replace("    egress disk record \"{rung}.flv\"\n", "");
    refused(
        &show,
        &["--for", "1s"],
        &["channel program", "film (180p): recording as mp4 is not available yet"],
    );
}

#[test]
fn what_is_not_built_yet_or_not_there_is_said_and_the_rest_runs() {
    let show = SHOW
        .replace("  camera bars", "  camera far { line radio device \"/dev/video63\" }\n  camera bars")
        .replace("sources stage bars", "sources stage far bars")
        .replace(
            "    egress web",
            "    egress cdn push \"srt://cdn.example:9000?streamid=secret-{rung}\"\n    egress web",
        );
    let folder = folder(&show);
    let live = LiveShow::start(folder.path(), &[]);
    // GStreamer may have to look through its plugins first.
    let gone = "WARN  far/radio: there is no device /dev/video63; it is tried again";
    live.wait_until("the missing device", |live| live.said().contains(gone));
    live.reaches(1.0);
    live.signal("INT");
    let (code, said) = live.ended();
    assert_eq!(code, Some(0), "{said}");
    let report = report(folder.path());
    let unbuilt: Vec<_> = events(&report).into_iter().filter(|(code, _)| code == "not-available").collect();
    let expected = ["program/cdn/180p", "program/cdn/90p"];
    assert_eq!(unbuilt.len(), expected.len(), "{unbuilt:?}");
    assert!(expected.iter().all(|subject| unbuilt.iter().any(|(_, s)| s == subject)), "{unbuilt:?}");
    assert!(report["channels"][0]["frames"].as_u64().unwrap() >= 25);
    assert_eq!(report["channels"][0]["egress"][0]["state"], "not-available");
    assert!(!said.contains("secret") && !report.to_string().contains("secret"), "a stream key is told");
}
