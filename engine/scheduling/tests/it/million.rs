//! A million events of seeded random shows: what must hold whatever happens.
//!
//! `OBVAN_SEED=n` runs that one history alone.

use std::collections::{BTreeMap, HashMap};

use fixtures::noise::Noise;
use media::{Span, Tick, Time};
use pipeline_dsl::{Action, Cue, Edge, Prefer, Rgb, Show, Standby, Switch, TimeOfDay, When};
use scheduling::{
    Answer, Carries, ChannelIx, Code, Command, CueNumber, CueState, Decision, Duty, Fader, FeedIx, Follow,
    Freshness, Gain, Grade, Heard, Input, LineChange, LineIx, LineReason, LineState, LineView, OnAir, Output,
    PlanOrder, Program, Readiness, RundownCourse, SourceIx, Switcher, Transition,
};

const HISTORIES: u64 = 25;
const EVENTS: u64 = 40_000;
const CAMERAS: usize = 5;
const CHANNELS: usize = 2;

struct Dice(Noise);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n
    }
    /// True once in `n`.
    fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

fn source(dice: &mut Dice) -> String {
    format!("c{}", dice.below(CAMERAS as u64))
}

fn action(dice: &mut Dice) -> Action {
    let over = Span::from_millis(dice.below(1500) as i64);
    match dice.below(13) {
        0..5 => Action::Cut { source: source(dice) },
        5..7 => Action::Mix { source: source(dice), over },
        7 => Action::Wipe { source: source(dice), over, from: dice.of(&Edge::ALL) },
        8 => Action::Dip { source: source(dice), over, color: Rgb { r: 9, g: 9, b: 9 } },
        9..11 => Action::Filler(dice.of(&[Switch::On, Switch::Off, Switch::Off])),
        11 => crate::rig::bug(dice.of(&[Switch::On, Switch::Off])),
        _ if dice.once_in(3) => Action::EncryptRotate,
        _ => Action::Encrypt(dice.of(&[Switch::On, Switch::Off])),
    }
}

/// Cameras of one to three lines under every kind of rule, two channels with a rundown each.
fn show(dice: &mut Dice) -> Show {
    let mut text = String::from(
        "show million { video 64x36 25fps\nfiller slate { test bars }\nwatermark bug { image \"bug.png\" margin=0 }\n",
    );
    for camera in 0..CAMERAS {
        let lines: String = (0..=dice.below(3))
            .map(|line| format!("line l{line} push \"rtmp:live/{camera}-{line}\"; "))
            .collect();
        text += &format!(
            "camera c{camera} {{ {lines}failover lost={}ms recover={}ms prefer={} standby={} suspect={}ms min-fps=20fps max-errors=3 freeze={}ms {} }}\n",
            dice.of(&[50, 400, 1000]),
            dice.of(&[0, 400, 3000]),
            dice.of(&Prefer::WORDS),
            dice.of(&Standby::WORDS),
            dice.of(&[500, 2000]),
            dice.of(&[500, 3000]),
            dice.of(&["silence=off", "black=off on=freeze", "black=1s on=black,freeze"]),
        );
    }
    text +=
        "ladder one { keyframe 1s; rung tiny 64x36 100k }\nkey ring { id 1 env=A; id 2 env=B; id 3 env=C }\n";
    for channel in 0..CHANNELS {
        let filler = if channel == 0 { "filler slate after=500ms" } else { "filler slate after=0ms" };
        text += &format!(
            "channel p{channel} {{ sources c0 c1 c2 c3 c4; {filler}; watermark bug; ladder one; encrypt ring; egress d record \"{channel}.flv\" }}\n\
             rundown p{channel} {{}}\n"
        );
    }
    let mut show = pipeline_dsl::parse_show(&(text + "}")).unwrap_or_else(|found| panic!("{found:?}"));
    for rundown in &mut show.rundowns {
        rundown.cues = (0..20 + dice.below(40)).map(|_| cue(dice)).collect();
    }
    show
}

fn cue(dice: &mut Dice) -> Cue {
    let when = match dice.below(8) {
        0 => When::Next,
        1 => When::Clock(TimeOfDay::new(Span::from_secs(72_000 + dice.below(1200) as i64)).unwrap()),
        _ => When::At(Time::from_millis(dice.below(900_000) as i64)),
    };
    Cue { when, action: action(dice) }
}

/// The lines as they really are.
struct World {
    lines: Vec<(FeedIx, LineIx, LineView)>,
}

impl World {
    fn new(show: &Show) -> Self {
        let mut lines = vec![(FeedIx::Filler(0), LineIx(0), LineView::NEVER)];
        for (camera, model) in show.cameras.iter().enumerate() {
            let of = |line| (FeedIx::Camera(camera), LineIx(line), LineView::NEVER);
            lines.extend((0..model.lines.len()).map(of));
        }
        Self { lines }
    }

