//! A show that goes on after its engine was killed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use flv::TagKind;
use serde_json::{Value, json};

use crate::live_show::{LiveShow, RECORDINGS, SHOW, folder, report};
use crate::obvan::obvan;
use crate::recording::{complaints, read};

/// Encrypted, with a watermark, a third camera and a rundown.
fn tour() -> String {
    let parts = r#"  camera red { line gen test "color:red" }
  watermark bug { image "bug.svg" at=top-left }
  key tour { id 1 env=OBVAN_KEY; id 2 file="next.key" }
  rundown program { at 1s cut bars; at 30s cut bars; at 40s cut stage; next cut bars }
  channel program {
    encrypt tour mode=nalu
    watermark bug
"#;
    SHOW.replace("  channel program {\n", parts).replace("sources stage bars", "sources stage bars red")
}

fn stage(show: &str) -> tempfile::TempDir {
    let folder = folder(show);
    let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><rect width="20" height="20"/></svg>"#;
    fs::write(folder.path().join("bug.svg"), svg).unwrap();
    let key = folder.path().join("next.key");
    fs::write(&key, "f0e0d0c0b0a090807060504030201000\n").unwrap();
    let mut permissions = fs::metadata(&key).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    fs::set_permissions(&key, permissions).unwrap();
    folder
}

/// What stands in the output folder that is no recording.
fn states(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder.join("out")).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.contains(".state")).collect();
    names.sort();
    names
}

/// Waits until what is kept has this in it: what was asked for last.
fn wait_for_kept(live: &LiveShow, folder: &Path, what: &str) {
    let path = folder.join("out/night.state");
    live.wait_until(what, |_| fs::read_to_string(&path).is_ok_and(|text| text.contains(what)));
}

/// The salts that a recording's sound was encrypted with, and the ids of the keys.
fn salts(path: &Path) -> (BTreeSet<Vec<u8>>, BTreeSet<u8>) {
    let tags = read(path).tags;
    let sound = tags.iter().filter(|tag| tag.kind == TagKind::Audio);
    let sealed: Vec<_> = sound.filter(|tag| tag.body().get(2..6) == Some(b"\x9e\x12YX")).collect();
    assert!(!sealed.is_empty(), "{}", path.display());
    let salts = sealed.iter().map(|tag| tag.body()[8..16].to_vec()).collect();
    (salts, sealed.iter().map(|tag| tag.body()[7]).collect())
}

