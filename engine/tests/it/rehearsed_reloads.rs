//! A show file that is changed on air, in a rehearsal.

use engine::EgressState;
use engine::rehearse::{CommandOutcome, Rehearsal, RehearseError, RehearseOptions, Sense, ShowText, SinkRun};
use pipeline_dsl::Text;
use pipeline_dsl::rehearsal::{Fault, FaultKind, LineFault, Order, Restart, SinkFault, TimedOrder};

use crate::rehearse::{TOUR, about, cut, fault, held, line, missed, only, said, time, with};

fn reload(at: f64) -> TimedOrder {
    TimedOrder { at: time(at), order: Order::Reload { file: Text::Plain("later.show".into()) } }
}

/// The tour, which becomes what `later` says where the script has it reloaded.
fn try_to(later: &str, faults: Vec<Fault>, orders: Vec<TimedOrder>) -> Result<Rehearsal, RehearseError> {
    let shows = vec![ShowText { file: Text::Plain("later.show".into()), text: later.to_owned() }];
    with(TOUR, faults, orders, RehearseOptions { shows, ..RehearseOptions::new() })
}

fn to(later: &str, faults: Vec<Fault>, orders: Vec<TimedOrder>) -> Rehearsal {
    try_to(later, faults, orders).unwrap()
}

fn sink<'r>(rehearsal: &'r Rehearsal, egress: &str, rung: &str) -> &'r SinkRun {
    rehearsal.sinks.iter().find(|sink| sink.egress == egress && sink.rung == rung).unwrap()
}

/// When it was there.
fn span(sink: &SinkRun) -> (f64, f64) {
    (sink.states[0].from, sink.states.last().unwrap().to)
}

/// With a guest, another server, and a second recording; without the first server, and a line.
fn guest() -> String {
    TOUR.replace("camera alone {", "camera guest { line phone push \"rtmp:live/guest\" }\n  camera alone {")
        .replace("; line backpack pull \"srt://10.0.0.7:9001\" }", " }")
        .replace("sources main alone", "sources main alone guest")
        .replace("egress cdn push \"rtmp://cdn", "egress other push \"rtmp://other")
        .replace(
            "egress web serve http-flv",
            "egress web serve http-flv\n egress tape record \"tape-{rung}.flv\"",
        )
        .replace("at 0:06 cut alone; at 0:08 end", "at 0:10 end")
}

#[test]
fn what_is_new_is_there_from_then_on_and_what_goes_ends() {
    let script = || {
        let sink = pipeline_dsl::rehearsal::SinkName {
            channel: "program".into(),
            egress: "other".into(),
            rung: None,
        };
        let faults = vec![
            line("guest/phone", 7.0, 0.6, LineFault::Lost),
            fault(3.5, 1.0, FaultKind::Sink { sink, fault: SinkFault::Wedge }),
        ];
        (faults, vec![cut(2.0, "guest"), reload(3.0), cut(5.5, "guest")])
    };
    let (faults, orders) = script();
    let rehearsal = to(&guest(), faults, orders);
    let outcomes: Vec<_> = rehearsal.commands.iter().map(|command| &command.outcome).collect();
    assert!(matches!(outcomes[0], CommandOutcome::Refused { .. }), "{outcomes:?}");
    assert!(
        matches!(outcomes[1], CommandOutcome::Reloaded { revision: 2, steps } if steps.len() >= 4),
        "{outcomes:?}"
    );
    assert_eq!(rehearsal.commands[1].words, "reload \"later.show\"");
    assert!(matches!(outcomes[2], CommandOutcome::Done { .. }), "{outcomes:?}");
    // Its encoder has called before, and is let in with the next call, within two seconds.
    let phone = rehearsal.lines.iter().find(|line| line.line == "phone").unwrap();
    assert_eq!(phone.states[0].from, 3.0, "{phone:?}");
    let backpack = rehearsal.lines.iter().find(|line| line.line == "backpack").unwrap();
    assert_eq!(backpack.states.last().unwrap().to, 3.0, "{backpack:?}");
    let fiber = rehearsal.lines.iter().find(|line| line.line == "fiber").unwrap();
    assert_eq!((fiber.states.len(), fiber.states[0].to), (1, 10.0), "nothing of it has changed");
    // Ways out, with their files.
    assert_eq!(span(sink(&rehearsal, "cdn", "720p")), (0.0, 3.0));
    let other = sink(&rehearsal, "other", "720p");
    assert_eq!(span(other), (3.0, 10.0));
    assert!(other.states.iter().any(|state| state.why.is_some()), "{other:?}");
    let disk = sink(&rehearsal, "disk", "720p");
    assert_eq!((span(disk), disk.states.len(), disk.files.len()), ((0.0, 10.0), 1, 1));
    let tape = sink(&rehearsal, "tape", "360p");
    assert_eq!((span(tape), tape.files[0].name.as_str()), ((3.0, 10.0), "./tape-360p.flv"));
    assert!((6.8..9.0).contains(&tape.files[0].length_s), "{tape:?}");
    // The one who was lost is missed, and so is the server that takes nothing; nothing else is.
    let seen = missed(&rehearsal, Sense::Picture);
    let of_all: Vec<_> = seen.iter().filter(|(gap, _)| gap.egress.is_none()).collect();
    assert!(of_all.len() == 1 && of_all[0].0.fault == Some(0), "{seen:#?}");
    assert!(seen.iter().any(|(gap, _)| gap.egress.as_deref() == Some("other") && gap.fault == Some(1)));
    assert!(!seen.iter().any(|(gap, _)| gap.egress.as_deref() == Some("cdn")), "{seen:#?}");
    let (faults, orders) = script();
    assert_eq!(rehearsal, to(&guest(), faults, orders));
}

