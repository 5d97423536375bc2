//! The ladder: aligned, bounded, and one rung's trouble is its own.

use std::sync::Arc;
use std::thread::JoinHandle;

use codecs::{
    CodecError, CodecKit, Fake, Ffmpeg, Frame, Ladder, LadderError, LadderSettings, Lookahead, NextRung,
    OpenRung, Reorder, RungDuty, RungOutput, VideoEncoderName, VideoEncoderSettings,
};
use crossbeam_channel::Receiver;
use media::{FrameRate, Key, Packet, Size, Tick, Time};

use crate::pattern;

const CANVAS: Size = Size::new(320, 180);
const RUNGS: [(Size, u32); 4] = [
    (Size::new(160, 90), 200_000),
    (CANVAS, 800_000),
    (Size::new(214, 120), 400_000),
    (Size::new(160, 90), 100_000),
];

fn rate() -> FrameRate {
    FrameRate::new(25, 1).unwrap()
}

/// Each encoder's own, and the ladder's for all of them.
const LOOKAHEADS: [Lookahead; 2] = [Lookahead::Preset, Lookahead::Shared];

fn settings(lookahead: Lookahead) -> LadderSettings {
    let mut settings = LadderSettings::new(rate(), RUNGS);
    settings.rungs.iter_mut().for_each(|rung| rung.lookahead = lookahead);
    settings
}

fn start(kit: impl CodecKit + 'static, lookahead: Lookahead) -> (Arc<Ladder>, Vec<Receiver<RungOutput>>) {
    let mut ladder = Ladder::start(Arc::new(kit), settings(lookahead)).unwrap();
    let outputs = ladder.outputs();
    assert!(ladder.outputs().is_empty());
    (Arc::new(ladder), outputs)
}

/// Sends frames from a thread of its own, as the outputs are bounded.
fn feed(ladder: &Arc<Ladder>, count: u64, keys: fn(u64) -> bool) -> JoinHandle<Result<(), LadderError>> {
    let ladder = Arc::clone(ladder);
    std::thread::spawn(move || {
        let picture = pattern::picture(CANVAS, 0).freeze();
        for n in 0..count {
            let key = if keys(n) { Key::Frame } else { Key::Delta };
            ladder.send(Frame { pts: rate().time_of(Tick(n)), picture: picture.clone() }, key)?;
        }
        ladder.finish();
        Ok(())
    })
}

/// All packets of each rung, and how it ended. Each is read by a thread of its own.
fn drain(outputs: Vec<Receiver<RungOutput>>) -> Vec<(Vec<Packet>, Option<CodecError>)> {
    let readers: Vec<_> = outputs
        .into_iter()
        .map(|output| {
            std::thread::spawn(move || {
                let mut packets = Vec::new();
                for out in output {
                    match out {
                        RungOutput::Packet(packet) => packets.push(packet),
                        RungOutput::Pause(at) | RungOutput::Rest(at) => {
                            assert!(packets.iter().all(|packet| packet.pts < at));
                        }
                        RungOutput::Failed(err) => return (packets, Some(err)),
                        RungOutput::End => return (packets, None),
                    }
                }
                panic!("a rung ends with a word");
            })
        })
        .collect();
    readers.into_iter().map(|reader| reader.join().unwrap()).collect()
}

fn key_times(packets: &[Packet]) -> Vec<Time> {
    packets.iter().filter(|p| p.key == Key::Frame).map(|p| p.pts).collect()
}

#[test]
fn all_rungs_have_their_key_frames_at_the_same_time() {
    for lookahead in LOOKAHEADS {
        let (ladder, outputs) = start(Fake::new().reordering(Reorder::Pyramid), lookahead);
        let sizes: Vec<_> = ladder.params().iter().map(|params| params.size.unwrap()).collect();
        assert_eq!(sizes, RUNGS.map(|(size, _)| size));
        feed(&ladder, 200, |n| n % 50 == 0 || n == 77);
        for ((packets, failed), counters) in drain(outputs).into_iter().zip(ladder.counters()) {
            assert_eq!(failed, None);
            assert_eq!(packets.len(), 200);
            let want = [0, 50, 77, 100, 150].map(|n| rate().time_of(Tick(n)));
            assert_eq!(key_times(&packets), want);
            assert_eq!((counters.frames(), counters.packets(), counters.keys()), (200, 200, 5));
            assert_eq!(counters.bytes(), packets.iter().map(|p| p.data.len() as u64).sum::<u64>());
        }
    }
}

