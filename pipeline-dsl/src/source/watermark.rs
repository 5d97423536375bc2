//! Watermarks back into show text.

use super::{Writer, name, quoted, switch, text};
use crate::literal::{write_color, write_span, write_time};
use crate::model::*;

pub(super) fn write(w: &mut Writer, watermark: &Watermark) {
    w.open(&format!("watermark {}", name(&watermark.name)));
    match &watermark.mark {
        Mark::Graphic(graphic) => self::graphic(w, graphic),
        Mark::Forensic { id, strength } => w.line(&format!("forensic {id} strength={strength}")),
    }
    w.close();
}

/// What is not usual is said, and no more, but for the place.
fn graphic(w: &mut Writer, graphic: &Graphic) {
    let mut line = match &graphic.art {
        Art::Image { path } => format!("image {}", text(path)),
        Art::Text { text, style } => format!("text {}{}", quoted(text), look(style)),
        Art::Timecode { of, zone, units, style } => {
            let units = if *units == Units::Frames { "" } else { " units=seconds" };
            let zone = if *zone == Zone::UTC { String::new() } else { format!(" zone={zone}") };
            format!("timecode {}{units}{zone}{}", of.as_str(), look(style))
        }
    };
    line += &format!(" at={} margin={} opacity={}", graphic.at, graphic.margin, graphic.opacity);
    if graphic.scale != 100 {
        line += &format!(" scale={}%", graphic.scale);
    }
    if graphic.draw != Draw::Once {
        line += &format!(" draw={}", graphic.draw.as_str());
    }
    if graphic.state != Switch::On {
        line += &format!(" state={}", switch(graphic.state));
    }
    w.line(&line);
    for Waypoint { time, to, opacity } in &graphic.path {
        let to = to.map_or(String::new(), |to| format!(" to={to}"));
        let opacity = opacity.map_or(String::new(), |opacity| format!(" opacity={opacity}"));
        w.line(&format!("move {}{to}{opacity}", write_time(*time)));
    }
}

fn look(style: &TextStyle) -> String {
    let font = match &style.font {
        Some(Font::Family(family)) => format!(" font={}", quoted(family)),
        Some(Font::File(path)) => format!(" font-file={}", text(path)),
        None => String::new(),
    };
    let outline = style.outline.map_or(String::new(), |color| format!(" outline={}", write_color(color)));
    format!("{font} size={} color={}{outline}", style.size, write_color(style.color))
}

/// What a cue asks of one: `watermark bug off over=1s when=keyframe`.
pub(super) fn order(order: &MarkOrder) -> String {
    let (what, over) = match &order.change {
        MarkChange::State { to, over } => (switch(*to).to_owned(), *over),
        MarkChange::Text(words) => (format!("text {}", quoted(words)), None),
        MarkChange::Place { to: Some(at), over } => (format!("at {at}"), *over),
        MarkChange::Place { to: None, over } => (format!("at {OWN_PLACE}"), *over),
    };
    let over = over.map_or(String::new(), |over| format!(" over={}", write_span(over)));
    let when = match order.when {
        MarkTime::Now => "",
        MarkTime::KeyFrame => " when=keyframe",
    };
    format!("watermark {} {what}{over}{when}", name(&order.watermark))
}
