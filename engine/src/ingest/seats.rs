//! Who stands in the hall: connections that neither publish nor play yet are bounded, and one
//! that has stood there long makes room for a newcomer.
//!
//! Idle and half-open connections must not lock an encoder out, nor may a flood from one place
//! push out those from others: whoever has the most there loses its oldest.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Connections at one time that neither publish nor play. The others are bounded by the push
/// points of the show and by the most players there may be.
pub(crate) const MOST_STRANGERS: usize = 256;

/// All connections that neither publish nor play, the oldest first.
#[derive(Default)]
pub(crate) struct Seats(Mutex<State>);

#[derive(Default)]
struct State {
    next: u64,
    strangers: Vec<Stranger>,
}

struct Stranger {
    id: u64,
    from: IpAddr,
    way_out: Arc<WayOut>,
}

/// How a connection is told to go, and how it says that it has gone.
#[derive(Default)]
struct WayOut {
    lost: Notify,
    gone: Notify,
}

/// A connection's place.
pub(crate) struct Place {
    seats: Arc<Seats>,
    id: u64,
    from: IpAddr,
    way_out: Arc<WayOut>,
    settled: AtomicBool,
}

/// What a connection does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// Nothing yet, or nothing any more.
    Stranger,
    /// It publishes or plays.
    Settled,
}

/// Whose oldest connection had to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Evicted {
    pub(crate) from: IpAddr,
    /// How many it had.
    pub(crate) of: usize,
}

/// One that was told to go.
pub(crate) struct Leaving(Arc<WayOut>);

impl Leaving {
    /// Returns when its socket is closed. Whoever lets newcomers in faster than others go has more
    /// of them open than there may be.
    pub(crate) async fn gone(self) {
        self.0.gone.notified().await;
    }
}

/// Addresses that one peer can have as many of as it likes count as one.
pub(crate) fn neighbourhood(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

impl Seats {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A newcomer's place, and who has lost its own for it.
    pub(crate) fn take(self: &Arc<Self>, from: IpAddr) -> (Place, Option<(Evicted, Leaving)>) {
        let from = neighbourhood(from);
        let mut state = self.lock();
        let evicted = (state.strangers.len() >= MOST_STRANGERS).then(|| state.evict()).flatten();
        state.next += 1;
        let (id, way_out) = (state.next, Arc::new(WayOut::default()));
        state.strangers.push(Stranger { id, from, way_out: Arc::clone(&way_out) });
        drop(state);
        (Place { seats: Arc::clone(self), id, from, way_out, settled: AtomicBool::new(false) }, evicted)
    }

    #[cfg(test)]
    pub(crate) fn strangers(&self) -> usize {
        self.lock().strangers.len()
    }
}

impl State {
    fn evict(&mut self) -> Option<(Evicted, Leaving)> {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        self.strangers.iter().for_each(|stranger| *counts.entry(stranger.from).or_default() += 1);
        let of = counts.values().copied().max()?;
        let at = self.strangers.iter().position(|stranger| counts.get(&stranger.from) == Some(&of))?;
        let Stranger { from, way_out, .. } = self.strangers.remove(at);
        way_out.lost.notify_one();
        Some((Evicted { from, of }, Leaving(way_out)))
    }

    fn leave(&mut self, id: u64) {
        self.strangers.retain(|stranger| stranger.id != id);
    }
}

impl Place {
    /// Returns when a newcomer needs this place.
    pub(crate) async fn lost(&self) {
        self.way_out.lost.notified().await;
    }

    /// Says what the connection does now. Who settles cannot be sent away any more.
    pub(crate) fn is(&self, standing: Standing) {
        let settled = standing == Standing::Settled;
        if self.settled.swap(settled, Ordering::Relaxed) == settled {
            return;
        }
        let mut state = self.seats.lock();
        match standing {
            Standing::Settled => state.leave(self.id),
            Standing::Stranger => {
                let (id, from, way_out) = (self.id, self.from, Arc::clone(&self.way_out));
                state.strangers.push(Stranger { id, from, way_out });
            }
        }
    }

    /// Whether it publishes or plays.
    pub(crate) fn standing(&self) -> Standing {
        if self.settled.load(Ordering::Relaxed) { Standing::Settled } else { Standing::Stranger }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.seats.lock().leave(self.id);
        self.way_out.gone.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(n: u8) -> IpAddr {
        [10, 0, 0, n].into()
    }

    fn is_ready(future: std::pin::Pin<&mut impl Future>) -> bool {
        future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[test]
    fn the_oldest_of_whoever_has_the_most_makes_room() {
        let seats = Arc::new(Seats::default());
        let encoder = seats.take(ip(1)).0;
        let mut crowd: Vec<_> = (1..MOST_STRANGERS).map(|_| seats.take(ip(2)).0).collect();
        let (newcomer, evicted) = seats.take(ip(3));
        let (evicted, leaving) = evicted.unwrap();
        let of = MOST_STRANGERS - 1;
        assert_eq!((evicted, seats.strangers()), (Evicted { from: ip(2), of }, MOST_STRANGERS));
        let lost = |place: &Place| is_ready(std::pin::pin!(place.lost()));
        assert!(lost(&crowd[0]) && !lost(&crowd[1]) && !lost(&encoder) && !lost(&newcomer));
        let mut gone = std::pin::pin!(leaving.gone());
        assert!(!is_ready(gone.as_mut()));
        drop(crowd.remove(0));
        assert!(is_ready(gone));
        // Who publishes or plays stands in nobody's way.
        newcomer.is(Standing::Settled);
        assert_eq!(seats.strangers(), MOST_STRANGERS - 1);
        assert!(seats.take(ip(4)).1.is_none());
        newcomer.is(Standing::Stranger);
        assert_eq!(seats.strangers(), MOST_STRANGERS);
        drop((encoder, crowd, newcomer));
        assert_eq!(seats.strangers(), 0);
    }

    #[test]
    fn a_neighbourhood_of_addresses_counts_as_one() {
        let same =
            ["2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"].map(|ip| neighbourhood(ip.parse().unwrap()));
        assert_eq!(same[0], same[1]);
        assert_ne!(same[0], neighbourhood("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(neighbourhood("::ffff:10.0.0.1".parse().unwrap()), ip(1));
    }
}
