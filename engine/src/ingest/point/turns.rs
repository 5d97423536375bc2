//! Whose turn it is at a point, and what reaches the line of it.

use std::time::Duration;

use bytes::Bytes;
use flv::{FlvMillis, TagKind};
use media::Time;

use super::*;
use crate::clock::{Stop, VirtualClock};
use crate::event::EventLog;
use crate::ingest::intake::{Arrival, Arrivals};

const HEADER: (TagKind, &[u8]) = (TagKind::Video, &[0x17, 0, 0, 0, 0, 1, 2, 3]);
const SOUND_HEADER: (TagKind, &[u8]) = (TagKind::Audio, &[0xaf, 0, 0x11, 0x90]);
const SOUND: (TagKind, &[u8]) = (TagKind::Audio, &[0xaf, 1, 7]);
const KEY: (TagKind, &[u8]) = (TagKind::Video, &[0x17, 1, 0, 0, 0, 7]);
const DELTA: (TagKind, &[u8]) = (TagKind::Video, &[0x27, 1, 0, 0, 0, 7]);

struct Bench {
    point: Arc<Point>,
    name: PushPoint,
    arrivals: Arrivals,
    log: Arc<EventLog>,
    begun: Instant,
    now: Instant,
}

impl Bench {
    fn new(key: Option<&str>) -> Self {
        let log = Arc::new(EventLog::new());
        let clock = Arc::new(VirtualClock::default());
        let reporter = Reporter::new(clock, Arc::clone(&log), Arc::new(Stop::default()));
        let (intake, arrivals) = Intake::new(reporter);
        let point = Arc::new(Point::new(Arc::new(intake), key.map(StreamKey::test)));
        let name = PushPoint { app: "live".to_owned(), stream: "main".to_owned() };
        let now = Instant::now();
        Self { point, name, arrivals, log, begun: now, now }
    }

    fn begin(&mut self, port: u16) -> Result<Arc<Hold>, Refused> {
        let (name, point) = (self.name.clone(), Arc::clone(&self.point));
        let found = Found { name, point, offered: Some("k".to_owned()) };
        self.point.begin_at(&found, ([10, 0, 0, 1], port).into(), &Arc::default(), self.now)
    }

    fn send(&self, hold: &Arc<Hold>, tags: &[(TagKind, &'static [u8])]) {
        for (kind, body) in tags {
            let tag = Tag::new(*kind, FlvMillis(0), Bytes::from_static(body)).unwrap();
            self.point.tag_at(hold, &tag, self.now);
        }
    }

    fn passes(&mut self, how_long: Duration) {
        self.now += how_long;
    }

    /// What has reached the line.
    fn came(&mut self) -> String {
        let mut came = Vec::new();
        while let Ok(arrival) = self.arrivals.next(Duration::ZERO) {
            came.push(match arrival {
                Arrival::Started { from } => format!("[{}]", &from[8..11]),
                Arrival::Params(params) => format!("{:?}-header", params.track()),
                Arrival::Packet(packet) => format!("{:?}-{:?}", packet.track, packet.key),
                Arrival::Ended(why) => format!("({why})"),
                other => format!("{other:?}"),
            });
        }
        came.join(" ")
    }

    fn told(&self) -> Vec<(String, String)> {
        self.log.all(Time::ZERO).into_iter().map(|e| (e.code, e.message)).collect()
    }
}

const FRAME: Duration = Duration::from_millis(40);

/// A first one that is on the line, and a newcomer with the key that has not sent anything.
fn two() -> (Bench, Arc<Hold>, Arc<Hold>) {
    let mut bench = Bench::new(Some("k"));
    let first = bench.begin(100).unwrap();
    bench.send(&first, &[HEADER, SOUND_HEADER, KEY, SOUND]);
    assert_eq!(bench.came(), "[:10] Video-header Audio-header Video-Frame Audio-Frame");
    let second = bench.begin(200).unwrap();
    (bench, first, second)
}

#[test]
fn the_old_one_is_shown_until_the_newcomers_first_picture() {
    let (mut bench, first, second) = two();
    // Ten seconds in which it says what is to come, and nothing to be shown.
    bench.send(&second, &[HEADER, SOUND_HEADER]);
    for _ in 0..250 {
        bench.passes(FRAME);
        bench.send(&first, &[DELTA]);
        assert_eq!(bench.came(), "Video-Delta");
    }
    assert!(bench.told().is_empty() && !first.is_lost());
    // From the middle of a group of pictures: none of these can be shown.
    for _ in 0..20 {
        bench.passes(FRAME);
        bench.send(&second, &[DELTA, SOUND]);
        bench.send(&first, &[DELTA]);
        assert_eq!(bench.came(), "Video-Delta");
    }
    bench.send(&second, &[KEY, SOUND]);
    // None of the old one's comes behind it.
    bench.send(&first, &[DELTA, SOUND]);
    assert_eq!(
        bench.came(),
        "(10.0.0.1:200 has taken over) [:20] Video-header Audio-header Video-Frame Audio-Frame"
    );
    assert!(first.is_lost() && !second.is_lost());
    let told = bench.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].1, "10.0.0.1:200 takes over from 10.0.0.1:100: the newcomer has the stream key");
}

