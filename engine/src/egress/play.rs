//! Playing rungs over RTMP: what players may ask for, and those who do.
//!
//! A player joins its feed as any viewer does: headers and the current GOP
//! first, and where it is slow it loses its own frames up to a key frame.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use flv::TagKind;
use rtmp::message::MessageStreamId;
use rtmp::session::{MediaKind, Pause, Wanted};
use tokio::sync::Notify;

use crate::egress::EgressMeter;
use crate::egress::exit::Exit;
use crate::egress::feed::Feed;
use crate::egress::queue::{Bound, Item, SinkQueue, WhenFull};
use crate::egress::room::{Full, Room, Seat};
use crate::ingest::seats::Evicted;

/// A player that is further behind loses frames up to the next key frame.
const BOUND: Bound = Bound { millis: 8_000, bytes: 32 << 20, when_full: WhenFull::Drop };

/// What players may ask for.
#[derive(Default)]
pub(crate) struct Programs {
    by_path: RwLock<HashMap<String, Arc<Program>>>,
    room: Arc<Room>,
}

/// A rung that is served.
pub(crate) struct Program {
    pub(crate) feed: Arc<Feed>,
    pub(crate) meter: Arc<EgressMeter>,
    /// Shut when it is not served any more.
    pub(crate) exit: Arc<Exit>,
}

impl Programs {
    /// `path` is what players ask for: `live/{channel}_{rung}`.
    pub(crate) fn add(&self, path: String, program: Program) {
        self.by_path.write().unwrap_or_else(PoisonError::into_inner).insert(path, Arc::new(program));
    }

