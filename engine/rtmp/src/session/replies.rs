//! The commands a server answers with (sections 7.2.1 and 7.2.2).

use bytes::{Bytes, BytesMut};
use flv::amf0::{self, Properties, Value};

use crate::enhanced::Capabilities;
use crate::message::Command;
use crate::url::RtmpUrl;

/// `_result` to a command.
pub(super) fn result(transaction: f64, object: Value, value: Value) -> Command {
    Command { name: "_result".into(), transaction, object, args: vec![value] }
}

/// `_error` to a command.
pub(super) fn error(transaction: f64, code: &str, description: String) -> Command {
    error_with(transaction, info("error", code, description))
}

fn error_with(transaction: f64, info: Properties) -> Command {
    Command { name: "_error".into(), transaction, object: Value::Null, args: vec![Value::Object(info)] }
}

/// `onStatus` of a stream.
pub(super) fn status(level: &str, code: &str, description: String) -> Command {
    on("onStatus", info(level, code, description))
}

/// `onFCPublish`, which Flash-era encoders wait for.
pub(super) fn on_fc_publish(name: &str) -> Command {
    on("onFCPublish", info("status", "NetStream.Publish.Start", shown(name)))
}

/// `_result` to `connect`.
pub(super) fn connected(transaction: f64, object_encoding: f64, confirmed: &Capabilities) -> Command {
    let server =
        Value::object([("fmsVer", Value::from("FMS/3,0,1,123")), ("capabilities", Value::from(31.0))]);
    let mut info = info("status", "NetConnection.Connect.Success", "connected".to_owned());
    info.push(("objectEncoding".into(), Value::Number(object_encoding)));
    confirmed.write(&mut info);
    result(transaction, server, Value::Object(info))
}

/// `_error` to `connect`, with the place to go to instead.
pub(super) fn moved(transaction: f64, to: &RtmpUrl) -> Command {
    let mut info = info("error", "NetConnection.Connect.Rejected", "moved".to_owned());
    // As Flash servers and SRS have it: the application, and the whole.
    let whole = format!("{}/{}", to.tc_url(), to.stream().raw());
    let target = [
        ("code", Value::from(302.0)),
        ("redirect", Value::from(to.tc_url())),
        ("redirect2", Value::from(whole)),
    ];
    info.push(("ex".into(), Value::object(target)));
    error_with(transaction, info)
}

/// `onStatus` that asks a client of enhanced RTMP to connect anew.
pub(super) fn reconnect(tc_url: Option<&str>, description: &str) -> Command {
    let mut info = info("status", "NetConnection.Connect.ReconnectRequest", description.to_owned());
    if let Some(url) = tc_url {
        info.push(("tcUrl".into(), Value::from(url)));
    }
    on("onStatus", info)
}

/// `|RtmpSampleAccess`: a player may see what it plays.
pub(super) fn sample_access() -> Bytes {
    data(&[Value::from("|RtmpSampleAccess"), Value::from(true), Value::from(true)])
}

/// `onPlayStatus`: a recording is at its end.
pub(super) fn play_complete() -> Bytes {
    let info = info("status", "NetStream.Play.Complete", "complete".to_owned());
    data(&[Value::from("onPlayStatus"), Value::Object(info)])
}

fn data(values: &[Value]) -> Bytes {
    let mut out = BytesMut::new();
    amf0::encode_all(values, &mut out).expect("what we send is flat and short-named");
    out.freeze()
}

fn on(name: &str, info: Properties) -> Command {
    Command { name: name.into(), transaction: 0.0, object: Value::Null, args: vec![Value::Object(info)] }
}

fn info(level: &str, code: &str, description: String) -> Properties {
    let pairs = [("level", level.to_owned()), ("code", code.to_owned()), ("description", description)];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

/// A peer's word, as it fits a message to it or to a log.
pub(super) fn shown(word: &str) -> String {
    crate::printable(word, 64)
}
