//! Senders that are killed, stopped and corrupted while they are on air, as real processes in
//! real time. What viewers saw is read from the recording: each picture bears its number.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use codecs::{Frame, Plane};
use engine::{Command, LineState, Report, Status};
use fixtures::noise::Noise;

use crate::live::{Live, Tool, start_show, tool, wait_for};
use crate::support::{decode, pictures, tags};
use crate::wires::free_udp_port;

const WIDTH: usize = 160;
const HEIGHT: usize = 90;
/// A picture's number stands in so many bars, and below them upside down.
const BITS: usize = 13;
const BAR: usize = 12;
const TICK_MS: i64 = 40;

fn draw(number: usize) -> Vec<u8> {
    let mut luma = vec![16u8; WIDTH * HEIGHT];
    let mut noise = Noise::new(number as u64);
    for (y, row) in luma.chunks_exact_mut(WIDTH).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            let bit = number >> (x / BAR).min(BITS) & 1 == 1;
            *pixel = match y {
                _ if y >= 80 => 60 + (noise.next_u64() % 64) as u8,
                _ if x >= BITS * BAR => 16,
                _ if bit == (y < 40) => 210,
                _ => 40,
            };
        }
    }
    luma.resize(WIDTH * HEIGHT * 3 / 2, 128);
    luma
}

/// The number in a picture; `None` where it is damaged, or another picture.
fn number(frame: &Frame) -> Option<usize> {
    let luma = frame.picture.plane(Plane::Y);
    let mean = |x: usize, rows: std::ops::Range<usize>| {
        let pixels = rows.clone().flat_map(|y| &luma.row(y)[x + 3..x + 9]);
        pixels.map(|pixel| usize::from(*pixel)).sum::<usize>() / (6 * rows.len())
    };
    (0..BITS).try_fold(0, |number, bit| {
        let (upper, lower) = (mean(bit * BAR, 8..32), mean(bit * BAR, 48..72));
        (upper.abs_diff(lower) > 80).then_some(number | usize::from(upper > lower) << bit)
    })
}

/// A film whose pictures are numbered, with a steady tone, coded once: who sends it twice sends
/// the same.
pub(crate) fn film(folder: &Path, seconds: usize) -> PathBuf {
    let path = folder.join("numbered.flv");
    let args = format!(
        "-nostdin -v error -y -f rawvideo -pix_fmt yuv420p -s {WIDTH}x{HEIGHT} -r 25 -i pipe:0 \
         -f lavfi -i sine=frequency=440:sample_rate=48000 -t {seconds} -c:v libx264 -preset ultrafast \
         -tune zerolatency -g 25 -c:a aac -ac 2 -f flv"
    );
    let mut ffmpeg = Process::new("ffmpeg");
    ffmpeg.args(args.split_whitespace()).arg(&path).stdin(Stdio::piped());
    let mut ffmpeg = ffmpeg.spawn().unwrap();
    let mut pipe = ffmpeg.stdin.take().unwrap();
    (0..seconds * 25).for_each(|number| pipe.write_all(&draw(number)).unwrap());
    drop(pipe);
    assert!(ffmpeg.wait().unwrap().success());
    path
}

/// A relay that corrupts what it carries, as long as it is told to.
struct Relay {
    port: u16,
    corrupts: Arc<AtomicBool>,
}

fn corrupt(data: &mut [u8], noise: &mut Noise) {
    for byte in data {
        if noise.next_u64().is_multiple_of(50) {
            *byte ^= (noise.next_u64() % 255) as u8 + 1;
        }
    }
}

