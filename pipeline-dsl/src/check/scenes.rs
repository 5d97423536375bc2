//! Scenes and their layouts: boxes that can be seen, names that are not taken, cues that can be.

use std::collections::HashMap;

use media::Size;

use crate::check::names::Index;
use crate::check::part::Part;
use crate::check::values::shown;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::grammar::Sort;
use crate::model::{Crop, Fit, MOST_BOXES, Spot, StockLayout};
use crate::stand::{Area, Framed, LEAST_SIDE};
use crate::suggest::did_you_mean;

pub(crate) fn check(show: &Part, canvas: &Part, sink: &mut Sink) {
    let canvas = canvas.size("size");
    for layout in show.all("layout") {
        own_name(layout, sink);
        numbers(layout, sink);
        bounded(layout, "layout", sink);
        for place in layout.all("box") {
            spot(place, canvas, sink);
        }
    }
    for scene in show.all("scene") {
        apart_from_cameras(show, scene, sink);
        bounded(scene, "scene", sink);
        for part in scene.all("box") {
            pin(part, sink);
            spot(part, canvas, sink);
            crop(part, canvas, sink);
        }
    }
}

/// Stock layouts are there in every show, so a name of one would have two meanings.
fn own_name(layout: &Part, sink: &mut Sink) {
    let Some(name) = layout.called().filter(|name| StockLayout::named(name).is_some()) else { return };
    let message = format!("every show has a layout `{name}` already");
    let help = format!("give yours another name than {}", StockLayout::WORDS.join(", "));
    sink.push(Diagnostic::error("duplicate-name", layout.span_of("name"), message).help(help));
}

fn numbers(layout: &Part, sink: &mut Sink) {
    let mut seen: HashMap<u32, Span> = HashMap::new();
    for place in layout.all("box") {
        let (Some(number), span) = (place.number("number"), place.span_of("number")) else { continue };
        match seen.get(&number) {
            Some(earlier) => {
                let message = format!("this layout has a box {number} already");
                sink.push(
                    Diagnostic::error("duplicate-name", span, message)
                        .label(*earlier, "the first one is here"),
                );
            }
            None => _ = seen.insert(number, span),
        }
    }
}

fn bounded(owner: &Part, word: &str, sink: &mut Sink) {
    if let Some(extra) = owner.all("box").nth(MOST_BOXES) {
        let message = format!("a {word} has 1 to {MOST_BOXES} boxes, and this is one more");
        sink.push(Diagnostic::error("too-many-boxes", extra.word, message));
    }
}

/// Both are sources, and channels tell sources by their names.
fn apart_from_cameras(show: &Part, scene: &Part, sink: &mut Sink) {
    let Some(name) = scene.called() else { return };
    if let Some(camera) = show.all("camera").find(|camera| camera.called() == Some(name)) {
        let message = format!("there is a camera `{}` already, and both are sources", shown(name));
        sink.push(
            Diagnostic::error("duplicate-name", scene.span_of("name"), message)
                .label(camera.span_of("name"), "the camera is here")
                .help("give the scene another name"),
        );
    }
}

/// A place has a corner and an extent, or neither.
fn pin(part: &Part, sink: &mut Sink) {
    let (said, missing) = match (part.lengths("at"), part.lengths("size")) {
        (Some(_), None) => ("at", "size"),
        (None, Some(_)) => ("size", "at"),
        _ => return,
    };
    let message = format!("a box with `{said}=` of its own needs `{missing}=`, too");
    let help = "give it both, or neither and leave it to the layout";
    sink.push(Diagnostic::error("missing-key", part.span_of(said), message).help(help));
}

fn spot(part: &Part, canvas: Option<Size>, sink: &mut Sink) {
    let (Some(canvas), Some(at), Some(size)) = (canvas, part.lengths("at"), part.lengths("size")) else {
        return;
    };
    let (area, whole) = (Area::of(Spot { at, size }, canvas), Area::whole(canvas));
    // Parts of a hundred do not always add up: half a pixel is forgiven.
    let half = Area::UNIT / 2;
    if area.left + area.width > whole.width + half || area.top + area.height > whole.height + half {
        let message = format!(
            "the box reaches beyond the canvas: to {},{} of {canvas}",
            (area.left + area.width + half) / Area::UNIT,
            (area.top + area.height + half) / Area::UNIT
        );
        sink.push(
            Diagnostic::error("off-canvas", part.span_of("size"), message)
                .label(part.span_of("at"), "it begins here")
                .help("`at` and `size` together are at most 100%, or the pixels of the canvas"),
        );
        return;
    }
    let border = part.number("border").unwrap_or(0);
    if Framed::new(area, Fit::Stretch, Crop::NONE, border, canvas).is_none() {
        let message = format!(
            "no picture can be seen in so small a box; legal: {LEAST_SIDE}x{LEAST_SIDE} pixels and more within its border"
        );
        sink.push(Diagnostic::error("too-small", part.span_of("size"), message));
    }
}

fn crop(part: &Part, canvas: Option<Size>, sink: &mut Sink) {
    let (Some(canvas), Some(crop)) = (canvas, part.crop("crop")) else { return };
    if Framed::new(Area::whole(canvas), Fit::Stretch, crop, 0, canvas).is_none() {
        let message = format!(
            "so much is cut off that no picture is left; legal: {LEAST_SIDE}x{LEAST_SIDE} pixels and more of {canvas}"
        );
        sink.push(Diagnostic::error("too-small", part.span_of("crop"), message));
    }
}

/// A cue about a scene: what it names is there, and its keys are those of what it is about.
pub(super) fn cue(index: &Index<'_>, cue: &Part, sink: &mut Sink) {
    let (Some(part), Some(which)) = (cue.word("part"), cue.name("which")) else { return };
    let (known, stray): (Vec<&str>, &[&str]) = match part {
        "layout" => {
            let own = index.show.all("layout").filter_map(Part::called);
            (StockLayout::WORDS.into_iter().chain(own).collect(), &["level", "mute"])
        }
        _ => {
            let Some(scene) = index.named_by(cue, Sort::Scene, "scene") else { return };
            (scene.all("box").filter_map(Part::called).collect(), &["over"])
        }
    };
    for key in stray.iter().filter(|key| cue.find(key).is_some()) {
        let message = format!("`{key}=` says nothing of a {part}");
        let help = match part {
            "layout" => "a layout has `over=`",
            _ => "a box has `level=` or `mute=`",
        };
        sink.push(Diagnostic::error("unknown-key", cue.span_of(key), message).help(help));
    }
    if !known.contains(&which.as_str()) {
        let legal: Vec<_> = known.iter().take(20).map(|name| shown(name)).collect();
        let message = format!("there is no {part} `{}`; there are: {}", shown(&which), legal.join(", "));
        sink.push(
            Diagnostic::error("undefined-name", cue.span_of("which"), message)
                .help_if(did_you_mean(&which, known.iter().copied())),
        );
    }
    let keys = ["level", "mute"].map(|key| cue.find(key).map(|(_, span)| span));
    match (part, keys) {
        ("box", [None, None]) => {
            let message = "this cue says nothing of the box";
            let help = "give it `level=` or `mute=`";
            sink.push(Diagnostic::error("missing-key", cue.span_of("which"), message).help(help));
        }
        ("box", [Some(_), Some(mute)]) => {
            let message = "a cue says one thing of a box";
            sink.push(Diagnostic::error("repeated", mute, message).help("write two cues"));
        }
        _ => {}
    }
}
