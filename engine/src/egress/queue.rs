//! What waits for one sink: bounded in media time and bytes. A sink that is
//! too slow loses its own frames, up to the next key frame, and nobody else's.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use flv::Tag;
use media::Track;
use tokio::sync::Notify;

/// What a tag is to a sink.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Metadata and codec headers: never dropped.
    Header,
    /// A picture to begin with.
    Key,
    /// A picture that needs others.
    Delta,
    /// Sound.
    Sound,
}

impl Role {
    /// Whose tags have it; `None` for headers.
    pub(crate) const fn track(self) -> Option<Track> {
        match self {
            Self::Header => None,
            Self::Key | Self::Delta => Some(Track::Video),
            Self::Sound => Some(Track::Audio),
        }
    }
}

/// A tag and its role.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) tag: Tag,
    pub(crate) role: Role,
}

/// What happens when the sink is behind by more than the bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WhenFull {
    /// It loses frames: live.
    Drop,
    /// The feed waits: offline, where nothing may be lost and nobody watches.
    Wait,
}

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) millis: i32,
    pub(crate) bytes: usize,
    pub(crate) when_full: WhenFull,
}

struct State {
    items: VecDeque<Item>,
    bytes: usize,
    skipping: Skipping,
    closed: bool,
    dropped: u64,
}

#[derive(PartialEq, Eq)]
enum Skipping {
    No,
    UntilKey,
}

pub(crate) struct SinkQueue {
    state: Mutex<State>,
    moved: Condvar,
    wake: Notify,
    bound: Bound,
}

impl SinkQueue {
    pub(crate) fn new(bound: Bound) -> Self {
        let state = State {
            items: VecDeque::new(),
            bytes: 0,
            skipping: Skipping::UntilKey,
            closed: false,
            dropped: 0,
        };
        Self { state: Mutex::new(state), moved: Condvar::new(), wake: Notify::new(), bound }
    }

    /// A queue that takes all from the first tag on, whether it begins with a key frame or not.
    pub(crate) fn whole(bound: Bound) -> Self {
        let queue = Self::new(bound);
        queue.lock().skipping = Skipping::No;
        queue
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self, state: &State) -> bool {
        // Headers bear stamps of their own: a late joiner's lie hours before its first picture.
        let mut media = state.items.iter().filter(|item| item.role != Role::Header);
        let ends = media.next().zip(media.next_back());
        let span = ends.map_or(0, |(first, last)| last.tag.timestamp.since(first.tag.timestamp));
        span > self.bound.millis || state.bytes > self.bound.bytes
    }

    /// No pictures come before the next key frame: what is heard until then is taken.
    pub(crate) fn hear(&self) {
        self.lock().skipping = Skipping::No;
    }

    /// Queues a tag, or drops it and says nothing: the sink is behind.
    pub(crate) fn push(&self, item: Item) {
        let mut state = self.lock();
        if self.bound.when_full == WhenFull::Wait {
            let wait = |s: &mut State| !s.closed && self.is_over(s);
            state = self.moved.wait_while(state, wait).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return;
        }
        // Nothing else would bound headers that others send.
        let drops = self.bound.when_full == WhenFull::Drop;
        if drops && item.role == Role::Header && state.bytes > self.bound.bytes.saturating_mul(2) {
            return;
        }
        match (item.role, &state.skipping) {
            (Role::Key, _) => state.skipping = Skipping::No,
            (Role::Header, _) | (_, Skipping::No) => {}
            (role, Skipping::UntilKey) => {
                state.dropped += u64::from(role == Role::Delta);
                return;
            }
        }
        state.bytes += item.tag.wire_len();
        state.items.push_back(item);
        if self.bound.when_full == WhenFull::Drop && self.is_over(&state) {
            shed(&mut state);
            // A GOP that is too long by itself goes as well.
            if self.is_over(&state) {
                shed(&mut state);
            }
        }
        drop(state);
        self.moved.notify_all();
        self.wake.notify_one();
    }

    /// The next tag; waits for it, `None` once the queue is closed and empty.
    pub(crate) fn pop_blocking(&self) -> Option<Item> {
        let state = self.lock();
        let mut state = self
            .moved
            .wait_while(state, |s| s.items.is_empty() && !s.closed)
            .unwrap_or_else(PoisonError::into_inner);
        self.take(&mut state)
    }

    /// Waits for a tag, which stays where it is; `false` once the queue is closed and empty.
    pub(crate) fn wait_for_first(&self) -> bool {
        let state = self.lock();
        let state = self
            .moved
            .wait_while(state, |s| s.items.is_empty() && !s.closed)
            .unwrap_or_else(PoisonError::into_inner);
        !state.items.is_empty()
    }

    /// The next tag if one waits.
    pub(crate) fn try_pop(&self) -> Option<Item> {
        self.take(&mut self.lock())
    }

    /// As [`Self::pop_blocking`], for a socket's task.
    pub(crate) async fn pop(&self) -> Option<Item> {
        loop {
            let wake = self.wake.notified();
            {
                let mut state = self.lock();
                if let Some(item) = self.take(&mut state) {
                    return Some(item);
                }
                if state.closed {
                    return None;
                }
            }
            wake.await;
        }
    }

