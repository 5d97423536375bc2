//! A camera position at a tick: its lines taken from, one of them chosen.

mod told;

use std::sync::Arc;

use media::{SampleRate, Tick, Time};
use pipeline_dsl as dsl;
use scheduling::{
    Carries, Duty, FeedIx, Grade, Input, LineFigures, LineIx, LineState as Standing, LineView, Readiness,
    Step, Switcher,
};

use self::told::Measured;
use crate::channel::copy::Copied;
use crate::channel::scene::Seen;
use crate::channel::sound::crossfade;
use crate::ingest::Line;
use crate::ingest::align::{Alignment, Place};
use crate::ingest::buffer::Take;
use crate::ingest::coded::CodedPicture;
use crate::report::LineState;
use crate::show::checks::{Amiss, Limits, LineChecks, Word};
use crate::show::in_step;

/// A camera, or a filler (which is a camera of one line).
pub(crate) struct CameraRun {
    pub(crate) name: String,
    pub(crate) lines: Vec<Line>,
    feed: FeedIx,
    rate: SampleRate,
    channels: u8,
    /// What each line gave to this tick.
    takes: Vec<Take>,
    /// What the chosen one gave.
    pub(crate) take: Option<Take>,
    /// The coded pictures of each line that are known to be shown with this tick.
    coded: Vec<Vec<CodedPicture>>,
    /// Each line's counters a second ago, and what they came to.
    measured: Vec<Measured>,
    /// What is looked at in each line; nothing where it is drawn here.
    checks: Vec<Option<LineChecks>>,
    /// When the newest tick began.
    now: Time,
    /// What the checks found since it was fetched: the line, what, and whether it begins.
    found: Vec<(usize, Amiss, Word)>,
    /// Which lines carry the same.
    alignment: Option<Arc<Alignment>>,
    /// Which of them showed the same at the last tick.
    steps: Vec<Step>,
}

/// A line, with what is known of it.
type Told = (Line, Measured, Option<LineChecks>);

/// What changed at a tick.
pub(crate) struct LineChange {
    pub(crate) line: String,
    pub(crate) from: LineState,
    pub(crate) to: LineState,
    /// Whether it has had a picture before.
    pub(crate) seen: bool,
    /// Whether it was told before that its pictures are missing.
    pub(crate) was_lost: bool,
    /// What it is looked at for.
    pub(crate) carries: Carries,
}

