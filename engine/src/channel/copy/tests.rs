use bytes::Bytes;
use media::{SampleRate, Track, VideoCodec};
use proptest::prelude::*;

use super::*;
use crate::ingest::buffer::Pace;

const TICK: Span = Span::from_millis(40);
const CANVAS: Size = Size::new(1280, 720);
const CAMERAS: Size = Size::new(640, 360);

fn at(tick: i64) -> Time {
    Time::from_millis(tick * 40)
}

fn line() -> Arc<LineBuffer> {
    let pace = Pace::Live { depth: Span::from_millis(200) };
    Arc::new(LineBuffer::new(pace, TICK, SampleRate::HZ_48000, 2))
}

fn picture(run: u64, tick: i64, key: Key) -> CodedPicture {
    let params = VideoParams { codec: VideoCodec::Avc, size: Some(CAMERAS), config: Bytes::new() };
    let (track, data) = (Track::Video, Bytes::copy_from_slice(&[tick as u8]));
    let packet = Packet { track, pts: at(tick), dts: at(0), duration: None, key, data };
    CodedPicture { run, params: Arc::new(params), packet }
}

/// A desk, and what its rung was told.
struct Rig {
    desk: CopyDesk,
    tick: i64,
    stretches: Vec<Stretch>,
}

/// What a tick came to.
#[derive(PartialEq, Debug)]
enum Did {
    Rested(Key),
    /// With a new encoder of this size, if any.
    StoodIn(Key, Option<Size>),
}

impl Rig {
    fn new() -> Self {
        Self { desk: CopyDesk::new(TICK, CANVAS), tick: -1, stretches: Vec::new() }
    }

    /// The next tick, with these pictures of the line, if it is on air.
    fn tick(&mut self, wanted: Key, line: Option<&Arc<LineBuffer>>, pictures: &[CodedPicture]) -> Did {
        self.tick += 1;
        let copied = line.map(|line| Copied { line, name: ("main", "fiber"), pictures });
        let CopyStep { key, stretch, work } = self.desk.tick(at(self.tick), wanted, copied.as_ref());
        self.stretches.extend(stretch);
        match work {
            CopyWork::Rests => Did::Rested(key),
            CopyWork::StandsIn { key: own, begins } => {
                assert_eq!(own, key, "it has its key frames with the others");
                Did::StoodIn(key, begins.map(|begin| begin.size))
            }
        }
    }

    /// What came of the last stretch, and whether it has ended.
    fn copied(&self) -> (Vec<i64>, bool) {
        let Some(Stretch::Copied { packets, .. }) = self.stretches.last() else { panic!("it copies") };
        let told = packets.try_iter().filter_map(|one| match one {
            CopiedPacket::Picture { packet, .. } => Some(packet.pts.as_millis_rounded() / 40),
            CopiedPacket::Held { .. } => None,
        });
        let told = told.collect();
        (told, matches!(packets.try_recv(), Err(crossbeam_channel::TryRecvError::Disconnected)))
    }
}

use Key::{Delta, Frame};

#[test]
fn it_stands_in_until_a_key_frame_is_shown_and_the_others_follow_those_of_the_camera() {
    let (mut rig, line) = (Rig::new(), line());
    assert_eq!(rig.tick(Frame, None, &[]), Did::StoodIn(Frame, Some(CANVAS)));
    assert_eq!(rig.tick(Delta, Some(&line), &[picture(1, 1, Delta)]), Did::StoodIn(Delta, None));
    // One that is given out late has been shown as something else's.
    assert_eq!(rig.tick(Delta, Some(&line), &[picture(1, 1, Frame)]), Did::StoodIn(Delta, None));
    let first = [picture(1, 3, Frame), picture(1, 1, Delta), picture(1, 2, Delta)];
    assert_eq!(rig.tick(Delta, Some(&line), &first), Did::Rested(Frame));
    assert_eq!(rig.copied(), (vec![3], false), "what is shown before it hangs on what lies before it");
    // The grid's key frames are not asked for while the camera has its own.
    assert_eq!(rig.tick(Frame, Some(&line), &[picture(1, 4, Delta)]), Did::Rested(Delta));
    assert_eq!(rig.tick(Delta, Some(&line), &[]), Did::Rested(Delta));
    assert_eq!(rig.tick(Delta, Some(&line), &[picture(1, 6, Frame)]), Did::Rested(Frame));
    assert_eq!(rig.copied(), (vec![4, 6], false));
    assert_eq!(rig.stretches.len(), 2);
}

