//! What is done without while the engine cannot keep up, in a declared order, and when it comes back.
//!
//! A tick that is begun late means that what is asked of the machine is more than it has. Then
//! thumbnails go, and after them rungs rest, one after the other: their encoders stop, and what
//! others show stays in time. Sound is never among them. Once the load is light again, all comes
//! back one by one, the last first.

use media::{Span, Time};
use pipeline_dsl::{Name, Rung, Show, Target};

use crate::carry::{Encoding, EncodingStep};
use crate::switcher::ChannelIx;

/// How long ticks must be late, or queues full, before anything is shed.
const TROUBLE: Span = Span::from_millis(500);
/// How long a step has to show what it brings before the next.
const SETTLE: Span = Span::from_millis(1_000);
/// By how much ticks must become less late in that time to be on the way back to time.
const CATCHING_UP: Span = Span::from_millis(100);
/// How long the load must be light before a rung comes back.
const CALM: Span = Span::from_millis(10_000);
/// What is late for no longer than this is a stumble, as any machine has them.
const STUMBLE: Span = Span::from_millis(100);
/// Stumbles lie this far apart, or the load is not light.
const STUMBLES_APART: Span = Span::from_millis(1_000);
/// The longest that grows to, where what comes back is too much again and again.
const MOST_CALM: Span = Span::from_millis(160_000);
/// What comes back and is too much within this time at the least was too early.
const RELAPSE: Span = Span::from_millis(30_000);

/// One rung of one channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ShedRung {
    /// The channel's place in the show.
    pub channel: ChannelIx,
    /// The rung's place in its ladder.
    pub rung: usize,
}

/// Whether somebody wants thumbnails: they cost nothing otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Thumbnails {
    /// Nobody has asked for any lately.
    #[default]
    Unasked,
    /// Somebody asks.
    Asked,
}

/// How a tick found the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// How long after it was due the tick was begun.
    pub late: Span,
    /// Ticks that wait to be composed, in the channel where most do.
    pub waiting: usize,
    /// As many can wait there; 0 where nothing waits.
    pub room: usize,
    /// Whether thumbnails are made, or would be.
    pub thumbnails: Thumbnails,
}

impl Load {
    /// More than the engine has time for.
    fn is_heavy(self, tick: Span) -> bool {
        self.late > tick || (self.room > 0 && self.waiting >= self.room)
    }

    /// So little that more can be asked of it.
    fn is_light(self, tick: Span) -> bool {
        self.late.times(2) <= tick && self.waiting * 2 <= self.room
    }
}

/// What becomes of a rung, or of the thumbnails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShedStep {
    /// No more thumbnails are made.
    NoThumbnails,
    /// They are made again.
    ThumbnailsBack,
    /// It rests.
    Shed(ShedRung),
    /// It is encoded again.
    Back(ShedRung),
}

/// Which rungs rest, and whether thumbnails do, tick by tick.
///
/// # Rules
/// - Something goes when ticks were more than a tick late, or a channel's queue was full, for 500 ms
///   without a break; the next thing a second later, unless ticks are on their way back to time.
/// - Thumbnails go first. Nothing is won by that while nobody asks for them: then a rung goes at
///   once, and they as soon as somebody asks.
/// - Rungs go in this order: channels with fewer sources before those with more (a camera's own
///   channel before the program), of equals the later in the show; in a channel as its `shed=` says.
/// - A channel that says nothing keeps all its rungs, if no other has more sources, or if it is
///   recorded: viewers come back, a hole in a file stays. Of others the largest rung goes first,
///   which frees the most, and the smallest stays, so that all viewers have one left.
/// - All comes back in the inverse order, each when the load was light for 10 s, but for stumbles; twice as long
///   where what came back last was too much within 30 s, or as long as it had waited; up to 160 s.
///
/// ```
/// use media::{Span, Time};
/// use scheduling::{Load, ShedStep, Shedding};
///
/// let show = pipeline_dsl::parse_show(r#"show tour {
///   video 1280x720 25fps
///   camera a { line gen test bars }
///   ladder two { rung 720p 1280x720 2500k; rung 360p 640x360 700k }
///   channel program { sources a; ladder two shed=720p; egress web serve http-flv }
/// }"#).map_err(|_| "not valid")?;
/// let mut shedding = Shedding::new(&show);
/// let late = Load { late: Span::from_millis(100), waiting: 3, room: 3, ..Load::default() };
/// let at = |tick: i64| Time::from_millis(40 * tick);
/// let first = (0..).find_map(|tick| Some((tick, shedding.tick(at(tick), late)?)));
/// assert!(matches!(first, Some((13, ShedStep::Shed(rung))) if rung.rung == 0));
/// let back = (14..).find_map(|tick| Some((tick, shedding.tick(at(tick), Load::default())?)));
/// assert!(matches!(back, Some((264, ShedStep::Back(_)))));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shedding {
    tick: Span,
    channels: Vec<Rungs>,
    /// All that may go, the first to go first.
    order: Vec<ShedRung>,
    /// What has gone, in the order in which it went.
    shed: Vec<ShedRung>,
    thumbnails: Made,
    heavy_since: Option<Time>,
    light: Light,
    overload: Overload,
    /// The last step, or the last look at whether it is enough, and how late ticks were then.
    looked: Option<(Time, Span)>,
    /// When something came back last.
    came_back: Option<Time>,
    calm: Span,
}

