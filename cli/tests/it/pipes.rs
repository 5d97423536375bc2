//! `encrypt`, `decrypt` and `probe` between real pipes: slow ones, closed ones, damaged streams, long streams.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fixtures::tags::Stream;
use flv::{Item, Tag, TagReader};

use crate::obvan::{Said, obvan_fed};
use crate::stream::{KEY, flv, tags};

/// The bound only keeps a broken command from hanging the test.
const PATIENCE: Duration = Duration::from_secs(30);
const VERBS: [&str; 3] = ["encrypt", "decrypt", "probe"];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    crate::keys::write(&folder.path().join("key.hex"), KEY, 0o600);
    folder
}

fn args(verb: &str) -> Vec<&str> {
    match verb {
        "probe" => vec!["probe", "-", "--format", "json"],
        verb => vec![verb, "-", "-", "--key-file", "key.hex"],
    }
}

/// What a command takes: a clear stream, or the same one sealed.
fn input(folder: &Path, verb: &str, clear: &[u8]) -> Vec<u8> {
    match verb {
        "decrypt" => obvan_fed(folder, &args("encrypt"), clear).exits(0).stdout,
        _ => clear.to_vec(),
    }
}

/// Where each tag of a stream begins, and its end.
fn starts(stream: &[u8]) -> Vec<usize> {
    let mut reader = TagReader::new();
    reader.push(stream.to_vec().into());
    let mut starts = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Tag(tag) = item {
            starts.push(reader.offset() as usize - tag.wire_len());
        }
    }
    starts.push(stream.len());
    starts
}

/// The tags of a command's output, decrypted: what was said of them by `probe` is their number.
fn count(folder: &Path, verb: &str, said: &Said) -> u64 {
    if verb == "probe" {
        return said.json()["tags"].as_u64().unwrap();
    }
    let clear = match verb {
        "encrypt" => obvan_fed(folder, &args("decrypt"), &said.stdout).exits(0).stdout,
        _ => said.stdout.clone(),
    };
    let sound = tags();
    let out = read_tags(&clear);
    assert!(out.iter().all(|tag| sound.contains(tag)), "{verb}: a tag came out that never went in");
    out.len() as u64
}

fn read_tags(stream: &[u8]) -> Vec<Tag> {
    let mut reader = TagReader::new();
    reader.push(stream.to_vec().into());
    let mut tags = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    assert_eq!(reader.finish(), flv::Ending::Whole);
    tags
}

#[test]
fn damage_is_recovered_at_the_next_tag_wherever_it_is() {
    let folder = folder();
    let all = tags().len() as u64;
    let garbage = [0xee; 1000];
    for verb in VERBS {
        let sound = input(folder.path(), verb, &flv());
        let starts = starts(&sound);
        let middle = starts[starts.len() / 2];
        let (front, back) = sound.split_at(middle);
        let mut long = sound.clone();
        long[middle + 1] = 0x7f;
        for (what, stream, tags, skipped) in [
            ("garbage before", [&garbage[..], &sound].concat(), all, 1013),
            ("garbage between", [front, &garbage, back].concat(), all, 1000),
            ("garbage after", [&sound[..], &garbage].concat(), all, 1000),
            ("no header", sound[13..].to_vec(), all, 0),
            ("a damaged length", long, all - 1, starts[starts.len() / 2 + 1] - middle),
            ("cut short", sound[..sound.len() - 10].to_vec(), all - 1, sound.len() - 10 - starts[74]),
        ] {
            let said = obvan_fed(folder.path(), &args(verb), &stream).exits(1);
            assert!(said.stderr.contains("warning: stdin: "), "{verb}, {what}: {}", said.stderr);
            assert_eq!(count(folder.path(), verb, &said), tags, "{verb}, {what}: {}", said.stderr);
            if verb == "probe" {
                let damage = &said.json()["damage"];
                assert_eq!(
                    (&damage["places"], &damage["skipped_bytes"]),
                    (&1.into(), &skipped.into()),
                    "{what}"
                );
            } else {
                let told = format!("error: stdin was damaged in 1 place(s); {skipped} bytes were skipped");
                assert!(said.stderr.contains(&told), "{verb}, {what}: {}", said.stderr);
            }
        }
        // Only the trailer is cut: the tag is all there.
        let said = obvan_fed(folder.path(), &args(verb), &sound[..sound.len() - 2]).exits(1);
        assert_eq!(count(folder.path(), verb, &said), all, "{verb}");
    }
}

