//! A channel's watermarks as its director has them: switched, told other words, put elsewhere, at
//! once or with the next key frame.

use std::sync::Arc;

use media::{Key, Time};
use pipeline_dsl as dsl;
use pipeline_dsl::{MarkChange, MarkOrder, MarkTime, Switch, TimeOfDay};

use crate::channel::marks::MarkStates;
use crate::resume::{KeptMark, KeptMarks};
use crate::status::MarkStatus;

/// A channel's watermarks, as they are and as they will be.
pub(crate) struct MarkDesk {
    now: Arc<MarkStates>,
    /// What waits for a key frame, in the order it came; at most one of a kind a watermark.
    waiting: Vec<MarkOrder>,
    /// Whether each is shown at first, by the show file's word.
    said: Vec<Switch>,
    /// Which of them are texts.
    texts: Vec<bool>,
    /// Whether any of them fades, or is on its way.
    moving: bool,
}

impl MarkDesk {
    pub(crate) fn new(show: &dsl::Show, channel: &dsl::Channel) -> Self {
        let now = MarkStates::new(show, channel);
        let is_text = |name: &String| {
            let mark = show.watermarks.iter().find(|mark| mark.name == *name).map(|mark| &mark.mark);
            matches!(mark, Some(dsl::Mark::Graphic(dsl::Graphic { art: dsl::Art::Text { .. }, .. })))
        };
        let texts = now.graphics.iter().map(|graphic| is_text(&graphic.name)).collect();
        let said = now.graphics.iter().map(|graphic| graphic.fade.state()).collect();
        Self { now: Arc::new(now), waiting: Vec::new(), said, texts, moving: false }
    }

    /// The time of day when the show begins.
    pub(crate) fn begin(&mut self, day: Option<TimeOfDay>) {
        Arc::make_mut(&mut self.now).day_at_zero = day;
    }

    /// Goes on with the channel as the show now has it: what was led stays, but for what the show
    /// file now says otherwise.
    pub(crate) fn rearrange(&mut self, show: &dsl::Show, channel: &dsl::Channel) {
        let (old, said) = (Arc::clone(&self.now), std::mem::take(&mut self.said));
        let (day, waiting, moving) = (old.day_at_zero, std::mem::take(&mut self.waiting), self.moving);
        *self = Self { moving, ..Self::new(show, channel) };
        let now = Arc::make_mut(&mut self.now);
        now.day_at_zero = day;
        let is_there = |order: &MarkOrder| now.graphics.iter().any(|graphic| graphic.name == order.watermark);
        self.waiting = waiting.into_iter().filter(is_there).collect();
        for ((graphic, is_text), said_now) in now.graphics.iter_mut().zip(&self.texts).zip(&self.said) {
            let before = old.graphics.iter().zip(&said).find(|(before, _)| before.name == graphic.name);
            let Some((before, said)) = before else { continue };
            if said == said_now {
                graphic.fade = before.fade;
            }
            graphic.put = before.put.clone();
            graphic.text = before.text.clone().filter(|_| *is_text);
        }
    }

    /// As they are led, to be kept.
    pub(crate) fn keep(&self) -> KeptMarks {
        let marks = self.now.graphics.iter().zip(&self.said).map(|(graphic, said)| KeptMark {
            name: graphic.name.clone(),
            said: *said,
            fade: graphic.fade,
            text: graphic.text.clone(),
            put: graphic.put.clone(),
        });
        KeptMarks { marks: marks.collect(), waiting: self.waiting.clone() }
    }

    /// Goes on from what was kept, but for what the show file now says otherwise.
    pub(crate) fn take_up(&mut self, kept: &KeptMarks) {
        let now = Arc::make_mut(&mut self.now);
        for ((graphic, is_text), said) in now.graphics.iter_mut().zip(&self.texts).zip(&self.said) {
            let Some(before) = kept.marks.iter().find(|before| before.name == graphic.name) else { continue };
            if before.said == *said {
                graphic.fade = before.fade;
            }
            graphic.put = before.put.clone();
            graphic.text = before.text.clone().filter(|_| *is_text);
        }
        let is_there =
            |order: &&MarkOrder| now.graphics.iter().any(|graphic| graphic.name == order.watermark);
        self.waiting = kept.waiting.iter().filter(is_there).cloned().collect();
        // What was on its way arrives.
        self.moving = true;
    }

