//! Where the packets of an RTSP camera lie in time: one line for its sound and its pictures.
//!
//! Each RTP stream counts from a number of its own. How sound lies to pictures, the camera says
//! twice: where playing begins, in its answer to PLAY (`RTP-Info`, RFC 2326, section 12.33), and
//! every few seconds in its sender reports (RFC 3550, section 6.4.1), which also tell the time of
//! day, and have the last word. Where neither is said, what comes at one time belongs to one time.

use std::collections::VecDeque;

use media::{Span, Time, Track};

use crate::ingest::wall::Wall;

/// Where the first packet lies: what comes after it may lie before it.
const FIRST: Time = Time::from_secs(20);
/// Sound and pictures of one moment are sent within this: who says otherwise is mistaken.
const MOST_APART: Span = Span::from_secs(5);
/// A stamp that lies so much further from the last one than time has passed counts anew.
const LEAP: Span = Span::from_secs(10);
/// Reports of a stream that are looked at together: cameras read their clocks a little early or late.
const REPORTS: usize = 5;
/// What is off by less, 20 µs, is the same report, told with the next packet.
const SAME: Span = Span::from_flicks(14_112);
/// What is reported for so long is reported again: reports are about five seconds apart.
const CONFIRMED: Span = Span::from_secs(6);
/// A report that differs by more from the one before says that the camera's clock was set.
const SET: Span = Span::from_millis(500);
/// Sound lies well where it is by less.
const WELL: Span = Span::from_millis(1);

/// What one packet says of its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    /// Its RTP time stamp.
    pub(super) rtp: u32,
    /// Its stream's units a second.
    pub(super) rate: u32,
    /// The stamp where playing begins, as `RTP-Info` says.
    pub(super) from: Option<u32>,
    /// What time it was by the camera's clock, as its last report says.
    pub(super) wall: Option<Wall>,
    /// When it came.
    pub(super) came: Time,
}

/// Where a packet lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) pts: Time,
    /// The first packet after a report: what time of day it was then.
    pub(super) clock: Option<Wall>,
    /// From here on sound lies elsewhere by so much, as the camera's reports say.
    pub(super) moved: Option<Span>,
}

/// The streams of one session.
#[derive(Debug, Default)]
pub(super) struct Session {
    pictures: Option<Stream>,
    sound: Option<Stream>,
}

#[derive(Debug)]
struct Stream {
    rate: u32,
    last: u32,
    /// Units since its first packet.
    units: i64,
    came: Time,
    /// Where its first packet lies.
    first: Time,
    /// Its first packet after where playing begins.
    info: Option<Span>,
    /// The time of day at its first packet, by its last reports.
    reports: VecDeque<Span>,
    /// When the last of them came, after its first packet.
    heard: Span,
    /// How often the camera's clock was set.
    sets: u32,
}

impl Stream {
    fn since(&self) -> Span {
        Span::from_units(self.units, 1, self.rate)
    }

    fn reached(&self) -> Time {
        self.first + self.since()
    }

    /// Takes the stamp in.
    fn count(&mut self, stamp: &Stamp) {
        let units = i64::from(stamp.rtp.wrapping_sub(self.last).cast_signed());
        let passed = (stamp.came - self.came).max(Span::ZERO);
        let step = Span::from_units(units, 1, self.rate);
        if stamp.rate != self.rate || step > passed + LEAP || step < -LEAP {
            // Its sender counts anew: what it said of the old numbers is no use.
            let first = self.reached() + passed;
            *self = Self { info: None, sets: self.sets, ..Self::new(stamp, first) };
            return;
        }
        (self.units, self.last, self.came) = (self.units + units, stamp.rtp, stamp.came);
    }

    fn new(stamp: &Stamp, first: Time) -> Self {
        let info = stamp.from.map(|from| {
            let units = stamp.rtp.wrapping_sub(from).cast_signed();
            Span::from_units(i64::from(units), 1, stamp.rate)
        });
        let Stamp { rtp: last, rate, came, .. } = *stamp;
        Self { rate, last, units: 0, came, first, info, reports: VecDeque::new(), heard: Span::ZERO, sets: 0 }
    }

