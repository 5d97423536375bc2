//! A channel's ways out, opened: one outlet for each egress and rung.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use pipeline_dsl as dsl;

use crate::channel::RungHandle;
use crate::egress::EgressMeter;
use crate::egress::exit::Exit;
use crate::egress::feed::Feed;
use crate::egress::play::{Program, Programs};
use crate::egress::push::{self, Push, TargetError};
use crate::egress::queue::{Bound, SinkQueue, WhenFull};
use crate::egress::record::{self, Recorder};
use crate::event::Level;
use crate::keys;
use crate::options::Mode;
use crate::rehearse::sinks::{Kind, Named};
use crate::report::EgressState;
use crate::reporter::Reporter;
use crate::start::{Place, StartError};

/// One egress of one rung.
pub(crate) struct Outlet {
    pub(crate) name: String,
    pub(crate) rung: String,
    pub(crate) target: String,
    pub(crate) door: dsl::Door,
    pub(crate) kind: OutletKind,
    pub(crate) meter: Arc<EgressMeter>,
    /// Shut when the show has no such way out any more.
    pub(crate) exit: Arc<Exit>,
    /// What its recorder reads.
    queue: Option<Arc<SinkQueue>>,
}

impl Outlet {
    /// What players may ask for, and by which name.
    pub(crate) fn played(&self) -> Option<(String, Program)> {
        let OutletKind::Players { played, feed } = &self.kind else { return None };
        let (feed, meter, exit) = (Arc::clone(feed), Arc::clone(&self.meter), Arc::clone(&self.exit));
        Some((played.clone(), Program { feed, meter, exit }))
    }

    /// Its rung ends: whoever is served has all of it, and nobody else comes.
    pub(crate) fn end(&self) {
        self.exit.let_none_in();
        if matches!(self.kind, OutletKind::Viewers(_) | OutletKind::Players { .. }) {
            self.meter.set(EgressState::Closed);
        }
    }

    /// It is not there any more: a recording is finished, peers are told to leave.
    pub(crate) fn close(&self) {
        self.exit.shut();
        if let Some(queue) = &self.queue {
            queue.close();
        }
        if matches!(self.kind, OutletKind::Viewers(_) | OutletKind::Players { .. }) {
            self.meter.set(EgressState::Closed);
        }
    }
}

/// What viewers may ask an outlet for.
pub(crate) enum OutletKind {
    /// Viewers join this feed over HTTP.
    Viewers(Arc<Feed>),
    /// Players ask for this name at the port that encoders push to.
    Players { played: String, feed: Arc<Feed> },
    /// It carries itself off.
    Own,
}

/// A channel's outlets before they run: planned, then their files made, then started.
pub(crate) struct Outlets {
    channel: String,
    outlets: Vec<Outlet>,
    recordings: Vec<Recording>,
    pushes: Vec<Push>,
    /// Why outlets do not work, for a channel that is left without any.
    dead: Vec<String>,
}

/// A recording that has no thread yet.
struct Recording {
    /// Its outlet's place.
    outlet: usize,
    wanted: PathBuf,
    feed: Arc<Feed>,
    reporter: Reporter,
    recorder: Option<Recorder>,
}

/// Held by a recorder's thread: whatever way that ends, the feed does not wait for it.
struct EndOfRecording {
    queue: Arc<SinkQueue>,
    meter: Arc<EgressMeter>,
    reporter: Reporter,
}

impl Drop for EndOfRecording {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.meter.set(EgressState::Failed);
            self.reporter.event(Level::Alarm, "egress-failed", "its thread panicked: this is our bug");
        }
        self.queue.close();
    }
}

/// Only FLV tags are encrypted: an encrypted channel leaves no other way unless the show says so.
/// The check of the show file says the same, yet a variable or a show built in code comes only here.
fn must_be_open(channel: &dsl::Channel, egress: &dsl::Egress, place: &str) -> Result<(), StartError> {
    if channel.encrypt.is_none() || egress.is_open_to_encrypted(place) {
        return Ok(());
    }
    Err(StartError::Channel {
        channel: channel.name.clone(),
        message: format!(
            "it is encrypted, but egress {} carries no FLV tags to encrypt: legal are `clear=true`, \
            rtmp:// and rtmps:// URLs and `.flv` files",
            egress.name
        ),
    })
}

/// Live, a disk that is too slow loses pictures; offline it is waited for.
fn recorder_bound(mode: Mode) -> Bound {
    match mode {
        Mode::RealTime => record::BOUND,
        Mode::Offline => Bound { when_full: WhenFull::Wait, ..record::BOUND },
    }
}

