//! The ports that encoders push to and players play from: open from a show's start to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crossbeam_channel::{Receiver, Sender, bounded};
use pipeline_dsl as dsl;
use tokio::net::TcpListener;

use crate::egress::play::Programs;
use crate::event::Level;
use crate::ingest::listen::{self, Entrance, Hall};
use crate::ingest::point::Points;
use crate::keys;
use crate::start::{Place, StartError};

/// How long players may take for the last of what they play.
const LAST_TAGS: Duration = Duration::from_secs(1);

/// The runtime that serves RTMP. Closing it frees the ports, and blocks in no other runtime's way.
pub(crate) struct RtmpDoor {
    pub(crate) addr: SocketAddr,
    /// Where RTMP comes inside TLS.
    pub(crate) secure_addr: Option<SocketAddr>,
    runtime: Option<tokio::runtime::Runtime>,
    hall: Arc<Hall>,
    listening: Vec<tokio::task::JoinHandle<()>>,
    /// Disconnected once nobody listens any more.
    closed: Receiver<()>,
}

/// A listener, and after it the word that it is closed: a task that is aborted before it
/// ever ran drops them in this order, too.
struct Listening {
    listener: TcpListener,
    _alive: Sender<()>,
}

/// A port that is taken, and how one enters there.
struct Port {
    listener: std::net::TcpListener,
    addr: SocketAddr,
    entrance: Entrance,
}

impl Port {
    /// Bound without waiting: whoever starts a show may be a task of another runtime.
    fn take(addr: SocketAddr, entrance: Entrance) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(addr)?;
        let addr = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, addr, entrance })
    }
}

impl RtmpDoor {
    /// What all its connections share.
    pub(crate) fn hall(&self) -> &Hall {
        &self.hall
    }

    /// Opens the show's RTMP ports, if any line is pushed to, or anything is served there.
    pub(crate) fn open(
        show: &dsl::Show,
        points: Points,
        programs: Programs,
        place: &Place,
    ) -> Result<Option<Self>, StartError> {
        let secure = show.listen.rtmps.as_ref();
        // Papers that are no good are said though nobody would look at them.
        let papers = secure.map(|secure| keys::acceptor(secure, &place.inputs)).transpose()?;
        let untimely = secure.and_then(|secure| keys::untimely(secure, &place.inputs, SystemTime::now()));
        if let Some(said) = untimely {
            place.reporter.of("listen rtmps").event(Level::Warn, "certificate", said);
        }
        if points.is_empty() && programs.is_empty() {
            return Ok(None);
        }
        let addr = show.listen.rtmp;
        let failed = |source| StartError::Rtmp { addr, source };
        let mut ports = vec![Port::take(addr, Entrance::Open).map_err(failed)?];
        if let Some((secure, acceptor)) = secure.zip(papers) {
            let failed = |source| StartError::Rtmps { addr: secure.addr, source };
            ports.push(Port::take(secure.addr, Entrance::Secure(acceptor)).map_err(failed)?);
        }
        // Last of what can fail: only the door may close a runtime inside another one.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("rtmp")
            .enable_all()
            .build()
            .map_err(failed)?;
        let (alive, closed) = bounded(0);
        let hall = Arc::new(Hall::new(points, programs, place.rtmp, place.reporter.of("rtmp")));
        let mut door = Self {
            addr: ports[0].addr,
            secure_addr: ports.get(1).map(|port| port.addr),
            runtime: None,
            hall: Arc::clone(&hall),
            listening: Vec::new(),
            closed,
        };
        let runtime = door.runtime.insert(runtime);
        for Port { listener, addr: _, entrance } in ports {
            let inside = runtime.enter();
            let listener = TcpListener::from_std(listener).map_err(failed)?;
            drop(inside);
            let listening = Listening { listener, _alive: alive.clone() };
            let hall = Arc::clone(&hall);
            door.listening.push(runtime.spawn(async move {
                let listening = listening;
                listen::listen(&listening.listener, &entrance, hall).await;
            }));
        }
        Ok(Some(door))
    }
}

impl Drop for RtmpDoor {
    fn drop(&mut self) {
        if !self.listening.is_empty() {
            for listening in self.listening.drain(..) {
                listening.abort();
            }
            let _ = self.closed.recv_timeout(Duration::from_secs(1));
        }
        // Players get their last tags; who does not take them is not waited for.
        self.hall.programs.wait_until_empty(LAST_TAGS);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
