//! How a server parts with a client that has done nothing wrong.

use media::Time;

use super::event::EndReason;
use super::{ServerSession, StreamState};
use crate::message::MessageStreamId;
use crate::session::error::NotStarted;
use crate::session::replies::{self, shown};

impl ServerSession {
    /// Ends the session from our side, a publisher's by a status that it knows:
    /// a stale one, for example, that yields to a newcomer with the right key.
    /// What is in the output should still be sent.
    pub fn dismiss(&mut self, why: &str) {
        let ids: Vec<_> = self.streams.iter().map(|s| s.id).collect();
        for id in ids {
            match self.streams.iter().find(|s| s.id == id).map(|s| &s.state) {
                Some(StreamState::Publishing { .. }) => {
                    self.status(id, "error", "NetStream.Publish.Rejected", shown(why));
                }
                Some(StreamState::Playing { .. }) => {
                    self.status(id, "status", "NetStream.Play.Stop", shown(why));
                }
                _ => {}
            }
        }
        if self.client.is_some() && !self.is_closed() {
            let closed = replies::status("status", "NetConnection.Connect.Closed", shown(why));
            self.link.output.command(MessageStreamId::CONTROL, closed);
        }
        self.close(EndReason::Rejected);
    }

    /// Takes no more tags of one stream, and tells its publisher so; the connection and what else
    /// it publishes or plays stay.
    ///
    /// # Errors
    /// If the stream is not published (any more).
    pub fn end_publish(&mut self, stream: MessageStreamId, why: &str, now: Time) -> Result<(), NotStarted> {
        let publishing =
            |s: &&mut super::Stream| s.id == stream && matches!(s.state, StreamState::Publishing { .. });
        let ended = self.streams.iter_mut().find(publishing).ok_or(NotStarted(stream))?;
        ended.state = StreamState::Idle;
        self.status(stream, "error", "NetStream.Publish.Rejected", shown(why));
        self.await_request_if_idle(now);
        Ok(())
    }
}
