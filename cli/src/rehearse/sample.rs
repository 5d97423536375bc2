//! A short rehearsal in which much goes wrong, for the tests of what is made of one.

use engine::rehearse::Rehearsal;
use serde_json::json;

/// A minute of a show with two cameras: a line is lost, a server hangs, the engine is killed.
pub fn rehearsal() -> Rehearsal {
    let gap = |from: f64, to: f64, rung: &str, sense: &str, saw: &str, why: &str, fault: Option<usize>| {
        json!({ "from": from, "to": to, "channel": "program", "rung": rung, "egress": null, "sense": sense,
                "saw": saw, "why": why, "fault": fault })
    };
    let mut gaps = Vec::new();
    for rung in ["720p", "360p"] {
        gaps.push(gap(10.0, 10.48, rung, "picture", "frozen", "main/fiber is lost", Some(0)));
        gaps.push(gap(10.021, 10.5, rung, "sound", "silence", "main/fiber is lost", Some(0)));
        gaps.push(gap(40.0, 42.3, rung, "picture", "nothing", "the engine was down", Some(2)));
    }
    gaps.push(json!({ "from": 30.0, "to": 31.5, "channel": "program", "rung": "720p", "egress": "cdn-a",
        "sense": "picture", "saw": "nothing", "why": "the server takes nothing", "fault": 1 }));
    let actual = |from: f64,
                  to: f64,
                  kind: &str,
                  source: Option<&str>,
                  line: Option<&str>,
                  reason: &str,
                  picture: &str,
                  sound: &str| {
        json!({ "from": from, "to": to, "kind": kind, "source": source, "line": line, "reason": reason,
                "picture": picture, "sound": sound })
    };
    let sink = |egress: &str, rung: &str, states: serde_json::Value| {
        let way = if egress == "web" { "viewers" } else { "push" };
        json!({ "channel": "program", "egress": egress, "rung": rung, "way": way, "target": "rtmp://a.example/live",
                "states": states, "bytes": 1000, "dropped_frames": 3, "reconnects": 1 })
    };
    let record = |rung: &str, seconds: f64| {
        json!({ "channel": "program", "egress": "disk", "rung": rung, "way": "record",
            "target": format!("./program-{rung}.flv"), "bytes": 900, "dropped_frames": 0, "reconnects": 0,
            "states": [
                { "from": 0.0, "to": 40.0, "state": "live", "why": null },
                { "from": 42.0, "to": 46.0, "state": "live", "why": "the disk is slow: what is recorded waits" },
                { "from": 46.0, "to": 50.0, "state": "live", "why": null },
                { "from": 50.0, "to": 60.0, "state": "failed", "why": "the disk is full" },
            ],
            "files": [
                { "name": format!("./program-{rung}.flv"), "from": 0.0, "to": 40.0, "length_s": seconds, "bytes": 11_000_000 },
                { "name": format!("./program-{rung}-2.flv"), "from": 42.0, "to": 50.0, "length_s": 7.96, "bytes": 2_000_000 },
            ] })
    };
    let mark = |name: &str,
                from: f64,
                to: f64,
                on: bool,
                fading: bool,
                text: Option<&str>,
                at: Option<&str>| {
        json!({ "name": name, "from": from, "to": to, "on": on, "fading": fading, "text": text, "at": at })
    };
    let event = |t: f64, level: &str, code: &str, subject: &str, message: &str| json!({ "t": t, "level": level, "code": code, "subject": subject, "message": message });
    let fine = json!([{ "from": 0.0, "to": 60.0, "state": "live", "why": null }]);
    let value = json!({
        "show": "night <b>&", "seed": 7, "codecs": "fake", "length_s": 60.0,
        "cost": { "wall_s": 1.25, "cpu_s": 1.0 },
        "engines": [
            { "from": 0.0, "to": 40.0, "end": "killed" },
            { "from": 42.0, "to": 60.0, "begins": "goes-on", "end": "ended" },
        ],
        "faults": [
            { "from": 10.0, "to": 15.0, "subject": "main/fiber", "words": "main/fiber lost@0:10 for 5s" },
            { "from": 30.0, "to": 31.5, "subject": "program/cdn-a/720p", "words": "program/cdn-a/720p wedge@0:30 for 1500ms" },
            { "from": 40.0, "to": 42.0, "subject": "engine", "words": "engine kill@0:40 for 2s" },
            { "from": 50.0, "to": null, "subject": "disk", "words": "disk full@0:50" },
        ],
        "commands": [
            { "t": 12.0, "channel": "program", "words": "cut karry channel=program", "outcome": { "done": { "on_air": "karry" } } },
            { "t": 13.0, "channel": "program", "words": "take mix over=500ms channel=program", "outcome": { "refused": { "message": "nothing is on preview" } } },
            { "t": 41.0, "channel": null, "words": "line main auto", "outcome": "unheard" },
        ],
        "cues": [{ "t": 20.0, "channel": "program", "what": "cut main" }],
        "lines": [
            { "camera": "main", "line": "fiber", "sender": "simulated", "states": [
                { "from": 0.0, "to": 10.4, "state": "live", "suspect": null },
                { "from": 10.4, "to": 15.2, "state": "lost", "suspect": null },
                { "from": 15.2, "to": 60.0, "state": "live", "suspect": "fps" },
            ] },
            { "camera": "karry", "line": "disk", "sender": "itself", "states": [
                { "from": 0.0, "to": 55.0, "state": "live", "suspect": null },
                { "from": 55.0, "to": 60.0, "state": "ended", "suspect": null },
            ] },
        ],
        "cameras": [
            { "camera": "main", "lines": [{ "from": 0.0, "to": 60.0, "line": "fiber" }] },
            { "camera": "karry", "lines": [{ "from": 0.0, "to": 60.0, "line": "disk" }] },
        ],
        "channels": [{
            "name": "program", "rungs": ["720p", "360p"],
            "intent": [
                { "from": 0.0, "to": 12.0, "source": "main", "filler": false },
                { "from": 12.0, "to": 20.0, "source": "karry", "filler": false },
                { "from": 20.0, "to": 60.0, "source": "main", "filler": true },
            ],
            "actual": [
                actual(0.0, 10.0, "source", Some("main"), Some("fiber"), "start", "live", "live"),
                actual(10.0, 10.48, "source", Some("main"), Some("fiber"), "start", "frozen", "silence"),
                actual(10.48, 12.0, "filler", Some("standby"), None, "filler", "live", "live"),
                actual(12.0, 20.0, "source", Some("karry"), Some("disk"), "cut", "live", "live"),
                actual(20.0, 40.0, "source", Some("main"), Some("fiber"), "cut", "live", "live"),
                actual(40.0, 42.0, "nothing", None, None, "down", "nothing", "nothing"),
                actual(42.0, 60.0, "black", None, None, "start", "black", "silence"),
            ],
            "watermarks": [
                mark("bug", 0.0, 30.0, true, false, None, None),
                mark("bug", 30.0, 31.0, true, true, None, None),
                mark("bug", 31.0, 40.0, false, false, None, None),
                mark("bug", 42.0, 60.0, true, false, None, Some("bottom-left")),
                mark("name", 0.0, 40.0, false, false, None, None),
                mark("name", 42.0, 60.0, true, false, Some("Ada\nlive"), None),
            ],
        }],
        "sinks": [
            sink("cdn-a", "720p", json!([
                { "from": 0.0, "to": 30.0, "state": "live", "why": null },
                { "from": 30.0, "to": 31.5, "state": "connecting", "why": "it takes nothing" },
                { "from": 31.5, "to": 60.0, "state": "live", "why": null },
            ])),
            sink("cdn-a", "360p", fine.clone()),
            record("720p", 39.96),
            record("360p", 39.96),
            sink("web", "720p", fine.clone()),
            sink("web", "360p", fine),
        ],
        "gaps": gaps,
        "events": [
            event(10.4, "alarm", "line-lost", "main/fiber", "pictures are missing"),
            event(15.2, "info", "line-live", "main/fiber", "</script> pictures come"),
            event(21.5, "alarm", "overload", "show", "the engine does not keep up"),
            event(22.0, "warn", "rung-shed", "program/720p", "it rests"),
            event(26.0, "info", "overload-over", "show", "the engine keeps up"),
            event(36.0, "info", "rung-back", "program/720p", "it has pictures again"),
            event(38.0, "alarm", "overload", "show", "the engine does not keep up"),
            event(39.0, "warn", "rung-shed", "program/720p", "it rests"),
        ],
    });
    serde_json::from_value(value).unwrap()
}