impl CameraRun {
    /// A camera (or filler) of a show with sound of this kind.
    pub(crate) fn new(name: String, lines: Vec<Line>, feed: FeedIx, audio: dsl::Audio) -> Self {
        let measured = vec![Measured::default(); lines.len()];
        let (rate, channels) = (audio.rate, audio.layout.channels());
        let (takes, checks, found) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            name,
            lines,
            feed,
            rate,
            channels,
            takes,
            take: None,
            coded: Vec::new(),
            measured,
            checks,
            now: Time::ZERO,
            found,
            alignment: None,
            steps: Vec::new(),
        }
    }

    /// From now on its lines are looked at, and stand by, as these rules have it.
    pub(crate) fn rule(&mut self, failover: &dsl::Failover) {
        let limits = Limits::new(&failover.suspect);
        self.checks.resize_with(self.lines.len(), || None);
        for (line, checks) in self.lines.iter().zip(&mut self.checks) {
            match checks {
                Some(checks) => checks.go_by(limits),
                None => *checks = line.comes_from_outside().then(|| LineChecks::new(limits)),
            }
        }
        self.stand_by(failover.standby);
    }

    /// How the lines stand by that are not shown.
    pub(crate) fn stand_by(&self, standby: dsl::Standby) {
        let standby = if self.lines.len() > 1 { standby } else { dsl::Standby::Hot };
        self.lines.iter().for_each(|line| line.stand_by(standby));
    }

    /// From now on those of its lines are shown in step that are found by `by` to carry the same.
    /// Whatever was known of that is found out anew.
    pub(crate) fn align(&mut self, by: dsl::Align, shown: Option<LineIx>) {
        self.alignment = Alignment::new(self.lines.len(), by);
        if let (Some(alignment), Some(shown)) = (&self.alignment, shown) {
            alignment.lead(shown);
        }
        for (ix, line) in self.lines.iter().enumerate() {
            let place = |alignment: &Arc<_>| Place { alignment: Arc::clone(alignment), line: LineIx(ix) };
            line.sit(self.alignment.as_ref().map(place));
        }
    }

    /// It is taken away: what its lines were found to be is over.
    pub(crate) fn end_checks(&mut self) -> Vec<(String, Amiss, Word)> {
        let mut ended = Vec::new();
        for (line, checks) in self.lines.iter().zip(&mut self.checks) {
            let mut tell = |amiss, word| ended.push((line.name.clone(), amiss, word));
            checks.iter_mut().for_each(|checks| checks.end(self.now, &mut tell));
        }
        ended
    }

    /// It is taken away: those of its lines of which it was told that pictures are missing.
    pub(crate) fn told_lost(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(|line| line.is_told_lost()).map(|line| line.name.as_str())
    }

    /// What the checks of its lines found since the last time.
    pub(crate) fn found(&mut self) -> Vec<(String, Amiss, Word)> {
        let found = std::mem::take(&mut self.found);
        let named = found
            .into_iter()
            .filter_map(|(ix, amiss, word)| Some((self.lines.get(ix)?.name.clone(), amiss, word)));
        named.collect()
    }

    /// What is to be done with what comes over a line.
    pub(crate) fn order(&self, LineIx(line): LineIx, duty: Duty) {
        if let Some(line) = self.lines.get(line) {
            line.order(duty);
        }
    }

    /// Goes on at this place of the show with lines of these names: those in `opened` are new, or
    /// take the place of one of the same name. What went is given back.
    pub(crate) fn rearrange(
        &mut self,
        feed: FeedIx,
        names: &[&str],
        mut opened: Vec<Line>,
        now: Time,
    ) -> Option<Self> {
        self.feed = feed;
        self.checks.resize_with(self.lines.len(), || None);
        let all = self.lines.drain(..).zip(self.measured.drain(..)).zip(self.checks.drain(..));
        let mut old: Vec<Told> = all.map(|((line, measured), checks)| (line, measured, checks)).collect();
        let mut gone: Vec<Told> = Vec::new();
        for name in names {
            let before = old.iter().position(|told| told.0.name == *name).map(|ix| old.remove(ix));
            let fresh = opened.iter().position(|line| line.name == *name).map(|ix| opened.remove(ix));
            let (line, measured, checks) = match (before, fresh) {
                (Some(mut before), Some(mut line)) => {
                    line.take_over(&mut before.0, now);
                    gone.push(before);
                    (line, Measured::default(), None)
                }
                (None, Some(line)) => (line, Measured::default(), None),
                (Some(before), None) => before,
                // It was opened, or it was there.
                (None, None) => continue,
            };
            self.lines.push(line);
            self.measured.push(measured);
            self.checks.push(checks);
        }
        self.steps = vec![Step::Alone; self.lines.len()];
        gone.extend(old);
        if gone.is_empty() {
            return None;
        }
        let mut went = Self {
            name: self.name.clone(),
            lines: Vec::new(),
            feed,
            rate: self.rate,
            channels: self.channels,
            takes: Vec::new(),
            take: None,
            coded: Vec::new(),
            measured: Vec::new(),
            checks: Vec::new(),
            now: self.now,
            found: Vec::new(),
            alignment: None,
            steps: Vec::new(),
        };
        for (line, measured, checks) in gone {
            went.lines.push(line);
            went.measured.push(measured);
            went.checks.push(checks);
        }
        Some(went)
    }

    /// Takes the tick `[from, to)` from every line and tells the switcher how each stands.
    /// `changed` hears of lines whose state is another now.
    pub(crate) fn take_lines(
        &mut self,
        tick: Tick,
        from: Time,
        to: Time,
        switcher: &mut Switcher,
        changed: &mut Vec<LineChange>,
    ) {
        self.takes.clear();
        self.coded.clear();
        self.now = from;
        for (ix, line) in self.lines.iter_mut().enumerate() {
            let (before, seen, was_lost) = (line.state(), line.seen(), line.is_told_lost());
            let take = line.take(tick, from, to);
            let was_live = before == LineState::Live;
            if line.state() != before
                && (was_live || line.state() != LineState::Connecting || line.begins_to_connect())
            {
                let (name, to, carries) = (line.name.clone(), line.state(), line.carries());
                changed.push(LineChange { line: name, from: before, to, seen, was_lost, carries });
            }
            // What is kept undecoded shows nothing that could be looked at.
            if let Some(Some(checks)) = self.checks.get_mut(ix)
                && take.readiness == Readiness::Decoded
            {
                checks.look(from, &take, &mut |amiss, word| self.found.push((ix, amiss, word)));
            }
            let shown = take.at.map(|(at, _)| at);
            let coded = line.buffer().map(|buffer| buffer.coded.shown(shown, from, to - from));
            self.coded.push(coded.unwrap_or_default());
            self.takes.push(take);
        }
        self.steps = self.steps(from);
        in_step::find_holes(&mut self.takes, &self.steps, (from, to));
        in_step::fill_sound(&mut self.takes, &self.steps, self.channels);
        let lines = self.lines.iter().zip(&self.takes).zip(&self.measured).zip(&self.steps);
        for (ix, (((line, take), measured), step)) in lines.enumerate() {
            let checks = self.checks.get(ix).and_then(Option::as_ref);
            let figures = checks.map_or(measured.figures, |checks| checks.figures(measured.figures));
            let view = LineView { step: *step, ..view(line, take, figures) };
            // How a line stands is always taken in.
            let _ = switcher.handle(Input::Line { feed: self.feed, line: LineIx(ix), view }, from);
        }
    }

    /// Which lines show the same at this tick.
    fn steps(&self, at: Time) -> Vec<Step> {
        let step = |ix| match &self.alignment {
            Some(alignment) if alignment.is_in_step(LineIx(ix), at) => Step::Shared,
            _ => Step::Alone,
        };
        (0..self.lines.len()).map(step).collect()
    }

    /// The camera goes over to another line with this tick: sound with the picture, and
    /// without a click.
    pub(crate) fn go_over(&mut self, change: scheduling::LineChange) {
        if let Some(alignment) = &self.alignment {
            alignment.lead(change.to);
        }
        if let Some(left) = change.from
            && left != change.to
            && let Some(old) = self.takes.get_mut(left.0).map(|take| take.sound.take())
            && let Some(new) = self.takes.get_mut(change.to.0)
        {
            new.sound = crossfade(old.as_deref(), new.sound.take(), self.rate, self.channels);
        }
    }

    /// What the line that the switcher chose has given is the camera's.
    pub(crate) fn settle(&mut self, switcher: &Switcher) {
        let line = switcher.lines(self.feed).and_then(|lines| lines.current());
        let chosen = line.filter(|LineIx(ix)| *ix < self.takes.len());
        self.take = chosen.map(|LineIx(ix)| self.takes.swap_remove(ix));
    }

    /// What it shows at this tick.
    pub(crate) fn seen(&self) -> Option<Seen> {
        self.take.as_ref()?.picture.clone().map(Seen::Picture)
    }

    /// What of it a rung can copy at this tick.
    pub(crate) fn copied(&self, switcher: &Switcher) -> Option<Copied<'_>> {
        let LineIx(ix) = switcher.lines(self.feed).and_then(|lines| lines.current())?;
        let line = self.lines.get(ix)?;
        let is_clean = self.take.as_ref()?.picture.as_ref().is_some_and(|picture| !picture.is_damaged());
        let (line, name) = (line.buffer().filter(|_| is_clean)?, (self.name.as_str(), line.name.as_str()));
        Some(Copied { line, name, pictures: self.coded.get(ix)? })
    }
}