impl Relay {
    /// Of connections to `to`.
    fn tcp(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let corrupts = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&corrupts);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(to) else { continue };
                let way = |mut from: TcpStream, mut to: TcpStream, told: Option<Arc<AtomicBool>>| {
                    std::thread::spawn(move || {
                        let (mut buffer, mut noise) = (vec![0; 16 << 10], Noise::new(1));
                        while let Ok(got) = from.read(&mut buffer)
                            && got > 0
                        {
                            if told.as_ref().is_some_and(|told| told.load(Ordering::Relaxed)) {
                                corrupt(&mut buffer[..got], &mut noise);
                            }
                            if to.write_all(&buffer[..got]).is_err() {
                                break;
                            }
                        }
                        // What is over one way is over both ways.
                        let _ =
                            (to.shutdown(std::net::Shutdown::Both), from.shutdown(std::net::Shutdown::Both));
                    })
                };
                let (other_client, other_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                way(client, server, Some(Arc::clone(&told)));
                way(other_server, other_client, None);
            }
        });
        Self { port, corrupts }
    }

    /// Of SRT's datagrams from and to a sender that listens on this port.
    fn srt(to: u16) -> Self {
        let client_side = UdpSocket::bind("127.0.0.1:0").unwrap();
        let server_side = UdpSocket::bind("127.0.0.1:0").unwrap();
        server_side.connect(("127.0.0.1", to)).unwrap();
        let port = client_side.local_addr().unwrap().port();
        let corrupts = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&corrupts);
        let client = Arc::new(std::sync::Mutex::new(None));
        let (up, up_to, seen) =
            (client_side.try_clone().unwrap(), server_side.try_clone().unwrap(), Arc::clone(&client));
        std::thread::spawn(move || {
            let mut buffer = vec![0; 2048];
            while let Ok((got, from)) = up.recv_from(&mut buffer) {
                *seen.lock().unwrap() = Some(from);
                // While nobody listens there, the system says so now and then.
                let _ = up_to.send(&buffer[..got]);
            }
        });
        std::thread::spawn(move || {
            let (mut buffer, mut noise) = (vec![0; 2048], Noise::new(2));
            loop {
                let Ok(got) = server_side.recv(&mut buffer) else { continue };
                // Payload alone: a data packet begins with a bit of 0, and has a head of 16 bytes.
                if told.load(Ordering::Relaxed) && buffer[0] & 0x80 == 0 && got > 16 {
                    corrupt(&mut buffer[16..got], &mut noise);
                }
                if let Some(to) = *client.lock().unwrap() {
                    let _ = client_side.send_to(&buffer[..got], to);
                }
            }
        });
        Self { port, corrupts }
    }
}

/// What is done to a sender.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Harm {
    Kill,
    Stop,
    Corrupt,
}

/// How the two lines stand to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Together {
    InStep,
    Apart,
}

const LINES: [&str; 2] = ["fiber", "backpack"];

/// A camera over RTMP and SRT, whose senders send the same film.
pub(crate) struct Truck {
    pub(crate) live: Live,
    film: PathBuf,
    begun: Instant,
    relays: [Relay; 2],
    srt: u16,
    senders: [Option<Tool>; 2],
    /// When each was started, and with which second of the film.
    sent: [(f64, f64); 2],
    folder: tempfile::TempDir,
}

impl Truck {
    /// With these words for its failover, and a film of so many seconds.
    pub(crate) fn start(failover: &str, seconds: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let film = film(folder.path(), seconds);
        let srt = free_udp_port();
        let srt_relay = Relay::srt(srt);
        let text = format!(
            r#"
show "truck" {{
  video {WIDTH}x{HEIGHT} 25fps
  audio 48kHz stereo
  camera main {{
    line fiber push "rtmp:live/main"
    line backpack pull "srt://127.0.0.1:{}?latency=80"
    failover {failover}
  }}
  filler slate {{ test "color:lime" }}
  ladder one {{ preset ultrafast; keyframe 1s; audio 96k; rung small {WIDTH}x{HEIGHT} 800k }}
  channel program {{ sources main; filler slate; ladder one; egress disk record "program.flv" }}
}}"#,
            srt_relay.port
        );
        let live = start_show(&text);
        let addr = live.engine.rtmp_addr().unwrap();
        let relays = [Relay::tcp(addr), srt_relay];
        let mut truck = Self {
            live,
            film,
            begun: Instant::now(),
            relays,
            srt,
            senders: [None, None],
            sent: [(0.0, 0.0); 2],
            folder,
        };
        (0..2).for_each(|line| truck.send(line));
        truck
    }

    /// The sender of a line begins (again), where the film is by now.
    fn send(&mut self, line: usize) {
        self.send_from(line, self.begun.elapsed().as_secs_f64().floor());
    }

    /// The same, from this second of the film on: a whole one, which begins with a key frame.
    fn send_from(&mut self, line: usize, second: f64) {
        self.senders[line] = None;
        self.relays[line].corrupts.store(false, Ordering::Relaxed);
        self.sent[line] = (self.begun.elapsed().as_secs_f64(), second);
        let at = format!("{second:.3}");
        let film = self.film.to_str().unwrap();
        let url = match line {
            0 => format!("rtmp://127.0.0.1:{}/live/main", self.relays[0].port),
            _ => format!("srt://127.0.0.1:{}?mode=listener&latency=80000", self.srt),
        };
        let format = if line == 0 { "flv" } else { "mpegts" };
        let mut args = vec!["-nostdin", "-v", "error", "-re", "-ss", &at, "-i", film, "-c", "copy"];
        // Else this multiplexer holds sound back by more than what waits.
        args.extend(if line == 0 { &[][..] } else { &["-pes_payload_size", "0", "-flush_packets", "1"] });
        args.extend(["-f", format, &url]);
        self.senders[line] = Some(tool("ffmpeg", &args));
    }

