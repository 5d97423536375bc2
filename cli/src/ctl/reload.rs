//! `obvan ctl reload`: the show file read again, and what changed told step by step.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::exit::Result;
use crate::show_file::ShowFile;

/// What is asked for. A file is sent as text: its paths are relative to the one the show was
/// started with, which runs elsewhere perhaps.
pub fn request(file: Option<&Path>, dry_run: bool, id: String) -> Result<Value> {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(id));
    body.insert("do".to_owned(), json!("reload"));
    if dry_run {
        body.insert("state".to_owned(), json!("dry-run"));
    }
    if let Some(file) = file {
        body.insert("file".to_owned(), json!(ShowFile::read(file)?.source));
    }
    Ok(Value::Object(body))
}

/// What is wrong with the file, a problem a line: `tour.show:7:3: …`.
pub fn problems(file: &str, answer: &Value) -> Vec<String> {
    let problems = answer["problems"].as_array().into_iter().flatten();
    let said = problems.map(|problem| {
        let text = |name: &str| problem[name].as_str().unwrap_or_default();
        let help = match text("help") {
            "" => String::new(),
            help => format!("\n  help: {help}"),
        };
        let (line, column) = (&problem["line"], &problem["column"]);
        format!("{file}:{line}:{column}: {} [{}]{help}", text("message"), text("code"))
    });
    said.collect()
}

/// What changed, or would.
pub fn done(dry_run: bool, answer: &Value) -> String {
    let steps = answer["steps"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut out: String = steps.map(|step| format!("{step}\n")).collect();
    let revision = &answer["show_revision"];
    out += &match (dry_run, out.is_empty()) {
        (true, true) => "nothing would change\n".to_owned(),
        (true, false) => "nothing was done yet\n".to_owned(),
        (false, true) => format!("nothing is different; revision {revision} of the show file\n"),
        (false, false) => {
            format!("revision {revision} of the show file is in force since frame {}\n", answer["frame"])
        }
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_told_with_their_places() {
        let answer = json!({ "problems": [
            { "line": 3, "column": 5, "code": "fixed-on-air", "message": "it stays", "help": "leave it" },
            { "line": 7, "column": 1, "code": "x", "message": "no" },
        ]});
        let told = problems("a.show", &answer);
        assert_eq!(told, ["a.show:3:5: it stays [fixed-on-air]\n  help: leave it", "a.show:7:1: no [x]"]);
    }

    #[test]
    fn a_dry_run_says_that_nothing_was_done() {
        let answer = json!({ "steps": ["camera karry is added"], "show_revision": 2, "frame": 50 });
        assert_eq!(done(true, &answer), "camera karry is added\nnothing was done yet\n");
        let told = done(false, &answer);
        assert!(told.ends_with("revision 2 of the show file is in force since frame 50\n"), "{told}");
    }
}
