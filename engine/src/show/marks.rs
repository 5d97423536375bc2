//! A channel's watermarks as its director has them: switched, told other words, put elsewhere, at
//! once or with the next key frame.

use std::sync::Arc;

use media::Key;
use pipeline_dsl as dsl;
use pipeline_dsl::{At, Switch, TimeOfDay};

use crate::channel::marks::MarkStates;
use crate::command::Refused;
use crate::status::MarkStatus;

/// What is to become of a watermark.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum MarkChange {
    State(Switch),
    Text(String),
    /// `None` is its own place, or its path.
    Put(Option<At>),
}

/// From when on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MarkWhen {
    Now,
    /// With the next key frame, so that viewers who join see what all see.
    KeyFrame,
}

/// What a director asks of a watermark.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct MarkOrder {
    pub(crate) name: String,
    pub(crate) change: MarkChange,
    pub(crate) when: MarkWhen,
}

/// A channel's watermarks, as they are and as they will be.
pub(crate) struct MarkDesk {
    now: Arc<MarkStates>,
    /// What waits for a key frame, in the order it came; at most one of a kind a watermark.
    waiting: Vec<MarkOrder>,
    /// Whether each is shown at first, by the show file's word.
    said: Vec<Switch>,
    /// Which of them are texts.
    texts: Vec<bool>,
}

impl MarkDesk {
    pub(crate) fn new(show: &dsl::Show, channel: &dsl::Channel) -> Self {
        let now = MarkStates::new(show, channel);
        let is_text = |name: &String| {
            let mark = show.watermarks.iter().find(|mark| mark.name == *name).map(|mark| &mark.mark);
            matches!(mark, Some(dsl::Mark::Graphic(dsl::Graphic { art: dsl::Art::Text { .. }, .. })))
        };
        let texts = now.graphics.iter().map(|graphic| is_text(&graphic.name)).collect();
        let said = now.graphics.iter().map(|graphic| graphic.state).collect();
        Self { now: Arc::new(now), waiting: Vec::new(), said, texts }
    }

    /// The time of day when the show begins.
    pub(crate) fn begin(&mut self, day: Option<TimeOfDay>) {
        Arc::make_mut(&mut self.now).day_at_zero = day;
    }

    /// Goes on with the channel as the show now has it: what was led stays, but for what the show
    /// file now says otherwise.
    pub(crate) fn rearrange(&mut self, show: &dsl::Show, channel: &dsl::Channel) {
        let (old, said) = (Arc::clone(&self.now), std::mem::take(&mut self.said));
        let (day, waiting) = (old.day_at_zero, std::mem::take(&mut self.waiting));
        *self = Self::new(show, channel);
        let now = Arc::make_mut(&mut self.now);
        now.day_at_zero = day;
        let is_there = |order: &MarkOrder| now.graphics.iter().any(|graphic| graphic.name == order.name);
        self.waiting = waiting.into_iter().filter(is_there).collect();
        for ((graphic, is_text), said_now) in now.graphics.iter_mut().zip(&self.texts).zip(&self.said) {
            let before = old.graphics.iter().zip(&said).find(|(before, _)| before.name == graphic.name);
            let Some((before, said)) = before else { continue };
            if said == said_now {
                graphic.state = before.state;
            }
            graphic.put = before.put;
            graphic.text = before.text.clone().filter(|_| *is_text);
        }
    }

    /// Takes an order, to be carried out at this tick or the next key frame.
    ///
    /// # Errors
    /// Nothing of this name is drawn on the channel, or it says nothing.
    pub(crate) fn take(&mut self, order: MarkOrder) -> Result<(), Refused> {
        let names: Vec<&str> = self.now.graphics.iter().map(|graphic| graphic.name.as_str()).collect();
        let Some(ix) = names.iter().position(|name| *name == order.name) else {
            let message = format!("the channel has no watermark {}", order.name);
            return Err(Refused::new("unknown-watermark", message, &names));
        };
        if matches!(order.change, MarkChange::Text(_)) && !self.texts[ix] {
            let texts: Vec<&str> =
                names.iter().zip(&self.texts).filter(|(_, is)| **is).map(|(name, _)| *name).collect();
            let message = format!("watermark {} is no text", order.name);
            return Err(Refused::new("no-text", message, &texts));
        }
        let same = |other: &MarkOrder| {
            other.name == order.name
                && std::mem::discriminant(&other.change) == std::mem::discriminant(&order.change)
        };
        // What is asked for last is meant.
        self.waiting.retain(|other| !same(other));
        self.waiting.push(order);
        Ok(())
    }

    /// How they are.
    pub(crate) fn now(&self) -> Arc<MarkStates> {
        Arc::clone(&self.now)
    }

