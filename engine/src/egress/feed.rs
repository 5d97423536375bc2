//! A feed: one rung of one channel, encoded and encrypted once, fanned out to
//! whoever watches. It keeps headers and the current GOP for late joiners.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flv::Tag;
use tokio::sync::Notify;

use crate::egress::queue::{Bound, Item, Role, SinkQueue};

/// A GOP longer than this is not kept: joiners wait for the next key frame.
const LONGEST_GOP_BYTES: usize = 64 << 20;

/// Which header a tag is; a newer one takes the place of the older.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Header {
    Metadata,
    Video,
    Audio,
}

#[derive(Default)]
struct State {
    /// In the order joiners get them.
    headers: [Option<Tag>; 3],
    gop: Vec<Item>,
    gop_bytes: usize,
    sinks: Vec<Arc<SinkQueue>>,
    taps: Vec<Tap>,
    ended: bool,
}

/// What leaves a rung, as a tap sees it.
pub(crate) enum Tapped<'a> {
    Header(Header, &'a Item),
    Tag(&'a Item),
}

/// Sees all that leaves a rung, in the rung's own thread.
pub(crate) type Tap = Box<dyn FnMut(&Tapped<'_>) + Send>;

#[derive(Default)]
pub(crate) struct Feed {
    state: Mutex<State>,
    end: Notify,
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn publish_header(&self, header: Header, tag: Tag) {
        let mut state = self.lock();
        state.headers[header as usize] = Some(tag.clone());
        if header == Header::Video {
            // A key frame follows: who joins before it could decode nothing of what came before.
            state.gop.clear();
            state.gop_bytes = 0;
        }
        let item = Item { tag, role: Role::Header };
        state.taps.iter_mut().for_each(|tap| tap(&Tapped::Header(header, &item)));
        let sinks = state.sinks.clone();
        drop(state);
        for sink in sinks {
            sink.push(item.clone());
        }
    }

    /// What those who join from here on get as this header; those who are there have theirs.
    pub(crate) fn replace_header(&self, header: Header, tag: Tag) {
        self.lock().headers[header as usize] = Some(tag);
    }

    pub(crate) fn publish(&self, item: Item) {
        let mut state = self.lock();
        if item.role == Role::Key {
            state.gop.clear();
            state.gop_bytes = 0;
        }
        if item.role == Role::Key || !state.gop.is_empty() {
            state.gop_bytes += item.tag.wire_len();
            state.gop.push(item.clone());
            if state.gop_bytes > LONGEST_GOP_BYTES {
                state.gop = Vec::new();
                state.gop_bytes = 0;
            }
        }
        state.taps.iter_mut().for_each(|tap| tap(&Tapped::Tag(&item)));
        state.sinks.retain(|sink| !sink.is_closed());
        let sinks = state.sinks.clone();
        // A sink that waits (offline) must not hold up joiners.
        drop(state);
        for sink in sinks {
            sink.push(item.clone());
        }
    }

    /// No pictures for a while: all get what is heard, and pictures with the next key frame. Those
    /// that were are past, and a player that joined and began with them would never catch up.
    pub(crate) fn rest(&self) {
        let mut state = self.lock();
        if !state.gop.is_empty() {
            (state.gop, state.gop_bytes) = (Vec::new(), 0);
        }
        // Who waits for a key frame would wait in silence: a server hangs up on who says nothing.
        state.sinks.iter().for_each(|sink| sink.hear());
    }

    /// Shows all that leaves from here on to a tap, which must not be slow.
    pub(crate) fn tap(&self, tap: Tap) {
        self.lock().taps.push(tap);
    }

    /// The same for a tap that comes while the feed runs: it is made with a feed of its own, which has
    /// the headers and the GOP so far as somebody who joins would get them.
    pub(crate) fn tap_late(&self, make: impl FnOnce(Self) -> Tap) {
        let mut state = self.lock();
        let State { headers, gop, gop_bytes, .. } = &*state;
        let so_far =
            State { headers: headers.clone(), gop: gop.clone(), gop_bytes: *gop_bytes, ..State::default() };
        let tap = make(Self { state: Mutex::new(so_far), end: Notify::default() });
        state.taps.push(tap);
    }

    /// Joins: headers and the current GOP come first, so the picture is there at once.
    pub(crate) fn join(&self, bound: Bound) -> Arc<SinkQueue> {
        let sink = Arc::new(SinkQueue::new(bound));
        let mut state = self.lock();
        for tag in state.headers.iter().flatten() {
            sink.push(Item { tag: tag.clone(), role: Role::Header });
        }
        for item in &state.gop {
            sink.push(item.clone());
        }
        if state.ended {
            sink.close();
        } else {
            state.sinks.push(Arc::clone(&sink));
        }
        sink
    }

    /// How many sinks there are.
    pub(crate) fn sinks(&self) -> usize {
        self.lock().sinks.iter().filter(|sink| !sink.is_closed()).count()
    }

    /// Whether the rung has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.lock().ended
    }

    /// Returns when the rung has ended, or after so long.
    pub(crate) async fn ended_within(&self, patience: Duration) {
        let end = self.end.notified();
        if !self.has_ended() {
            let _ = tokio::time::timeout(patience, end).await;
        }
    }

    /// The rung has ended: sinks drain what they have.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        for sink in state.sinks.drain(..) {
            sink.close();
        }
        drop(state);
        self.end.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::queue::WhenFull;
    use bytes::Bytes;
    use flv::{FlvMillis, TagKind};

    fn tag(ms: u32) -> Tag {
        Tag::new(TagKind::Video, FlvMillis(ms), Bytes::from_static(b"x")).unwrap()
    }
    const BOUND: Bound = Bound { millis: 5000, bytes: 1 << 20, when_full: WhenFull::Drop };

    #[test]
    fn who_joins_a_rung_that_rests_begins_with_what_is_heard_now() {
        let feed = Feed::default();
        feed.publish_header(Header::Video, tag(0));
        feed.publish(Item { tag: tag(0), role: Role::Key });
        for n in 1..50u32 {
            feed.rest();
            feed.publish(Item { tag: tag(n * 20), role: Role::Sound });
        }
        let sink = feed.join(BOUND);
        feed.rest();
        feed.publish(Item { tag: tag(1000), role: Role::Sound });
        feed.publish(Item { tag: tag(1020), role: Role::Key });
        feed.end();
        let got: Vec<_> = std::iter::from_fn(|| sink.pop_blocking()).map(|i| i.role).collect();
        assert_eq!(got, [Role::Header, Role::Sound, Role::Key]);
    }

    #[test]
    fn a_late_joiner_gets_headers_and_the_current_gop() {
        let feed = Feed::default();
        feed.publish_header(Header::Audio, tag(0));
        feed.publish_header(Header::Metadata, tag(0));
        for n in 0..60u32 {
            let role = if n % 25 == 0 { Role::Key } else { Role::Delta };
            feed.publish(Item { tag: tag(n * 40), role });
        }
        let sink = feed.join(BOUND);
        feed.publish(Item { tag: tag(2400), role: Role::Delta });
        feed.end();
        let got: Vec<_> =
            std::iter::from_fn(|| sink.pop_blocking()).map(|i| (i.role, i.tag.timestamp.0)).collect();
        assert_eq!(got[..3], [(Role::Header, 0), (Role::Header, 0), (Role::Key, 2000)]);
        assert_eq!(got.len(), 2 + 10 + 1);
        assert_eq!(got.last(), Some(&(Role::Delta, 2400)));
        assert!(feed.join(BOUND).is_closed(), "joining after the end gets what is there, then the end");
    }
}
