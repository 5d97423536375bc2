//! The parts of a show, rigged before its first tick: planned, opened, started, in
//! this order, so that a show that does not start leaves nothing behind.

use std::sync::Arc;

use pipeline_dsl as dsl;
use scheduling::{ChannelIx, FeedIx, SceneIx, Switcher};

use crate::channel::{Channel, OpenChannel};
use crate::ingest::Line;
use crate::ingest::open::Opener;
use crate::keys::{ChannelKeys, ResolveError};
use crate::options::Mode;
use crate::show::cameras::CameraRun;
use crate::show::channels::ChannelRun;
use crate::show::scenes::SceneRun;
use crate::start::{Place, StartError};

/// What a channel needs to be known before anything is written.
pub(crate) struct ChannelPlan {
    pub(crate) keys: Option<Arc<ChannelKeys>>,
}

/// The keys a channel encrypts with, if it does.
pub(crate) fn keys_of(
    show: &dsl::Show,
    model: &dsl::Channel,
    place: &Place,
) -> Result<Option<ChannelKeys>, StartError> {
    let Some(encrypt) = &model.encrypt else { return Ok(None) };
    let ring = show.keys.iter().find(|ring| ring.name == encrypt.key);
    let ring = ring.ok_or_else(|| ResolveError::NoRing {
        owner: format!("channel {}", model.name),
        name: encrypt.key.clone(),
    })?;
    Ok(Some(ChannelKeys::load(ring, encrypt, &place.inputs)?))
}

pub(crate) fn plan_channels(show: &dsl::Show, place: &Place) -> Result<Vec<ChannelPlan>, StartError> {
    let mut plans = Vec::new();
    for model in &show.channels {
        let keys = keys_of(show, model, place)?.map(Arc::new);
        for egress in &model.egresses {
            let live = !matches!(egress.target, dsl::Target::Record { .. });
            if live && place.mode == Mode::Offline && place.life.is_none() {
                let subject = format!("egress {} of channel {}", egress.name, model.name);
                return Err(StartError::LiveOffline { subject, what: "egress" });
            }
        }
        plans.push(ChannelPlan { keys });
    }
    Ok(plans)
}

pub(crate) fn open_channels(
    show: &dsl::Show,
    plans: &[ChannelPlan],
    place: &Place,
) -> Result<Vec<OpenChannel>, StartError> {
    let models = show.channels.iter().zip(plans);
    models.map(|(model, plan)| Channel::open(show, model, plan.keys.clone(), place)).collect()
}

pub(crate) fn start_channels(
    show: &dsl::Show,
    mut open: Vec<OpenChannel>,
    plans: Vec<ChannelPlan>,
    place: &Place,
) -> Result<Vec<ChannelRun>, StartError> {
    for channel in &mut open {
        channel.create_files(place)?;
    }
    let mut channels = Vec::new();
    let models = show.channels.iter().enumerate();
    for (((ix, model), open), ChannelPlan { keys }) in models.zip(open).zip(plans) {
        channels.push(ChannelRun::new(show, model, ChannelIx(ix), open.start(place)?, keys));
    }
    Ok(channels)
}

pub(crate) fn open_cameras(show: &dsl::Show, opener: &mut Opener<'_>) -> Result<Vec<CameraRun>, StartError> {
    let mut cameras = Vec::new();
    for (ix, camera) in show.cameras.iter().enumerate() {
        let mut lines = Vec::new();
        for line in &camera.lines {
            lines.push(opener.open_line(camera, line)?);
        }
        let mut run = CameraRun::new(camera.name.clone(), lines, FeedIx::Camera(ix), show.audio);
        run.rule(&camera.failover);
        run.align(camera.failover.align, None);
        cameras.push(run);
    }
    Ok(cameras)
}

pub(crate) fn open_fillers(show: &dsl::Show, opener: &mut Opener<'_>) -> Result<Vec<CameraRun>, StartError> {
    let mut fillers = Vec::new();
    for (ix, filler) in show.fillers.iter().enumerate() {
        let line = open_filler(filler, opener)?;
        fillers.push(CameraRun::new(filler.name.clone(), vec![line], FeedIx::Filler(ix), show.audio));
    }
    Ok(fillers)
}

/// The scenes, before their first tick.
pub(crate) fn set_scenes(show: &dsl::Show) -> Vec<SceneRun> {
    let scenes = show.scenes.iter().enumerate();
    scenes.map(|(ix, scene)| SceneRun::new(show, scene, SceneIx(ix))).collect()
}

/// A filler is a camera of one line.
pub(crate) fn open_filler(filler: &dsl::Filler, opener: &mut Opener<'_>) -> Result<Line, StartError> {
    // Its file loops, whatever else the show says.
    let input = match &filler.input {
        dsl::Input::File { path, .. } => dsl::Input::File { path: path.clone(), repeat: dsl::Repeat::Loop },
        other => other.clone(),
    };
    opener.open(FILLER_LINE, &filler.name, &input, dsl::Live::default())
}

/// What a filler's one line is called.
pub(crate) const FILLER_LINE: &str = "filler";

/// Whoever decides what is on air.
pub(crate) fn plan_switching(show: &dsl::Show, place: &Place) -> Result<Switcher, StartError> {
    // A rehearsal has its time of day.
    let mode = if place.life.is_some() { Mode::RealTime } else { place.mode };
    let by_the_clock =
        |rundown: &&dsl::Rundown| rundown.cues.iter().any(|cue| matches!(cue.when, dsl::When::Clock(_)));
    if let (Mode::Offline, Some(rundown)) = (mode, show.rundowns.iter().find(by_the_clock)) {
        return Err(StartError::Channel {
            channel: rundown.channel.clone(),
            message: "its rundown has a `clock` cue, and an offline show has no time of day: \
                      use `at`, or run in real time"
                .to_owned(),
        });
    }
    Switcher::new(show).map_err(|source| StartError::Plan { channel: source.channel().to_owned(), source })
}

/// A channel none of whose sources this version can show has no program.
pub(crate) fn refuse_sourceless(show: &dsl::Show, cameras: &[CameraRun]) -> Result<(), StartError> {
    for channel in &show.channels {
        let built = |name: &String| {
            let camera = cameras.iter().find(|c| c.name == *name);
            camera.is_some_and(|c| c.lines.iter().any(Line::is_built))
        };
        let shown = |name: &String| match show.scene(name) {
            Some(scene) => scene.boxes.iter().any(|part| built(&part.camera)),
            None => built(name),
        };
        if !channel.sources.iter().any(shown) {
            return Err(StartError::Channel {
                channel: channel.name.clone(),
                message: "none of its sources has a line that is available in this version".to_owned(),
            });
        }
    }
    Ok(())
}
