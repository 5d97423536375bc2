//! What goes to the peer: messages, and acknowledgements of what came.

use bytes::{Bytes, BytesMut};

use crate::chunk::{ChunkSize, ChunkWriter, Csid};
use crate::limits::Limits;
use crate::message::{Command, Message, MessageStreamId, UserControl};

#[derive(Debug)]
pub(super) struct Outbox {
    writer: ChunkWriter,
    pub bytes: BytesMut,
    /// After how many bytes the peer wants an acknowledgement.
    peer_window: u64,
    /// How many bytes we have acknowledged.
    acknowledged: u64,
    /// The window we have told the peer of.
    told_window: Option<u32>,
}

/// How often peers are acknowledged that never say what they want.
const USUAL_WINDOW: u64 = 2_500_000;

impl Outbox {
    pub fn new() -> Self {
        Self {
            writer: ChunkWriter::new(),
            bytes: BytesMut::new(),
            peer_window: USUAL_WINDOW,
            acknowledged: 0,
            told_window: None,
        }
    }

    pub fn take(&mut self) -> Option<Bytes> {
        if self.bytes.is_empty() { None } else { Some(self.bytes.split().freeze()) }
    }

    pub fn is_full(&self, limits: &Limits) -> bool {
        self.bytes.len() >= limits.queued_output
    }

    fn send(&mut self, csid: Csid, stream: MessageStreamId, message: &Message) {
        let raw = message.encode(stream, 0).expect("what we send is flat and short-named");
        self.writer.write(csid, &raw, &mut self.bytes).expect("what we send is far shorter than 16 MiB");
    }

    /// A protocol control message.
    pub fn control(&mut self, message: &Message) {
        self.send(Csid::CONTROL, MessageStreamId::CONTROL, message);
    }

    pub fn user_control(&mut self, event: UserControl) {
        self.control(&Message::UserControl(event));
    }

    pub fn command(&mut self, stream: MessageStreamId, command: Command) {
        self.send(Csid::COMMAND, stream, &Message::Command(command));
    }

    /// Tells the peer the size of our chunks and uses it from here on.
    pub fn set_chunk_size(&mut self, size: ChunkSize) {
        self.control(&Message::SetChunkSize(size));
        self.writer.set_chunk_size(size);
    }

    /// Tells the peer how often we want acknowledgements, if it is news.
    pub fn tell_window(&mut self, window: u32) {
        if self.told_window.replace(window) != Some(window) {
            self.control(&Message::WindowAckSize(window));
        }
    }

    /// The peer wants an acknowledgement every `window` bytes.
    pub fn set_peer_window(&mut self, window: u32) {
        self.peer_window = window.into();
    }

    /// Acknowledges what came, if it is time.
    pub fn acknowledge(&mut self, received: u64) {
        if received - self.acknowledged >= self.peer_window.max(1) {
            self.acknowledged = received;
            // The sequence number wraps; so is the field defined.
            self.control(&Message::Acknowledgement(received as u32));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::ChunkReader;

    #[test]
    fn acknowledgements_come_by_the_window_and_wrap() {
        let mut outbox = Outbox::new();
        outbox.set_peer_window(1000);
        let start = (1u64 << 32) - 1500;
        outbox.acknowledge(start);
        outbox.acknowledge(start + 999);
        outbox.acknowledge(start + 1000);
        outbox.acknowledge(start + 2001);
        let mut reader = ChunkReader::new(Limits::default(), 0);
        let mut bytes = outbox.take().unwrap();
        let mut got = Vec::new();
        while let Some(arrival) = reader.read(&mut bytes).unwrap() {
            got.push(Message::decode(&arrival.message).unwrap());
        }
        assert_eq!(got, [u32::MAX - 1499, u32::MAX - 499, 501].map(Message::Acknowledgement));
        assert_eq!(outbox.take(), None);
    }

    #[test]
    fn the_window_is_told_once() {
        let mut outbox = Outbox::new();
        outbox.tell_window(5);
        let once = outbox.bytes.len();
        outbox.tell_window(5);
        assert_eq!(outbox.bytes.len(), once);
        outbox.tell_window(6);
        assert!(outbox.bytes.len() > once);
    }
}