/// A path from the environment was not seen by `check`: it must name something below the output folder.
pub(crate) fn stays_inside(path: &Path) -> bool {
    let legal = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    let named = |part| matches!(part, Component::Normal(_));
    path.components().all(legal) && path.components().any(named)
}

/// The container that a file's name asks for, if it is not ours.
fn other_container(path: &Path) -> Option<String> {
    const OTHERS: [&str; 8] = ["mp4", "m4v", "mov", "mkv", "webm", "ts", "m2ts", "m3u8"];
    let asked = path.extension()?.to_str()?.to_ascii_lowercase();
    OTHERS.contains(&asked.as_str()).then_some(asked)
}

impl Outlets {
    /// Resolves what the egresses say. Nothing is made yet.
    pub(crate) fn plan(
        channel: &dsl::Channel,
        rungs: &[RungHandle],
        place: &Place,
    ) -> Result<Self, StartError> {
        Self::plan_some(channel, channel.egresses.iter(), rungs, place)
    }

    /// The same for some of the channel's egresses.
    pub(crate) fn plan_some<'e>(
        channel: &dsl::Channel,
        egresses: impl Iterator<Item = &'e dsl::Egress>,
        rungs: &[RungHandle],
        place: &Place,
    ) -> Result<Self, StartError> {
        let mut all = Self {
            channel: channel.name.clone(),
            outlets: Vec::new(),
            recordings: Vec::new(),
            pushes: Vec::new(),
            dead: Vec::new(),
        };
        for egress in egresses {
            for rung in rungs {
                all.plan_one(channel, egress, rung, place)?;
            }
        }
        Ok(all)
    }

    fn plan_one(
        &mut self,
        channel: &dsl::Channel,
        egress: &dsl::Egress,
        rung: &RungHandle,
        place: &Place,
    ) -> Result<(), StartError> {
        let name = &rung.rung.name;
        let (meter, exit) = (Arc::new(EgressMeter::default()), Arc::new(Exit::default()));
        let reporter = place.reporter.of(format!("{}/{}/{name}", channel.name, egress.name));
        let reporter_of_life = reporter.clone();
        let feed = match egress.door {
            dsl::Door::Clear => rung.feeds.clear.as_ref().unwrap_or(&rung.feeds.main),
            dsl::Door::AsChannel => &rung.feeds.main,
        };
        let owner = format!("egress {} of channel {}", egress.name, channel.name);
        let (target, kind) = match &egress.target {
            dsl::Target::ServeHttpFlv => {
                (format!("/live/{}/{name}.flv", channel.name), OutletKind::Viewers(Arc::clone(feed)))
            }
            dsl::Target::ServeRtmp => {
                let played = format!("live/{}_{name}", channel.name);
                (format!("rtmp:{played}"), OutletKind::Players { played, feed: Arc::clone(feed) })
            }
            dsl::Target::Push { url, ca } => {
                let trust = keys::trust(ca.as_ref(), &place.inputs, &owner)?;
                let url = dsl::expand(&keys::text(url, &owner)?, &channel.name, name);
                match push::target(&url) {
                    Ok(_) if place.life.is_some() => {}
                    Ok(target) => {
                        meter.set(EgressState::Connecting);
                        let (feed, meter, exit) = (Arc::clone(feed), Arc::clone(&meter), Arc::clone(&exit));
                        self.pushes.push(Push { url: target, trust, feed, exit, meter, reporter });
                    }
                    Err(error @ TargetError::Unbuilt(_)) => {
                        meter.set(EgressState::NotAvailable);
                        reporter.event(Level::Warn, "not-available", error.to_string());
                        self.dead.push(format!("{} ({name}): {error}", egress.name));
                    }
                    Err(error) => {
                        let message = format!("{owner}: {error}");
                        return Err(StartError::Channel { channel: channel.name.clone(), message });
                    }
                }
                (keys::address_shown(&url), OutletKind::Own)
            }
            dsl::Target::Record { path } => {
                let filled = dsl::expand(&keys::text(path, &owner)?, &channel.name, name);
                must_be_open(channel, egress, &filled)?;
                if !stays_inside(Path::new(&filled)) {
                    return Err(StartError::Channel {
                        channel: channel.name.clone(),
                        message: format!(
                            "{owner} records to {filled:?}: legal are files below the output folder, without `..`"
                        ),
                    });
                }
                let wanted = place.out.join(filled);
                let target = wanted.display().to_string();
                match other_container(&wanted) {
                    None if place.life.is_some() => {}
                    None => {
                        let (outlet, feed) = (self.outlets.len(), Arc::clone(feed));
                        self.recordings.push(Recording { outlet, wanted, feed, reporter, recorder: None });
                    }
                    Some(container) => {
                        let message = format!(
                            "recording as {container} is not available yet in this version; legal: flv"
                        );
                        meter.set(EgressState::NotAvailable);
                        self.dead.push(format!("{} ({name}): {message}", egress.name));
                        reporter.event(Level::Warn, "not-available", message);
                    }
                }
                (target, OutletKind::Own)
            }
        };
        if let Some(life) = &place.life
            && meter.state() != EgressState::NotAvailable
        {
            let named = Named {
                channel: channel.name.clone(),
                egress: egress.name.clone(),
                rung: name.clone(),
                target: target.clone(),
                kind: Kind::of(&egress.target),
            };
            life.lead_out(named, feed, &meter, &reporter_of_life);
        }
        let (name, rung, door) = (egress.name.clone(), name.clone(), egress.door);
        self.outlets.push(Outlet { name, rung, target, door, kind, meter, exit, queue: None });
        Ok(())
    }

    /// Adds what players may ask for.
    pub(crate) fn serve(&self, programs: &Programs) {
        for (played, program) in self.outlets.iter().filter_map(Outlet::played) {
            programs.add(played, program);
        }
    }

    /// Makes the recordings' files. One that cannot be made is reported and the show goes on;
    /// a channel with no way out at all does not start.
    pub(crate) fn create_files(&mut self, place: &Place) -> Result<(), StartError> {
        self.create(place);
        let works =
            |outlet: &Outlet| matches!(outlet.meter.state(), EgressState::Live | EgressState::Connecting);
        if !self.outlets.iter().any(works) {
            return Err(StartError::Channel {
                channel: self.channel.clone(),
                message: format!("no egress is left that works: {}", self.dead.join("; ")),
            });
        }
        Ok(())
    }

    /// The same where all must work: there is a show that can go on without.
    pub(crate) fn create_all_files(&mut self, place: &Place) -> Result<(), StartError> {
        self.create(place);
        match self.dead.is_empty() {
            true => Ok(()),
            false => {
                Err(StartError::Channel { channel: self.channel.clone(), message: self.dead.join("; ") })
            }
        }
    }

    fn create(&mut self, place: &Place) {
        for recording in &mut self.recordings {
            let outlet = &mut self.outlets[recording.outlet];
            match Recorder::create(&recording.wanted, Arc::clone(&place.begun)) {
                Ok(recorder) => {
                    outlet.target = recorder.path().display().to_string();
                    recording.recorder = Some(recorder);
                }
                Err(error) => {
                    outlet.meter.set(EgressState::Failed);
                    let message = error.to_string();
                    self.dead.push(format!("{} ({}): {message}", outlet.name, outlet.rung));
                    recording.reporter.event(Level::Alarm, "egress-failed", message);
                }
            }
        }
    }

    /// Joins the feeds and starts the recorders' threads. What joins before the first tag misses
    /// nothing; what joins later begins with the current GOP.
    pub(crate) fn start(
        mut self,
        threads: &mut Vec<JoinHandle<()>>,
        place: &Place,
    ) -> Result<Vec<Outlet>, StartError> {
        for Recording { outlet, feed, reporter, recorder, .. } in self.recordings {
            let Some(recorder) = recorder else { continue };
            let meter = Arc::clone(&self.outlets[outlet].meter);
            let queue = feed.join(recorder_bound(place.mode));
            self.outlets[outlet].queue = Some(Arc::clone(&queue));
            let end = EndOfRecording { queue, meter, reporter };
            let work = move || {
                let ended = recorder.run(&end.queue, &end.meter, &end.reporter, &record::EGRESS);
                if let Err(why) = ended {
                    end.reporter.event(Level::Alarm, record::EGRESS.failed, why);
                }
            };
            threads.push(place.spawn(format!("record {}/{}", self.channel, threads.len()), work)?);
        }
        for push in self.pushes {
            threads.push(place.spawn(format!("push {}/{}", self.channel, threads.len()), || push.run())?);
        }
        Ok(self.outlets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_names_a_file_below_the_output_folder() {
        for legal in ["a.flv", "./a.flv", "deep/a.flv", "a/./b.flv"] {
            assert!(stays_inside(Path::new(legal)), "{legal}");
        }
        for illegal in ["", ".", "./", "./.", "..", "../a.flv", "a/../b.flv", "/a.flv", "/"] {
            assert!(!stays_inside(Path::new(illegal)), "{illegal}");
        }
    }
}
