//! A channel as its status tells of it.

use media::Time;
use scheduling::{Blend, ChannelScheduler, SourceIx, Switcher};

use super::report::rung_facts;
use super::{ChannelRun, FAILED, Mixing, Over};
use crate::show::plan::plan_status;
use crate::stage::StageReading;
use crate::status::{ChannelStatus, MixStatus, RungStatus, StripStatus};

impl ChannelRun {
    pub(crate) fn status(&self, switcher: &Switcher) -> ChannelStatus {
        let scheduler = switcher.channel(self.ix);
        let (intent, standing) = (scheduler.map(|s| s.intent()), scheduler.and_then(|s| s.on_air()));
        let source = |source: Option<SourceIx>| {
            source.and_then(|source| scheduler?.source_name(source)).map(str::to_owned)
        };
        let name = |on_air| scheduler.and_then(|s| s.name_of(on_air)).map(str::to_owned);
        let borrowed = self.borrowed.as_ref().filter(|_| !self.is_over());
        let rungs = self.stage.rungs.iter().zip(&self.measured).enumerate();
        let rungs = rungs.map(|(ix, (rung, measured))| RungStatus {
            facts: rung_facts(rung),
            copied_from: rung.meter.copied_from().map(|line| line.to_string()),
            fps: measured.rates.map(|r| r.0),
            kbps: measured.rates.map(|r| r.1),
            encoder: rung.encoder.as_ref().map(|encoder| encoder.name.as_str().to_owned()),
            encoder_missing: rung
                .encoder
                .as_ref()
                .and_then(|encoder| encoder.instead_of)
                .map(|device| device.as_str().to_owned()),
            carried_from: borrowed.map(|borrowed| borrowed.from.to_string()),
            stage: self.costs.1.get(ix).and_then(StageReading::status),
            shed_since: self.rests.since(ix).map(Time::as_secs_f64),
        });
        let (encrypt, key_id) = self.sealed();
        ChannelStatus {
            name: self.stage.name.clone(),
            intent: source(intent.map(|intent| intent.source)).unwrap_or_default(),
            preview: source(intent.and_then(|intent| intent.preview)),
            sound: source(intent.and_then(|intent| intent.sound)),
            on_air: self.on_air_name(switcher),
            reason: match self.over {
                Over::Failed => FAILED.to_owned(),
                _ => standing.map_or("start", |s| s.reason.as_str()).to_owned(),
            },
            since_frame: standing.map_or(0, |s| s.since.0),
            mix: self.mixing.map(|Mixing { from, to, blend, until }| MixStatus {
                from: name(from),
                to: name(to).unwrap_or_default(),
                how: match blend {
                    Blend::Dissolve => "mix",
                    Blend::Wipe(_) => "wipe",
                    Blend::Dip(_) => "dip",
                }
                .to_owned(),
                until_frame: until.0,
            }),
            sources: (0..self.sources.len()).filter_map(|ix| source(Some(SourceIx(ix)))).collect(),
            desk: scheduler.map(|s| self.desk_status(s)).unwrap_or_default(),
            watermarks: self.marks.status(),
            plan: scheduler.and_then(plan_status),
            filler: intent.filter(|_| self.filler.is_some()).map(|intent| intent.filler),
            encrypt: self.keys.as_ref().map(|_| encrypt),
            key_id,
            next_key_id: self.next_key_id(switcher),
            frames: self.stage.frames(),
            late_ticks: self.late_ticks,
            stage: self.costs.0.status(),
            rungs: rungs.collect(),
            egress: self.egress(),
        }
    }

    /// Sources that are not heard as they come.
    fn desk_status(&self, scheduler: &ChannelScheduler) -> Vec<StripStatus> {
        let strips = (0..self.sources.len()).map(|ix| (SourceIx(ix), scheduler.strip(SourceIx(ix))));
        let touched = strips.filter(|(_, strip)| *strip != scheduling::Strip::UNITY);
        let status = touched.map(|(source, strip)| StripStatus {
            source: scheduler.source_name(source).unwrap_or_default().to_owned(),
            gain_db: f64::from(strip.gain.tenths()) / 10.0,
            mute: strip.mute,
        });
        status.collect()
    }
}
