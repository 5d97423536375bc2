//! Scenes: where boxes stand, what they show when a camera is lost, and how a change goes.

use media::{Key, Tick, Time};
use pipeline_dsl::{Gain, SceneOrder, Show, Switch};
use proptest::prelude::*;
use scheduling::{
    BoxPicture, ChannelIx, Code, Decision, Fader, FeedIx, Input, LineIx, LineState, LineView, OnAir, Output,
    RefusalCode, SceneIx, SourceIx, Switcher,
};

use crate::rig::ms;

/// 25 ticks a second; a scene of two on air, each guest with a box of its own.
fn show(cues: &str) -> Show {
    let text = format!(
        r#"show talk {{
        video 1280x720 25fps
        camera main {{ line a test bars }}
        camera karry {{ line a test motion }}
        filler slate {{ test bars }}
        layout talk {{ box 1 at=0,0 size=50%x50%; box 2 at=50%,50% size=50%x50% fit=cover }}
        scene duo {{
          layout side-by-side
          box host camera=main
          box guest camera=karry level=-6dB filler=slate
        }}
        ladder one {{ rung 720p 1280x720 2500k }}
        channel program {{ sources duo main; filler slate; ladder one; egress web serve http-flv }}
        rundown program {{ {cues} }}
    }}"#
    );
    pipeline_dsl::parse_show(&text).unwrap_or_else(|said| panic!("{said:#?}"))
}

struct Truck {
    switcher: Switcher,
    decisions: Vec<Decision>,
    events: Vec<(i64, Code, String)>,
    lost: [Option<(i64, i64)>; 2],
}

impl Truck {
    fn new(cues: &str) -> Self {
        let switcher = Switcher::new(&show(cues)).unwrap();
        let mut truck = Self { switcher, decisions: vec![], events: vec![], lost: [None; 2] };
        truck.line(FeedIx::Filler(0), LineView::LIVE);
        truck
    }
    fn line(&mut self, feed: FeedIx, view: LineView) {
        let now = self.now();
        self.switcher.handle(Input::Line { feed, line: LineIx(0), view }, now).unwrap();
    }
    fn now(&self) -> Time {
        self.switcher.next_deadline().unwrap_or_default()
    }
    fn ask(&mut self, order: &SceneOrder) -> Result<(), RefusalCode> {
        let now = self.now();
        let asked = self.switcher.handle(Input::Scene { scene: "duo", order }, now);
        asked.map(|_| ()).map_err(|refusal| refusal.code)
    }
    /// Runs up to, not including, `end`.
    fn run(&mut self, end: i64) -> &mut Self {
        while let Some(now) = self.switcher.next_deadline().filter(|now| *now < ms(end)) {
            for camera in 0..2 {
                let hole = self.lost[camera].filter(|(from, to)| ms(*from) <= now && now < ms(*to));
                let view = match hole {
                    Some((from, _)) => LineView::new(LineState::Lost, Some(ms(from))),
                    None => LineView::LIVE,
                };
                self.line(FeedIx::Camera(camera), view);
            }
            self.switcher.handle(Input::Tick, now).unwrap();
            while let Some(output) = self.switcher.poll() {
                match output {
                    Output::Program { channel: ChannelIx(0), decision } => self.decisions.push(decision),
                    Output::Event(event) => {
                        let at = now.as_millis_rounded();
                        self.events.push((at, event.code, format!("{}: {}", event.subject, event.message)));
                    }
                    _ => {}
                }
            }
        }
        self
    }
    fn scene(&self) -> &scheduling::SceneScheduler {
        self.switcher.scene(SceneIx(0)).unwrap()
    }
    fn place(&self, ix: usize) -> String {
        self.scene().boxes()[ix].frame.map_or_else(
            || "-".to_owned(),
            |frame| format!("{}+{},{}", frame.inner.size, frame.inner.x, frame.inner.y),
        )
    }
    fn pictures(&self) -> [BoxPicture; 2] {
        [0, 1].map(|ix| self.scene().boxes()[ix].picture)
    }
    fn on_air(&self) -> OnAir {
        self.decisions.last().unwrap().program.on_air().unwrap()
    }
}

fn layout(name: &str, over: Option<i64>) -> SceneOrder {
    SceneOrder::Layout { layout: name.into(), over: over.map(media::Span::from_millis) }
}