#[test]
fn whatever_else_is_on_air_ends_it_and_is_encoded_in_the_cameras_size() {
    let (mut rig, fiber, backpack) = (Rig::new(), line(), line());
    assert_eq!(rig.tick(Delta, Some(&fiber), &[picture(1, 0, Frame)]), Did::Rested(Frame));
    // The filler, or a picture that is damaged.
    assert_eq!(rig.tick(Delta, None, &[]), Did::StoodIn(Frame, Some(CAMERAS)));
    assert_eq!(rig.tick(Delta, Some(&fiber), &[picture(1, 2, Delta)]), Did::StoodIn(Delta, None));
    assert_eq!(rig.tick(Delta, Some(&fiber), &[picture(1, 3, Frame)]), Did::Rested(Frame));
    // Another line.
    assert_eq!(rig.tick(Delta, Some(&backpack), &[picture(1, 4, Delta)]), Did::StoodIn(Frame, Some(CAMERAS)));
    assert_eq!(rig.tick(Delta, Some(&backpack), &[picture(1, 5, Frame)]), Did::Rested(Frame));
    // Something is missing; and a new stream that begins with a key frame goes on at once.
    assert_eq!(rig.tick(Delta, Some(&backpack), &[picture(2, 6, Delta)]), Did::StoodIn(Frame, Some(CAMERAS)));
    assert_eq!(rig.tick(Delta, Some(&backpack), &[picture(2, 7, Frame)]), Did::Rested(Frame));
    assert_eq!(rig.tick(Delta, Some(&backpack), &[picture(3, 8, Frame)]), Did::Rested(Frame));
    assert_eq!(rig.copied(), (vec![8], false));
    drop(rig.desk);
    let Some(Stretch::Copied { packets, .. }) = rig.stretches.last() else { panic!("it copies") };
    assert!(packets.recv().is_err(), "with the desk it ends");
}

#[test]
fn a_rung_knows_of_ticks_that_show_nothing_new() {
    let (mut rig, line) = (Rig::new(), line());
    rig.tick(Frame, Some(&line), &[picture(1, 0, Frame)]);
    assert_eq!(rig.tick(Frame, Some(&line), &[]), Did::Rested(Delta));
    let Some(Stretch::Copied { packets, .. }) = rig.stretches.last() else { panic!("it copies") };
    let told: Vec<Time> = packets
        .try_iter()
        .map(|one| match one {
            CopiedPacket::Picture { packet, .. } => packet.dts,
            CopiedPacket::Held { before } => before,
        })
        .collect();
    // A picture is decoded two ticks before it is shown, and may lie between two ticks.
    assert_eq!(told, [at(-2), at(-1)]);
    rig.tick(Frame, Some(&line), &[picture(1, 2, Delta)]);
    let Some(Stretch::Copied { packets, .. }) = rig.stretches.last() else { panic!("it copies") };
    assert!(matches!(packets.recv(), Ok(CopiedPacket::Picture { packet, .. }) if packet.dts == at(0)));
}

#[test]
fn a_camera_does_not_say_what_standing_in_costs() {
    for (size, stood_in) in
        [(Size::new(3840, 2160), CANVAS), (Size::new(2560, 8), CANVAS), (CAMERAS, CAMERAS)]
    {
        let (mut rig, line) = (Rig::new(), line());
        let mut first = picture(1, 0, Frame);
        first.params = Arc::new(VideoParams { size: Some(size), ..(*first.params).clone() });
        assert_eq!(rig.tick(Delta, Some(&line), &[first]), Did::Rested(Frame));
        assert_eq!(rig.tick(Delta, None, &[]), Did::StoodIn(Frame, Some(stood_in)));
    }
}

#[test]
fn a_camera_without_key_frames_does_not_leave_the_others_without() {
    let (mut rig, line) = (Rig::new(), line());
    rig.tick(Frame, Some(&line), &[picture(1, 0, Frame)]);
    let keys: Vec<i64> = (1..1000)
        .filter(|n| rig.tick(Delta, Some(&line), &[picture(1, *n, Delta)]) == Did::Rested(Frame))
        .collect();
    assert_eq!(keys, [375, 750]);
}

