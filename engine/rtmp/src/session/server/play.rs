//! What a server does for a client that plays (section 7.2.2).

use flv::Tag;
use flv::amf0::Value;
use media::Time;

use super::event::{
    EndReason, Event, MediaKind, Pause, PlayEnd, PlayKind, PlayRefusal, PlayRequest, PlayStart, RequestId,
    Wanted,
};
use super::{Reset, ServerSession, Stream, StreamState};
use crate::message::{Command, MessageStreamId, UserControl};
use crate::session::error::{NotStarted, ProtocolFault, TimeoutKind, UnknownRequest};
use crate::session::names::StreamName;
use crate::session::output::Scripts;
use crate::session::replies::{self, shown};

impl ServerSession {
    /// Plays to the client: it is told that the stream begins, and the caller
    /// sends tags to the stream returned here.
    ///
    /// # Errors
    /// If no such request to play is waiting for an answer.
    pub fn accept_play(
        &mut self,
        request: RequestId,
        kind: PlayKind,
        now: Time,
    ) -> Result<MessageStreamId, UnknownRequest> {
        let (id, name, reset) = self.answer_play(request, |name| StreamState::Playing { name })?;
        self.link.answered(now);
        self.link.timers.await_nothing();
        if kind == PlayKind::Recording {
            self.link.output.user_control(UserControl::StreamIsRecorded(id));
        }
        self.link.output.user_control(UserControl::StreamBegin(id));
        let name = shown(name.name());
        if reset == Reset::Yes {
            self.status(id, "status", "NetStream.Play.Reset", format!("nothing but {name} is played"));
        }
        self.status(id, "status", "NetStream.Play.Start", format!("{name} is played"));
        self.link.output.data(id, replies::sample_access());
        Ok(id)
    }

    /// Turns the player down; the connection stays.
    ///
    /// # Errors
    /// If no such request to play is waiting for an answer.
    pub fn refuse_play(
        &mut self,
        request: RequestId,
        reason: PlayRefusal,
        now: Time,
    ) -> Result<(), UnknownRequest> {
        let (id, name, _) = self.answer_play(request, |_| StreamState::Idle)?;
        let code = match reason {
            PlayRefusal::NotFound => "NetStream.Play.StreamNotFound",
            PlayRefusal::NotAllowed | PlayRefusal::Busy => "NetStream.Play.Failed",
        };
        self.status(id, "error", code, format!("{}: {reason}", shown(name.name())));
        self.link.answered(now);
        self.await_request_if_idle(now);
        Ok(())
    }

    /// Sends a tag to a player. Its body is shared, not copied.
    ///
    /// # Errors
    /// If the stream is not played (any more).
    pub fn send(&mut self, stream: MessageStreamId, tag: &Tag) -> Result<(), NotStarted> {
        if !self.plays(stream) {
            return Err(NotStarted(stream));
        }
        self.link.output.tag(stream, tag, Scripts::Plain);
        Ok(())
    }

    /// Tells a player that there is no more; the stream takes no tags then. The
    /// connection stays, and the player may ask for another stream.
    ///
    /// # Errors
    /// If the stream is not played (any more).
    pub fn end_play(&mut self, stream: MessageStreamId, why: PlayEnd, now: Time) -> Result<(), NotStarted> {
        let playing = self.streams.iter_mut().find(|s| s.id == stream);
        let Some(Stream { state: state @ StreamState::Playing { .. }, .. }) = playing else {
            return Err(NotStarted(stream));
        };
        let StreamState::Playing { name } = std::mem::replace(state, StreamState::Idle) else {
            return Err(NotStarted(stream));
        };
        let name = shown(name.name());
        match why {
            PlayEnd::Unpublished => {
                let words = format!("{name} is no longer published");
                self.status(stream, "status", "NetStream.Play.UnpublishNotify", words);
            }
            PlayEnd::Complete => {
                self.link.output.data(stream, replies::play_complete());
                self.status(stream, "status", "NetStream.Play.Stop", format!("{name} is at its end"));
            }
        }
        self.link.output.user_control(UserControl::StreamEof(stream));
        self.await_request_if_idle(now);
        Ok(())
    }

    pub(super) fn plays(&self, stream: MessageStreamId) -> bool {
        self.streams.iter().any(|s| s.id == stream && matches!(s.state, StreamState::Playing { .. }))
    }

