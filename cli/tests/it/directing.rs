//! A director at the keyboard: `ctl` against a show that runs.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::live_show::{LiveShow, SHOW, folder, report};
use crate::obvan::Said;
use crate::recording::read;

fn sealed() -> String {
    SHOW.replace(
        "  channel program {\n",
        "  key tour { id 1 env=OBVAN_KEY }\n  channel program {\n    encrypt tour mode=nalu\n",
    )
}

/// The second key.
const NEXT: &str = "f0e0d0c0b0a090807060504030201000";

/// Frame and source of an accepted command's one line on stdout.
fn since(said: Said) -> (u64, String) {
    let said = said.exits(0);
    let text = said.text();
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "frame").unwrap_or_else(|| panic!("{text}"));
    (words[at + 1].parse().unwrap(), words[1].to_owned())
}

#[test]
fn cuts_fillers_and_refusals() {
    let folder = folder(SHOW);
    let live = LiveShow::start(folder.path(), &[]);
    live.reaches(0.5);
    let frames = |status: &Value| status["channels"][0]["frames"].as_u64().unwrap();
    let on_air = |live: &LiveShow| live.status()["channels"][0]["on_air"].clone();

    // A cut acts at the next tick, and the status says the same.
    let before = frames(&live.status());
    let (frame, source) = since(live.ctl(&["cut", "bars"]));
    assert_eq!(source, "bars");
    let status = live.status();
    assert!(before <= frame && frame <= frames(&status), "{before} {frame} {status}");
    let channel = &status["channels"][0];
    assert_eq!((&channel["on_air"], &channel["reason"]), (&"bars".into(), &"cut".into()));
    assert_eq!((&channel["intent"], channel["since_frame"].as_u64()), (&"bars".into(), Some(frame)));
    let table = live.ctl(&["status"]).exits(0);
    let line = format!("program: bars ON AIR since frame {frame} (reason: cut)");
    assert!(table.text().contains(&line), "{}", table.text());

    // The same command again changes nothing and gets the same answer.
    let twice: Vec<_> = (0..2).map(|_| since(live.ctl(&["cut", "stage", "--id", "one"]))).collect();
    assert_eq!(twice[0], twice[1]);

    // Under the filler a cut changes the intent only.
    assert_eq!(since(live.ctl(&["filler", "on"])).1, "green");
    assert_eq!(since(live.ctl(&["cut", "bars"])).1, "green");
    let status = live.status();
    assert_eq!(
        (&status["channels"][0]["intent"], &status["channels"][0]["on_air"]),
        (&"bars".into(), &"green".into())
    );
    assert_eq!(since(live.ctl(&["filler", "off"])).1, "bars");

    // A dissolve is on air from its first tick on.
    assert_eq!(since(live.ctl(&["mix", "stage", "--over", "200ms"])).1, "stage");

    // Preview and take, and sound that is led by hand.
    live.ctl(&["preview", "bars"]).exits(0);
    assert_eq!(live.status()["channels"][0]["preview"], "bars");
    assert_eq!(since(live.ctl(&["take", "--with", "cut"])).1, "bars");
    assert_eq!(live.status()["channels"][0]["preview"], "stage");
    assert_eq!(since(live.ctl(&["take"])).1, "stage");
    live.ctl(&["gain", "bars", "-6dB"]).exits(0);
    live.ctl(&["mute", "bars", "on"]).exits(0);
    live.ctl(&["sound", "hold", "stage"]).exits(0);
    let channel = live.status()["channels"][0].clone();
    assert_eq!(channel["desk"], serde_json::json!([{ "source": "bars", "gain_db": -6.0, "mute": "on" }]));
    assert_eq!(channel["sound"], "stage");

    for (args, exit, words) in [
        (&["gain", "bars", "13dB"][..], 2, "legal: -60 dB to 12 dB"),
        (&["line", "bars", "nowhere"], 2, "auto"),
        (&["line", "nobody", "auto"], 2, "legal: stage, bars"),
        (&["plan", "next"], 1, "has no rundown"),
        (&["wipe", "bars", "--edge", "middle"], 2, "legal: left, right, top, bottom"),
        (&["dip", "bars", "--color", "nile"], 2, "#rrggbb"),
        (&["cut", "kary"][..], 2, "legal: stage, bars"),
        (&["mix", "kary"], 2, "legal: stage, bars"),
        (&["cut", "bars", "--channel", "news"], 2, "legal: program"),
        (&["cut", "bars", "--expect", "bars"], 1, "legal: stage"),
        (&["encrypt", "on"], 1, "channel program has no keys to encrypt with"),
        (&["filler", "maybe"], 2, "on, off"),
        (&["mix", "bars", "--over", "2m"], 2, "legal: 1 to 60000"),
    ] {
        let said = live.ctl(args).exits(exit);
        assert!(said.stdout.is_empty() && said.stderr.contains(words), "{args:?}: {}", said.stderr);
        assert_eq!(on_air(&live), "stage", "{args:?}: a refusal changes nothing");
    }
    let refused = live.ctl(&["cut", "kary", "--json"]).exits(2).json();
    assert_eq!(
        (&refused["code"], &refused["legal"]),
        (&"unknown-source".into(), &serde_json::json!(["stage", "bars"]))
    );

    let url = live.url();
    live.signal("TERM");
    assert_eq!(live.ended().0, Some(0));
    let said = crate::obvan::obvan(folder.path(), &["ctl", "--api", &url, "status"]).exits(1);
    assert!(said.stderr.contains(&format!("no show answers at {url}")), "{}", said.stderr);
    let reasons: Vec<_> = report(folder.path())["channels"][0]["on_air"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["reason"].as_str().unwrap().to_owned())
        .collect();
    // `filler off` gives the picture back to the cut that waited under it.
    assert_eq!(reasons.len(), 9, "{reasons:?}");
    assert_eq!(reasons[..4], ["start", "cut", "cut", "filler"], "{reasons:?}");
    assert_eq!(reasons[5..], ["mix", "cut", "cut", "end"], "{reasons:?}");
}

