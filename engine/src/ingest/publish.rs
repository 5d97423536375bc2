//! One RTMP peer's connection, an encoder's or a player's, over whatever carries its bytes.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use media::{Span, Time};
use rtmp::message::MessageStreamId;
use rtmp::session::{EndReason, PlayEnd, PlayKind, PlayRefusal, PlayRequest, PublishRequest, Reject};
use rtmp::{Event, ServerSession};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::Notify;

use crate::dial::Carrier;
use crate::egress::play::{Playing, next_of};
use crate::egress::queue::Item;
use crate::egress::room::{Full, MOST_PLAYERS};
use crate::ingest::hold::Hold;
use crate::ingest::listen::Hall;
use crate::ingest::network::Network;
use crate::ingest::outward::{Outward, STALLED, Stalled};
use crate::ingest::point::Point;
use crate::ingest::seats::{Evicted, Place, Standing};

const READ_AT_ONCE: usize = 64 << 10;
/// Before anything is published: hundreds may stand there and say nothing.
const READ_AT_FIRST: usize = 4 << 10;
/// How long a peer may take to close after us.
const FAREWELL: Duration = Duration::from_millis(500);
/// So much is handed to the socket ahead of a player's queue, where it can still be dropped.
const AHEAD: usize = 256 << 10;
/// How often a publisher is pinged, to know how far away it is.
const PINGS: Duration = Duration::from_secs(2);
/// A player that takes nothing has no turn of its own in which what it loses would be counted.
const COUNTING: Duration = Duration::from_secs(1);
/// What a publisher is told that has to yield.
const TAKEN_OVER: &str = "another encoder publishes here now";
/// What one is told whose line is not in the show any more, or opened anew.
const CLOSED: &str = "the show has changed, and its line with it";
/// What a player is told that has to make room.
const NO_SEAT: &str = "others want to play, too";