    pub(crate) fn line_on_air(status: &Status) -> Option<&str> {
        status.cameras[0].line.as_deref()
    }

    /// Both lines are live, and show the same. Where a sender was slow to begin they lie further apart
    /// than lines are held back: then the first begins again where the other should be, and if that
    /// was slow as well, a second beside it.
    pub(crate) fn wait_for_both(&mut self) {
        for beside in [0.0, 1.0, -1.0, 2.0, -2.0] {
            if self.wait_for_both_live() == Together::InStep {
                return;
            }
            let (since, from) = self.sent[1];
            let there = from + self.begun.elapsed().as_secs_f64() - since;
            self.send_from(0, (there + beside).round().max(0.0));
        }
        let both = |status: &Status| status.cameras[0].lines.iter().all(|line| line.in_step);
        wait_for(&self.live.engine.handle(), "both lines in step", both);
    }

    /// Both lines are live; in step, too, if that comes about: an SRT sender waits to be called and
    /// sends what it had to send by then, so its film may be later than lines are held back.
    fn wait_for_both_live(&self) -> Together {
        let handle = self.live.engine.handle();
        let live = |status: &Status| status.cameras[0].lines.iter().all(|line| line.state == LineState::Live);
        let in_step = |status: &Status| status.cameras[0].lines.iter().all(|line| line.in_step);
        wait_for(&handle, "both lines", live);
        let since = Instant::now();
        let status = wait_for(&handle, "both lines for three seconds", |status| {
            live(status) && (in_step(status) || since.elapsed() > Duration::from_secs(3))
        });
        if in_step(&status) { Together::InStep } else { Together::Apart }
    }

    /// Brings a line on air.
    fn choose(&self, line: usize) {
        let handle = self.live.engine.handle();
        handle.command(Command::line("main", Some(LINES[line]))).unwrap();
        wait_for(&handle, "the line on air", |status| Self::line_on_air(status) == Some(LINES[line]));
    }

    /// Harms the sender of a line. Gives the show time.
    pub(crate) fn harm(&mut self, line: usize, harm: Harm) -> f64 {
        let at = self.live.engine.handle().status().t;
        let sender = self.senders[line].as_mut().unwrap();
        match harm {
            Harm::Kill => sender.0.kill().unwrap(),
            Harm::Stop => {
                let stopped = Process::new("kill").args(["-STOP", &sender.0.id().to_string()]).status();
                assert!(stopped.unwrap().success());
            }
            Harm::Corrupt => self.relays[line].corrupts.store(true, Ordering::Relaxed),
        }
        at
    }

    /// Ends the show. What each tick showed, and the report.
    pub(crate) fn end(self) -> (Vec<Option<usize>>, Report) {
        self.live.engine.handle().stop();
        let report = self.live.engine.wait();
        let tags = tags(&self.live.out.path().join("program.flv"));
        // The output never missed a tick.
        let mut pts: Vec<i64> = pictures(&tags).into_iter().map(|(pts, _)| pts).collect();
        pts.sort_unstable();
        let uneven = pts.windows(2).filter(|w| w[1] - w[0] != TICK_MS).count();
        assert_eq!((uneven, pts.len() as u64), (0, report.channels[0].frames));
        drop(self.folder);
        (decode(&tags).iter().map(number).collect(), report)
    }
}

/// For how long after `from` (seconds) the same picture stood, or none that could be read, at the most.
fn stale_ms(shown: &[Option<usize>], from: f64, seconds: f64) -> i64 {
    let tick = |t: f64| ((t * 1000.0) as usize / TICK_MS as usize).min(shown.len());
    let (mut stands, mut most, mut last) = (0, 0, None);
    for number in &shown[tick(from)..tick(from + seconds)] {
        let is_new = number.is_some() && *number != last;
        stands = if is_new { 0 } else { stands + 1 };
        most = most.max(stands);
        last = number.or(last);
    }
    most * TICK_MS
}

/// Pictures that were shown twice or left out around a time.
pub(crate) fn seams(
    shown: &[Option<usize>],
    from: f64,
    seconds: f64,
) -> Vec<(usize, Option<usize>, Option<usize>)> {
    let tick = |t: f64| ((t * 1000.0) as usize / TICK_MS as usize).min(shown.len());
    let pairs = (tick(from)..tick(from + seconds).saturating_sub(1)).map(|n| (n, shown[n], shown[n + 1]));
    pairs.filter(|(_, a, b)| a.zip(*b).is_none_or(|(a, b)| b != a + 1)).collect()
}

