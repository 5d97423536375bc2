//! Who calls an SRT listener of ours and is not let in: over another stream id, which we look at,
//! or another passphrase, over which the library turns callers away itself and tells nobody.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gio::prelude::*;
use gstreamer as gst;
use gstreamer::glib;

/// So long after its call a caller is in, or was turned away: the handshake takes two round trips more.
const DECIDED: Duration = Duration::from_secs(2);
/// Calls that wait to be decided, or to be told; more at a time are not counted.
const MOST: usize = 64;

/// Why a caller was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It asked for another stream than the line's.
    Stream,
    /// It did not agree with the library.
    Handshake,
}

/// Somebody who was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) from: Option<SocketAddr>,
    pub(super) why: Why,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.from {
            Some(from) => write!(f, "{from} called and was not let in: ")?,
            None => write!(f, "somebody called and was not let in: ")?,
        }
        match self.why {
            Why::Stream => write!(f, "its stream id is another one"),
            Why::Handshake => write!(f, "is the passphrase another one?"),
        }
    }
}

/// Calls, and what became of them.
#[derive(Debug, Default)]
struct Calls {
    /// Those of which it is not known yet whether they were let in.
    waiting: VecDeque<(Instant, Option<SocketAddr>)>,
    refused: VecDeque<Refused>,
}

/// The calls of one listener.
#[derive(Debug, Default)]
pub(super) struct Knocks(Mutex<Calls>);

impl Knocks {
    /// The calls of an `srtsrc`. Where a stream is asked for, callers of others stay outside.
    pub(super) fn at(source: &gst::Element, stream: Option<String>) -> Arc<Self> {
        let knocks = Arc::new(Self::default());
        if glib::subclass::SignalId::lookup("caller-connecting", source.type_()).is_some() {
            // Else the calls are not told.
            source.set_property("authentication", true);
            let calling = Arc::clone(&knocks);
            source.connect("caller-connecting", false, move |values| {
                let said = values.get(2).and_then(|value| value.get::<Option<String>>().ok()).flatten();
                let from = values.get(1).and_then(address);
                let is_ours = stream.as_ref().is_none_or(|ours| said.as_ref() == Some(ours));
                match is_ours {
                    true => calling.called(from, Instant::now()),
                    false => calling.refused(Refused { from, why: Why::Stream }),
                }
                // Whether it may come in otherwise, the passphrase says.
                Some(is_ours.to_value())
            });
            let added = Arc::clone(&knocks);
            source.connect("caller-added", false, move |values| {
                added.let_in(values.get(2).and_then(address));
                None
            });
        }
        knocks
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn called(&self, from: Option<SocketAddr>, now: Instant) {
        let waiting = &mut self.lock().waiting;
        // It asks again until it is answered.
        let is_known = from.is_some() && waiting.iter().any(|(_, known)| *known == from);
        if waiting.len() < MOST && !is_known {
            waiting.push_back((now, from));
        }
    }

    fn refused(&self, refused: Refused) {
        let all = &mut self.lock().refused;
        if all.len() < MOST && !all.contains(&refused) {
            all.push_back(refused);
        }
    }

    /// Somebody is in: where that is not told, who called last.
    fn let_in(&self, from: Option<SocketAddr>) {
        let waiting = &mut self.lock().waiting;
        let at = from.and_then(|from| waiting.iter().rposition(|(_, known)| *known == Some(from)));
        waiting.remove(at.unwrap_or(waiting.len().saturating_sub(1)));
    }

    /// Who was turned away since this was last asked.
    pub(super) fn turned_away(&self, now: Instant) -> Vec<Refused> {
        let Calls { waiting, refused } = &mut *self.lock();
        let decided =
            waiting.iter().take_while(|(at, _)| now.saturating_duration_since(*at) >= DECIDED).count();
        let late = waiting.drain(..decided).map(|(_, from)| Refused { from, why: Why::Handshake });
        refused.drain(..).chain(late).collect()
    }
}

/// The address a signal tells.
fn address(value: &glib::Value) -> Option<SocketAddr> {
    let address = value.get::<Option<gio::SocketAddress>>().ok()??;
    Some(address.downcast::<gio::InetSocketAddress>().ok()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(port: u16) -> Option<SocketAddr> {
        Some(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    #[test]
    fn who_is_let_in_is_not_turned_away_and_who_is_not_is_known() {
        let begun = Instant::now();
        let knocks = Knocks::default();
        knocks.called(from(1), begun);
        knocks.called(from(2), begun);
        knocks.called(from(1), begun + DECIDED / 2);
        knocks.let_in(from(2));
        assert_eq!(knocks.turned_away(begun + DECIDED / 2), []);
        let refused = knocks.turned_away(begun + DECIDED);
        assert_eq!(refused, [Refused { from: from(1), why: Why::Handshake }]);
        assert_eq!(
            refused[0].to_string(),
            "127.0.0.1:1 called and was not let in: is the passphrase another one?"
        );
        assert_eq!(knocks.turned_away(begun + DECIDED * 2), []);
        // One whose address is not told.
        knocks.called(None, begun);
        knocks.let_in(None);
        knocks.refused(Refused { from: from(3), why: Why::Stream });
        knocks.refused(Refused { from: from(3), why: Why::Stream });
        let refused = knocks.turned_away(begun + DECIDED);
        assert_eq!(refused, [Refused { from: from(3), why: Why::Stream }]);
        assert_eq!(
            refused[0].to_string(),
            "127.0.0.1:3 called and was not let in: its stream id is another one"
        );
    }

    #[test]
    fn a_flood_is_bounded() {
        let begun = Instant::now();
        let knocks = Knocks::default();
        (0..1000).for_each(|port| knocks.called(from(port), begun));
        (0..1000).for_each(|port| knocks.refused(Refused { from: from(port), why: Why::Stream }));
        assert_eq!(knocks.turned_away(begun + DECIDED).len(), 2 * MOST);
        knocks.let_in(from(7));
        knocks.let_in(None);
    }
}