#[test]
fn x264_makes_every_rung_of_the_same_canvas() {
    for lookahead in LOOKAHEADS {
        let (ladder, outputs) = start(Ffmpeg::new(), lookahead);
        feed(&ladder, 30, |n| n % 12 == 0);
        let params = ladder.params().to_vec();
        for ((packets, failed), params) in drain(outputs).into_iter().zip(&params) {
            assert_eq!(failed, None);
            assert_eq!(key_times(&packets), [0, 12, 24].map(|n| rate().time_of(Tick(n))));
            let frames = crate::decode::decode(params, &packets);
            assert_eq!(frames.len(), 30);
            let size = params.size.unwrap();
            let db = pattern::psnr(&frames[29].picture, &pattern::picture(size, 0).freeze());
            assert!(db > 28.0, "{db} dB at {size}");
        }
    }
}

/// Rungs come, go, and go on with another encoder: all of what was handed in before comes out, and
/// those that stay are none the wiser.
#[test]
fn a_ladders_rungs_change_between_two_frames() {
    for lookahead in LOOKAHEADS {
        const BEFORE: u64 = 20;
        const AFTER: u64 = 13;
        for kit in
            [Arc::new(Ffmpeg::new()) as Arc<dyn CodecKit>, Arc::new(Fake::new().reordering(Reorder::Pyramid))]
        {
            let mut ladder = Ladder::start(Arc::clone(&kit), settings(lookahead)).unwrap();
            let mut outputs = ladder.outputs();
            let open = |rung, size, bitrate| {
                let settings = VideoEncoderSettings::new(size, rate(), bitrate);
                OpenRung::open(&kit, rung, VideoEncoderSettings { lookahead, ..settings }).unwrap()
            };
            // One that is never taken ends with nothing.
            let untaken = open(0, CANVAS, 500_000).output().unwrap();
            let (mut other, mut new) = (open(1, RUNGS[0].0, 150_000), open(3, Size::new(64, 36), 50_000));
            let params = [other.params().clone(), new.params().clone()];
            outputs.extend([other.output().unwrap(), new.output().unwrap()]);
            let mut frames = (0..BEFORE + AFTER).map(|n| Frame {
                pts: rate().time_of(Tick(n)),
                picture: pattern::picture(CANVAS, n as u32).freeze(),
            });
            let feed = std::thread::spawn(move || {
                let mut send = |count| {
                    for (n, frame) in frames.by_ref().take(count).enumerate() {
                        ladder.send(frame, if n == 0 { Key::Frame } else { Key::Delta }).unwrap();
                    }
                };
                send(BEFORE as usize);
                // 0 goes on with another encoder, 2 goes, and one comes.
                let comes = |open| NextRung::Comes(Box::new(open));
                let next = [NextRung::Stays(1), comes(other), NextRung::Stays(3), comes(new)];
                ladder.change(next.into()).unwrap();
                send(AFTER as usize);
                ladder.finish();
            });
            let made = drain(outputs);
            feed.join().unwrap();
            assert!(untaken.iter().all(|out| matches!(out, RungOutput::End)));
            let (all, before, after) = (0..BEFORE + AFTER, 0..BEFORE, BEFORE..BEFORE + AFTER);
            let wanted = [&before, &all, &before, &all, &after, &after];
            for (rung, ((packets, failed), ticks)) in made.iter().zip(wanted).enumerate() {
                assert_eq!(*failed, None, "{rung}");
                let mut pts: Vec<Time> = packets.iter().map(|packet| packet.pts).collect();
                pts.sort_unstable();
                assert_eq!(pts, ticks.clone().map(|n| rate().time_of(Tick(n))).collect::<Vec<_>>(), "{rung}");
                let starts = [0, BEFORE].into_iter().filter(|n| ticks.contains(n));
                assert_eq!(key_times(packets), starts.map(|n| rate().time_of(Tick(n))).collect::<Vec<_>>());
            }
            for (params, (packets, _)) in params.iter().zip(&made[4..]) {
                let mut decoder = kit.video_decoder(params).unwrap();
                packets.iter().for_each(|packet| decoder.send(packet).unwrap());
            }
        }
    }
}

