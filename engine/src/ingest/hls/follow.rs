//! One media playlist followed: its segments in their order, each fetched whole.

use std::cell::Cell;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use gstreamer as gst;
use gstreamer_app::AppSrc;
use media::Span;
use tokio::time::{sleep, timeout};
use url::Url;

use super::HlsError;
use super::playlist::{self, Ending, Init, Joins, Key, Media, Playlist, Segment, There};
use super::{sealed, transport};
use crate::fetch::{self, Part};
use crate::ingest::again::{GLANCE, SILENCE};
use crate::ingest::wire::{Container, Landing};
use crate::secure::Trust;

/// What a playlist may be long.
const LONGEST_PLAYLIST: usize = 4 << 20;
/// What a segment may be long: ten seconds at 50 Mbit/s.
const LONGEST_SEGMENT: usize = 64 << 20;
/// What may wait for the demuxer, in bytes.
const AHEAD: u64 = 1 << 20;
/// How often a segment is asked for before it is passed over.
const TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_millis(300);
/// A playlist is not asked for more often, nor waited for longer, whatever it says.
const RELOADS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// Where a followed playlist has come to a halt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Halt {
    /// What comes next has other times, codecs or tracks.
    Anew,
    /// It has ended.
    End,
}

/// What it takes to fetch.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) trust: &'a Trust,
    pub(super) landing: &'a Landing,
    /// The first stamp of the first container of this stretch, by which the others are put.
    pub(super) first: &'a Cell<Option<u64>>,
}

/// A playlist on its way.
pub(super) struct Follower {
    url: Url,
    list: Option<Media>,
    /// When it was last loaded, and whether it had changed.
    loaded: Instant,
    news: News,
    /// The number of the next segment; `None` before the first.
    next: Option<u64>,
    /// What the demuxer has been given last as a head.
    init: Option<Init>,
    /// The last key that was fetched, and whose.
    key: Option<(String, [u8; 16])>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    Some,
    None,
}

impl Follower {
    /// Of the playlist at an address, which may have been read already.
    pub(super) fn new(url: Url, list: Option<Media>) -> Self {
        Self { url, list, loaded: Instant::now(), news: News::Some, next: None, init: None, key: None }
    }

    /// What the next segment is.
    pub(super) async fn container(&mut self, means: Means<'_>) -> Result<Container, HlsError> {
        let next = self.next(means).await?;
        Ok(match next.is_some_and(|(_, segment)| segment.init.is_some()) {
            true => Container::Fragments,
            false => Container::Transport,
        })
    }

    /// Fetches and hands on up to where something else begins, or the end.
    pub(super) async fn feed(&mut self, to: &AppSrc, means: Means<'_>) -> Result<Halt, HlsError> {
        let mut begun = false;
        // The demuxer is a new one.
        self.init = None;
        loop {
            let Some((number, segment)) = self.next(means).await? else { return Ok(Halt::End) };
            let other_head = segment.init != self.init;
            if begun && (segment.joins == Joins::Anew || other_head) {
                return Ok(Halt::Anew);
            }
            if segment.there == There::Yes {
                match self.fetch(number, &segment, other_head, means).await {
                    Ok(pieces) => {
                        let mut begins = (!begun && segment.init.is_none()).then(|| begins(&pieces, means));
                        for piece in pieces {
                            push(to, piece, begins.take()).await?;
                        }
                        (self.init, begun) = (segment.init, true);
                    }
                    Err(error) if error.is_of_one() => {
                        means.landing.complain(&format!("a segment is passed over: {error}"));
                    }
                    Err(error) => return Err(error),
                }
            }
            self.next = Some(number + 1);
        }
    }

    /// The next segment; waits until the playlist has it. `None` at the end.
    async fn next(&mut self, means: Means<'_>) -> Result<Option<(u64, Segment)>, HlsError> {
        loop {
            if let Some(list) = &self.list {
                let next = *self.next.get_or_insert_with(|| list.begins());
                if let Some(segment) = list.segment(next) {
                    return Ok(Some((next, segment.clone())));
                }
                if next < list.first {
                    let gone = list.first - next;
                    means
                        .landing
                        .complain(&format!("{gone} segments left the playlist before they were fetched"));
                    self.next = Some(list.first);
                    continue;
                }
                if list.ending == Ending::Ended {
                    return Ok(None);
                }
                let wait = match self.news {
                    News::Some => list.target,
                    News::None => Span::from_flicks(list.target.flicks() / 2),
                };
                let wait = wait.as_duration().clamp(RELOADS.0, RELOADS.1);
                sleep(wait.saturating_sub(self.loaded.elapsed())).await;
            }
            self.load(means).await?;
        }
    }

