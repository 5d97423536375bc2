//! A channel that carries another one's coded pictures for a while.

use std::sync::Arc;

use media::Time;

use crate::channel::Channel;
use crate::channel::rung::RungOrder;
use crate::channel::splice::{Loan, Stretch, Until};

/// What a channel carries.
pub(crate) struct Borrowed {
    /// The other channel's name.
    pub(crate) from: Arc<str>,
    pub(crate) until: Until,
}

impl Channel {
    /// Whether every rung has one of the same name in the other channel with the same headers, so
    /// that a decoder can go from one to the other.
    pub(crate) fn fits(&self, lender: &Self) -> bool {
        self.rungs.iter().all(|rung| {
            let same = lender.rungs.iter().find(|other| other.rung.name == rung.rung.name);
            same.is_some_and(|other| other.params == rung.params)
        })
    }

    /// Whether all its rungs work.
    pub(crate) fn is_whole(&self) -> bool {
        !self.rungs.iter().any(|rung| rung.meter.has_failed())
    }

    /// Its pictures come from its own encoders from the tick on whose work is handed in next.
    pub(crate) fn encode(&self) {
        for (order, rung) in self.orders.iter().zip(&self.rungs) {
            // One that copies is told by whoever decides that.
            if !rung.rung.is_copied() {
                let _ = order.send(RungOrder::Stretch(Stretch::Own));
            }
        }
    }

    /// Its pictures are the other channel's from the tick at `from` on, until that is set an end.
    /// To be said before either is handed that tick's work.
    pub(crate) fn carry(&self, lender: &Self, from: Time) -> Borrowed {
        let (name, until): (Arc<str>, _) = (Arc::from(lender.name.as_str()), Until::open());
        for (order, rung) in self.orders.iter().zip(&self.rungs) {
            let (loan, packets) = Loan::new(from, until.clone());
            let place = lender.rungs.iter().position(|other| other.rung.name == rung.rung.name);
            if let Some(other) = place.and_then(|place| lender.orders.get(place)) {
                // One that has failed takes none, and then nothing comes.
                let _ = other.send(RungOrder::Lend(loan));
            }
            let _ = order.send(RungOrder::Stretch(Stretch::Carried { from: Arc::clone(&name), packets }));
        }
        Borrowed { from: name, until }
    }
}
