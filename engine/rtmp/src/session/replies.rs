//! The commands a server answers with (sections 7.2.1 and 7.2.2).

use flv::amf0::Value;

use crate::message::Command;

/// `_result` to a command.
pub(super) fn result(transaction: f64, object: Value, value: Value) -> Command {
    Command { name: "_result".into(), transaction, object, args: vec![value] }
}

/// `_error` to a command.
pub(super) fn error(transaction: f64, code: &str, description: String) -> Command {
    let info = info("error", code, description);
    Command { name: "_error".into(), transaction, object: Value::Null, args: vec![Value::object(info)] }
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
pub(super) fn connected(transaction: f64, object_encoding: f64, four_ccs: Vec<Value>) -> Command {
    let server =
        Value::object([("fmsVer", Value::from("FMS/3,0,1,123")), ("capabilities", Value::from(31.0))]);
    let mut info = info("status", "NetConnection.Connect.Success", "connected".to_owned()).to_vec();
    info.push(("objectEncoding", Value::Number(object_encoding)));
    if !four_ccs.is_empty() {
        info.push(("fourCcList", Value::StrictArray(four_ccs)));
    }
    result(transaction, server, Value::object(info))
}

fn on(name: &str, info: [(&'static str, Value); 3]) -> Command {
    Command { name: name.into(), transaction: 0.0, object: Value::Null, args: vec![Value::object(info)] }
}

fn info(level: &str, code: &str, description: String) -> [(&'static str, Value); 3] {
    [("level", Value::from(level)), ("code", Value::from(code)), ("description", Value::from(description))]
}

/// A peer's word, cut to a length that fits a message to it or to a log.
pub(super) fn shown(word: &str) -> String {
    word.chars().take(64).collect()
}