    /// Something happens to a line. Lines that came to their end come again, sometimes.
    fn shake(&mut self, dice: &mut Dice, now: Time) -> (FeedIx, LineIx, LineView) {
        let ix = dice.below(self.lines.len() as u64) as usize;
        let view = &mut self.lines[ix].2;
        match dice.below(16) {
            0..3 => view.hole_since = None,
            3..6 => view.hole_since = view.hole_since.or(Some(now)),
            6 => (view.state, view.hole_since) = (LineState::Lost, view.hole_since.or(Some(now))),
            7 => view.grade = dice.of(&[Grade::Clean, Grade::Damaged]),
            8 => view.figures.millifps = Some(dice.of(&[0, 19_999, 20_000, 25_000, 25_000])),
            9 => view.figures.errors = Some(dice.of(&[0, 0, 3, 4])),
            10 if dice.once_in(2) => view.figures.black_since = dice.of(&[None, Some(now)]),
            10 => view.figures.frozen_since = dice.of(&[None, Some(now)]),
            11 if dice.once_in(8) => (view.state, view.hole_since) = (LineState::Ended, Some(now)),
            12 => view.state = LineState::Connecting,
            // A line that has had a picture is one with pictures for good.
            13 if view.state == LineState::Never || view.carries == Carries::SoundAlone => {
                *view =
                    LineView { carries: Carries::SoundAlone, readiness: view.readiness, ..LineView::LIVE };
            }
            _ => *view = LineView { readiness: view.readiness, ..LineView::LIVE },
        }
        self.lines[ix]
    }

    /// All is well.
    fn heal(&mut self) {
        for (.., view) in &mut self.lines {
            *view = LineView { readiness: view.readiness, ..LineView::LIVE };
        }
    }

    fn set_duty(&mut self, feed: FeedIx, line: LineIx, duty: Duty) {
        let readiness = match duty {
            Duty::Decode => Readiness::Decoded,
            Duty::Keep => Readiness::Kept,
        };
        for (_, _, view) in self.lines.iter_mut().filter(|(f, l, _)| (*f, *l) == (feed, line)) {
            view.readiness = readiness;
        }
    }
}

fn command(dice: &mut Dice) -> Command {
    let cue = CueNumber(1 + dice.below(50) as u32);
    match dice.below(20) {
        0..9 => Command::Act(action(dice)),
        9..11 => Command::Preview { source: source(dice) },
        11..13 => {
            let over = Span::from_millis(dice.below(800) as i64);
            Command::Take(dice.of(&[Transition::Cut, Transition::Mix { over }]))
        }
        13 => Command::Sound(Follow::Source(source(dice))),
        14 => Command::Sound(Follow::Picture),
        15 => Command::Gain {
            source: source(dice),
            gain: Gain::from_tenths(dice.below(700) as i16 - 600).unwrap(),
        },
        16 => Command::Mute { source: source(dice), mute: dice.of(&[Switch::On, Switch::Off]) },
        17 => Command::Plan(dice.of(&[PlanOrder::Next, PlanOrder::Hold, PlanOrder::Go, PlanOrder::Go])),
        18 => Command::Plan(dice.of(&[PlanOrder::Skip(cue), PlanOrder::Move { cue, before: None }])),
        _ => {
            let at = Time::from_millis(dice.below(900_000) as i64);
            Command::Plan(PlanOrder::Retime { cue, at })
        }
    }
}

/// What is watched over a whole history.
struct Watch {
    show: Show,
    /// Since when each camera's lines were left, and whether only rules have spoken since.
    left: Vec<BTreeMap<usize, Time>>,
    alarms: HashMap<(Code, String), u64>,
    told: [usize; CHANNELS],
    /// Changes of watermarks that were asked for, less those that were carried out.
    marks: i64,
    before: [Option<Decision>; CHANNELS],
}

impl Watch {
    fn new(show: &Show) -> Self {
        Self {
            show: show.clone(),
            left: vec![BTreeMap::new(); CAMERAS],
            alarms: HashMap::new(),
            told: [0; CHANNELS],
            marks: 0,
            before: [None; CHANNELS],
        }
    }