#[test]
fn a_layout_is_cut_at_the_next_tick_and_asks_for_no_key_frame() {
    let mut truck = Truck::new("");
    truck.run(400);
    assert_eq!([truck.place(0), truck.place(1)], ["640x360+0,180", "640x360+640,180"]);
    truck.ask(&layout("pip", None)).unwrap();
    truck.run(440);
    assert_eq!([truck.place(0), truck.place(1)], ["1280x720+0,0", "320x180+932,512"]);
    truck.ask(&layout("talk", None)).unwrap();
    truck.run(480);
    assert_eq!([truck.place(0), truck.place(1)], ["640x360+0,0", "640x360+640,360"]);
    truck.ask(&layout("full", None)).unwrap();
    truck.run(520);
    assert_eq!([truck.place(0), truck.place(1)], ["1280x720+0,0", "-"]);
    assert_eq!(truck.scene().boxes()[1].camera, Fader::Quick(0.0), "who is not seen is not heard");
    let keys = truck.decisions.iter().filter(|decision| decision.key == Key::Frame).count();
    assert_eq!(keys, 1, "the first frame's");
    let told: Vec<_> = truck.events.iter().filter(|event| event.1 == Code::Scene).collect();
    assert_eq!(told.len(), 3);
    assert_eq!(told[0].2, "duo: layout pip");
}

#[test]
fn a_cue_moves_boxes_at_its_tick_and_half_way_they_are_half_way() {
    // Ten ticks on the way: the half lies between the fifth and the sixth.
    let mut truck = Truck::new("at 0:01 scene duo layout pip over=360ms");
    truck.run(1000);
    let before = truck.place(0);
    truck.run(1040);
    assert_ne!(truck.place(0), before, "it sets out at its tick");
    assert_eq!(truck.scene().settled_at(), Some(Tick(34)));
    // Nine ticks of ten: after the fifth half of the way is done.
    truck.run(1200);
    assert_eq!([truck.place(0), truck.place(1)], ["960x540+0,90", "480x270+786,346"]);
    truck.run(1360);
    assert_ne!(truck.place(0), "1280x720+0,0");
    truck.run(1400);
    assert_eq!([truck.place(0), truck.place(1)], ["1280x720+0,0", "320x180+932,512"]);
    assert_eq!(truck.scene().settled_at(), None);
}

#[test]
fn boxes_that_leave_shrink_and_fall_silent_with_it() {
    let mut truck = Truck::new("");
    truck.run(400);
    truck.ask(&layout("full", Some(360))).unwrap();
    truck.run(600);
    assert_eq!(truck.place(1), "320x180+800,270");
    let Fader::Slow(gain) = truck.scene().boxes()[1].camera else { panic!("it glides") };
    assert!((gain - Gain::from_tenths(-60).unwrap().factor() / 2.0).abs() < 1e-6, "{gain}");
    // Back again from where it is, not from where it was going.
    truck.ask(&layout("side-by-side", Some(360))).unwrap();
    truck.run(640);
    let width = truck.scene().boxes()[1].frame.unwrap().inner.size.width;
    assert!((320..360).contains(&width), "{width}");
    truck.run(1000);
    assert_eq!(truck.place(1), "640x360+640,180");
}

#[test]
fn a_lost_guest_is_held_then_covered_and_the_scene_goes_on() {
    let mut truck = Truck::new("");
    truck.lost[1] = Some((2000, 4000));
    truck.run(2400);
    assert_eq!(truck.pictures(), [BoxPicture::Live, BoxPicture::Held]);
    assert_eq!(truck.scene().boxes()[1].camera, Fader::Quick(0.0), "a held box is silent");
    truck.run(2600);
    assert_eq!(truck.pictures(), [BoxPicture::Live, BoxPicture::Filler]);
    assert_eq!(truck.on_air(), OnAir::Source(SourceIx(0)));
    truck.run(5000);
    assert_eq!(truck.pictures(), [BoxPicture::Live, BoxPicture::Live]);
    let told: Vec<_> = truck.events.iter().map(|(at, code, words)| (*at, *code, words.as_str())).collect();
    assert_eq!(
        told,
        [
            (2520, Code::BoxLost, "duo/guest: no picture of karry: the box shows its filler"),
            (4000, Code::BoxBack, "duo/guest: karry is back")
        ]
    );
}

#[test]
fn a_box_without_a_filler_is_empty_and_the_scene_is_lost_only_with_all_of_them() {
    let mut truck = Truck::new("");
    truck.lost = [Some((2000, 6000)), Some((3000, 5000))];
    truck.run(2600);
    assert_eq!(truck.pictures(), [BoxPicture::Empty, BoxPicture::Live]);
    assert_eq!(truck.on_air(), OnAir::Source(SourceIx(0)));
    // Both are gone; the channel counts from the later one.
    truck.run(3500);
    assert_eq!(truck.on_air(), OnAir::Source(SourceIx(0)));
    truck.run(3560);
    assert_eq!(truck.on_air(), OnAir::Filler);
    truck.run(5040);
    assert_eq!(truck.on_air(), OnAir::Source(SourceIx(0)), "one guest is enough");
}

