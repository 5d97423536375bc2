//! Real encoders publish over real sockets: FFmpeg, GStreamer's rtmp2sink and
//! librtmp (GStreamer's rtmpsink).

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flv::{Tag, TagKind};
use media::{Span, Time};
use rtmp::chunk::ChunkSize;
use rtmp::session::{EndReason, PublishRequest, Reject};
use rtmp::{Event, ServerConfig, ServerSession};

use crate::captures::check_avc;
use crate::client::config;

/// Far longer than anything here takes; past it the encoder is stopped.
const PATIENCE: &str = "60";

/// What a session saw of an encoder.
#[derive(Default)]
struct Seen {
    request: Option<PublishRequest>,
    tags: Vec<Tag>,
    end: Option<EndReason>,
}

fn serve(mut socket: TcpStream, config: ServerConfig, refuse: Option<Reject>) -> Seen {
    let started = Instant::now();
    let now = || Time::ZERO + Span::from_duration(started.elapsed());
    let mut session = ServerSession::new(config, now());
    let mut seen = Seen::default();
    let mut buffer = vec![0; 16 << 10];
    let mut input = Bytes::new();
    loop {
        session.handle_input(&mut input, now()).unwrap();
        while let Some(event) = session.poll_event() {
            match event {
                Event::PublishRequested(request) => {
                    match refuse {
                        Some(reason) => session.reject(request.request, reason).unwrap(),
                        None => _ = session.accept(request.request, now()).unwrap(),
                    }
                    seen.request = Some(*request);
                }
                Event::Tag { tag, .. } => seen.tags.push(tag),
                Event::PublishEnded { reason, .. } => seen.end = Some(reason),
                _ => {}
            }
        }
        while let Some(output) = session.poll_output() {
            // An encoder that is done does not wait for our last words; its own
            // may still be unread.
            socket.write_all(&output).ok();
        }
        if session.is_closed() {
            // Closing with bytes unread would take back what was just said.
            socket.shutdown(Shutdown::Write).ok();
            std::io::copy(&mut socket, &mut std::io::sink()).ok();
            return seen;
        }
        if input.is_empty() {
            let patience = session.next_deadline().map_or(Span::ZERO, |at| at - now());
            socket.set_read_timeout(Some(patience.as_duration().max(Duration::from_millis(1)))).unwrap();
            match socket.read(&mut buffer) {
                Ok(0) => session.handle_close(),
                Ok(read) => input = Bytes::copy_from_slice(&buffer[..read]),
                Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    session.handle_timeout(now()).unwrap();
                }
                Err(_) => session.handle_close(),
            }
        }
    }
}

/// Runs an encoder against a session. `arguments` gets the URL.
fn run(
    config: ServerConfig,
    refuse: Option<Reject>,
    program: &str,
    arguments: impl FnOnce(String) -> Vec<String>,
) -> (Seen, Output) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || serve(listener.accept().unwrap().0, config, refuse));
    let output = Command::new("timeout")
        .arg(PATIENCE)
        .arg(program)
        .args(arguments(format!("rtmp://{address}/live/main?key=a1b2")))
        .output()
        .unwrap();
    // If the encoder never came, somebody must, or the server waits for ever.
    drop(TcpStream::connect(address));
    (server.join().unwrap(), output)
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// Two seconds of picture and sound. `options` go before the URL.
fn ffmpeg(options: &str, url: String) -> Vec<String> {
    let inputs = "-nostdin -v error -f lavfi -i testsrc=s=160x120:r=25 -f lavfi -i sine=r=48000 -t 2";
    let codecs = "-c:v libx264 -preset ultrafast -threads 1 -g 10 -pix_fmt yuv420p -c:a aac -b:a 64k";
    [words(inputs), words(codecs), words(options), words("-f flv"), vec![url]].concat()
}

