//! What goes to the peer: answers, tags, and acknowledgements of what came.

use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};
use flv::{Tag, TagKind};

use crate::chunk::{ChunkSize, ChunkWriter, Csid, Slices};
use crate::limits::Limits;
use crate::message::{Command, Message, MessageStreamId, MessageType, RawMessage, UserControl};

/// The bytes a session wants sent, in their order.
///
/// It is a [`Buf`] whose slices share the payloads of the tags: hand it to a
/// vectored write, `advance` it by what was written. [`len`](Self::len) is how
/// much waits. What the peer's requests add is bounded by
/// [`Limits::queued_output`]; of the tags the caller sends, the caller keeps count.
#[derive(Debug)]
pub struct Output {
    slices: Slices,
    /// How many of the bytes are answers, at most.
    answers: usize,
    writer: ChunkWriter,
    /// After how many bytes the peer wants an acknowledgement.
    peer_window: u64,
    /// How many bytes we have acknowledged.
    acknowledged: u64,
    /// The window we have told the peer of.
    told_window: Option<u32>,
}

/// How often peers are acknowledged that never say what they want.
const USUAL_WINDOW: u64 = 2_500_000;

/// How script tags are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scripts {
    /// As they are, to a player.
    Plain,
    /// Metadata as `@setDataFrame`, to a server.
    Wrapped,
}

impl Output {
    pub(super) fn new() -> Self {
        Self {
            slices: Slices::new(),
            answers: 0,
            writer: ChunkWriter::new(),
            peer_window: USUAL_WINDOW,
            acknowledged: 0,
            told_window: None,
        }
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.slices.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.slices.is_empty()
    }

    /// Takes the first slice.
    pub fn pop(&mut self) -> Option<Bytes> {
        let first = self.slices.pop();
        self.answers = self.answers.min(self.slices.len());
        first
    }

    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.answers >= limits.queued_output
    }

    /// Room for an answer that is no message: the handshake's.
    pub(super) fn raw<T>(&mut self, write: impl FnOnce(&mut BytesMut) -> T) -> T {
        let before = self.slices.len();
        let done = write(self.slices.tail());
        self.answers += self.slices.len() - before;
        done
    }

    fn send(&mut self, csid: Csid, stream: MessageStreamId, message: &Message) {
        let raw = message.encode(stream, 0).expect("what we send is flat and short-named");
        let before = self.slices.len();
        self.write(csid, &raw);
        self.answers += self.slices.len() - before;
    }

    fn write(&mut self, csid: Csid, raw: &RawMessage) {
        let written = self.writer.write_shared(csid, raw, &mut self.slices);
        written.expect("a tag is shorter than 16 MiB, and so are our commands");
    }

    /// A protocol control message.
    pub(super) fn control(&mut self, message: &Message) {
        self.send(Csid::CONTROL, MessageStreamId::CONTROL, message);
    }

    pub(super) fn user_control(&mut self, event: UserControl) {
        self.control(&Message::UserControl(event));
    }

    pub(super) fn command(&mut self, stream: MessageStreamId, command: Command) {
        self.send(Csid::COMMAND, stream, &Message::Command(command));
    }

    /// AMF0 data that is no tag.
    pub(super) fn data(&mut self, stream: MessageStreamId, payload: Bytes) {
        let message = Message::Other { kind: MessageType::DATA_AMF0, payload };
        self.send(Csid::DATA, stream, &message);
    }

    /// A tag; its body is shared.
    pub(super) fn tag(&mut self, stream: MessageStreamId, tag: &Tag, scripts: Scripts) {
        let timestamp = tag.timestamp.0;
        let (csid, kind) = match tag.kind {
            TagKind::Audio => (Csid::AUDIO, MessageType::AUDIO),
            TagKind::Video => (Csid::VIDEO, MessageType::VIDEO),
            TagKind::Script if scripts == Scripts::Wrapped && is_metadata(tag.body()) => {
                let wrapped = Message::Script(tag.body().clone());
                if let Ok(raw) = wrapped.encode(stream, timestamp)
                    && raw.payload.len() <= flv::MAX_BODY
                {
                    self.write(Csid::DATA, &raw);
                }
                return;
            }
            TagKind::Script => (Csid::DATA, MessageType::DATA_AMF0),
        };
        self.write(csid, &RawMessage { kind, timestamp, stream, payload: tag.body().clone() });
    }

    /// Tells the peer the size of our chunks and uses it from here on.
    pub(super) fn set_chunk_size(&mut self, size: ChunkSize) {
        self.control(&Message::SetChunkSize(size));
        self.writer.set_chunk_size(size);
    }

    /// Tells the peer how often we want acknowledgements, if it is news.
    pub(super) fn tell_window(&mut self, window: u32) {
        if self.told_window.replace(window) != Some(window) {
            self.control(&Message::WindowAckSize(window));
        }
    }

    /// The peer wants an acknowledgement every `window` bytes.
    pub(super) fn set_peer_window(&mut self, window: u32) {
        self.peer_window = window.into();
    }

    /// Acknowledges what came, if it is time.
    pub(super) fn acknowledge(&mut self, received: u64) {
        if received - self.acknowledged >= self.peer_window.max(1) {
            self.acknowledged = received;
            // The sequence number wraps; so is the field defined.
            self.control(&Message::Acknowledgement(received as u32));
        }
    }
}