    /// Takes an order that its channel has been found to be able to carry out, with this tick or the
    /// next key frame.
    pub(crate) fn take(&mut self, order: MarkOrder) {
        let same = |other: &MarkOrder| {
            other.watermark == order.watermark
                && std::mem::discriminant(&other.change) == std::mem::discriminant(&order.change)
        };
        // What is asked for last is meant.
        self.waiting.retain(|other| !same(other));
        self.waiting.push(order);
    }

    /// How they are.
    pub(crate) fn now(&self) -> Arc<MarkStates> {
        Arc::clone(&self.now)
    }

    /// How they are at the tick at `at` that begins with this kind of frame.
    pub(crate) fn tick(&mut self, key: Key, at: Time) -> Arc<MarkStates> {
        let is_due = |order: &MarkOrder| key == Key::Frame || order.when == MarkTime::Now;
        for order in self.waiting.extract_if(.., |order| is_due(order)) {
            let states = Arc::make_mut(&mut self.now);
            let named = states.graphics.iter_mut().find(|graphic| graphic.name == order.watermark);
            let Some(graphic) = named else { continue };
            match order.change {
                MarkChange::State { to, over } => {
                    graphic.fade.set(to, over, at);
                    self.moving = true;
                }
                MarkChange::Text(text) => graphic.text = Some(text),
                MarkChange::Place { to, over } => {
                    graphic.put.set(to, over, at);
                    self.moving = true;
                }
            }
        }
        if self.moving {
            let states = Arc::make_mut(&mut self.now);
            self.moving = false;
            for graphic in &mut states.graphics {
                graphic.fade.settle(at);
                graphic.put.settle(at);
                self.moving |= graphic.fade.is_on_its_way(at) || graphic.put.is_on_its_way(at);
            }
        }
        Arc::clone(&self.now)
    }

    pub(crate) fn status(&self) -> Vec<MarkStatus> {
        let graphics = self.now.graphics.iter().map(|graphic| MarkStatus {
            name: graphic.name.clone(),
            state: graphic.fade.state(),
            text: graphic.text.clone(),
            at: graphic.put.to().map(|put| put.to_string()),
            waiting: self.waiting.iter().any(|order| order.watermark == graphic.name),
        });
        graphics.collect()
    }
}

#[cfg(test)]
mod tests {
    use media::Span;
    use pipeline_dsl::{At, MarkFade};

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

    fn order(watermark: &str, change: MarkChange, when: MarkTime) -> MarkOrder {
        MarkOrder { watermark: watermark.to_owned(), change, when }
    }

    const ON: MarkChange = MarkChange::State { to: Switch::On, over: None };
    const OFF: MarkChange = MarkChange::State { to: Switch::Off, over: None };

    fn text(words: &str) -> MarkChange {
        MarkChange::Text(words.to_owned())
    }

    fn tick(desk: &mut MarkDesk, key: Key) -> Arc<MarkStates> {
        desk.tick(key, Time::from_secs(9))
    }

    #[test]
    fn what_waits_for_a_key_frame_comes_with_it() {
        let mut desk = desk();
        let states = |states: &MarkStates| states.graphics.iter().map(|g| g.fade.state()).collect::<Vec<_>>();
        assert_eq!(states(&tick(&mut desk, Key::Frame)), [Switch::Off, Switch::On]);
        desk.take(order("name", ON, MarkTime::KeyFrame));
        desk.take(order("bug", OFF, MarkTime::Now));
        assert_eq!(states(&tick(&mut desk, Key::Delta)), [Switch::Off, Switch::Off]);
        assert_eq!(desk.status().iter().map(|mark| mark.waiting).collect::<Vec<_>>(), [true, false]);
        assert_eq!(states(&tick(&mut desk, Key::Frame)), [Switch::On, Switch::Off]);
        assert!(desk.status().iter().all(|mark| !mark.waiting));
    }

