//! Push points and listeners: each has one owner, and no channel feeds itself.
//! Certificates of one's own: only for what goes inside TLS.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::bound::Bound;
use crate::check::egresses::Output;
use crate::check::names::Index;
use crate::check::part::Part;
use crate::check::values::shown;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::grammar::Sort;
use crate::model::{Listen, PushPoint, Text};

/// A camera that an encoder pushes to, and where the show says so.
#[derive(Clone, Copy)]
struct Fed<'p> {
    camera: &'p Part,
    line: &'p Part,
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
                points.insert(point, Fed { camera, line, span });
            }
        }
    }
    keyed(&points, sink);
    bounds(index, sink);
    certificates(index, sink);
    let listeners = listeners(index, sink);
    feedback(index, outputs, &points, &listeners, sink);
    played(outputs, &points, sink);
}

/// A stream key may come as the last part of a path, so no point without one may lie behind a point
/// with one: who sends that name for a key would be let in there.
fn keyed(points: &HashMap<PushPoint, Fed<'_>>, sink: &mut Sink) {
    let is_keyed = |fed: &Fed<'_>| fed.line.secret("key").is_some();
    for (point, fed) in points.iter().filter(|(_, fed)| !is_keyed(fed)) {
        let Some((stream, last)) = point.stream.rsplit_once('/') else { continue };
        let parent = PushPoint { app: point.app.clone(), stream: stream.to_owned() };
        let Some(first) = points.get(&parent).filter(|fed| is_keyed(fed)) else { continue };
        let message = format!(
            "`{point}` lies behind `{parent}`, which has a key: `{}` could be that key, sent as a part of the path",
            shown(last)
        );
        sink.push(
            Diagnostic::error("same-push-point", fed.span, message)
                .label(first.span, "this one has a key")
                .help("give it a `key=` too, or another name"),
        );
    }
}

/// Where the engine listens, by the word of it, and said where two cannot.
fn listeners(index: &Index<'_>, sink: &mut Sink) -> Vec<(&'static str, SocketAddr)> {
    let listen = index.show.one("listen");
    let part = |word: &str| listen.and_then(|listen| listen.one(word));
    let said = |word: &str| part(word).and_then(|p| p.address("address"));
    let default = Listen::default();
    let http = ("http", said("http").unwrap_or(default.http));
    let rtmp = ("rtmp", said("rtmp").unwrap_or(default.rtmp));
    let mut all = vec![http, rtmp];
    all.extend(said("rtmps").map(|addr| ("rtmps", addr)));
    for (i, (word, addr)) in all.iter().enumerate() {
        for (other, taken) in &all[..i] {
            let same_host =
                addr.ip() == taken.ip() || addr.ip().is_unspecified() || taken.ip().is_unspecified();
            if addr.port() == taken.port() && addr.port() != 0 && same_host {
                let span = part(word).or(part(other)).map_or(index.show.word, |p| p.span_of("address"));
                let message = format!("{other} and {word} cannot both listen on port {}", addr.port());
                sink.push(Diagnostic::error("same-address", span, message));
            }
        }
    }
    all
}

/// Lines that wait for datagrams: two on one port would take them from one another.
fn bounds(index: &Index<'_>, sink: &mut Sink) {
    let mut taken: Vec<(Bound, Span)> = Vec::new();
    for line in index.show.all("camera").flat_map(|camera| camera.all("line")) {
        let Some(Text::Plain(url)) = line.text("url") else { continue };
        let Some(bound) = Bound::of(&url) else { continue };
        let span = line.span_of("url");
        match taken.iter().find(|(other, _)| other.clashes(&bound)) {
            Some((_, first)) => sink.push(
                Diagnostic::error(
                    "same-port",
                    span,
                    format!("another line waits on UDP port {} too", bound.port()),
                )
                .label(*first, "the first one is here")
                .help("each line needs a port, or a multicast group, of its own"),
            ),
            None => taken.push((bound, span)),
        }
    }
}

/// The wires that may go inside TLS, or be sent on to one that does.
const SECURED: [&str; 4] = ["rtmp", "rtmps", "http", "https"];

fn certificates(index: &Index<'_>, sink: &mut Sink) {
    let lines = index.show.all("camera").flat_map(|camera| camera.all("line"));
    let egresses = index.show.all("channel").flat_map(|channel| channel.all("egress"));
    for part in lines.chain(egresses) {
        let (Some(_), Some(Text::Plain(url))) = (part.text("ca"), part.text("url")) else { continue };
        let Some((scheme, _)) = url.split_once("://") else { continue };
        let scheme = scheme.to_ascii_lowercase();
        if SECURED.contains(&scheme.as_str()) {
            continue;
        }
        let message = format!("`ca=` says whom a TLS server is trusted by, but {scheme}:// has no TLS");
        sink.push(
            Diagnostic::error("ca-without-tls", part.span_of("ca"), message).help(
                "legal with rtmps:// and https://, and with rtmp:// and http://, which may send us there",
            ),
        );
    }
}

/// What players ask for by a name is what is published under it: no encoder may have that name.
fn played(outputs: &[Output], points: &HashMap<PushPoint, Fed<'_>>, sink: &mut Sink) {
    let points: HashMap<String, Span> = points.iter().map(|(p, fed)| (p.to_string(), fed.span)).collect();
    for output in outputs.iter().filter(|output| output.kind == "serves") {
        let Some(span) = points.get(&output.place) else { continue };
        let message = format!("`{}` is served to players and pushed to by an encoder", shown(&output.place));
        sink.push(
            Diagnostic::error("same-push-point", *span, message)
                .label(output.span, "it is served here")
                .help("give the push point another name"),
        );
    }
}

/// The URLs by which this machine itself reaches a push point.
fn own_urls(point: &PushPoint, scheme: &str, addr: SocketAddr) -> Vec<String> {
    let (app, stream, port) = (&point.app, &point.stream, addr.port());
    let usual = if scheme == "rtmps" { 443 } else { 1935 };
    let hosts = [addr.ip().to_string(), "127.0.0.1".to_owned(), "localhost".to_owned()];
    let with_port = hosts.iter().map(|host| format!("{scheme}://{host}:{port}/{app}/{stream}"));
    let without =
        hosts.iter().filter(|_| port == usual).map(|host| format!("{scheme}://{host}/{app}/{stream}"));
    with_port.chain(without).collect()
}

fn feedback(
    index: &Index<'_>,
    outputs: &[Output],
    points: &HashMap<PushPoint, Fed<'_>>,
    listeners: &[(&'static str, SocketAddr)],
    sink: &mut Sink,
) {
    let mut by_url: HashMap<String, Fed<'_>> = HashMap::new();
    for (scheme, addr) in listeners.iter().filter(|(word, _)| word.starts_with("rtmp")) {
        for (point, fed) in points {
            by_url.extend(own_urls(point, scheme, *addr).into_iter().map(|url| (url, *fed)));
        }
    }
    for output in outputs.iter().filter(|output| output.kind == "pushes to") {
        let Some(fed) = by_url.get(&output.place) else { continue };
        let Some(channel) = index.find(Sort::Channel, &output.channel) else { continue };
        let name = fed.camera.called().unwrap_or_default();
        let mut sources = channel.all("sources").flat_map(|part| part.names("source"));
        let shows = |source: &str| {
            let scene = index.find(Sort::Scene, source);
            let boxes = scene.into_iter().flat_map(|scene| scene.all("box"));
            source == name || boxes.flat_map(|part| part.names("camera")).any(|(camera, _)| camera == name)
        };
        if sources.any(|(source, _)| shows(source)) {
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
