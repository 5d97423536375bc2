//! `POST /api/command`, `GET /api/status`, `GET /api/events`.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::sse::{self, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;

use crate::command::{Command, Refused, VERBS};
use crate::handle::Handle;

/// A page is told that all is well this often.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The longest command that brings no show file; the wire form of the largest has some hundred bytes.
const LONGEST_WITHOUT_FILE: usize = 16 << 10;
/// The longest command: `reload` may bring a whole show file, escaped.
pub(super) const LONGEST_COMMAND: usize = 2 * pipeline_dsl::syntax::MOST_BYTES + LONGEST_WITHOUT_FILE;

pub(super) async fn status(State(handle): State<Handle>) -> Response {
    json(StatusCode::OK, &handle.status())
}

pub(super) fn json(code: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (code, [(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// The HTTP status a refusal goes out with.
pub(super) fn code_of(refused: &Refused) -> StatusCode {
    match refused.code.as_str() {
        "not-as-expected" => StatusCode::PRECONDITION_FAILED,
        "in-transition" => StatusCode::TOO_EARLY,
        // A name that leads nowhere.
        code if code.starts_with("unknown-") => StatusCode::NOT_FOUND,
        "busy" => StatusCode::TOO_MANY_REQUESTS,
        "late" => StatusCode::GATEWAY_TIMEOUT,
        "thumbnail-failed" => StatusCode::INTERNAL_SERVER_ERROR,
        "encrypted" => StatusCode::FORBIDDEN,
        "ended" => StatusCode::GONE,
        code if code.starts_with("bad-") || code.starts_with("missing-") => StatusCode::BAD_REQUEST,
        _ => StatusCode::CONFLICT,
    }
}

pub(super) async fn command(State(handle): State<Handle>, body: Result<Bytes, BytesRejection>) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            let (code, legal) = match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => ("too-large", vec!["at most 1040 KiB"]),
                _ => ("bad-request", Vec::new()),
            };
            return json(rejection.status(), &Refused::new(code, rejection.body_text(), &legal));
        }
    };
    let command: Command = match serde_json::from_slice(&body) {
        Ok(command) => command,
        Err(error) => {
            let refused = Refused::new("bad-request", error.to_string(), &VERBS);
            return json(StatusCode::BAD_REQUEST, &refused);
        }
    };
    if body.len() > LONGEST_WITHOUT_FILE && command.file.is_none() {
        let refused = Refused::new("too-large", "the command is too long", &["at most 16 KiB"]);
        return json(StatusCode::PAYLOAD_TOO_LARGE, &refused);
    }
    // The answer comes with the tick: that is a wait of up to a frame.
    let outcome = tokio::task::spawn_blocking(move || handle.command(command)).await;
    match outcome {
        Ok(Ok(ack)) => json(StatusCode::OK, &ack),
        Ok(Err(refused)) => json(code_of(&refused), &refused),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A snapshot, then deltas; a reader that falls behind gets a new snapshot. The
/// stream ends with the show.
pub(super) async fn events(
    State(handle): State<Handle>,
) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let (status, deltas) = handle.subscribe();
    let first = stream::once(std::future::ready(event("snapshot", &status)));
    let rest = stream::unfold((handle, deltas), |(handle, mut deltas)| async move {
        match deltas.recv().await {
            Ok(delta) => {
                let event = match &delta.whole {
                    Some(status) => event("snapshot", status.as_ref()),
                    None => event("delta", &delta),
                };
                Some((event, (handle, deltas)))
            }
            Err(RecvError::Lagged(_)) => {
                let (status, deltas) = handle.subscribe();
                Some((event("snapshot", &status), (handle, deltas)))
            }
            Err(RecvError::Closed) => None,
        }
    });
    let beat =
        sse::KeepAlive::new().interval(HEARTBEAT).event(sse::Event::default().event("heartbeat").data("{}"));
    Sse::new(first.chain(rest).map(Ok)).keep_alive(beat)
}

fn event(name: &str, body: &impl Serialize) -> sse::Event {
    let data = serde_json::to_string(body).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"));
    sse::Event::default().event(name).data(data)
}