#[test]
fn what_is_empty_or_no_flv_is_told() {
    let folder = folder();
    for verb in VERBS {
        let said = obvan_fed(folder.path(), &args(verb), b"").exits(1);
        assert!(said.stderr.contains("stdin: it is empty"), "{verb}: {}", said.stderr);
        let noise: Vec<u8> = (0..300_000u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        for (input, words) in [
            (&noise[..], "stdin is no FLV stream"),
            (b"FL", "are missing"),
            (b"hello", "stdin is no FLV stream"),
            (b"\0\0\0\x20ftypisom and so on", "it looks like MP4"),
        ] {
            let said = obvan_fed(folder.path(), &args(verb), input).exits(1);
            assert!(said.stderr.contains(words), "{verb}: {}", said.stderr);
            assert!(verb == "probe" || said.stdout.is_empty(), "{verb}");
        }
        if verb != "probe" {
            fs::write(folder.path().join("empty.flv"), "").unwrap();
            let args = [verb, "empty.flv", "out.flv", "--key-file", "key.hex"];
            crate::obvan::obvan(folder.path(), &args).exits(1);
            assert!(!folder.path().join("out.flv").exists(), "{verb}");
        }
    }
}

#[test]
fn a_stream_that_ends_in_its_file_header_is_told_once() {
    let folder = folder();
    let long = [&b"FLV\x01\x05\0\0\0\x0d"[..], &[0; 8]].concat();
    for verb in VERBS {
        for (header, cuts) in [(&flv()[..13], 1..13), (&long[..], 9..17)] {
            for cut in cuts {
                let said = obvan_fed(folder.path(), &args(verb), &header[..cut]).exits(1);
                let told = said.stderr.matches("are missing").count();
                assert_eq!(told, 1, "{verb}, {cut} bytes: {}", said.stderr);
            }
        }
    }
}

/// A command that runs between two pipes.
struct Running {
    child: Child,
    stdout: Option<JoinHandle<()>>,
    came: Receiver<Vec<u8>>,
}

impl Running {
    fn start(folder: &Path, verb: &str) -> Self {
        Self::start_from(folder, verb, Stdio::piped())
    }

    fn start_from(folder: &Path, verb: &str, stdin: Stdio) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_obvan"))
            .args(args(verb))
            .current_dir(folder)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, came) = channel();
        let mut pipe = child.stdout.take().unwrap();
        let stdout = Some(std::thread::spawn(move || {
            let mut piece = vec![0; 1 << 16];
            while let Ok(n @ 1..) = pipe.read(&mut piece) {
                if send.send(piece[..n].to_vec()).is_err() {
                    // Nobody wants more: the pipe is closed.
                    return;
                }
            }
        }));
        Self { child, stdout, came }
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Its exit code and what it said, once it has ended.
    fn ended(mut self) -> (Option<i32>, String) {
        drop(self.child.stdin.take());
        drop(self.came);
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let status = self.child.wait().unwrap();
        self.stdout.take().unwrap().join().unwrap();
        (status.code(), stderr)
    }

    /// The most memory it ever had resident, in MiB (`VmHWM` of proc(5)).
    fn peak_mib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }
}

#[test]
fn what_has_come_goes_out_before_more_is_waited_for() {
    let folder = folder();
    for verb in ["encrypt", "decrypt"] {
        let stream = input(folder.path(), verb, &flv());
        let starts = starts(&stream);
        let mut running = Running::start(folder.path(), verb);
        let (mut fed, mut reader, mut tags) = (0, TagReader::new(), 0);
        for upto in [3, 4, 20, 50, starts.len() - 1] {
            // In small pieces that have nothing to do with the tags.
            for piece in stream[fed..starts[upto]].chunks(97) {
                running.feed(piece);
            }
            fed = starts[upto];
            while tags < upto {
                let piece = running.came.recv_timeout(PATIENCE);
                let piece = piece.unwrap_or_else(|_| panic!("{verb}: {tags} tags of {upto} came out"));
                reader.push(piece.into());
                while let Some(item) = reader.next().unwrap() {
                    tags += usize::from(matches!(item, Item::Tag(_)));
                }
            }
        }
        let (code, said) = running.ended();
        assert_eq!(code, Some(0), "{said}");
    }
}

