//! What a running show looks like on a terminal: one line that keeps up to date,
//! or a line every two seconds where there is no terminal; events as they come.

use std::fmt::Write as _;
use std::io::IsTerminal;

use engine::{ChannelStatus, Event, Level, RungStatus, Status};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use media::Time;

use crate::term;

/// Status lines go out this often where they cannot be updated, in calls of [`Progress::at`].
const EVERY: u32 = 2;

/// The display of one run.
pub struct Progress {
    /// There only on a terminal.
    bar: Option<ProgressBar>,
    calls: u32,
    last: Option<Event>,
}

impl Progress {
    /// For this process's stderr.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // No spinner: that the time goes on is sign enough.
            bar.with_style(
                ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
            )
        });
        Self { bar, calls: 0, last: None }
    }

    /// Called once a second with the show as it stands and its speed, show time over wall time.
    pub fn at(&mut self, status: &Status, speed: f64) {
        let parts = parts(status, speed);
        self.calls += 1;
        match &self.bar {
            Some(bar) => {
                // One under the other: a narrow terminal would cut a long line.
                bar.set_message(parts.join("\n  "));
                bar.tick();
            }
            None if self.calls.is_multiple_of(EVERY) => term::line(format_args!("{}", parts.join(" | "))),
            None => {}
        }
    }

    /// Something happened.
    pub fn event(&mut self, event: &Event) {
        self.say(&event_line(event));
        self.last = Some(event.clone());
    }

    /// Everything that happened, of which the last part may not have been shown yet.
    pub fn rest(&mut self, all: &[Event]) {
        let shown = self.last.as_ref().map_or(0, |last| match all.iter().rposition(|event| event == last) {
            Some(at) => at + 1,
            // In a flood more is shown than kept.
            None => all.partition_point(|event| event.t <= last.t),
        });
        for event in &all[shown..] {
            self.event(event);
        }
    }

    /// A message that stays.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| term::line(format_args!("{text}"))),
            None => term::line(format_args!("{text}")),
        }
    }

    /// The updating line goes.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Time and speed, then per channel what is on air and what the rungs carry.
fn parts(status: &Status, speed: f64) -> Vec<String> {
    let mut parts = vec![format!("{} {speed:.2}x", seconds(status.t))];
    for channel in &status.channels {
        parts.push(on_air(channel, status.frame_rate));
        let rung = |rung: &RungStatus| {
            let kbps = rung.kbps.map_or_else(|| "-".to_owned(), |kbps| format!("{kbps:.0}k"));
            format!("{} {kbps}", rung.name)
        };
        parts.push(channel.rungs.iter().map(rung).collect::<Vec<_>>().join("  "));
    }
    parts
}

fn on_air(channel: &ChannelStatus, frame_rate: f64) -> String {
    let source = channel.on_air.as_deref().unwrap_or("nothing");
    let mut text = format!("{} tick {}: {source} ({})", channel.name, channel.frames, channel.reason);
    if channel.on_air.as_deref() != Some(channel.intent.as_str()) {
        let _ = write!(text, ", asked for {}", channel.intent);
    }
    let measured = channel.rungs.iter().find_map(|rung| rung.fps);
    let fps = measured.map_or_else(|| "-".to_owned(), |fps| format!("{fps:.1}"));
    let _ = write!(text, ", {fps} of {} fps", trimmed(frame_rate));
    if channel.late_ticks > 0 {
        let _ = write!(text, ", {} late ticks", channel.late_ticks);
    }
    text
}

fn event_line(event: &Event) -> String {
    let level = match event.level {
        Level::Info => "info ",
        Level::Warn => "WARN ",
        Level::Alarm => "ALARM",
    };
    format!("{} {level} {}: {} [{}]", seconds(event.t), event.subject, event.message, event.code)
}

/// `25`, `29.97`.
fn trimmed(rate: f64) -> String {
    let text = format!("{rate:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Show time as a clock.
fn seconds(t: f64) -> String {
    Time::from_millis((t * 1000.0).round() as i64).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_said_in_short_parts() {
        let status: Status = serde_json::from_value(serde_json::json!({
            "revision": 1, "epoch": 1, "show": "demo", "t": 12.04, "frame_rate": 25.0, "cameras": [], "events": [],
            "channels": [{
                "name": "program", "intent": "main", "on_air": "standby", "reason": "filler", "since_frame": 250,
                "sources": ["main"], "filler": "off", "encrypt": null, "key_id": null, "frames": 301, "late_ticks": 2,
                "egress": [],
                "rungs": [
                    { "name": "540p", "width": 960, "height": 540, "frames": 300, "keyframes": 6, "bytes": 1, "fps": 25.0, "kbps": 1510.2 },
                    { "name": "240p", "width": 426, "height": 240, "frames": 300, "keyframes": 6, "bytes": 1, "fps": null, "kbps": null },
                ],
            }],
        }))
        .unwrap();
        insta::assert_snapshot!(
            parts(&status, 1.0).join(" | "),
            @"0:12.040 1.00x | program tick 301: standby (filler), asked for main, 25.0 of 25 fps, 2 late ticks | 540p 1510k  240p -"
        );
        assert_eq!([25.0, 30_000.0 / 1001.0, 100.0].map(trimmed), ["25", "29.97", "100"]);
    }

    #[test]
    fn an_event_names_its_subject() {
        let event = Event {
            t: 3.5,
            level: Level::Warn,
            code: "line-lost".to_owned(),
            subject: "main/fiber".to_owned(),
            message: "no picture for 400ms".to_owned(),
        };
        assert_eq!(event_line(&event), "0:03.500 WARN  main/fiber: no picture for 400ms [line-lost]");
    }
}
