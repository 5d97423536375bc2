//! The same show twice offline, and the report's contract.

use std::fs;

use serde_json::Value;

use crate::live_show::{RECORDINGS, folder, offline_show, report};
use crate::obvan::obvan;
use crate::recording::{complaints, read};
use crate::stream::KEY;

const RUNDOWN: &str = "  rundown program { at 0:01 cut bars; at 0:02 mix stage over=400ms; at 0:03 filler on; at 0:04 end }\n}\n";

fn with_rundown(show: &str) -> String {
    show.trim_end().strip_suffix('}').unwrap().to_owned() + RUNDOWN
}

#[test]
fn the_same_show_twice_gives_the_same_files_and_decisions() {
    let folder = folder(&with_rundown(&offline_show("")));
    let run = |out: &str, report: &str| {
        let args = ["run", "night.show", "--offline", "--out", out, "--report", report];
        obvan(folder.path(), &args).exits(0)
    };
    run("a", "a.json");
    let mut report = run("b", "-").json();
    for name in RECORDINGS {
        let [a, b] = ["a", "b"].map(|out| fs::read(folder.path().join(out).join(name)).unwrap());
        assert!(a.len() > 10_000 && a == b, "{name} differs");
        read(&folder.path().join("a").join(name)).is_closed_in_good_order();
        assert_eq!(complaints(&folder.path().join("a").join(name)), "");
    }
    let mut first: Value = serde_json::from_slice(&fs::read(folder.path().join("a.json")).unwrap()).unwrap();
    for all in [&mut first, &mut report] {
        // What a stage took is the machine's, not the show's.
        for rung in all["channels"][0]["rungs"].as_array_mut().unwrap() {
            assert!(rung.as_object_mut().unwrap().remove("stage").is_some());
        }
    }
    for part in ["on_air", "rungs", "frames", "late_ticks"] {
        assert_eq!(first["channels"][0][part], report["channels"][0][part], "{part}");
    }
    let on_air: Vec<_> =
        report["channels"][0]["on_air"].as_array().unwrap().iter().map(|r| &r["reason"]).collect();
    assert_eq!(on_air, ["start", "cut", "mix", "filler", "end"]);
}

#[test]
fn encrypted_twice_differs_and_decrypts_to_the_same() {
    let sealed = "    encrypt tour mode=nalu\n    egress open record \"open-{rung}.flv\" clear=true\n";
    let show = offline_show(sealed).replace("  channel", "  key tour { id 1 file=\"key.hex\" }\n  channel");
    let folder = folder(&with_rundown(&show));
    crate::keys::write(&folder.path().join("key.hex"), KEY, 0o600);
    for out in ["a", "b"] {
        obvan(folder.path(), &["run", "night.show", "--offline", "--out", out]).exits(0);
        for name in RECORDINGS {
            let (from, to) = (format!("{out}/{name}"), format!("{out}/decrypted-{name}"));
            obvan(folder.path(), &["decrypt", &from, &to, "--key-file", "key.hex"]).exits(0);
        }
    }
    for name in RECORDINGS {
        let file = |name: String| read(&folder.path().join(name));
        let [a, b] = ["a", "b"].map(|out| file(format!("{out}/{name}")));
        assert_eq!(a.tags.len(), b.tags.len());
        let differ = a.tags.iter().zip(&b.tags).filter(|(a, b)| a != b).count();
        assert!(differ * 10 > a.tags.len() * 9, "{differ} of {} tags differ: salts are new", a.tags.len());
        let [a, b] = ["a", "b"].map(|out| file(format!("{out}/decrypted-{name}")));
        assert!(a.tags == b.tags, "{name}: decrypted, they differ");
        // And to what was never encrypted.
        let open = file(format!("a/open-{name}"));
        assert!(a.tags == open.tags, "{name}: decrypted, it is not what the clear recording is");
        assert_eq!(complaints(&folder.path().join(format!("a/decrypted-{name}"))), "");
    }
}

/// A contract in small: `f` number, `n` whole number, `s` text, `?` text or null.
fn has(value: &Value, fields: &[(&str, char)]) {
    for (name, kind) in fields {
        let field = &value[name];
        let right = match kind {
            'f' => field.is_number(),
            'n' => field.is_u64(),
            's' => field.is_string(),
            '?' => value.get(name).is_some() && (field.is_string() || field.is_null()),
            _ => panic!("no kind {kind}"),
        };
        assert!(right, "{name} is {field} in {value:#}");
    }
}

#[test]
fn the_report_has_every_field_of_the_contract() {
    let folder = folder(&with_rundown(&offline_show("")));
    obvan(folder.path(), &["run", "night.show", "--offline", "--report", "report.json"]).exits(0);
    let report = report(folder.path());
    let each = |value: &Value| {
        let all = value.as_array().unwrap_or_else(|| panic!("a list, not {value}")).clone();
        assert!(!all.is_empty());
        all
    };
    has(&report, &[("show", 's'), ("wall_s", 'f'), ("cpu_s", 'f'), ("realtime_factor", 'f')]);
    assert_eq!(report["show"], "night");
    for camera in each(&report["cameras"]) {
        has(&camera, &[("name", 's')]);
        for line in each(&camera["lines"]) {
            has(&line, &[("name", 's'), ("state", 's'), ("packets", 'n'), ("bytes", 'n'), ("lost_s", 'f')]);
            assert!(["live", "lost", "ended", "never"].contains(&line["state"].as_str().unwrap()));
        }
    }
    let reasons = ["start", "cut", "mix", "failover", "filler", "recovered", "end"];
    for channel in each(&report["channels"]) {
        has(&channel, &[("name", 's'), ("frames", 'n'), ("late_ticks", 'n')]);
        for run in each(&channel["on_air"]) {
            has(&run, &[("t", 'f'), ("source", '?'), ("reason", 's')]);
            assert!(reasons.contains(&run["reason"].as_str().unwrap()), "{run}");
        }
        for rung in each(&channel["rungs"]) {
            let counts =
                [("width", 'n'), ("height", 'n'), ("frames", 'n'), ("keyframes", 'n'), ("bytes", 'n')];
            has(&rung, &counts);
            has(&rung, &[("name", 's'), ("max_video_gap_ms", 'f'), ("max_audio_gap_ms", 'f')]);
            // Offline, gaps are of media time.
            assert_eq!(rung["max_video_gap_ms"], 40.0);
        }
        for way in each(&channel["egress"]) {
            has(&way, &[("name", 's'), ("rung", 's'), ("target", 's'), ("state", 's')]);
            has(&way, &[("bytes", 'n'), ("dropped_frames", 'n'), ("reconnects", 'n')]);
        }
    }
    for event in each(&report["events"]) {
        has(&event, &[("t", 'f'), ("level", 's'), ("code", 's'), ("subject", 's'), ("message", 's')]);
        assert!(["info", "warn", "alarm"].contains(&event["level"].as_str().unwrap()), "{event}");
    }
}
