//! What a client says, and what it makes of the answers (sections 7.2.1 and 7.2.2).

use flv::amf0::{Properties, Value};
use media::Time;

use super::event::{ClientEnd, ClientError, ClientEvent, Redirect, Refusal, ServerInfo, Status};
use super::{ClientSession, Intent, State, sign_in};
use crate::chunk::ChunkSize;
use crate::enhanced::Capabilities;
use crate::message::{Command, MessageStreamId, UserControl};
use crate::session::error::{ProtocolFault, SessionError, TimeoutKind};
use crate::session::names::values;
use crate::url::{RtmpUrl, decoded};

/// The numbers of our commands: each is sent once.
mod number {
    pub const CONNECT: f64 = 1.0;
    pub const RELEASE: f64 = 2.0;
    pub const FC_PUBLISH: f64 = 3.0;
    pub const CREATE: f64 = 4.0;
    pub const START: f64 = 5.0;
    pub const CHECK: f64 = 6.0;
    pub const FC_UNPUBLISH: f64 = 7.0;
    pub const DELETE: f64 = 8.0;
}

/// A stream's name of this length may be a key.
const SHORTEST_KEY: usize = 8;
/// The shortest value in a query that is taken for a secret, in bytes.
const SHORTEST_VALUE: usize = 4;
/// The longest of a server's words that is kept, in characters.
const WORDS: usize = 300;

impl ClientSession {
    pub(super) fn connect(&mut self) {
        let config = &self.config;
        let mut object: Properties = Vec::new();
        let mut put = |name: &str, value: Value| object.push((name.to_owned(), value));
        put("app", config.url.app().raw().into());
        if config.intent == Intent::Publish {
            put("type", "nonprivate".into());
        }
        put("flashVer", config.flash_version.as_str().into());
        put("tcUrl", config.url.tc_url().into());
        if config.intent == Intent::Play {
            // What Flash Player said that it decodes: all of it.
            put("fpad", false.into());
            put("capabilities", 15.0.into());
            put("audioCodecs", 4071.0.into());
            put("videoCodecs", 252.0.into());
            put("videoFunction", 1.0.into());
        }
        config.capabilities.write(&mut object);
        self.say(MessageStreamId::CONTROL, "connect", number::CONNECT, Value::Object(object), vec![]);
    }

    pub(super) fn farewell(&mut self) {
        let Some(id) = self.state.stream() else { return };
        if self.config.intent == Intent::Publish {
            let name = vec![self.config.url.stream().raw().into()];
            self.say(MessageStreamId::CONTROL, "FCUnpublish", number::FC_UNPUBLISH, Value::Null, name);
        }
        let id = vec![id.0.into()];
        self.say(MessageStreamId::CONTROL, "deleteStream", number::DELETE, Value::Null, id);
    }

    fn say(
        &mut self,
        stream: MessageStreamId,
        name: &str,
        transaction: f64,
        object: Value,
        args: Vec<Value>,
    ) {
        self.link.output.command(stream, Command { name: name.into(), transaction, object, args });
    }

    pub(super) fn command(&mut self, command: &Command, at: u64, now: Time) -> Result<(), ClientError> {
        match command.name.as_str() {
            "_result" if command.transaction == number::CONNECT => self.connected(command, now)?,
            "_result" if command.transaction == number::CREATE => {
                self.created(command).map_err(|fault| SessionError::Protocol { at, fault })?;
            }
            "_error" => {
                let ours = [number::CONNECT, number::CREATE, number::START];
                if ours.contains(&command.transaction) {
                    return self.refused(information(command));
                }
            }
            "onStatus" => self.status(information(command))?,
            // Flash-era servers tell this way that a name is taken.
            "onFCPublish" | "onFCSubscribe" => {
                let information = information(command);
                if text(information, "level") == "error" {
                    return self.refused(information);
                }
            }
            "onBWDone" => self.check_bandwidth(),
            "_onbwcheck" => {
                let now = vec![Value::from(flv::FlvMillis::from_time(now).0)];
                self.say(MessageStreamId::CONTROL, "_result", command.transaction, Value::Null, now);
            }
            "close" => self.closed(),
            _ => {}
        }
        Ok(())
    }