    /// Whether the camera reports anew.
    fn hear(&mut self, wall: Wall) -> bool {
        let since = self.since();
        let report = wall.0 - since;
        if let Some(last) = self.reports.back() {
            let off = (report - *last).abs();
            if off <= SAME && since - self.heard < CONFIRMED {
                return false;
            }
            if off > SET {
                self.reports.clear();
                self.sets = self.sets.wrapping_add(1);
            }
        }
        self.heard = since;
        self.reports.push_back(report);
        if self.reports.len() > REPORTS {
            self.reports.pop_front();
        }
        true
    }

    /// The time of day at its first packet: the middle of what was reported.
    fn report(&self) -> Option<Span> {
        // Of two that differ, the one before: the next report decides.
        let odd = self.reports.len().saturating_sub(1) / 2 * 2 + 1;
        let mut sorted: Vec<Span> = self.reports.iter().take(odd).copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

impl Session {
    /// Where a packet of `track` lies.
    pub(super) fn place(&mut self, track: Track, stamp: &Stamp) -> Placed {
        let (own, other) = match track {
            Track::Video => (&mut self.pictures, &self.sound),
            Track::Audio => (&mut self.sound, &self.pictures),
        };
        let stream = match own {
            Some(stream) => {
                stream.count(stamp);
                stream
            }
            None => own.insert(found(stamp, other.as_ref())),
        };
        let clock = stamp.wall.filter(|wall| stream.hear(*wall));
        let moved = clock.and_then(|_| self.align());
        let reached = match track {
            Track::Video => &self.pictures,
            Track::Audio => &self.sound,
        };
        let pts = reached.as_ref().map_or(FIRST, Stream::reached);
        Placed { pts, clock, moved }
    }

    /// Puts sound where the reports say. Gives by how much that is elsewhere.
    fn align(&mut self) -> Option<Span> {
        let (pictures, sound) = (self.pictures.as_ref()?, self.sound.as_mut()?);
        // Of one that was told of another time of day, the other will be, too.
        if pictures.sets != sound.sets {
            return None;
        }
        let by = (pictures.first - sound.first) + (sound.report()? - pictures.report()?);
        if by.abs() <= WELL || by.abs() > MOST_APART {
            return None;
        }
        sound.first += by;
        Some(by)
    }
}

/// A stream begins, beside one that may have begun before.
fn found(stamp: &Stamp, other: Option<&Stream>) -> Stream {
    let stream = Stream::new(stamp, FIRST);
    let Some(other) = other else { return stream };
    let as_it_came = other.reached() + (stamp.came - other.came);
    let as_said = stream.info.zip(other.info).map(|(own, other_info)| other.first + (own - other_info));
    let first = as_said.filter(|said| (*said - as_it_came).abs() <= MOST_APART);
    Stream { first: first.unwrap_or(as_it_came), ..stream }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(ms: i64) -> Span {
        Span::from_millis(ms)
    }

    /// A camera whose sound and pictures begin to be counted at odd numbers, and wrap soon.
    struct Camera {
        session: Session,
        from: [u32; 2],
        info: bool,
    }

    const RATES: [u32; 2] = [90_000, 48_000];

    impl Camera {
        fn new(info: bool) -> Self {
            Self { session: Session::default(), from: [u32::MAX - 100_000, 77], info }
        }

        /// The packet of that moment comes so much later.
        fn sends(&mut self, track: Track, at: i64, late: i64, wall: Option<i64>) -> Placed {
            let n = usize::from(track == Track::Audio);
            let units = ms(at).as_units(1, RATES[n]);
            let stamp = Stamp {
                rtp: self.from[n].wrapping_add(units as u32),
                rate: RATES[n],
                from: self.info.then_some(self.from[n]),
                wall: wall.map(|wall| Wall(ms(wall))),
                came: Time::ZERO + ms(at + late),
            };
            self.session.place(track, &stamp)
        }
    }

    /// By how much sound lies later than pictures of the same moment.
    fn apart(camera: &mut Camera, at: i64) -> i64 {
        let pictures = camera.sends(Track::Video, at, 0, None).pts;
        (camera.sends(Track::Audio, at, 0, None).pts - pictures).as_millis_rounded()
    }

    #[test]
    fn the_answer_to_play_puts_sound_beside_pictures_from_the_first_packet() {
        for info in [true, false] {
            let mut camera = Camera::new(info);
            camera.sends(Track::Video, 0, 0, None);
            // Its sound begins a little later in the film, and comes later still.
            camera.sends(Track::Audio, 20, 70, None);
            assert_eq!(apart(&mut camera, 40), if info { 0 } else { 70 });
            assert_eq!(apart(&mut camera, 60_000), if info { 0 } else { 70 });
        }
    }

    #[test]
    fn reports_have_the_last_word_and_tell_the_time() {
        let mut camera = Camera::new(false);
        camera.sends(Track::Audio, 0, 0, None);
        camera.sends(Track::Video, 40, 90, None);
        assert_eq!(apart(&mut camera, 80), -90);
        let day = 1_795_248_000_000;
        let told = camera.sends(Track::Video, 1_000, 0, Some(day + 1_000));
        assert_eq!((told.clock, told.moved), (Some(Wall(ms(day + 1_000))), None));
        // The same report, told with the next packet.
        let again = camera.sends(Track::Video, 1_040, 0, Some(day + 1_040));
        assert_eq!((again.clock, again.moved), (None, None));
        let told = camera.sends(Track::Audio, 1_500, 0, Some(day + 1_500));
        assert_eq!((told.clock, told.moved), (Some(Wall(ms(day + 1_500))), Some(ms(90))));
        assert_eq!(apart(&mut camera, 2_000), 0);
    }

    #[test]
    fn a_clock_that_is_set_tears_nothing_and_one_stray_report_moves_nothing() {
        let mut camera = Camera::new(true);
        camera.sends(Track::Video, 0, 0, None);
        camera.sends(Track::Audio, 0, 0, None);
        let mut report = |track, at, wall| camera.sends(track, at, 0, Some(wall)).moved;
        for n in 1..10 {
            let at = n * 5_000;
            // The clock is set between the two.
            let (v, a) = if n < 5 { (7, 7) } else { (9_000, if n == 5 { 7 } else { 9_000 }) };
            // One report is 40 ms off.
            let stray = if n == 3 { 40 } else { 0 };
            assert_eq!(report(Track::Video, at, at + v), None, "{n}");
            assert_eq!(report(Track::Audio, at + 100, at + 100 + a + stray), None, "{n}");
        }
        assert_eq!(apart(&mut camera, 60_000), 0);
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        let mut camera = Camera::new(true);
        camera.sends(Track::Video, 0, 0, None);
        // Of a camera that says any number.
        camera.from[1] = 12_345_678;
        let stamp = Stamp { rtp: 12_345_678, rate: 48_000, from: Some(0), wall: None, came: Time::ZERO };
        camera.session.place(Track::Audio, &stamp);
        assert_eq!(apart(&mut camera, 100), 0);
        camera.sends(Track::Video, 200, 0, Some(1_000_200));
        assert_eq!(camera.sends(Track::Audio, 200, 0, Some(900_000)).moved, None);
        assert_eq!(apart(&mut camera, 300), 0);
    }

    #[test]
    fn a_sender_that_counts_anew_goes_on_where_it_was() {
        let mut camera = Camera::new(true);
        camera.sends(Track::Video, 0, 0, None);
        camera.sends(Track::Audio, 0, 0, None);
        camera.from[0] = camera.from[0].wrapping_add(2_000_000_000);
        let pts = camera.sends(Track::Video, 40, 0, None).pts;
        assert_eq!(pts, FIRST + ms(40));
        assert_eq!(apart(&mut camera, 80), 0);
    }

    proptest! {
        /// Whatever is said: nothing lies further off than each packet may lead.
        #[test]
        fn no_stamp_is_believed_too_much(
            packets in prop::collection::vec(
                (any::<bool>(), any::<u32>(), any::<Option<u32>>(), any::<Option<i32>>(), 0i64..20_000), 0..60,
            ),
        ) {
            let mut session = Session::default();
            let mut now = Time::ZERO;
            for (sound, rtp, from, wall, passed) in packets {
                now += ms(passed);
                let wall = wall.map(|wall| Wall(ms(i64::from(wall))));
                let track = if sound { Track::Audio } else { Track::Video };
                let placed = session.place(track, &Stamp { rtp, rate: 8_000, from, wall, came: now });
                let far = (placed.pts - (FIRST + (now - Time::ZERO))).abs();
                prop_assert!(far <= (LEAP + ms(20_000)).times(61), "{far}");
            }
        }
    }
}
