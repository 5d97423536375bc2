use bytes::Bytes;
use media::Track;
use proptest::prelude::*;

use super::*;

const TICK: Span = Span::from_millis(40);

fn at(tick: i64) -> Time {
    Time::from_millis(tick * 40)
}

/// The `avcC` of a baseline stream, as a fake encoder has it.
fn params() -> VideoParams {
    let config = [1, 66, 0xc0, 30, 0xff, 0xe1, 0, 4, 0x67, 66, 0xc0, 30, 1, 0, 2, 0x68, 0xce];
    VideoParams { codec: VideoCodec::Avc, size: None, config: Bytes::copy_from_slice(&config) }
}

fn packet(stamp: Time, kind: u8, n: u8) -> Packet {
    let data = Bytes::copy_from_slice(&[0, 0, 0, 2, kind, n]);
    let key = if kind == 1 { Key::Delta } else { Key::Frame };
    Packet { track: Track::Video, pts: stamp, dts: stamp, duration: None, key, data }
}

fn track() -> CodedTrack {
    let track = CodedTrack::default();
    track.want();
    track.begin(&params());
    track
}

/// Numbers and times of what is given out.
fn told(pictures: &[CodedPicture]) -> Vec<(u8, i64)> {
    pictures.iter().map(|one| (one.packet.data[5], one.packet.pts.as_millis_rounded())).collect()
}

#[test]
fn what_hangs_on_a_picture_waits_until_that_is_shown() {
    let track = track();
    for (n, kind) in [(0, 5), (3, 1), (1, 1), (2, 1), (4, 1)] {
        track.packet(&packet(at(n), kind, n as u8));
    }
    (0..5).for_each(|n| track.placed(at(n), at(n + 10)));
    let shown = |n: i64| told(&track.shown(Some(at(n + 10)), at(n + 20), TICK));
    assert_eq!(shown(0), [(0, 800)]);
    assert_eq!(shown(0), [], "it is held");
    assert!(!track.waits());
    assert_eq!([shown(1), shown(2)], [[], []]);
    assert!(track.waits());
    assert_eq!(shown(3), [(3, 920), (1, 840), (2, 880)]);
    assert_eq!(shown(4), [(4, 960)]);
}

#[test]
fn a_camera_twice_as_fast_has_pictures_between_the_ticks() {
    let track = track();
    let half = |n: i64| Time::from_millis(n * 20);
    for n in 0..6 {
        track.packet(&packet(half(n), if n == 0 { 5 } else { 1 }, n as u8));
        track.placed(half(n), half(n));
    }
    let shown = |n: i64| told(&track.shown(Some(half(2 * n)), at(n), TICK));
    assert_eq!(shown(0), [(0, 0)]);
    assert_eq!(shown(1), [(1, 20), (2, 40)]);
    assert_eq!(shown(2), [(3, 60), (4, 80)]);
}

/// Rungs that are encoded have their key frames at ticks alone.
#[test]
fn a_key_frame_that_no_tick_shows_lies_on_its_tick_all_the_same() {
    let track = track();
    let third = |n: i64| Time::from_millis(n * 40 / 3);
    for n in 0..16 {
        track.packet(&packet(third(n), if [0, 4, 8].contains(&n) { 5 } else { 1 }, n as u8));
        track.placed(third(n), third(n));
    }
    let shown = |n: i64| told(&track.shown(Some(third(3 * n)), at(n), TICK));
    assert_eq!(shown(0), [(0, 0)]);
    assert_eq!(shown(1), [(1, 13), (2, 27), (3, 40)]);
    assert_eq!(shown(2), [(4, 80), (5, 93), (6, 107)]);
    assert_eq!(shown(3), [(7, 113), (8, 120), (9, 140)]);
    assert_eq!(shown(4), [(10, 147), (11, 153), (12, 160)]);
    assert_eq!(shown(5), [(13, 173), (14, 187), (15, 200)]);
}

#[test]
fn what_the_decoder_refused_and_what_was_taken_back_holds_up_nothing() {
    let track = track();
    for (n, kind) in [(0, 5), (1, 1), (2, 1), (9, 1), (3, 5)] {
        track.packet(&packet(at(n), kind, n as u8));
    }
    // The first one after the key frame is never placed; that of tick 9 is, and never shown.
    [0, 2, 9, 3].into_iter().for_each(|n| track.placed(at(n), at(n)));
    let shown = |n: i64| told(&track.shown(Some(at(n)), at(n), TICK));
    assert_eq!((shown(0), shown(2)), (vec![(0, 0)], vec![(2, 80)]));
    assert_eq!(shown(3), [(3, 120)], "a key frame ends what lies before it");
}