/// The same for GStreamer, into `sink`.
fn gstreamer(sink: &str, url: String) -> Vec<String> {
    let picture = "-q videotestsrc num-buffers=50 ! video/x-raw,width=160,height=120,framerate=25/1 \
        ! x264enc speed-preset=ultrafast tune=zerolatency key-int-max=10 ! flvmux streamable=true name=mux";
    let sound = "audiotestsrc num-buffers=94 ! audio/x-raw,rate=48000,channels=2 ! voaacenc ! mux.";
    let sink = [words("!"), words(sink), vec![format!("location={url}")]].concat();
    [words(picture), sink, words(sound)].concat()
}

/// What must be true of every publisher; `start` is its first timestamp.
fn check(seen: &Seen, output: &Output, start: u32, ends: &[EndReason]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let request = seen.request.as_ref().unwrap();
    assert_eq!((request.app.application(), request.name.name()), ("live", "main"));
    assert_eq!(request.name.key(), Some("a1b2"));

    let of = |kind| seen.tags.iter().filter(move |tag| tag.kind == kind);
    let script = of(TagKind::Script).next().unwrap();
    assert!(script.body().starts_with(b"\x02\0\x0aonMetaData"));
    let frames: Vec<_> = of(TagKind::Video).filter(|tag| tag.body()[1] == 1).collect();
    assert_eq!(frames.len(), 50);
    assert!(
        of(TagKind::Video).next().is_some_and(|tag| tag.body()[..2] == [0x17, 0]),
        "the avcC comes first"
    );
    assert!(
        of(TagKind::Audio).next().is_some_and(|tag| tag.body()[1] == 0),
        "so does the AudioSpecificConfig"
    );
    assert!(of(TagKind::Audio).count() > 90);
    for (number, frame) in frames.iter().enumerate() {
        check_avc(frame.body());
        // To the millisecond but for the encoder's delay, which shifts all alike.
        let step = frame.timestamp.since(frames[0].timestamp);
        assert!((step - number as i32 * 40).abs() <= 1, "frame {number} is {step} ms after the first");
    }
    let delay = frames[0].timestamp.0.abs_diff(start);
    assert!(delay < 200, "first frame at {}", frames[0].timestamp);
    assert!(seen.end.is_some_and(|end| ends.contains(&end)), "{:?}", seen.end);
}

#[test]
fn ffmpeg_publishes() {
    let (seen, output) = run(config(), None, "ffmpeg", |url| ffmpeg("", url));
    check(&seen, &output, 0, &[EndReason::Unpublished]);
}

#[test]
fn ffmpeg_publishes_beyond_24_bits_of_milliseconds_in_small_chunks() {
    // FFmpeg takes over the server's chunk size, so that frames have many
    // chunks, and the first frames' deltas need the extended timestamp.
    let config = ServerConfig { chunk_size: ChunkSize::INITIAL, ..config() };
    let (seen, output) = run(config, None, "ffmpeg", |url| ffmpeg("-output_ts_offset 16800", url));
    check(&seen, &output, 16_800_000, &[EndReason::Unpublished]);
}

#[test]
fn rtmp2sink_publishes() {
    let (seen, output) = run(config(), None, "gst-launch-1.0", |url| gstreamer("rtmp2sink", url));
    // It closes the connection right behind its farewell, which may get lost.
    check(&seen, &output, 0, &[EndReason::Unpublished, EndReason::Disconnected]);
}

#[test]
fn librtmp_publishes() {
    let (seen, output) = run(config(), None, "gst-launch-1.0", |url| gstreamer("rtmpsink", url));
    check(&seen, &output, 0, &[EndReason::Unpublished]);
}

#[test]
fn ffmpeg_is_told_that_the_name_is_taken() {
    let (seen, output) = run(config(), Some(Reject::NameTaken), "ffmpeg", |url| ffmpeg("", url));
    assert!(seen.tags.is_empty() && seen.request.is_some());
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("main: somebody publishes under this name already"), "{said}");
}

#[test]
fn rtmp2sink_is_told_that_the_name_is_unknown() {
    let reject = Some(Reject::NoSuchPoint);
    let (seen, output) = run(config(), reject, "gst-launch-1.0", |url| gstreamer("rtmp2sink", url));
    assert!(seen.tags.is_empty() && seen.request.is_some());
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("main: nothing here takes a stream of this name"), "{said}");
}
