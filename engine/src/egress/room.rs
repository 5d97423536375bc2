//! The players there are: bounded, and where there is no room left, one of whoever has the most makes
//! room for one who has less.
//!
//! So nobody can take all the seats from the others; and those who have as many as a newcomer would
//! have are not sent away for it, or two would throw each other out for ever.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::ingest::seats::{Evicted, neighbourhood};

/// Players of a show: relays and monitors; the audience has HTTP.
pub(crate) const MOST_PLAYERS: usize = 256;

/// The players there are, the oldest first.
#[derive(Default)]
pub(crate) struct Room {
    state: Mutex<State>,
    left: Condvar,
}

#[derive(Default)]
struct State {
    next: u64,
    players: Vec<Player>,
}

struct Player {
    id: u64,
    from: IpAddr,
    bell: Arc<Notify>,
}

/// A player's place in the room.
pub(crate) struct Seat {
    room: Arc<Room>,
    id: u64,
}

/// There is no room, and from there are as many players as from anywhere, or almost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Full {
    /// How many play from where the newcomer is.
    pub(crate) of: usize,
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for a player from there, and who has lost its own for it: its bell is rung.
    pub(crate) fn take(
        self: &Arc<Self>,
        from: IpAddr,
        bell: &Arc<Notify>,
    ) -> Result<(Seat, Option<Evicted>), Full> {
        let from = neighbourhood(from);
        let mut state = self.lock();
        let evicted = match state.players.len() < MOST_PLAYERS {
            true => None,
            false => Some(state.evict_for(from)?),
        };
        state.next += 1;
        let id = state.next;
        state.players.push(Player { id, from, bell: Arc::clone(bell) });
        Ok((Seat { room: Arc::clone(self), id }, evicted))
    }

    /// Returns when all players have left, or after so long.
    pub(crate) fn wait_until_empty(&self, patience: Duration) {
        let _ = self.left.wait_timeout_while(self.lock(), patience, |state| !state.players.is_empty());
    }
}

impl State {
    fn evict_for(&mut self, newcomer: IpAddr) -> Result<Evicted, Full> {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        self.players.iter().for_each(|player| *counts.entry(player.from).or_default() += 1);
        let has = counts.get(&newcomer).copied().unwrap_or(0);
        let full = Full { of: has };
        let of = counts.values().copied().max().filter(|most| *most > has + 1).ok_or(full)?;
        let at = self.players.iter().position(|player| counts.get(&player.from) == Some(&of)).ok_or(full)?;
        let Player { from, bell, .. } = self.players.remove(at);
        bell.notify_one();
        Ok(Evicted { from, of })
    }
}

impl Seat {
    /// Whether a newcomer has it now.
    pub(crate) fn is_lost(&self) -> bool {
        self.room.lock().players.iter().all(|player| player.id != self.id)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.room.lock().players.retain(|player| player.id != self.id);
        self.room.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_the_seats_not_even_from_loopback() {
        let room = Arc::new(Room::default());
        let take = |from: [u8; 4]| room.take(from.into(), &Arc::default());
        let (stranger, relay, monitor) = ([127, 0, 0, 1], [10, 0, 0, 1], [10, 0, 0, 2]);
        let crowd: Vec<_> = (0..MOST_PLAYERS).map(|_| take(stranger).unwrap().0).collect();
        assert_eq!(take(stranger).err(), Some(Full { of: MOST_PLAYERS }), "it throws out none of its own");
        let (seat, evicted) = take(relay).unwrap();
        assert_eq!(evicted, Some(Evicted { from: stranger.into(), of: MOST_PLAYERS }));
        assert!(crowd[0].is_lost() && !crowd[1].is_lost() && !seat.is_lost());
        // Two share it, and neither can drive the other out.
        let mine: Vec<_> = std::iter::from_fn(|| take(relay).ok()).collect();
        assert_eq!(mine.len() + 1, MOST_PLAYERS / 2);
        assert_eq!(crowd.iter().filter(|seat| !seat.is_lost()).count(), MOST_PLAYERS / 2);
        assert_eq!(take(stranger).err(), Some(Full { of: MOST_PLAYERS / 2 }));
        let third = take(monitor).unwrap();
        assert!(third.1.is_some());
        drop((crowd, seat, mine, third));
        room.wait_until_empty(Duration::ZERO);
        assert_eq!(room.lock().players.len(), 0);
        assert!(take(stranger).unwrap().1.is_none());
    }

    #[test]
    fn where_each_has_one_a_newcomer_waits() {
        let room = Arc::new(Room::default());
        let all: Vec<_> =
            (0..=255).map(|n| room.take([10, 0, 0, n].into(), &Arc::default()).ok().unwrap()).collect();
        assert_eq!(room.take([10, 0, 1, 0].into(), &Arc::default()).err(), Some(Full { of: 0 }));
        assert!(all.iter().all(|(seat, evicted)| !seat.is_lost() && evicted.is_none()));
    }
}
