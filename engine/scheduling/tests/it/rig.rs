//! A channel of three sources at 25 ticks a second (40 ms), a key frame every
//! 50 ticks, and a timeline of what it decided, as text.

use std::fmt::Write as _;

use media::{FrameRate, Key, Size, Span, Time};
use pipeline_dsl::{self as dsl, Action, Switch};
use scheduling::{
    Blend, ChannelScheduler, Command, Decision, Effect, Encryption, Freshness, OnAir, Program, Refusal,
    SourceView,
};

pub const SOURCES: [&str; 3] = ["main", "karry", "bars"];

pub fn ms(ms: i64) -> Time {
    Time::from_millis(ms)
}
pub fn cut(source: &str) -> Action {
    Action::Cut { source: source.into() }
}
pub fn mix(source: &str, over: i64) -> Action {
    Action::Mix { source: source.into(), over: Span::from_millis(over) }
}
pub fn bug(to: Switch) -> Action {
    let change = dsl::MarkChange::State { to, over: None };
    Action::Watermark(dsl::MarkOrder { watermark: "bug".into(), change, when: dsl::MarkTime::Now })
}
pub const FILLER_ON: Action = Action::Filler(Switch::On);
pub const FILLER_OFF: Action = Action::Filler(Switch::Off);

/// The show: `main`, `karry` and `bars`, filler `standby` after 500 ms, two keys.
pub fn show(cues: &[(i64, Action)]) -> dsl::Show {
    let camera =
        |name: &&str| dsl::Camera { name: (*name).into(), lines: vec![], failover: dsl::Failover::default() };
    let key = |id| dsl::KeySource { id, place: dsl::KeyPlace::Env("KEY".into()) };
    dsl::Show {
        name: "tour".into(),
        video: dsl::Video { size: Size::new(1280, 720), rate: FrameRate::new(25, 1).unwrap() },
        audio: dsl::Audio { rate: media::SampleRate::HZ_48000, layout: dsl::Layout::Stereo },
        listen: dsl::Listen::default(),
        cameras: SOURCES.iter().map(camera).collect(),
        fillers: vec![dsl::Filler {
            name: "standby".into(),
            input: dsl::Input::Test { pattern: dsl::Pattern::Bars, tone: None },
        }],
        layouts: vec![],
        scenes: vec![],
        watermarks: vec![dsl::Watermark {
            name: "bug".into(),
            mark: dsl::Mark::Graphic(dsl::Graphic {
                art: dsl::Art::Image { path: dsl::Text::Plain("bug.png".into()) },
                at: dsl::At::Anchor(dsl::Anchor::TopRight),
                margin: 24,
                opacity: 1.0,
                scale: 100,
                draw: dsl::Draw::Once,
                state: Switch::On,
                path: vec![],
            }),
        }],
        ladders: vec![dsl::Ladder {
            name: "one".into(),
            latency: dsl::Latency::Normal,
            encoder: dsl::Encoder::X264,
            preset: dsl::Preset::Veryfast,
            keyframe: Span::from_secs(2),
            audio_bitrate: 128_000,
            rungs: vec![],
        }],
        keys: vec![dsl::KeyRing { name: "tour".into(), keys: vec![key(1), key(2)] }],
        channels: vec![dsl::Channel {
            name: "program".into(),
            sources: SOURCES.iter().map(|name| (*name).into()).collect(),
            filler: Some(dsl::ChannelFiller { name: "standby".into(), after: Span::from_millis(500) }),
            watermarks: vec!["bug".into()],
            ladder: "one".into(),
            shed: None,
            encrypt: Some(dsl::Encrypt {
                key: "tour".into(),
                mode: dsl::EncryptMode::Nalu,
                sound: dsl::EncryptSound::Noise,
            }),
            egresses: vec![],
        }],
        rundowns: vec![dsl::Rundown {
            channel: "program".into(),
            zone: dsl::Zone::UTC,
            cues: cues
                .iter()
                .map(|(at, action)| dsl::Cue { when: dsl::When::At(ms(*at)), action: action.clone() })
                .collect(),
        }],
    }
}

/// When a source has no pictures: from (the first missing one was due) to, in ms.
#[derive(Clone, Default)]
pub struct Health {
    pub first: i64,
    pub holes: Vec<(i64, i64)>,
}

impl Health {
    pub fn view(&self, now: Time) -> SourceView {
        if now < ms(self.first) {
            return SourceView::NEVER;
        }
        let hole = self.holes.iter().find(|(from, to)| ms(*from) <= now && now < ms(*to));
        hole.map_or(SourceView::CURRENT, |(from, _)| SourceView::missing(ms(*from)))
    }
}

