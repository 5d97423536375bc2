//! What a session is started with.

use media::Span;

use crate::chunk::ChunkSize;
use crate::handshake::RANDOM;
use crate::limits::Limits;

/// How long a session waits for its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start to `connect`; 10 s by default.
    pub connect: Span,
    /// From `connect`, or from the end of the last publish, to the next
    /// publish request; 30 s by default. The time the caller takes to answer a
    /// request does not count.
    pub publish: Span,
    /// Without a byte from the peer; 30 s by default. Time in which the session
    /// does not want input does not count.
    pub idle: Span,
    /// Without a byte from the peer until it is pinged, and from ping to ping;
    /// 10 s by default, 1 ms at least. A living peer answers, which keeps it
    /// from being idle.
    pub ping: Span,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Span::from_secs(10),
            publish: Span::from_secs(30),
            idle: Span::from_secs(30),
            ping: Span::from_secs(10),
        }
    }
}

/// What a server session is started with.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Fills S1. Bytes that differ from connection to connection.
    pub random: [u8; RANDOM],
    /// What the peer can make us hold.
    pub limits: Limits,
    /// How long we wait for it.
    pub timeouts: Timeouts,
    /// The size of the chunks we send; 4096 bytes by default.
    pub chunk_size: ChunkSize,
    /// How many bytes the peer may send between acknowledgements, as we tell
    /// it; 2 500 000 by default.
    pub window_ack: u32,
    /// The FourCC codes of enhanced RTMP that the engine takes; those a client
    /// lists too are confirmed to it. `avc1`, `hvc1` and `mp4a` by default.
    pub four_ccs: Vec<[u8; 4]>,
}

impl ServerConfig {
    /// The defaults around random bytes.
    pub fn new(random: [u8; RANDOM]) -> Self {
        Self {
            random,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            chunk_size: ChunkSize::USUAL,
            window_ack: 2_500_000,
            four_ccs: vec![*b"avc1", *b"hvc1", *b"mp4a"],
        }
    }
}