    /// What Flash-era servers wait for when they say that they are done; once.
    fn check_bandwidth(&mut self) {
        if !std::mem::replace(&mut self.checked, true) {
            self.say(MessageStreamId::CONTROL, "_checkbw", number::CHECK, Value::Null, vec![]);
        }
    }

    fn closed(&mut self) {
        self.link.close();
        self.link.inbox.push(ClientEvent::Ended(ClientEnd::Closed));
    }

    fn connected(&mut self, command: &Command, now: Time) -> Result<(), ClientError> {
        if self.state != State::Connecting {
            return Ok(());
        }
        let info = information(command);
        let code = text(info, "code");
        // Some servers say nothing but `_result`.
        if !matches!(code, "" | "NetConnection.Connect.Success") {
            return self.refused(info);
        }
        let version = command.object.get("fmsVer").and_then(Value::as_str);
        let mut capabilities = Capabilities::read(info);
        if !capabilities.is_enhanced() {
            capabilities = Capabilities::read(&command.object);
        }
        let version = version.map(|version| version.chars().take(64).collect());
        self.link.inbox.push(ClientEvent::Connected(Box::new(ServerInfo { version, capabilities })));

        self.link.timers.allow_pings();
        self.link.timers.await_within(TimeoutKind::Started, self.config.start_within, now);
        self.link.output.tell_window(self.config.window_ack);
        // A server that leaves its own chunks at 128 bytes may be old.
        let large = self.link.peer_chunk_size().is_some_and(|theirs| theirs > ChunkSize::INITIAL);
        let size = if large { self.config.chunk_size } else { self.config.chunk_size.min(ChunkSize::USUAL) };
        self.link.output.set_chunk_size(size);
        if self.config.intent == Intent::Publish {
            let name = || vec![Value::from(self.config.url.stream().raw())];
            let (release, announce) = (name(), name());
            self.say(MessageStreamId::CONTROL, "releaseStream", number::RELEASE, Value::Null, release);
            self.say(MessageStreamId::CONTROL, "FCPublish", number::FC_PUBLISH, Value::Null, announce);
        }
        self.say(MessageStreamId::CONTROL, "createStream", number::CREATE, Value::Null, vec![]);
        self.state = State::Creating;
        Ok(())
    }

    fn created(&mut self, command: &Command) -> Result<(), ProtocolFault> {
        if self.state != State::Creating {
            return Ok(());
        }
        let number = command.number(0).filter(|n| (1.0..=f64::from(u32::MAX)).contains(n));
        let id = MessageStreamId(number.ok_or(ProtocolFault::NoStreamNumber)? as u32);
        self.state = State::Starting(id);
        let name = Value::from(self.config.url.stream().raw());
        match self.config.intent {
            Intent::Publish => self.say(id, "publish", number::START, Value::Null, vec![name, "live".into()]),
            Intent::Play => {
                let millis = self.config.buffer.as_millis_rounded().clamp(0, u32::MAX.into()) as u32;
                // -2: live, or else a recording.
                self.say(id, "play", number::START, Value::Null, vec![name, (-2000.0).into()]);
                self.link.output.user_control(UserControl::SetBufferLength { stream: id, millis });
            }
        }
        Ok(())
    }

    fn status(&mut self, info: &Value) -> Result<(), ClientError> {
        let (level, code) = (text(info, "level"), text(info, "code"));
        match (code, self.config.intent) {
            ("NetStream.Publish.Start", Intent::Publish)
            | ("NetStream.Play.Start" | "NetStream.Play.PublishNotify", Intent::Play) => {
                self.started();
                return Ok(());
            }
            ("NetStream.Play.UnpublishNotify", _) => self.ended(ClientEnd::Unpublished),
            ("NetStream.Play.Stop" | "NetStream.Play.Complete", _) => self.ended(ClientEnd::Complete),
            ("NetConnection.Connect.ReconnectRequest", _) => self.reconnect_requested(info),
            ("NetConnection.Connect.Closed", _) => self.closed(),
            _ if level == "error" || moved_to(info).is_some() => return self.refused(info),
            _ => {
                let status = Status {
                    level: self.words(level),
                    code: self.words(code),
                    words: self.description(info),
                };
                self.link.inbox.push(ClientEvent::Status(Box::new(status)));
            }
        }
        Ok(())
    }