#[test]
fn what_leaves_is_known_by_the_picture_that_begins_it() {
    let mut heads = Heads::new(TICK);
    let params = |size| VideoParams { codec: VideoCodec::Avc, size: Some(size), config: Bytes::new() };
    heads.opened(params(CANVAS));
    // An encoder that waits for one picture: its pictures wait for two here.
    let own = |tick: i64| Packet { dts: at(tick - 1), ..picture(0, tick, Frame).packet };
    assert_eq!([0, 1].map(|tick| heads.encoded(own(tick)).dts), [at(-2), at(-1)]);
    let from: Arc<str> = Arc::from("main/fiber");
    let camera = Arc::new(params(CAMERAS));
    [2, 3]
        .into_iter()
        .for_each(|n| heads.copied(&picture(1, n, Delta).packet, Arc::clone(&camera), Some(&from)));
    heads.opened(params(CANVAS));
    heads.encoded(own(4));
    let sizes: Vec<_> = (0..5).map(|n| heads.head_of(at(n)).map(|head| head.params.size.unwrap())).collect();
    assert_eq!(sizes, [Some(CANVAS), None, Some(CAMERAS), None, Some(CANVAS)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    /// However many pictures a tick finds, none or several, in order or not: none is decoded before what
    /// the rung was told of those that come, and each later than the one before.
    #[test]
    fn what_a_rung_is_told_of_ticks_without_pictures_holds(
        found in prop::collection::vec(0usize..5, 1..60),
        keys in prop::collection::vec(0usize..40, 0..4),
        swapped in prop::collection::vec(any::<bool>(), 0..40),
    ) {
        let (mut rig, line) = (Rig::new(), line());
        let config = [1, 66, 0xc0, 30, 0xff, 0xe1, 0, 4, 0x67, 66, 0xc0, 30, 1, 0, 2, 0x68, 0xce];
        line.coded.want();
        let config = Bytes::copy_from_slice(&config);
        line.coded.begin(&VideoParams { codec: VideoCodec::Avc, size: None, config });
        // In order of decoding, where a picture may go before the one that is shown before it.
        let count = found.iter().sum::<usize>() + 1;
        let is_key = |n: usize| n == 0 || keys.contains(&n);
        let mut order: Vec<usize> = (0..count).collect();
        for (pair, swaps) in order.chunks_mut(2).zip(swapped) {
            if let [first, second] = pair && swaps && !is_key(*first) && !is_key(*second) {
                std::mem::swap(first, second);
            }
        }
        let stamp = |n: usize| Time::from_millis(n as i64);
        for n in order {
            let (kind, key) = if is_key(n) { (5, Key::Frame) } else { (1, Key::Delta) };
            let data = Bytes::copy_from_slice(&[0, 0, 0, 2, kind, n as u8]);
            let packet = Packet { track: Track::Video, pts: stamp(n), dts: stamp(n), duration: None, key, data };
            line.coded.packet(&packet);
            line.coded.placed(stamp(n), stamp(n));
        }
        let mut newest = 0;
        let shown = |newest: usize, tick: usize| line.coded.shown(Some(stamp(newest)), at(tick as i64), TICK);
        let pictures = shown(0, 0);
        rig.tick(Frame, Some(&line), &pictures);
        for (tick, found) in found.iter().enumerate() {
            newest += found;
            let pictures = shown(newest, tick + 1);
            rig.tick(Delta, Some(&line), &pictures);
        }
        prop_assert_eq!(rig.stretches.len(), 1, "it copies from the first tick on");
        let Some(Stretch::Copied { packets, .. }) = rig.stretches.last() else { panic!("it copies") };
        let (mut last, mut before) = (None, None);
        for one in packets.try_iter() {
            match one {
                CopiedPacket::Held { before: told } => before = before.max(Some(told)),
                CopiedPacket::Picture { packet, .. } => {
                    prop_assert!(Some(packet.dts) > last, "{} after {last:?}", packet.dts);
                    prop_assert!(Some(packet.dts) >= before, "{} where none was to come before {before:?}", packet.dts);
                    last = Some(packet.dts);
                }
            }
        }
    }
}