#[test]
fn numbers_are_read_and_damage_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let frames = decode(&tags(&film(folder.path(), 2)));
    assert_eq!(frames.iter().map(number).collect::<Vec<_>>(), (0..50).map(Some).collect::<Vec<_>>());
    let grey = codecs::PictureMut::filled(media::Size::new(160, 90), codecs::Yuv { y: 90, u: 128, v: 128 })
        .unwrap()
        .freeze();
    assert_eq!(number(&Frame { pts: frames[0].pts, picture: grey }), None);
    let shown: Vec<_> = [1, 2, 2, 2, 3, 4, 6].map(Some).to_vec();
    assert_eq!((stale_ms(&shown, 0.0, 9.0), seams(&shown, 0.0, 9.0).len()), (80, 3));
}

/// The line on air is killed, with everything as it is by default. A machine that is busy may starve
/// the sender that is left, before or after: what that one did not give is not held against us, and the
/// camera goes over in show time, which no load delays. `twenty_times` measures what is seen in all.
#[test]
fn a_killed_sender_is_hardly_noticed() {
    let mut truck = Truck::start("lost=400ms", 60);
    truck.wait_for_both();
    // A sender that began again to be in step has left its camera on the other line.
    truck.choose(0);
    let at = truck.harm(0, Harm::Kill);
    let handle = truck.live.engine.handle();
    wait_for(&handle, "the other line", |status| Truck::line_on_air(status) == Some("backpack"));
    let until = handle.status().t + 1.0;
    wait_for(&handle, "a second more", |status| status.t > until);
    let (shown, report) = truck.end();
    let stale = stale_ms(&shown, at, until - at);
    let told = |code: &str, subject: &str| {
        let is_it = |event: &&engine::Event| event.code == code && event.subject == subject && event.t >= at;
        report.events.iter().find(is_it).map(|event| event.t)
    };
    let over = told("failover", "main").unwrap_or_else(|| panic!("{:#?}", report.events));
    // The line that was left stood still for `lost` at the most, and both of them not much longer
    // unless the other was lost as well.
    let stood = stale_ms(&shown, at, over - at);
    println!(
        "stood for {stood} ms, stale for {stale} ms in all, {:?}, {} late ticks",
        seams(&shown, at, until - at),
        report.channels[0].late_ticks
    );
    let is_alone = told("line-lost", "main/backpack").is_some_and(|lost| lost <= over);
    assert!(stood <= 480 || is_alone, "{stood} ms: {:#?}", report.events);
    assert!(shown.iter().flatten().count() > 25);
}

/// Each harm to each sender in turn, twenty times and more: figures.
#[test]
#[ignore = "takes minutes, and a machine that is not busy: `cargo test -p engine --test it -- --ignored --nocapture twenty_times`"]
fn twenty_times() {
    let rounds: usize = std::env::var("OBVAN_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(24);
    let failover = std::env::var("OBVAN_FAILOVER").unwrap_or_default();
    let mut truck = Truck::start(&format!("lost=400ms {failover}"), 60 + rounds * 15);
    let handle = truck.live.engine.handle();
    let mut harmed = Vec::new();
    for round in 0..rounds {
        let (line, harm) = (round % 2, [Harm::Kill, Harm::Stop, Harm::Corrupt][round / 2 % 3]);
        truck.wait_for_both_live();
        truck.choose(line);
        std::thread::sleep(Duration::from_millis(1500));
        let at = truck.harm(line, harm);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(2500) {
            std::thread::sleep(Duration::from_millis(20));
        }
        harmed.push((at, line, harm));
        truck.send(line);
        handle.command(Command::line("main", None)).unwrap();
    }
    truck.wait_for_both_live();
    let (shown, report) = truck.end();
    let mut worst: BTreeMap<(Harm, &str), Vec<(i64, usize)>> = BTreeMap::new();
    for (at, line, harm) in harmed {
        let found = (stale_ms(&shown, at, 2.4), seams(&shown, at, 2.4).len());
        worst.entry((harm, LINES[line])).or_default().push(found);
    }
    for event in &report.events {
        println!("{:.3} {} {}: {}", event.t, event.code, event.subject, event.message);
    }
    for ((harm, line), found) in &worst {
        println!("{harm:?} {line}: stale ms and seams {found:?}");
    }
    println!("{} frames, {} late ticks", report.channels[0].frames, report.channels[0].late_ticks);
    let most = worst.values().flatten().map(|(stale, _)| *stale).max().unwrap();
    assert!(most <= 500, "stale for {most} ms");
}