    /// Nobody can ask any more for what is not served any more.
    pub(crate) fn sweep(&self) {
        let mut programs = self.by_path.write().unwrap_or_else(PoisonError::into_inner);
        programs.retain(|_, program| program.exit.lets_in());
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashMap<String, Arc<Program>>> {
        self.by_path.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    pub(crate) fn find(&self, path: &str) -> Option<Arc<Program>> {
        self.read().get(path).cloned()
    }

    /// What is legal, for messages.
    pub(crate) fn names(&self) -> String {
        let mut names: Vec<String> = self.read().keys().map(|path| format!("rtmp:{path}")).collect();
        names.sort();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    /// A new player's, and who had to go for it. The bell is rung when it has to go itself.
    pub(crate) fn join(
        &self,
        program: &Arc<Program>,
        from: IpAddr,
        bell: &Arc<Notify>,
    ) -> Result<(Playing, Option<Evicted>), Full> {
        let (seat, evicted) = self.room.take(from, bell)?;
        let queue = Some(program.feed.join(BOUND));
        let (audio, video) = (Wanted::Yes, Wanted::Yes);
        Ok((Playing { program: Arc::clone(program), queue, audio, video, seat }, evicted))
    }

    /// Returns when all players have left, or after so long.
    pub(crate) fn wait_until_empty(&self, patience: Duration) {
        self.room.wait_until_empty(patience);
    }
}

/// A player, from its first tag to its last.
pub(crate) struct Playing {
    program: Arc<Program>,
    /// None while it pauses.
    queue: Option<Arc<SinkQueue>>,
    audio: Wanted,
    video: Wanted,
    seat: Seat,
}

impl Playing {
    /// The next tag for it; `None` once the rung has ended. Never, while it pauses.
    pub(crate) async fn next(&self) -> Option<Item> {
        let Some(queue) = &self.queue else { return std::future::pending().await };
        loop {
            let item = tokio::select! {
                item = queue.pop() => item?,
                () = self.program.exit.until_shut() => return None,
            };
            let wanted = match item.tag.kind {
                TagKind::Audio => self.audio,
                TagKind::Video => self.video,
                TagKind::Script => Wanted::Yes,
            };
            if wanted == Wanted::Yes {
                return Some(item);
            }
        }
    }

    /// A tag went out to it.
    pub(crate) fn sent(&self, item: &Item) {
        self.program.meter.sent(item.tag.wire_len());
        self.count_lost();
    }

    /// It pauses, or goes on with what is now.
    pub(crate) fn pause(&mut self, pause: Pause) {
        self.leave();
        if pause == Pause::Resumed {
            self.queue = Some(self.program.feed.join(BOUND));
        }
    }

    /// It turns sound or pictures off, or on again: pictures from a key frame.
    pub(crate) fn wants(&mut self, kind: MediaKind, wanted: Wanted) {
        let slot = match kind {
            MediaKind::Audio => &mut self.audio,
            MediaKind::Video => &mut self.video,
        };
        let before = std::mem::replace(slot, wanted);
        if kind == MediaKind::Video && (before, wanted) == (Wanted::No, Wanted::Yes) && self.queue.is_some() {
            self.pause(Pause::Resumed);
        }
    }

    /// Whether it has to go: a newcomer has its seat.
    pub(crate) fn is_lost(&self) -> bool {
        self.seat.is_lost()
    }

    /// Counts what it has lost since this was last done: of itself it does so with each tag.
    pub(crate) fn count_lost(&self) {
        if let Some(queue) = &self.queue {
            self.program.meter.dropped(queue.take_dropped());
        }
    }

    fn leave(&mut self) {
        self.count_lost();
        if let Some(queue) = self.queue.take() {
            queue.close();
        }
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Of one player or of none.
pub(crate) async fn next_of(playing: Option<&(MessageStreamId, Playing)>) -> (MessageStreamId, Option<Item>) {
    match playing {
        Some((stream, playing)) => (*stream, playing.next().await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::feed::Header;
    use crate::egress::queue::Role;
    use crate::egress::room::MOST_PLAYERS;
    use bytes::Bytes;
    use flv::{FlvMillis, Tag};

    fn program() -> Program {
        Program { feed: Arc::default(), meter: Arc::default(), exit: Arc::default() }
    }
    fn publish(program: &Program, kind: TagKind, role: Role, ms: u32) {
        let tag = Tag::new(kind, FlvMillis(ms), Bytes::from_static(b"x")).unwrap();
        program.feed.publish(Item { tag, role });
    }
    fn join(programs: &Programs, program: &Arc<Program>) -> Option<Playing> {
        programs.join(program, [127, 0, 0, 1].into(), &Arc::default()).ok().map(|(playing, _)| playing)
    }
    fn ready(playing: &Playing) -> Vec<(TagKind, u32)> {
        let mut got = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            while let Ok(Some(item)) = tokio::time::timeout(Duration::ZERO, playing.next()).await {
                got.push((item.tag.kind, item.tag.timestamp.0));
            }
        });
        got
    }

    #[test]
    fn a_player_pauses_turns_tracks_off_and_comes_back_at_a_key_frame() {
        let programs = Programs::default();
        programs.add("live/program_720p".to_owned(), program());
        assert!(programs.find("live/program_1080p").is_none());
        let program = programs.find("live/program_720p").unwrap();
        let header = Tag::new(TagKind::Script, FlvMillis(0), Bytes::from_static(b"m")).unwrap();
        program.feed.publish_header(Header::Metadata, header);
        publish(&program, TagKind::Video, Role::Key, 0);
        publish(&program, TagKind::Video, Role::Delta, 40);
        let mut playing = join(&programs, &program).unwrap();
        let joined = [(TagKind::Script, 0), (TagKind::Video, 0), (TagKind::Video, 40)];
        assert_eq!(ready(&playing), joined);
        playing.wants(MediaKind::Video, Wanted::No);
        publish(&program, TagKind::Video, Role::Delta, 80);
        publish(&program, TagKind::Audio, Role::Sound, 85);
        assert_eq!(ready(&playing), [(TagKind::Audio, 85)]);
        playing.wants(MediaKind::Video, Wanted::Yes);
        assert_eq!(ready(&playing)[..3], joined, "it begins anew, at the key frame");
        playing.pause(Pause::Paused);
        assert_eq!((ready(&playing).len(), program.feed.sinks()), (0, 0));
        playing.pause(Pause::Resumed);
        assert_eq!(ready(&playing).len(), 5);
        program.feed.end();
        let ended = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(playing.next());
        assert!(ended.is_none());
    }

    #[test]
    fn there_are_no_more_players_than_there_may_be() {
        let programs = Programs::default();
        let program = Arc::new(program());
        let all: Vec<_> = std::iter::from_fn(|| join(&programs, &program)).collect();
        assert_eq!((all.len(), program.feed.sinks()), (MOST_PLAYERS, MOST_PLAYERS));
        drop(all);
        assert_eq!(program.feed.sinks(), 0);
        assert!(join(&programs, &program).is_some());
        programs.wait_until_empty(Duration::ZERO);
    }
}
