//! Random histories: what must hold at every tick, whatever happens.

use media::{FrameRate, Key, Span, Tick, Time};
use pipeline_dsl::{Action, Edge, Rgb, Show, Switch};
use proptest::prelude::*;
use scheduling::{
    Blend, ChannelScheduler, Code, Decision, Event, Freshness, Intent, LineReason, OnAir, Picture, Program,
    Reach, Reason, SavedChannel, SourceIx, SourceView,
};

use crate::rig::{SOURCES, ms, show};

/// What happens to a channel, tick by tick.
#[derive(Clone, Debug)]
pub struct History {
    pub ticks: u64,
    rate: FrameRate,
    after: i64,
    keyframe: i64,
    cues: Vec<(i64, Action)>,
    /// Per source, the filler last: what its picture does from a tick on.
    health: Vec<Vec<(u64, Turn)>>,
    commands: Vec<(u64, Action)>,
    lines: Vec<(u64, usize, LineReason)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    Never,
    Well,
    Missing,
    Damaged,
    Ended,
}

impl History {
    pub fn show(&self) -> Show {
        let mut show = show(&self.cues);
        show.video.rate = self.rate;
        show.ladders[0].keyframe = Span::from_millis(self.keyframe);
        show.channels[0].filler.as_mut().unwrap().after = Span::from_millis(self.after);
        show
    }

    /// The view of a source at a tick; `who` of 3 is the filler.
    fn view(&self, who: usize, tick: u64) -> SourceView {
        let turn = self.health[who].iter().rev().find(|(from, _)| *from <= tick);
        let (from, turn) = turn.copied().unwrap_or((0, Turn::Well));
        let since = self.rate.time_of(Tick(from));
        let seen = self.health[who].iter().any(|(from, turn)| *from <= tick && *turn != Turn::Never);
        let line = self.lines.iter().find(|(at, source, _)| (*at, *source) == (tick, who));
        let view = match turn {
            Turn::Well => SourceView::CURRENT,
            Turn::Never if !seen => SourceView::NEVER,
            Turn::Never | Turn::Missing => SourceView::missing(since),
            Turn::Damaged => SourceView { picture: Picture::Damaged, line: None },
            Turn::Ended => SourceView::ended(since),
        };
        line.map_or(view, |(.., reason)| view.over_line(*reason))
    }
    pub fn views(&self, tick: u64) -> (Vec<SourceView>, Option<SourceView>) {
        ((0..SOURCES.len()).map(|who| self.view(who, tick)).collect(), Some(self.view(SOURCES.len(), tick)))
    }
    pub fn commands_at(&self, tick: u64) -> impl Iterator<Item = &Action> {
        self.commands.iter().filter(move |(at, _)| *at == tick).map(|(_, command)| command)
    }
}

fn action() -> impl Strategy<Value = Action> {
    let switch = prop_oneof![Just(Switch::On), Just(Switch::Off)];
    let source = || prop::sample::select(SOURCES.to_vec()).prop_map(String::from);
    prop_oneof![
        4 => source().prop_map(|source| Action::Cut { source }),
        4 => (source(), -10i64..2000).prop_map(|(source, over)| Action::Mix { source, over: Span::from_millis(over) }),
        1 => (source(), -10i64..2000, prop::sample::select(Edge::ALL.to_vec()))
            .prop_map(|(source, over, from)| Action::Wipe { source, over: Span::from_millis(over), from }),
        1 => (source(), -10i64..2000).prop_map(|(source, over)| Action::Dip {
            source,
            over: Span::from_millis(over),
            color: Rgb { r: 1, g: 2, b: 3 },
        }),
        3 => switch.clone().prop_map(Action::Filler),
        1 => switch.clone().prop_map(crate::rig::bug),
        1 => switch.prop_map(Action::Encrypt),
        1 => Just(Action::EncryptRotate),
    ]
}

