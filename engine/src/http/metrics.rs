//! `GET /metrics`: the status in Prometheus's text form.

use std::fmt::Write;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::handle::Handle;
use crate::report::LineState;
use crate::status::{LineStatus, RungStatus, StageStatus, Status};

pub(super) async fn metrics(State(handle): State<Handle>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text(&handle.status())).into_response()
}

/// Escapes a label's value (exposition format 0.0.4).
fn label(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

/// Writing to a string cannot fail.
fn text(status: &Status) -> String {
    let mut out = String::new();
    let mut family = |name: &str, kind: &str, help: &str, rows: Vec<(String, f64)>| {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in rows {
            let _ = writeln!(out, "{name}{{{labels}}} {value}");
        }
    };
    let channels = || status.channels.iter().map(|c| (format!("channel=\"{}\"", label(&c.name)), c));
    let rungs = || {
        channels().flat_map(|(labels, c)| {
            c.rungs.iter().map(move |r| (format!("{labels},rung=\"{}\"", label(&r.name)), r))
        })
    };
    let lines = || {
        status.cameras.iter().flat_map(|c| {
            c.lines
                .iter()
                .map(move |l| (format!("camera=\"{}\",line=\"{}\"", label(&c.name), label(&l.name)), l))
        })
    };
    let counter = "counter";
    family(
        "obvan_frames_total",
        counter,
        "Frames rendered.",
        channels().map(|(l, c)| (l, c.frames as f64)).collect(),
    );
    family(
        "obvan_late_ticks_total",
        counter,
        "Ticks begun more than a frame late.",
        channels().map(|(l, c)| (l, c.late_ticks as f64)).collect(),
    );
    family(
        "obvan_late_ms",
        "gauge",
        "How late the last tick was.",
        vec![(String::new(), status.load.late_ms)],
    );
    let overload = if status.load.overload_since.is_some() { 1.0 } else { 0.0 };
    family(
        "obvan_overload",
        "gauge",
        "1 while the engine does not keep up.",
        vec![(String::new(), overload)],
    );
    family(
        "obvan_thumbnails_total",
        counter,
        "Pictures of sources that were made for whoever asked.",
        vec![(String::new(), status.load.thumbnails.made as f64)],
    );
    let rests = |rung: &RungStatus| if rung.shed_since.is_some() { 1.0 } else { 0.0 };
    family(
        "obvan_rung_rests",
        "gauge",
        "1 while it has no pictures, since the engine does not keep up.",
        rungs().map(|(l, r)| (l, rests(r))).collect(),
    );
    family(
        "obvan_rung_frames_total",
        counter,
        "Frames encoded.",
        rungs().map(|(l, r)| (l, r.frames as f64)).collect(),
    );
    family(
        "obvan_rung_bytes_total",
        counter,
        "Bytes of tags.",
        rungs().map(|(l, r)| (l, r.bytes as f64)).collect(),
    );
    family(
        "obvan_line_bytes_total",
        counter,
        "Bytes received.",
        lines().map(|(l, x)| (l, x.bytes as f64)).collect(),
    );
    family(
        "obvan_line_decode_errors_total",
        counter,
        "Packets and pictures that could not be decoded.",
        lines().map(|(l, x)| (l, x.decode_errors as f64)).collect(),
    );
    // What a line does not tell has no sample.
    let told = |figure: fn(&LineStatus) -> Option<f64>| -> Vec<(String, f64)> {
        lines().filter_map(|(l, x)| Some((l, figure(x)?))).collect()
    };
    family(
        "obvan_line_lost_packets",
        "gauge",
        "Packets the network lost since the line was connected last.",
        told(|x| x.network.lost.map(|n| n as f64)),
    );
    family("obvan_line_rtt_ms", "gauge", "There and back.", told(|x| x.network.rtt_ms));
    family("obvan_line_queue_ms", "gauge", "What waits of a live line.", told(|x| x.queue_ms));
    family("obvan_line_drift_ppm", "gauge", "The sender's clock beside the show's.", told(|x| x.drift_ppm));
    for (name, word, help) in [
        ("obvan_line_black", "black", "1 while its picture is black."),
        ("obvan_line_frozen", "frozen", "1 while its picture stands still."),
        ("obvan_line_silent", "silent", "1 while nothing is heard on it."),
    ] {
        let is = |line: &LineStatus| if line.amiss.iter().any(|amiss| amiss == word) { 1.0 } else { 0.0 };
        family(name, "gauge", help, lines().map(|(l, x)| (l, is(x))).collect());
    }
    // What is measured of a stage, of all that are.
    let stages = |figure: fn(&StageStatus) -> Option<f64>| -> Vec<(String, f64)> {
        let lines = lines().filter_map(|(l, x)| Some((format!("stage=\"line\",{l}"), x.stage?)));
        let channels = channels().filter_map(|(l, c)| Some((format!("stage=\"channel\",{l}"), c.stage?)));
        let rungs = rungs().filter_map(|(l, r)| Some((format!("stage=\"rung\",{l}"), r.stage?)));
        let thumbnails = status.load.thumbnails.stage.map(|stage| ("stage=\"thumbnails\"".to_owned(), stage));
        let all = lines.chain(channels).chain(rungs).chain(thumbnails);
        all.filter_map(|(labels, stage)| Some((labels, figure(&stage)?))).collect()
    };
    let mut stage = |name: &str, help: &str, figure| family(name, "gauge", help, stages(figure));
    stage("obvan_stage_cpu_ms", "CPU time over the last second.", |stage| Some(stage.facts.cpu_ms));
    stage("obvan_stage_queue", "What waits.", |stage| Some(stage.queue as f64));
    stage("obvan_stage_queue_max", "The most that waited in the last second.", |stage| {
        Some(stage.facts.queue_max as f64)
    });
    stage(
        "obvan_stage_latency_ms",
        "From a picture's tick to its end, the median of the last second.",
        |stage| stage.facts.latency_ms,
    );
    stage("obvan_stage_latency_max_ms", "The same, the longest.", |stage| stage.facts.latency_max_ms);
    let live = |state: LineState| if state == LineState::Live { 1.0 } else { 0.0 };
    family(
        "obvan_line_live",
        "gauge",
        "1 while pictures come.",
        lines().map(|(l, x)| (l, live(x.state))).collect(),
    );
    out
}
