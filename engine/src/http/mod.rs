//! The routes of a running show: control, events, thumbnails and viewers. Whoever mounts
//! them decides where to listen and who may come in.

mod control;
mod metrics;
mod thumb;
mod viewer;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::handle::Handle;

/// `/api/status`, `/api/events`, `/api/command`, `/thumb/…`, `/live/…`, `/metrics` and `/healthz`.
pub fn routes(handle: Handle) -> Router {
    Router::new()
        .route("/api/status", get(control::status))
        .route("/api/events", get(control::events))
        .route("/api/command", post(control::command).layer(DefaultBodyLimit::max(control::LONGEST_COMMAND)))
        .route("/thumb/{file}", get(thumb::source))
        .route("/thumb/channel/{file}", get(thumb::channel))
        .route("/live/{channel}/{file}", get(viewer::live))
        .route("/metrics", get(metrics::metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .with_state(handle)
}
