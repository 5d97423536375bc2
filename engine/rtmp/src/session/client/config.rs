//! What a client session is started with.

use media::Span;

use crate::chunk::ChunkSize;
use crate::enhanced::Capabilities;
use crate::handshake::{Opening, RANDOM};
use crate::limits::Limits;
use crate::url::RtmpUrl;

/// What a client connects for; one stream each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intent {
    /// To send tags.
    Publish,
    /// To get them.
    Play,
}

/// How long a client waits for its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientTimeouts {
    /// From the start to the answer to `connect`; 10 s by default.
    pub connect: Span,
    /// From there to the leave to publish or play; 15 s by default.
    pub start: Span,
    /// While playing, without a byte from the server; 30 s by default. A
    /// server says nothing to a publisher for as long as all is well: there,
    /// output that is not taken is the sign.
    pub idle: Span,
    /// While playing, without a byte until the server is pinged, and from ping
    /// to ping; 10 s by default, 1 ms at least.
    pub ping: Span,
}

impl Default for ClientTimeouts {
    fn default() -> Self {
        Self {
            connect: Span::from_secs(10),
            start: Span::from_secs(15),
            idle: Span::from_secs(30),
            ping: Span::from_secs(10),
        }
    }
}

/// How many times more a client lets itself be sent elsewhere, or asked to sign
/// in (which takes two); 3 by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hops(u8);

impl Hops {
    /// So many.
    pub const fn new(left: u8) -> Self {
        Self(left)
    }

    /// How many are left.
    pub const fn left(self) -> u8 {
        self.0
    }

    /// What is left after one more, if there is one.
    pub(super) fn spend(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

impl Default for Hops {
    fn default() -> Self {
        Self(3)
    }
}

/// What a client session is started with.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Fills C1. Bytes that differ from connection to connection.
    pub random: [u8; RANDOM],
    /// Where to.
    pub url: RtmpUrl,
    /// What for.
    pub intent: Intent,
    /// How to open; [simple](Opening::Simple) by default.
    pub opening: Opening,
    /// What the server can make us hold.
    pub limits: Limits,
    /// How long we wait for it.
    pub timeouts: ClientTimeouts,
    /// The size of the chunks we send, to a server that sends large ones
    /// itself; others get 4096 bytes at most. 65 536 by default.
    pub chunk_size: ChunkSize,
    /// How many bytes the server may send between acknowledgements, as we tell
    /// it; 2 500 000 by default.
    pub window_ack: u32,
    /// What we call ourselves; some servers let in only what looks like Flash.
    /// `FMLE/3.0 (compatible; obvan)` by default.
    pub flash_version: String,
    /// What of enhanced RTMP we can do. [`Capabilities::ours`] by default.
    pub capabilities: Capabilities,
    /// While playing, how much we tell the server to send ahead; 1 s by default.
    pub buffer: Span,
    /// How often we may still be sent elsewhere.
    pub hops: Hops,
}

impl ClientConfig {
    /// The defaults for a stream, around random bytes.
    pub fn new(url: RtmpUrl, intent: Intent, random: [u8; RANDOM]) -> Self {
        Self {
            random,
            url,
            intent,
            opening: Opening::default(),
            limits: Limits::default(),
            timeouts: ClientTimeouts::default(),
            chunk_size: ChunkSize::LARGE,
            window_ack: 2_500_000,
            flash_version: "FMLE/3.0 (compatible; obvan)".to_owned(),
            capabilities: Capabilities::ours(),
            buffer: Span::from_secs(1),
            hops: Hops::default(),
        }
    }
}
