//! From one show to another while it is on air: what is to be done, step by step, or why it
//! cannot be.
//!
//! [`Difference::between`] compares two checked shows. It gives the steps that lead from the
//! first to the second, each of which touches one part and leaves the others as they are, or
//! everything that stays as it is until the show ends, with the reason and a way out.
//! [`Difference::apply`] is its inverse: it makes the second show of the first.
//!
//! ```
//! use pipeline_dsl::{Difference, EXAMPLE, parse_show};
//!
//! let old = parse_show(EXAMPLE).map_err(|_| "not valid")?;
//! let new = parse_show(&EXAMPLE.replace("lost=400ms", "lost=600ms")).map_err(|_| "not valid")?;
//! let difference = Difference::between(&old, &new).map_err(|_| "it can be changed on air")?;
//! assert_eq!(difference.to_string(), "camera main: other failover rules\n");
//! assert_eq!(difference.apply(&old), new);
//!
//! let other = EXAMPLE.replace("1920x1080 30fps", "1920x1080 25fps");
//! let new = parse_show(&other).map_err(|_| "not valid")?;
//! let fixed = Difference::between(&old, &new).expect_err("every clock of the show hangs on it");
//! let said = fixed[0].diagnostic(&other);
//! assert_eq!((said.span.line, said.code), (2, "fixed-on-air"));
//! # Ok::<(), &str>(())
//! ```

mod apply;
mod fixed;
mod ladder;
mod list;
mod step;

pub use fixed::Fixed;
pub use step::{Change, Encoding, Step};

use crate::model::{Camera, Channel, Door, Egress, KeyRing, Ladder, Show};
use fixed::Place;
use list::changes;

/// The steps from one show to another.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Difference {
    /// In the order in which they are said; all of them act at one tick.
    pub steps: Vec<Step>,
}

impl Difference {
    /// What leads from a show that runs to the `new` one.
    ///
    /// # Errors
    /// Everything in which they differ that cannot be changed on air. Whether what is on air at
    /// the moment can go, only the running show knows.
    pub fn between(old: &Show, new: &Show) -> Result<Self, Vec<Fixed>> {
        // By all its fields, so that a new one is not forgotten.
        let Show {
            name,
            video,
            audio,
            listen,
            cameras,
            fillers,
            layouts,
            scenes,
            watermarks,
            ladders,
            keys,
            channels,
            rundowns,
        } = new;
        let mut seen = Comparison { old, steps: Vec::new(), fixed: Vec::new() };
        if *name != old.name {
            seen.steps.push(Step::Name(name.clone()));
        }
        if *video != old.video {
            seen.fixed(
                Place::of("video"),
                "the canvas and its frame rate",
                "every clock of the show hangs on them",
            );
        }
        if *audio != old.audio {
            seen.fixed(
                Place::of("audio"),
                "the sample rate and layout",
                "every encoder of the show is set to them",
            );
        }
        if *listen != old.listen {
            seen.fixed(Place::of("listen"), "where the show listens", "its peers know it by these addresses");
        }
        seen.steps.extend(changes(&old.cameras, cameras).filter_map(|change| match change {
            Change::Changed(_) => None,
            change => Some(Step::Camera(change)),
        }));
        for camera in cameras {
            if let Some(before) = old.camera(&camera.name) {
                seen.camera(before, camera);
            }
        }
        seen.steps.extend(changes(&old.fillers, fillers).map(Step::Filler));
        seen.steps.extend(changes(&old.layouts, layouts).map(Step::Layout));
        seen.steps.extend(changes(&old.scenes, scenes).map(Step::Scene));
        seen.steps.extend(changes(&old.watermarks, watermarks).map(Step::Watermark));
        for ladder in ladders {
            let used = old.ladder(&ladder.name).filter(|_| old.stays_on(&ladder.name, channels));
            if let Some(before) = used.filter(|before| *before != ladder) {
                seen.ladder(before, ladder);
            }
        }
        seen.steps.extend(changes(&old.ladders, ladders).filter_map(|change| match change {
            // Rung by rung.
            Change::Changed(ladder) if old.stays_on(&ladder.name, channels) => None,
            change => Some(Step::Ladder(change)),
        }));
        for ring in keys {
            seen.ring(ring);
        }
        seen.steps.extend(changes(&old.keys, keys).map(Step::Keys));
        for change in changes(&old.channels, channels) {
            seen.channel(change, ladders);
        }
        seen.steps.extend(changes(&old.rundowns, rundowns).map(Step::Rundown));
        let Comparison { steps, fixed, .. } = seen;
        if fixed.is_empty() { Ok(Self { steps }) } else { Err(fixed) }
    }

