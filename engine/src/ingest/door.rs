//! The port that encoders push to: open from a show's start to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use pipeline_dsl as dsl;
use tokio::net::TcpListener;

use crate::ingest::listen::{self, Hall};
use crate::ingest::publish::Points;
use crate::reporter::Reporter;
use crate::start::StartError;

/// The runtime that serves RTMP. Closing it frees the port, and blocks in no other runtime's way.
pub(crate) struct RtmpDoor {
    pub(crate) addr: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
    listening: Option<tokio::task::JoinHandle<()>>,
    /// Disconnected once nobody listens any more.
    closed: Receiver<()>,
}

/// The listener, and after it the word that it is closed: a task that is aborted before it
/// ever ran drops them in this order, too.
struct Listening {
    listener: TcpListener,
    _alive: Sender<()>,
}

impl RtmpDoor {
    /// Opens the show's RTMP port, if any line is pushed to.
    pub(crate) fn open(
        show: &dsl::Show,
        points: Points,
        reporter: &Reporter,
    ) -> Result<Option<Self>, StartError> {
        if points.0.is_empty() {
            return Ok(None);
        }
        let addr = show.listen.rtmp;
        let failed = |source| StartError::Rtmp { addr, source };
        // Bound without waiting: whoever starts a show may be a task of another runtime.
        let listener = std::net::TcpListener::bind(addr).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        // Last of what can fail: only the door may close a runtime inside another one.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("rtmp")
            .enable_all()
            .build()
            .map_err(failed)?;
        let (alive, closed) = bounded(0);
        let mut door = Self { addr, runtime: Some(runtime), listening: None, closed };
        if let Some(runtime) = &door.runtime {
            let inside = runtime.enter();
            let listener = TcpListener::from_std(listener).map_err(failed)?;
            drop(inside);
            let listening = Listening { listener, _alive: alive };
            let hall = Arc::new(Hall::new(points, reporter.of("rtmp")));
            door.listening = Some(runtime.spawn(async move {
                let listening = listening;
                listen::listen(&listening.listener, hall).await;
            }));
        }
        Ok(Some(door))
    }
}

impl Drop for RtmpDoor {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            let _ = self.closed.recv_timeout(Duration::from_secs(1));
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
