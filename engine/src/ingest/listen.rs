//! Where encoders and players knock: a listener, and a task for each connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rtmp::ServerConfig;
use rtmp::session::Timeouts;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::egress::play::Programs;
use crate::event::Level;
use crate::ingest::point::Points;
use crate::ingest::publish;
use crate::ingest::seats::{Evicted, MOST_STRANGERS, Place, Seats};
use crate::reporter::Reporter;
use crate::secure::{self, Secured};
use crate::seldom::{Measure, Seldom};

/// Out of file descriptors, most likely: later there may be some again.
const NO_SOCKET: Duration = Duration::from_millis(200);
/// A bad mobile line takes a second or two for it.
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
    pub(crate) points: Points,
    pub(crate) programs: Programs,
    pub(crate) reporter: Reporter,
    /// Connections that ended before their time.
    pub(crate) broken: Seldom,
    /// Encoders that no line waits for.
    pub(crate) unknown: Seldom,
    /// Players of what is not served.
    pub(crate) unplayed: Seldom,
    /// Players that others have to make room for, or that find none.
    pub(crate) crowded: Seldom,
    refused: Seldom,
    deaf: Seldom,
    /// How long a peer may take to agree on TLS.
    patience: Duration,
    /// Peers that came to no TLS.
    strangers: Seldom,
    seats: Arc<Seats>,
    timeouts: Timeouts,
}

impl Hall {
    pub(crate) fn new(points: Points, programs: Programs, timeouts: Timeouts, reporter: Reporter) -> Self {
        let stranger = |code| Seldom::new(code, Level::Warn, Measure::STRANGERS);
        Self {
            points,
            programs,
            reporter,
            broken: stranger("rtmp-connection"),
            unknown: stranger("push-unknown"),
            unplayed: stranger("play-unknown"),
            crowded: stranger("play-full"),
            refused: stranger("rtmp-refused"),
            deaf: stranger("rtmp-accept"),
            strangers: stranger("rtmps-handshake"),
            seats: Arc::default(),
            timeouts,
            patience: AGREEING,
        }
    }

    /// What a connection's session is started with.
    pub(crate) fn config(&self, random: [u8; rtmp::handshake::RANDOM]) -> ServerConfig {
        ServerConfig { timeouts: self.timeouts, ..ServerConfig::new(random) }
    }

    fn stranger(&self, from: SocketAddr, why: &str) {
        self.strangers.happened(&format!("{from}: {why}"), &self.reporter);
    }
}

/// Accepts encoders and players until the runtime is shut down.
pub(crate) async fn listen(listener: &TcpListener, entrance: &Entrance, hall: Arc<Hall>) {
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                hall.deaf.happened(&error.to_string(), &hall.reporter);
                tokio::time::sleep(NO_SOCKET).await;
                continue;
            }
        };
        let (place, evicted) = hall.seats.take(from.ip());
        if let Some((Evicted { from, of }, leaving)) = evicted {
            let message = format!(
                "{MOST_STRANGERS} connections neither publish nor play, {of} of them from {from}: the oldest of these makes room"
            );
            hall.refused.happened(&message, &hall.reporter);
            leaving.gone().await;
        }
        tokio::spawn(attend(stream, from, entrance.clone(), Arc::clone(&hall), place));
    }
}

/// The place is given up last, when the socket is closed.
async fn attend(stream: TcpStream, from: SocketAddr, entrance: Entrance, hall: Arc<Hall>, place: Place) {
    tokio::select! {
        // It has done nothing yet that would have to be ended in good order.
        () = place.lost() => {}
        () = welcome(stream, from, entrance, &hall, &place) => {}
    }
}

async fn welcome(stream: TcpStream, from: SocketAddr, entrance: Entrance, hall: &Arc<Hall>, place: &Place) {
    // Answers are small and awaited: no gathering. A socket that cannot do so is slower, no more.
    let _ = stream.set_nodelay(true);
    match entrance {
        Entrance::Open => publish::serve(stream, from, hall, place).await,
        Entrance::Secure(acceptor) => {
            match tokio::time::timeout(hall.patience, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => publish::serve(Secured(stream), from, hall, place).await,
                Ok(Err(error)) => hall.stranger(from, &secure::refusal(&error)),
                Err(_) => hall.stranger(from, &format!("no TLS within {:?}", hall.patience)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use media::Time;

    use super::*;
    use crate::clock::{Stop, VirtualClock};
    use crate::event::EventLog;
    use crate::secure::papers::{Papers, Valid};

    /// Peers that never agree on TLS: the port is free of them in time, and says so once.
    #[test]
    fn who_comes_to_no_tls_is_let_go_and_told_of_once() {
        let papers = Papers::new();
        let (cert, key) = papers.server("127.0.0.1", Valid::Now);
        let entrance = Entrance::Secure(secure::acceptor(&cert, &key).unwrap());
        let log = Arc::new(EventLog::new());
        let clock = Arc::new(VirtualClock::default());
        let reporter = Reporter::new(clock, Arc::clone(&log), Arc::new(Stop::default())).of("rtmp");
        let mut hall = Hall::new(Points::default(), Programs::default(), Timeouts::default(), reporter);
        hall.patience = Duration::from_millis(50);
        let hall = Arc::new(hall);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        let inside = Arc::clone(&hall);
        runtime.spawn(async move { listen(&listener, &entrance, inside).await });
        // One says nothing, one half a word, one leaves, the others speak something else.
        let openings = [&b""[..], b"\x16\x03", b"", b"\x03RTMP in the clear", b"GET / HTTP/1.0\r\n\r\n"];
        let mut peers: Vec<_> = openings
            .into_iter()
            .map(|opening| {
                let mut peer = std::net::TcpStream::connect(addr).unwrap();
                peer.write_all(opening).unwrap();
                peer
            })
            .collect();
        peers[2].shutdown(std::net::Shutdown::Write).unwrap();
        for peer in &mut peers {
            peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            // Closed by the port, whether with a word of TLS or not.
            let end = peer.read_to_end(&mut Vec::new());
            assert!(end.is_ok_and(|n| n < 16) || peer.peer_addr().is_err(), "it is still open");
        }
        drop(runtime);
        assert_eq!(hall.seats.strangers(), 0);
        log.sum_up(Time::ZERO);
        let told: Vec<_> = log.all(Time::ZERO).into_iter().map(|e| (e.code, e.message)).collect();
        let codes: Vec<_> = told.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(codes, ["rtmps-handshake"; 2], "{told:?}");
        assert!(told[1].1.ends_with("(3 more like it before)"), "{told:?}");
    }
}
