//! The door for RTMP encoders: a listener, a task for each connection, and the
//! push points they may publish to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use crossbeam_channel::Sender;
use flv::{Tag, TagKind};
use media::{Span, Time};
use pipeline_dsl::PushPoint;
use rtmp::session::{PublishRequest, Reject};
use rtmp::{Event, ServerConfig, ServerSession};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::event::Level;
use crate::reporter::Reporter;

/// Connections at one time; a truck has a dozen encoders.
const MOST_CONNECTIONS: usize = 128;
const READ_AT_ONCE: usize = 64 << 10;
/// A peer that takes nothing for this long is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// How long a peer may take to close after us.
const FAREWELL: Duration = Duration::from_millis(500);

/// Places in a line's queue that tags leave free, so that a beginning and an end always
/// find one: nobody waits for a decoder that hangs.
const KEPT_FREE: usize = 8;

/// What a publisher sends to its line.
pub(crate) enum Pushed {
    /// An encoder has begun to publish.
    Started {
        from: SocketAddr,
    },
    Tag(Tag),
    /// It has ended, and why.
    Ended(String),
}

/// Where a line waits for its publisher.
pub(crate) struct Point {
    pub(crate) to_line: Sender<Pushed>,
    pub(crate) reporter: Reporter,
    taken: AtomicBool,
}

impl Point {
    pub(crate) fn new(to_line: Sender<Pushed>, reporter: Reporter) -> Self {
        Self { to_line, reporter, taken: AtomicBool::new(false) }
    }

    /// Places left in the line's queue. Only the one publisher fills it, so there may be more
    /// a moment later, but never fewer.
    fn room(&self) -> usize {
        self.to_line.capacity().map_or(usize::MAX, |all| all.saturating_sub(self.to_line.len()))
    }

    /// Takes the point for a publisher, whose end is sure to find a place as well.
    fn begin(self: &Arc<Self>, from: SocketAddr) -> Result<Publishing, Turned> {
        if self.taken.swap(true, Ordering::AcqRel) {
            return Err(Turned::Taken);
        }
        if self.room() < 2 {
            self.taken.store(false, Ordering::Release);
            return Err(Turned::Hangs);
        }
        // After the show's end nobody reads, and nobody minds.
        let _ = self.to_line.try_send(Pushed::Started { from });
        Ok(Publishing { point: Arc::clone(self), skipping: Skipping::No, owed: [None, None] })
    }
}

/// Why a publisher cannot have a point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turned {
    /// Somebody publishes there.
    Taken,
    /// What earlier ones sent still waits.
    Hangs,
}

/// All push points of a show.
#[derive(Default)]
pub(crate) struct Points(pub(crate) HashMap<PushPoint, Arc<Point>>);

impl Points {
    fn names(&self) -> String {
        let mut names: Vec<String> = self.0.keys().map(ToString::to_string).collect();
        names.sort();
        names.join(", ")
    }
}

