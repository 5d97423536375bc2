//! A camera as its status and its report tell of it, and what is measured for that.

use media::Span;
use scheduling::{Carries, LineFigures, LineIx, Step, Switcher};

use super::CameraRun;
use crate::ingest::Line;
use crate::ingest::network::Network;
use crate::options::Mode;
use crate::report::{CameraReport, LineFacts, LineReport, LineState, NetworkReport};
use crate::show::checks::{Amiss, LineChecks};
use crate::stage::Besides;
use crate::status::{CameraStatus, LineStatus};

#[derive(Clone, Copy, Default)]
pub(super) struct Measured {
    bytes: u64,
    pictures: u64,
    errors: u64,
    /// Frames and kilobits a second.
    rates: Option<(f64, f64)>,
    /// What waited of a live line, and the sum and number of such seconds.
    queue: Option<Span>,
    queued: (Span, i64),
    /// What the switcher is told of it.
    pub(super) figures: LineFigures,
}

impl Measured {
    /// What waited on the average, in milliseconds.
    fn queue_ms(&self) -> Option<f64> {
        let (sum, seconds) = self.queued;
        (seconds > 0).then(|| millis(sum) / seconds as f64)
    }
}

fn millis(span: Span) -> f64 {
    (span.as_secs_f64() * 10_000.0).round() / 10.0
}

/// No camera gives more pictures a second: it is what waited somewhere, and comes at once.
pub(super) const MOST_FPS: f64 = 250.0;

/// Pictures a second, where that is a rate.
pub(super) fn told_fps(fps: f64) -> Option<f64> {
    Some(fps).filter(|fps| *fps <= MOST_FPS)
}

impl CameraRun {
    /// Bitrates over the last second. Only a line that comes as it is sent can be slow.
    pub(crate) fn measure(&mut self, seconds: f64, mode: Mode) {
        for (line, measured) in self.lines.iter_mut().zip(&mut self.measured) {
            if line.comes_from_outside() {
                line.costs.measure(&line.counters.stage, Besides::default(), seconds);
            }
            let (bytes, pictures) = (line.counters.bytes(), line.counters.pictures());
            let errors = line.counters.errors();
            let (came, shown) = (bytes - measured.bytes, pictures - measured.pictures);
            let kbps = came as f64 * 8.0 / 1000.0 / seconds;
            let flows = line.counters.is_connected() || came > 0;
            let rates = flows.then_some((shown as f64 / seconds, kbps));
            let queue = line.waiting().filter(|_| line.state() == LineState::Live);
            let (sum, count) = measured.queued;
            let queued = queue.map_or((sum, count), |waits| (sum + waits, count + 1));
            let told = rates.filter(|_| mode == Mode::RealTime || line.is_live());
            let figures = LineFigures {
                millifps: told
                    .filter(|_| line.carries() == Carries::Pictures)
                    .map(|(fps, _)| (fps * 1000.0) as u32),
                bitrate: told.map(|(_, kbps)| (kbps * 1000.0) as u32),
                errors: told.map(|_| ((errors - measured.errors) as f64 / seconds) as u32),
                ..LineFigures::default()
            };
            *measured = Measured { bytes, pictures, errors, rates, queue, queued, figures };
        }
    }

    /// How much later than over the line that is shown the same comes over this one.
    fn step(&self, line: usize) -> Option<f64> {
        self.alignment.as_ref()?.behind(LineIx(line)).map(millis)
    }

    pub(crate) fn status(&self, switcher: &Switcher) -> CameraStatus {
        let rules = switcher.lines(self.feed);
        let name = |ix: LineIx| self.lines.get(ix.0).map(|line| line.name.clone());
        let line = rules.and_then(|rules| rules.current()).and_then(name);
        let chosen = rules.and_then(|rules| rules.chosen()).and_then(name);
        let suspect = |ix| rules.and_then(|rules| rules.suspect(LineIx(ix)));
        let lines = self.lines.iter().zip(&self.measured).enumerate().map(|(ix, (line, measured))| {
            let checks = self.checks.get(ix).and_then(Option::as_ref);
            LineStatus {
                facts: self.facts(ix, line, measured.queue.map(millis)),
                suspect: suspect(ix).map(|doubt| doubt.as_str().to_owned()),
                amiss: checks.map(LineChecks::amiss).unwrap_or_default(),
                fps: measured
                    .rates
                    .filter(|_| line.carries() == Carries::Pictures)
                    .and_then(|r| told_fps(r.0)),
                kbps: measured.rates.map(|r| r.1),
                in_step: self.steps.get(ix) == Some(&Step::Shared),
                stage: line.costs.status(),
            }
        });
        CameraStatus { name: self.name.clone(), line, chosen, lines: lines.collect() }
    }

    pub(crate) fn report(&self) -> CameraReport {
        let total = |ix: usize, amiss| {
            let checks = self.checks.get(ix).and_then(Option::as_ref);
            checks?.total(amiss, self.now).map(Span::as_secs_f64)
        };
        let lines =
            self.lines.iter().zip(&self.measured).enumerate().map(|(ix, (line, measured))| LineReport {
                facts: self.facts(ix, line, measured.queue_ms()),
                black_s: total(ix, Amiss::Black),
                frozen_s: total(ix, Amiss::Frozen),
                silent_s: total(ix, Amiss::Silent),
                stage: line.costs.report(),
            });
        CameraReport { name: self.name.clone(), lines: lines.collect() }
    }

    /// What is said of a line at any time; so much of it waits.
    fn facts(&self, ix: usize, line: &Line, queue_ms: Option<f64>) -> LineFacts {
        let timing = line.counters.timing();
        LineFacts {
            name: line.name.clone(),
            state: line.state(),
            packets: line.counters.packets(),
            bytes: line.counters.bytes(),
            lost_s: line.lost().as_secs_f64(),
            buffer_ms: timing.buffer.map(millis),
            queue_ms,
            offset_ms: timing.standing.map(|standing| millis(standing.offset)),
            drift_ppm: timing.drift_ppm(),
            behind_ms: timing.behind.map(millis),
            step_ms: self.step(ix),
            recording: line.recording(),
            keyframe_s: line.counters.key_interval().map(Span::as_secs_f64),
            decode_errors: line.counters.errors(),
            network: network(line),
        }
    }
}

fn network(line: &Line) -> NetworkReport {
    let Network { rtt, jitter, lost, again } = line.counters.network();
    NetworkReport { rtt_ms: rtt.map(millis), jitter_ms: jitter.map(millis), lost, again }
}
