//! What cues and commands ask of watermarks.

use pipeline_dsl::{Action, At, MarkChange, MarkOrder, MarkTime, Show, Switch};
use scheduling::{
    ChannelIx, Command, CueNumber, CueState, Input, Output, PlanOrder, Refusal, RefusalCode, Switcher,
};

use crate::rig::{bug, ms};

fn show() -> Show {
    let text = r#"show tour {
        video 1280x720 25fps
        camera main { line gen test bars }
        watermark bug { image "bug.png" }
        watermark name { text "Live" state=off }
        watermark trace { forensic 7 }
        ladder one { rung 720p 1280x720 2500k }
        channel program { sources main; watermark name trace bug; ladder one; egress web serve http-flv }
        rundown program {
            at 0:01 watermark bug off over=500ms
            at 0:01 watermark name text "Ada" when=keyframe
            at 0:02 watermark bug on
            next watermark name on
            at 0:04 watermark bug at bottom-left over=1s
        }
    }"#;
    pipeline_dsl::parse_show(text).unwrap()
}

/// A switcher on its deadlines, and what it had done of watermarks, when.
struct Truck {
    switcher: Switcher,
    done: Vec<(i64, String)>,
}

impl Truck {
    fn new() -> Self {
        Self { switcher: Switcher::new(&show()).unwrap(), done: Vec::new() }
    }

    fn run(&mut self, end: i64) {
        while let Some(now) = self.switcher.next_deadline().filter(|now| *now < ms(end)) {
            self.switcher.handle(Input::Tick, now).unwrap();
            while let Some(output) = self.switcher.poll() {
                if let Output::Watermark { channel: ChannelIx(0), order } = output {
                    let words = Action::Watermark(order).to_string();
                    self.done.push((now.as_millis_rounded(), words));
                }
            }
        }
    }

    fn ask(&mut self, command: impl Into<Command>) -> Result<(), Refusal> {
        let now = self.switcher.next_deadline().unwrap();
        let input = Input::Command { channel: ChannelIx(0), command: &command.into() };
        self.switcher.handle(input, now).map(drop)
    }

    fn done(&self) -> Vec<(i64, &str)> {
        self.done.iter().map(|(at, words)| (*at, words.as_str())).collect()
    }
}

#[test]
fn cues_come_at_their_ticks_in_the_order_of_the_file_and_after_the_commands_of_their_tick() {
    let mut truck = Truck::new();
    truck.run(1000);
    truck.ask(bug(Switch::On)).unwrap();
    truck.run(3000);
    truck.ask(Command::Plan(PlanOrder::Next)).unwrap();
    truck.run(5000);
    assert_eq!(
        truck.done(),
        [
            (1000, "watermark bug on"),
            (1000, "watermark bug off over=500ms"),
            (1000, "watermark name text \"Ada\" when=keyframe"),
            (2000, "watermark bug on"),
            (3000, "watermark name on"),
            (4000, "watermark bug at bottom-left over=1s"),
        ]
    );
}

#[test]
fn they_are_held_and_skipped_and_moved_as_all_cues_are() {
    let mut truck = Truck::new();
    for order in [
        PlanOrder::Hold,
        PlanOrder::Skip(CueNumber(3)),
        PlanOrder::Retime { cue: CueNumber(4), at: ms(1500) },
    ] {
        truck.ask(Command::Plan(order)).unwrap();
    }
    truck.run(3000);
    assert_eq!(truck.done(), []);
    truck.ask(Command::Plan(PlanOrder::Go)).unwrap();
    truck.run(3040);
    let done: Vec<_> = truck.done().into_iter().map(|(_, words)| words).collect();
    assert_eq!(
        done,
        ["watermark bug off over=500ms", "watermark name text \"Ada\" when=keyframe", "watermark name on"]
    );
    let states: Vec<_> = truck.switcher.channel(ChannelIx(0)).unwrap().cues().map(|cue| cue.state).collect();
    use CueState::{Done, Skipped, Waiting};
    assert_eq!(states, [Done, Done, Skipped, Done, Waiting]);
}

/// A core that is killed between a command and its tick carries it out when it goes on.
#[test]
fn what_was_asked_for_is_kept_over_a_restart() {
    let mut truck = Truck::new();
    truck.run(400);
    truck.ask(bug(Switch::Off)).unwrap();
    let stored = serde_json::to_string(&truck.switcher.save()).unwrap();
    truck.switcher = Switcher::new(&show()).unwrap().resume(serde_json::from_str(&stored).unwrap()).unwrap();
    truck.run(1000);
    assert_eq!(truck.done(), [(400, "watermark bug off")]);
}

#[test]
fn what_cannot_be_is_refused_with_what_can() {
    let mut truck = Truck::new();
    let mut refused = |watermark: &str, change| {
        let order = MarkOrder { watermark: watermark.into(), change, when: MarkTime::Now };
        let refusal = truck.ask(Action::Watermark(order)).unwrap_err();
        (refusal.code, refusal.legal.join(" "))
    };
    let off = MarkChange::State { to: Switch::Off, over: None };
    assert_eq!(refused("bugg", off.clone()), (RefusalCode::UnknownWatermark, "name bug".into()));
    // It is all over the picture, and always there.
    assert_eq!(refused("trace", off), (RefusalCode::UnknownWatermark, "name bug".into()));
    let words = MarkChange::Text("x".into());
    assert_eq!(refused("bug", words), (RefusalCode::NoText, "name".into()));
    truck.run(400);
    assert_eq!(truck.done(), []);
    // A show that was built in code is told as well.
    let mut show = show();
    let order = MarkOrder {
        watermark: "nobody".into(),
        change: MarkChange::Place { to: At::parse("top"), over: None },
        when: MarkTime::Now,
    };
    show.rundowns[0].cues[0].action = Action::Watermark(order);
    let error = Switcher::new(&show).unwrap_err().to_string();
    assert!(error.contains("cue 1") && error.ends_with("legal: name, bug"), "{error}");
}
