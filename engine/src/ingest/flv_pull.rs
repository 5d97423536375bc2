//! A line that is fetched over HTTP: FLV, unless a playlist is there, or sound by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flv::{Ending, Item, TagReader};
use tokio::time::{sleep, timeout};
use url::Url;

use crate::fetch::{self, FetchError, Fetched};
use crate::ingest::again::{self, Attempt, GLANCE, SILENCE, Then};
use crate::ingest::hls::{self, HlsLine, RadioLine};
use crate::ingest::intake::Intake;
use crate::ingest::play::Landed;
use crate::ingest::wire::AddressError;
use crate::keys;
use crate::reporter::Reporter;
use crate::secure::Trust;

/// How long the first tag may take: a server may wait for its publisher.
const OPENING: Duration = Duration::from_secs(15);
/// No picture is longer, and nobody makes us hold more.
const LONGEST_TAG: usize = 8 << 20;
/// A file is read so far ahead of its own time.
const LEAD_MS: i64 = 300;
/// A step in a file's time stamps that is none of its own time.
const STEP_MS: i64 = 1_000;

/// Everything such a line needs.
pub(crate) struct FlvPull {
    pub(crate) url: Url,
    /// Whom, where it comes inside TLS.
    pub(crate) trust: Trust,
    pub(crate) intake: Arc<Intake>,
    pub(crate) reporter: Reporter,
}

/// The URL of an address that is fetched by HTTP.
pub(crate) fn asked(address: &str) -> Result<Option<Url>, AddressError> {
    let scheme = address.split_once("://").map_or("", |(scheme, _)| scheme);
    if !["http", "https"].iter().any(|ours| scheme.eq_ignore_ascii_case(ours)) {
        return Ok(None);
    }
    Ok(Some(Url::parse(address)?))
}

/// What is at a line's address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Flv,
    /// They are another's to play.
    Playlist,
    Sound,
}

/// Why a stream is at its end.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("what comes is no FLV{}", .0.as_deref().map(|kind| format!(", but {kind}")).unwrap_or_default())]
    NoFlv(Option<String>),
    #[error("what comes is compressed{}: it must be sent as it is", .0.as_deref().map(|how| format!(" ({how})")).unwrap_or_default())]
    Packed(Option<String>),
    #[error("nothing came for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("the stream has ended")]
    Over,
    #[error("the stream was cut in mid-tag")]
    Cut,
    #[error("the file has ended: {0} bytes, as its server said; it is not fetched again")]
    File(u64),
    #[error("it is a playlist")]
    Playlist,
    #[error("it is sound by itself")]
    Sound,
    #[error("the show is over")]
    Show,
}

impl FlvPull {
    /// Fetches until the show is over. For a thread of its own. Playlists and sound by itself are
    /// known by their name, or by what is there.
    pub(crate) fn run(self) {
        if hls::is_playlist(&self.url) {
            return self.follow();
        }
        if hls::is_sound(&self.url) {
            return self.listen();
        }
        let mut found = Found::Flv;
        again::until_over_with_runtime(&self.intake, |runtime| runtime.block_on(self.attempt(&mut found)));
        match found {
            Found::Flv => {}
            Found::Playlist => self.follow(),
            Found::Sound => self.listen(),
        }
    }

    /// It is sound by itself.
    fn listen(self) {
        let Self { url, trust, intake, reporter } = self;
        RadioLine { url, trust, intake, reporter }.run();
    }

    /// It is a playlist.
    fn follow(self) {
        let Self { url, trust, intake, reporter } = self;
        HlsLine { url, trust, intake, reporter }.run();
    }

    async fn attempt(&self, found: &mut Found) -> Attempt {
        let mut landed = Landed::default();
        let end = tokio::select! {
            end = self.fetch(&mut landed) => end.unwrap_or_else(|end| end),
            () = again::over(&self.reporter) => End::Show,
        };
        let then = match end {
            // Asked for again, it would play from its beginning.
            End::File(_) | End::Show => Then::Nothing,
            End::Playlist => {
                *found = Found::Playlist;
                Then::Elsewhere
            }
            End::Sound => {
                *found = Found::Sound;
                Then::Elsewhere
            }
            _ => Then::Again,
        };
        let why = end.to_string();
        landed.end(&why);
        Attempt { began: landed.began(), why, then }
    }

