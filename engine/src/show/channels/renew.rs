//! A channel whose ladder changes on air: what is kept of each rung goes with it.

use media::Time;

use super::{ChannelRun, GoneRung, MOST_GONE};
use crate::channel::outlets::Outlet;
use crate::channel::renew::{NewLadder, Renewed};
use crate::stage::StageReading;

impl ChannelRun {
    /// Its rungs are others from the tick at `now` on.
    pub(super) fn renew(&mut self, ladder: NewLadder, now: Time) {
        let Renewed { places, anew, gone } = self.stage.renew(ladder, now, self.encryption);
        let gone_places: Vec<usize> = gone.iter().map(|(place, _)| *place).collect();
        let sheds = self.rests.rearrange(&places, &anew, &gone_places, now);
        let (measured, costs) = (std::mem::take(&mut self.measured), std::mem::take(&mut self.costs.1));
        let moved = |place: &Option<usize>| place.and_then(|place| measured.get(place).copied());
        self.measured = places.iter().map(|place| moved(place).unwrap_or_default()).collect();
        let mut costs: Vec<Option<StageReading>> = costs.into_iter().map(Some).collect();
        let mut take = |place: usize| costs.get_mut(place).and_then(Option::take).unwrap_or_default();
        self.costs.1 = places.iter().map(|place| place.map(&mut take).unwrap_or_default()).collect();
        let is_gone = |outlet: &mut Outlet| gone.iter().any(|(_, rung)| rung.rung.name == outlet.rung);
        for outlet in self.stage.outlets.extract_if(.., is_gone) {
            outlet.end();
            self.gone.push(outlet);
        }
        for ((place, handle), shed) in gone.into_iter().zip(sheds) {
            self.gone_rungs.push(GoneRung { handle, shed, costs: take(place) });
        }
        self.gone_rungs.drain(..self.gone_rungs.len().saturating_sub(MOST_GONE));
    }
}
