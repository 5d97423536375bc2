use codecs::{Picture, PictureMut, Rgb};
use crossbeam_channel::Receiver;
use media::Size;

use super::*;
use crate::clock::{Stop, VirtualClock};
use crate::event::EventLog;
use crate::thumb::{Asking, Look, Of, Shown};

const SHOW: &str = r#"show t {
  video 64x36 25fps
  camera a { line gen test bars }
  camera b { line gen test bars }
  scene duo { layout side-by-side; box one camera=a; box two camera=b }
  filler a { test "color:green" }
  filler slate { test "color:red" }
  ladder l { rung r 64x36 100k }
  channel c { sources a b duo; filler slate; ladder l; egress d record "d.flv" }
}"#;

struct Bench {
    desk: ThumbDesk,
    jobs: Receiver<Job>,
    clock: Arc<VirtualClock>,
}

fn bench() -> Bench {
    let (show, clock) = (pipeline_dsl::parse_show(SHOW).unwrap(), Arc::new(VirtualClock::default()));
    let (to_maker, jobs) = bounded(WAITING);
    let (of_desk, log): (Arc<dyn Clock>, _) = (clock.clone(), Arc::new(EventLog::new()));
    let reporter = Reporter::new(Arc::clone(&of_desk), log, Arc::new(Stop::default()));
    Bench { desk: ThumbDesk::new(Thumbs::new(&show, of_desk), &show, to_maker, reporter), jobs, clock }
}

fn picture() -> Picture {
    PictureMut::filled(Size::new(64, 36), Rgb::new(0, 0, 0)).unwrap().freeze()
}

impl Bench {
    /// The tick at so many milliseconds: what was handed on.
    fn tick(&mut self, ms: i64) {
        let at = Time::from_millis(ms);
        self.clock.wait_until(at, &Stop::default());
        self.desk.listen(at);
        self.desk.tick(at, |_| Some(Seen::Picture(picture())));
    }

    fn handed(&self) -> Vec<(String, i64)> {
        let jobs = self.jobs.try_iter();
        jobs.map(|job| (job.slot.name.clone(), (job.at - Time::ZERO).as_millis_rounded())).collect()
    }

    /// As the maker does.
    fn made(&self, name: &str, ms: i64) {
        let slots = self.desk.thumbs.slots();
        let slot = slots.iter().flatten().find(|slot| slot.name == name).unwrap();
        let shown = Shown::Jpeg(name.to_owned().into());
        slot.look.send_replace(Look { at: Some(Time::from_millis(ms)), shown });
    }

    fn ask(&self, name: &str) -> Asking {
        self.desk.thumbs.begin(Of::Source(name)).unwrap()
    }
}

#[test]
fn nobody_asks_and_nobody_looks() {
    let mut bench = bench();
    for tick in 0..1_000 {
        let at = Time::from_millis(40 * tick);
        bench.desk.listen(at);
        bench.desk.tick(at, |_| panic!("it was looked at"));
    }
    assert!(!bench.desk.status().asked);
}

#[test]
fn many_who_ask_cost_one_picture_and_a_source_two_a_second() {
    let mut bench = bench();
    let waiting: Vec<_> = (0..20).map(|_| bench.ask("a")).collect();
    bench.tick(0);
    assert_eq!(bench.handed(), [("a".to_owned(), 0)]);
    bench.made("a", 0);
    for asking in waiting {
        let Asking::Waits(looks) = asking else { panic!("there was nothing to serve") };
        assert!(looks.has_changed().unwrap());
    }
    // For half a second that one is good enough.
    for ms in (40..500).step_by(40) {
        bench.tick(ms);
        assert!(matches!(bench.ask("a"), Asking::Served(_)));
    }
    bench.tick(500);
    assert_eq!(bench.handed(), [], "nobody asked for a newer one");
    // However often it is asked for: one in half a second.
    let mut times = Vec::new();
    for ms in (520..4_520).step_by(40) {
        drop(bench.ask("a"));
        bench.tick(ms);
        for (name, at) in bench.handed() {
            bench.made(&name, at);
            times.push(at);
        }
    }
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 500), "{times:?}");
    assert_eq!(times.len(), 8);
    // Once it was made, and nobody asks again: nothing more.
    assert!(bench.desk.status().asked);
    (4_520..20_000).step_by(40).for_each(|ms| bench.tick(ms));
    assert!(bench.handed().is_empty() && !bench.desk.status().asked);
}

#[test]
fn a_tick_waits_for_nobody_and_who_was_left_out_is_next() {
    let mut bench = bench();
    for name in ["a", "b", "duo", "slate"] {
        drop(bench.ask(name));
    }
    let named = |bench: &Bench| bench.handed().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    (0..5).for_each(|tick| bench.tick(40 * tick));
    assert_eq!(named(&bench), ["a", "b"], "as many as may wait");
    drop(bench.ask("a"));
    bench.tick(600);
    assert_eq!(named(&bench), ["duo", "slate"]);
    bench.tick(640);
    assert_eq!(named(&bench), ["a"]);
}

