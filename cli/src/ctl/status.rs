//! A running show's status as a table. Reads JSON leniently: `ctl` may be
//! older or newer than the engine it asks.

use std::fmt::Write as _;

use serde_json::Value;

use crate::table::{Side, Table, amount};

/// The status in words.
pub fn text(status: &Value) -> String {
    let mut text = String::new();
    let show = status["show"].as_str().unwrap_or("show");
    let t = status["t"].as_f64().unwrap_or(0.0);
    let _ = writeln!(text, "{show} at {t:.1} s, revision {}", status["revision"]);
    text.push_str(&load_text(&status["load"]));
    for channel in list(&status["channels"]) {
        let _ = write!(text, "\n{}", channel_text(channel));
    }
    for scene in list(&status["scenes"]) {
        let _ = write!(text, "\n{}", scene_text(scene));
    }
    let mut heads = vec![
        ("camera", Side::Left),
        ("line", Side::Left),
        ("state", Side::Left),
        ("packets", Side::Right),
        ("received", Side::Right),
    ];
    let mut all = list(&status["cameras"]).flat_map(|camera| list(&camera["lines"]));
    if all.any(|line| line["behind_ms"].is_number()) {
        heads.push(("behind the quickest", Side::Right));
    }
    let mut lines = Table::new(&heads);
    for camera in list(&status["cameras"]) {
        for line in list(&camera["lines"]) {
            let mut words = [&camera["name"], &line["name"], &line["state"], &line["packets"]].map(word);
            if line["suspect"].is_string() {
                words[2] += ", suspect";
            }
            for amiss in list(&line["amiss"]) {
                words[2] += ", ";
                words[2] += &word(amiss);
            }
            if !camera["chosen"].is_null() && camera["chosen"] == line["name"] {
                words[1] += " (chosen)";
            }
            let behind = line["behind_ms"].as_f64().map_or(String::new(), |ms| format!("{ms:.0} ms"));
            lines.row(words.into_iter().chain([bytes(&line["bytes"]), behind]));
        }
    }
    if !lines.is_empty() {
        let _ = write!(text, "\n{}", lines.text());
    }
    text
}

/// Nothing, while the engine keeps up.
fn load_text(load: &Value) -> String {
    let Some(since) = load["overload_since"].as_f64() else { return String::new() };
    let shed: Vec<_> = list(&load["shed"]).map(word).collect();
    let shed = if shed.is_empty() { "nothing".to_owned() } else { shed.join(", ") };
    let late = load["late_ms"].as_f64().unwrap_or_default();
    format!("OVERLOAD since {since:.1} s: ticks {late:.0} ms late, does without {shed}\n")
}

fn scene_text(scene: &Value) -> String {
    let mut text = format!("scene {}: layout {}\n", word(&scene["name"]), word(&scene["layout"]));
    let mut boxes = Table::new(&[
        ("  box", Side::Left),
        ("camera", Side::Left),
        ("shows", Side::Left),
        ("place", Side::Left),
        ("level", Side::Right),
    ]);
    for part in list(&scene["boxes"]) {
        let place: Vec<_> = list(&part["place"]).map(word).collect();
        let place = match &place[..] {
            [x, y, width, height] => format!("{width}x{height} at {x},{y}"),
            _ => "-".to_owned(),
        };
        let mute = if part["mute"] == "on" { ", muted" } else { "" };
        let level = format!("{} dB{mute}", word(&part["level_db"]));
        let [camera, shows] = [&part["camera"], &part["shows"]].map(word);
        boxes.row([format!("  {}", word(&part["name"])), camera, shows, place, level]);
    }
    text.push_str(&boxes.text());
    text
}