/// Accepts encoders until the runtime is shut down.
pub(crate) async fn listen(listener: TcpListener, points: Arc<Points>, reporter: Reporter) {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: later there may be some again.
                reporter.event(Level::Warn, "rtmp-accept", error.to_string());
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        if open.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            reporter.event(
                Level::Warn,
                "rtmp-refused",
                format!("{from}: {MOST_CONNECTIONS} connections are open, the most there may be"),
            );
            continue;
        }
        let (points, reporter, open) = (Arc::clone(&points), reporter.clone(), Arc::clone(&open));
        tokio::spawn(async move {
            let mut connection = Connection::new(stream, from, points, reporter.clone());
            let result = connection.serve().await;
            connection.release(result.as_ref().err());
            if let Err(error) = result {
                reporter.event(Level::Warn, "rtmp-connection", format!("{from}: {error}"));
            }
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error(transparent)]
    Session(#[from] rtmp::session::SessionError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("took no answer for {} s", WRITE_PATIENCE.as_secs())]
    Stalled,
    #[error(transparent)]
    Answer(#[from] rtmp::session::UnknownRequest),
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// A stream this connection publishes.
struct Publishing {
    point: Arc<Point>,
    /// The line's queue was full: nothing until the next key frame.
    skipping: Skipping,
    /// Stream configurations, video and audio, that found the queue full: due before the next
    /// key frame.
    owed: [Option<Tag>; 2],
}

#[derive(PartialEq, Eq, Debug)]
enum Skipping {
    No,
    UntilKey,
}

/// What a tag means to whoever skips.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Weight {
    /// Needed by all that follows: 0 for video's, 1 for audio's.
    Configuration(usize),
    Key,
    Other,
}

fn weight(tag: &Tag) -> Weight {
    let (video, audio) = match tag.kind {
        TagKind::Video => (flv::video::VideoHeader::parse(tag.body()).ok(), None),
        TagKind::Audio => (None, flv::audio::AudioHeader::parse(tag.body()).ok()),
        TagKind::Script => (None, None),
    };
    match (video, audio) {
        (Some(h), _) if h.is_sequence_start() => Weight::Configuration(0),
        (Some(h), _) if h.is_key_frame() => Weight::Key,
        (_, Some(h)) if h.is_sequence_start() => Weight::Configuration(1),
        _ => Weight::Other,
    }
}

struct Connection {
    stream: TcpStream,
    from: SocketAddr,
    points: Arc<Points>,
    reporter: Reporter,
    begun: Instant,
    publishing: HashMap<rtmp::message::MessageStreamId, Publishing>,
    hears: Hears,
}

/// Whether the peer still takes what we send. One that does not may yet have
/// sent a farewell that is worth reading.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hears {
    Yes,
    No,
}

impl Connection {
    fn new(stream: TcpStream, from: SocketAddr, points: Arc<Points>, reporter: Reporter) -> Self {
        Self {
            stream,
            from,
            points,
            reporter,
            begun: Instant::now(),
            publishing: HashMap::new(),
            hears: Hears::Yes,
        }
    }

    fn now(&self) -> Time {
        Time::ZERO + Span::from_duration(self.begun.elapsed())
    }

    async fn serve(&mut self) -> Result<(), ConnectionError> {
        // Answers are small and awaited: no gathering.
        self.stream.set_nodelay(true)?;
        let mut random = [0; rtmp::handshake::RANDOM];
        getrandom::fill(&mut random).map_err(ConnectionError::Random)?;
        let mut session = ServerSession::new(ServerConfig::new(random), self.now());
        let mut unread = Bytes::new();
        let mut buffer = BytesMut::with_capacity(READ_AT_ONCE);
        loop {
            let outcome = self.turn(&mut session, &mut unread).await;
            self.flush(&mut session).await?;
            outcome?;
            if session.is_closed() {
                self.farewell().await;
                return Ok(());
            }
            let wait =
                session.next_deadline().map_or(Duration::from_secs(60), |at| (at - self.now()).as_duration());
            buffer.reserve(READ_AT_ONCE);
            tokio::select! {
                read = self.stream.read_buf(&mut buffer), if session.wants_input() => {
                    if read? == 0 {
                        session.handle_close();
                    } else {
                        unread = buffer.split().freeze();
                    }
                }
                () = tokio::time::sleep(wait) => session.handle_timeout(self.now())?,
            }
        }
    }

    /// Lets the session read what has come, and carries out what it says, until it wants more.
    async fn turn(&mut self, session: &mut ServerSession, unread: &mut Bytes) -> Result<(), ConnectionError> {
        loop {
            let result = session.handle_input(unread, self.now());
            let mut events = 0;
            while let Some(event) = session.poll_event() {
                events += 1;
                self.handle(session, event)?;
            }
            result?;
            self.flush(session).await?;
            if unread.is_empty() && events == 0 || session.is_closed() {
                return Ok(());
            }
        }
    }

    async fn flush(&mut self, session: &mut ServerSession) -> Result<(), ConnectionError> {
        while let Some(bytes) = session.poll_output() {
            if self.hears == Hears::No {
                continue;
            }
            match tokio::time::timeout(WRITE_PATIENCE, self.stream.write_all(&bytes)).await {
                Err(_) => return Err(ConnectionError::Stalled),
                Ok(Err(_)) => self.hears = Hears::No,
                Ok(Ok(())) => {}
            }
        }
        Ok(())
    }

    /// Closes so that the last answer arrives: a socket closed with bytes unread takes it back.
    async fn farewell(&mut self) {
        let _ = self.stream.shutdown().await;
        let mut rest = [0; 4096];
        let drain = async { while matches!(self.stream.read(&mut rest).await, Ok(1..)) {} };
        let _ = tokio::time::timeout(FAREWELL, drain).await;
    }

    fn handle(&mut self, session: &mut ServerSession, event: Event) -> Result<(), ConnectionError> {
        match event {
            Event::PublishRequested(request) => self.answer(session, &request)?,
            Event::RequestWithdrawn { .. } => {}
            Event::Tag { stream, tag } => {
                if let Some(publishing) = self.publishing.get_mut(&stream) {
                    publishing.hand_on(tag);
                }
            }
            Event::PublishEnded { stream, reason } => {
                if let Some(publishing) = self.publishing.remove(&stream) {
                    publishing.end(format!("{reason:?}").to_lowercase());
                }
            }
        }
        Ok(())
    }

    fn answer(
        &mut self,
        session: &mut ServerSession,
        request: &PublishRequest,
    ) -> Result<(), ConnectionError> {
        let wanted = PushPoint { app: request.app.path().to_owned(), stream: request.name.name().to_owned() };
        let Some(point) = self.points.0.get(&wanted) else {
            let message = format!(
                "{} wants to publish to {wanted}, which no line waits for; legal: {}",
                self.from,
                self.points.names()
            );
            self.reporter.event(Level::Warn, "push-unknown", message);
            return Ok(session.reject(request.request, Reject::NoSuchPoint)?);
        };
        let publishing = match point.begin(self.from) {
            Ok(publishing) => publishing,
            Err(turned) => {
                let (code, why, reject) = match turned {
                    Turned::Taken => ("push-taken", "where somebody publishes already", Reject::NameTaken),
                    Turned::Hangs => ("line-overrun", "whose decoder is far behind", Reject::Busy),
                };
                let message = format!("{} wants to publish to {wanted}, {why}: turned down", self.from);
                point.reporter.event(Level::Warn, code, message);
                return Ok(session.reject(request.request, reject)?);
            }
        };
        let stream = match session.accept(request.request, self.now()) {
            Ok(stream) => stream,
            Err(error) => {
                publishing.end(error.to_string());
                return Err(error.into());
            }
        };
        self.publishing.insert(stream, publishing);
        Ok(())
    }

    /// Whatever way the connection ended, its points are free again.
    fn release(&mut self, error: Option<&ConnectionError>) {
        for (_, publishing) in self.publishing.drain() {
            publishing.end(error.map_or_else(|| "disconnected".to_owned(), ToString::to_string));
        }
    }
}

impl Publishing {
    /// Hands a tag to the line, which must never make the socket wait.
    fn hand_on(&mut self, tag: Tag) {
        let weight = weight(&tag);
        if self.skipping == Skipping::UntilKey {
            match weight {
                Weight::Configuration(track) => {
                    self.owed[track] = Some(tag);
                    return;
                }
                Weight::Other => return,
                Weight::Key => {}
            }
        }
        let owed = self.owed.iter().flatten().count();
        if self.point.room() < KEPT_FREE + owed + 1 {
            if self.skipping == Skipping::No {
                let message = "decoding cannot keep up: frames are dropped up to the next key frame";
                self.point.reporter.event(Level::Warn, "line-overrun", message);
            }
            self.skipping = Skipping::UntilKey;
            if let Weight::Configuration(track) = weight {
                self.owed[track] = Some(tag);
            }
            return;
        }
        self.skipping = Skipping::No;
        for tag in self.owed.iter_mut().filter_map(Option::take).chain([tag]) {
            // There is room; a line that is gone needs nothing.
            let _ = self.point.to_line.try_send(Pushed::Tag(tag));
        }
    }

    fn end(self, why: String) {
        // A place was kept for it. It comes before the name is free: the next one's beginning
        // must come after it.
        let _ = self.point.to_line.try_send(Pushed::Ended(why));
        self.point.taken.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Stop, VirtualClock};
    use crate::event::EventLog;
    use crossbeam_channel::{Receiver, bounded};
    use flv::FlvMillis;

    const FROM: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

    fn point(places: usize) -> (Arc<Point>, Receiver<Pushed>) {
        let (to_line, pushed) = bounded(places);
        let reporter = Reporter::new(
            Arc::new(VirtualClock::default()),
            Arc::new(EventLog::new()),
            Arc::new(Stop::default()),
        );
        (Arc::new(Point::new(to_line, reporter)), pushed)
    }
    fn tag(kind: TagKind, body: &'static [u8]) -> Tag {
        Tag::new(kind, FlvMillis(0), Bytes::from_static(body)).unwrap()
    }
    fn configuration() -> Tag {
        tag(TagKind::Video, &[0x17, 0, 0, 0, 0, 1])
    }
    fn sound_configuration() -> Tag {
        tag(TagKind::Audio, &[0xaf, 0, 0x11, 0x90])
    }
    fn key() -> Tag {
        tag(TagKind::Video, &[0x17, 1, 0, 0, 0, 1])
    }
    fn delta() -> Tag {
        tag(TagKind::Video, &[0x27, 1, 0, 0, 0, 1])
    }
    /// What has reached the line: the first two bytes of tags, and words.
    fn drain(pushed: &Receiver<Pushed>) -> Vec<String> {
        let name = |pushed| match pushed {
            Pushed::Started { .. } => "started".to_owned(),
            Pushed::Tag(tag) => format!("{:02x}{:02x}", tag.body()[0], tag.body()[1]),
            Pushed::Ended(why) => why,
        };
        pushed.try_iter().map(name).collect()
    }

    /// On this one thread any waiting would be for ever.
    #[test]
    fn a_line_that_hangs_makes_nobody_wait_and_order_is_kept() {
        let (point, pushed) = point(KEPT_FREE + 4);
        let mut first = point.begin(FROM).unwrap();
        for _ in 0..100 {
            first.hand_on(key());
        }
        assert_eq!(point.begin(FROM).err(), Some(Turned::Taken));
        first.end("first gone".to_owned());
        // Others come and go while it hangs; once there is no room for an end, no more begin.
        let came = std::iter::from_fn(|| point.begin(FROM).ok())
            .map(|publishing| publishing.end("gone".to_owned()))
            .count();
        assert_eq!((came, point.begin(FROM).err()), (3, Some(Turned::Hangs)));
        let all = drain(&pushed);
        assert_eq!(all[..6], ["started", "1701", "1701", "1701", "first gone", "started"]);
        assert_eq!(all.last().unwrap(), "gone");
        // It goes on: so may they.
        point.begin(FROM).unwrap().end(String::new());
    }

    #[test]
    fn after_an_overrun_only_a_key_frame_goes_on_and_the_configuration_is_not_lost() {
        let (point, pushed) = point(KEPT_FREE + 3);
        let mut publishing = point.begin(FROM).unwrap();
        for tag in [key(), delta(), delta(), delta()] {
            publishing.hand_on(tag);
        }
        assert_eq!(publishing.skipping, Skipping::UntilKey);
        assert_eq!(drain(&pushed), ["started", "1701", "2701"]);
        for tag in [configuration(), sound_configuration(), delta(), configuration()] {
            publishing.hand_on(tag);
        }
        assert_eq!(publishing.skipping, Skipping::UntilKey);
        assert_eq!(drain(&pushed), [""; 0]);
        publishing.hand_on(key());
        publishing.hand_on(delta());
        assert_eq!(drain(&pushed), ["1700", "af00", "1701"]);
    }
}