fn view(line: &Line, take: &Take, figures: LineFigures) -> LineView {
    let state = match line.state() {
        // Who has never given a picture is not waited for, whatever may come.
        LineState::Connecting if line.seen() => Standing::Connecting,
        LineState::Never | LineState::Connecting => Standing::Never,
        LineState::Live => Standing::Live,
        LineState::Lost => Standing::Lost,
        LineState::Ended => Standing::Ended,
    };
    // Before its first picture a line is in no hole that could be measured.
    let hole_since = take.hole_since.filter(|_| line.seen());
    // What is kept undecoded is not that of the picture that was shown last.
    let decoded = take.picture.as_ref().filter(|_| take.readiness == Readiness::Decoded);
    let is_damaged = decoded.is_some_and(codecs::Picture::is_damaged);
    let grade = if is_damaged { Grade::Damaged } else { Grade::Clean };
    let (carries, readiness) = (take.carries, take.readiness);
    LineView { figures, grade, carries, readiness, ..LineView::new(state, hole_since) }
}

#[cfg(test)]
mod tests {
    use codecs::{Frame, Pcm, PictureMut};
    use media::{FrameRate, Size, Span};

    use super::told::told_fps;
    use super::*;
    use crate::ingest::buffer::{LineBuffer, Pace};
    use crate::ingest::{LineCounters, Origin};

    const RATE: SampleRate = SampleRate::HZ_48000;
    const TICK: i64 = 40;

