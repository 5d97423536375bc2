//! Where encoders knock: a listener, and a task for each connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::event::Level;
use crate::ingest::publish::{self, Points};
use crate::reporter::Reporter;

/// Connections at one time; a truck has a dozen encoders.
const MOST_CONNECTIONS: usize = 128;
/// Out of file descriptors, most likely: later there may be some again.
const NO_SOCKET: Duration = Duration::from_millis(200);

/// What all connections share.
pub(crate) struct Hall {
    points: Arc<Points>,
    reporter: Reporter,
    open: AtomicUsize,
}

impl Hall {
    pub(crate) fn new(points: Points, reporter: Reporter) -> Self {
        Self { points: Arc::new(points), reporter, open: AtomicUsize::new(0) }
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
pub(crate) async fn listen(listener: &TcpListener, hall: Arc<Hall>) {
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
        tokio::spawn(attend(stream, from, seat));
    }
}

async fn attend(stream: TcpStream, from: SocketAddr, seat: Seat) {
    let hall = &seat.0;
    // Answers are small and awaited: no gathering. A socket that cannot do so is slower, no more.
    let _ = stream.set_nodelay(true);
    publish::serve(stream, from, Arc::clone(&hall.points), hall.reporter.clone()).await;
}
