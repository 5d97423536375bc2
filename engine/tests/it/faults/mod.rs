//! Networks that stall, drip, break and lie, on both sides of the engine: nothing panics, nothing
//! is left behind, and other lines are untouched.

mod proxy;

use std::net::SocketAddr;
use std::time::Instant;

use serde_json::Value;

use crate::alone::{Alone, Kit, PATIENCE};
use crate::faults::proxy::{ALL, Fault, Proxy, Way};
use crate::live::{Tool, tool};
use crate::support::show;

/// Ten minutes: whoever begins at all begins in time.
const HOW_LONG: &str = "600000";

/// A runtime for the proxies.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// A show with a camera for each fault and a steady one, which is on air.
fn show_of(line: impl Fn(Fault) -> String, steady: &str, name: &str) -> pipeline_dsl::Show {
    let cameras: String =
        ALL.iter().map(|fault| format!("  camera {fault:?} {{ line l {} }}\n", line(*fault))).collect();
    let names: String = ALL.iter().map(|fault| format!("{fault:?} ")).collect();
    show(&format!(
        r#"
show "{name}" {{
  video 160x90 25fps
  {cameras}
  // Only what goes wrong for long counts: the machine that tests may be busy.
  camera steady {{ line l {steady} buffer=2s; failover lost=10s }}
  ladder one {{ preset ultrafast; keyframe 1s; audio 64k; rung small 160x90 200k }}
  channel program {{ sources steady {names}; ladder one; egress relay serve rtmp }}
}}"#
    ))
}

fn push(addr: SocketAddr, name: &str, seconds: &str) -> Tool {
    let words = format!(
        "-nostdin -v error -re -f lavfi -i testsrc2=size=160x90:rate=25 -f lavfi -i sine=r=44100 -t {seconds} -c:v libx264 \
         -preset ultrafast -tune zerolatency -g 10 -pix_fmt yuv420p -c:a aac -f flv rtmp://{addr}/live/{name}"
    );
    tool("ffmpeg", &words.split_whitespace().collect::<Vec<_>>())
}