#[test]
fn a_ladder_changes_and_each_rung_is_watched_while_it_is_there() {
    let later = TOUR
        .replace("rung 360p 640x360 800k", "rung 180p 320x180 300k")
        .replace("rung 720p 1280x720 2500k", "rung 720p 1280x720 2000k");
    let rehearsal = to(&later, vec![], vec![reload(3.0)]);
    assert!(matches!(rehearsal.commands[0].outcome, CommandOutcome::Reloaded { .. }), "{rehearsal:#?}");
    assert_eq!(rehearsal.channels[0].rungs, ["720p", "360p", "180p"]);
    assert_eq!(rehearsal.gaps, []);
    assert_eq!(span(sink(&rehearsal, "disk", "360p")), (0.0, 3.0));
    assert_eq!(span(sink(&rehearsal, "disk", "180p")), (3.0, 8.0));
    let names: Vec<_> = held(&rehearsal).iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["./program-720p.flv", "./program-360p.flv", "./program-180p.flv"]);
    let lengths: Vec<_> = held(&rehearsal).iter().map(|(_, length)| *length).collect();
    let want = [7.96, 2.96, 4.96];
    assert!(lengths.iter().zip(want).all(|(length, want)| about(*length, want, 0.1)), "{lengths:?}");
}

/// A file, a pattern and a filler that come are waited for at their first tick.
#[test]
fn files_come_and_go() {
    let later = TOUR
        .replace(
            "camera alone {",
            "camera film { line disk file \"clips/bigbuckbunny-720p25.mp4\" loop=true }\n  camera alone {",
        )
        .replace("sources main alone", "sources main alone film")
        .replace("filler standby { test \"bars\" }", "filler standby { test \"color:green\" }");
    let rehearsal = to(&later, vec![], vec![reload(2.0), cut(2.12, "film"), cut(4.0, "main")]);
    assert_eq!(rehearsal.gaps, []);
    assert_eq!(said(&rehearsal, "line-stalled", "film/disk"), 0, "{:#?}", rehearsal.events);
    let on_air: Vec<_> = rehearsal.channels[0].actual.iter().map(|a| (a.from, a.source.as_deref())).collect();
    assert_eq!(on_air[1], (2.12, Some("film")), "{on_air:?}");
    assert_eq!(rehearsal, to(&later, vec![], vec![reload(2.0), cut(2.12, "film"), cut(4.0, "main")]));
}

#[test]
fn what_cannot_be_is_refused_and_nothing_has_changed() {
    let larger = TOUR.replace("video 1280x720", "video 1920x1080");
    let without = TOUR.replace("sources main alone", "sources alone");
    let calm = to(TOUR, vec![], vec![]);
    for (later, why) in [(larger, "cannot be changed so on air"), (without, "main")] {
        let rehearsal = to(&later, vec![], vec![reload(3.0)]);
        let outcome = &rehearsal.commands[0].outcome;
        assert!(
            matches!(outcome, CommandOutcome::Refused { message } if message.contains(why)),
            "{outcome:?}"
        );
        assert_eq!(said(&rehearsal, "reload-refused", "show"), 1, "{:#?}", rehearsal.events);
        assert_eq!((&rehearsal.sinks, &rehearsal.gaps), (&calm.sinks, &calm.gaps));
        assert_eq!((&rehearsal.lines, &rehearsal.channels), (&calm.lines, &calm.channels));
    }
    let error = try_to("show x {}", vec![], vec![reload(3.0)]).unwrap_err().to_string();
    assert!(error.starts_with("at 0:03 reload \"later.show\": line 1: "), "{error}");
    let error = with(TOUR, vec![], vec![reload(3.0)], RehearseOptions::new()).unwrap_err().to_string();
    assert!(error.contains("was not given"), "{error}");
}

/// It goes on with the show that was in force.
#[test]
fn an_engine_that_is_killed_after_a_reload_goes_on_with_what_is_in_force() {
    let faults = vec![fault(7.0, 1.0, FaultKind::EngineKill(Restart::Usual))];
    let rehearsal = to(&guest(), faults, vec![reload(3.0), cut(5.5, "guest")]);
    assert_eq!(said(&rehearsal, "state-left", "program"), 0);
    let intent = rehearsal.channels[0].intent.iter().find(|intent| intent.from >= 8.0).unwrap();
    assert_eq!(intent.source, "guest");
    let tape = sink(&rehearsal, "tape", "720p");
    let names: Vec<_> = tape.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["./tape-720p.flv", "./tape-720p-2.flv"]);
    assert_eq!(span(sink(&rehearsal, "cdn", "720p")), (0.0, 3.0));
    assert_eq!(tape.states.last().unwrap().state, EgressState::Live);
    let (gap, _) = only(&rehearsal, Sense::Picture);
    assert_eq!(gap.why, "the engine is down");
}