    async fn load(&mut self, means: Means<'_>) -> Result<(), HlsError> {
        let text = whole(&self.url, None, LONGEST_PLAYLIST, means.trust).await;
        self.loaded = Instant::now();
        let list = match text.and_then(|(_, text)| read(&text)) {
            Ok(Playlist::Media(list)) => list,
            Ok(Playlist::Master(_)) => return Err(HlsError::Nested),
            // What is there is still to be shown, and later there may be more.
            Err(error) if self.list.is_some() => {
                means.landing.complain(&format!("the playlist is not to be had: {error}"));
                self.news = News::None;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        self.news = if self.list.as_ref() == Some(&list) { News::None } else { News::Some };
        self.list = Some(list);
        Ok(())
    }

    /// A segment's bytes, behind those of its head where that is another one.
    async fn fetch(
        &mut self,
        number: u64,
        segment: &Segment,
        head: bool,
        means: Means<'_>,
    ) -> Result<Vec<Bytes>, HlsError> {
        let mut pieces = Vec::new();
        if let Some(init) = segment.init.as_ref().filter(|_| head) {
            let part = init.part.map(|p| Part { from: p.from, len: p.len });
            pieces.push(self.part(&init.uri, part, init.key.as_ref(), number, means).await?);
        }
        let part = segment.part.map(|p| Part { from: p.from, len: p.len });
        pieces.push(self.part(&segment.uri, part, segment.key.as_ref(), number, means).await?);
        Ok(pieces)
    }

    async fn part(
        &mut self,
        uri: &str,
        part: Option<Part>,
        key: Option<&Key>,
        number: u64,
        means: Means<'_>,
    ) -> Result<Bytes, HlsError> {
        let url = fetch::beside(&self.url, uri)?;
        let mut tried = 0;
        let bytes = loop {
            match whole(&url, part, LONGEST_SEGMENT, means.trust).await {
                Ok((_, bytes)) => break bytes,
                Err(error) => {
                    tried += 1;
                    if tried == TRIES {
                        return Err(error);
                    }
                    sleep(BETWEEN_TRIES * tried).await;
                }
            }
        };
        let Some(key) = key else { return Ok(bytes) };
        let iv = key.iv.unwrap_or_else(|| u128::from(number).to_be_bytes());
        let opener = self.key(key, means).await?;
        sealed::unsealed(bytes, &opener, &iv).ok_or(HlsError::Sealed)
    }

    async fn key(&mut self, key: &Key, means: Means<'_>) -> Result<[u8; 16], HlsError> {
        if let Some((_, known)) = self.key.as_ref().filter(|(uri, _)| *uri == key.uri) {
            return Ok(*known);
        }
        let url = fetch::beside(&self.url, &key.uri)?;
        let (_, bytes) = whole(&url, None, 1024, means.trust).await?;
        let bytes: [u8; 16] = bytes.as_ref().try_into().map_err(|_| HlsError::Key(bytes.len()))?;
        self.key = Some((key.uri.clone(), bytes));
        Ok(bytes)
    }
}

/// What is at an address, read to its end; and the address it was found at.
pub(super) async fn whole(
    url: &Url,
    part: Option<Part>,
    most: usize,
    trust: &Trust,
) -> Result<(Url, Bytes), HlsError> {
    let mut fetched = fetch::get_part(url, trust, part).await?;
    // A server that knows of no parts sends all.
    let skip = part.filter(|_| !fetched.is_part()).map_or(0, |part| part.from);
    let mut skip = usize::try_from(skip).unwrap_or(usize::MAX);
    let wanted = part.map_or(usize::MAX, |part| usize::try_from(part.len).unwrap_or(usize::MAX));
    let mut all = BytesMut::new();
    while all.len() < wanted {
        let piece = timeout(SILENCE, fetched.piece()).await.map_err(|_| HlsError::Silent)??;
        let Some(mut piece) = piece else { break };
        let passed = skip.min(piece.len());
        skip -= passed;
        piece = piece.slice(passed..);
        piece.truncate(wanted - all.len());
        if all.len() + piece.len() > most {
            return Err(HlsError::Long(most));
        }
        all.extend_from_slice(&piece);
    }
    if part.is_some() && all.len() < wanted {
        return Err(HlsError::Short);
    }
    Ok((fetched.url.clone(), all.freeze()))
}

/// A playlist's bytes, read.
pub(super) fn read(bytes: &[u8]) -> Result<Playlist, HlsError> {
    Ok(playlist::parse(&String::from_utf8_lossy(bytes))?)
}

/// Finds what is at an address: one playlist, or two where sound is listed apart.
pub(super) async fn find(url: &Url, trust: &Trust) -> Result<Vec<Follower>, HlsError> {
    let (url, text) = whole(url, None, LONGEST_PLAYLIST, trust).await?;
    match read(&text)? {
        Playlist::Media(list) => Ok(vec![Follower::new(url, Some(list))]),
        Playlist::Master(master) => {
            let (pictures, sound) = master.best().ok_or(HlsError::Nested)?;
            let all = std::iter::once(pictures).chain(sound);
            all.map(|uri| Ok(Follower::new(fetch::beside(&url, uri)?, None))).collect()
        }
    }
}

/// When MPEG-TS that begins here begins, from an hour on: another that came first may begin later.
fn begins(pieces: &[Bytes], means: Means<'_>) -> gst::ClockTime {
    let stamp = pieces.iter().find_map(|piece| transport::first_stamp(piece)).unwrap_or(0);
    let first = means.first.get().unwrap_or(stamp);
    means.first.set(Some(first));
    // Nobody's sound lies further from its pictures.
    let later = transport::later(stamp, first).clamp(-3600 * 90_000, 3600 * 90_000);
    gst::ClockTime::from_nseconds((3600 * 1_000_000_000 + later * 100_000 / 9).unsigned_abs())
}

/// Hands bytes to the demuxer, once it has room; the first of MPEG-TS with the time they begin.
async fn push(to: &AppSrc, bytes: Bytes, begins: Option<gst::ClockTime>) -> Result<(), HlsError> {
    while to.current_level_bytes() > AHEAD {
        sleep(GLANCE / 4).await;
    }
    let mut buffer = gst::Buffer::from_slice(bytes);
    if let Some(buffer) = buffer.get_mut() {
        buffer.set_pts(begins);
    }
    let pushed = to.push_buffer(buffer);
    pushed.map(|_| ()).map_err(|_| HlsError::Demuxer)
}