#[test]
fn a_key_frame_is_where_decoding_can_begin_whatever_the_container_says() {
    let track = track();
    let marked = Packet { key: Key::Frame, ..packet(at(0), 1, 0) };
    for packet in [marked, packet(at(1), 5, 1)] {
        track.packet(&packet);
        track.placed(packet.pts, packet.pts);
    }
    let key = |n: i64| track.shown(Some(at(n)), at(n), TICK)[0].packet.key;
    assert_eq!([key(0), key(1)], [Key::Delta, Key::Frame]);
}

#[test]
fn parameter_sets_in_the_stream_describe_it() {
    let track = CodedTrack::default();
    track.want();
    track.begin(&VideoParams { config: Bytes::new(), ..params() });
    let sets = [&[0, 0, 0, 1, 0x67, 66, 0xc0, 30, 0xd9, 0][..], &[0, 0, 1, 0x68, 0xcb, 0x83]].concat();
    let key = [&sets[..], &[0, 0, 1, 0x65, 0x88, 7]].concat();
    let slice = [0, 0, 1, 0x41, 0x9a, 7];
    for (n, data) in [&slice[..], &key, &slice].into_iter().enumerate() {
        let key = if n == 1 { Key::Frame } else { Key::Delta };
        track.packet(&Packet { key, data: Bytes::copy_from_slice(data), ..packet(at(n as i64), 5, 0) });
        track.placed(at(n as i64), at(n as i64));
    }
    let pictures = (0..3).map(|n| track.shown(Some(at(n)), at(n), TICK)).collect::<Vec<_>>();
    assert_eq!(pictures.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!(pictures[1][0].packet.key, Key::Frame);
    assert_eq!(pictures[2][0].packet.data[..], [0, 0, 0, 3, 0x41, 0x9a, 7]);
    assert_eq!(pictures[2][0].params.config[..4], [1, 66, 0xc0, 30]);
}

#[test]
fn nothing_is_kept_where_it_is_not_wanted_or_never_shown() {
    let track = CodedTrack::default();
    track.begin(&params());
    track.packet(&packet(at(0), 5, 0));
    assert!(track.lock().waiting.is_empty());
    track.want();
    let run = track.lock().run;
    (0..=MOST_PICTURES as i64).for_each(|n| track.packet(&packet(at(n), 1, 0)));
    assert!(track.lock().waiting.is_empty() && track.lock().run > run, "what comes hangs on what is gone");
    let big = Packet { data: vec![0; 20 << 20].into(), ..packet(at(0), 1, 0) };
    (0..20).for_each(|_| track.packet(&big));
    assert!(track.lock().bytes <= MOST_BYTES);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]
    /// Whatever comes, is placed and shown, in whatever order: each picture is given out once at the most,
    /// those of a run in order of decoding, and none that was not placed.
    #[test]
    fn order_of_decoding_is_kept(
        steps in prop::collection::vec((0u8..6, 0i64..12, any::<bool>()), 0..200),
    ) {
        let track = track();
        let (mut came, mut tick, mut out): (Vec<i64>, i64, Vec<u8>) = (Vec::new(), 0, Vec::new());
        for (what, n, key) in steps {
            match what {
                0 | 1 if came.len() < 250 => {
                    let stamp = came.len() as i64 - n;
                    track.packet(&packet(at(stamp), if key { 5 } else { 1 }, came.len() as u8));
                    came.push(stamp);
                }
                2 | 3 => track.placed(at(came.len() as i64 - n), at(came.len() as i64 - n)),
                4 if key && n == 0 => track.tear(),
                _ => {
                    tick += 1;
                    let pictures = track.shown(Some(at(came.len() as i64 - n)), at(tick), TICK);
                    prop_assert!(pictures.iter().all(|one| one.packet.pts < at(tick + 1)));
                    out.extend(pictures.iter().map(|one| one.packet.data[5]));
                }
            }
        }
        prop_assert!(out.windows(2).all(|two| two[0] < two[1]), "{:?}", out);
    }
}
