//! `GET /live/{channel}/{rung}.flv`: a viewer joins a feed at its current GOP.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use media::{Time, Track};

use crate::egress::EgressMeter;
use crate::egress::exit::Exit;
use crate::egress::queue::{Bound, Item, SinkQueue, WhenFull};
use crate::handle::Handle;
use crate::way::{self, Station};

/// A viewer that is further behind loses frames up to the next key frame.
const BOUND: Bound = Bound { millis: 8_000, bytes: 32 << 20, when_full: WhenFull::Drop };
/// Viewers of one rung.
const MOST_VIEWERS: usize = 2_000;
/// Tags are sent together up to this size: fewer, larger writes.
const AT_ONCE: usize = 64 << 10;

/// Leaves the feed when the connection ends.
struct Seat {
    queue: Arc<SinkQueue>,
    meter: Arc<EgressMeter>,
    exit: Arc<Exit>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.meter.dropped(self.queue.take_dropped());
        self.queue.close();
    }
}

pub(super) async fn live(
    State(handle): State<Handle>,
    Path((channel, file)): Path<(String, String)>,
) -> Response {
    let feed = file.strip_suffix(".flv").and_then(|rung| handle.viewer_feed(&channel, rung));
    let Some(feed) = feed else {
        let message = format!(
            "nothing is served at /live/{channel}/{file}; there is: {}\n",
            handle.viewer_paths().join(", ")
        );
        return (StatusCode::NOT_FOUND, message).into_response();
    };
    if feed.feed.sinks() >= MOST_VIEWERS {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{MOST_VIEWERS} viewers watch already\n"))
            .into_response();
    }
    let (meter, exit) = (Arc::clone(&feed.meter), Arc::clone(&feed.exit));
    let seat = Seat { queue: feed.feed.join(BOUND), meter, exit };
    let mut header = BytesMut::new();
    flv::write_file_header(&mut header, flv::Tracks::Both);
    let body = stream::unfold((seat, Some(header)), |(seat, begun)| async move {
        let mut out = begun.unwrap_or_default();
        let item = tokio::select! {
            item = seat.queue.pop() => item?,
            () = seat.exit.until_shut() => return None,
        };
        write(&item, &mut out);
        while out.len() < AT_ONCE
            && let Some(item) = seat.queue.try_pop()
        {
            write(&item, &mut out);
        }
        seat.meter.sent(out.len());
        Some((Ok::<Bytes, std::convert::Infallible>(out.freeze()), (seat, None)))
    });
    let headers = [
        (header::CONTENT_TYPE, "video/x-flv"),
        (header::CACHE_CONTROL, "no-store"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, Body::from_stream(body)).into_response()
}

fn write(item: &Item, out: &mut BytesMut) {
    if item.role.track() == Some(Track::Video) {
        way::at(Station::Written, Time::from_millis(item.tag.timestamp.0.into()));
    }
    item.tag.write_into(out);
}