#[test]
fn a_rotation_while_encryption_is_off_waits_and_says_so() {
    let two_keys = sealed().replace("id 1 env=OBVAN_KEY", "id 1 env=OBVAN_KEY; id 2 file=\"next.hex\"");
    let folder = folder(&two_keys);
    crate::keys::write(&folder.path().join("next.hex"), NEXT, 0o600);
    let live = LiveShow::start(folder.path(), &[]);
    let asked = |words: &[&str], want: &str| {
        let said = live.ctl(words).exits(0);
        assert!(said.text().contains(want), "{words:?}, {want}: {}", said.text());
    };
    asked(&["status"], "encryption: on, key 1\n");
    asked(&["encrypt", "off"], " on clear; key 1 takes effect when encryption is on, revision ");
    asked(&["encrypt", "rotate"], " on clear; key 2 takes effect when encryption is on, revision ");
    asked(&["status"], "encryption: off (key 2 when on)\n");
    asked(&["encrypt", "on"], " on encrypted under key 2, revision ");
    asked(&["status"], "encryption: on, key 2\n");
    live.signal("TERM");
    assert_eq!(live.ended().0, Some(0));
}

#[test]
fn encryption_goes_off_on_and_to_the_next_key_at_key_frames() {
    let two_keys = sealed().replace("id 1 env=OBVAN_KEY", "id 1 env=OBVAN_KEY; id 2 file=\"next.hex\"");
    let folder = folder(&two_keys);
    crate::keys::write(&folder.path().join("next.hex"), NEXT, 0o600);
    let live = LiveShow::start(folder.path(), &[]);
    let key_id = |live: &LiveShow| live.status()["channels"][0]["key_id"].clone();
    let wait = |what: Value| {
        let begun = Instant::now();
        while key_id(&live) != what {
            assert!(begun.elapsed() < Duration::from_secs(10), "key id {} is not {what}", key_id(&live));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    live.reaches(0.5);
    wait(1.into());
    live.ctl(&["encrypt", "off"]).exits(0);
    wait(Value::Null);
    let clear_from = live.status()["t"].as_f64().unwrap();
    live.reaches(clear_from + 1.2);
    live.ctl(&["encrypt", "on"]).exits(0);
    wait(1.into());
    let sealed_from = live.status()["t"].as_f64().unwrap();
    live.reaches(sealed_from + 1.2);
    live.ctl(&["encrypt", "rotate"]).exits(0);
    wait(2.into());
    let rotated = live.status()["t"].as_f64().unwrap();
    live.reaches(rotated + 1.2);
    // Past the last key there is none to go on to.
    let said = live.ctl(&["encrypt", "rotate"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(key_id(&live), 2);
    live.signal("TERM");
    let (code, said) = live.ended();
    assert_eq!(code, Some(0));

    // What happened is told while it happens, and in the report.
    let report = report(folder.path());
    let told = report["channels"][0]["encryption"].as_array().unwrap();
    let states: Vec<_> = told.iter().map(|e| (e["state"].as_str().unwrap(), e["key_id"].as_u64())).collect();
    assert_eq!(states, [("on", Some(1)), ("off", None), ("on", Some(1)), ("on", Some(2))], "{told:?}");
    let times: Vec<f64> = told.iter().map(|e| e["t"].as_f64().unwrap()).collect();
    assert!(times.is_sorted() && times[0] == 0.0, "{times:?}");
    for rung in ["program/180p", "program/90p"] {
        let events = crate::live_show::events(&report);
        assert_eq!(events.iter().filter(|event| **event == ("encryption".into(), rung.into())).count(), 4);
        for words in ["encrypted under key 1 from", "clear from", "encrypted under key 2 from"] {
            assert!(said.contains(&format!("{rung}: {words}")), "{rung}, {words}: {said}");
        }
    }

    let path = folder.path().join("out/180p.flv");
    let recording = read(&path);
    recording.is_closed_in_good_order();
    let args = ["probe", "out/180p.flv", "--format", "json"];
    let probe = crate::obvan::obvan(folder.path(), &args).exits(0).json();
    assert_eq!(probe["encryption"]["state"], "mixed", "{probe:#}");
    crate::keys::write(&folder.path().join("key.hex"), crate::stream::KEY, 0o600);
    let one = ["decrypt", "out/180p.flv", "open.flv", "--key-file", "key.hex"];
    let said = crate::obvan::obvan(folder.path(), &one).exits(1);
    assert!(said.stderr.contains("encrypted under another key 2"), "{}", said.stderr);
    let both = ["--force", "--key-id", "1", "--key-file", "next.hex", "--key-id", "2"];
    crate::obvan::obvan(folder.path(), &[&one[..], &both].concat()).exits(0);
    assert_eq!(crate::recording::complaints(&folder.path().join("open.flv")), "");
    assert_eq!(read(&folder.path().join("open.flv")).pictures(), recording.pictures());
}
