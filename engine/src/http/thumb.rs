//! `GET /thumb/{source}.jpg`: what a camera, a scene or a filler shows; `GET
//! /thumb/channel/{channel}.jpg`: what a channel without a key shows, with all that is drawn on it.

use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::control;
use crate::handle::Handle;
use crate::thumb::{Answer, Of};

/// Seconds of show time: the tick that the picture is of.
const SHOW_TIME: HeaderName = HeaderName::from_static("obvan-t");
/// Why there is no picture, or no new one.
const REASON: HeaderName = HeaderName::from_static("obvan-reason");
/// A page from elsewhere cannot show it: an image is fetched without an `Origin` that could be checked.
const OWN_PAGES: (HeaderName, &str) =
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin");

pub(super) async fn source(State(handle): State<Handle>, Path(file): Path<String>) -> Response {
    thumb(&handle, Of::Source(named(&file))).await
}

pub(super) async fn channel(State(handle): State<Handle>, Path(file): Path<String>) -> Response {
    thumb(&handle, Of::Channel(named(&file))).await
}

fn named(file: &str) -> &str {
    file.strip_suffix(".jpg").unwrap_or(file)
}

async fn thumb(handle: &Handle, of: Of<'_>) -> Response {
    let no_store = (header::CACHE_CONTROL, "no-store");
    match handle.thumbs().ask(of).await {
        Ok(Answer::Jpeg { jpeg, at, age, why }) => {
            let told = [
                (SHOW_TIME, format!("{:.3}", at.as_secs_f64())),
                (header::AGE, format!("{:.0}", age.as_secs_f64().floor())),
            ];
            let why = why.map(|why| [(REASON, why)]);
            ([no_store, (header::CONTENT_TYPE, "image/jpeg"), OWN_PAGES], told, why, jpeg).into_response()
        }
        // Not an error: a camera that has not come yet is asked for again and again.
        Ok(Answer::Nothing(why)) => (StatusCode::NO_CONTENT, [no_store, (REASON, why)]).into_response(),
        Err(refused) => ([no_store], control::json(control::code_of(&refused), &refused)).into_response(),
    }
}