/// A scheduler with its sources and its timeline.
pub struct Rig {
    pub program: ChannelScheduler,
    pub sources: Vec<Health>,
    pub filler: Health,
    pub decisions: Vec<Decision>,
    pub timeline: String,
}

impl Rig {
    pub fn new(cues: &[(i64, Action)]) -> Self {
        Self::of(&show(cues))
    }
    pub fn of(show: &dsl::Show) -> Self {
        Self {
            program: ChannelScheduler::new(show, &show.channels[0]).unwrap(),
            sources: vec![Health::default(); SOURCES.len()],
            filler: Health::default(),
            decisions: vec![],
            timeline: String::new(),
        }
    }
    pub fn hole(mut self, source: usize, from: i64, to: i64) -> Self {
        self.sources[source].holes.push((from, to));
        self
    }
    pub fn filler_hole(mut self, from: i64, to: i64) -> Self {
        self.filler.holes.push((from, to));
        self
    }
    pub fn never(mut self, source: usize) -> Self {
        self.sources[source].first = i64::MAX;
        self
    }
    pub fn first(mut self, source: usize, at: i64) -> Self {
        self.sources[source].first = at;
        self
    }

    pub fn ask(&mut self, action: &Action) -> Result<Effect, Refusal> {
        self.order(&action.clone().into())
    }
    pub fn order(&mut self, command: &Command) -> Result<Effect, Refusal> {
        let answer = self.program.handle(command, self.program.next_tick());
        if let Err(refusal) = &answer {
            let code = refusal.code.as_str();
            writeln!(self.timeline, "refused {code}: {refusal} [{}]", refusal.legal.join(", ")).unwrap();
        }
        answer
    }

    /// Decides every tick before `end`, in ms, and notes what is new.
    pub fn run(&mut self, end: i64) -> &mut Self {
        while self.program.time_of(self.program.next_tick()) < ms(end) {
            self.step();
            if self.decisions.last().unwrap().is_end() {
                break;
            }
        }
        self
    }

    pub fn step(&mut self) -> Decision {
        let tick = self.program.next_tick();
        let now = self.program.time_of(tick);
        let views: Vec<_> = self.sources.iter().map(|source| source.view(now)).collect();
        let before = self.decisions.last().copied();
        let decision = self.program.decide(tick, &views, Some(self.filler.view(now)));
        self.decisions.push(decision);
        let line = self.words(&decision);
        let asked = decision.change.is_some() || before.is_none_or(|before| self.words(&before) != line);
        if asked {
            let reason = decision.change.map_or("", |change| change.reason.as_str());
            let key = if decision.key == Key::Frame { "key" } else { "" };
            let words = [now.to_string(), line, reason.to_owned(), key.to_owned()];
            let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
            writeln!(self.timeline, "{}", words.join(" ")).unwrap();
        }
        decision
    }

    fn words(&self, decision: &Decision) -> String {
        let name = |on_air: OnAir| self.program.name_of(on_air).unwrap_or("black").to_owned();
        let mut words = match decision.program {
            Program::One(on_air) => name(on_air),
            Program::Mix { from, to, blend, .. } => {
                let sign = match blend {
                    Blend::Dissolve => ">",
                    Blend::Wipe(_) => "|",
                    Blend::Dip(_) => "_",
                };
                format!("{}{sign}{}", name(from), name(to))
            }
            Program::Ended => "end".to_owned(),
        };
        if decision.freshness == Freshness::Held && !decision.is_end() {
            words += " held";
        }
        words += match decision.encrypt {
            Encryption::Clear => " clear",
            Encryption::Under(key) => ["", " second-key"][key.0],
        };
        words
    }

    /// Prints the timeline and compares it; leading blanks do not count.
    pub fn shows(&self, wanted: &str) {
        println!("{}", self.timeline);
        let tidy = |text: &str| {
            let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
            lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(tidy(&self.timeline), tidy(wanted));
    }

    /// The events so far, as `t level code subject: message`.
    pub fn events(&mut self) -> Vec<String> {
        let mut lines = vec![];
        while let Some(event) = self.program.poll_event() {
            let (at, code) = (self.program.time_of(event.tick), event.code.as_str());
            lines.push(format!("{at} {:?} {code} {}: {}", event.level(), event.subject, event.message));
        }
        lines
    }
}