    /// No camera comes back to a line faster than its rules allow.
    fn line(&mut self, camera: usize, change: LineChange, now: Time, world: &World) {
        let rules = self.show.cameras[camera].failover;
        let least = rules.lost.min(rules.recover).min(rules.suspect.after);
        let view = |line: usize| {
            let wanted = (FeedIx::Camera(camera), LineIx(line));
            world.lines.iter().find(|(feed, line, _)| (*feed, *line) == wanted).unwrap().2
        };
        let from = change.from.map(|from| from.0);
        assert_ne!(from, Some(change.to.0));
        // A line that came to its end is left at once.
        let ended = from.is_some_and(|from| view(from).state == LineState::Ended);
        let left = &mut self.left[camera];
        if let Some(since) = left.get(&change.to.0)
            && change.reason != LineReason::Chosen
        {
            let away = now - *since;
            assert!(ended || away >= least, "c{camera} at {now}: {change:?} after {away}; {rules:?}");
        }
        assert_eq!(view(change.to.0).readiness, Readiness::Decoded, "c{camera} shows what is only kept");
        if change.reason == LineReason::Chosen {
            // What the director does is no flapping, nor is what follows from it.
            left.clear();
        } else if let Some(from) = from {
            if ended {
                left.remove(&from);
            } else {
                left.insert(from, now);
            }
        }
    }

    /// One source, its sound with it, every step in its turn.
    fn decision(&mut self, channel: usize, decision: &Decision, tick: Tick) {
        assert_eq!(decision.tick, tick);
        let before = self.before[channel].replace(*decision);
        if let Some(before) = before {
            assert_eq!(before.tick.next(), tick, "a tick of p{channel} is missing");
            assert!(!before.is_end(), "p{channel} goes on after its end");
        }
        let gain = |part: OnAir| match decision.fader(part) {
            Fader::Quick(gain) | Fader::Slow(gain) => gain,
        };
        let parts = (0..CAMERAS).map(|ix| OnAir::Source(SourceIx(ix))).chain([OnAir::Filler, OnAir::Black]);
        let heard: Vec<_> = parts.filter(|part| gain(*part) > 0.0).collect();
        let live = decision.freshness == Freshness::Live;
        match (decision.heard, decision.program) {
            (_, Program::Ended) => assert_eq!(heard, []),
            (Heard::Source { source, freshness }, _) => {
                let loud = freshness == Freshness::Live;
                assert_eq!(heard, if loud { vec![OnAir::Source(source)] } else { vec![] });
            }
            (Heard::Picture, Program::One(on_air)) => {
                assert_eq!(heard, if live { vec![on_air] } else { vec![] });
            }
            (Heard::Picture, Program::Mix { from, to, blend, step, of }) => {
                assert!(heard.iter().all(|part| [from, to].contains(part)));
                let all = gain(from) + gain(to);
                assert!(if live { (all - 1.0).abs() < 1e-6 } else { all < 1.0 }, "{decision:?}");
                assert!(0 < step && step < of && from != to);
                if step > 1 {
                    let earlier = Program::Mix { from, to, blend, step: step - 1, of };
                    assert_eq!(before.map(|before| before.program), Some(earlier));
                }
            }
        }
    }

    fn output(&mut self, output: &Output, tick: Tick, now: Time, world: &mut World) {
        match output {
            Output::Line { feed: FeedIx::Camera(camera), change } => self.line(*camera, *change, now, world),
            Output::Line { .. } => {}
            Output::Watermark { .. } => self.marks -= 1,
            Output::Duty { feed, line, duty } => world.set_duty(*feed, *line, *duty),
            Output::Program { channel, decision } => self.decision(channel.0, decision, tick),
            Output::Event(event) => {
                if let Some(cleared) = event.code.clears() {
                    let stood = self.alarms.remove(&(cleared, event.subject.clone()));
                    assert!(stood.is_some(), "{event:?} ends what never began");
                } else if event.level() >= scheduling::Level::Warn && event.code != Code::CueRefused {
                    assert_ne!(event.code, Code::EventsLost);
                    self.alarms.insert((event.code, event.subject.clone()), tick.0);
                }
                if matches!(event.code, Code::Cue | Code::CueRefused) {
                    let channel = event.subject.trim_start_matches('p').parse::<usize>().unwrap();
                    self.told[channel] += 1;
                    self.marks += i64::from(event.message.contains("(watermark "));
                }
            }
        }
    }

    /// Every cue is carried out (and told), refused (and told), skipped, or has reason to wait.
    fn cues(&self, switcher: &Switcher) {
        for channel in 0..CHANNELS {
            let run = switcher.channel(ChannelIx(channel)).unwrap();
            let cues: Vec<_> = run.cues().collect();
            assert_eq!(cues.len(), self.show.rundowns[channel].cues.len());
            let over = |state| matches!(state, CueState::Done | CueState::Refused);
            assert_eq!(cues.iter().filter(|cue| over(cue.state)).count(), self.told[channel]);
            let held = run.rundown_course() == RundownCourse::Held;
            for cue in cues.iter().filter(|cue| cue.state == CueState::Waiting) {
                let past = cue.tick.is_some_and(|tick| tick < run.next_tick());
                assert!(!past || held, "cue {} of p{channel} is lost", cue.number);
            }
        }
    }
}

