//! The closing table of a run, from its report.

use std::fmt::Write as _;

use engine::Report;
use media::FrameRate;

use crate::table::{Side, Table, amount};

/// What a show came to, for people.
pub fn text(report: &Report, rate: FrameRate) -> String {
    let mut text = String::new();
    let mut rungs = Table::new(&[
        ("channel", Side::Left),
        ("rung", Side::Left),
        ("size", Side::Left),
        ("frames", Side::Right),
        ("key frames", Side::Right),
        ("kbit/s", Side::Right),
        ("max video gap", Side::Right),
        ("max audio gap", Side::Right),
        ("late ticks", Side::Right),
    ]);
    let mut ways = Table::new(&[
        ("channel", Side::Left),
        ("way out", Side::Left),
        ("rung", Side::Left),
        ("state", Side::Left),
        ("sent", Side::Right),
        ("dropped", Side::Right),
        ("reconnects", Side::Right),
        ("where to", Side::Left),
    ]);
    for channel in &report.channels {
        for rung in &channel.rungs {
            let length_s = rung.frames as f64 / rate.as_f64();
            let kbps = if rung.frames > 0 { rung.bytes as f64 * 8.0 / 1000.0 / length_s } else { 0.0 };
            rungs.row([
                channel.name.clone(),
                rung.name.clone(),
                format!("{}x{}", rung.width, rung.height),
                rung.frames.to_string(),
                rung.keyframes.to_string(),
                format!("{kbps:.0}"),
                format!("{:.0} ms", rung.max_video_gap_ms),
                format!("{:.0} ms", rung.max_audio_gap_ms),
                channel.late_ticks.to_string(),
            ]);
        }
        for way in &channel.egress {
            ways.row([
                channel.name.clone(),
                way.name.clone(),
                way.rung.clone(),
                spelled(way.state),
                amount(way.bytes),
                way.dropped_frames.to_string(),
                way.reconnects.to_string(),
                way.target.clone(),
            ]);
        }
    }
    let mut heads = vec![
        ("camera", Side::Left),
        ("line", Side::Left),
        ("state", Side::Left),
        ("packets", Side::Right),
        ("received", Side::Right),
        ("lost", Side::Right),
    ];
    let is_recorded = report.cameras.iter().flat_map(|c| &c.lines).any(|line| line.recording.is_some());
    if is_recorded {
        heads.push(("recorded", Side::Right));
    }
    let mut lines = Table::new(&heads);
    let cameras = report.cameras.iter().map(|camera| (camera.name.clone(), camera));
    // A filler may bear a camera's name.
    let fillers = report.fillers.iter().map(|filler| (format!("{} (filler)", filler.name), filler));
    for (name, camera) in cameras.chain(fillers) {
        for line in &camera.lines {
            let mut row = vec![
                name.clone(),
                line.name.clone(),
                spelled(line.state),
                line.packets.to_string(),
                amount(line.bytes),
                format!("{:.1} s", line.lost_s),
            ];
            if is_recorded {
                row.push(line.recording.as_ref().map_or(String::new(), |recording| amount(recording.bytes)));
            }
            lines.row(row);
        }
    }
    for table in [lines, rungs, ways].iter().filter(|table| !table.is_empty()) {
        let _ = writeln!(text, "{}", table.text());
    }
    let Report { show, wall_s, cpu_s, realtime_factor, .. } = report;
    let cores = if *wall_s > 0.0 { cpu_s / wall_s } else { 0.0 };
    let _ = writeln!(
        text,
        "{show}: {wall_s:.1} s of wall time, {cpu_s:.1} s of CPU ({cores:.2} cores), {realtime_factor:.2} times real time"
    );
    text
}

/// A state as the report spells it.
fn spelled(state: impl serde::Serialize) -> String {
    let value = serde_json::to_value(state).ok();
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_closes_with_a_table() {
        let report: Report = serde_json::from_value(serde_json::json!({
            "show": "demo", "wall_s": 10.0, "cpu_s": 15.0, "realtime_factor": 1.0, "events": [],
            "cameras": [{ "name": "main", "lines": [
                { "name": "disk", "state": "ended", "packets": 250, "bytes": 5_000_000, "lost_s": 0.4 }] }],
            "fillers": [{ "name": "main", "lines": [
                { "name": "filler", "state": "live", "packets": 9, "bytes": 80_000, "lost_s": 0.0 }] }],
            "channels": [{
                "name": "program", "frames": 250, "late_ticks": 1, "on_air": [],
                "rungs": [{ "name": "360p", "width": 640, "height": 360, "frames": 250, "keyframes": 5,
                            "bytes": 1_000_000, "max_video_gap_ms": 40.0, "max_audio_gap_ms": 21.3 }],
                "egress": [{ "name": "disk", "rung": "360p", "target": "program-360p.flv", "state": "closed",
                             "bytes": 1_000_000, "dropped_frames": 0, "reconnects": 0 }],
            }],
        }))
        .unwrap();
        insta::assert_snapshot!(text(&report, FrameRate::new(25, 1).unwrap()));
    }
}