/// Since when the load is light, but for a stumble now and then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Light {
    since: Option<Time>,
    /// When the last stumble began.
    stumbled: Option<Time>,
}

impl Light {
    fn tick(&mut self, at: Time, is_light: bool) {
        if is_light {
            self.since.get_or_insert(at);
            return;
        }
        match self.stumbled.map(|began| at - began) {
            Some(so_long) if so_long < STUMBLE => {}
            Some(so_long) if so_long < STUMBLES_APART => self.since = None,
            _ => self.stumbled = Some(at),
        }
    }
}

/// Whether thumbnails are made for whoever asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Made {
    Yes,
    No,
}

/// A channel and its rungs, by their names.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Rungs {
    name: Name,
    rungs: Vec<Name>,
}

/// Whether the engine has more to do than it has time for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overload {
    /// It keeps up, with all there is.
    No,
    /// It does not, or does because of what was shed.
    Yes,
}

impl Shedding {
    /// For a show, before its first tick.
    pub fn new(show: &Show) -> Self {
        let rungs = |name: &Name| {
            let rungs = show.ladder(name).into_iter().flat_map(|ladder| &ladder.rungs);
            rungs.map(|rung| rung.name.clone()).collect()
        };
        let channels = show.channels.iter();
        Self {
            tick: show.video.rate.tick_span(),
            channels: channels.map(|c| Rungs { name: c.name.clone(), rungs: rungs(&c.ladder) }).collect(),
            order: order(show),
            shed: Vec::new(),
            thumbnails: Made::Yes,
            heavy_since: None,
            light: Light::default(),
            overload: Overload::No,
            looked: None,
            came_back: None,
            calm: CALM,
        }
    }

    /// The same for a changed show: what rests goes on resting, if it still may.
    #[must_use]
    pub fn reload(&self, show: &Show) -> Self {
        let mut next = Self { channels: Vec::new(), order: Vec::new(), ..self.clone() };
        let fresh = Self::new(show);
        (next.channels, next.order, next.tick) = (fresh.channels, fresh.order, fresh.tick);
        let moved = |was: &ShedRung| {
            let old = self.channels.get(was.channel.0)?;
            let channel = next.channels.iter().position(|channel| channel.name == old.name)?;
            let name = old.rungs.get(was.rung)?;
            let rung = next.channels.get(channel)?.rungs.iter().position(|rung| rung == name)?;
            let rung = ShedRung { channel: ChannelIx(channel), rung };
            next.order.contains(&rung).then_some(rung)
        };
        next.shed = self.shed.iter().filter_map(moved).collect();
        next
    }

    /// What a tick at `at` comes to. `at` rises from call to call.
    pub fn tick(&mut self, at: Time, load: Load) -> Option<ShedStep> {
        self.heavy_since = load.is_heavy(self.tick).then(|| self.heavy_since.unwrap_or(at));
        self.light.tick(at, load.is_light(self.tick));
        let may_go = self.thumbnails == Made::Yes && load.thumbnails == Thumbnails::Asked;
        if may_go && self.overload == Overload::Yes {
            self.thumbnails = Made::No;
            return Some(ShedStep::NoThumbnails);
        }
        if self.heavy_since.is_some_and(|since| at - since >= TROUBLE) {
            return self.more(at, load);
        }
        let looked = self.looked.map(|(looked, _)| looked);
        let light = self.light.since.map(|since| looked.map_or(since, |looked| looked.max(since)));
        if self.overload == Overload::Yes && light.is_some_and(|since| at - since >= self.calm) {
            return self.less(at, load);
        }
        None
    }

    /// It is too much.
    fn more(&mut self, at: Time, load: Load) -> Option<ShedStep> {
        if self.overload == Overload::Yes
            && let Some((looked, late)) = self.looked
        {
            if at - looked < SETTLE {
                return None;
            }
            if load.late + CATCHING_UP <= late {
                self.looked = Some((at, load.late));
                return None;
            }
        }
        self.overload = Overload::Yes;
        self.looked = Some((at, load.late));
        let rung = self.order.iter().copied().find(|rung| !self.shed.contains(rung));
        let step = match (self.thumbnails, load.thumbnails) {
            (Made::Yes, Thumbnails::Asked) => ShedStep::NoThumbnails,
            _ => ShedStep::Shed(rung?),
        };
        if let Some(back) = self.came_back.take() {
            self.calm =
                if at - back < RELAPSE.max(self.calm) { self.calm.times(2).min(MOST_CALM) } else { CALM };
        }
        match step {
            ShedStep::Shed(rung) => self.shed.push(rung),
            _ => self.thumbnails = Made::No,
        }
        Some(step)
    }