#[test]
fn a_killed_show_goes_on_where_it_stands_by_then() {
    let folder = stage(&tour());
    let live = LiveShow::start(folder.path(), &[]);
    live.reaches(1.2);
    live.ctl(&["watermark", "bug", "off"]).exits(0);
    live.ctl(&["encrypt", "rotate"]).exits(0);
    live.ctl(&["gain", "stage", "-6dB"]).exits(0);
    live.ctl(&["preview", "stage"]).exits(0);
    let cut = |live: &LiveShow| live.ctl(&["cut", "red", "--id", "seven"]).exits(0).text().to_owned();
    let first = cut(&live);
    let asked = live.status()["t"].as_f64().unwrap();
    let due = asked.ceil() + 3.0;
    live.ctl(&["plan", "at", "3", &format!("{due}s")]).exits(0);
    live.ctl(&["plan", "skip", "2"]).exits(0);
    wait_for_kept(&live, folder.path(), "\"skipped\"");
    live.signal("KILL");
    assert_eq!(live.ended().0, None);
    assert_eq!(states(folder.path()), ["night.state", "night.state.lock"]);
    let mode = fs::metadata(folder.path().join("out/night.state")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);

    // Whoever starts it again has nothing more to say.
    let live = LiveShow::start(folder.path(), &[]);
    let said = live.said();
    assert!(said.contains("state   out/night.state: the show goes on at 0:0"), "{said}");
    assert!(said.contains("--fresh"), "{said}");
    live.wait_until("a picture", |live| live.status()["channels"][0]["on_air"] != Value::Null);
    let channel = live.status()["channels"][0].clone();
    assert_eq!((&channel["preview"], &channel["key_id"]), (&"stage".into(), &2.into()), "{channel:#}");
    assert_eq!(channel["watermarks"][0]["state"], "off", "{channel:#}");
    assert_eq!(channel["desk"], json!([{ "source": "stage", "gain_db": -6.0, "mute": "off" }]));
    assert_eq!(channel["plan"]["skipped"], 1, "{channel:#}");
    // Who got no answer asks again.
    assert_eq!(cut(&live), first);
    live.reaches(due + 0.2);
    let channel = live.status()["channels"][0].clone();
    assert_eq!(
        (&channel["plan"]["done"], &channel["plan"]["waiting"]),
        (&2.into(), &1.into()),
        "{channel:#}"
    );
    live.signal("TERM");
    let (code, said) = live.ended();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(states(folder.path()), [] as [&str; 0], "a show that ended leaves nothing to go on from");

    // The report tells of both parts, and what was on air in them.
    let report = report(folder.path());
    let parts = report["parts"].as_array().unwrap();
    let ends: Vec<_> = parts.iter().map(|part| part["end"].as_str().unwrap()).collect();
    assert_eq!(ends, ["died", "ended"]);
    let at = |part: usize, name: &str| parts[part][name].as_f64().unwrap();
    assert!(at(0, "from") == 0.0 && at(0, "to") >= asked && at(1, "from") > at(0, "to"), "{parts:?}");
    let on_air: Vec<_> = report["channels"][0]["on_air"].as_array().unwrap().clone();
    let told: Vec<_> = on_air.iter().map(|run| (&run["source"], run["reason"].as_str().unwrap())).collect();
    let [stage, bars, red] = ["stage", "bars", "red"].map(Value::from);
    let none = Value::Null;
    let before = [(&stage, "start"), (&bars, "cut"), (&red, "cut"), (&none, "died")];
    assert_eq!(told[..4], before);
    // Unless the machine took so long that the next cue was due.
    if at(1, "from") < due {
        assert_eq!(told[4..], [(&red, "resumed"), (&stage, "cut"), (&none, "end")]);
        assert_eq!((&on_air[4]["t"], &on_air[5]["t"]), (&parts[1]["from"], &due.into()));
    } else {
        assert_eq!(told[4..], [(&stage, "cut"), (&none, "end")]);
    }
    let resumed = report["events"].as_array().unwrap().iter().find(|event| event["code"] == "resumed");
    assert!(resumed.unwrap()["message"].as_str().unwrap().contains("nothing went out for"), "{resumed:?}");

    // Nothing was written over, and no key stream was used twice.
    for name in RECORDINGS {
        let [first, second] = [name.to_owned(), name.replace(".flv", "-2.flv")]
            .map(|name| folder.path().join("out").join(name));
        read(&second).is_closed_in_good_order();
        let (before, _) = salts(&first);
        let (after, keys) = salts(&second);
        assert!(before.is_disjoint(&after), "{before:x?} {after:x?}");
        assert_eq!(keys, BTreeSet::from([2]));
        let clear = folder.path().join("clear.flv");
        let args = ["decrypt", second.to_str().unwrap(), clear.to_str().unwrap()];
        let key = ["--key-file", "next.key", "--key-id", "2"];
        obvan(folder.path(), &[&args[..], &key[..]].concat()).exits(0);
        assert_eq!(complaints(&clear), "");
        fs::remove_file(clear).unwrap();
    }
}