#[test]
fn levels_and_mutes_are_the_boxes_own() {
    let mut truck =
        Truck::new("at 0:01 scene duo box guest level=-20dB; at 0:02 scene duo box guest mute=on");
    truck.run(960);
    let gain = |truck: &Truck| match truck.scene().boxes()[1].camera {
        Fader::Quick(gain) => gain,
        Fader::Slow(_) => panic!("a level does not wait"),
    };
    assert!((gain(&truck) - 0.501).abs() < 0.001);
    truck.run(1040);
    assert!((gain(&truck) - 0.1).abs() < 1e-6);
    truck.run(2040);
    assert!(gain(&truck).abs() < 1e-9);
    truck.ask(&SceneOrder::Mute { name: "guest".into(), mute: Switch::Off }).unwrap();
    truck.run(2080);
    assert!((gain(&truck) - 0.1).abs() < 1e-6);
}

#[test]
fn what_there_is_not_is_refused_with_what_there_is() {
    let mut truck = Truck::new("");
    assert_eq!(truck.ask(&layout("talks", None)), Err(RefusalCode::UnknownLayout));
    let level = SceneOrder::Level { name: "hots".into(), level: Gain::UNITY };
    assert_eq!(truck.ask(&level), Err(RefusalCode::UnknownBox));
    let order = layout("pip", None);
    let refused = truck.switcher.handle(Input::Scene { scene: "trio", order: &order }, ms(0)).unwrap_err();
    assert_eq!((refused.code, refused.legal), (RefusalCode::UnknownScene, vec!["duo".to_owned()]));
}

#[test]
fn a_show_built_in_code_may_be_wrong() {
    let mut wrong = show("");
    wrong.scenes[0].boxes[0].camera = "nobody".into();
    assert!(Switcher::new(&wrong).unwrap_err().to_string().contains("legal: main, karry"));
    let mut wrong = show("");
    wrong.scenes[0].boxes.clear();
    assert!(Switcher::new(&wrong).unwrap_err().to_string().contains("1 to 16"));
    let mut wrong = show("");
    wrong.scenes[0].layout = "stack".into();
    assert!(Switcher::new(&wrong).unwrap_err().to_string().contains("side-by-side, pip"));
}

fn order() -> impl Strategy<Value = SceneOrder> {
    let names = prop::sample::select(vec!["side-by-side", "pip", "grid", "full", "talk"]);
    let who = prop::sample::select(vec!["host", "guest"]);
    prop_oneof![
        (names, prop::option::of(0i64..2000)).prop_map(|(name, over)| layout(name, over)),
        (who.clone(), -600i16..=120).prop_map(|(name, tenths)| SceneOrder::Level {
            name: name.into(),
            level: Gain::from_tenths(tenths).unwrap()
        }),
        (who, any::<bool>()).prop_map(|(name, on)| SceneOrder::Mute {
            name: name.into(),
            mute: if on { Switch::On } else { Switch::Off }
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked, and whoever is lost: boxes are even and on the canvas, a restarted core
    /// goes on as the other does, and each loss has its return.
    #[test]
    fn scenes_of_any_history(
        orders in prop::collection::vec((order(), 1i64..40), 1..20),
        lost in prop::array::uniform2((0i64..8000, 1i64..4000)),
    ) {
        let mut truck = Truck::new("");
        truck.lost = lost.map(|(from, len)| Some((from, from + len)));
        let mut at = 0;
        for (order, ticks) in orders {
            truck.ask(&order).unwrap();
            at += ticks * 40;
            truck.run(at);
            for shot in truck.scene().boxes() {
                if let Some(frame) = shot.frame {
                    prop_assert!(frame.outer.is_even() && frame.outer.fits_in(media::Size::new(1280, 720)));
                    prop_assert!(frame.is_drawn());
                }
            }
            let saved = serde_json::to_string(&truck.switcher.save()).unwrap();
            let saved = serde_json::from_str(&saved).unwrap();
            let mut again = Truck::new("");
            again.switcher = again.switcher.resume(saved).unwrap();
            again.lost = truck.lost;
            let (a, b) = (truck.run(at + 40).scene().boxes().to_vec(), again.run(at + 40).scene().boxes().to_vec());
            prop_assert_eq!(a, b);
            at += 40;
        }
        truck.lost = [None; 2];
        truck.run(at + 20_000);
        let count = |code| truck.events.iter().filter(|event| event.1 == code).count();
        prop_assert_eq!(count(Code::BoxLost), count(Code::BoxBack));
    }
}
