//! A line that is sound by itself over HTTP, as radio stations send it: frames of MP3 or AAC behind
//! one another, without end and without a word of when. It is taken apart as a playlist's packed
//! sound is.

use std::sync::Arc;

use media::Time;
use tokio::time::timeout;
use url::Url;

use super::{HlsError, OPENING, attend, follow};
use crate::fetch;
use crate::ingest::again::{self, Attempt, SILENCE, Then};
use crate::ingest::intake::Intake;
use crate::ingest::wire::{Container, Graph, Landing, Stuck};
use crate::keys;
use crate::reporter::Reporter;
use crate::secure::Trust;

/// Everything such a line needs.
pub(crate) struct RadioLine {
    pub(crate) url: Url,
    /// Whom, where it comes inside TLS.
    pub(crate) trust: Trust,
    pub(crate) intake: Arc<Intake>,
    pub(crate) reporter: Reporter,
}

/// Whether a URL names sound by itself.
pub(crate) fn is_sound(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    [".mp3", ".aac"].iter().any(|end| path.ends_with(end))
}

/// Content types of sound by itself.
pub(crate) fn is_kind_of_sound(kind: &str) -> bool {
    ["audio/mpeg", "audio/mp3", "audio/x-mpeg", "audio/aac", "audio/aacp", "audio/x-aac"].contains(&kind)
}

/// How a station's stream has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// It was a file, which would begin anew.
    File,
    Stream,
}

impl RadioLine {
    /// Listens until the show is over. For a thread of its own.
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
        let from = format!("listening to {}", keys::address_shown(self.url.as_str()));
        let landing = Arc::new(Landing::new(Arc::clone(&self.intake), from));
        let (why, then) = tokio::select! {
            played = self.play(&landing, stuck) => match played {
                Ok(Ended::File) => ("the file has ended: it is not fetched again".to_owned(), Then::Nothing),
                Ok(Ended::Stream) => ("the stream has ended".to_owned(), Then::Again),
                Err(error) => (keys::without_secrets(&error.to_string(), &self.url), Then::Again),
            },
            () = again::over(&self.reporter) => ("the show is over".to_owned(), Then::Nothing),
        };
        Attempt { began: landing.end(&why), why, then }
    }

    async fn play(&self, landing: &Arc<Landing>, stuck: &Stuck) -> Result<Ended, HlsError> {
        let mut fetched = fetch::get(&self.url, &self.trust).await?;
        let ended = if fetched.length().is_some() { Ended::File } else { Ended::Stream };
        let (graph, feeds) = Graph::fed(&[Container::Packed], landing, stuck)?;
        let pump = async {
            for feed in &feeds {
                let mut at = Some(Time::ZERO);
                let next = timeout(OPENING, fetched.piece()).await;
                let mut next = next.map_err(|_| HlsError::Silent)??;
                while let Some(piece) = next {
                    follow::push(feed, piece, at.take()).await?;
                    next = timeout(SILENCE, fetched.piece()).await.map_err(|_| HlsError::Silent)??;
                }
                feed.end_of_stream().map_err(|_| HlsError::Demuxer)?;
            }
            Ok(())
        };
        tokio::try_join!(pump, attend(&graph, landing))?;
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_is_known_by_its_name_or_by_its_kind() {
        let is_named = |url| is_sound(&Url::parse(url).unwrap());
        assert!(is_named("https://h/radio.MP3?x") && is_named("http://h/a.aac"));
        assert!(!is_named("http://h/live?x.mp3") && !is_named("http://h/live.flv"));
        assert!(is_kind_of_sound("audio/mpeg") && is_kind_of_sound("audio/aacp"));
        assert!(
            !is_kind_of_sound("audio/mpegurl") && !is_kind_of_sound("video/x-flv") && !is_kind_of_sound("")
        );
    }
}