/// Sends frames, with a pause before each of `pauses`.
fn feed_in_parts(ladder: &Arc<Ladder>, count: u64, pauses: &'static [u64]) {
    let ladder = Arc::clone(ladder);
    std::thread::spawn(move || {
        for n in 0..count {
            let pts = rate().time_of(Tick(n));
            if pauses.contains(&n) {
                ladder.pause(pts).unwrap();
            }
            let key = if n == 0 { Key::Frame } else { Key::Delta };
            let picture = pattern::picture(CANVAS, n as u32).freeze();
            ladder.send(Frame { pts, picture }, key).unwrap();
        }
        ladder.finish();
    });
}

/// However short the parts are: one stream, with an IDR at the start of each, whose DTS rise evenly
/// and whose pictures are all there.
#[test]
fn a_ladder_that_pauses_goes_on_as_one_stream() {
    for lookahead in LOOKAHEADS {
        const PAUSES: &[u64] = &[1, 3, 4, 9, 40, 41, 43];
        let kits: [(Arc<dyn CodecKit>, i64); 3] = [
            (Arc::new(Ffmpeg::new()), 2),
            (Arc::new(Fake::new().reordering(Reorder::Pyramid)), 2),
            (Arc::new(Fake::new()), 0),
        ];
        for (kit, delay) in kits {
            let mut ladder = Ladder::start(Arc::clone(&kit), settings(lookahead)).unwrap();
            let (outputs, params) = (ladder.outputs(), ladder.params().to_vec());
            feed_in_parts(&Arc::new(ladder), 60, PAUSES);
            for ((packets, failed), params) in drain(outputs).into_iter().zip(&params) {
                assert_eq!(failed, None);
                let tick = rate().tick_span();
                let dts: Vec<Time> = packets.iter().map(|packet| packet.dts).collect();
                let even: Vec<Time> = (0..60).map(|n| Time::ZERO + tick.times(n - delay)).collect();
                assert_eq!(dts, even);
                assert!(packets.iter().all(|packet| packet.dts <= packet.pts));
                let starts: Vec<Time> = [0].iter().chain(PAUSES).map(|&n| rate().time_of(Tick(n))).collect();
                assert_eq!(key_times(&packets), starts);
                let mut decoder = kit.video_decoder(params).unwrap();
                let mut shown = Vec::new();
                for packet in &packets {
                    decoder.send(packet).unwrap();
                    shown.extend(std::iter::from_fn(|| decoder.receive().unwrap()).map(|frame| frame.pts));
                }
                decoder.flush().unwrap();
                shown.extend(std::iter::from_fn(|| decoder.receive().unwrap()).map(|frame| frame.pts));
                assert_eq!(shown, (0..60).map(|n| rate().time_of(Tick(n))).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn a_pause_lies_after_what_was_sent() {
    for lookahead in LOOKAHEADS {
        let (ladder, outputs) = start(Fake::new(), lookahead);
        let at = |n| rate().time_of(Tick(n));
        ladder.send(Frame { pts: at(3), picture: pattern::picture(CANVAS, 0).freeze() }, Key::Frame).unwrap();
        assert_eq!(ladder.pause(at(3)), Err(LadderError::PtsOrder { got: at(3), last: at(3) }));
        ladder.pause(at(4)).unwrap();
        ladder.finish();
        assert_eq!(ladder.pause(at(5)), Err(LadderError::Ended));
        assert!(drain(outputs).iter().all(|(packets, failed)| packets.len() == 1 && failed.is_none()));
    }
}

/// A rung rests now and again, a pause of all lies within one rest, and within another's end: its
/// stream has those frames that it was to encode and no others, and each stretch begins with an IDR.
#[test]
fn a_rung_that_rests_leaves_out_its_frames_and_no_other_rungs() {
    for lookahead in LOOKAHEADS {
        const RESTS: [(u64, u64); 5] = [(0, 2), (5, 6), (9, 30), (31, 32), (50, 60)];
        const PAUSES: [u64; 3] = [20, 32, 40];
        const RESTING: usize = 1;
        let rests = |n: u64| RESTS.iter().any(|(from, to)| (*from..*to).contains(&n));
        let at = |n: u64| rate().time_of(Tick(n));
        let kits: [(Arc<dyn CodecKit>, i64); 3] = [
            (Arc::new(Ffmpeg::new()), 2),
            (Arc::new(Fake::new().reordering(Reorder::Pyramid)), 2),
            (Arc::new(Fake::new()), 0),
        ];
        for (kit, delay) in kits {
            let mut ladder = Ladder::start(Arc::clone(&kit), settings(lookahead)).unwrap();
            let (mut outputs, params) = (ladder.outputs(), ladder.params().to_vec());
            let resting = outputs.remove(RESTING);
            let others = std::thread::spawn(move || drain(outputs));
            std::thread::spawn(move || {
                for n in 0..60 {
                    if PAUSES.contains(&n) {
                        ladder.pause(at(n)).unwrap();
                    }
                    let duty = if rests(n) { RungDuty::Rest } else { RungDuty::Encode };
                    // Told again, it is the same.
                    ladder.order(RESTING, duty).unwrap();
                    let picture = pattern::picture(CANVAS, n as u32).freeze();
                    ladder.send(Frame { pts: at(n), picture }, Key::Delta).unwrap();
                }
                ladder.finish();
            });
            let (mut packets, mut rested) = (Vec::<Packet>::new(), Vec::new());
            for out in resting {
                match out {
                    RungOutput::Packet(packet) => {
                        assert!(rested.last().is_none_or(|rest| *rest < packet.pts), "{}", packet.pts);
                        packets.push(packet);
                    }
                    RungOutput::Rest(at) => {
                        assert!(packets.iter().all(|packet| packet.pts < at));
                        rested.push(at);
                    }
                    RungOutput::Pause(_) | RungOutput::End => {}
                    RungOutput::Failed(error) => panic!("{error}"),
                }
            }
            assert_eq!(rested, (0..60).filter(|n| rests(*n)).map(at).collect::<Vec<_>>());
            let shown: Vec<u64> = (0..60).filter(|n| !rests(*n)).collect();
            let starts = shown.iter().filter(|n| PAUSES.contains(n) || **n == 0 || rests(**n - 1));
            assert_eq!(key_times(&packets), starts.map(|n| at(*n)).collect::<Vec<_>>());
            // What follows a rest is decoded no more than the encoder's delay before its first frame.
            let dts: Vec<Time> = packets.iter().map(|packet| packet.dts).collect();
            assert!(dts.is_sorted() && packets.iter().all(|packet| packet.dts <= packet.pts));
            let early = rate().tick_span().times(delay);
            assert!(packets.iter().filter(|p| p.key == Key::Frame).all(|p| p.dts == p.pts - early));
            let mut decoder = kit.video_decoder(&params[RESTING]).unwrap();
            let mut seen = Vec::new();
            for packet in &packets {
                decoder.send(packet).unwrap();
                seen.extend(std::iter::from_fn(|| decoder.receive().unwrap()).map(|frame| frame.pts));
            }
            decoder.flush().unwrap();
            seen.extend(std::iter::from_fn(|| decoder.receive().unwrap()).map(|frame| frame.pts));
            assert_eq!(seen, shown.iter().map(|n| at(*n)).collect::<Vec<_>>());
            for (packets, failed) in others.join().unwrap() {
                assert_eq!((packets.len(), failed), (60, None));
            }
        }
    }
}

#[test]
fn a_failing_rung_ends_alone() {
    for lookahead in LOOKAHEADS {
        let at = rate().time_of(Tick(40));
        let (ladder, outputs) = start(Fake::new().failing(Size::new(214, 120), at), lookahead);
        feed(&ladder, 300, |n| n % 50 == 0);
        let ended = drain(outputs);
        for (rung, (packets, failed)) in ended.iter().enumerate() {
            match rung {
                2 => assert_eq!((packets.len(), failed), (40, &Some(CodecError::Asked { pts: at }))),
                _ => assert_eq!((packets.len(), failed), (300, &None)),
            }
        }
    }
}

#[test]
fn a_failing_rung_that_nobody_reads_holds_up_no_one() {
    for lookahead in LOOKAHEADS {
        // Its output is full of packets when it fails.
        let at = rate().time_of(Tick(64));
        let (ladder, mut outputs) = start(Fake::new().failing(Size::new(214, 120), at), lookahead);
        let unread = outputs.remove(2);
        feed(&ladder, 300, |n| n == 0);
        for (packets, failed) in drain(outputs) {
            assert_eq!((packets.len(), failed), (300, None));
        }
        assert_eq!(unread.iter().take(64).filter(|out| matches!(out, RungOutput::Packet(_))).count(), 64);
        assert!(matches!(unread.recv().unwrap(), RungOutput::Failed(_)));
    }
}

#[test]
fn a_rung_nobody_wants_ends_and_the_others_go_on() {
    for lookahead in LOOKAHEADS {
        let (ladder, mut outputs) = start(Fake::new(), lookahead);
        drop(outputs.remove(1));
        feed(&ladder, 200, |n| n == 0);
        for (packets, failed) in drain(outputs) {
            assert_eq!((packets.len(), failed), (200, None));
        }
    }
}

#[test]
fn nothing_piles_up() {
    for lookahead in LOOKAHEADS {
        let (ladder, outputs) = start(Fake::new(), lookahead);
        let feeder = feed(&ladder, 1_000_000, |n| n == 0);
        // Nobody reads: everything comes to a stand with all channels full. The
        // rest of the frames only go in as packets go out.
        let first = &outputs[0];
        while first.len() < 64 {
            std::thread::yield_now();
        }
        let counters = Arc::clone(&ladder.counters()[0]);
        assert!(counters.frames() <= 64 + 2, "{} frames taken", counters.frames());
        // Once no rung is read any more there is nobody to encode for.
        drop(outputs);
        assert_eq!(feeder.join().unwrap(), Err(LadderError::Ended));
    }
}

#[test]
fn what_cannot_start_says_which_rung() {
    let none = LadderSettings::new(rate(), []);
    assert_eq!(Ladder::start(Arc::new(Fake::new()), none).err(), Some(LadderError::NoRungs));
    let odd = LadderSettings::new(rate(), [(CANVAS, 800_000), (Size::new(33, 20), 100_000)]);
    let err = Ladder::start(Arc::new(Ffmpeg::new()), odd).err().unwrap();
    assert_eq!(
        err.to_string(),
        "rung 1 (33x20): libx264: size is 33x20, legal is even sides from 16 to 8192"
    );
}

#[test]
fn frames_must_follow_each_other() {
    let (ladder, outputs) = start(Fake::new(), Lookahead::Preset);
    let frame = |n| Frame { pts: rate().time_of(Tick(n)), picture: pattern::picture(CANVAS, 0).freeze() };
    ladder.send(frame(1), Key::Frame).unwrap();
    let err = ladder.send(frame(1), Key::Delta).unwrap_err();
    assert_eq!(err.to_string(), "pts 0:00.040 does not lie after 0:00.040, the one before");
    ladder.finish();
    assert_eq!(ladder.send(frame(2), Key::Delta), Err(LadderError::Ended));
    assert!(drain(outputs).iter().all(|(packets, failed)| packets.len() == 1 && failed.is_none()));
}

#[test]
fn where_a_device_is_missing_software_makes_the_same_codec() {
    let mut settings = LadderSettings::new(rate(), RUNGS);
    settings.rungs[1].encoder = VideoEncoderName::HevcNvenc;
    settings.rungs[3].encoder = VideoEncoderName::H264Vaapi;
    let mut ladder = Ladder::start(Arc::new(Fake::new().without_devices()), settings).unwrap();
    let told: Vec<_> = ladder.stand_ins().iter().map(|(rung, why)| (*rung, why.to_string())).collect();
    assert_eq!(told.iter().map(|(rung, _)| *rung).collect::<Vec<_>>(), [1, 3]);
    assert!(told[0].1.contains("hevc_nvenc") && told[1].1.contains("h264_vaapi"), "{told:?}");
    use VideoEncoderName::{X264, X265};
    assert_eq!(ladder.encoders(), [X264, X265, X264, X264]);
    let outputs = ladder.outputs();
    let ladder = Arc::new(ladder);
    let feeding = feed(&ladder, 30, |n| n % 12 == 0);
    let rungs = drain(outputs);
    feeding.join().unwrap().unwrap();
    for (packets, failure) in rungs {
        assert!(failure.is_none());
        let keys: Vec<Time> = packets.iter().filter(|p| p.key == Key::Frame).map(|p| p.pts).collect();
        assert_eq!(keys, [0, 12, 24].map(|n| rate().time_of(Tick(n))));
    }
}