#[test]
fn a_newcomer_that_goes_again_has_changed_nothing() {
    let (mut bench, first, second) = two();
    bench.send(&second, &[HEADER]);
    bench.point.end(&second, &"disconnected");
    bench.send(&second, &[KEY]);
    bench.send(&first, &[DELTA]);
    assert_eq!(bench.came(), "Video-Delta");
    assert!(bench.told().is_empty());
}

#[test]
fn when_the_old_one_goes_it_is_the_newcomers_turn_with_all_it_has_said() {
    let (mut bench, first, second) = two();
    bench.send(&second, &[HEADER, SOUND_HEADER]);
    bench.point.end(&first, &"disconnected");
    bench.send(&second, &[DELTA]);
    assert_eq!(bench.came(), "(disconnected) [:20] Video-header Audio-header Video-Delta");
    bench.point.end(&second, &"disconnected");
    assert_eq!(bench.came(), "(disconnected)");
}

#[test]
fn the_newest_with_the_key_is_next_and_a_silent_one_is_not_waited_for() {
    let (mut bench, first, second) = two();
    let third = bench.begin(300).unwrap();
    assert!(second.is_lost() && !first.is_lost() && !third.is_lost());
    bench.send(&second, &[HEADER, KEY]);
    assert_eq!(bench.came(), "");
    // The old one falls silent; any word of the newcomer's will do then.
    bench.passes(STALE + FRAME);
    bench.send(&third, &[HEADER]);
    assert_eq!(bench.came(), "(10.0.0.1:300 has taken over) [:30] Video-header");
    assert!(bench.told()[0].1.contains("it was silent for 2.0 s"), "{:?}", bench.told());
}

#[test]
fn who_never_sends_a_key_frame_is_not_waited_for_without_end() {
    let (mut bench, first, second) = two();
    for _ in 0..200 {
        bench.passes(FRAME);
        bench.send(&first, &[DELTA]);
        bench.send(&second, &[SOUND_HEADER, SOUND]);
    }
    assert!(first.is_lost(), "sound alone is a stream, too");
    let seconds = (bench.now - bench.begun).as_secs_f64();
    assert!(bench.came().ends_with("Audio-Frame") && seconds > 3.0);
}

#[test]
fn without_a_key_only_silence_gives_way() {
    let mut bench = Bench::new(None);
    let first = bench.begin(100).unwrap();
    bench.passes(STALE);
    assert_eq!(bench.begin(200).err(), Some(Refused::Taken));
    bench.passes(FRAME);
    let second = bench.begin(200).unwrap();
    assert!(first.is_lost());
    bench.send(&second, &[HEADER]);
    assert_eq!(bench.came(), "[:10] (10.0.0.1:200 has taken over) [:20] Video-header");
}

#[test]
fn when_the_line_goes_who_publishes_and_who_waits_are_sent_away_and_nobody_comes_too_late() {
    let (mut bench, first, second) = two();
    bench.point.close();
    assert!([&first, &second].iter().all(|hold| hold.is_lost() && hold.is_sent_away()));
    bench.send(&second, &[HEADER, KEY]);
    bench.send(&first, &[DELTA]);
    assert_eq!(bench.came(), "(the show has no such line any more)");
    assert_eq!(bench.begin(300).err(), Some(Refused::Gone));
    bench.point.end(&first, &"disconnected");
    assert_eq!(bench.came(), "");
}