/// A stream that goes on, as a live one does, behind a tag whose length is damaged.
#[test]
fn a_damaged_length_holds_a_live_stream_back_for_moments_only() {
    let folder = folder();
    for verb in ["encrypt", "decrypt"] {
        let stream = input(folder.path(), verb, &flv());
        let starts = starts(&stream);
        let mut damaged = stream.clone();
        damaged[starts[20] + 1] = 0x7f;
        let mut running = Running::start(folder.path(), verb);
        running.feed(&damaged);
        let (mut reader, mut tags, mut fed) = (TagReader::new(), 0, starts.len() - 1);
        let begun = Instant::now();
        while tags < fed - 1 {
            assert!(begun.elapsed() < PATIENCE, "{verb}: {tags} tags of {fed} came out");
            match running.came.recv_timeout(Duration::from_millis(100)) {
                Ok(piece) => reader.push(piece.into()),
                // Nothing comes: the next tag does.
                Err(_) => {
                    running.feed(&stream[starts[70]..starts[71]]);
                    fed += 1;
                }
            }
            while let Some(item) = reader.next().unwrap() {
                tags += usize::from(matches!(item, Item::Tag(_)));
            }
        }
        let (code, said) = running.ended();
        let told = format!("FLV damaged at byte {}: the length of tag 20 takes in whole tags", starts[20]);
        assert!(code == Some(1) && said.contains(&told), "{verb}: {said}");
        let lost = format!("in 1 place(s); {} bytes were skipped", starts[21] - starts[20]);
        assert!(said.contains(&lost), "{verb}, {lost}: {said}");
    }
}