    /// How they are at the tick that begins with this kind of frame.
    pub(crate) fn tick(&mut self, key: Key) -> Arc<MarkStates> {
        let is_due = |order: &MarkOrder| key == Key::Frame || order.when == MarkWhen::Now;
        for order in self.waiting.extract_if(.., |order| is_due(order)) {
            let states = Arc::make_mut(&mut self.now);
            let Some(graphic) = states.graphics.iter_mut().find(|graphic| graphic.name == order.name) else {
                continue;
            };
            match order.change {
                MarkChange::State(state) => graphic.state = state,
                MarkChange::Text(text) => graphic.text = Some(text),
                MarkChange::Put(put) => graphic.put = put,
            }
        }
        Arc::clone(&self.now)
    }

    pub(crate) fn status(&self) -> Vec<MarkStatus> {
        let graphics = self.now.graphics.iter().map(|graphic| MarkStatus {
            name: graphic.name.clone(),
            state: graphic.state,
            text: graphic.text.clone(),
            at: graphic.put.map(|put| put.to_string()),
            waiting: self.waiting.iter().any(|order| order.name == graphic.name),
        });
        graphics.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOW: &str = r#"show marks {
      video 640x360 25fps
      camera a { line l test bars }
      watermark bug { image "bug.png" }
      watermark name { text "Live" state=off }
      watermark trace { forensic 7 }
      ladder one { rung x 640x360 1M }
      channel c { sources a; watermark name trace bug; ladder one; egress w serve http-flv }
    }"#;

    fn desk() -> MarkDesk {
        let show = dsl::parse_show(SHOW).unwrap();
        MarkDesk::new(&show, &show.channels[0])
    }

    fn order(name: &str, change: MarkChange, when: MarkWhen) -> MarkOrder {
        MarkOrder { name: name.to_owned(), change, when }
    }

    #[test]
    fn what_waits_for_a_key_frame_comes_with_it() {
        let mut desk = desk();
        let states = |states: &MarkStates| states.graphics.iter().map(|g| g.state).collect::<Vec<_>>();
        assert_eq!(states(&desk.tick(Key::Frame)), [Switch::Off, Switch::On]);
        desk.take(order("name", MarkChange::State(Switch::On), MarkWhen::KeyFrame)).unwrap();
        desk.take(order("bug", MarkChange::State(Switch::Off), MarkWhen::Now)).unwrap();
        assert_eq!(states(&desk.tick(Key::Delta)), [Switch::Off, Switch::Off]);
        assert_eq!(desk.status().iter().map(|mark| mark.waiting).collect::<Vec<_>>(), [true, false]);
        assert_eq!(states(&desk.tick(Key::Frame)), [Switch::On, Switch::Off]);
        assert!(desk.status().iter().all(|mark| !mark.waiting));
    }

    #[test]
    fn what_is_asked_for_last_is_meant() {
        let mut desk = desk();
        for text in ["one", "two"] {
            desk.take(order("name", MarkChange::Text(text.into()), MarkWhen::KeyFrame)).unwrap();
        }
        desk.take(order("name", MarkChange::Put(At::parse("10%,0")), MarkWhen::Now)).unwrap();
        let now = desk.tick(Key::Delta);
        assert_eq!((now.graphics[0].text.as_deref(), now.graphics[0].put), (None, At::parse("10%,0")));
        assert_eq!(desk.tick(Key::Frame).graphics[0].text.as_deref(), Some("two"));
        assert_eq!(desk.status()[0].at.as_deref(), Some("10%,0"));
    }

    #[test]
    fn a_changed_show_file_leaves_what_was_led() {
        let mut desk = desk();
        desk.take(order("bug", MarkChange::State(Switch::Off), MarkWhen::Now)).unwrap();
        desk.take(order("name", MarkChange::Text("Karry".into()), MarkWhen::Now)).unwrap();
        desk.tick(Key::Delta);
        let show = dsl::parse_show(&SHOW.replace("state=off", "state=on")).unwrap();
        desk.rearrange(&show, &show.channels[0]);
        let now = desk.tick(Key::Delta);
        let led: Vec<_> =
            now.graphics.iter().map(|graphic| (graphic.state, graphic.text.as_deref())).collect();
        assert_eq!(led, [(Switch::On, Some("Karry")), (Switch::Off, None)]);
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_can() {
        let mut desk = desk();
        let refused = desk.take(order("trace", MarkChange::State(Switch::Off), MarkWhen::Now)).unwrap_err();
        assert_eq!(
            (refused.code.as_str(), refused.legal),
            ("unknown-watermark", vec!["name".into(), "bug".into()])
        );
        let refused = desk.take(order("bug", MarkChange::Text("x".into()), MarkWhen::Now)).unwrap_err();
        assert_eq!((refused.code.as_str(), refused.legal), ("no-text", vec!["name".to_owned()]));
    }
}