#[test]
fn whoever_wants_it_otherwise_says_so() {
    let folder = folder(SHOW);
    let live = LiveShow::start(folder.path(), &[]);
    live.reaches(0.3);
    live.ctl(&["cut", "bars"]).exits(0);
    wait_for_kept(&live, folder.path(), "\"cut\"");
    // While it runs, another one has no state, and takes none.
    let second = LiveShow::start(folder.path(), &["--for", "0.2s"]);
    let (code, said) = second.ended();
    assert!(
        code == Some(0) && said.contains("another engine is running that keeps its state there"),
        "{said}"
    );
    assert_eq!(report(folder.path())["channels"][0]["on_air"][0]["source"], "stage", "{said}");
    assert_eq!(states(folder.path()), ["night.state", "night.state.lock"]);
    live.signal("KILL");
    assert_eq!(live.ended().0, None);
    let kept = fs::read(folder.path().join("out/night.state")).unwrap();

    let run = |more: &[&str]| {
        let (code, said) = LiveShow::start(folder.path(), &[more, &["--for", "0.2s"]].concat()).ended();
        assert_eq!(code, Some(0), "{said}");
        (said, report(folder.path())["channels"][0]["on_air"][0]["source"].clone())
    };
    // Anew: what was kept is put aside, and can be gone on from after all.
    let (said, source) = run(&["--fresh"]);
    assert_eq!(source, "stage", "{said}");
    let died = said.split("is left alone (it died ").nth(1).and_then(|rest| rest.split([' ', ')']).nth(4));
    let (minutes, seconds) = died.unwrap_or_else(|| panic!("{said}")).split_once(':').unwrap();
    let died = minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap();
    assert!(fs::read(folder.path().join("out/night.state.old")).unwrap() == kept);
    let (said, _) = run(&["--resume", "--state", "out/night.state.old"]);
    assert!(said.contains("out/night.state.old: the show goes on at 0:0"), "{said}");
    let on_air = report(folder.path())["channels"][0]["on_air"].clone();
    assert_eq!(
        on_air.as_array().unwrap().iter().rfind(|run| run["reason"] == "resumed").unwrap()["source"],
        "bars"
    );
    assert_eq!(states(folder.path()), [] as [&str; 0]);

    // A broken one is told, put aside, and the show runs.
    fs::write(folder.path().join("out/night.state"), &kept[..kept.len() - 1]).unwrap();
    let (said, source) = run(&[]);
    assert!(said.contains("warning: out/night.state: it is damaged"), "{said}");
    assert_eq!(source, "stage", "{said}");
    assert_eq!(states(folder.path()), ["night.state.old"]);

    // One whose end has passed is over: nothing goes on air.
    let end = died + 0.2;
    let rundown = format!("  rundown program {{ at {end:.3}s end }}\n}}\n");
    let show = SHOW.trim_end().strip_suffix('}').unwrap().to_owned() + &rundown;
    fs::write(folder.path().join("night.show"), show).unwrap();
    fs::write(folder.path().join("out/night.state"), &kept).unwrap();
    let said = obvan(folder.path(), &["run", "night.show", "--out", "out", "--http", "127.0.0.1:0"]).exits(0);
    assert!(said.stderr.contains("the show is over; its end, 0:0"), "{}", said.stderr);
    assert!(!said.stderr.contains("page "), "{}", said.stderr);
    assert_eq!(states(folder.path()), ["night.state.old"]);
}

/// A disk that is full, and has room again.
#[test]
fn a_state_that_cannot_be_kept_is_told_and_stops_nothing() {
    let folder = folder(SHOW);
    fs::create_dir(folder.path().join("out")).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("out/night.state.new")).unwrap();
    let live = LiveShow::start(folder.path(), &[]);
    live.wait_until("the alarm", |live| live.said().contains("[state-failed]"));
    assert!(live.said().contains("out/night.state: No space left on device"), "{}", live.said());
    // What did not fit is taken away, here with what made it not fit.
    live.ctl(&["cut", "bars"]).exits(0);
    live.wait_until("its end", |live| live.said().contains("[state-kept]"));
    wait_for_kept(&live, folder.path(), "\"cut\"");
    live.signal("TERM");
    let (code, said) = live.ended();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(states(folder.path()), [] as [&str; 0]);
}
