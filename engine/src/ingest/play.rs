//! A line that is played from an RTMP server, by our own client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rtmp::session::{ClientEnd, Hops, Intent};
use rtmp::{ClientEvent, RtmpUrl};

use crate::call::{Call, CallError, MOST_MOVES};
use crate::ingest::again::{self, Attempt, Began, GLANCE, SILENCE, Then};
use crate::ingest::intake::{Arriving, Intake, Turned};
use crate::ingest::network::Network;
use crate::ingest::unpack::Unpacker;
use crate::keys;
use crate::reporter::Reporter;
use crate::secure::Trust;

/// Whether our own client plays what is at this address.
pub(crate) fn is_played(address: &str) -> bool {
    let scheme = address.split_once("://").map_or("", |(scheme, _)| scheme);
    ["rtmp", "rtmps"].iter().any(|ours| scheme.eq_ignore_ascii_case(ours))
}

/// How often the server is pinged, to know how far away it is.
const PINGS: Duration = Duration::from_secs(2);

/// Everything a played line needs.
pub(crate) struct PlayLine {
    pub(crate) url: RtmpUrl,
    /// Whom, where it comes inside TLS.
    pub(crate) trust: Trust,
    pub(crate) intake: Arc<Intake>,
    pub(crate) reporter: Reporter,
}

/// What has come of one attempt.
pub(super) struct Landed {
    /// A stream that arrives, and what unpacks its tags.
    arriving: Option<(Arriving, Unpacker)>,
    last: Instant,
    began: Began,
}

impl Default for Landed {
    fn default() -> Self {
        Self { arriving: None, last: Instant::now(), began: Began::No }
    }
}

/// Why a connection is at its end.
enum End {
    Failed(CallError),
    Silent,
    /// Its publisher has left.
    Left,
    /// The server wants us there.
    There(Box<RtmpUrl>, Hops),
    /// The show is over.
    Over,
}

impl From<CallError> for End {
    fn from(error: CallError) -> Self {
        Self::Failed(error)
    }
}

impl PlayLine {
    /// Plays until the show is over. For a thread of its own.
    pub(crate) fn run(self) {
        again::until_over_with_runtime(&self.intake, |runtime| runtime.block_on(self.attempt()));
    }

    /// One stream, wherever the server sends us for it.
    async fn attempt(&self) -> Attempt {
        let mut landed = Landed::default();
        let (mut url, mut hops) = (self.url.clone(), Hops::default());
        let mut moves = 0;
        let (why, then) = loop {
            let end = tokio::select! {
                end = self.play(url, hops, &mut landed) => end,
                () = again::over(&self.reporter) => End::Over,
            };
            match end {
                End::There(there, left) if moves < MOST_MOVES => {
                    (url, hops) = (*there, left);
                    moves += 1;
                }
                End::There(..) => break (CallError::Moved.to_string(), Then::Again),
                End::Failed(error) => break (error.to_string(), Then::Again),
                End::Silent => break (format!("nothing came for {} s", SILENCE.as_secs()), Then::Again),
                End::Left => break ("its publisher has left".to_owned(), Then::Again),
                End::Over => break ("the show is over".to_owned(), Then::Nothing),
            }
        };
        landed.end(&why);
        Attempt { began: landed.began, why, then }
    }

    async fn play(&self, url: RtmpUrl, hops: Hops, landed: &mut Landed) -> End {
        let from = format!("playing from {}", keys::server_shown(&url));
        let result = async {
            let mut call = Call::open(url, Intent::Play, hops, &self.trust).await?;
            landed.last = Instant::now();
            let (mut pinged, mut started) = (landed.last, false);
            loop {
                while let Some(event) = call.event()? {
                    match event {
                        ClientEvent::Tag(tag) => landed.tag(&tag, &self.intake, &from),
                        ClientEvent::Started => {
                            landed.last = Instant::now();
                            started = true;
                        }
                        // It may begin anew on this connection; but so a server that cannot make
                        // up its mind is asked ever less often.
                        ClientEvent::Ended(ClientEnd::Unpublished | ClientEnd::Complete)
                            if landed.began == Began::Yes =>
                        {
                            return Ok(End::Left);
                        }
                        ClientEvent::Ended(ClientEnd::Unpublished | ClientEnd::Complete) => {}
                        ClientEvent::Ended(ClientEnd::Closed | ClientEnd::Disconnected) => {
                            let turned_away = !started && landed.began == Began::No;
                            let why = if turned_away { CallError::TurnedAway } else { CallError::Closed };
                            return Err(why.into());
                        }
                        ClientEvent::Redirected(to) => return Ok(End::There(Box::new(to.url), to.hops)),
                        ClientEvent::ReconnectRequested { url, .. } => {
                            return Ok(End::There(url, Hops::default()));
                        }
                        ClientEvent::Connected(_) | ClientEvent::Status(_) => {}
                    }
                }
                // A server may wait for a publisher as long as it likes; one that falls silent is gone.
                if landed.arriving.is_some() && landed.last.elapsed() > SILENCE {
                    return Ok(End::Silent);
                }
                if pinged.elapsed() > PINGS {
                    pinged = Instant::now();
                    landed.network_is(Network { rtt: call.round_trip(), ..Network::default() });
                }
                call.turn(tokio::time::sleep(GLANCE)).await?;
            }
        };
        let end: Result<End, End> = result.await;
        end.unwrap_or_else(|end| end)
    }
}

impl Landed {
    pub(super) fn began(&self) -> Began {
        self.began
    }

    /// Whether a stream arrives.
    pub(super) fn is_there(&self) -> bool {
        self.arriving.is_some()
    }

    /// How long ago the last tag came, or before the first the attempt began.
    pub(super) fn quiet_for(&self) -> Duration {
        self.last.elapsed()
    }

    /// Something is wrong with what comes. Before anything has, that is nobody's.
    pub(super) fn complain(&mut self, problem: &str) {
        if let Some((arriving, _)) = &mut self.arriving {
            arriving.complain(problem);
        }
    }

    /// What the connection knows of its network.
    fn network_is(&self, network: Network) {
        if let Some((arriving, _)) = &self.arriving {
            arriving.network_is(network);
        }
    }

    pub(super) fn tag(&mut self, tag: &flv::Tag, intake: &Arc<Intake>, from: &str) {
        self.last = Instant::now();
        if self.arriving.is_none() {
            match intake.begin(from.to_owned()) {
                Ok(arriving) => self.arriving = Some((arriving, Unpacker::default())),
                // The line's decoder is far behind: this tag is lost, a later one finds room.
                Err(Turned::Hangs | Turned::Taken) => return,
            }
        }
        if let Some((arriving, unpacker)) = &mut self.arriving {
            self.began = Began::Yes;
            arriving.tag(tag, unpacker);
        }
    }

    pub(super) fn end(&mut self, why: &str) {
        if let Some((arriving, _)) = self.arriving.take() {
            arriving.end(why.to_owned());
        }
    }
}
