//! What a session is started with.

use media::Span;

use crate::chunk::ChunkSize;
use crate::enhanced::Capabilities;
use crate::handshake::RANDOM;
use crate::limits::Limits;

/// How long a session waits for its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start to `connect`; 10 s by default.
    pub connect: Span,
    /// From `connect`, or from the end of all that is published and played, to
    /// the next request to publish or play; 30 s by default. The time the
    /// caller takes to answer a request does not count.
    pub request: Span,
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
            request: Span::from_secs(30),
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
    /// What of enhanced RTMP the server can do; what a client says too is
    /// confirmed to it. [`Capabilities::ours`] by default.
    pub capabilities: Capabilities,
    /// Who decides on `connect`; the session itself by default.
    pub connect: ConnectPolicy,
}

/// What to do with a client's `connect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectPolicy {
    /// Accept it, whatever the application is.
    Accept,
    /// Ask the caller.
    Ask,
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
            capabilities: Capabilities::ours(),
            connect: ConnectPolicy::Accept,
        }
    }
}
