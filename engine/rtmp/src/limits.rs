//! How much a peer may make us hold.

/// Bounds on what one connection can make the session keep in memory.
///
/// Everything a peer can grow has a number here. The first group ends the
/// session with a typed error; the second only stops the reading until the
/// caller has fetched what is waiting, and must be 1 or more (with a 0 nothing
/// would ever be read).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Chunk streams one peer may use; 64 by default.
    pub chunk_streams: usize,
    /// Bytes in one audio, video or aggregate message; 8 MiB by default.
    pub media_message: u32,
    /// Bytes in one message of any other type; 64 KiB by default.
    pub command_message: u32,
    /// Bytes of unfinished messages over all chunk streams; 16 MiB by default.
    pub in_flight: usize,
    /// Message streams (`createStream`) open at once; 8 by default.
    pub message_streams: usize,
    /// Tags in one aggregate message; 1024 by default.
    pub aggregate_tags: usize,

    /// Unread events at which reading stops; 256 by default. One aggregate
    /// message may go beyond it by its own tags.
    pub queued_events: usize,
    /// Tag bytes in unread events at which reading stops; 16 MiB by default.
    /// One message may go beyond it.
    pub queued_bytes: usize,
    /// Unfetched bytes of answers at which reading stops; 64 KiB by default. The
    /// answers to one message may go beyond it. Tags the caller sends do not count.
    pub queued_output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            chunk_streams: 64,
            media_message: 8 << 20,
            command_message: 64 << 10,
            in_flight: 16 << 20,
            message_streams: 8,
            aggregate_tags: 1024,
            queued_events: 256,
            queued_bytes: 16 << 20,
            queued_output: 64 << 10,
        }
    }
}
