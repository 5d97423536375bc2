//! A camera position at a tick: its lines taken from, one of them chosen.

use media::{Tick, Time};
use pipeline_dsl as dsl;
use scheduling::{LineIx, LineReason, LineSelector, LineState as Standing, LineView, SourceView};

use crate::ingest::Line;
use crate::ingest::buffer::Take;
use crate::report::{CameraReport, LineReport, LineState};
use crate::status::{CameraStatus, LineStatus};

/// A camera, or a filler (which is a camera of one line).
pub(crate) struct CameraRun {
    pub(crate) name: String,
    pub(crate) lines: Vec<Line>,
    selector: LineSelector,
    /// What the chosen line gave to this tick.
    pub(crate) take: Option<Take>,
    pub(crate) view: SourceView,
    /// Each line's counters a second ago, and what they came to.
    measured: Vec<Measured>,
}

#[derive(Clone, Copy, Default)]
struct Measured {
    bytes: u64,
    pictures: u64,
    /// Frames and kilobits a second.
    rates: Option<(f64, f64)>,
}

/// What changed at a tick.
pub(crate) struct LineChange {
    pub(crate) line: String,
    pub(crate) from: LineState,
    pub(crate) to: LineState,
}

impl CameraRun {
    pub(crate) fn new(name: String, lines: Vec<Line>, failover: dsl::Failover) -> Self {
        let selector = LineSelector::new(lines.len(), failover);
        let measured = vec![Measured::default(); lines.len()];
        Self { name, lines, selector, take: None, view: SourceView::NEVER, measured }
    }

    /// Takes the tick `[from, to)` from every line and chooses one. `changed`
    /// hears of lines whose state is another now, and of a change of line.
    pub(crate) fn tick(
        &mut self,
        tick: Tick,
        from: Time,
        to: Time,
        changed: &mut Vec<LineChange>,
    ) -> Option<scheduling::LineChange> {
        let mut takes = Vec::with_capacity(self.lines.len());
        for line in &mut self.lines {
            let before = line.state();
            takes.push(line.take(tick, from, to));
            if line.state() != before {
                changed.push(LineChange { line: line.name.clone(), from: before, to: line.state() });
            }
        }
        let views: Vec<LineView> =
            self.lines.iter().zip(&takes).map(|(line, take)| view(line, take)).collect();
        let choice = self.selector.select(from, &views);
        self.take = choice.line.and_then(|LineIx(ix)| (ix < takes.len()).then(|| takes.swap_remove(ix)));
        self.view = match &self.take {
            None => SourceView::NEVER,
            Some(take) => match take.hole_since {
                None => SourceView::CURRENT,
                Some(since) if take.ended => SourceView::ended(since),
                Some(since) => SourceView::missing(since),
            },
        };
        let reason = choice.change.map(|change| change.reason).filter(|reason| *reason != LineReason::Start);
        if let Some(reason) = reason {
            self.view = self.view.over_line(reason);
        }
        choice.change
    }

    /// Bitrates over the last second.
    pub(crate) fn measure(&mut self, seconds: f64) {
        for (line, measured) in self.lines.iter().zip(&mut self.measured) {
            let (bytes, pictures) = (line.counters.bytes(), line.counters.pictures());
            let (came, shown) = (bytes - measured.bytes, pictures - measured.pictures);
            let kbps = came as f64 * 8.0 / 1000.0 / seconds;
            let flows = line.counters.is_connected() || came > 0;
            *measured = Measured { bytes, pictures, rates: flows.then_some((shown as f64 / seconds, kbps)) };
        }
    }

    pub(crate) fn status(&self) -> CameraStatus {
        let line = self.selector.current().and_then(|LineIx(ix)| self.lines.get(ix)).map(|l| l.name.clone());
        let lines = self.lines.iter().zip(&self.measured).map(|(line, measured)| LineStatus {
            name: line.name.clone(),
            state: line.state(),
            packets: line.counters.packets(),
            bytes: line.counters.bytes(),
            fps: measured.rates.map(|r| r.0),
            kbps: measured.rates.map(|r| r.1),
            lost_s: line.lost().as_secs_f64(),
        });
        CameraStatus { name: self.name.clone(), line, lines: lines.collect() }
    }

    pub(crate) fn report(&self) -> CameraReport {
        let lines = self.lines.iter().map(|line| LineReport {
            name: line.name.clone(),
            state: line.state(),
            packets: line.counters.packets(),
            bytes: line.counters.bytes(),
            lost_s: line.lost().as_secs_f64(),
        });
        CameraReport { name: self.name.clone(), lines: lines.collect() }
    }
}

fn view(line: &Line, take: &Take) -> LineView {
    let state = match line.state() {
        LineState::Never => Standing::Never,
        LineState::Live => Standing::Live,
        LineState::Lost => Standing::Lost,
        LineState::Ended => Standing::Ended,
    };
    // Before its first picture a line is in no hole that could be measured.
    LineView { state, hole_since: take.hole_since.filter(|_| line.seen()) }
}