    fn answer_play(
        &mut self,
        request: RequestId,
        next: impl FnOnce(StreamName) -> StreamState,
    ) -> Result<(MessageStreamId, StreamName, Reset), UnknownRequest> {
        for stream in &mut self.streams {
            if let StreamState::PlayRequested { request: own, name, reset } = &stream.state
                && *own == request
            {
                let (name, reset) = (name.clone(), *reset);
                stream.state = next(name.clone());
                return Ok((stream.id, name, reset));
            }
        }
        Err(UnknownRequest(request))
    }

    /// Where nothing is published or played any more, a request is due.
    pub(super) fn await_request_if_idle(&mut self, now: Time) {
        let busy = |s: &Stream| !matches!(s.state, StreamState::Idle);
        if !self.streams.iter().any(busy) {
            self.link.timers.await_within(TimeoutKind::Request, self.timeouts.request, now);
        }
    }

    pub(super) fn play(&mut self, command: &Command, id: MessageStreamId) -> Result<(), ProtocolFault> {
        let Some(raw) = command.text(0) else {
            return Err(ProtocolFault::NoStreamName { command: "play" });
        };
        let open = self.streams.len();
        let Some(stream) = self.streams.iter_mut().find(|s| s.id == id) else {
            return Err(ProtocolFault::NoSuchStream { command: "play", got: id, open });
        };
        match stream.state {
            StreamState::Idle => {}
            // What was played on this stream makes room for the new.
            StreamState::Playing { .. } => {
                self.link.inbox.push(Event::PlayEnded { stream: id, reason: EndReason::Stopped });
            }
            _ => return Err(ProtocolFault::InUse { command: "play", stream: id }),
        }
        let Some(client) = &self.client else { return Ok(()) };
        let request = RequestId(self.next_request);
        self.next_request = self.next_request.wrapping_add(1);
        let name = StreamName::new(raw);
        // Section 7.2.2.1: seconds there, milliseconds in all that is out there.
        let start = match command.number(1) {
            Some(start) if start >= 0.0 => PlayStart::Recording(start as u32),
            Some(start) if start == -1.0 || start == -1000.0 => PlayStart::Live,
            _ => PlayStart::Any,
        };
        let duration = command.number(2).filter(|&millis| millis >= 0.0).map(|millis| millis as u32);
        let reset = match command.args.get(3) {
            Some(Value::Boolean(false)) => Reset::No,
            Some(Value::Number(number)) if *number == 0.0 => Reset::No,
            _ => Reset::Yes,
        };
        stream.state = StreamState::PlayRequested { request, name: name.clone(), reset };
        self.link.inbox.push(Event::PlayRequested(Box::new(PlayRequest {
            request,
            stream: id,
            app: client.app.clone(),
            name,
            start,
            duration,
            peer: client.peer.clone(),
        })));
        self.link.timers.await_nothing();
        Ok(())
    }

    /// `pause`, `seek`, `receiveAudio` and `receiveVideo`, on a stream that is played.
    pub(super) fn player_command(&mut self, command: &Command, stream: MessageStreamId) {
        if !self.plays(stream) {
            return;
        }
        let truth = command.args.first().and_then(Value::as_bool);
        let event = match (command.name.as_str(), truth) {
            ("pause" | "pauseRaw", Some(paused)) => {
                let (pause, code, words) = if paused {
                    (Pause::Paused, "NetStream.Pause.Notify", "paused")
                } else {
                    (Pause::Resumed, "NetStream.Unpause.Notify", "goes on")
                };
                self.status(stream, "status", code, words.to_owned());
                let at = flv::FlvMillis(command.number(1).unwrap_or(0.0) as u32);
                Event::Pause { stream, pause, at }
            }
            ("receiveAudio" | "receiveVideo", Some(wanted)) => {
                let kind = if command.name == "receiveAudio" { MediaKind::Audio } else { MediaKind::Video };
                let wanted = if wanted { Wanted::Yes } else { Wanted::No };
                Event::Wants { stream, kind, wanted }
            }
            ("seek", _) => {
                let words = "there is no going back or ahead here".to_owned();
                return self.status(stream, "error", "NetStream.Seek.Failed", words);
            }
            _ => return,
        };
        self.link.inbox.push(event);
    }
}
