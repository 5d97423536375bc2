//! A show inside somebody else's program: their runtime, their threads.

use std::net::TcpListener;
use std::sync::Arc;

use codecs::Fake;
use engine::{Command, Engine, Mode, RunOptions};

use crate::support::show;

fn options(out: &tempfile::TempDir) -> RunOptions {
    let (inputs, out) = (out.path().to_owned(), out.path().to_owned());
    RunOptions { inputs, out, kit: Arc::new(Fake::new()), ..RunOptions::new(Mode::RealTime) }
}

fn pushed(channel: &str) -> String {
    format!(
        r#"
show "inside" {{
  video 64x36 25fps
  audio 48kHz stereo
  camera main {{ line fiber push "rtmp:live/main" }}
  camera bars {{ line gen test "bars" }}
  ladder one {{ keyframe 1s; audio 64k; rung small 64x36 100k }}
  channel program {{ {channel} ladder one; egress web serve http-flv }}
}}"#
    )
}

/// In a process of its own: what other tests start has, until it is the program it shall be, a copy of
/// every socket that is open here, and a port is not free as long as anybody has it.
#[test]
fn a_show_with_a_push_line_starts_and_ends_inside_a_runtime() {
    crate::alone::test("embedding::ports_are_free_when_their_show_is_over");
}

#[test]
#[ignore = "run by the one above, alone"]
fn ports_are_free_when_their_show_is_over() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut show = show(&pushed("sources main bars;"));
    show.listen.rtmp.set_port(0);
    runtime.block_on(async {
        let engine = Engine::start(show.clone(), options(&out)).unwrap();
        show.listen.rtmp = engine.rtmp_addr().unwrap();
        std::net::TcpStream::connect(show.listen.rtmp).unwrap();
        drop(engine);
        // The port is free again at once.
        let again = Engine::start(show.clone(), options(&out)).unwrap();
        again.handle().stop();
        again.wait();
        // A port that is taken is an error, not a panic.
        let _taken = TcpListener::bind(show.listen.rtmp).unwrap();
        assert!(Engine::start(show.clone(), options(&out)).is_err());
    });
}

