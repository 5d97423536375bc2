//! One media playlist followed: its segments in their order, each fetched whole.

use std::cell::Cell;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use gstreamer as gst;
use gstreamer_app::AppSrc;
use media::{Span, Time};
use tokio::time::{sleep, timeout};
use url::Url;

use super::HlsError;
use super::fragments::Film;
use super::playlist::{self, Ending, Init, Joins, Key, Media, Playlist, Sealed, Segment, There};
use super::transport::Unfolded;
use super::{packed, sample_aes, sealed, transport};
use crate::fetch::{self, Part as Range};
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

/// When the first stamp of a stretch is put, in nanoseconds: what comes beside it may begin before it.
const FIRST: i64 = 3600 * 1_000_000_000;

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
    /// The first stamp of this stretch, by which all others are put.
    pub(super) first: &'a Cell<Option<u64>>,
}

/// What a playlist is to its programme.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It has the pictures, if there are any: its dates count.
    Main,
    /// Sound beside them.
    Beside,
}

/// A playlist on its way.
pub(super) struct Follower {
    url: Url,
    part: Part,
    list: Option<Media>,
    /// When it was last loaded, and whether it had changed.
    loaded: Instant,
    news: News,
    /// The number of the next segment; `None` before the first.
    next: Option<u64>,
    /// What the demuxer has been given last as a head.
    init: Option<Init>,
    /// The next segment, where it was fetched to see what it is.
    at_hand: Option<(u64, Vec<Bytes>)>,
    /// What the demuxer of this stretch takes.
    form: Container,
    /// How its stamps are counted in this stretch.
    stamps: Unfolded,
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
    fn new(url: Url, part: Part, list: Option<Media>) -> Self {
        Self {
            url,
            part,
            list,
            loaded: Instant::now(),
            news: News::Some,
            next: None,
            init: None,
            at_hand: None,
            form: Container::Transport,
            stamps: Unfolded::default(),
            key: None,
        }
    }

    /// What the next segment is that can be had.
    pub(super) async fn container(&mut self, means: Means<'_>) -> Result<Container, HlsError> {
        // The demuxer will be a new one, and counts anew.
        (self.init, self.stamps, self.form) = (None, Unfolded::default(), Container::Transport);
        while let Some((number, segment)) = self.next(means).await? {
            if let Some(pieces) = self.fetched(number, &segment, means).await? {
                self.form = match pieces.last() {
                    _ if segment.init.is_some() => Container::Fragments,
                    Some(first) if packed::is_packed(first) => Container::Packed,
                    _ => Container::Transport,
                };
                self.at_hand = Some((number, pieces));
                break;
            }
            self.next = Some(number + 1);
        }
        Ok(self.form)
    }

    /// Fetches and hands on up to where something else begins, or the end.
    pub(super) async fn feed(&mut self, to: &AppSrc, means: Means<'_>) -> Result<Halt, HlsError> {
        let mut begun = false;
        let mut film = None;
        loop {
            let Some((number, segment)) = self.next(means).await? else { return Ok(Halt::End) };
            if begun && (segment.joins == Joins::Anew || segment.init != self.init) {
                return Ok(Halt::Anew);
            }
            if let Some(mut pieces) = self.fetched(number, &segment, means).await? {
                let mut at = None;
                let shown = match self.form {
                    Container::Transport => {
                        let stamp =
                            pieces.iter().find_map(|piece| transport::first_stamp(piece)).unwrap_or(0);
                        at = (!begun).then(|| self.place(stamp, means));
                        let shown = pieces.iter().find_map(|piece| transport::first_shown(piece));
                        shown.map(|stamp| self.place(stamp, means))
                    }
                    Container::Packed => {
                        at = pieces.last_mut().and_then(|sound| self.untagged(sound, begun, means));
                        at
                    }
                    Container::Fragments => {
                        if let Some(init) = pieces.first().filter(|_| !begun) {
                            film = Film::read(init);
                        }
                        pieces.last().and_then(|segment| film?.first_shown(segment))
                    }
                };
                if let Some((shown, date)) = shown.zip(segment.date).filter(|_| self.part == Part::Main) {
                    means.landing.mark(shown, date);
                }
                for piece in pieces {
                    push(to, piece, at.take()).await?;
                }
                (self.init, begun) = (segment.init, true);
            }
            self.next = Some(number + 1);
        }
    }