fn both(a: &mut Switcher, b: &mut Switcher, input: Input<'_>, now: Time) -> Option<Answer> {
    let answer = a.handle(input, now);
    assert_eq!(answer, b.handle(input, now));
    answer.ok()
}

/// Runs one history, twice side by side, one of the two kept and resumed every now and then.
/// How many events it had.
fn run(seed: u64) -> u64 {
    let mut dice = Dice(Noise::new(seed));
    let show = show(&mut dice);
    let (mut a, mut b) = (Switcher::new(&show).unwrap(), Switcher::new(&show).unwrap());
    let (mut world, mut watch) = (World::new(&show), Watch::new(&show));
    let (mut events, mut tick) = (0, Tick(0));
    let mut calm = 0;
    // At the end all is well for long enough that nothing may be left to complain of.
    while events < EVENTS || calm < 600 {
        let now = a.next_deadline().unwrap();
        if events >= EVENTS {
            if calm == 0 {
                world.heal();
                for channel in 0..CHANNELS {
                    for command in [Command::Plan(PlanOrder::Hold), Action::Filler(Switch::Off).into()] {
                        let input = Input::Command { channel: ChannelIx(channel), command: &command };
                        both(&mut a, &mut b, input, now);
                    }
                }
            }
            calm += 1;
            for (feed, line, view) in world.lines.clone() {
                both(&mut a, &mut b, Input::Line { feed, line, view }, now);
            }
        } else {
            for _ in 0..dice.below(4) {
                let (feed, line, _) = world.shake(&mut dice, now);
                let view = world.lines.iter().find(|(f, l, _)| (*f, *l) == (feed, line)).unwrap().2;
                both(&mut a, &mut b, Input::Line { feed, line, view }, now);
                events += 1;
            }
            if dice.once_in(8) {
                let command = command(&mut dice);
                let channel = ChannelIx(dice.below(CHANNELS as u64) as usize);
                let answer = both(&mut a, &mut b, Input::Command { channel, command: &command }, now);
                let is_mark = matches!(command, Command::Act(Action::Watermark(_)));
                watch.marks += i64::from(is_mark && answer.is_some());
                events += 1;
            }
            if dice.once_in(200) {
                let camera = dice.below(CAMERAS as u64) as usize;
                let line = dice.of(&[None, Some("l0"), Some("l1"), Some("l2")]);
                let input = Input::Choose { camera: &format!("c{camera}"), line };
                if both(&mut a, &mut b, input, now).is_some() {
                    watch.left[camera].clear();
                }
                events += 1;
            }
            if tick.0 == 50 {
                let eight = TimeOfDay::new(Span::from_secs(72_000)).unwrap();
                both(&mut a, &mut b, Input::Clock(eight), now);
            }
        }
        both(&mut a, &mut b, Input::Tick, now);
        events += 1;
        loop {
            let output = a.poll();
            assert_eq!(output, b.poll());
            let Some(output) = output else { break };
            watch.output(&output, tick, now, &mut world);
            // What is to be decoded is, by the next tick; what is only kept, too.
            if let Output::Duty { feed, line, .. } = output {
                let view = world.lines.iter().find(|(f, l, _)| (*f, *l) == (feed, line)).unwrap().2;
                both(&mut a, &mut b, Input::Line { feed, line, view }, now);
            }
        }
        assert_eq!(watch.marks, 0, "a change of a watermark is lost, or done twice");
        for channel in 0..CHANNELS {
            assert_eq!(
                watch.before[channel].map(|before| before.tick),
                Some(tick),
                "p{channel} is not decided"
            );
        }
        if dice.once_in(400) {
            watch.cues(&a);
            let stored = serde_json::to_string(&b.save()).unwrap();
            b = Switcher::new(&show).unwrap().resume(serde_json::from_str(&stored).unwrap()).unwrap();
            assert_eq!(a, b);
        }
        tick = tick.next();
    }
    watch.cues(&a);
    assert!(watch.alarms.is_empty(), "never cleared: {:?}", watch.alarms);
    events
}

#[test]
fn a_million_events() {
    let only = std::env::var("OBVAN_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    let seeds = only.map_or(1..=HISTORIES, |seed| seed..=seed);
    let mut events = 0;
    for seed in seeds {
        println!("seed {seed}: OBVAN_SEED={seed} runs it alone");
        events += run(seed);
    }
    println!("{events} events");
    assert!(only.is_some() || events >= 1_000_000);
}