pub fn history() -> impl Strategy<Value = History> {
    let turn = prop_oneof![
        1 => Just(Turn::Never), 4 => Just(Turn::Well), 4 => Just(Turn::Missing), 1 => Just(Turn::Damaged),
        1 => Just(Turn::Ended)
    ];
    let health = prop::collection::vec((1u64..60, turn), 0..20).prop_map(|turns| {
        let mut at = 0;
        let place = |(gap, turn)| {
            let from = at;
            at += gap;
            (from, turn)
        };
        turns.into_iter().map(place).collect::<Vec<_>>()
    });
    let rate = prop::sample::select(vec![(25, 1), (30, 1), (30_000, 1001), (50, 1), (1, 1)])
        .prop_map(|(num, den)| FrameRate::new(num, den).unwrap());
    let line = prop::sample::select(vec![
        LineReason::Start,
        LineReason::Failover,
        LineReason::Suspect,
        LineReason::Recovered,
        LineReason::Chosen,
    ]);
    let end = prop::option::of(1000i64..30_000);
    (
        (400u64..900, rate, prop::sample::select(vec![0i64, 1, 40, 500, 1234]), 0i64..4000),
        (prop::collection::vec((-50i64..30_000, action()), 0..25), end),
        prop::collection::vec(health, 4),
        prop::collection::vec((0u64..900, action()), 0..25),
        prop::collection::vec((0u64..900, 0usize..3, line), 0..8),
    )
        .prop_map(|((ticks, rate, after, keyframe), (mut cues, end), health, commands, lines)| {
            cues.extend(end.map(|at| (at, Action::End)));
            History { ticks, rate, after, keyframe, cues, health, commands, lines }
        })
}

/// Everything a run says.
type Said = (Vec<Decision>, Vec<Event>, Vec<Intent>);

/// Runs a history, kept and resumed before the tick `restart`.
fn run(history: &History, restart: Option<u64>) -> Said {
    let show = history.show();
    let fresh = || ChannelScheduler::new(&show, &show.channels[0]).unwrap();
    let mut program = fresh();
    let (mut decisions, mut events, mut intents) = (vec![], vec![], vec![]);
    for tick in 0..history.ticks {
        for command in history.commands_at(tick) {
            let _ = program.handle(&command.clone().into(), Tick(tick));
        }
        if restart == Some(tick) {
            let stored = serde_json::to_string(&program.save()).unwrap();
            let saved: SavedChannel = serde_json::from_str(&stored).unwrap();
            program = fresh().resume(saved).unwrap();
        }
        let (views, filler) = history.views(tick);
        decisions.push(program.decide(Tick(tick), &views, filler));
        intents.push(program.intent());
        events.extend(std::iter::from_fn(|| program.poll_event()));
    }
    (decisions, events, intents)
}

/// Whether a source's hole is old enough for the filler.
fn is_gone(view: SourceView, now: Time, after: Span) -> bool {
    match view.picture {
        Picture::Missing { since } | Picture::Ended { since } => since + after <= now,
        Picture::Never => true,
        Picture::Current | Picture::Damaged => false,
    }
}

/// Whether the filler has been without a new picture for so long that it is black: from each tick on
/// that finds it in another hole than the tick before, or in the first one.
fn is_filler_gone(history: &History, tick: u64, after: Span) -> bool {
    let at = |tick| history.view(SOURCES.len(), tick);
    let Picture::Missing { since } = at(tick).picture else {
        return is_gone(at(tick), history.rate.time_of(Tick(tick)), after);
    };
    let is_it = |tick: &u64| at(*tick).picture == Picture::Missing { since };
    let first = (0..=tick).rev().take_while(is_it).last().unwrap_or(tick);
    let quiet = history.rate.time_of(Tick(tick)) - history.rate.time_of(Tick(first));
    quiet >= after.max(Span::from_millis(2_000))
}

