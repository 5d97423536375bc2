use super::arriving::Skipping;
use super::*;
use crate::clock::{Clock, Stop, VirtualClock};
use crate::event::EventLog;
use crate::ingest::source::Handed;
use bytes::Bytes;
use codecs::Pcm;
use media::{AudioCodec, AudioParams, Key, SampleRate, Track, VideoCodec, VideoParams};

fn intake(places: usize) -> (Arc<Intake>, Arrivals) {
    let reporter = Reporter::new(
        Arc::new(VirtualClock::default()),
        Arc::new(EventLog::new()),
        Arc::new(Stop::default()),
    );
    let (intake, arrivals) = Intake::with_places(places, reporter);
    (Arc::new(intake), arrivals)
}
fn begin(intake: &Arc<Intake>) -> Result<Arriving, Turned> {
    intake.begin("127.0.0.1:1".to_owned())
}
fn picture() -> codecs::Picture {
    codecs::PictureMut::new(media::Size::new(16, 16)).unwrap().freeze()
}
fn picture_params() -> StreamParams {
    let config = Bytes::from_static(&[1]);
    StreamParams::Video(VideoParams { codec: VideoCodec::Avc, size: None, config })
}
fn sound_params() -> StreamParams {
    let config = Bytes::from_static(&[0x11, 0x90]);
    let rate = SampleRate::HZ_48000;
    StreamParams::Audio(AudioParams { codec: AudioCodec::Aac, rate, channels: 2, config })
}
fn packet(track: Track, key: Key) -> Packet {
    let at = Time::ZERO;
    Packet { track, pts: at, dts: at, duration: None, key, data: Bytes::from_static(&[9]) }
}
fn key() -> Packet {
    packet(Track::Video, Key::Frame)
}
fn delta() -> Packet {
    packet(Track::Video, Key::Delta)
}
/// What has reached the line.
fn drain(arrivals: &mut Arrivals) -> Vec<String> {
    let name = |arrival| match arrival {
        Arrival::Started { .. } => "started".to_owned(),
        Arrival::Params(params) => format!("{:?} params", params.track()),
        Arrival::Packet(packet) => format!("{:?} {:?}", packet.track, packet.key),
        Arrival::Frame(_) => "raw picture".to_owned(),
        Arrival::Sound(_) => "raw sound".to_owned(),
        Arrival::Clock { .. } => "clock".to_owned(),
        Arrival::Ended(why) => why,
    };
    std::iter::from_fn(|| arrivals.next(Duration::ZERO).ok()).map(name).collect()
}

/// However few pieces there are.
#[test]
fn what_waits_has_a_bound_in_bytes() {
    let (intake, mut arrivals) = intake(64);
    let mut arriving = begin(&intake).unwrap();
    let data = Bytes::from(vec![0; 100 << 20]);
    let large = || Packet { data: data.clone(), ..key() };
    let sound = Pcm::new(Time::ZERO, SampleRate::HZ_48000, 2, vec![0.0; 15 << 20]);
    assert_eq!([0; 3].map(|_| arriving.packet(large())), [Handed::Taken, Handed::Taken, Handed::Dropped]);
    assert_eq!(arriving.sound(sound.clone()), Handed::Dropped, "60 MiB beside 200");
    assert_eq!(drain(&mut arrivals), ["started", "Video Frame", "Video Frame"]);
    assert_eq!([0; 5].map(|_| arriving.sound(sound.clone()))[3..], [Handed::Taken, Handed::Dropped]);
    assert_eq!(arriving.packet(large()), Handed::Dropped);
    assert_eq!(drain(&mut arrivals), ["raw sound"; 4]);
    assert_eq!(arriving.packet(large()), Handed::Taken);
}

/// On this one thread any waiting would be for ever.
/// Whoever hands in pictures that are not coded is told when there is no room, and finds some again.
#[test]
fn raw_pictures_are_few_at_a_time() {
    let (intake, mut arrivals) = intake(64);
    let mut arriving = begin(&intake).unwrap();
    let frame = || Frame { pts: Time::ZERO, picture: picture() };
    let handed: Vec<_> = (0..RAW_WAITING + 2).map(|_| arriving.frame(frame())).collect();
    assert_eq!(handed.iter().filter(|handed| **handed == Handed::Taken).count(), RAW_WAITING);
    assert_eq!(drain(&mut arrivals).len(), 1 + RAW_WAITING);
    assert_eq!(arriving.frame(frame()), Handed::Taken);
    // What waits of a stream that is over takes nobody's room.
    arriving.end("gone".to_owned());
    let mut arriving = begin(&intake).unwrap();
    assert_eq!(drain(&mut arrivals), ["gone", "started"]);
    let handed = (0..RAW_WAITING).map(|_| arriving.frame(frame()));
    assert!(handed.into_iter().all(|handed| handed == Handed::Taken));
}