    /// Whether both shows are the same.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl Show {
    /// Whether one of these channels runs on a ladder before and after.
    fn stays_on(&self, ladder: &str, channels: &[Channel]) -> bool {
        let ran = |name: &str| self.channel(name).is_some_and(|channel| channel.ladder == ladder);
        channels.iter().any(|channel| channel.ladder == ladder && ran(&channel.name))
    }
    fn uses_ring(&self, name: &str) -> bool {
        self.channels.iter().any(|channel| channel.encrypt.as_ref().is_some_and(|e| e.key == name))
    }
}

/// Two shows side by side.
struct Comparison<'a> {
    old: &'a Show,
    steps: Vec<Step>,
    fixed: Vec<Fixed>,
}

/// What to do about what cannot be changed.
const ANEW: &str = "leave it as it was, or end the show and start it with this file";

impl Comparison<'_> {
    fn fixed(&mut self, place: Place, what: &str, why: &str) {
        let message = format!("{what} cannot be changed on air: {why}");
        self.fixed.push(Fixed::new(place, message, ANEW));
    }

    fn camera(&mut self, old: &Camera, new: &Camera) {
        let Camera { name, lines, failover } = new;
        for change in changes(&old.lines, lines) {
            self.steps.push(Step::Line { camera: name.clone(), change });
        }
        if *failover != old.failover {
            self.steps.push(Step::Failover { camera: name.clone(), failover: *failover });
        }
    }

    fn ring(&mut self, new: &KeyRing) {
        let old = self.old.keys.iter().find(|ring| ring.name == new.name);
        let Some(old) = old.filter(|old| self.old.uses_ring(&old.name)) else { return };
        if !new.keys.starts_with(&old.keys) {
            let message = format!("the keys of ring {} cannot be taken away or reordered on air", new.name);
            let help =
                "viewers may need them, and the channel is on one of them: add keys behind those it has";
            self.fixed.push(Fixed::new(Place::named("key", &new.name), message, help));
        }
    }

    fn channel(&mut self, change: Change<Channel>, ladders: &[Ladder]) {
        match change {
            Change::Added(channel) => {
                let message = format!("channel {} cannot be added on air", channel.name);
                let help = "run it as a show of its own, or end this show and start it with this file";
                self.fixed.push(Fixed::new(Place::named("channel", &channel.name), message, help));
            }
            Change::Removed(name) => {
                let message = format!("channel {name} cannot be taken away on air");
                let help = "let it run on its filler, or end the show and start it with this file";
                self.fixed.push(Fixed::new(Place::of("show"), message, help));
            }
            Change::Order(order) => self.steps.push(Step::Channels(order)),
            Change::Changed(new) => {
                if let Some(old) = self.old.channel(&new.name) {
                    self.changed_channel(old, &new, ladders);
                }
            }
        }
    }

    fn changed_channel(&mut self, old: &Channel, new: &Channel, ladders: &[Ladder]) {
        let Channel { name, sources, filler, watermarks, ladder, shed, encrypt, egresses } = new;
        let within = |word| Place::named("channel", name).and(word, None);
        if *ladder != old.ladder {
            self.other_ladder(old, new, &within("ladder"), ladders);
        }
        if *encrypt != old.encrypt {
            let what = format!("whether and how channel {name} is encrypted");
            let message = format!("{what} cannot be changed on air");
            let help = "`ctl encrypt on|off|rotate` does what can be done; keys can be added to the ring";
            self.fixed.push(Fixed::new(within("encrypt"), message, help));
        }
        if *sources != old.sources {
            self.steps.push(Step::Sources { channel: name.clone(), sources: sources.clone() });
        }
        if *filler != old.filler {
            self.steps.push(Step::Cover { channel: name.clone(), filler: filler.clone() });
        }
        if *watermarks != old.watermarks {
            self.steps.push(Step::Marks { channel: name.clone(), watermarks: watermarks.clone() });
        }
        if *shed != old.shed {
            self.steps.push(Step::Shed { channel: name.clone(), rungs: shed.clone() });
        }
        let is_clear = |egress: &Egress| egress.door == Door::Clear;
        if encrypt.is_some() && !old.egresses.iter().any(is_clear) {
            for egress in egresses.iter().filter(|egress| is_clear(egress)) {
                let what = format!("egress {} as the first clear way out of channel {name}", egress.name);
                let place = Place::named("channel", name).and("egress", Some(&egress.name));
                self.fixed(place, &what, "all its tags are encrypted where they are made");
            }
        }
        for change in changes(&old.egresses, egresses) {
            self.steps.push(Step::Egress { channel: name.clone(), change });
        }
    }
}