    fn take(&self, state: &mut State) -> Option<Item> {
        let item = state.items.pop_front()?;
        state.bytes -= item.tag.wire_len();
        self.moved.notify_all();
        Some(item)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().items.is_empty()
    }

    /// No more will come; what waits is still given out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.moved.notify_all();
        self.wake.notify_one();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Pictures lost since this was last asked.
    pub(crate) fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.lock().dropped)
    }
}

/// Drops all that waits but headers. If a key frame waits behind anything that can
/// go, it goes on from the newest one; else from the next that comes.
fn shed(state: &mut State) {
    let newest_key = state.items.iter().rposition(|item| item.role == Role::Key);
    let first_media = state.items.iter().position(|item| item.role != Role::Header);
    let from = match newest_key.zip(first_media) {
        Some((key, first)) if key > first => key,
        _ => {
            state.skipping = Skipping::UntilKey;
            state.items.len()
        }
    };
    let mut at = 0;
    let (mut freed, mut lost) = (0, 0);
    state.items.retain(|item| {
        let keep = at >= from || item.role == Role::Header;
        at += 1;
        if !keep {
            freed += item.tag.wire_len();
            lost += u64::from(matches!(item.role, Role::Key | Role::Delta));
        }
        keep
    });
    state.bytes -= freed;
    state.dropped += lost;
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use flv::{FlvMillis, TagKind};
    use proptest::prelude::*;

    fn item(role: Role, ms: u32) -> Item {
        let kind = if role == Role::Sound { TagKind::Audio } else { TagKind::Video };
        Item { tag: Tag::new(kind, FlvMillis(ms), Bytes::from_static(&[0; 100])).unwrap(), role }
    }
    fn queue(when_full: WhenFull) -> SinkQueue {
        SinkQueue::new(Bound { millis: 1000, bytes: 1 << 20, when_full })
    }

    /// Millis of media and bytes that wait, headers aside.
    fn waiting(queue: &SinkQueue) -> (u32, usize) {
        let state = queue.lock();
        let media: Vec<&Item> = state.items.iter().filter(|item| item.role != Role::Header).collect();
        let ends = media.first().zip(media.last());
        let bytes = media.iter().map(|item| item.tag.wire_len()).sum();
        (ends.map_or(0, |(first, last)| last.tag.timestamp.0 - first.tag.timestamp.0), bytes)
    }

    const JOINS: [u32; 4] = [0, 40_000, 3_600_000, 36_000_000];

    proptest! {
        /// A sink of any speed, whenever it joins and however long a GOP is, never sees a picture
        /// whose key frame it missed, never sound before the first key frame, and the queue never
        /// holds more than its bound.
        #[test]
        fn a_slow_sink_resumes_only_at_a_key_frame(
            pops in prop::collection::vec(0usize..4, 300),
            asleep in 0usize..200,
            begin in prop::sample::select(&JOINS[..]),
            gop in prop::sample::select(&[5u32, 25, 60, 1000][..]),
            bytes in prop::sample::select(&[2_000usize, 1 << 20][..]),
        ) {
            let queue = SinkQueue::new(Bound { millis: 1000, bytes, when_full: WhenFull::Drop });
            queue.push(item(Role::Header, 0));
            queue.push(item(Role::Header, 0));
            let mut seen: Vec<Item> = Vec::new();
            for (n, pops) in (0u32..).zip(pops) {
                let ms = begin + n * 40;
                queue.push(item(if n % gop == 3 { Role::Key } else { Role::Delta }, ms));
                queue.push(item(Role::Sound, ms + 5));
                let (span, held) = waiting(&queue);
                prop_assert!(span <= 1000 && held <= bytes, "{span} ms and {held} bytes wait");
                let pops = if n as usize >= asleep { pops } else { 0 };
                for _ in 0..pops {
                    seen.extend(queue.try_pop());
                }
            }
            let mut before: Option<u32> = None;
            for item in &seen {
                let ms = item.tag.timestamp.0;
                match item.role {
                    Role::Key => before = Some(ms),
                    Role::Delta => {
                        prop_assert_eq!(before, Some(ms - 40), "a picture after a gap at {}", ms);
                        before = Some(ms);
                    }
                    Role::Sound => prop_assert!(before.is_some()),
                    Role::Header => {}
                }
            }
        }
    }

    #[test]
    fn one_who_joins_after_an_hour_and_reads_later_loses_nothing_within_the_bound() {
        let queue = queue(WhenFull::Drop);
        queue.push(item(Role::Header, 0));
        for n in 0..25 {
            queue.push(item(if n == 0 { Role::Key } else { Role::Delta }, 3_600_000 + n * 40));
        }
        let got = std::iter::from_fn(|| queue.try_pop()).count();
        assert_eq!((got, queue.take_dropped()), (26, 0));
    }

    #[test]
    fn offline_the_feed_waits_and_nothing_is_lost() {
        let queue = std::sync::Arc::new(queue(WhenFull::Wait));
        let feeder = std::sync::Arc::clone(&queue);
        let thread = std::thread::spawn(move || {
            for n in 0..500 {
                feeder.push(item(if n == 0 { Role::Key } else { Role::Delta }, n * 40));
            }
            feeder.close();
        });
        let mut count = 0;
        while queue.pop_blocking().is_some() {
            count += 1;
        }
        thread.join().unwrap();
        assert_eq!((count, queue.take_dropped()), (500, 0));
    }
}
