//! A lookahead for all rungs: what a ladder plans is what x264 makes.

use std::sync::Arc;

use codecs::lookahead::{More, PictureKind, Plan, Planner};
use codecs::{
    CodecKit, EncoderThreads, Ffmpeg, Frame, Ladder, LadderSettings, Lookahead, Plane, RungOutput,
    VideoEncoderSettings,
};
use media::{FrameRate, Key, Packet, Size, Tick, VideoParams};

use crate::x264::{SIZE, frames, settings};
use crate::{decode, pattern};

fn rate() -> FrameRate {
    FrameRate::new(25, 1).unwrap()
}

fn shared() -> VideoEncoderSettings {
    VideoEncoderSettings { lookahead: Lookahead::Shared, ..settings(rate()) }
}

fn encode(settings: &VideoEncoderSettings, frames: &[(Frame, Plan)]) -> (VideoParams, Vec<Packet>) {
    let mut encoder = Ffmpeg::new().video_encoder(settings).unwrap();
    let mut packets = Vec::new();
    for (frame, plan) in frames {
        encoder.send_planned(frame, plan).unwrap();
        packets.extend(std::iter::from_fn(|| encoder.receive().unwrap()));
    }
    encoder.flush().unwrap();
    packets.extend(std::iter::from_fn(|| encoder.receive().unwrap()));
    (encoder.params().clone(), packets)
}

/// With the plans that a ladder would tell.
fn planned(frames: Vec<(Frame, Key)>) -> Vec<(Frame, Plan)> {
    let (mut planner, mut plans) = (Planner::new(), Vec::new());
    for (frame, key) in &frames {
        planner.push(frame.picture.plane(Plane::Y), *key);
        plans.extend(std::iter::from_fn(|| planner.plan(More::Comes)));
    }
    plans.extend(std::iter::from_fn(|| planner.plan(More::IsNotKnown)));
    frames.into_iter().map(|(frame, _)| frame).zip(plans).collect()
}

/// An encoder that is told plans may follow one that looks ahead itself, in one stream.
#[test]
fn headers_are_those_of_an_encoder_that_looks_ahead_itself() {
    for threads in [EncoderThreads::One, EncoderThreads::Many(3.try_into().unwrap())] {
        let open = |lookahead| {
            let settings = VideoEncoderSettings { lookahead, threads, ..settings(rate()) };
            Ffmpeg::new().video_encoder(&settings).unwrap().params().clone()
        };
        assert_eq!(open(Lookahead::Shared), open(Lookahead::Preset));
    }
}

#[test]
fn pictures_become_what_was_planned() {
    for threads in [EncoderThreads::One, EncoderThreads::Many(3.try_into().unwrap())] {
        // What does not move is encoded in groups as long as they can be: of four, three and two.
        let mut film = frames(rate(), 60, |n| [0, 8, 15, 21].contains(&n));
        let still = film[0].0.picture.clone();
        film[..24].iter_mut().for_each(|(frame, _)| frame.picture = still.clone());
        let frames = planned(film);
        let (params, packets) = encode(&VideoEncoderSettings { threads, ..shared() }, &frames);
        assert_eq!(packets.len(), 60);
        let plan_of = |packet: &Packet| {
            frames.iter().find(|(frame, _)| frame.pts == packet.pts).map(|(_, plan)| plan.clone()).unwrap()
        };
        let mut anchored = None;
        for packet in &packets {
            let plan = plan_of(packet);
            assert_eq!(packet.key, plan.key(), "{}", packet.pts);
            // Between others come those that lie before what has come.
            let is_between = anchored.is_some_and(|pts| packet.pts < pts);
            assert_eq!(is_between, plan.kind == PictureKind::Between, "{}", packet.pts);
            anchored = anchored.max(Some(packet.pts));
            // Nobody leans on the others (nal_ref_idc).
            let is_leant_on = packet.data[4] & 0x60 != 0;
            assert_eq!(is_leant_on, plan.offsets.is_some(), "{}", packet.pts);
        }
        assert!(packets.iter().any(|packet| plan_of(packet).kind == PictureKind::Between));
        assert_eq!(decode::decode(&params, &packets).len(), 60);
    }
}

