//! The canvas, ladders and key rings.

use std::collections::HashMap;

use media::Size;

use crate::check::part::Part;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::literal::{write_bits, write_span};
use crate::model::{Encoder, Tune};

pub(crate) fn check(show: &Part, canvas: &Part, sink: &mut Sink) {
    let place = if canvas.word.len == 0 { None } else { Some(canvas.span_of("size")) };
    if let Some(size) = canvas.size("size") {
        for ladder in show.all("ladder") {
            rungs(ladder, size, place, sink);
        }
    }
    for ladder in show.all("ladder") {
        control(ladder, sink);
    }
    if let Some(rate) = canvas.rate("rate") {
        let tick = rate.tick_span();
        let keyframes = show.all("ladder").flat_map(|ladder| ladder.all("keyframe"));
        for every in keyframes.filter(|part| part.span("every").is_some_and(|every| every < tick)) {
            let message =
                format!("a key frame comes at most once a tick, which is {} long", write_span(tick));
            sink.push(Diagnostic::error("out-of-range", every.span_of("every"), message));
        }
    }
    for ring in show.all("key") {
        ids(ring, sink);
    }
}

fn rungs(ladder: &Part, canvas: Size, place: Option<Span>, sink: &mut Sink) {
    let mut before: Option<(Size, u32, Span)> = None;
    for rung in ladder.all("rung") {
        let (Some(size), span) = (rung.size("size"), rung.span_of("size")) else { continue };
        if !size.fits_in(canvas) {
            let message = format!("the rung is larger than the canvas; legal: up to {canvas}, not `{size}`");
            let said = Diagnostic::error("rung-too-large", span, message);
            sink.push(match place {
                Some(place) => said.label(place, "the canvas is set here"),
                None => said.help(format!("the canvas is {canvas} where the show does not say `video`")),
            });
        }
        let Some(bitrate) = rung.number("bitrate") else { continue };
        if let Some((larger, more, earlier)) = before
            && (size.area() > larger.area() || (size.area() == larger.area() && bitrate > more))
        {
            let message = "this rung is larger than the one before it; rungs go from the largest down";
            sink.push(
                Diagnostic::warning("rung-order", span, message).label(earlier, "the smaller one is here"),
            );
        }
        before = Some((size, bitrate, span));
    }
}

/// What a ladder's rungs say of rate control and encoders, taken together.
fn control(ladder: &Part, sink: &mut Sink) {
    let word = |node: &str| ladder.one(node).and_then(|part| part.word(node));
    for rung in ladder.all("rung") {
        let mut wrong = |slot: &str, message: String| {
            sink.push(Diagnostic::error("out-of-range", rung.span_of(slot), message));
        };
        let Some(bitrate) = rung.number("bitrate") else { continue };
        let maxrate = rung.number("maxrate");
        if let Some(most) = maxrate.filter(|most| *most < bitrate) {
            let (most, mean) = (write_bits(most), write_bits(bitrate));
            wrong("maxrate", format!("{most} is less than the rung's bitrate; legal: {mean} and more"));
        }
        let tenth = maxrate.unwrap_or(bitrate) / 10;
        if let Some(buffer) = rung.number("buffer").filter(|buffer| *buffer < tenth) {
            let (buffer, least) = (write_bits(buffer), write_bits(tenth));
            wrong(
                "buffer",
                format!("{buffer} is less than 100ms of the rung's bits; legal: {least} and more"),
            );
        }
        if word("latency") == Some("low") && rung.number("bframes").is_some_and(|most| most > 0) {
            wrong(
                "bframes",
                "B-frames wait for the picture after them; legal with `latency low`: 0".to_owned(),
            );
        }
        let encoder = rung.word("encoder").or_else(|| word("encoder")).unwrap_or("x264");
        let kind = Encoder::named(encoder);
        let is_chip = matches!(kind, Some(Encoder::H264V4l2 | Encoder::HevcV4l2));
        if is_chip && rung.number("bframes").is_some_and(|most| most > 0) {
            wrong("bframes", format!("{encoder} makes no B-frames; legal: 0"));
        }
        let tunes: &[&str] = match kind {
            Some(Encoder::X264) => &Tune::WORDS,
            Some(Encoder::X265) => &["animation", "grain", "fastdecode"],
            _ => &[],
        };
        if let Some(tune) = rung.word("tune").filter(|tune| !tunes.contains(tune)) {
            let legal = if tunes.is_empty() { "none".to_owned() } else { tunes.join(", ") };
            wrong("tune", format!("`{tune}` is no tune of {encoder}; legal: {legal}"));
        }
    }
}

fn ids(ring: &Part, sink: &mut Sink) {
    let mut seen: HashMap<u32, Span> = HashMap::new();
    for key in ring.all("id") {
        let (Some(id), span) = (key.number("id"), key.span_of("id")) else { continue };
        if let Some(earlier) = seen.get(&id) {
            let message = format!("this key ring has an id {id} already");
            sink.push(
                Diagnostic::error("duplicate-id", span, message)
                    .label(*earlier, "the first one is here")
                    .help("viewers select a key by its id"),
            );
        } else {
            seen.insert(id, span);
        }
    }
}