impl Buf for Output {
    fn remaining(&self) -> usize {
        self.slices.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.slices.chunk()
    }

    fn chunks_vectored<'a>(&'a self, to: &mut [IoSlice<'a>]) -> usize {
        self.slices.chunks_vectored(to)
    }

    fn advance(&mut self, count: usize) {
        self.slices.advance(count);
        self.answers = self.answers.min(self.slices.len());
    }
}

/// Whether a script tag's body is `onMetaData`.
fn is_metadata(body: &[u8]) -> bool {
    body.starts_with(b"\x02\x00\x0aonMetaData")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::ChunkReader;

    #[test]
    fn acknowledgements_come_by_the_window_and_wrap() {
        let mut output = Output::new();
        output.set_peer_window(1000);
        let start = (1u64 << 32) - 1500;
        output.acknowledge(start);
        output.acknowledge(start + 999);
        output.acknowledge(start + 1000);
        output.acknowledge(start + 2001);
        let mut reader = ChunkReader::new(Limits::default(), 0);
        let mut bytes = output.pop().unwrap();
        let mut got = Vec::new();
        while let Some(arrival) = reader.read(&mut bytes).unwrap() {
            got.push(Message::decode(&arrival.message).unwrap());
        }
        assert_eq!(got, [u32::MAX - 1499, u32::MAX - 499, 501].map(Message::Acknowledgement));
        assert_eq!(output.pop(), None);
    }

    #[test]
    fn the_window_is_told_once() {
        let mut output = Output::new();
        output.tell_window(5);
        let once = output.len();
        output.tell_window(5);
        assert_eq!(output.len(), once);
        output.tell_window(6);
        assert!(output.len() > once);
    }

    #[test]
    fn tags_do_not_count_as_answers() {
        let limits = Limits { queued_output: 100, ..Limits::default() };
        let mut output = Output::new();
        let body = Bytes::from(vec![7; 5000]);
        let tag = Tag::new(TagKind::Video, flv::FlvMillis(0), body.clone()).unwrap();
        output.set_chunk_size(ChunkSize::LARGE);
        output.tag(MessageStreamId(1), &tag, Scripts::Plain);
        assert!(!output.is_full(&limits));
        output.raw(|tail| tail.extend_from_slice(&[0; 90]));
        assert!(output.is_full(&limits));
        output.pop();
        assert_eq!(output.pop().unwrap().as_ptr(), body.as_ptr());
        assert!(!output.is_full(&limits));
    }
}