    #[test]
    fn what_is_asked_for_last_is_meant() {
        let mut desk = desk();
        for words in ["one", "two"] {
            desk.take(order("name", text(words), MarkTime::KeyFrame));
        }
        let to = At::parse("10%,0");
        desk.take(order("name", MarkChange::Place { to, over: None }, MarkTime::Now));
        let now = tick(&mut desk, Key::Delta);
        assert_eq!((now.graphics[0].text.as_deref(), now.graphics[0].put.to()), (None, to));
        assert_eq!(tick(&mut desk, Key::Frame).graphics[0].text.as_deref(), Some("two"));
        assert_eq!(desk.status()[0].at.as_deref(), Some("10%,0"));
    }

    /// What fades begins with the key frame it waited for, and is over when its time is.
    #[test]
    fn a_fade_takes_its_time_and_leaves_nothing_behind() {
        let mut desk = desk();
        let (second, at) = (Some(Span::from_secs(1)), Time::from_millis);
        let fade = MarkChange::State { to: Switch::Off, over: second };
        desk.take(order("bug", fade, MarkTime::KeyFrame));
        let level = |desk: &mut MarkDesk, key, ms| desk.tick(key, at(ms)).graphics[1].fade.level(at(ms));
        assert_eq!(level(&mut desk, Key::Delta, 100), 256);
        let levels = [200, 700, 1160, 1200].map(|ms| level(&mut desk, Key::Frame, ms));
        assert_eq!(levels, [256, 128, 11, 0]);
        // From then on it is as one that was switched off.
        let mut other = super::tests::desk();
        other.take(order("bug", OFF, MarkTime::Now));
        assert_eq!(*desk.now(), *other.tick(Key::Delta, at(1300)));
    }

    /// What is kept and taken up is as it was, through the file, too.
    #[test]
    fn what_was_led_is_kept() {
        let mut led = desk();
        led.take(order("bug", OFF, MarkTime::Now));
        led.take(order("name", text("Karry"), MarkTime::Now));
        let to = At::parse("10%,0");
        led.take(order("name", MarkChange::Place { to, over: None }, MarkTime::Now));
        tick(&mut led, Key::Delta);
        led.take(order("name", ON, MarkTime::KeyFrame));
        let kept = serde_json::to_string(&led.keep()).unwrap();
        let mut again = desk();
        again.take_up(&serde_json::from_str(&kept).unwrap());
        assert_eq!(again.status(), led.status());
        assert_eq!(tick(&mut again, Key::Frame), tick(&mut led, Key::Frame));
        // Another show file's word counts more; a watermark that is gone is none.
        let show =
            dsl::parse_show(&SHOW.replace("image \"bug.png\"", "image \"bug.png\" state=off")).unwrap();
        let mut other = MarkDesk::new(&show, &show.channels[0]);
        let mut kept = led.keep();
        kept.marks[1].fade = MarkFade::new(Switch::On);
        kept.waiting.push(order("gone", ON, MarkTime::Now));
        other.take_up(&kept);
        assert_eq!(other.status()[1].state, Switch::Off);
        assert!(other.waiting.is_empty());
    }

    #[test]
    fn a_changed_show_file_leaves_what_was_led() {
        let mut desk = desk();
        desk.take(order("bug", OFF, MarkTime::Now));
        desk.take(order("name", text("Karry"), MarkTime::Now));
        tick(&mut desk, Key::Delta);
        let show = dsl::parse_show(&SHOW.replace("state=off", "state=on")).unwrap();
        desk.rearrange(&show, &show.channels[0]);
        let now = tick(&mut desk, Key::Delta);
        let led: Vec<_> =
            now.graphics.iter().map(|graphic| (graphic.fade.state(), graphic.text.as_deref())).collect();
        assert_eq!(led, [(Switch::On, Some("Karry")), (Switch::Off, None)]);
    }
}