fn wait_for(what: &str, is: impl Fn() -> Option<String>) {
    let begun = Instant::now();
    while let Some(missing) = is() {
        assert!(begun.elapsed() < PATIENCE, "{what}: {missing}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// What the report says of a line: how many of these events.
fn count(report: &Value, code: &str, fault: &str) -> usize {
    let events = report["events"].as_array().unwrap().iter();
    events.filter(|e| e["code"] == code && e["subject"] == format!("{fault}/l")).count()
}

/// Of the steady line nothing is told but that it is there, and nobody panicked.
fn assert_untouched(report: &Value) {
    let events = report["events"].as_array().unwrap();
    for event in events {
        assert!(!event["message"].as_str().unwrap().contains("panicked"), "{event}");
        let code = event["code"].as_str().unwrap();
        // Whoever is there to the end is parted with then.
        let parted = event["message"].as_str().unwrap().contains("the show is over");
        let steady = event["subject"].as_str().unwrap().starts_with("steady") && !parted;
        assert!(
            !steady || !["line-lost", "line-disconnected", "decode-error", "line-overrun"].contains(&code),
            "{event}"
        );
    }
    let camera = report["cameras"].as_array().unwrap().iter().find(|c| c["name"] == "steady").unwrap();
    assert_eq!(camera["lines"][0]["state"], "live", "{camera}");
    assert_eq!(count(report, "line-connected", "steady"), 1);
}

fn seed() -> u64 {
    let seed = std::env::var("OBVAN_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| getrandom::u64().unwrap());
    println!("OBVAN_SEED={seed}");
    seed
}

#[test]
fn encoders_behind_bad_networks_leave_nothing_behind() {
    let seed = seed();
    let line = |fault| format!("push \"rtmp:live/{fault:?}\"");
    let show = show_of(line, "push \"rtmp:live/steady\"", "pushed");
    let (mut engine, addr) = Alone::start(&show, HOW_LONG, Kit::Ffmpeg);
    let empty = engine.sockets();
    let _steady = push(addr, "steady", "120");
    engine.said("event steady/l line-live");
    let runtime = runtime();
    let before = engine.figure("VmRSS:");
    let encoders: Vec<_> = ALL
        .into_iter()
        .map(|fault| {
            let proxy = Proxy::start(&runtime, addr, fault, Way::Up, seed);
            (push(proxy.addr, &format!("{fault:?}"), "120"), proxy, fault)
        })
        .collect();
    wait_for("all to fail", || {
        encoders.iter().find(|(_, proxy, _)| !proxy.has_failed()).map(|(_, _, fault)| format!("{fault:?}"))
    });
    let grown = engine.figure("VmRSS:") - before;
    drop(encoders);
    drop(runtime);
    engine.wait_for("nothing to be left of them", |open| open <= empty + 1);
    println!("{grown} KiB more with eight of them");
    assert!(grown < 400 << 10, "{grown} KiB");
    // Every place is free again.
    let mut again: Vec<_> = ALL.map(|fault| (push(addr, &format!("{fault:?}"), "0.4"), fault)).into();
    for (encoder, fault) in &mut again {
        assert!(encoder.0.wait().unwrap().success(), "{fault:?}: its place is taken");
    }
    let report = engine.end();
    assert_untouched(&report);
    for fault in ALL {
        let name = format!("{fault:?}");
        let (came, left) =
            (count(&report, "line-connected", &name), count(&report, "line-disconnected", &name));
        // The last one's words may still be on their way when the show ends.
        assert!(came <= 2 && (left == came || left + 1 == came), "{name}: {came} times in, {left} times out");
        assert!(came >= 1 || fault == Fault::LongChunk, "{name}: it never came");
    }
}

#[test]
fn a_server_behind_bad_networks_is_called_again() {
    let seed = seed();
    let served = r#"
show "server" {
  video 160x90 25fps
  camera gen { line gen test "motion" tone=440 }
  ladder one { preset ultrafast; keyframe 1s; audio 64k; rung small 160x90 200k }
  channel program { sources gen; ladder one; egress relay serve rtmp }
}"#;
    let (mut server, there) = Alone::start(&show(served), HOW_LONG, Kit::Ffmpeg);
    let empty = server.sockets();
    let runtime = runtime();
    let proxies = ALL.map(|fault| (Proxy::start(&runtime, there, fault, Way::Down, seed), fault));
    let line = |fault| {
        let (proxy, _) = proxies.iter().find(|(_, other)| *other == fault).unwrap();
        format!("pull \"rtmp://{}/live/program_small\"", proxy.addr)
    };
    let steady = format!("pull \"rtmp://{there}/live/program_small\"");
    // It listens for nobody, but something must be served for it to say where.
    let (mut engine, _) = Alone::start(&show_of(line, &steady, "pulled"), HOW_LONG, Kit::Ffmpeg);
    // What a proxy has passed on the engine may not have read by the time that the network fails.
    let connected = ALL.map(|fault| format!("event {fault:?}/l line-connected"));
    engine.said_all(connected.into_iter().chain(["event steady/l line-live".to_owned()]));
    wait_for("all to fail, and those that do not drip to be called again", || {
        let goes_on = |fault| fault == Fault::Drip;
        let waits = |(proxy, fault): &&(Proxy, Fault)| {
            !proxy.has_failed()
                || (!goes_on(*fault) && proxy.carried_since() < 10_000 && *fault != Fault::Corrupt)
        };
        proxies.iter().find(waits).map(|(_, fault)| format!("{fault:?}"))
    });
    let report = engine.end();
    assert_untouched(&report);
    for fault in ALL {
        let came = count(&report, "line-connected", &format!("{fault:?}"));
        assert!(came >= 1, "{fault:?}: it never came");
    }
    drop(proxies);
    drop(runtime);
    server.wait_for("nobody to play any more", |open| open <= empty);
    let report = server.end();
    assert!(report["events"].as_array().unwrap().iter().all(|e| e["level"] != "alarm"), "{report}");
}
