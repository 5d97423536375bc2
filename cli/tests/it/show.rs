//! `check`, `fmt`, and shows that `run` refuses.

use std::fs;
use std::path::Path;

use crate::obvan::{obvan, obvan_fed};

const GOOD: &str = r#"show "night" {
  camera stage { line gen test bars tone=440 }
  camera karry { line disk file "karry.mp4" }
  ladder one { rung 720p 1280x720 2500k }
  channel program {
    sources stage karry
    ladder one
    egress disk record "{channel}.flv"
  }
}
"#;

fn folder(show: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("night.show"), show).unwrap();
    folder
}

#[test]
fn a_good_show_is_described_and_a_missing_file_is_a_warning() {
    let folder = folder(GOOD);
    let said = obvan(folder.path(), &["check", "night.show"]).exits(0);
    assert!(said.stdout.is_empty());
    assert!(said.stderr.contains("karry.mp4"), "{}", said.stderr);
    assert!(said.stderr.contains("night.show: 0 errors, 1 warning; night: 1920x1080"), "{}", said.stderr);
    // Paths are relative to the show file, not to where we stand.
    fs::write(folder.path().join("karry.mp4"), "").unwrap();
    let path = folder.path().join("night.show");
    let said = obvan(Path::new("/"), &["check", path.to_str().unwrap()]).exits(0);
    assert!(said.stderr.contains("0 errors, 0 warnings"), "{}", said.stderr);
}

#[test]
fn a_font_that_is_not_there_is_a_warning() {
    let show = GOOD
        .replace("  ladder one {", "  watermark name { text \"Hi\" font=\"No Such Font\" }\n  ladder one {");
    let folder = folder(&show.replace("    ladder one\n", "    watermark name\n    ladder one\n"));
    let said = obvan(folder.path(), &["check", "night.show"]).exits(0);
    assert!(said.stderr.contains("missing-font"), "{}", said.stderr);
    assert!(
        said.stderr.contains("watermark name: there is no font \"No Such Font\"; there are: "),
        "{}",
        said.stderr
    );
}

#[test]
fn every_error_is_shown_in_one_pass_with_its_place() {
    let broken = GOOD.replace("sources stage", "sources stge").replace("2500k", "2500");
    let folder = folder(&broken);
    let said = obvan(folder.path(), &["check", "night.show"]).exits(2);
    assert!(said.stderr.contains("did you mean `stage`?"), "{}", said.stderr);
    assert!(said.stderr.contains("night.show:6:"), "{}", said.stderr);
    assert!(said.stderr.contains("night.show:4:"), "{}", said.stderr);
    assert!(!said.stderr.contains('\u{1b}'), "no colours where there is no terminal: {}", said.stderr);
    assert!(said.stderr.contains("it does not run"), "{}", said.stderr);
    let found = obvan(folder.path(), &["check", "night.show", "--format", "json"]).exits(2).json();
    assert_eq!(found["show"], serde_json::Value::Null);
    assert!(found["errors"].as_u64().unwrap() >= 2, "{found}");
    assert!(found["diagnostics"].as_array().unwrap().iter().any(|d| d["span"]["line"] == 6), "{found}");
}

#[test]
fn what_cannot_be_read_is_wrong_usage() {
    let folder = folder("show \"x\" {");
    obvan(folder.path(), &["check", "night.show"]).exits(2);
    let said = obvan(folder.path(), &["check", "none.show"]).exits(2);
    assert!(said.stderr.contains("opening none.show"), "{}", said.stderr);
    fs::write(folder.path().join("night.show"), b"show \"x\"\n\xff").unwrap();
    let said = obvan(folder.path(), &["check", "night.show"]).exits(2);
    assert!(said.stderr.contains("no UTF-8 text: byte 9, line 2"), "{}", said.stderr);
    assert!(obvan_fed(folder.path(), &["check", "-"], GOOD.as_bytes()).exits(0).stderr.contains("stdin:"));
}

#[test]
fn fmt_writes_to_stdout_or_in_place_and_settles() {
    let ugly = GOOD.replace("  ladder one {", "ladder   one   {");
    let folder = folder(&ugly);
    let path = folder.path().join("night.show");
    let once = obvan(folder.path(), &["fmt", "night.show"]).exits(0).stdout;
    assert_eq!(fs::read_to_string(&path).unwrap(), ugly, "only --write writes");
    obvan(folder.path(), &["fmt", "night.show", "--write"]).exits(0);
    assert_eq!(fs::read(&path).unwrap(), once);
    let again = obvan(folder.path(), &["fmt", "night.show", "--write"]).exits(0);
    assert!(again.stderr.contains("already as it should be"), "{}", again.stderr);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    obvan(folder.path(), &["fmt", "-", "--write"]).exits(2);
}

#[test]
fn fmt_leaves_alone_what_it_cannot_read() {
    let broken = "show \"x\" { camera \"un }\n";
    let folder = folder(broken);
    let said = obvan(folder.path(), &["fmt", "night.show", "--write"]).exits(2);
    assert!(said.stderr.contains("was left as it is"), "{}", said.stderr);
    assert_eq!(fs::read_to_string(folder.path().join("night.show")).unwrap(), broken);
}

#[test]
fn run_refuses_an_invalid_show_and_an_open_port_without_a_token() {
    let folder = folder(&GOOD.replace("sources stage", "sources stge"));
    let said = obvan(folder.path(), &["run", "night.show", "--for", "1s"]).exits(2);
    assert!(said.stderr.contains("night.show does not run"), "{}", said.stderr);
    fs::write(folder.path().join("night.show"), GOOD).unwrap();
    let said = obvan(folder.path(), &["run", "night.show", "--for", "1s", "--http", "0.0.0.0:0"]).exits(2);
    assert!(said.stderr.contains("OBVAN_TOKEN must be set"), "{}", said.stderr);
    let said = obvan(folder.path(), &["run", "night.show", "--report", "none/report.json"]).exits(2);
    assert!(said.stderr.contains("the report cannot be written"), "{}", said.stderr);
}
