//! The ways a show ends, and what is on disk then.

use std::fs;

use crate::live_show::{LiveShow, RECORDINGS, SHOW, events, folder, report};
use crate::recording::{complaints, read};

/// Ends a running show somehow, and looks at what it leaves.
fn ends_in_good_order(show: &str, args: &[&str], end: impl FnOnce(&LiveShow)) -> serde_json::Value {
    let folder = folder(show);
    let live = LiveShow::start(folder.path(), args);
    end(&live);
    let (code, said) = live.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("report  report.json"), "{said}");
    let report = report(folder.path());
    let channel = &report["channels"][0];
    assert_eq!(channel["on_air"].as_array().unwrap().last().unwrap()["reason"], "end");
    for name in RECORDINGS {
        let path = folder.path().join("out").join(name);
        let recording = read(&path);
        recording.is_closed_in_good_order();
        assert_eq!(recording.pictures() as u64, channel["frames"].as_u64().unwrap(), "{name}");
        assert_eq!(complaints(&path), "", "{name}");
    }
    for egress in channel["egress"].as_array().unwrap() {
        assert_eq!(egress["state"], "closed", "{egress}");
    }
    report
}

#[test]
fn sigterm_ends_in_good_order() {
    ends_in_good_order(SHOW, &[], |live| {
        live.reaches(1.0);
        live.signal("TERM");
    });
}

#[test]
fn ctrl_c_ends_in_good_order() {
    ends_in_good_order(SHOW, &[], |live| {
        live.reaches(1.0);
        live.signal("INT");
    });
}

#[test]
fn a_time_limit_ends_in_good_order_and_exactly() {
    let report = ends_in_good_order(SHOW, &["--for", "1.4s"], |_| {});
    assert_eq!(report["channels"][0]["frames"], 35);
}

#[test]
fn the_rundowns_end_is_exclusive_and_the_earlier_of_two_ends_counts() {
    let show = SHOW.trim_end().strip_suffix('}').unwrap().to_owned();
    let show = show + "  rundown program { at 0:01 cut bars; at 0:02 end }\n}\n";
    let report = ends_in_good_order(&show, &["--for", "5s"], |_| {});
    let expected = serde_json::json!([
        { "t": 0.0, "source": "stage", "reason": "start" },
        { "t": 1.0, "source": "bars", "reason": "cut" },
        { "t": 2.0, "source": null, "reason": "end" },
    ]);
    assert_eq!(report["channels"][0]["on_air"], expected);
    assert_eq!(report["channels"][0]["frames"], 50);
}

#[test]
fn a_second_ctrl_c_aborts_at_once_or_the_show_has_ended() {
    let folder = folder(SHOW);
    let live = LiveShow::start(folder.path(), &[]);
    live.reaches(0.5);
    live.signal("INT");
    live.signal("INT");
    let (code, said) = live.ended();
    assert!(said.contains("ending the show in good order"), "{said}");
    assert_eq!(code, Some(if said.contains("aborted") { 1 } else { 0 }), "{said}");
    for name in RECORDINGS {
        assert!(read(&folder.path().join("out").join(name)).pictures() > 0);
    }
}

#[test]
fn a_killed_engine_leaves_files_that_play_and_the_next_run_leaves_them_alone() {
    let folder = folder(SHOW);
    let live = LiveShow::start(folder.path(), &[]);
    live.reaches(2.5);
    let frames = live.status()["channels"][0]["frames"].as_u64().unwrap();
    live.signal("KILL");
    assert_eq!(live.ended().0, None);
    assert!(!folder.path().join("report.json").exists());
    let mut left = Vec::new();
    for name in RECORDINGS {
        let path = folder.path().join("out").join(name);
        // `read` allows a cut last tag and no other damage.
        let recording = read(&path);
        let pictures = recording.pictures() as u64;
        assert!(pictures + 25 > frames, "{name}: {pictures} of {frames} pictures are on disk");
        let said = complaints(&path);
        assert!(said.is_empty() || !recording.is_whole(), "{name}: {said}");
        left.push(fs::read(path).unwrap());
    }
    let live = LiveShow::start(folder.path(), &["--for", "1s"]);
    assert_eq!(live.ended().0, Some(0));
    for (name, before) in RECORDINGS.iter().zip(left) {
        assert!(fs::read(folder.path().join("out").join(name)).unwrap() == before, "{name} was touched");
        read(&folder.path().join("out").join(name.replace(".flv", "-2.flv"))).is_closed_in_good_order();
    }
}

#[test]
fn a_missing_film_is_an_event_and_the_filler_covers_it() {
    let show = SHOW.replace(r#"gen test "motion" tone=440"#, r#"disk file "nowhere.mp4""#);
    let report = ends_in_good_order(&show, &[], |live| {
        live.reaches(1.0);
        let said = live.said();
        assert!(said.contains("ALARM stage/disk: ") && said.contains("nowhere.mp4: No such file"), "{said}");
        assert_eq!(live.status()["channels"][0]["on_air"], "green");
        live.signal("TERM");
    });
    assert!(events(&report).contains(&("line-error".into(), "stage/disk".into())), "{report:#}");
    assert_eq!(report["cameras"][0]["lines"][0]["state"], "never");
    let on_air = report["channels"][0]["on_air"].as_array().unwrap();
    assert!(on_air.iter().any(|run| run["source"] == "green" && run["reason"] == "filler"), "{on_air:?}");
}
