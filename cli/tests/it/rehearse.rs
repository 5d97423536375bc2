//! `obvan rehearse` from outside: what it takes, tells, writes and exits with.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::obvan::{Said, obvan};

/// Two lines, a filler, a push and a viewer, on a small canvas.
const SHOW: &str = r#"show "night" {
  video 320x180 25fps
  camera main {
    line fiber push "rtmp:live/main"
    line backpack pull "srt://10.0.0.7:9001"
  }
  camera wide { line sat push "rtmp:live/wide" }
  filler standby { test bars }
  ladder two { rung 180p 320x180 400k; rung 90p 160x90 100k }
  channel program {
    sources main wide
    filler standby after=500ms
    ladder two
    egress cdn push "rtmp://cdn.example/live/{rung}"
    egress web serve http-flv
  }
}
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("night.show"), SHOW).unwrap();
    folder
}

fn rehearse(folder: &Path, more: &[&str]) -> Said {
    obvan(folder, &[&["rehearse", "night.show"], more].concat())
}

#[test]
fn a_line_that_breaks_is_covered_and_the_report_the_table_and_the_page_tell_of_it() {
    let folder = folder();
    fs::write(folder.path().join("storm.faults"), "// the digger\nmain/fiber lost@3s for 2s\n").unwrap();
    let args = [
        "--faults",
        "storm.faults",
        "--fault",
        "at 6s cut wide",
        "--for",
        "8s",
        "--report",
        "-",
        "--page",
        "night.html",
    ];
    let said = rehearse(folder.path(), &args).exits(0);
    assert!(said.stderr.contains("8 s of show rehearsed in"), "{}", said.stderr);
    let report = said.json();
    assert_eq!(report["show"], "night");
    assert_eq!(report["length_s"], 8.0);
    assert_eq!(report["faults"][0]["words"], "main/fiber lost@0:03 for 2s");
    assert_eq!(report["commands"][0]["words"], "cut wide channel=program");
    let gaps = report["gaps"].as_array().unwrap();
    assert!(!gaps.is_empty(), "the failover takes lost=400ms");
    for gap in gaps {
        let length = gap["to"].as_f64().unwrap() - gap["from"].as_f64().unwrap();
        assert!(length < 1.0 && gap["fault"] == 0, "{gap}");
    }
    let page = fs::read_to_string(folder.path().join("night.html")).unwrap();
    let data = page.split_once("id=\"data\">").and_then(|(_, rest)| rest.split_once("</script>")).unwrap().0;
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!((&data["title"], &data["failed"]), (&"Rehearsal of night".into(), &false.into()));
    let rows: Vec<_> =
        data["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    for name in
        ["asked for", "on air", "viewers missed", "main/fiber", "main/backpack", "wide/sat", "program/web"]
    {
        assert!(rows.contains(&name), "{name} of {rows:?}");
    }
}

#[test]
fn a_gap_that_is_too_long_is_exit_1_and_what_is_too_long_can_be_said() {
    let folder = folder();
    let breaks = ["--fault", "main freeze@2s for 3s", "--for", "7s"];
    let said = rehearse(folder.path(), &breaks).exits(1);
    assert!(said.stdout.is_empty() && said.stderr.contains("the picture stood still"), "{}", said.stderr);
    rehearse(folder.path(), &[&breaks[..], &["--max-gap", "4s"]].concat()).exits(0);
    // And the same again tells the same.
    let tell = || {
        let mut report = rehearse(folder.path(), &[&breaks[..], &["--report", "-"]].concat()).json();
        report["cost"].take();
        report
    };
    assert_eq!(tell(), tell());
}

/// An engine that is killed goes on with its show, or begins it anew where that is said.
#[test]
fn a_killed_engine_goes_on_unless_it_is_to_begin_anew() {
    let folder = folder();
    let engines = |kill: &str| {
        let args = ["--fault", kill, "--fault", "at 1s cut wide", "--for", "6s", "--report", "-"];
        let report = rehearse(folder.path(), &args).exits(1).json();
        let run = |run: &Value| ["from", "to", "begins", "end"].map(|word| run[word].clone());
        let engines: Vec<_> = report["engines"].as_array().unwrap().iter().map(run).collect();
        let intent = report["channels"][0]["intent"].as_array().unwrap().last().unwrap()["source"].clone();
        (engines, intent)
    };
    let first = [0.0.into(), 2.0.into(), "anew".into(), "killed".into()];
    let second = |begins: &str| [4.0.into(), 6.0.into(), begins.into(), "ended".into()];
    assert_eq!(engines("engine kill@2s for 2s"), (vec![first.clone(), second("goes-on")], "wide".into()));
    assert_eq!(engines("engine kill=fresh@2s for 2s"), (vec![first, second("anew")], "main".into()));
}

/// What a fault script names is looked for beside it, and its names may be those of either show.
#[test]
fn a_show_file_is_changed_on_air() {
    let folder = folder();
    let scripts = folder.path().join("scripts");
    fs::create_dir(&scripts).unwrap();
    let later = SHOW
        .replace("camera wide {", "camera guest { line phone push \"rtmp:live/guest\" }\n  camera wide {")
        .replace("sources main wide", "sources main wide guest");
    fs::write(scripts.join("later.show"), later).unwrap();
    let script = "at 2s reload \"later.show\"\nat 5s cut guest\nguest/phone freeze@6s for 500ms\n";
    fs::write(scripts.join("night.faults"), script).unwrap();
    let args = ["--faults", "scripts/night.faults", "--for", "8s", "--report", "-"];
    let report = rehearse(folder.path(), &args).exits(0).json();
    assert_eq!(report["commands"][0]["words"], "reload \"scripts/later.show\"");
    assert_eq!(report["commands"][0]["outcome"]["reloaded"]["revision"], 2);
    assert_eq!(report["commands"][1]["outcome"]["done"]["on_air"], "guest");
    assert_eq!(report["gaps"][0]["why"], "guest/phone: the picture that comes stands still");
}

/// With real pictures and sound everything takes longer and costs more, and viewers miss the same.
#[test]
fn real_pictures_tell_the_same_story_as_the_codec_that_costs_nothing() {
    let folder = folder();
    let breaks =
        ["--fault", "main lost@1s for 1s", "--fault", "at 3s cut wide", "--for", "4s", "--report", "-"];
    let gaps = |more: &[&str], codecs: &str| {
        let report = rehearse(folder.path(), &[&breaks[..], more].concat()).exits(0).json();
        assert_eq!(report["codecs"], codecs);
        let gap = |gap: &Value| {
            let length = gap["to"].as_f64().unwrap() - gap["from"].as_f64().unwrap();
            (["rung", "egress", "sense", "saw", "fault"].map(|word| gap[word].clone()), length)
        };
        report["gaps"].as_array().unwrap().iter().map(gap).collect::<Vec<_>>()
    };
    let (cheap, real) = (gaps(&[], "fake"), gaps(&["--pixels"], "pixels"));
    assert!(!cheap.is_empty() && cheap.len() == real.len(), "{cheap:#?} {real:#?}");
    for ((what, length), (real_what, real_length)) in cheap.iter().zip(&real) {
        assert_eq!(what, real_what);
        assert!((length - real_length).abs() < 0.1, "{what:?}: {length} s, and {real_length} s for real");
    }
}

#[test]
fn wrong_words_are_exit_2_and_told_with_their_place_before_anything_runs() {
    let folder = folder();
    fs::write(folder.path().join("storm.faults"), "main/fiber lost@1s\nmain/fibre lost@3s\n").unwrap();
    let told = |args: &[&str], words: &[&str]| {
        let said = rehearse(folder.path(), args).exits(2);
        for word in words {
            assert!(said.stderr.contains(word), "{args:?} does not say {word:?}: {}", said.stderr);
        }
    };
    told(
        &["--faults", "storm.faults", "--for", "5s"],
        &["storm.faults:2:1", "did you mean `main/fiber`?", "1 error"],
    );
    let two = ["--fault", "main/fiber lost@3", "--fault", "program/cdn lost@3s", "--for", "5s"];
    told(&two, &["--fault:1:17", "write its unit", "--fault:2:1", "wedge, refuse", "2 errors"]);
    told(&["--fault", "engine kill=anew@3s", "--for", "5s"], &["--fault:1:13", "fresh, resume"]);
    let reload = ["--fault", "at 2s reload \"none.show\"", "--for", "5s"];
    told(&reload, &["opening none.show"]);
    fs::write(folder.path().join("bad.show"), "show x {").unwrap();
    told(&["--fault", "at 2s reload \"bad.show\"", "--for", "5s"], &["bad.show:1:", "cannot be reloaded"]);
    told(&["--fault", "at 2s reload", "--for", "5s"], &["--fault:1:1", "TIME, FILE"]);
    told(&["--fault", "main/fiber lost@3s"], &["night.show has no end", "--for 2m"]);
    told(&["--for", "5s", "--report", "-", "--page", "-"], &["cannot both go to stdout"]);
    told(&["--for", "5s", "--page", "no/such/folder.html"], &["the page cannot be written to"]);
    told(&["--for", "5s", "--max-gap", "soon"], &["--max-gap"]);
    told(&["--for", "5s", "--faults", "none.faults"], &["none.faults"]);
    assert!(!folder.path().join("night.html").exists());
}