    /// Where a stamp of MPEG-TS lies in this stretch.
    fn place(&mut self, stamp: u64, means: Means<'_>) -> Time {
        let first = means.first.get().unwrap_or(stamp);
        means.first.set(Some(first));
        Time::from_nanos((FIRST + self.stamps.since(first, stamp) * 100_000 / 9).max(0))
    }

    /// Takes away what stands before packed sound. Gives where it lies: where that is not said, it
    /// begins with the others, and goes on from the segment before.
    fn untagged(&mut self, sound: &mut Bytes, begun: bool, means: Means<'_>) -> Option<Time> {
        let head = packed::Head::read(sound);
        let _ = sound.split_to(head.len);
        let first = || (!begun).then(|| means.first.get().unwrap_or(0));
        head.stamp.or_else(first).map(|stamp| self.place(stamp, means))
    }

    /// A segment's bytes; `None` if it is passed over.
    async fn fetched(
        &mut self,
        number: u64,
        segment: &Segment,
        means: Means<'_>,
    ) -> Result<Option<Vec<Bytes>>, HlsError> {
        if let Some((_, pieces)) = self.at_hand.take().filter(|(at_hand, _)| *at_hand == number) {
            return Ok(Some(pieces));
        }
        if segment.there == There::Gap {
            return Ok(None);
        }
        match self.fetch(number, segment, means).await {
            Ok(pieces) => Ok(Some(pieces)),
            Err(error) if error.is_of_one() => {
                means.landing.complain(&format!("a segment is passed over: {error}"));
                Ok(None)
            }
            Err(error) => Err(error),
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
        means: Means<'_>,
    ) -> Result<Vec<Bytes>, HlsError> {
        let mut pieces = Vec::new();
        if let Some(init) = segment.init.as_ref().filter(|init| self.init.as_ref() != Some(init)) {
            let part = init.part.map(|p| Range { from: p.from, len: p.len });
            pieces.push(self.part(&init.uri, part, init.key.as_ref(), number, means).await?);
        }
        let part = segment.part.map(|p| Range { from: p.from, len: p.len });
        pieces.push(self.part(&segment.uri, part, segment.key.as_ref(), number, means).await?);
        Ok(pieces)
    }

    async fn part(
        &mut self,
        uri: &str,
        part: Option<Range>,
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
        match key.sealed {
            Sealed::Whole => sealed::unsealed(bytes, &opener, &iv).ok_or(HlsError::Sealed),
            Sealed::Samples => Ok(sample_aes::opened(bytes, &opener, &iv)),
        }
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
    part: Option<Range>,
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
        Playlist::Media(list) => Ok(vec![Follower::new(url, Part::Main, Some(list))]),
        Playlist::Master(master) => {
            let (pictures, sound) = master.best().ok_or(HlsError::Nested)?;
            let all = std::iter::once((pictures, Part::Main)).chain(sound.map(|sound| (sound, Part::Beside)));
            all.map(|(uri, part)| Ok(Follower::new(fetch::beside(&url, uri)?, part, None))).collect()
        }
    }
}

/// Hands bytes to the demuxer, once it has room, and where they lie, if that is to be said.
pub(super) async fn push(to: &AppSrc, bytes: Bytes, at: Option<Time>) -> Result<(), HlsError> {
    while to.current_level_bytes() > AHEAD {
        sleep(GLANCE / 4).await;
    }
    let mut buffer = gst::Buffer::from_slice(bytes);
    if let Some(buffer) = buffer.get_mut() {
        let nanos = at.and_then(|at| u64::try_from(at.as_nanos()).ok());
        buffer.set_pts(nanos.map(gst::ClockTime::from_nseconds));
    }
    let pushed = to.push_buffer(buffer);
    pushed.map(|_| ()).map_err(|_| HlsError::Demuxer)
}
