//! Who encodes at a tick and who carries: decided, and told to the rungs.

use media::{Key, Time};
use pipeline_dsl as dsl;
use scheduling::{Carrying, ChannelIx, Decision, Encoding, EncodingStep};

use crate::show::ShowRun;
use crate::show::channels::ChannelRun;
use crate::thumb::Glance;

/// For a show whose channels are open: what their encoders wrote into the headers counts, too.
pub(crate) fn carrying(show: &dsl::Show, channels: &[ChannelRun]) -> Carrying {
    Carrying::new(show, |to, from| fits(channels, to, from))
}

/// The same for a changed show, whose channels stand as it has them.
pub(super) fn go_on(carrying: &Carrying, show: &dsl::Show, channels: &[ChannelRun]) -> Carrying {
    let mut carrying = carrying.reload(show, |to, from| fits(channels, to, from));
    for (ix, channel) in channels.iter().enumerate() {
        if channel.stage.is_renewed() {
            carrying.carry_anew(ChannelIx(ix));
        }
    }
    carrying
}

fn fits(channels: &[ChannelRun], to: ChannelIx, from: ChannelIx) -> bool {
    match (channels.get(to.0), channels.get(from.0)) {
        (Some(to), Some(from)) => to.stage.fits(&from.stage),
        _ => false,
    }
}

/// What is decided of a channel.
pub(super) fn of(decisions: &[(ChannelIx, Decision)], ix: usize) -> Option<&Decision> {
    decisions.iter().find(|(at, _)| *at == ChannelIx(ix)).map(|(_, decision)| decision)
}

impl ShowRun {
    /// Has it decided where each channel's coded pictures come from at the tick at `from`, and tells
    /// all rungs what changes with it, encryption as well: before any work of the tick is handed on,
    /// since what comes of that goes from one channel to another.
    pub(super) fn settle_encoding(
        &mut self,
        decisions: &[(ChannelIx, Decision)],
        from: Time,
    ) -> Vec<EncodingStep> {
        for (ix, channel) in self.channels.iter_mut().enumerate() {
            if let Some(decision) = of(decisions, ix) {
                // With the key frames that are its own: others come and go with whom it carries.
                channel.marks.tick(decision.key, from);
            }
        }
        let channels = self.channels.iter().enumerate();
        let showings: Vec<_> =
            channels.map(|(ix, channel)| channel.showing(of(decisions, ix)?, from)).collect();
        let steps = self.carrying.decide(&showings);
        for (ix, step) in steps.iter().enumerate() {
            let key = step.key == Key::Frame;
            if let (true, Some(decision), Some(channel)) = (key, of(decisions, ix), self.channels.get_mut(ix))
            {
                channel.seal(decision, from);
            }
            if step.before != step.now {
                self.splice(ix, step.now, from);
            }
            if let Some(channel) = self.channels.get_mut(ix) {
                channel.stage.settle(*step);
            }
        }
        steps
    }

    /// Who wants to see a channel at the tick at `from`, each with the channel that composes it.
    pub(super) fn glances(&mut self, steps: &[EncodingStep], from: Time) -> Vec<(ChannelIx, Glance)> {
        let by = |(channel, glance): (ChannelIx, Glance)| match steps.get(channel.0).map(|step| step.now) {
            Some(Encoding::Carried(lender)) => Some((lender, glance)),
            Some(Encoding::Own) => Some((channel, glance)),
            Some(Encoding::None) | None => {
                glance.nothing(from);
                None
            }
        };
        self.thumbs.glances(from).into_iter().filter_map(by).collect()
    }

    /// A channel's pictures come from elsewhere from this tick on.
    fn splice(&mut self, ix: usize, now: Encoding, from: Time) {
        let Some(channel) = self.channels.get(ix) else { return };
        if let Some(borrowed) = &channel.borrowed {
            borrowed.until.set(from);
        }
        let borrowed = match now {
            Encoding::None => None,
            Encoding::Own => {
                channel.stage.encode();
                None
            }
            Encoding::Carried(ChannelIx(lender)) => {
                self.channels.get(lender).map(|lender| channel.stage.carry(&lender.stage, from))
            }
        };
        if let Some(channel) = self.channels.get_mut(ix) {
            channel.borrowed = borrowed;
        }
    }
}