fn source_named(name: &str) -> SourceIx {
    SourceIx(SOURCES.iter().position(|source| *source == name).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// One program a tick, and it is what intent and health call for.
    #[test]
    fn what_is_on_air_follows_intent_and_health(history in history()) {
        let (decisions, _, intents) = run(&history, None);
        let after = Span::from_millis(history.after);
        let mut before: Option<Decision> = None;
        for (tick, (decision, intent)) in (0u64..).zip(decisions.iter().zip(&intents)) {
            prop_assert_eq!(decision.tick, Tick(tick));
            let Some(on_air) = decision.program.on_air() else { break };
            let now = history.rate.time_of(Tick(tick));
            let wanted = history.view(intent.source.0, tick);
            let cover = if is_filler_gone(&history, tick, after) { OnAir::Black } else { OnAir::Filler };
            let was_covered = before.is_some_and(|b| !matches!(b.program.on_air(), Some(OnAir::Source(_))));
            if intent.filler == Switch::On {
                prop_assert_eq!(decision.program, Program::One(cover));
            } else if wanted.picture == Picture::Current {
                prop_assert_eq!(on_air, OnAir::Source(intent.source));
                prop_assert_eq!(decision.freshness, Freshness::Live);
            } else if wanted.picture == Picture::Damaged {
                // Shown where it is on air, or taken to; not come back with.
                let damaged = OnAir::Source(intent.source);
                prop_assert!(on_air == damaged || (was_covered && on_air == cover), "{on_air:?} at {tick}");
                prop_assert_eq!(decision.freshness == Freshness::Live || on_air != damaged, true);
            } else if !is_gone(wanted, now, after) {
                // No filler before `after`, but where it was on already.
                let held = OnAir::Source(intent.source);
                prop_assert!(on_air == held || (was_covered && on_air == cover), "{on_air:?} at {tick}");
                prop_assert!(on_air != held || decision.freshness == Freshness::Held);
            } else {
                // Nor a tick later, but for the black before the show's first picture.
                let opening = now < Time::ZERO + after && wanted.picture == Picture::Never;
                prop_assert!(on_air == cover || (opening && on_air == OnAir::Black), "{on_air:?} at {tick}");
            }
            before = Some(*decision);
        }
    }

    /// A key frame on the grid and at each change, and nowhere else.
    #[test]
    fn key_frames_lie_on_the_grid_and_at_changes(history in history()) {
        let show = history.show();
        let grid = ChannelScheduler::new(&show, &show.channels[0]).unwrap().keyframe_ticks();
        let (decisions, ..) = run(&history, None);
        let mut before: Option<Decision> = None;
        for decision in decisions.into_iter().take_while(|decision| !decision.is_end()) {
            let is_mix = |decision: &Decision| matches!(decision.program, Program::Mix { .. });
            let is_new = before.is_none_or(|before| {
                before.program.on_air() != decision.program.on_air()
                    || is_mix(&before) != is_mix(&decision)
                    || before.encrypt != decision.encrypt
            });
            let due = decision.tick.0 % grid == 0 || is_new || decision.change.is_some();
            prop_assert_eq!(decision.key == Key::Frame, due, "tick {}", decision.tick);
            before = Some(decision);
        }
    }

    /// Every change is told, with a reason that fits, and a mix runs its steps.
    #[test]
    fn changes_and_mixes_are_whole(history in history()) {
        let (decisions, ..) = run(&history, None);
        let mut before: Option<Decision> = None;
        for decision in decisions {
            let shown = before.and_then(|before| before.program.on_air());
            let on_air = decision.program.on_air();
            if let Some(change) = decision.change {
                prop_assert_eq!(change.on_air, on_air);
                let same = before.is_some() && shown == on_air;
                match change.reason {
                    Reason::Failover | Reason::Line => prop_assert!(same),
                    Reason::Filler => prop_assert!(!matches!(on_air, Some(OnAir::Source(_)))),
                    Reason::Mix | Reason::Wipe | Reason::Dip => {
                        let Program::Mix { blend, step: 1, .. } = decision.program else {
                            return Err(TestCaseError::fail(format!("{decision:?}")));
                        };
                        let fits = match change.reason {
                            Reason::Wipe => matches!(blend, Blend::Wipe(_)),
                            Reason::Dip => matches!(blend, Blend::Dip(_)),
                            _ => blend == Blend::Dissolve,
                        };
                        prop_assert!(fits, "{decision:?}");
                    }
                    Reason::End => prop_assert!(decision.is_end()),
                    Reason::Start => prop_assert!(shown.is_none() || shown == Some(OnAir::Black)),
                    Reason::Cut => prop_assert!(!same),
                    Reason::Recovered => prop_assert!(same || !matches!(shown, Some(OnAir::Source(_)))),
                    Reason::Resumed => prop_assert!(false, "no engine was down"),
                }
            } else {
                prop_assert!(before.is_some() && shown == on_air);
            }
            if let Program::Mix { from, to, blend, step, of } = decision.program {
                prop_assert!(0 < step && step < of && from != to);
                if step > 1 {
                    let earlier = Program::Mix { from, to, blend, step: step - 1, of };
                    prop_assert_eq!(before.map(|before| before.program), Some(earlier));
                } else {
                    let reason = decision.change.map(|change| change.reason);
                    prop_assert!(matches!(reason, Some(Reason::Mix | Reason::Wipe | Reason::Dip)));
                }
            }
            before = Some(decision);
        }
    }

    /// Each cue is carried out or told as refused, at its tick, in order; none is lost.
    #[test]
    fn no_cue_is_lost(history in history()) {
        let (decisions, events, _) = run(&history, None);
        let mut due: Vec<_> = (1..).zip(&history.cues).collect();
        due.sort_by_key(|(_, (at, _))| *at);
        let mut due: Vec<_> =
            due.into_iter().map(|(n, (at, action))| (history.rate.tick_from(ms(*at)), n, action)).collect();
        due.retain(|(tick, ..)| tick.0 < history.ticks);
        let end = due.iter().position(|(.., action)| **action == Action::End);
        due.truncate(end.map_or(due.len(), |end| end + 1));
        let told = events.iter().filter(|event| matches!(event.code, Code::Cue | Code::CueRefused));
        let told: Vec<_> = told.map(|event| (event.tick, event.message.clone())).collect();
        prop_assert_eq!(told.len(), due.len());
        for ((tick, message), (wanted, n, _)) in told.iter().zip(&due) {
            prop_assert_eq!(tick, wanted);
            let start = format!("cue {n} (");
            prop_assert!(message.starts_with(&start), "{message}");
        }
        let ended = end.map(|end| due[end].0);
        prop_assert_eq!(decisions.iter().find(|decision| decision.is_end()).map(|decision| decision.tick), ended);
        for event in events.iter().filter(|event| event.code == Code::CueRefused) {
            prop_assert!(event.message.contains("encrypt rotate"), "{}", event.message);
        }
    }

    /// The intent is the last thing asked for, whatever is on air.
    #[test]
    fn the_intent_is_what_was_asked_for(history in history()) {
        let show = history.show();
        let mut program = ChannelScheduler::new(&show, &show.channels[0]).unwrap();
        let mut cues: Vec<_> = history.cues.iter().collect();
        cues.sort_by_key(|(at, _)| *at);
        let (mut source, mut filler, mut over) = (SourceIx(0), Switch::Off, false);
        for tick in 0..history.ticks {
            let mut note = |action: &Action| match action {
                action if action.source().is_some() => source = source_named(action.source().unwrap()),
                Action::Filler(switch) => filler = *switch,
                Action::End => over = true,
                _ => {}
            };
            for command in history.commands_at(tick) {
                let was = program.intent();
                match program.handle(&command.clone().into(), Tick(tick)) {
                    Ok(effect) => {
                        note(command);
                        prop_assert_eq!(effect.tick, Tick(tick));
                        prop_assert_eq!(effect.intent, program.intent());
                        prop_assert!(effect.reach != Reach::Nothing || was == effect.intent);
                    }
                    Err(_) => prop_assert_eq!(program.intent(), was),
                }
            }
            for (_, action) in cues.iter().filter(|(at, _)| history.rate.tick_from(ms(*at)) == Tick(tick)) {
                note(action);
                if *action == Action::End {
                    break;
                }
            }
            let (views, cover) = history.views(tick);
            program.decide(Tick(tick), &views, cover);
            prop_assert_eq!((program.intent().source, program.intent().filler), (source, filler));
            if over {
                break;
            }
        }
    }

    /// Alarms are raised and cleared in turn, and stand exactly while viewers see a cover nobody asked for.
    #[test]
    fn alarms_stand_while_the_source_is_covered(history in history()) {
        let (decisions, events, intents) = run(&history, None);
        let mut standing: Option<(Code, String)> = None;
        for (decision, intent) in decisions.iter().zip(intents) {
            for event in events.iter().filter(|event| event.tick == decision.tick) {
                if let Some(cleared) = event.code.clears() {
                    prop_assert_eq!(standing.take(), Some((cleared, event.subject.clone())));
                } else if event.level() == scheduling::Level::Alarm {
                    prop_assert_eq!(standing.replace((event.code, event.subject.clone())), None);
                }
            }
            match decision.program.on_air() {
                Some(OnAir::Filler) if intent.filler == Switch::Off => {
                    prop_assert_eq!(&standing, &Some((Code::FillerIn, "program".to_owned())));
                }
                Some(OnAir::Black) => {
                    let opening = history.rate.time_of(decision.tick) < ms(history.after);
                    prop_assert!(opening || standing.as_ref().is_some_and(|(code, _)| *code == Code::Black));
                }
                _ => prop_assert_eq!(&standing, &None),
            }
        }
    }

    /// The same calls give the same decisions; also over a restart.
    #[test]
    fn a_replay_and_a_restart_are_identical(history in history(), restart in 0u64..900) {
        let once = run(&history, None);
        prop_assert_eq!(&once, &run(&history, None));
        prop_assert_eq!(&once, &run(&history, Some(restart % history.ticks)));
    }
}
