//! Whose turn it is changes when a rung is encoded, and nothing in it.

use std::sync::Arc;

use bytes::Bytes;
use codecs::{Ffmpeg, Frame, Ladder, LadderSettings, RungOutput, Turns};
use media::{FrameRate, Key, Size, Tick, Time};

use crate::pattern;

const LARGEST: Size = Size::new(320, 180);

/// Rungs whose largest is in the midst.
fn settings(turns: Turns, rungs: usize) -> LadderSettings {
    let size = |n| if n == rungs / 2 { LARGEST } else { Size::new(160, 90) };
    let rungs = (0..rungs).map(|n| (size(n), 200_000));
    LadderSettings { turns, ..LadderSettings::new(FrameRate::new(25, 1).unwrap(), rungs) }
}

/// PTS, key and bytes of each rung's packets.
fn encoded(turns: Turns) -> Vec<Vec<(Time, Key, Bytes)>> {
    let settings = settings(turns, 3);
    let mut ladder = Ladder::start(Arc::new(Ffmpeg::new()), settings.clone()).unwrap();
    let outputs = ladder.outputs().into_iter().map(|output| {
        std::thread::spawn(move || {
            let packet = |out| match out {
                RungOutput::Packet(packet) => Some((packet.pts, packet.key, packet.data)),
                _ => None,
            };
            output.into_iter().filter_map(packet).collect::<Vec<_>>()
        })
    });
    let outputs: Vec<_> = outputs.collect();
    for n in 0..40 {
        let picture = pattern::picture(LARGEST, n).freeze();
        let key = if n % 20 == 0 { Key::Frame } else { Key::Delta };
        ladder.send(Frame { pts: settings.rate.time_of(Tick(n.into())), picture }, key).unwrap();
    }
    ladder.finish();
    outputs.into_iter().map(|output| output.join().unwrap()).collect()
}

#[test]
fn every_rung_is_the_same_whoever_goes_first() {
    let even = encoded(Turns::Even);
    assert!(even.iter().all(|packets| packets.len() == 40));
    assert_eq!(encoded(Turns::LargestFirst), even);
}

/// How many pictures a ladder of one rung holds at the most while it is handed more than it encodes.
fn most_held(turns: Turns) -> u64 {
    let settings = settings(turns, 1);
    let mut ladder = Ladder::start(Arc::new(Ffmpeg::new()), settings.clone()).unwrap();
    let outputs =
        ladder.outputs().into_iter().map(|output| std::thread::spawn(|| output.into_iter().count()));
    let outputs: Vec<_> = outputs.collect();
    let picture = pattern::picture(LARGEST, 1).freeze();
    let held = (0..200).map(|n| {
        let pts = settings.rate.time_of(Tick(n));
        ladder.send(Frame { pts, picture: picture.clone() }, Key::Delta).unwrap();
        n + 1 - ladder.counters()[0].frames()
    });
    let most = held.max().unwrap();
    ladder.finish();
    outputs.into_iter().for_each(|output| _ = output.join().unwrap());
    most
}

#[test]
fn where_nothing_has_a_due_time_few_pictures_wait() {
    // One that is scaled (or waits to be handed on), one that waits for the encoder, one in it.
    let most = most_held(Turns::LargestFirst);
    assert!(most <= 3, "{most} pictures");
    let most = most_held(Turns::Even);
    assert!(most <= 7, "{most} pictures");
}

/// Name and niceness of a thread; none if it has ended.
#[cfg(target_os = "linux")]
fn told_of(task: &std::path::Path) -> Option<(String, i32)> {
    let stat = std::fs::read_to_string(task.join("stat")).ok()?;
    let (name, figures) = stat.split_once('(')?.1.rsplit_once(')')?;
    Some((name.to_owned(), figures.split_whitespace().nth(16)?.parse().ok()?))
}

/// Those of this process's threads.
#[cfg(target_os = "linux")]
fn niceness() -> Vec<(String, i32)> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks.filter_map(|task| told_of(&task.ok()?.path())).collect()
}

#[cfg(target_os = "linux")]
fn wait_for(condition: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !condition() {
        assert!(begun.elapsed().as_secs() < 60, "it does not come: {:?}", niceness());
        std::thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn all_but_the_largest_step_back() {
    // So many that no other ladder in this process has threads of these names.
    const RUNGS: usize = 41;
    for (turns, back) in [(Turns::Even, 0), (Turns::LargestFirst, 5)] {
        let ladder = Ladder::start(Arc::new(codecs::Fake::new()), settings(turns, RUNGS)).unwrap();
        let own = told_of("/proc/thread-self".as_ref()).unwrap().1;
        for (rung, wanted) in [(20, own), (40, own + back)] {
            let name = format!("encode-{rung}");
            // A thread begins with it, whenever it begins.
            wait_for(|| niceness().contains(&(name.clone(), wanted)));
        }
        // What scales is one of those that go behind.
        wait_for(|| niceness().contains(&("scale".to_owned(), own + back)));
        drop(ladder);
        wait_for(|| niceness().iter().all(|(name, _)| name != "encode-20" && name != "encode-40"));
    }
}