fn channel_text(channel: &Value) -> String {
    let mut text = String::new();
    let name = word(&channel["name"]);
    let on_air = channel["on_air"].as_str().unwrap_or("nothing");
    let (reason, since) = (word(&channel["reason"]), word(&channel["since_frame"]));
    let _ = writeln!(text, "{name}: {on_air} ON AIR since frame {since} (reason: {reason})");
    let intent = intent(&channel["intent"]);
    if intent != on_air {
        let _ = writeln!(text, "  asked for: {intent}");
    }
    if let Some(preview) = channel["preview"].as_str() {
        let _ = writeln!(text, "  on preview: {preview}");
    }
    if let Some(sound) = channel["sound"].as_str() {
        let _ = writeln!(text, "  sound: held on {sound}");
    }
    for strip in list(&channel["desk"]) {
        let mute = if strip["mute"] == "on" { ", muted" } else { "" };
        let _ = writeln!(text, "  {}: {} dB{mute}", word(&strip["source"]), word(&strip["gain_db"]));
    }
    for mark in list(&channel["watermarks"]) {
        let words = mark["text"].as_str().map_or(String::new(), |text| format!(", says {text:?}"));
        let place = mark["at"].as_str().map_or(String::new(), |at| format!(", at {at}"));
        let waiting = if mark["waiting"] == true { " (more with the next key frame)" } else { "" };
        let (name, state) = (word(&mark["name"]), word(&mark["state"]));
        let _ = writeln!(text, "  watermark {name}: {state}{words}{place}{waiting}");
    }
    if !channel["plan"].is_null() {
        text.push_str(&plan_text(&channel["plan"]));
    }
    if !channel["encrypt"].is_null() {
        let key = match (&channel["key_id"], &channel["next_key_id"]) {
            (Value::Number(id), _) => format!(", key {id}"),
            (_, Value::Number(id)) => format!(" (key {id} when on)"),
            _ => String::new(),
        };
        let _ = writeln!(text, "  encryption: {}{key}", word(&channel["encrypt"]));
    }
    let mut heads = vec![
        ("  rung", Side::Left),
        ("size", Side::Left),
        ("frames", Side::Right),
        ("key frames", Side::Right),
        ("sent", Side::Right),
    ];
    if list(&channel["rungs"]).any(|rung| !pictures(rung).is_empty()) {
        heads.push(("pictures", Side::Left));
    }
    let mut rungs = Table::new(&heads);
    for rung in list(&channel["rungs"]) {
        let size = format!("{}x{}", word(&rung["width"]), word(&rung["height"]));
        let [frames, keys] = [&rung["frames"], &rung["keyframes"]].map(word);
        let (name, sent) = (format!("  {}", word(&rung["name"])), bytes(&rung["bytes"]));
        rungs.row([name, size, frames, keys, sent, pictures(rung)]);
    }
    if !rungs.is_empty() {
        text.push_str(&rungs.text());
    }
    let mut ways = Table::new(&[
        ("  way out", Side::Left),
        ("rung", Side::Left),
        ("state", Side::Left),
        ("sent", Side::Right),
        ("dropped", Side::Right),
        ("where to", Side::Left),
    ]);
    for way in list(&channel["egress"]) {
        let [rung, state, dropped, target] =
            [&way["rung"], &way["state"], &way["dropped_frames"], &way["target"]].map(word);
        ways.row([format!("  {}", word(&way["name"])), rung, state, bytes(&way["bytes"]), dropped, target]);
    }
    if !ways.is_empty() {
        text.push_str(&ways.text());
    }
    text
}

/// Where a rung's pictures come from, if not from its own encoder.
fn pictures(rung: &Value) -> String {
    if let Some(since) = rung["shed_since"].as_f64() {
        return format!("none since {since:.1} s: it rests");
    }
    match (rung["copied_from"].as_str(), rung["carried_from"].as_str()) {
        (Some(line), _) => format!("copied from {line}"),
        (None, Some(channel)) => format!("carried from {channel}"),
        (None, None) => match [&rung["encoder"], &rung["encoder_missing"]].map(Value::as_str) {
            [Some(encoder), Some(device)] => format!("{encoder}, for want of {device}"),
            _ => String::new(),
        },
    }
}

/// A rundown: how it stands, and what comes next of itself and on the director's word.
fn plan_text(plan: &Value) -> String {
    let [state, done, waiting] = ["state", "done", "waiting"].map(|name| word(&plan[name]));
    let mut text = format!("  rundown: {state}, {done} done, {waiting} to come\n");
    if let Some(cue) = list(&plan["coming"]).find(|cue| cue["t"].is_number()) {
        let t = cue["t"].as_f64().unwrap_or_default();
        let _ = writeln!(text, "    at {t:.1} s: cue {} ({})", word(&cue["cue"]), word(&cue["what"]));
    }
    let next = &plan["on_next"];
    if !next.is_null() {
        let _ = writeln!(text, "    on next: cue {} ({})", word(&next["cue"]), word(&next["what"]));
    }
    text
}

pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A value as one word; what is not there is `-`, which is not zero.
pub(crate) fn word(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn intent(value: &Value) -> String {
    match value["source"].as_str() {
        Some(source) => source.to_owned(),
        None => word(value),
    }
}

fn bytes(value: &Value) -> String {
    value.as_u64().map_or_else(|| "-".to_owned(), amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_reads_well() {
        let status = json!({
            "show": "demo", "revision": 4, "t": 12.34,
            "channels": [{
                "name": "program", "intent": "main", "on_air": "standby", "reason": "filler", "since_frame": 250,
                "preview": "karry", "sound": null,
                "watermarks": [{ "name": "name", "state": "on", "text": "Karry", "at": "10%,0", "waiting": true }],
                "desk": [{ "source": "karry", "gain_db": -6.0, "mute": "on" }],
                "plan": { "state": "held", "done": 2, "waiting": 2,
                          "coming": [{ "cue": 3, "t": 20.5, "what": "cut karry" }],
                          "on_next": { "cue": 4, "t": null, "what": "mix main over=500ms" } },
                "rungs": [{ "name": "360p", "width": 640, "height": 360, "frames": 300, "keyframes": 6, "bytes": 1_200_000 }],
                "egress": [{ "name": "disk", "rung": "360p", "target": "program-360p.flv", "state": "live",
                             "bytes": 1_200_000, "dropped_frames": 0 }],
            }],
            "cameras": [{ "name": "main", "lines": [{ "name": "disk", "state": "lost", "packets": 10, "bytes": 999 }] }],
        });
        insta::assert_snapshot!(text(&status), @r#"
        demo at 12.3 s, revision 4

        program: standby ON AIR since frame 250 (reason: filler)
          asked for: main
          on preview: karry
          karry: -6.0 dB, muted
          watermark name: on, says "Karry", at 10%,0 (more with the next key frame)
          rundown: held, 2 done, 2 to come
            at 20.5 s: cue 3 (cut karry)
            on next: cue 4 (mix main over=500ms)
          rung  size     frames  key frames    sent
          360p  640x360     300           6  1.2 MB
          way out  rung  state    sent  dropped  where to
          disk     360p  live   1.2 MB        0  program-360p.flv

        camera  line  state  packets  received
        main    disk  lost        10     999 B
        "#);
    }

    #[test]
    fn what_is_carried_and_what_rests_is_said() {
        let rung = |name: &str, more: Value| {
            let mut rung =
                json!({ "name": name, "width": 64, "height": 36, "frames": 9, "keyframes": 1, "bytes": 9 });
            rung.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            rung
        };
        let status = json!({
            "show": "demo", "revision": 4, "t": 12.34,
            "load": { "late_ms": 81.2, "overload_since": 3.52, "shed": ["own/720p", "own/360p"] },
            "channels": [{
                "name": "program", "intent": "a", "on_air": "a", "reason": "start", "since_frame": 0,
                "rungs": [
                    rung("720p", json!({ "shed_since": 3.52, "carried_from": "own" })),
                    rung("480p", json!({ "carried_from": "own" })),
                    rung("360p", json!({ "encoder": "libx264" })),
                    rung("240p", json!({ "encoder": "libx264", "encoder_missing": "h264_vaapi" })),
                    rung("source", json!({ "copied_from": "a/fiber" })),
                ],
            }],
        });
        insta::assert_snapshot!(text(&status), @r"
        demo at 12.3 s, revision 4
        OVERLOAD since 3.5 s: ticks 81 ms late, does without own/720p, own/360p

        program: a ON AIR since frame 0 (reason: start)
          rung    size   frames  key frames  sent  pictures
          720p    64x36       9           1   9 B  none since 3.5 s: it rests
          480p    64x36       9           1   9 B  carried from own
          360p    64x36       9           1   9 B
          240p    64x36       9           1   9 B  libx264, for want of h264_vaapi
          source  64x36       9           1   9 B  copied from a/fiber
        ");
    }

    #[test]
    fn a_strange_status_does_no_harm() {
        assert!(text(&json!(7)).starts_with("show at 0.0 s"));
        assert!(
            text(&json!({ "channels": [null, {}], "cameras": [{ "lines": 3 }] })).contains("nothing ON AIR")
        );
    }
}