/// A channel's is asked of whoever composes it, no oftener than a source's; what the maker cannot take
/// comes again.
#[test]
fn a_channel_is_looked_at_by_whoever_composes_it() {
    let mut bench = bench();
    let glance = |bench: &mut Bench, ms: i64| {
        let at = Time::from_millis(ms);
        bench.clock.wait_until(at, &Stop::default());
        bench.desk.listen(at);
        let glances = bench.desk.glances(at);
        let count = glances.len();
        for (channel, glance) in glances {
            assert_eq!(channel, ChannelIx(0));
            glance.take(at, &picture(), None);
        }
        count
    };
    assert_eq!(glance(&mut bench, 0), 0, "nobody has asked");
    let ask = |bench: &Bench| drop(bench.desk.thumbs.begin(Of::Channel("c")).unwrap());
    ask(&bench);
    assert_eq!((glance(&mut bench, 40), glance(&mut bench, 80)), (1, 0));
    assert_eq!(bench.handed(), [("c".to_owned(), 40)]);
    ask(&bench);
    assert_eq!((glance(&mut bench, 120), glance(&mut bench, 540)), (0, 1));
    bench.handed();
    // Two wait, and no more can.
    for name in ["a", "b"] {
        drop(bench.ask(name));
    }
    bench.tick(1_000);
    ask(&bench);
    assert_eq!(glance(&mut bench, 1_040), 1);
    assert_eq!(bench.handed(), [("a".to_owned(), 1_000), ("b".to_owned(), 1_000)]);
    assert_eq!((glance(&mut bench, 1_080), glance(&mut bench, 1_540)), (0, 1));
    assert_eq!(bench.handed(), [("c".to_owned(), 1_540)]);
    // It gets a key: what it has shown is not shown to anybody any more.
    bench.made("c", 1_540);
    let sealed = SHOW.replace("ladder l; egress", "ladder l; encrypt tour; egress");
    let sealed = sealed.replace("channel c", "key tour { id 1 env=KEY }\n  channel c");
    bench.desk.rearrange(&pipeline_dsl::parse_show(&sealed).unwrap());
    let refused = bench.desk.thumbs.begin(Of::Channel("c")).err().map(|refused| refused.code);
    assert_eq!((refused.as_deref(), glance(&mut bench, 3_000)), (Some("encrypted"), 0));
    bench.desk.rearrange(&pipeline_dsl::parse_show(SHOW).unwrap());
    assert!(matches!(bench.desk.thumbs.begin(Of::Channel("c")).unwrap(), Asking::Waits(_)));
}

#[test]
fn while_they_rest_the_last_one_stays() {
    let mut bench = bench();
    bench.made("a", 0);
    let waits = bench.ask("b");
    bench.desk.rest();
    for ms in (0..5_000).step_by(40) {
        let (Asking::Served(a), Asking::Served(b)) = (bench.ask("a"), bench.ask("b")) else {
            panic!("somebody waits for what does not come")
        };
        assert_eq!((a.at, b.at), (Some(Time::ZERO), None));
        bench.tick(ms);
    }
    assert!(bench.handed().is_empty() && bench.desk.is_asked());
    drop(waits);
    bench.desk.resume();
    assert!(matches!(bench.ask("a"), Asking::Waits(_)));
    bench.tick(5_000);
    assert_eq!(bench.handed().first(), Some(&("a".to_owned(), 5_000)));
}

#[test]
fn sources_come_and_go() {
    let mut bench = bench();
    let names =
        |bench: &Bench| bench.desk.thumbs.begin(Of::Source("nobody")).err().map(|refused| refused.legal);
    assert_eq!(names(&bench).unwrap(), ["a", "b", "duo", "slate"], "`a` is the camera, not the filler");
    bench.made("b", 0);
    bench.made("a", 0);
    let changed = SHOW
        .replace("camera a { line gen test bars }", "camera z { line gen test bars }")
        .replace("camera=a", "camera=z")
        .replace("sources a", "sources z");
    bench.desk.rearrange(&pipeline_dsl::parse_show(&changed).unwrap());
    assert_eq!(names(&bench).unwrap(), ["z", "b", "duo", "a", "slate"]);
    assert!(matches!(bench.ask("b"), Asking::Served(_)), "it has shown that before");
    assert!(matches!(bench.ask("a"), Asking::Waits(_)), "the filler has shown nothing");
    let Asking::Waits(mut looks) = bench.ask("z") else { panic!("it is new") };
    bench.desk.close();
    assert!(looks.borrow_and_update().at.is_none());
    let ended = |thumbs: &Thumbs| thumbs.begin(Of::Source("b")).err().map(|refused| refused.code);
    assert_eq!(ended(&bench.desk.thumbs).as_deref(), Some("ended"));
    bench.handed();
    assert!(looks.has_changed().is_err(), "nobody is left waiting");
}
