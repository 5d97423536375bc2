//! What is new in a changed show, opened: lines, fillers, watermarks, ways out, keys.

use std::sync::{Arc, PoisonError};

use pipeline_dsl as dsl;
use pipeline_dsl::{Change, Input, PushPoint, Step};

use super::{Arranged, OpenedChannel, Standing, StandingChannel, look};
use crate::channel::marks::Marks;
use crate::channel::outlets::Outlets;
use crate::channel::renew::{Model, NewLadder};
use crate::command::Refused;
use crate::egress::play::{Program, Programs};
use crate::ingest::Line;
use crate::ingest::door::RtmpDoor;
use crate::ingest::open::Opener;
use crate::ingest::point::{Point, Points};
use crate::rehearse::Codecs;
use crate::rig;
use crate::start::{Place, StartError};

/// What is let in once the show has changed.
pub(super) struct Opened {
    points: Vec<(PushPoint, Arc<Point>)>,
    /// A door, for a show that had none.
    door: Option<RtmpDoor>,
}

impl From<StartError> for Refused {
    fn from(error: StartError) -> Self {
        Self::new("not-opened", error.to_string(), &[])
    }
}

impl Standing {
    pub(super) fn open(&self, arranged: &mut Arranged, place: &Place) -> Result<Opened, Refused> {
        let Arranged { show, difference, .. } = &*arranged;
        let mut threads = Vec::new();
        let mut opener = Opener {
            show,
            place,
            points: Points::default(),
            together: Arc::clone(&self.together),
            bound: Vec::new(),
            threads: &mut threads,
            iso: None,
            seat: None,
            orders: None,
            deinterlace: dsl::Deinterlace::default(),
            kept: None,
        };
        let mut lines = Vec::new();
        for (camera, line) in look::lines(difference) {
            // The steps are of this very show.
            let Some(model) = show.camera(camera) else { continue };
            let opened = opener.open_line(model, line)?;
            refuse_unbuilt(camera, &opened)?;
            lines.push((camera.to_owned(), opened));
        }
        let mut fillers = Vec::new();
        for step in &difference.steps {
            if let Step::Filler(Change::Added(filler) | Change::Changed(filler)) = step {
                fillers.push((filler.name.clone(), rig::open_filler(filler, &mut opener)?));
            }
        }
        let points = opener.points;
        let mut channels = Vec::new();
        for model in &show.channels {
            // Channels neither come nor go.
            let standing = self.channels.iter().find(|channel| channel.name == model.name);
            if let Some(standing) = standing {
                channels.push(self.open_channel(arranged, model, standing, place)?);
            }
        }
        let has_door =
            place.life.is_some() || self.door.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let (points, door) = if has_door {
            (points.into_all(), None)
        } else {
            let programs = Programs::default();
            let outlets = channels.iter().flat_map(|channel| &channel.outlets);
            outlets
                .filter_map(|outlet| outlet.played())
                .for_each(|(path, program)| programs.add(path, program));
            (Vec::new(), RtmpDoor::open(show, points, programs, place)?)
        };
        arranged.lines = lines;
        arranged.fillers = fillers;
        arranged.channels = channels;
        arranged.threads = threads;
        Ok(Opened { points, door })
    }

    fn open_channel(
        &self,
        arranged: &Arranged,
        model: &dsl::Channel,
        standing: &StandingChannel,
        place: &Place,
    ) -> Result<OpenedChannel, Refused> {
        let Arranged { old, show, difference, .. } = arranged;
        let mut opened = OpenedChannel { name: model.name.clone(), ..OpenedChannel::default() };
        let models = Model::of(old, &model.name).zip(Model::of(show, &model.name));
        if let Some(models) = models.filter(|(old, new)| !new.is_as(old)) {
            let StandingChannel { rungs, making, .. } = standing;
            opened.ladder = Some(NewLadder::open(models, rungs, making, place, &mut opened.threads)?);
        }
        let is_drawn_anew = difference.steps.iter().any(|step| match step {
            Step::Marks { channel, .. } => *channel == model.name,
            Step::Watermark(Change::Changed(mark)) => model.watermarks.contains(&mark.name),
            _ => false,
        });
        // Some is drawn on each rung.
        let has_other_rungs = opened.ladder.is_some() && !model.watermarks.is_empty();
        if is_drawn_anew || has_other_rungs {
            let drawn = place.life.as_ref().is_none_or(|life| life.codecs == Codecs::Pixels);
            let marks = match drawn {
                true => Marks::new(show, model, &place.inputs),
                false => Ok(Marks::undrawn(show, model)),
            };
            opened.marks = Some(marks.map_err(|why| Refused::new("not-opened", why, &[]))?);
        }
        let ring = model.encrypt.as_ref().map(|encrypt| &encrypt.key);
        let has_more = difference
            .steps
            .iter()
            .any(|step| matches!(step, Step::Keys(Change::Changed(longer)) if Some(&longer.name) == ring));
        if has_more {
            opened.keys = rig::keys_of(show, model, place)?;
        }
        let egresses: Vec<&dsl::Egress> = difference
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Egress { channel, change: Change::Added(egress) | Change::Changed(egress) } => {
                    (*channel == model.name).then_some(egress)
                }
                _ => None,
            })
            .collect();
        let (rungs, coming) = match &opened.ladder {
            Some(ladder) => (ladder.handles(), ladder.coming()),
            None => (standing.rungs.clone(), Vec::new()),
        };
        let others =
            model.egresses.iter().filter(|egress| !egresses.iter().any(|new| new.name == egress.name));
        // What stays gets the rungs that come, too.
        for (egresses, rungs) in [(egresses.clone(), &rungs), (others.collect(), &coming)] {
            if egresses.is_empty() || rungs.is_empty() {
                continue;
            }
            let mut outlets = Outlets::plan_some(model, egresses.into_iter(), rungs, place)?;
            outlets.create_all_files(place)?;
            opened.outlets.extend(outlets.start(&mut opened.threads, place)?);
        }
        Ok(opened)
    }

    /// The show has changed: peers of new lines and rungs may come, those of old ones go.
    pub(super) fn let_in(&self, opened: Opened, programs: Vec<(String, Program)>, show: &dsl::Show) {
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fresh) = opened.door {
            *door = Some(fresh);
            return;
        }
        let Some(door) = &*door else { return };
        let hall = door.hall();
        hall.programs.sweep();
        for (path, program) in programs {
            hall.programs.add(path, program);
        }
        let push = |line: &dsl::Line| match &line.input {
            Input::Push { point, .. } => Some(point.clone()),
            _ => None,
        };
        let all = |show: &dsl::Show| -> Vec<PushPoint> {
            show.cameras.iter().flat_map(|camera| &camera.lines).filter_map(push).collect()
        };
        let stay = all(show);
        for gone in all(&self.show).iter().filter(|point| !stay.contains(point)) {
            if let Some(point) = hall.points.remove(gone) {
                point.close();
            }
        }
        for (name, point) in opened.points {
            if let Some(before) = hall.points.add(&name, point) {
                before.close();
            }
        }
    }
}

/// A line that this version cannot open is no use on air.
fn refuse_unbuilt(camera: &str, line: &Line) -> Result<(), Refused> {
    if line.is_built() {
        return Ok(());
    }
    let message = format!("{camera}/{}: such a line is not available in this version", line.name);
    Err(Refused::new("not-available", message, &[]))
}
