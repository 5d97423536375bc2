//! Where encoders knock: a listener, and a task for each connection.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::event::Level;
use crate::ingest::complaints::Recurring;
use crate::ingest::publish::{self, Points};
use crate::reporter::Reporter;
use crate::secure::{self, Secured};

/// Connections at one time; a truck has a dozen encoders.
const MOST_CONNECTIONS: usize = 128;
/// Out of file descriptors, most likely: later there may be some again.
const NO_SOCKET: Duration = Duration::from_millis(200);

/// How long a peer may take to agree on TLS: a bad mobile line takes a second or two.
const AGREEING: Duration = Duration::from_secs(10);

/// How one enters at a port.
#[derive(Clone)]
pub(crate) enum Entrance {
    /// In the clear.
    Open,
    /// Inside TLS.
    Secure(TlsAcceptor),
}

/// What all connections share, at whichever port they entered.
pub(crate) struct Hall {
    points: Arc<Points>,
    reporter: Reporter,
    open: AtomicUsize,
    /// Peers that came to no TLS.
    strangers: Mutex<Recurring>,
}

impl Drop for Hall {
    fn drop(&mut self) {
        self.strangers.get_mut().unwrap_or_else(PoisonError::into_inner).sum_up(&self.reporter);
    }
}

impl Hall {
    pub(crate) fn new(points: Points, reporter: Reporter) -> Self {
        Self {
            points: Arc::new(points),
            reporter,
            open: AtomicUsize::new(0),
            strangers: Mutex::new(Recurring::new("rtmps-handshake")),
        }
    }

    fn stranger(&self, from: SocketAddr, why: &str) {
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        strangers.happened(&format!("{from}: {why}"), &self.reporter);
    }
}

/// A connection's place among the most there may be.
struct Seat(Arc<Hall>);

impl Seat {
    fn take(hall: &Arc<Hall>) -> Option<Self> {
        let taken = hall.open.fetch_add(1, Ordering::Relaxed);
        // Given back when it is dropped, also where it is one too many.
        let seat = Self(Arc::clone(hall));
        (taken < MOST_CONNECTIONS).then_some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Accepts encoders until the runtime is shut down.
pub(crate) async fn listen(listener: &TcpListener, entrance: &Entrance, hall: Arc<Hall>) {
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                hall.reporter.event(Level::Warn, "rtmp-accept", error.to_string());
                tokio::time::sleep(NO_SOCKET).await;
                continue;
            }
        };
        let Some(seat) = Seat::take(&hall) else {
            let message = format!("{from}: {MOST_CONNECTIONS} connections are open, the most there may be");
            hall.reporter.event(Level::Warn, "rtmp-refused", message);
            continue;
        };
        tokio::spawn(attend(stream, from, entrance.clone(), seat));
    }
}

async fn attend(stream: TcpStream, from: SocketAddr, entrance: Entrance, seat: Seat) {
    let hall = &seat.0;
    // Answers are small and awaited: no gathering. A socket that cannot do so is slower, no more.
    let _ = stream.set_nodelay(true);
    let (points, reporter) = (Arc::clone(&hall.points), hall.reporter.clone());
    match entrance {
        Entrance::Open => publish::serve(stream, from, points, reporter).await,
        Entrance::Secure(acceptor) => match tokio::time::timeout(AGREEING, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => publish::serve(Secured(stream), from, points, reporter).await,
            Ok(Err(error)) => hall.stranger(from, &secure::refusal(&error)),
            Err(_) => hall.stranger(from, &format!("no TLS within {} s", AGREEING.as_secs())),
        },
    }
}