#[test]
fn a_line_that_hangs_makes_nobody_wait_and_order_is_kept() {
    let (intake, mut arrivals) = intake(KEPT_FREE + 4);
    let mut first = begin(&intake).unwrap();
    for _ in 0..100 {
        first.packet(key());
    }
    assert_eq!(begin(&intake).err(), Some(Turned::Taken));
    first.end("first gone".to_owned());
    // Others come and go while it hangs; once there is no room for an end, no more begin.
    let came =
        std::iter::from_fn(|| begin(&intake).ok()).map(|arriving| arriving.end("gone".to_owned())).count();
    assert_eq!((came, begin(&intake).err()), (9, Some(Turned::Hangs)));
    let all = drain(&mut arrivals);
    // Nothing of what the first one sent, though it was there first.
    assert_eq!(all[..4], ["started", "first gone", "started", "gone"]);
    assert_eq!(all.last().unwrap(), "gone");
    // It goes on: so may they.
    begin(&intake).unwrap().end(String::new());
}

#[test]
fn after_an_overrun_only_a_key_frame_goes_on_and_the_configuration_is_not_lost() {
    let (intake, mut arrivals) = intake(KEPT_FREE + 3);
    let mut arriving = begin(&intake).unwrap();
    for packet in [key(), delta(), delta(), delta()] {
        arriving.packet(packet);
    }
    assert_eq!(arriving.skipping, Skipping::UntilKey);
    assert_eq!(drain(&mut arrivals), ["started", "Video Frame", "Video Delta"]);
    arriving.params(picture_params());
    arriving.params(sound_params());
    arriving.packet(delta());
    arriving.packet(packet(Track::Audio, Key::Frame));
    arriving.params(picture_params());
    assert_eq!(arriving.skipping, Skipping::UntilKey);
    assert_eq!(drain(&mut arrivals), [""; 0]);
    arriving.packet(key());
    arriving.packet(delta());
    assert_eq!(drain(&mut arrivals), ["Video params", "Audio params", "Video Frame"]);
}

/// A sender faster than its decoder overruns the line with every group of pictures.
#[test]
fn an_overrun_after_the_other_is_told_once_in_a_while_and_counted() {
    let (clock, log, stop) =
        (Arc::new(VirtualClock::default()), Arc::new(EventLog::new()), Arc::new(Stop::default()));
    let reporter = Reporter::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&log), stop);
    let (intake, mut arrivals) = Intake::with_places(KEPT_FREE + 3, reporter);
    let (intake, stop) = (Arc::new(intake), Stop::default());
    for second in 0..25 {
        clock.wait_until(Time::from_millis(second * 1000), &stop);
        // Nor does it help to come back.
        let mut arriving = begin(&intake).unwrap();
        for _ in 0..20 {
            (0..4).for_each(|_| _ = arriving.packet(key()));
            assert_eq!(arriving.skipping, Skipping::UntilKey);
            drain(&mut arrivals);
        }
        arriving.end("gone".to_owned());
        drain(&mut arrivals);
    }
    let told = log.all(Time::ZERO).into_iter().filter(|e| e.code == "line-overrun");
    let told: Vec<_> = told.map(|e| (e.t, e.message)).collect();
    assert_eq!(told.iter().map(|(t, _)| *t).collect::<Vec<_>>(), [0.0, 10.0, 20.0]);
    assert!(told[1].1.ends_with("(199 more like it before)"), "{told:?}");
}

#[test]
fn a_quick_return_waits_for_nothing_of_the_stream_before() {
    let (intake, mut arrivals) = intake(WAITING);
    let mut first = begin(&intake).unwrap();
    first.params(picture_params());
    for _ in 0..WAITING {
        first.packet(key());
    }
    // What is read before the next one begins is decoded.
    let read: Vec<_> = std::iter::from_fn(|| arrivals.next(Duration::ZERO).ok()).take(3).collect();
    assert!(matches!(read[..], [Arrival::Started { .. }, Arrival::Params(_), Arrival::Packet(_)]));
    first.end("first gone".to_owned());
    let mut second = begin(&intake).unwrap();
    second.params(picture_params());
    second.packet(key());
    second.end("second gone".to_owned());
    let expected = ["first gone", "started", "Video params", "Video Frame", "second gone"];
    assert_eq!(drain(&mut arrivals), expected);
}

#[test]
fn sound_alone_goes_on_when_there_is_room_again() {
    let (intake, mut arrivals) = intake(KEPT_FREE + 3);
    let mut arriving = begin(&intake).unwrap();
    let sound = || packet(Track::Audio, Key::Frame);
    for _ in 0..4 {
        arriving.packet(sound());
    }
    assert_eq!(arriving.skipping, Skipping::UntilKey);
    assert_eq!(drain(&mut arrivals), ["started", "Audio Frame", "Audio Frame"]);
    arriving.packet(sound());
    assert_eq!(drain(&mut arrivals), ["Audio Frame"]);
}
