//! A channel's ways out, opened: one outlet for each egress and rung.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use pipeline_dsl as dsl;

use crate::channel::RungHandle;
use crate::egress::EgressMeter;
use crate::egress::feed::Feed;
use crate::egress::queue::{Bound, WhenFull};
use crate::egress::record::Recorder;
use crate::event::Level;
use crate::keys;
use crate::options::Mode;
use crate::report::EgressState;
use crate::start::{Place, StartError};

/// One egress of one rung.
pub(crate) struct Outlet {
    pub(crate) name: String,
    pub(crate) rung: String,
    pub(crate) target: String,
    pub(crate) kind: OutletKind,
    pub(crate) meter: Arc<EgressMeter>,
}

/// What viewers may ask an outlet for.
pub(crate) enum OutletKind {
    /// Viewers join this feed over HTTP.
    Viewers(Arc<Feed>),
    /// It carries itself off.
    Own,
}

pub(crate) struct Outlets {
    pub(crate) outlets: Vec<Outlet>,
    pub(crate) threads: Vec<JoinHandle<()>>,
    /// Why outlets do not work, for a channel that is left without any.
    dead: Vec<String>,
}

/// Half a minute of a stalled disk, or a quarter gigabyte.
fn recorder_bound(mode: Mode) -> Bound {
    let when_full = match mode {
        Mode::RealTime => WhenFull::Drop,
        Mode::Offline => WhenFull::Wait,
    };
    Bound { millis: 30_000, bytes: 256 << 20, when_full }
}

impl Outlets {
    /// Opens what can be opened. One that cannot is reported and the show goes on;
    /// a channel with no way out at all does not start.
    pub(crate) fn open(
        channel: &dsl::Channel,
        rungs: &[RungHandle],
        place: &Place,
    ) -> Result<Self, StartError> {
        let mut all = Self { outlets: Vec::new(), threads: Vec::new(), dead: Vec::new() };
        for egress in &channel.egresses {
            for rung in rungs {
                all.open_one(channel, egress, rung, place)?;
            }
        }
        let works = |outlet: &Outlet| outlet.meter.state() == EgressState::Live;
        if !all.outlets.iter().any(works) {
            return Err(StartError::Channel {
                channel: channel.name.clone(),
                message: format!("no egress is left that works: {}", all.dead.join("; ")),
            });
        }
        Ok(all)
    }

    fn open_one(
        &mut self,
        channel: &dsl::Channel,
        egress: &dsl::Egress,
        rung: &RungHandle,
        place: &Place,
    ) -> Result<(), StartError> {
        let name = &rung.rung.name;
        let fill = |template: &str| dsl::expand(template, &channel.name, name);
        let meter = Arc::new(EgressMeter::default());
        let reporter = place.reporter.of(format!("{}/{}/{name}", channel.name, egress.name));
        let feed = match egress.door {
            dsl::Door::Clear => rung.feeds.clear.as_ref().unwrap_or(&rung.feeds.main),
            dsl::Door::AsChannel => &rung.feeds.main,
        };
        let owner = format!("egress {} of channel {}", egress.name, channel.name);
        let (target, kind) = match &egress.target {
            dsl::Target::ServeHttpFlv => {
                (format!("/live/{}/{name}.flv", channel.name), OutletKind::Viewers(Arc::clone(feed)))
            }
            dsl::Target::Push { url } => {
                meter.set(EgressState::NotAvailable);
                let message = "pushing to a CDN is not available yet in this version";
                reporter.event(Level::Warn, "not-available", message);
                self.dead.push(format!("{} ({name}): {message}", egress.name));
                // The address only: what follows the host may be a stream key.
                let url = keys::text(url, &owner)?;
                let host = url.split('/').take(3).collect::<Vec<_>>().join("/");
                (host, OutletKind::Own)
            }
            dsl::Target::Record { path } => {
                let filled = fill(&keys::text(path, &owner)?);
                // A path from the environment was not seen by `check`.
                let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
                if !Path::new(&filled).components().all(inside) {
                    return Err(StartError::Channel {
                        channel: channel.name.clone(),
                        message: format!(
                            "{owner} records to {filled:?}: legal are paths below the output folder, without `..`"
                        ),
                    });
                }
                let wanted: PathBuf = place.out.join(filled);
                let target = match Recorder::create(&wanted) {
                    Ok(recorder) => {
                        let target = recorder.path().display().to_string();
                        let queue = feed.join(recorder_bound(place.mode));
                        let (meter, reporter) = (Arc::clone(&meter), reporter.clone());
                        let thread = format!("record {}", self.threads.len());
                        self.threads
                            .push(place.spawn(thread, move || recorder.run(&queue, &meter, &reporter))?);
                        target
                    }
                    Err(error) => {
                        meter.set(EgressState::Failed);
                        let message = format!("{}: cannot be created: {error}", wanted.display());
                        self.dead.push(format!("{} ({name}): {message}", egress.name));
                        reporter.event(Level::Alarm, "egress-failed", message);
                        wanted.display().to_string()
                    }
                };
                (target, OutletKind::Own)
            }
        };
        self.outlets.push(Outlet { name: egress.name.clone(), rung: name.clone(), target, kind, meter });
        Ok(())
    }
}