#[test]
fn what_is_worth_more_is_written_finer() {
    // Each half in turn is as if it stayed: the other one is noise to the planner alone.
    let errors = |still: fn(usize) -> bool| {
        let frames = frames(rate(), 24, |n| n == 0);
        let (mut planner, mut plans) = (Planner::new(), Vec::new());
        for n in 0..24u32 {
            let mut seen = pattern::picture(Size::new(64, 36), 0);
            let luma = seen.plane_mut(Plane::Y);
            for (at, pixel) in luma.data.iter_mut().enumerate() {
                if !still(at % luma.stride) {
                    *pixel = ((at as u32 + 7 * n).wrapping_mul(2_654_435_761) >> 24) as u8;
                }
            }
            planner.push(seen.freeze().plane(Plane::Y), if n == 0 { Key::Frame } else { Key::Delta });
            plans.extend(std::iter::from_fn(|| planner.plan(More::Comes)));
        }
        plans.extend(std::iter::from_fn(|| planner.plan(More::IsNotKnown)));
        let frames: Vec<_> = frames.into_iter().map(|(frame, _)| frame).zip(plans).collect();
        let (params, packets) = encode(&shared(), &frames);
        let decoded = decode::decode(&params, &packets);
        let mut errors = [0u64; 2];
        for (decoded, (frame, _)) in decoded.iter().zip(&frames) {
            let (a, b) = (decoded.picture.plane(Plane::Y), frame.picture.plane(Plane::Y));
            for (a, b) in a.rows().zip(b.rows()) {
                for (x, (a, b)) in a.iter().zip(b).enumerate() {
                    errors[usize::from(x >= SIZE.width as usize / 2)] += u64::from(a.abs_diff(*b)).pow(2);
                }
            }
        }
        errors
    };
    let ([left, right], [left_then, right_then]) = (errors(|x| x < 32), errors(|x| x >= 32));
    assert!(left < left_then && right > right_then, "{left} {right}, then {left_then} {right_then}");
}

/// One rung looks ahead itself, two are told, and pictures are larger than what is looked at: every rung
/// has its key frames at the same time, and the same film twice gives the same bytes.
#[test]
fn rungs_with_and_without_are_in_step_and_the_same_again() {
    let canvas = Size::new(640, 360);
    let make = || {
        let rungs = [(canvas, 900_000), (Size::new(426, 240), 500_000), (Size::new(160, 90), 150_000)];
        let mut settings = LadderSettings::new(rate(), rungs);
        settings.rungs[0].lookahead = Lookahead::Shared;
        settings.rungs[2].lookahead = Lookahead::Shared;
        let mut ladder = Ladder::start(Arc::new(Ffmpeg::new()), settings).unwrap();
        let outputs = ladder.outputs();
        let feed = std::thread::spawn(move || {
            for n in 0..70 {
                let frame = Frame {
                    pts: rate().time_of(Tick(n)),
                    picture: pattern::picture(canvas, n as u32).freeze(),
                };
                ladder.send(frame, if n % 31 == 0 { Key::Frame } else { Key::Delta }).unwrap();
            }
        });
        let readers: Vec<_> = outputs
            .into_iter()
            .map(|output| {
                std::thread::spawn(move || {
                    let packets = output.into_iter().filter_map(|out| match out {
                        RungOutput::Packet(packet) => Some(packet),
                        _ => None,
                    });
                    packets.collect::<Vec<_>>()
                })
            })
            .collect();
        feed.join().unwrap();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
    };
    let made = make();
    for packets in &made {
        let keys = packets.iter().filter(|packet| packet.key == Key::Frame).map(|packet| packet.pts);
        assert_eq!(keys.collect::<Vec<_>>(), [0, 31, 62].map(|n| rate().time_of(Tick(n))));
        assert_eq!(packets.len(), 70);
    }
    let bytes = |made: &[Vec<Packet>]| {
        let packets = made.iter().flatten();
        packets.map(|packet| (packet.pts, packet.data.clone())).collect::<Vec<_>>()
    };
    assert!(bytes(&made) == bytes(&make()), "the same film, other bytes");
}
