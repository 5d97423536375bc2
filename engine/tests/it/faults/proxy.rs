//! A network that fails in one way, once: a relay between a client and a server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use fixtures::noise::Noise;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong with what a sender sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Nothing more comes, and nobody says so.
    Stall,
    /// A stretch comes byte by byte.
    Drip,
    /// The connection is reset.
    Reset,
    /// A byte in fifty is another one.
    Corrupt,
    /// Two blocks change places, and then it is closed.
    Swap,
    /// Closed in one direction only.
    HalfClose,
    /// Closed in the middle of a message.
    Truncate,
    /// A chunk that announces more than there may be, right after the handshake.
    LongChunk,
}

pub(crate) const ALL: [Fault; 8] = [
    Fault::Stall,
    Fault::Drip,
    Fault::Reset,
    Fault::Corrupt,
    Fault::Swap,
    Fault::HalfClose,
    Fault::Truncate,
    Fault::LongChunk,
];

/// Which way it goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// From the one that connects.
    Up,
    /// To the one that connects.
    Down,
}

/// Set chunk size to 2^31 - 1, then a video message of 16 MiB less one byte.
const LONG_CHUNK: [u8; 28] = [
    2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, //
    6, 0, 0, 0, 0xff, 0xff, 0xff, 9, 1, 0, 0, 0,
];
/// The handshake, either way.
const HANDSHAKE: usize = 1 + 2 * 1536;

#[derive(Default)]
struct Seen {
    fired: AtomicBool,
    connections: AtomicUsize,
    /// Bytes that went the way that fails, over later connections.
    after: AtomicUsize,
}

/// A relay whose first connection fails.
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    seen: Arc<Seen>,
}

impl Proxy {
    pub(crate) fn start(
        runtime: &tokio::runtime::Runtime,
        to: SocketAddr,
        fault: Fault,
        way: Way,
        seed: u64,
    ) -> Self {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let told = Arc::clone(&seen);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let first = told.connections.fetch_add(1, Relaxed) == 0;
                let Ok(server) = TcpStream::connect(to).await else { continue };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let up = (first && way == Way::Up).then_some(fault);
                let down = (first && way == Way::Down).then_some(fault);
                let later = |this| (!first && way == this).then(|| Arc::clone(&told));
                let up = carry(from_client, to_server, up, seed, Arc::clone(&told), later(Way::Up));
                let down = carry(from_server, to_client, down, seed, Arc::clone(&told), later(Way::Down));
                tokio::spawn(async move {
                    if first {
                        // What fails one way is over both ways.
                        tokio::select! { end = up => end, end = down => end }
                    } else {
                        tokio::join!(up, down).0
                    }
                });
            }
        });
        Self { addr, seen }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.seen.fired.load(Relaxed)
    }

    /// How many bytes went the way that failed, since.
    pub(crate) fn carried_since(&self) -> usize {
        self.seen.after.load(Relaxed)
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    fault: Option<Fault>,
    seed: u64,
    seen: Arc<Seen>,
    later: Option<Arc<Seen>>,
) -> std::io::Result<()> {
    let mut noise = Noise::new(seed);
    let spread = noise.next_u64() as usize % 8_000;
    // In the midst of tags, but for one.
    let mut whole = match fault {
        Some(Fault::LongChunk) => HANDSHAKE,
        Some(_) => 12_000 + spread,
        None => usize::MAX,
    };
    let mut buffer = vec![0; 16 << 10];
    while whole > 0 {
        let most = whole.min(buffer.len());
        let got = from.read(&mut buffer[..most]).await?;
        if got == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..got]).await?;
        if let Some(seen) = &later {
            seen.after.fetch_add(got, Relaxed);
        }
        whole -= if whole == usize::MAX { 0 } else { got };
    }
    seen.fired.store(true, Relaxed);
    match fault {
        Some(Fault::Stall) => {
            // Both ends stay open for longer than anybody waits.
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        Some(Fault::Drip) => {
            let mut dripped = 0;
            loop {
                let got = from.read(&mut buffer).await?;
                if got == 0 {
                    return to.shutdown().await;
                }
                for byte in buffer[..got].chunks(if dripped < 3_000 { 1 } else { got }) {
                    to.write_all(byte).await?;
                    tokio::task::yield_now().await;
                }
                dripped += got;
            }
        }
        Some(Fault::Reset) => {
            // With data unread and no time to linger, what follows is a reset.
            to.as_ref().set_zero_linger()?;
            to.forget();
        }
        Some(Fault::Corrupt) => loop {
            let got = from.read(&mut buffer).await?;
            if got == 0 {
                return to.shutdown().await;
            }
            for byte in &mut buffer[..got] {
                if noise.next_u64().is_multiple_of(50) {
                    *byte ^= (noise.next_u64() % 255) as u8 + 1;
                }
            }
            to.write_all(&buffer[..got]).await?;
        },
        Some(Fault::Swap) => {
            let mut blocks = [[0; 700]; 2];
            for block in &mut blocks {
                from.read_exact(block).await?;
            }
            to.write_all(&blocks[1]).await?;
            to.write_all(&blocks[0]).await?;
            to.shutdown().await?;
        }
        Some(Fault::HalfClose) => {
            to.shutdown().await?;
            while from.read(&mut buffer).await? > 0 {}
        }
        Some(Fault::LongChunk) => {
            to.write_all(&LONG_CHUNK).await?;
            loop {
                let got = from.read(&mut buffer).await?;
                if got == 0 {
                    return to.shutdown().await;
                }
                to.write_all(&buffer[..got]).await?;
            }
        }
        Some(Fault::Truncate) | None => {}
    }
    Ok(())
}
