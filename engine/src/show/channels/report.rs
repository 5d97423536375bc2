//! A channel as its report tells of it, and what its status tells alike.

use pipeline_dsl as dsl;

use super::{ChannelRun, Over};
use crate::channel::RungHandle;
use crate::channel::meter::RungMeter;
use crate::channel::outlets::{Outlet, OutletKind};
use crate::report::{
    CarriedReport, ChannelReport, EgressReport, EgressState, RungFacts, RungReport, ShedReport, StageReport,
};
use crate::stage::StageReading;

impl ChannelRun {
    pub(super) fn egress(&self) -> Vec<EgressReport> {
        self.egress_of(&self.stage.outlets)
    }

    fn egress_of(&self, outlets: &[Outlet]) -> Vec<EgressReport> {
        let rows = outlets.iter().map(|outlet| EgressReport {
            name: outlet.name.clone(),
            rung: outlet.rung.clone(),
            target: outlet.target.clone(),
            clear: outlet.door == dsl::Door::Clear,
            state: match (outlet.meter.state(), &outlet.kind) {
                (EgressState::Live, OutletKind::Viewers(_) | OutletKind::Players { .. }) => match self.over {
                    Over::NotYet => EgressState::Live,
                    Over::Ended => EgressState::Closed,
                    Over::Failed => EgressState::Failed,
                },
                (state, _) => state,
            },
            bytes: outlet.meter.bytes(),
            dropped_frames: outlet.meter.dropped_frames(),
            reconnects: outlet.meter.reconnects(),
        });
        rows.collect()
    }

    pub(crate) fn report(&self) -> ChannelReport {
        let rungs = self.stage.rungs.iter().enumerate().map(|(ix, rung)| {
            rung_report(rung, self.rests.report(ix), self.costs.1.get(ix).and_then(StageReading::report))
        });
        let gone = self.gone_rungs.iter();
        let gone = gone.map(|gone| rung_report(&gone.handle, gone.shed.clone(), gone.costs.report()));
        ChannelReport {
            name: self.stage.name.clone(),
            frames: self.stage.frames(),
            late_ticks: self.late_ticks,
            on_air: self.on_air.clone(),
            encryption: self.encryptions.clone(),
            stage: self.costs.0.report(),
            rungs: rungs.chain(gone).collect(),
            egress: self.egress().into_iter().chain(self.egress_of(&self.gone)).collect(),
        }
    }
}

fn rung_report(
    rung: &RungHandle,
    (shed_s, shed): (f64, Vec<ShedReport>),
    stage: Option<StageReport>,
) -> RungReport {
    RungReport {
        facts: rung_facts(rung),
        max_video_gap_ms: rung.meter.max_video_gap_ms(),
        max_audio_gap_ms: rung.meter.max_audio_gap_ms(),
        carried: carried(&rung.meter),
        copied: rung.rung.is_copied().then(|| rung.meter.copied()),
        stage,
        shed_s,
        shed,
        vbv_overshoots: rung.meter.overshoots(),
        vbv_overshoot_ms: rung.meter.overshoot_ms(),
    }
}

pub(super) fn rung_facts(rung: &RungHandle) -> RungFacts {
    RungFacts {
        name: rung.rung.name.clone(),
        width: rung.size().width,
        height: rung.size().height,
        frames: rung.meter.frames(),
        keyframes: rung.meter.keyframes(),
        bytes: rung.meter.bytes(),
    }
}

fn carried(meter: &RungMeter) -> Vec<CarriedReport> {
    let carried = meter.carried();
    carried
        .into_iter()
        .map(|(channel, frames)| CarriedReport { channel: channel.to_string(), frames })
        .collect()
}
