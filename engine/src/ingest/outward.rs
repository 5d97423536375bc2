//! The way to an RTMP peer: what the session has for it, and how long it may take for it.

use std::time::{Duration, Instant};

use bytes::Buf;
use rtmp::ServerSession;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// A peer that takes nothing for this long, while something waits for it, is gone.
pub(crate) const STALLED: Duration = Duration::from_secs(10);
/// How long the last answers may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The peer is gone, or as good as gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("took no answer for {} s", STALLED.as_secs())]
pub(crate) struct Stalled;

/// Whether the peer still takes what we send. One that does not may yet have
/// sent a farewell that is worth reading.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hears {
    Yes,
    No,
}

/// The way to the peer.
pub(crate) struct Outward<S> {
    stream: S,
    hears: Hears,
    /// What is encrypted may wait in the carrier.
    flushed: bool,
    /// Since when something waits of which the peer has taken nothing.
    due: Option<Instant>,
}

impl<S: AsyncWrite + Unpin> Outward<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, hears: Hears::Yes, flushed: true, due: None }
    }

    /// Whether something is to be sent.
    pub(crate) fn is_due(&self, session: &mut ServerSession) -> bool {
        !session.output().is_empty() || !self.flushed
    }

    /// How long the peer may still take for what waits. It counts from when it was first due: a ping
    /// after a long silence is not late because of the silence.
    pub(crate) fn patience(
        &mut self,
        session: &mut ServerSession,
        now: Instant,
    ) -> Result<Duration, Stalled> {
        if !self.is_due(session) {
            self.due = None;
            return Ok(STALLED);
        }
        let due = *self.due.get_or_insert(now);
        STALLED.checked_sub(now.saturating_duration_since(due)).ok_or(Stalled)
    }

    /// Sends some of it. Nothing is lost if this is given up half way.
    pub(crate) async fn send(&mut self, session: &mut ServerSession) {
        let waiting = session.output();
        if self.hears == Hears::No {
            waiting.advance(waiting.remaining());
            self.flushed = true;
            return;
        }
        let sent = if waiting.is_empty() {
            let flushed = self.stream.flush().await;
            self.flushed = flushed.is_ok();
            flushed
        } else {
            let written = self.stream.write_buf(waiting).await;
            self.flushed = false;
            written.and_then(|n| if n == 0 { Err(std::io::ErrorKind::WriteZero.into()) } else { Ok(()) })
        };
        match sent {
            Ok(()) => self.due = None,
            Err(_) => self.hears = Hears::No,
        }
    }

    /// Sends what waits, within a time, and closes so that it arrives.
    pub(crate) async fn last_words(&mut self, session: &mut ServerSession) {
        let all = async {
            while self.is_due(session) {
                self.send(session).await;
            }
            let _ = self.stream.shutdown().await;
        };
        let _ = tokio::time::timeout(LAST_WORDS, all).await;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::Time;
    use rtmp::ServerConfig;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A ping falls due after a silence as long as a peer may take for an answer.
    #[test]
    fn what_is_due_after_a_long_silence_is_not_late() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut session = ServerSession::new(ServerConfig::new([1; 1528]), Time::ZERO);
        let mut outward = Outward::new(tokio::io::sink());
        let begun = Instant::now();
        assert_eq!(outward.patience(&mut session, begun), Ok(STALLED));

        let later = begun + STALLED + SECOND;
        let mut greeting = Bytes::from([&[3][..], &[0; 1536]].concat());
        session.handle_input(&mut greeting, Time::ZERO).unwrap();
        assert!(outward.is_due(&mut session));
        assert_eq!(outward.patience(&mut session, later), Ok(STALLED), "it has all the time there is");
        assert_eq!(outward.patience(&mut session, later + SECOND), Ok(STALLED - SECOND));
        // It takes something, and gets all the time for the rest.
        runtime.block_on(outward.send(&mut session));
        assert!(outward.is_due(&mut session), "to be flushed");
        assert_eq!(outward.patience(&mut session, later + 9 * SECOND), Ok(STALLED));
        assert_eq!(outward.patience(&mut session, later + 19 * SECOND), Ok(Duration::ZERO));
        assert_eq!(outward.patience(&mut session, later + 20 * SECOND), Err(Stalled));
        while outward.is_due(&mut session) {
            runtime.block_on(outward.send(&mut session));
        }
        assert_eq!(outward.patience(&mut session, later + 60 * SECOND), Ok(STALLED), "nothing waits");
    }
}