/// An error in mid-stream, which is no end: the other side of the socket goes without having read
/// what it was sent, so the system resets the connection.
#[test]
fn an_input_that_fails_is_told_with_its_place() {
    let folder = folder();
    for verb in ["encrypt", "decrypt"] {
        let stream = input(folder.path(), verb, &flv());
        let half = starts(&stream)[40];
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        theirs.write_all(b"never read").unwrap();
        let running = Running::start_from(folder.path(), verb, OwnedFd::from(theirs).into());
        ours.write_all(&stream[..half]).unwrap();
        let (mut reader, mut tags) = (TagReader::new(), 0);
        while tags < 40 {
            reader.push(running.came.recv_timeout(PATIENCE).unwrap().into());
            while let Some(item) = reader.next().unwrap() {
                tags += usize::from(matches!(item, Item::Tag(_)));
            }
        }
        ours.peek(&mut [0]).unwrap();
        drop(ours);
        let (code, said) = running.ended();
        let told = format!("reading stdin after byte {half}: ");
        assert!(code == Some(1) && said.contains(&told) && said.contains("reset"), "{verb}: {said}");
    }
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let folder = folder();
    for verb in ["encrypt", "decrypt"] {
        let stream = input(folder.path(), verb, &Stream::new(7).file(20_000));
        let mut running = Running::start(folder.path(), verb);
        running.feed(&stream);
        running.came.recv_timeout(PATIENCE).unwrap();
        let (nobody, came) = channel();
        drop(nobody);
        drop(std::mem::replace(&mut running.came, came));
        // It finds out when it next writes; until then it reads.
        let mut stdin = running.child.stdin.take().unwrap();
        let begun = Instant::now();
        while stdin.write_all(&stream[13..]).is_ok() {
            assert!(begun.elapsed() < PATIENCE, "{verb} goes on for nobody");
        }
        assert_eq!(running.ended(), (Some(0), String::new()), "{verb}");
    }
    // As a shell has it.
    fs::write(folder.path().join("in.flv"), Stream::new(7).file(20_000)).unwrap();
    let script = r#"set -o pipefail; "$0" encrypt in.flv - --key-file key.hex | head -c 1000 >head.flv"#;
    let mut bash = Command::new("bash");
    bash.args(["-c", script, env!("CARGO_BIN_EXE_obvan")]).current_dir(folder.path());
    let output = bash.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_long_stream_takes_no_more_memory_than_a_short_one() {
    const LENGTH: usize = 200 << 20;
    const LONG: usize = 1 << 30;
    let folder = folder();
    let clear = Stream::of_bitrate(1, 4_500_000).file(10_000);
    for verb in VERBS {
        let stream = input(folder.path(), verb, &clear);
        let mut running = Running::start(folder.path(), verb);
        running.feed(&stream);
        let mut fed = stream.len();
        let length = if verb == "encrypt" { LONG } else { LENGTH };
        while fed < length {
            running.feed(&stream[13..]);
            fed += stream.len() - 13;
            // What came out is counted by nobody.
            running.came.try_iter().for_each(drop);
        }
        // All but what fits into a pipe was read.
        let peak = running.peak_mib();
        assert!(peak < 64, "{verb}: {peak} MiB for {} MiB", fed >> 20);
        let (code, said) = running.ended();
        assert!(code == Some(0), "{verb}: {said}");
    }
}

/// What a command draws on a terminal until `words` are among it; then `go_on` lets it end.
fn on_a_terminal(folder: &Path, command: &str, words: &[&str], go_on: impl FnOnce()) -> String {
    let mut child = Command::new("script")
        .args(["-qefc", command, "/dev/null"])
        .current_dir(folder)
        .env("OBVAN", env!("CARGO_BIN_EXE_obvan"))
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut screen = child.stdout.take().unwrap();
    let (send, came) = channel();
    let reader = std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(n @ 1..) = screen.read(&mut piece) {
            let _ = send.send(String::from_utf8_lossy(&piece[..n]).into_owned());
        }
    });
    let mut drawn = String::new();
    while !words.iter().all(|word| drawn.contains(word)) {
        let more = came.recv_timeout(PATIENCE);
        drawn += &more.unwrap_or_else(|_| panic!("{words:?} are not among {drawn:?}"));
    }
    go_on();
    assert!(child.wait().unwrap().success(), "{drawn:?}");
    reader.join().unwrap();
    drawn + &came.try_iter().collect::<String>()
}

#[test]
fn progress_shows_on_a_terminal_only() {
    if !Path::new("/dev/pts/ptmx").exists() {
        eprintln!("SKIPPED: this system gives out no terminals");
        return;
    }
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("in.flv"), Stream::of_bitrate(1, 4_500_000).file(3000)).unwrap();
    for pipe in ["slow", "from"] {
        assert!(Command::new("mkfifo").arg(at(pipe)).status().unwrap().success());
    }
    // Nobody reads what it is to write: it waits, and knows how long its input is.
    let command = "\"$OBVAN\" encrypt in.flv slow --key-file key.hex";
    let slow = at("slow");
    let drawn = on_a_terminal(folder.path(), command, &["encrypting", "MiB", "/s ", " left"], || {
        std::thread::spawn(move || fs::read(slow).unwrap());
    });
    assert!(drawn.contains("tags encrypted"), "{drawn:?}");

    // Nobody knows how long this will be.
    for (args, doing) in
        [("decrypt from out.flv --key-file key.hex", "decrypting"), ("probe from", "probing")]
    {
        let mut from = fs::OpenOptions::new().read(true).write(true).open(at("from")).unwrap();
        from.write_all(&flv()).unwrap();
        let command = format!("\"$OBVAN\" {args}");
        let drawn = on_a_terminal(folder.path(), &command, &[doing, "KiB", "/s"], || drop(from));
        assert!(!drawn.contains("left"), "{drawn:?}");
    }
    // Where there is none, only the last word comes.
    let said = obvan_fed(folder.path(), &args("decrypt"), &flv()).exits(0);
    assert!(said.stderr.lines().count() == 1 && !said.stderr.contains('\u{1b}'), "{:?}", said.stderr);
}
