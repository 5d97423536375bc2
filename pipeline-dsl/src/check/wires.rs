//! Push points and listeners: each has one owner, and no channel feeds itself.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::check::egresses::Output;
use crate::check::names::Index;
use crate::check::part::Part;
use crate::check::values::shown;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::grammar::Sort;
use crate::model::{Listen, PushPoint};

/// A camera that an encoder pushes to, and where the show says so.
#[derive(Clone, Copy)]
struct Fed<'p> {
    camera: &'p Part,
    span: Span,
}

pub(crate) fn check(index: &Index<'_>, outputs: &[Output], sink: &mut Sink) {
    let mut points: HashMap<PushPoint, Fed<'_>> = HashMap::new();
    for camera in index.show.all("camera") {
        for line in camera.all("line") {
            let Some(point) = line.point("point") else { continue };
            let span = line.span_of("point");
            if let Some(first) = points.get(&point) {
                let message = format!("another line has the push point `{point}` too");
                sink.push(
                    Diagnostic::error("same-push-point", span, message)
                        .label(first.span, "the first one is here")
                        .help("an encoder is told from another by its push point alone"),
                );
            } else {
                points.insert(point, Fed { camera, span });
            }
        }
    }
    let listen = index.show.one("listen");
    let part = |word: &str| listen.and_then(|listen| listen.one(word));
    let default = Listen::default();
    let http = part("http").and_then(|p| p.address("address")).unwrap_or(default.http);
    let rtmp = part("rtmp").and_then(|p| p.address("address")).unwrap_or(default.rtmp);
    let same_host = http.ip() == rtmp.ip() || http.ip().is_unspecified() || rtmp.ip().is_unspecified();
    if http.port() == rtmp.port() && http.port() != 0 && same_host {
        let span = part("rtmp").or(part("http")).map_or(index.show.word, |p| p.span_of("address"));
        let message = format!("http and rtmp cannot both listen on port {}", http.port());
        sink.push(Diagnostic::error("same-address", span, message));
    }
    feedback(index, outputs, &points, rtmp, sink);
}

/// The URLs by which this machine itself reaches a push point.
fn own_urls(point: &PushPoint, rtmp: SocketAddr) -> Vec<String> {
    let (app, stream, port) = (&point.app, &point.stream, rtmp.port());
    let hosts = [rtmp.ip().to_string(), "127.0.0.1".to_owned(), "localhost".to_owned()];
    let with_port = hosts.iter().map(|host| format!("rtmp://{host}:{port}/{app}/{stream}"));
    let without = hosts.iter().filter(|_| port == 1935).map(|host| format!("rtmp://{host}/{app}/{stream}"));
    with_port.chain(without).collect()
}

fn feedback(
    index: &Index<'_>,
    outputs: &[Output],
    points: &HashMap<PushPoint, Fed<'_>>,
    rtmp: SocketAddr,
    sink: &mut Sink,
) {
    let mut by_url: HashMap<String, Fed<'_>> = HashMap::new();
    for (point, fed) in points {
        by_url.extend(own_urls(point, rtmp).into_iter().map(|url| (url, *fed)));
    }
    for output in outputs.iter().filter(|output| output.kind == "pushes to") {
        let Some(fed) = by_url.get(&output.place) else { continue };
        let Some(channel) = index.find(Sort::Channel, &output.channel) else { continue };
        let name = fed.camera.called().unwrap_or_default();
        let mut sources = channel.all("sources").flat_map(|part| part.names("camera"));
        if sources.any(|(source, _)| source == name) {
            let message = format!(
                "a loop: channel `{}` pushes to `{}`, which is its own camera `{}`",
                shown(&output.channel),
                shown(&output.place),
                shown(name)
            );
            sink.push(
                Diagnostic::error("loop", output.span, message).label(fed.span, "the camera is fed here"),
            );
        }
    }
}