/// Serves one peer until it leaves, over whatever carries its bytes.
pub(crate) async fn serve(stream: impl Carrier, from: SocketAddr, hall: &Arc<Hall>, place: &Place) {
    let begun = Instant::now();
    let mut connection = Connection {
        from,
        hall: Arc::clone(hall),
        begun,
        pinged: begun,
        publishing: HashMap::new(),
        playing: None,
        over: false,
        bell: Arc::new(Notify::new()),
    };
    let result = connection.serve(stream, place).await;
    connection.release(result.as_ref().err());
    if let Err(error) = result {
        hall.broken.happened(&format!("{from}: {error}"), &hall.reporter);
    }
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error(transparent)]
    Session(#[from] rtmp::session::SessionError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Stalled(#[from] Stalled),
    #[error(transparent)]
    Answer(#[from] rtmp::session::UnknownRequest),
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// A stream this connection publishes.
struct Publishing {
    point: Arc<Point>,
    hold: Arc<Hold>,
}

struct Connection {
    from: SocketAddr,
    hall: Arc<Hall>,
    begun: Instant,
    pinged: Instant,
    publishing: HashMap<MessageStreamId, Publishing>,
    /// One at a time.
    playing: Option<(MessageStreamId, Playing)>,
    /// Its rung has ended while it played: what waits is sent, then it may go.
    over: bool,
    /// Rung when a newcomer has taken over what this connection publishes, or has its seat.
    bell: Arc<Notify>,
}

impl Connection {
    fn now(&self) -> Time {
        Time::ZERO + Span::from_duration(self.begun.elapsed())
    }

    async fn serve(&mut self, stream: impl Carrier, place: &Place) -> Result<(), ConnectionError> {
        let mut random = [0; rtmp::handshake::RANDOM];
        getrandom::fill(&mut random).map_err(ConnectionError::Random)?;
        let mut session = ServerSession::new(self.hall.config(random), self.now());
        let (mut inward, outward) = tokio::io::split(stream);
        let mut outward = Outward::new(outward);
        let result = self.converse(&mut session, &mut inward, &mut outward, place).await;
        outward.last_words(&mut session).await;
        if result.is_ok() {
            // A socket closed with bytes unread takes back what it sent.
            let mut rest = [0; 4096];
            let drain = async { while matches!(inward.read(&mut rest).await, Ok(1..)) {} };
            let _ = tokio::time::timeout(FAREWELL, drain).await;
        }
        result
    }

    /// Until the session is closed.
    async fn converse(
        &mut self,
        session: &mut ServerSession,
        inward: &mut (impl AsyncRead + Unpin),
        outward: &mut Outward<impl AsyncWrite + Unpin>,
        place: &Place,
    ) -> Result<(), ConnectionError> {
        let mut unread = Bytes::new();
        let mut buffer = BytesMut::new();
        let bell = Arc::clone(&self.bell);
        loop {
            self.turn(session, &mut unread)?;
            self.measure(session);
            let over = self.over && !outward.is_due(session);
            if session.is_closed() || over {
                return Ok(());
            }
            let patience = outward.patience(session, Instant::now())?;
            let deadline = session.next_deadline().map_or(STALLED, |at| (at - self.now()).as_duration());
            let glance = if self.playing.is_some() { COUNTING } else { STALLED };
            let playing = self.playing.as_ref().filter(|_| session.output().len() < AHEAD);
            let listens = session.wants_input() && unread.is_empty();
            place.is(self.standing());
            buffer.reserve(match place.standing() {
                Standing::Stranger => READ_AT_FIRST,
                Standing::Settled => READ_AT_ONCE,
            });
            tokio::select! {
                read = inward.read_buf(&mut buffer), if listens => match read? {
                    0 => session.handle_close(),
                    _ => unread = buffer.split().freeze(),
                },
                () = outward.send(session), if outward.is_due(session) => {}
                (stream, item) = next_of(playing) => self.play(session, stream, item),
                () = bell.notified() => self.yield_what_is_lost(session),
                () = tokio::time::sleep(deadline.min(patience).min(glance)) => {
                    session.handle_timeout(self.now())?;
                    if let Some((_, playing)) = &self.playing {
                        playing.count_lost();
                    }
                }
            }
        }
    }

    /// Whoever publishes is pinged while it sends, and what that takes is told with its lines.
    fn measure(&mut self, session: &mut ServerSession) {
        if self.publishing.is_empty() || self.pinged.elapsed() < PINGS {
            return;
        }
        self.pinged = Instant::now();
        let network = Network { rtt: session.round_trip(), ..Network::default() };
        self.publishing.values().for_each(|publishing| publishing.hold.network_is(network));
        session.ask_round_trip(self.now());
    }

    fn standing(&self) -> Standing {
        match self.publishing.is_empty() && self.playing.is_none() {
            true => Standing::Stranger,
            false => Standing::Settled,
        }
    }

    /// Lets the session read what has come, and carries out what it says, until it wants more.
    fn turn(&mut self, session: &mut ServerSession, unread: &mut Bytes) -> Result<(), ConnectionError> {
        loop {
            let left = unread.len();
            let result = session.handle_input(unread, self.now());
            let mut events = 0;
            while let Some(event) = session.poll_event() {
                events += 1;
                match (event, &result) {
                    // Its line is told what was wrong, too.
                    (Event::PublishEnded { stream, reason: EndReason::Failed }, Err(error)) => {
                        self.publish_ended(stream, error);
                    }
                    (event, _) => self.handle(session, event)?,
                }
            }
            result?;
            if events == 0 && unread.len() == left || session.is_closed() {
                return Ok(());
            }
        }
    }

    fn handle(&mut self, session: &mut ServerSession, event: Event) -> Result<(), ConnectionError> {
        match event {
            Event::PublishRequested(request) => self.answer(session, &request)?,
            Event::PlayRequested(request) => self.answer_player(session, &request)?,
            // Connecting is nobody's to refuse.
            Event::RequestWithdrawn { .. } | Event::ConnectRequested(_) | Event::BufferLength { .. } => {}
            Event::PlayEnded { stream, .. } => {
                self.playing.take_if(|(playing, _)| *playing == stream);
            }
            Event::Pause { stream, pause, .. } => {
                if let Some(playing) = self.player(stream) {
                    playing.pause(pause);
                }
            }
            Event::Wants { stream, kind, wanted } => {
                if let Some(playing) = self.player(stream) {
                    playing.wants(kind, wanted);
                }
            }
            Event::Tag { stream, tag } => {
                if let Some(publishing) = self.publishing.get(&stream) {
                    publishing.point.tag(&publishing.hold, &tag);
                }
            }
            Event::PublishEnded { stream, reason } => {
                self.publish_ended(stream, &format!("{reason:?}").to_lowercase());
            }
        }
        Ok(())
    }

    fn publish_ended(&mut self, stream: MessageStreamId, why: &dyn fmt::Display) {
        if let Some(Publishing { point, hold }) = self.publishing.remove(&stream) {
            point.end(&hold, why);
        }
    }

    fn answer(
        &mut self,
        session: &mut ServerSession,
        request: &PublishRequest,
    ) -> Result<(), ConnectionError> {
        let Some(found) = self.hall.points.find(&request.app, &request.name) else {
            let message = format!(
                "{} wants to publish to {}, which no line waits for; legal: {}",
                self.from,
                self.hall.points.shown(&request.app, &request.name),
                self.hall.points.names()
            );
            self.hall.unknown.happened(&message, &self.hall.reporter);
            return Ok(session.reject(request.request, Reject::NoSuchPoint)?);
        };
        let hold = match found.point.begin(&found, self.from, &self.bell) {
            Ok(hold) => hold,
            Err(refused) => return Ok(session.reject(request.request, refused.into())?),
        };
        let point = Arc::clone(&found.point);
        let stream = match session.accept(request.request, self.now()) {
            Ok(stream) => stream,
            Err(error) => {
                point.end(&hold, &error);
                return Err(error.into());
            }
        };
        self.publishing.insert(stream, Publishing { point, hold });
        Ok(())
    }

    fn player(&mut self, stream: MessageStreamId) -> Option<&mut Playing> {
        self.playing.as_mut().filter(|(playing, _)| *playing == stream).map(|(_, playing)| playing)
    }

    fn answer_player(
        &mut self,
        session: &mut ServerSession,
        request: &PlayRequest,
    ) -> Result<(), ConnectionError> {
        let path = format!("{}/{}", request.app.path(), request.name.name());
        let programs = &self.hall.programs;
        let Some(program) = programs.find(&path) else {
            // The name is not told: it may be an encoder's, with its key.
            let message =
                format!("{} wants to play what is not served; legal: {}", self.from, programs.names());
            self.hall.unplayed.happened(&message, &self.hall.reporter);
            return Ok(session.refuse_play(request.request, PlayRefusal::NotFound, self.now())?);
        };
        if self.playing.is_some() {
            return Ok(session.refuse_play(request.request, PlayRefusal::Busy, self.now())?);
        }
        let playing = match programs.join(&program, self.from.ip(), &self.bell) {
            Ok((playing, evicted)) => {
                if let Some(Evicted { from, of }) = evicted {
                    let message = format!(
                        "{MOST_PLAYERS} play, {of} of them from {from}: the oldest of these makes room"
                    );
                    self.hall.crowded.happened(&message, &self.hall.reporter);
                }
                playing
            }
            Err(Full { of }) => {
                let from = self.from;
                let message = format!("{MOST_PLAYERS} play, {of} of them from where {from} is: turned down");
                self.hall.crowded.happened(&message, &self.hall.reporter);
                return Ok(session.refuse_play(request.request, PlayRefusal::Busy, self.now())?);
            }
        };
        let stream = session.accept_play(request.request, PlayKind::Live, self.now())?;
        self.playing = Some((stream, playing));
        Ok(())
    }

    /// A player's next tag, or the end of what it plays.
    fn play(&mut self, session: &mut ServerSession, stream: MessageStreamId, item: Option<Item>) {
        // A player that has left since needs neither.
        match (item, &self.playing) {
            (Some(item), Some((_, playing))) => {
                if session.send(stream, &item.tag).is_ok() {
                    playing.sent(&item);
                }
            }
            _ => {
                let _ = session.end_play(stream, PlayEnd::Unpublished, self.now());
                self.playing = None;
                self.over = self.publishing.is_empty();
            }
        }
    }

    /// Streams whose points or seats others have now are over. What else the connection does goes on.
    fn yield_what_is_lost(&mut self, session: &mut ServerSession) {
        if let Some((stream, _)) = self.playing.take_if(|(_, playing)| playing.is_lost()) {
            if self.publishing.is_empty() {
                return session.dismiss(NO_SEAT);
            }
            let _ = session.end_play(stream, PlayEnd::Unpublished, self.now());
        }
        let lost = |(stream, publishing): (&MessageStreamId, &Publishing)| {
            let why = if publishing.hold.is_sent_away() { CLOSED } else { TAKEN_OVER };
            publishing.hold.is_lost().then_some((*stream, why))
        };
        let lost: Vec<_> = self.publishing.iter().filter_map(lost).collect();
        for (stream, why) in lost {
            self.publishing.remove(&stream);
            if self.publishing.is_empty() {
                // Its line may only have been opened anew: who understands that comes back at once.
                if why == CLOSED {
                    session.ask_to_reconnect(None, why);
                }
                return session.dismiss(why);
            }
            // It publishes, so there is something to end.
            let _ = session.end_publish(stream, why, self.now());
        }
    }

    /// Whatever way the connection ended, its points are free again.
    fn release(&mut self, error: Option<&ConnectionError>) {
        for (_, Publishing { point, hold }) in self.publishing.drain() {
            match error {
                Some(error) => point.end(&hold, error),
                None => point.end(&hold, &"disconnected"),
            }
        }
    }
}

/// Also where the task itself is given up.
impl Drop for Connection {
    fn drop(&mut self) {
        self.release(None);
    }
}
