//! `ctl` against a show that answers as we say.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread::JoinHandle;

use crate::obvan::{Said, obvan};

const STATUS: &str = r#"{"show":"demo","revision":3,"t":1.5,"channels":[{"name":"program","intent":"main",
  "on_air":"main","reason":"start","since_frame":0,"rungs":[],"egress":[]}],"cameras":[]}"#;

/// Answers each request in turn with a status code and body; gives the requests.
fn show(answers: &'static [(u16, &'static str)]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for (code, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            asked.push(request(&mut stream));
            let length = body.len();
            let head = format!("HTTP/1.1 {code} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(body.as_bytes()).unwrap();
        }
        asked
    });
    (url, thread)
}

/// One request: its head, and as much body as it announces.
fn request(stream: &mut impl Read) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        text.push(byte[0] as char);
    }
    let length = text
        .lines()
        .find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    text + std::str::from_utf8(&body).unwrap()
}

fn ctl(url: &str, args: &[&str]) -> Said {
    obvan(Path::new("."), &[&["ctl", "--api", url], args].concat())
}

#[test]
fn a_gain_that_is_none_is_told_its_range() {
    let said = ctl("http://127.0.0.1:1", &["gain", "g", "loud"]).exits(2);
    assert!(said.stderr.contains("-60dB to 12dB"), "{}", said.stderr);
    let (url, thread) = show(&[(200, STATUS), (200, "{}")]);
    ctl(&url, &["gain", "g", "-6dB"]).exits(0);
    let asked = thread.join().unwrap();
    let body: serde_json::Value = serde_json::from_str(asked[1].split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["gain_db"], -6.0);
}

#[test]
fn a_cut_finds_the_only_channel_and_reads_back_what_is_on_air() {
    let (url, thread) =
        show(&[(200, STATUS), (200, r#"{"id":"x","revision":4,"frame":50,"t":2.0,"on_air":"karry"}"#)]);
    let said = ctl(&url, &["cut", "karry", "--expect", "main", "--id", "x"]).exits(0);
    assert_eq!(said.text(), "program: karry on air since frame 50 (2.000 s), revision 4\n");
    let asked = thread.join().unwrap();
    assert!(asked[1].starts_with("POST /api/command "), "{asked:?}");
    let body: serde_json::Value = serde_json::from_str(asked[1].split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let expected = serde_json::json!({ "id": "x", "channel": "program", "do": "cut", "source": "karry", "expect": "main" });
    assert_eq!(body, expected);
}

#[test]
fn a_refusal_names_code_message_and_what_is_legal() {
    let refusal = r#"{"code":"unknown-source","message":"no source kary","legal":["main","karry"]}"#;
    for (code, exit) in [(404u16, 2), (412, 1)] {
        let answers: &'static [(u16, &'static str)] = Box::leak(Box::new([(code, refusal)]));
        let (url, thread) = show(answers);
        let said = ctl(&url, &["cut", "kary", "--channel", "program"]).exits(exit);
        let expected = format!("error: no source kary (unknown-source, {code}); legal: main, karry\n");
        assert_eq!(said.stderr, expected);
        thread.join().unwrap();
    }
}

#[test]
fn the_status_is_a_table_or_json() {
    let (url, thread) = show(&[(200, STATUS), (200, STATUS)]);
    let said = ctl(&url, &["status"]).exits(0);
    assert!(said.text().contains("program: main ON AIR since frame 0 (reason: start)"), "{}", said.text());
    assert_eq!(ctl(&url, &["status", "--json"]).exits(0).json()["revision"], 3);
    thread.join().unwrap();
}

#[test]
fn no_show_at_all_is_said() {
    // A port that was free a moment ago.
    let url = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let said = ctl(&url, &["status"]).exits(1);
    assert!(said.stderr.contains("no show answers at"), "{}", said.stderr);
    let said = ctl("https://127.0.0.1", &["status"]).exits(2);
    assert!(said.stderr.contains("legal") || said.stderr.contains("http://ADDRESS:PORT"), "{}", said.stderr);
}