    /// A line of so many pictures, with 30 ticks of sound as steady as a battery.
    fn line(name: &str, pictures: i64, level: Option<f32>) -> Line {
        let buffer = Arc::new(LineBuffer::new(
            Pace::Live { depth: Span::from_millis(200) },
            Span::from_millis(TICK),
            RATE,
            1,
        ));
        for n in 0..30 {
            let pts = Time::from_millis(n * TICK);
            if n < pictures {
                let picture = PictureMut::new(Size::new(16, 16)).unwrap().freeze();
                buffer.put_frame(Frame { pts, picture });
            }
            if let Some(level) = level {
                buffer.put_sound(&Pcm { pts, rate: RATE, channels: 1, samples: vec![level; 1920].into() });
            }
        }
        buffer.end();
        Line::new(name.to_owned(), Origin::Buffered(buffer), Arc::new(LineCounters::default()))
    }

    /// A camera's sound over 30 ticks, and the sample from which it comes over its second line:
    /// the first one's pictures end after ten.
    fn sound_of_a_failover(first: Option<f32>, second: Option<f32>) -> (Vec<f32>, usize) {
        let lines = vec![line("fiber", 10, first), line("backpack", 30, second)];
        let audio = dsl::Audio { rate: RATE, layout: dsl::Layout::Mono };
        let mut camera = CameraRun::new("main".to_owned(), lines, FeedIx::Camera(0), audio);
        let show = r#"show t { camera main { line a test bars; line b test bars }
            ladder l { rung r 64x36 100k }; channel c { sources main; ladder l; egress d record "d.flv" } }"#;
        let mut switcher = Switcher::new(&dsl::parse_show(show).unwrap()).unwrap();
        let rate = FrameRate::new(25, 1).unwrap();
        let (mut sound, mut changed_at) = (Vec::new(), 0);
        for n in 0..30 {
            let (from, to) = (rate.time_of(Tick(n)), rate.time_of(Tick(n + 1)));
            camera.take_lines(Tick(n), from, to, &mut switcher, &mut Vec::new());
            switcher.handle(Input::Tick, from).unwrap();
            while let Some(output) = switcher.poll() {
                if let scheduling::Output::Line { change, .. } = output {
                    camera.go_over(change);
                    if change.reason != scheduling::LineReason::Start {
                        changed_at = sound.len();
                    }
                }
            }
            camera.settle(&switcher);
            let tick = camera.take.as_ref().and_then(|take| take.sound.clone());
            sound.extend(tick.unwrap_or_else(|| vec![0.0; 1920]));
        }
        (sound, changed_at)
    }

    /// What is made up for what got lost is shown, and is no picture to come back with.
    #[test]
    fn the_rules_are_told_of_damaged_pictures() {
        let mut line = line("fiber", 1, None);
        let take = line.take(Tick(0), Time::ZERO, Time::from_millis(TICK));
        assert_eq!(view(&line, &take, LineFigures::default()).grade, Grade::Clean);
        let picture = take.picture.clone().map(codecs::Picture::damaged);
        let take = Take { picture, ..take };
        assert_eq!(view(&line, &take, LineFigures::default()).grade, Grade::Damaged);
        // What has come since is not decoded, and nobody knows what it is worth.
        let take = Take { readiness: Readiness::Kept, ..take };
        assert_eq!(view(&line, &take, LineFigures::default()).grade, Grade::Clean);
    }

    #[test]
    fn a_burst_has_no_rate_and_what_cannot_wait_does_not() {
        assert_eq!([0.0, 25.0, 120.0, 354.0].map(told_fps), [Some(0.0), Some(25.0), Some(120.0), None]);
        let live = Pace::Live { depth: Span::from_millis(200) };
        let buffer = LineBuffer::new(live, Span::from_millis(TICK), RATE, 1);
        let picture = PictureMut::new(Size::new(16, 16)).unwrap().freeze();
        buffer.put_frame(Frame { pts: Time::from_millis(83_360), picture });
        assert_eq!(buffer.waiting(), Some(Span::from_millis(1500)));
    }

    #[test]
    fn sound_glides_from_one_line_to_the_other() {
        for (first, second) in [(Some(0.5), Some(-0.5)), (Some(0.5), None), (None, Some(-0.5))] {
            let (sound, at) = sound_of_a_failover(first, second);
            assert!(at > 0, "the camera went over to its other line");
            let glide = &sound[at - 1..=at + 480];
            let steepest = glide.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
            assert!(steepest <= 1.01 / 480.0, "{first:?} to {second:?}: a step of {steepest}");
            // The line's own end is faded, too.
            assert!(sound[at + 480..29 * 1920].iter().all(|s| *s == second.unwrap_or(0.0)));
        }
    }
}
