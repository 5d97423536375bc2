//! A line that is an HLS playlist: playlists and segments are fetched by our own client, with the
//! line's own trust, and taken apart by GStreamer.
//!
//! Each stretch of a programme between two discontinuities has a pipeline of its own, which plays
//! to its last packet before the next one begins. GStreamer's demuxers are not used: of 1.22's two,
//! one aborts the process and the other may wait for ever when it is taken down.

mod attributes;
mod date;
mod follow;
mod fragments;
mod packed;
mod playlist;
mod radio;
mod sample_aes;
mod sealed;
mod transport;

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::time::sleep;
use url::Url;

use crate::fetch::FetchError;
use crate::ingest::again::{self, Attempt, Began, GLANCE, Then};
use crate::ingest::hls::follow::{Halt, Means};
use crate::ingest::hls::playlist::PlaylistError;
use crate::ingest::intake::Intake;
use crate::ingest::wire::{Graph, Landing, Said, Stuck, WireError};
use crate::keys;
use crate::reporter::Reporter;
use crate::secure::Trust;
pub(crate) use radio::{RadioLine, is_kind_of_sound, is_sound};

/// How long a first packet may take.
const OPENING: Duration = Duration::from_secs(15);

/// Everything such a line needs.
pub(crate) struct HlsLine {
    pub(crate) url: Url,
    /// Whom, where it comes inside TLS.
    pub(crate) trust: Trust,
    pub(crate) intake: Arc<Intake>,
    pub(crate) reporter: Reporter,
}

/// Whether a URL names a playlist.
pub(crate) fn is_playlist(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.path().ends_with(".m3u8")
}

/// Why a playlist is not followed any more.
#[derive(Debug, thiserror::Error)]
enum HlsError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Playlist(#[from] PlaylistError),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("nothing came for {} s", again::SILENCE.as_secs())]
    Silent,
    #[error("what comes is longer than {0} bytes")]
    Long(usize),
    #[error("what comes is shorter than the part that was asked for")]
    Short,
    #[error("what comes cannot be unsealed: it is cut, or the key is another one")]
    Sealed,
    #[error("a key of {0} bytes; legal is 16")]
    Key(usize),
    #[error("a playlist of playlists lists no playlist of segments")]
    Nested,
    #[error("the demuxer takes nothing more")]
    Demuxer,
    #[error("{0}")]
    Overdue(String),
}

impl HlsError {
    /// Whether it is about one segment, and the next one may be well.
    fn is_of_one(&self) -> bool {
        matches!(self, Self::Fetch(FetchError::Status(_)) | Self::Sealed | Self::Short)
    }
}

/// What has landed of an attempt.
#[derive(Default)]
struct Landed {
    now: Option<Arc<Landing>>,
    before: Option<Began>,
}

impl Landed {
    fn begin(&mut self, landing: Arc<Landing>) {
        self.end("the programme goes on with another stream");
        self.now = Some(landing);
    }

    /// The stream that lands has ended. Gives whether any had begun.
    fn end(&mut self, why: &str) -> Began {
        let now = self.now.take().map(|landing| landing.end(why));
        let began = if now == Some(Began::Yes) { now } else { self.before.or(now) };
        self.before = began;
        began.unwrap_or(Began::No)
    }
}

impl HlsLine {
    /// Follows until the show is over, or the playlist has ended. For a thread of its own.
    pub(crate) fn run(self) {
        let stuck = Stuck::default();
        again::until_over_with_runtime(&self.intake, |runtime| {
            if let Some(last) = stuck.given_up(&self.reporter) {
                return last;
            }
            runtime.block_on(self.attempt(&stuck))
        });
    }

    async fn attempt(&self, stuck: &Stuck) -> Attempt {
        let mut landed = Landed::default();
        let (why, then) = tokio::select! {
            played = self.play(&mut landed, stuck) => match played {
                // Asked for again, a playlist that has ended would play from its beginning.
                Ok(()) => ("the playlist has ended".to_owned(), Then::Nothing),
                Err(error) => (keys::without_secrets(&error.to_string(), &self.url), Then::Again),
            },
            () = again::over(&self.reporter) => ("the show is over".to_owned(), Then::Nothing),
        };
        Attempt { began: landed.end(&why), why, then }
    }

    /// Stretch after stretch, to the programme's end.
    async fn play(&self, landed: &mut Landed, stuck: &Stuck) -> Result<(), HlsError> {
        let mut followers = follow::find(&self.url, &self.trust).await?;
        loop {
            let from = format!("following {}", keys::address_shown(self.url.as_str()));
            let landing = Arc::new(Landing::new(Arc::clone(&self.intake), from));
            let first = Cell::new(None);
            let means = Means { trust: &self.trust, landing: &landing, first: &first };
            let containers = followers.iter_mut().map(|follower| follower.container(means));
            let containers = try_join_all(containers).await?;
            let (graph, feeds) = Graph::fed(&containers, &landing, stuck)?;
            landed.begin(Arc::clone(&landing));
            let pump = async {
                let all = followers.iter_mut().zip(&feeds).map(|(follower, feed)| follower.feed(feed, means));
                let halts = try_join_all(all).await;
                // Whatever ended it: what is there is played to its end.
                for feed in &feeds {
                    feed.end_of_stream().map_err(|_| HlsError::Demuxer)?;
                }
                Ok(halts)
            };
            let (halts, ()) = tokio::try_join!(pump, attend(&graph, &landing))?;
            if halts?.contains(&Halt::End) {
                return Ok(());
            }
        }
    }
}

/// Listens until all of a stretch has been played.
async fn attend(graph: &Graph, landing: &Landing) -> Result<(), HlsError> {
    let begun = Instant::now();
    loop {
        match graph.listen(Duration::ZERO) {
            Said::Error(error) => return Err(error.into()),
            Said::End => return Ok(()),
            Said::Nothing => {}
        }
        if let Some(why) = landing.overdue(begun, Some(OPENING)) {
            return Err(HlsError::Overdue(why));
        }
        sleep(GLANCE).await;
    }
}