    async fn fetch(&self, landed: &mut Landed) -> Result<End, End> {
        let mut fetched = fetch::get(&self.url, &self.trust).await?;
        let kind = fetched.kind();
        if is_playlist(&kind) {
            return Ok(End::Playlist);
        }
        if hls::is_kind_of_sound(&kind) {
            return Ok(End::Sound);
        }
        if let Some(how) = fetched.packed() {
            return Ok(End::Packed(plain(&how)));
        }
        let from = format!("fetching from {}", keys::address_shown(fetched.url.as_str()));
        let mut pace = fetched.length().map(|_| Pace::default());
        let mut reader = TagReader::new().with_body_limit(LONGEST_TAG);
        let mut opening: Vec<u8> = Vec::new();
        loop {
            while let Some(tag) = next_tag(&mut reader, landed, &kind)? {
                if let Some(pace) = &mut pace {
                    sleep(pace.wait(i64::from(tag.timestamp.0), Instant::now())).await;
                }
                landed.tag(&tag, &self.intake, &from);
            }
            let Some(piece) = next_piece(&mut fetched, landed).await? else {
                return Ok(match reader.finish() {
                    Ending::Whole if reader.tags() == 0 => End::NoFlv(None),
                    Ending::Whole => fetched.length().map_or(End::Over, End::File),
                    _ => End::Cut,
                });
            };
            if opening.len() < PLAYLIST.len() {
                opening.extend(piece.iter().take(PLAYLIST.len() - opening.len()));
                if opening == PLAYLIST {
                    return Ok(End::Playlist);
                }
            }
            reader.push(piece);
        }
    }
}

/// How a playlist begins, whatever its server calls it.
const PLAYLIST: &[u8] = b"#EXTM3U";

/// What a server says, if it can be repeated.
fn plain(said: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/+-.".contains(c);
    (!said.is_empty() && said.len() < 40 && said.chars().all(is_plain)).then(|| said.to_owned())
}

/// Content types of playlists.
fn is_playlist(kind: &str) -> bool {
    kind.ends_with("mpegurl")
}

/// The next tag that can be read. Damage is said, and passed over.
fn next_tag(reader: &mut TagReader, landed: &mut Landed, kind: &str) -> Result<Option<flv::Tag>, End> {
    loop {
        match reader.next() {
            Ok(Some(Item::Tag(tag))) => return Ok(Some(tag)),
            Ok(Some(_)) => {}
            Ok(None) => return Ok(None),
            Err(_) if reader.tags() == 0 && reader.offset() == 0 => {
                return Err(End::NoFlv(plain(kind).filter(|kind| !kind.contains("flv"))));
            }
            Err(damage) => {
                landed.complain(&damage.to_string());
                reader.recover();
            }
        }
    }
}

/// The next bytes. What brings no tag is silence, too, however many bytes it has.
async fn next_piece(fetched: &mut Fetched, landed: &Landed) -> Result<Option<bytes::Bytes>, End> {
    loop {
        let patience = if landed.is_there() { SILENCE } else { OPENING };
        let left = patience.saturating_sub(landed.quiet_for());
        if left.is_zero() {
            return Err(End::Silent(patience));
        }
        // In glances: a clock that stood still for long is looked at again.
        if let Ok(piece) = timeout(left.min(GLANCE), fetched.piece()).await {
            return Ok(piece?);
        }
    }
}

/// A file is read at the pace of its own time stamps: a server gives it all at once.
#[derive(Default)]
struct Pace {
    /// What came when, and the last that came.
    anchor: Option<(Instant, i64, i64)>,
}

impl Pace {
    /// How long a tag of this time has to wait.
    fn wait(&mut self, ms: i64, now: Instant) -> Duration {
        let (at, first) = match self.anchor {
            Some((at, first, last)) if (last - STEP_MS..=last + STEP_MS).contains(&ms) => (at, first),
            _ => (now, ms),
        };
        self.anchor = Some((at, first, ms));
        let due = u64::try_from(ms - first - LEAD_MS).unwrap_or_default();
        (at + Duration::from_millis(due)).saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_at_its_own_pace_and_a_step_in_its_time_is_not_waited_for() {
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        let mut pace = Pace::default();
        let waits =
            [(5_000, 0), (5_200, 0), (5_800, 0), (6_300, 0), (900_000, 0), (900_700, 0), (0, 0), (700, 0)];
        let waits = waits.map(|(ms, now)| pace.wait(ms, at(now)).as_millis());
        assert_eq!(waits, [0, 0, 500, 1_000, 0, 400, 0, 400]);
        // A slow reader has nothing to wait for.
        assert_eq!(pace.wait(800, at(10_000)).as_millis(), 0);
    }

    #[test]
    fn what_an_address_has_is_told_by_its_name_or_by_its_kind() {
        let asked = |url| asked(url).unwrap().is_some();
        assert!(asked("http://h/live/x.flv?token=1") && asked("HTTPS://h/live") && !asked("rtsp://h/x.flv"));
        let is_named = |url| hls::is_playlist(&Url::parse(url).unwrap());
        assert!(is_named("https://h/x.m3u8?y") && !is_named("http://h/x.flv?x.m3u8"));
        assert!(is_playlist("application/vnd.apple.mpegurl") && is_playlist("audio/mpegurl"));
        assert!(!is_playlist("video/x-flv") && !is_playlist(""));
    }
}
