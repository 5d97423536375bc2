//! Ladders that channels run on: what of them changes on air, and what stays.
//!
//! A rung's encoder can be another one from a key frame on, as long as what leaves it is still the
//! stream that its peers were told of when they came. Rungs come and go.

use super::fixed::{Fixed, Place};
use super::list::changes;
use super::step::{Encoding, Step};
use super::{ANEW, Comparison};
use crate::model::{Channel, Encoder, Ladder, Rung};

/// What to do about a rung that cannot become what the file says.
const ANOTHER: &str = "leave it as it was, or add a rung of another name and take this one away";

/// What is the matter with a rung, or with its whole ladder.
struct Stays<'n> {
    /// `None` for what is not of one rung of the new ladder.
    rung: Option<&'n str>,
    message: String,
    help: &'static str,
}

impl Comparison<'_> {
    /// A ladder that channels run on, of which something is different.
    pub(super) fn ladder(&mut self, old: &Ladder, new: &Ladder) {
        let place = Place::named("ladder", &new.name);
        for Stays { rung, message, help } in stays(old, new) {
            let place = match rung {
                Some(rung) => place.clone().and("rung", Some(rung)),
                None => place.clone(),
            };
            self.fixed.push(Fixed::new(place, message, help));
        }
        let name = &new.name;
        let encoding = Encoding::of(new);
        if encoding != Encoding::of(old) {
            self.steps.push(Step::Encoding { ladder: name.clone(), encoding });
        }
        for change in changes(&old.rungs, &new.rungs) {
            self.steps.push(Step::Rung { ladder: name.clone(), change });
        }
    }

    /// A channel that runs on another ladder.
    pub(super) fn other_ladder(&mut self, old: &Channel, new: &Channel, within: &Place, now: &[Ladder]) {
        let find = |ladders: &[Ladder], name: &str| ladders.iter().find(|l| l.name == name).cloned();
        if let (Some(before), Some(after)) = (find(&self.old.ladders, &old.ladder), find(now, &new.ladder)) {
            for Stays { message, help, .. } in stays(&before, &after) {
                let message = format!("channel {}: {message}", new.name);
                self.fixed.push(Fixed::new(within.clone(), message, help));
            }
        }
        self.steps.push(Step::Runs { channel: new.name.clone(), ladder: new.ladder.clone() });
    }
}

/// All that a channel cannot go over to from one ladder to another.
fn stays<'n>(old: &Ladder, new: &'n Ladder) -> Vec<Stays<'n>> {
    let mut all = Vec::new();
    if old.audio_bitrate != new.audio_bitrate {
        let message = format!(
            "the bitrate of the sound of ladder {} cannot be changed on air: one encoder makes it for \
             all rungs, and its stream has no place to begin anew",
            new.name
        );
        all.push(Stays { rung: None, message, help: ANEW });
    }
    for rung in &new.rungs {
        let was = old.rungs.iter().find(|was| was.name == rung.name);
        let why = match was {
            None if rung.is_copied() => Some("a rung is copied from the start or not at all".to_owned()),
            None => None,
            Some(was) => of_one(old, was, new, rung),
        };
        if let Some(why) = why {
            let verb = if was.is_some() { "changed so" } else { "added" };
            let message = format!("rung {} cannot be {verb} on air: {why}", rung.name);
            all.push(Stays { rung: Some(&rung.name), message, help: ANOTHER });
        }
    }
    let is_gone = |was: &&Rung| was.is_copied() && new.rungs.iter().all(|rung| rung.name != was.name);
    for was in old.rungs.iter().filter(is_gone) {
        let message =
            format!("rung {} cannot be taken away on air: its key frames are those of all others", was.name);
        all.push(Stays { rung: None, message, help: ANEW });
    }
    all
}

/// Why a rung that both have cannot become what it is in the new one.
fn of_one(old: &Ladder, was: &Rung, new: &Ladder, rung: &Rung) -> Option<String> {
    if was.pictures != rung.pictures {
        return Some("a rung is copied from the start or not at all".to_owned());
    }
    let (before, after) = (codec(old.encoder_of(was)), codec(new.encoder_of(rung)));
    // What is copied is of any codec.
    if before != after && !rung.is_copied() {
        return Some(format!(
            "who is connected was told that it is {before}, and would not take {after}: FLV names a \
             stream's codec once"
        ));
    }
    if was.size != rung.size {
        return Some(format!("who is connected was told that it is {}, not {}", was.size, rung.size));
    }
    None
}

fn codec(encoder: Encoder) -> &'static str {
    match encoder {
        Encoder::X264 | Encoder::H264Nvenc | Encoder::H264Qsv | Encoder::H264Vaapi | Encoder::H264V4l2 => {
            "AVC"
        }
        Encoder::X265 | Encoder::HevcNvenc | Encoder::HevcQsv | Encoder::HevcVaapi | Encoder::HevcV4l2 => {
            "HEVC"
        }
    }
}
