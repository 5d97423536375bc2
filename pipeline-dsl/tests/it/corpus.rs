//! Snippets with what is to be said about them, in `corpus/*.txt`.
//!
//! A case is `=== frame: title`, its source, `---`, and a line for each
//! diagnostic with its span's text, its labels (`|`) and its help (`?`). The
//! frame says what stands around the snippet: `file` nothing, `show` a sound
//! show, `channel` a second channel of it, `rundown` a rundown of it.
//!
//! `UPDATE_CORPUS=1 cargo test` writes what is said now; read the difference
//! before keeping it.

use std::fmt::Write;
use std::path::Path;

use pipeline_dsl::{Diagnostic, check};

const SHOW: &str = r#"
camera a { line l test bars }
camera b { line l test motion }
filler slate { test "color:green" }
watermark bug { image "logo.png" }
ladder four { rung 720p 1280x720 2500k; rung 360p 640x360 700k }
key ring { id 1 env=A; id 2 env=B }
channel program {
  sources a b; filler slate; watermark bug; ladder four; encrypt ring
  egress web serve http-flv
}
"#;

fn framed(frame: &str, snippet: &str) -> String {
    match frame {
        "file" => snippet.to_owned(),
        "show" => format!("show t {{\n{snippet}{SHOW}}}\n"),
        "channel" => format!("show t {{\n{SHOW}channel extra {{\n{snippet}}}\n}}\n"),
        "rundown" => format!("show t {{\n{SHOW}rundown program {{\n{snippet}}}\n}}\n"),
        other => panic!("unknown frame {other}"),
    }
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or("").trim_end()
}

fn told(source: &str, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let at = first_line(d.span.of(source));
        writeln!(out, "{} {} @ `{at}`: {}", d.severity, d.code, d.message).unwrap();
        for (span, text) in &d.labels {
            writeln!(out, "  | `{}`: {text}", first_line(span.of(source))).unwrap();
        }
        if let Some(help) = &d.help {
            writeln!(out, "  ? {help}").unwrap();
        }
    }
    out
}

fn run(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/corpus").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut now = String::new();
    let mut cases = 0;
    for case in text.split("=== ").skip(1) {
        let (title, body) = case.split_once('\n').unwrap();
        let (frame, _) = title.split_once(':').unwrap();
        let snippet = body.split_once("---\n").map_or(body, |(snippet, _)| snippet);
        let source = framed(frame, snippet);
        let checked = check(&source);
        assert_eq!(checked.show.is_none(), checked.has_errors(), "{title}");
        write!(now, "=== {title}\n{snippet}---\n{}\n", told(&source, &checked.diagnostics)).unwrap();
        cases += 1;
    }
    assert!(cases > 3, "{name} has its cases");
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let (old, new): (Vec<_>, Vec<_>) = (text.trim_end().lines().collect(), now.trim_end().lines().collect());
    for (i, (was, is)) in old.iter().zip(&new).enumerate() {
        assert_eq!(was, is, "{name}:{}", i + 1);
    }
    assert_eq!(old.len(), new.len(), "{name}");
}

#[test]
fn syntax() {
    run("syntax.txt");
}

#[test]
fn words() {
    run("words.txt");
}

#[test]
fn values() {
    run("values.txt");
}

#[test]
fn names() {
    run("names.txt");
}

#[test]
fn rules() {
    run("rules.txt");
}

#[test]
fn copies() {
    run("copies.txt");
}

#[test]
fn cues() {
    run("cues.txt");
}

#[test]
fn scenes() {
    run("scenes.txt");
}

#[test]
fn watermarks() {
    run("watermarks.txt");
}