    /// There is room for more.
    fn less(&mut self, at: Time, load: Load) -> Option<ShedStep> {
        self.looked = Some((at, load.late));
        let back = match (self.shed.pop(), self.thumbnails) {
            (Some(rung), _) => Some(ShedStep::Back(rung)),
            (None, Made::No) => {
                self.thumbnails = Made::Yes;
                Some(ShedStep::ThumbnailsBack)
            }
            (None, Made::Yes) => None,
        };
        if self.shed.is_empty() && self.thumbnails == Made::Yes {
            self.overload = Overload::No;
        }
        self.came_back = back.map(|_| at).or(self.came_back);
        back
    }

    /// Whether thumbnails are made for whoever asks.
    pub fn makes_thumbnails(&self) -> bool {
        self.thumbnails == Made::Yes
    }

    /// Whether the engine has more to do than it has time for.
    pub fn overload(&self) -> Overload {
        self.overload
    }

    /// The rungs that have been shed, in the order in which they went.
    pub fn shed(&self) -> &[ShedRung] {
        &self.shed
    }

    /// All rungs that may be, the first to go first.
    pub fn order(&self) -> &[ShedRung] {
        &self.order
    }

    /// Whether no coded pictures of a rung are to come at a tick that was decided like this. A rung
    /// that is shed is encoded nonetheless while another channel carries it that has not shed it:
    /// then it costs nothing more.
    pub fn rests(&self, steps: &[EncodingStep], rung: ShedRung) -> bool {
        if self.shed.is_empty() {
            return false;
        }
        let ChannelIx(channel) = rung.channel;
        match steps.get(channel).map(|step| step.now) {
            Some(Encoding::Own) => self.none_needs(steps, rung),
            Some(Encoding::Carried(lender)) => {
                let there = self.same(rung, lender);
                there.is_some_and(|there| self.none_needs(steps, there))
            }
            Some(Encoding::None) | None => false,
        }
    }

    /// Whether neither the channel that encodes a rung nor one that carries it wants it.
    fn none_needs(&self, steps: &[EncodingStep], rung: ShedRung) -> bool {
        let carries = |ix: usize| steps.get(ix).map(|step| step.now) == Some(Encoding::Carried(rung.channel));
        let borrowers = (0..self.channels.len()).filter(|ix| carries(*ix)).map(ChannelIx);
        let shed = |there: Option<ShedRung>| there.is_none_or(|there| self.shed.contains(&there));
        self.shed.contains(&rung) && borrowers.map(|to| self.same(rung, to)).all(shed)
    }

    /// The rung of the same name in another channel.
    fn same(&self, rung: ShedRung, channel: ChannelIx) -> Option<ShedRung> {
        let name = self.channels.get(rung.channel.0)?.rungs.get(rung.rung)?;
        let rung = self.channels.get(channel.0)?.rungs.iter().position(|there| there == name)?;
        Some(ShedRung { channel, rung })
    }
}

/// All that may go, the first to go first.
fn order(show: &Show) -> Vec<ShedRung> {
    let most = show.channels.iter().map(|channel| channel.sources.len()).max().unwrap_or(0);
    let mut places: Vec<usize> = (0..show.channels.len()).collect();
    places.sort_by_key(|ix| {
        (show.channels.get(*ix).map_or(0, |channel| channel.sources.len()), std::cmp::Reverse(*ix))
    });
    let mut order = Vec::new();
    for ix in places {
        let Some(channel) = show.channels.get(ix) else { continue };
        let Some(ladder) = show.ladder(&channel.ladder) else { continue };
        let is_recorded = channel.egresses.iter().any(|way| matches!(way.target, Target::Record { .. }));
        let rungs: Vec<usize> = match &channel.shed {
            Some(said) => {
                let is_it = |rung: &Rung, name: &Name| rung.name == *name && !rung.is_copied();
                let place = |name: &Name| ladder.rungs.iter().position(|rung| is_it(rung, name));
                said.iter().filter_map(place).collect()
            }
            None if channel.sources.len() == most || is_recorded => Vec::new(),
            None => {
                // What is copied costs nothing.
                let encoded = ladder.rungs.iter().enumerate().filter(|(_, rung)| !rung.is_copied());
                let mut rungs: Vec<usize> = encoded.map(|(ix, _)| ix).collect();
                let cost = |ix: &usize| ladder.rungs.get(*ix).map_or((0, 0), |r| (r.size.area(), r.bitrate));
                rungs.sort_by_key(|ix| std::cmp::Reverse(cost(ix)));
                rungs.pop();
                rungs
            }
        };
        order.extend(rungs.into_iter().map(|rung| ShedRung { channel: ChannelIx(ix), rung }));
    }
    order
}