/// A client that retries before the answer came must not have its command carried out twice:
/// a second `mix` would be turned down while the first is under way.
#[test]
fn the_same_id_twice_within_a_tick_is_one_command() {
    let out = tempfile::tempdir().unwrap();
    let text = r#"
show "slow" {
  video 64x36 2fps
  audio 48kHz stereo
  camera a { line gen test "bars" }
  camera b { line gen test "color:blue" }
  ladder one { keyframe 1s; audio 64k; rung small 64x36 100k }
  channel program { sources a b; ladder one; egress web serve http-flv }
}"#;
    let engine = Engine::start(show(text), options(&out)).unwrap();
    let command: Command =
        serde_json::from_str(r#"{"id":"7","do":"mix","source":"b","over_ms":5000}"#).unwrap();
    let ask = || {
        let (handle, command) = (engine.handle(), command.clone());
        std::thread::spawn(move || handle.command(command))
    };
    let asked = [ask(), ask(), ask()];
    let answers = asked.map(|thread| thread.join().unwrap());
    assert!(answers[0].is_ok(), "{answers:?}");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    // An id that nobody could remember is turned down.
    let long = Command { id: Some("x".repeat(129)), ..Command::cut("a") };
    assert_eq!(engine.handle().command(long).unwrap_err().code, "bad-id");
}

/// A page draws from the status alone what runs: which way out is clear, and a mix until it is over.
#[test]
fn the_status_tells_clear_ways_out_and_a_mix_while_it_runs() {
    let out = tempfile::tempdir().unwrap();
    engine::key_file::create(&out.path().join("a.key")).unwrap();
    let text = r#"
show "mixed" {
  video 64x36 25fps
  audio 48kHz stereo
  camera a { line gen test "bars" }
  camera b { line gen test "color:blue" }
  key ring { id 7 file="a.key" }
  ladder one { keyframe 1s; audio 64k; rung small 64x36 100k }
  channel program {
    sources a b; ladder one; encrypt ring
    egress web serve http-flv
    egress safe record "safe.flv" clear=true
  }
}"#;
    // The limit only keeps a broken engine from hanging the test.
    let options = RunOptions { limit: Some(media::Span::from_secs(20)), ..options(&out) };
    let engine = Engine::start(show(text), options).unwrap();
    let (status, mut deltas) = engine.handle().subscribe();
    let channel = &status.channels[0];
    let ways: Vec<_> = channel.egress.iter().map(|e| (e.name.as_str(), e.clear)).collect();
    assert_eq!((ways, &channel.mix), (vec![("web", false), ("safe", true)], &None));
    let mut next = |cause: &str| loop {
        let delta = deltas.blocking_recv().unwrap();
        if delta.cause == cause {
            return delta.channels[0].clone();
        }
    };
    if channel.on_air.is_none() {
        next("start");
    }
    let command = serde_json::from_str(r#"{"do":"mix","source":"b","over_ms":200}"#).unwrap();
    let began = engine.handle().command(command).unwrap().frame;
    let mix = engine::MixStatus {
        from: Some("a".to_owned()),
        to: "b".to_owned(),
        how: "mix".to_owned(),
        until_frame: began + 5,
    };
    let mixing = next("mix");
    assert_eq!((mixing.mix, mixing.key_id, mixing.since_frame), (Some(mix), Some(7), began));
    let mixed = next("mix-over");
    assert_eq!((mixed.mix, mixed.on_air.as_deref(), mixed.since_frame), (None, Some("b"), began));
    // Written before there were these fields, it is still a status.
    let mut old = serde_json::to_value(&status).unwrap();
    old["channels"][0].as_object_mut().unwrap().remove("mix");
    old["channels"][0]["egress"][0].as_object_mut().unwrap().remove("clear");
    assert_eq!(serde_json::from_value::<engine::Status>(old).unwrap(), status);
}

/// Serves a show's routes on a port of its own.
pub(crate) fn serve(engine: &Engine) -> (tokio::runtime::Runtime, String) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = engine::http::routes(engine.handle());
    runtime.spawn(async move { axum::serve(listener, routes).await });
    (runtime, url)
}

#[test]
fn a_command_has_a_longest_length_and_the_events_end_with_the_show() {
    let out = tempfile::tempdir().unwrap();
    let mut show = show(&pushed("sources main bars;"));
    show.listen.rtmp.set_port(0);
    let engine = Engine::start(show, options(&out)).unwrap();
    let (_runtime, url) = serve(&engine);
    let file = out.path().join("long.json");
    let post = |body: &str| {
        std::fs::write(&file, body).unwrap();
        let (data, url) = (format!("@{}", file.display()), format!("{url}/api/command"));
        let args = ["-sS", "--max-time", "20", "-w", "%{http_code}", "--data-binary", &data, &url];
        let output = std::process::Command::new("curl").args(args).output().unwrap();
        let answer = String::from_utf8(output.stdout).unwrap();
        let (json, code) = answer.split_at(answer.len() - 3);
        (code.to_owned(), serde_json::from_str::<engine::Refused>(json).unwrap())
    };
    let (code, refused) = post(&format!(r#"{{"do":"cut","source":"{}"}}"#, "x".repeat(16 << 10)));
    assert_eq!((code.as_str(), refused.code.as_str()), ("413", "too-large"));
    assert_eq!(refused.legal, ["at most 16 KiB"]);
    // A show file may be longer, but not without end.
    let file = |length| format!(r#"{{"do":"reload","file":"{}"}}"#, "x".repeat(length));
    let (code, refused) = post(&file(1040 << 10));
    assert_eq!((code.as_str(), refused.legal), ("413", vec!["at most 1040 KiB".to_owned()]));
    let (code, refused) = post(&file(400 << 10));
    assert_eq!((code.as_str(), refused.code.as_str()), ("400", "bad-show"));
    let (code, refused) = post(&format!(r#"{{"id":"{}","do":"cut","source":"bars"}}"#, "x".repeat(129)));
    assert_eq!((code.as_str(), refused.code.as_str()), ("400", "bad-id"));

    let mut events = std::process::Command::new("curl");
    let url = format!("{url}/api/events");
    events.args(["-sSN", "--max-time", "20", &url]).stdout(std::process::Stdio::piped());
    let mut events = events.spawn().unwrap();
    let mut read = std::io::BufReader::new(events.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut read, &mut line).unwrap();
    assert_eq!(line, "event: snapshot\n");
    engine.handle().stop();
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut read, &mut rest).unwrap();
    assert!(rest.contains(r#""cause":"end""#), "{rest}");
    assert!(events.wait().unwrap().success(), "the stream was cut off by the reader's patience");
    // Who comes after the end gets the show as it stands, and no heartbeats for ever.
    engine.wait();
    let late = std::process::Command::new("curl").args(["-sSN", "--max-time", "20", &url]).output().unwrap();
    let (said, whole) = (String::from_utf8(late.stdout).unwrap(), late.status.success());
    assert!(whole && said.starts_with("event: snapshot\n") && said.contains(r#""state":"closed""#), "{said}");
    assert_eq!(said.matches("event: ").count(), 1, "{said}");
}
