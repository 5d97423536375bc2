//! Inputs that are there and cannot be had.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use serde_json::Value;

use crate::live_show::{folder, offline_show};

/// Runs `obvan` in this folder; whoever runs the tests, file modes hold for it.
fn bound_by_modes(folder: &std::path::Path, locked: &str, args: &[&str]) -> Output {
    let obvan = env!("CARGO_BIN_EXE_obvan");
    let mut command = if File::open(folder.join(locked)).is_ok() {
        // The super-user reads what it likes, unless it gives up that privilege.
        let mut command = Command::new("setpriv");
        let without = "-dac_override,-dac_read_search";
        command.args(["--bounding-set", without, "--inh-caps", without, obvan]);
        command
    } else {
        Command::new(obvan)
    };
    command.args(args).current_dir(folder).env("COLUMNS", "100").output().unwrap()
}

#[test]
fn a_file_that_may_not_be_read_is_named_and_the_filler_stands_in() {
    let show = offline_show("").replace(r#"gen test "motion" tone=440"#, r#"clip file "locked.mp4""#);
    let folder = folder(&show);
    let locked = folder.path().join("locked.mp4");
    fs::write(&locked, "film").unwrap();
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
    let args = ["run", "night.show", "--offline", "--for", "2s", "--out", "out", "--report", "-"];
    let output = bound_by_modes(folder.path(), "locked.mp4", &args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("ALARM stage/clip: ") && said.contains("locked.mp4: Permission denied"), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let events = report["events"].as_array().unwrap();
    let told: Vec<_> = events.iter().filter(|e| e["code"] == "line-error").collect();
    assert_eq!((told.len(), &told[0]["subject"]), (1, &"stage/clip".into()), "{events:#?}");
    assert_eq!(report["cameras"][0]["lines"][0]["state"], "never");
    let channel = &report["channels"][0];
    assert_eq!((&channel["frames"], &channel["on_air"][1]["source"]), (&50.into(), &"green".into()));
}