    fn reconnect_requested(&mut self, info: &Value) {
        let old = &self.config.url;
        // What is no URL is passed over: nothing forces us to go.
        let url = match info.get("tcUrl").and_then(Value::as_str) {
            Some(target) => old.moved_to(target).ok(),
            None => Some(old.clone()),
        };
        if let Some(url) = url.map(Box::new) {
            let words = self.description(info);
            self.link.inbox.push(ClientEvent::ReconnectRequested { url, words });
        }
    }

    /// The server says no, or where else to go.
    fn refused(&mut self, info: &Value) -> Result<(), ClientError> {
        let config = &self.config;
        let elsewhere = match moved_to(info) {
            Some(target) => Some(target.url(&config.url).map_err(ClientError::BadRedirect)?),
            None if self.state == State::Connecting => {
                sign_in::next(text(info, "description"), &config.url, config.nonce)
            }
            None => None,
        };
        if let Some(url) = elsewhere {
            let Some(hops) = config.hops.spend() else {
                return Err(ClientError::TooManyHops { to: Box::new(url) });
            };
            self.link.close();
            self.link.inbox.push(ClientEvent::Redirected(Box::new(Redirect { url, hops })));
            return Ok(());
        }
        let code = match text(info, "code") {
            "" => "no reason given".to_owned(),
            code => self.words(code),
        };
        let (stage, words) = (self.state.stage(), self.description(info));
        Err(ClientError::Refused(Box::new(Refusal { stage, code, words })))
    }

    fn description(&self, info: &Value) -> String {
        self.words(text(info, "description"))
    }

    /// A server's words for our logs: short, printable, and without our secrets,
    /// which servers like to repeat.
    fn words(&self, words: &str) -> String {
        let url = &self.config.url;
        // For most CDNs the stream's name is the key; a short one is a word like any other.
        let names = [url.stream().raw(), url.stream().name()].map(|name| (name, SHORTEST_KEY));
        let queries = [url.stream().query(), url.app().query()].into_iter().flatten();
        let password = url.credentials().map(|credentials| credentials.password());
        let told = queries.clone().chain(password).map(|secret| (secret, 1));
        // A token by itself; `1` and `on` are words.
        let tokens = queries.flat_map(values).map(|token| (token, SHORTEST_VALUE));
        // As they are sent, and as a server decodes them.
        let all = names.into_iter().chain(told).chain(tokens);
        let all = all.flat_map(|(secret, least)| [(secret.to_owned(), least), (decoded(secret), least)]);
        let mut secrets: Vec<String> =
            all.filter(|(secret, least)| secret.len() >= *least).map(|(secret, _)| secret).collect();
        // The longest first: none is left cut behind a part of it.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let words = secrets.iter().fold(words.to_owned(), |words, secret| words.replace(secret, "…"));
        crate::printable(&words, WORDS)
    }
}

/// Where a refusal sends us.
struct Target<'a> {
    /// The application there.
    app: Option<&'a str>,
    /// Application and stream there, as SRS adds it.
    whole: Option<&'a str>,
}

impl Target<'_> {
    fn url(&self, old: &RtmpUrl) -> Result<RtmpUrl, crate::url::UrlError> {
        match (self.whole.map(str::parse), self.app) {
            (Some(Ok(url)), _) => Ok(url),
            (_, Some(app)) => old.moved_to(app),
            (Some(Err(err)), None) => Err(err),
            (None, None) => Err(crate::url::UrlError::Scheme),
        }
    }
}

/// Reads `ex.redirect` where `ex.code` is 302.
fn moved_to(info: &Value) -> Option<Target<'_>> {
    let ex = info.get("ex")?;
    let code = ex.get("code")?;
    if code.as_f64() != Some(302.0) && code.as_str() != Some("302") {
        return None;
    }
    let text = |name| ex.get(name).and_then(Value::as_str);
    Some(Target { app: text("redirect"), whole: text("redirect2") })
}

/// The information object: the first argument, or the command object where a
/// server has put it there.
fn information(command: &Command) -> &Value {
    let first = command.args.iter().find(|value| !value.properties().is_empty());
    first.unwrap_or(&command.object)
}

fn text<'a>(info: &'a Value, name: &str) -> &'a str {
    info.get(name).and_then(Value::as_str).unwrap_or_default()
}
