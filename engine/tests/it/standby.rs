//! Lines kept ready, as real processes in real time: equal content without a seam, and what hot
//! and warm standby cost.

use std::time::{Duration, Instant};

use engine::{Report, Status};

use crate::killed::{Harm, Truck, seams};
use crate::live::{start_show, tool, wait_for};
use crate::support::clips;
use crate::wires::free_udp_port;

fn runs_on(truck: &Truck, seconds: f64) -> f64 {
    let handle = truck.live.engine.handle();
    let until = handle.status().t + seconds;
    wait_for(&handle, "some seconds more", |status| status.t > until);
    until
}

/// The director goes over to a line while both are in step: a sender that is starved may leave them
/// apart, and has no picture to go over to. Gives the tick.
fn go_over(truck: &mut Truck, line: &str) -> usize {
    let begun = Instant::now();
    loop {
        truck.wait_for_both();
        match truck.live.engine.handle().command(engine::Command::line("main", Some(line))) {
            Ok(ack) => return usize::try_from(ack.frame).unwrap(),
            Err(refused) => assert_eq!(refused.code, "line-lost"),
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "no line to go over to");
    }
}

/// RTMP and SRT carry the same film, with stamps that lie 1.4 s apart. The director leads the
/// camera from one to the other and back, and then the one on air dies.
#[test]
fn going_over_between_lines_of_equal_content_shows_every_picture_once() {
    let mut truck = Truck::start("lost=400ms prefer=stay", 60);
    truck.wait_for_both();
    let handle = truck.live.engine.handle();
    let from = runs_on(&truck, 0.6);
    let mut ticks = Vec::new();
    for line in ["backpack", "fiber", "backpack"] {
        ticks.push(go_over(&mut truck, line));
        runs_on(&truck, 0.4);
    }
    truck.wait_for_both();
    handle.command(engine::Command::line("main", None)).unwrap();
    let died = truck.harm(1, Harm::Kill);
    wait_for(&handle, "the other line", |status| Truck::line_on_air(status) == Some("fiber"));
    let until = runs_on(&truck, 0.6);
    let (shown, report) = truck.end();
    let failover = report.channels[0].on_air.iter().find(|change| change.t > died);
    ticks.extend(failover.map(|change| (change.t * 25.0).round() as usize));
    let pictures = |tick: usize| shown.get(tick - 1)?.zip(*shown.get(tick)?);
    let over: Vec<(usize, usize)> = ticks.iter().filter_map(|tick| pictures(*tick)).collect();
    let told = report.events.iter().find(|event| event.code == "line-in-step");
    println!(
        "{over:?}, died {died}: seams {:?}, {:?}",
        seams(&shown, from, until - from),
        told.map(|event| &event.message)
    );
    assert!(told.is_some(), "{:#?}", report.events);
    // A line that is in step has the picture that is due, or a later one where a starved sender left
    // the other behind: no picture is ever shown again. Without alignment every second change would
    // go back by 35.
    assert!(over.len() >= 3, "{over:?}: {:#?}", report.channels[0].on_air);
    assert!(over.iter().all(|(before, after)| after >= before), "{over:?}");
    let step = over.iter().map(|(before, after)| after - before).min();
    assert!(step <= Some(1), "{over:?}: pictures are left out at every change");
}

/// The same, but the line that takes over has been kept undecoded.
#[test]
fn a_warm_line_takes_over_from_one_that_dies() {
    let mut truck = Truck::start("lost=400ms standby=warm", 60);
    truck.wait_for_both();
    let handle = truck.live.engine.handle();
    let from = runs_on(&truck, 1.0);
    let decoded = |status: &Status| status.cameras[0].lines[1].fps;
    assert!(decoded(&handle.status()).is_some(), "what is kept counts as pictures");
    let died = truck.harm(0, Harm::Kill);
    wait_for(&handle, "the other line", |status| Truck::line_on_air(status) == Some("backpack"));
    let until = runs_on(&truck, 1.0);
    let (shown, report) = truck.end();
    println!("died {died}: seams {:?}", seams(&shown, from, until - from));
    assert!(!report.events.iter().any(|event| event.code == "not-available"), "{:#?}", report.events);
    let tail = &shown[shown.len().saturating_sub(20)..];
    assert!(tail.iter().flatten().count() > 10, "its pictures are whole: {tail:?}");
}

/// CPU seconds for a second of show: two lines of 1080p, one of them on air.
fn cost(failover: &str, lines: usize) -> f64 {
    let port = free_udp_port();
    let backup =
        if lines > 1 { format!("line backpack pull \"srt://127.0.0.1:{port}\"") } else { String::new() };
    let live = start_show(&format!(
        r#"
show "cost" {{
  video 1920x1080 25fps
  audio 48kHz stereo
  camera main {{ line fiber push "rtmp:live/main"; {backup}; failover {failover} }}
  ladder one {{ preset ultrafast; keyframe 2s; audio 96k; rung small 160x90 200k }}
  channel program {{ sources main; ladder one; egress disk record "cost.flv" }}
}}"#
    ));
    let film = clips().join("generated/bench-1080p25.mp4");
    let film = film.to_str().unwrap().to_owned();
    let send = |format: &str, url: &str| {
        let args = [
            "-nostdin",
            "-v",
            "error",
            "-re",
            "-stream_loop",
            "-1",
            "-i",
            &film,
            "-c",
            "copy",
            "-f",
            format,
            url,
        ];
        tool("ffmpeg", &args)
    };
    let _fiber = send("flv", &live.url);
    let _backpack = (lines > 1).then(|| send("mpegts", &format!("srt://127.0.0.1:{port}?mode=listener")));
    let handle = live.engine.handle();
    wait_for(&handle, "pictures", |s| s.cameras[0].lines.iter().all(|line| line.packets > 50));
    std::thread::sleep(Duration::from_secs(25));
    handle.stop();
    let report: Report = live.engine.wait();
    report.cpu_s / report.wall_s
}

#[test]
#[ignore = "figures: `cargo test -p engine --test it -- --ignored --nocapture hot_and_warm`"]
fn hot_and_warm_side_by_side() {
    for round in 0..2 {
        let (one, warm, hot) = (cost("", 1), cost("standby=warm", 2), cost("", 2));
        println!(
            "round {round}: one line {one:.3}, with a warm backup {warm:.3}, with a hot one {hot:.3} CPU s a second; \
             the backup costs {:.3} warm and {:.3} hot",
            warm - one,
            hot - one
        );
    }
}
