//! Writes the seeds: `cargo run --example seeds [FILE.flv…]` in this folder.
//!
//! From what is in the repository already (a file of ffmpeg's, and what ffmpeg, GStreamer
//! and librtmp sent to a server) and the files named. Encrypted ones have a new salt each time.

use std::error::Error;
use std::fs;
use std::path::Path;

use arbitrary::Unstructured;
use bytes::{Bytes, BytesMut};
use crypto::{KeyId, Mode, Sound, TagEncryptor, Transcoder, UnknownBody};
use flv::amf0::Value;
use flv::nalu::LengthSize;
use flv::{FlvMillis, Item, Tag, TagKind, TagReader};
use harness::key;
use harness::ops::{self, Op};
use media::Time;
use rtmp::chunk::{ChunkWriter, Csid};
use rtmp::message::{Command, Message, MessageStreamId, UserControl};
use rtmp::session::{Intent, PlayEnd, PlayKind};
use rtmp::{ClientConfig, ClientSession, Event, RtmpUrl, ServerConfig, ServerSession};

const BARS: &[u8] = include_bytes!("../../flv/tests/data/bars.flv");
const CAPTURES: [(&str, &[u8]); 3] = [
    ("ffmpeg", include_bytes!("../../engine/rtmp/tests/captures/ffmpeg.rtmp")),
    ("rtmp2sink", include_bytes!("../../engine/rtmp/tests/captures/rtmp2sink.rtmp")),
    ("librtmp", include_bytes!("../../engine/rtmp/tests/captures/librtmp.rtmp")),
];
/// C0, C1 and C2.
const HANDSHAKE: usize = 1 + 2 * 1536;

fn main() -> Result<(), Box<dyn Error>> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let mut films = vec![("bars".to_owned(), Bytes::from_static(BARS))];
    for name in &named {
        let stem = Path::new(name).file_stem().ok_or("a file has a name")?;
        films.push((stem.to_string_lossy().into_owned(), fs::read(name)?.into()));
    }
    for (name, film) in &films {
        // A beginning with both sequence headers, a key frame and some more.
        let film = head(film, 16)?;
        seed("tag_reader", name, &[&[0, 40], &film[..]])?;
        seed("tag_reader", &format!("{name}-bare"), &[&[1, 2], &film[flv::FILE_HEADER_LEN..]])?;
        let mut torn = film.to_vec();
        torn[film.len() / 3] ^= 0xff;
        seed("tag_reader", &format!("{name}-torn"), &[&[4, 9], &torn])?;
        seed("decrypt_garbage", &format!("{name}-clear"), &[&[0, 33], &film])?;
        for (mode, sound, word) in [
            (Mode::Nalu, Sound::Noise, "nalu"),
            (Mode::Capsule, Sound::Noise, "capsule"),
            (Mode::Nalu, Sound::Silence, "silence"),
        ] {
            seed("decrypt_garbage", &format!("{name}-{word}"), &[&[1, 20], &encrypt(&film, mode, sound)?])?;
        }
        seed("encrypt_decrypt", name, &[&[0], &run(&film)?])?;
        seed("encrypt_decrypt", &format!("{name}-capsule"), &[&[3], &run(&film)?])?;
        seed("encrypt_decrypt", &format!("{name}-silence"), &[&[4], &run(&film)?])?;
        for tag in tags(&film)?.iter().filter(|tag| tag.kind == TagKind::Script) {
            seed("amf0", &format!("{name}-metadata"), &[tag.body()])?;
        }
    }
    let frames = frames();
    seed("encrypt_decrypt", "frames", &[&[0], &frames])?;
    seed("decrypt_garbage", "frames", &[&[0, 25], &encrypt(&film_of(&frames)?, Mode::Nalu, Sound::Noise)?])?;
    let tracks = bodies_of_tracks();
    for (name, flags) in [("tracks", 2), ("tracks-capsule", 3), ("tracks-silence", 6)] {
        seed("encrypt_decrypt", name, &[&[flags], &tracks])?;
    }
    let tracks = encrypt(&film_of(&tracks)?, Mode::Nalu, Sound::Noise)?;
    seed("decrypt_garbage", "tracks", &[&[0, 25], &tracks])?;
    // Torn in a table.
    let mut torn = tracks.to_vec();
    torn[flv::FILE_HEADER_LEN + flv::TAG_HEADER_LEN + 9] ^= 0x40;
    seed("decrypt_garbage", "tracks-torn", &[&[1, 9], &torn])?;
    seed("amf0", "values", &[VALUES])?;
    let (two, slow) = (two_streams()?, [1, 9, 3, 0x0b, 2, 1, 0x13, 7]);
    seed("rtmp_session", "two-streams", &[&[1, 50, 3, 3, 3, 3, 3, 3], &two])?;
    seed("rtmp_session", "two-streams-slow", &[&slow, &two])?;
    let player = player()?;
    seed("rtmp_session", "player", &[&[1, 50, 3, 3, 3, 3, 3, 3], &player])?;
    seed("rtmp_session", "player-asked", &[&[5, 9, 3, 3, 0x0b, 0x43, 7, 0x83], &player])?;
    for (name, flags, intent) in [("publishes", 1, Intent::Publish), ("plays", 5, Intent::Play)] {
        let said = server_says(intent)?;
        seed("rtmp_client", name, &[&[flags, 40, 3, 7, 3, 3, 7, 3], &said])?;
        seed("rtmp_client", &format!("{name}-slow"), &[&[flags + 2, 9, 0, 1, 0x12, 0x27, 3, 7], &said])?;
    }
    for (name, capture) in CAPTURES {
        let (greeting, sent) = capture.split_at(HANDSHAKE);
        // Commands, metadata, sequence headers and the first tags; then how it ends.
        let sent = [&sent[..3000], &sent[sent.len() - 300..]].concat();
        seed("rtmp_session", name, &[&[1, 50, 3, 3, 3, 3, 3, 3], &sent])?;
        seed("rtmp_session", &format!("{name}-slow"), &[&[3, 12, 0, 1, 0x12, 0x21, 3, 0x0f], &sent[..1500]])?;
        if name == "ffmpeg" {
            seed("rtmp_session", "handshake", &[&[0, 90, 3, 3, 3, 3, 3, 3], greeting, &sent[..600]])?;
        }
        for (at, _) in sent.windows(9).enumerate().filter(|(_, w)| *w == b"\x02\0\x07connec").take(1) {
            // One chunk of 128 bytes at most.
            seed("amf0", &format!("{name}-connect"), &[&sent[at..at + 100]])?;
        }
    }
    Ok(())
}

fn seed(target: &str, name: &str, parts: &[&[u8]]) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(name), parts.concat())?)
}

fn tags(film: &[u8]) -> Result<Vec<Tag>, Box<dyn Error>> {
    let mut reader = TagReader::new();
    reader.push_slice(film);
    let mut tags = Vec::new();
    while let Some(item) = reader.next()? {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// The header and the first tags.
fn head(film: &[u8], count: usize) -> Result<Bytes, Box<dyn Error>> {
    let mut out = BytesMut::from(&film[..flv::FILE_HEADER_LEN]);
    tags(film)?.iter().take(count).for_each(|tag| tag.write_into(&mut out));
    Ok(out.freeze())
}

fn encrypt(film: &Bytes, mode: Mode, sound: Sound) -> Result<Bytes, Box<dyn Error>> {
    let lock = TagEncryptor::new(key(1), KeyId(1), mode)?;
    let lock = lock.with_unknown_body(UnknownBody::PassClear).with_sound(sound);
    let mut work = Transcoder::encrypting(lock);
    work.push(film.clone())?;
    Ok(work.finish()?.0)
}

/// A publisher of two streams that ends one and begins it anew.
fn two_streams() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut sent = BytesMut::new();
    let mut chunks = ChunkWriter::new();
    let mut send = |csid, stream, at, message: Message| -> Result<(), Box<dyn Error>> {
        Ok(chunks.write(csid, &message.encode(MessageStreamId(stream), at)?, &mut sent)?)
    };
    let command = |name: &str, transaction, object, args| {
        Message::Command(Command { name: name.into(), transaction, object, args })
    };
    let publish = |name: &str| command("publish", 0.0, Value::Null, vec![name.into(), "live".into()]);
    let connect = Value::object([("app", Value::from("live")), ("tcUrl", Value::from("rtmp://host/live"))]);
    let (control, media) = (Csid::COMMAND, Csid::new(6)?);
    send(control, 0, 0, Message::WindowAckSize(500))?;
    send(control, 0, 0, command("connect", 1.0, connect, vec![]))?;
    send(control, 0, 0, command("releaseStream", 2.0, Value::Null, vec!["a".into()]))?;
    send(control, 0, 0, command("FCPublish", 3.0, Value::Null, vec!["a".into()]))?;
    for stream in [1, 2] {
        send(control, 0, 0, command("createStream", 4.0, Value::Null, vec![]))?;
        send(control, stream, 0, publish(if stream == 1 { "a?key=b" } else { "c" }))?;
    }
    let tag = |kind: u8, at: u8, body: &[u8]| {
        [&[kind, 0, 0, body.len() as u8, 0, 0, at, 0, 0, 0, 0], body, &[0, 0, 0, 11 + body.len() as u8]]
            .concat()
    };
    for at in 0..4 {
        send(media, 1, at * 40, Message::Video(Bytes::from_static(&[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 9])))?;
        send(media, 2, at * 40, Message::Audio(Bytes::from_static(&[0xaf, 1, 0x21])))?;
    }
    let aggregate = [tag(9, 9, &[0x27, 1, 0, 0, 0]), tag(8, 12, &[0xaf, 1, 0x21])].concat();
    send(media, 1, 200, Message::Aggregate(aggregate.into()))?;
    send(media, 2, 0xff_ffff + 5, Message::Audio(Bytes::from_static(&[0xaf, 1, 0x22])))?;
    send(control, 0, 0, Message::UserControl(UserControl::PingRequest(7)))?;
    send(control, 1, 0, command("FCUnpublish", 5.0, Value::Null, vec!["a".into()]))?;
    send(control, 1, 0, command("closeStream", 0.0, Value::Null, vec![]))?;
    send(control, 1, 0, publish("d"))?;
    send(control, 0, 0, command("deleteStream", 6.0, Value::Null, vec![2.0.into()]))?;
    Ok(sent.to_vec())
}

/// A player that pauses, mutes and asks for more.
fn player() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut sent = BytesMut::new();
    let mut chunks = ChunkWriter::new();
    let connect = Value::object([("app", Value::from("live")), ("objectEncoding", Value::from(0.0))]);
    let from = vec!["main?key=a".into(), (-1000.0).into()];
    for (stream, name, object, args) in [
        (0, "connect", connect, vec![]),
        (0, "createStream", Value::Null, vec![]),
        (1, "play", Value::Null, from),
        (1, "pause", Value::Null, vec![true.into(), 40.0.into()]),
        (1, "receiveAudio", Value::Null, vec![false.into()]),
        (1, "seek", Value::Null, vec![9.0.into()]),
        (1, "play", Value::Null, vec!["other".into(), 5.0.into(), 9.0.into(), false.into()]),
        (0, "deleteStream", Value::Null, vec![1.0.into()]),
    ] {
        let command = Message::Command(Command { name: name.into(), transaction: 1.0, object, args });
        chunks.write(Csid::COMMAND, &command.encode(MessageStreamId(stream), 0)?, &mut sent)?;
    }
    Ok(sent.to_vec())
}

/// What a server says to a client behind the handshake, some tags and the end included.
fn server_says(intent: Intent) -> Result<Vec<u8>, Box<dyn Error>> {
    let url: RtmpUrl = "rtmp://host/live/main?key=secret".parse()?;
    let mut client = ClientSession::new(ClientConfig::new(url, intent, [7; HANDSHAKE / 2 - 8]), Time::ZERO);
    let mut server = ServerSession::new(ServerConfig::new([9; HANDSHAKE / 2 - 8]), Time::ZERO);
    let mut said = Vec::new();
    for round in 0..12 {
        while let Some(mut bytes) = client.poll_output() {
            server.handle_input(&mut bytes, Time::ZERO)?;
        }
        while let Some(event) = server.poll_event() {
            match event {
                Event::PublishRequested(request) => drop(server.accept(request.request, Time::ZERO)?),
                Event::PlayRequested(request) => {
                    let stream = server.accept_play(request.request, PlayKind::Live, Time::ZERO)?;
                    for ms in [0, 20, 40] {
                        let sound = Bytes::from_static(&[0xaf, 1, 0x21, 0x10, 0x04, 0x60]);
                        server.send(stream, &Tag::new(TagKind::Audio, FlvMillis(ms), sound)?)?;
                    }
                    server.end_play(stream, PlayEnd::Complete, Time::ZERO)?;
                }
                _ => {}
            }
        }
        if round == 10 {
            server.dismiss("goodbye");
        }
        while let Some(mut bytes) = server.poll_output() {
            said.extend_from_slice(&bytes);
            // A publisher takes the farewell for a refusal, which it is.
            if let Err(err) = client.handle_input(&mut bytes, Time::ZERO)
                && round < 10
            {
                return Err(err.into());
            }
        }
    }
    Ok(said.split_off(HANDSHAKE))
}

/// One value of each kind, in an object and by itself.
const VALUES: &[u8] =
    b"\x03\0\x01a\0\x40\x09\0\0\0\0\0\0\0\x01b\x01\x01\0\x01c\x08\0\0\0\x01\0\x01d\x05\0\0\x09\0\0\x09\
    \x0a\0\0\0\x02\x06\x02\0\x02hi\x0b\x42\x70\0\0\0\0\0\0\0\0\x0c\0\0\0\x01x";

/// The tags of a run without switches.
fn film_of(run: &[u8]) -> Result<Bytes, Box<dyn Error>> {
    let mut out = BytesMut::new();
    flv::write_file_header(&mut out, flv::Tracks::Video);
    let mut size = LengthSize::Four;
    let mut steps = Unstructured::new(run);
    while !steps.is_empty() {
        let (kind, body) = match steps.arbitrary()? {
            Op::Sequence(form, new) => {
                size = new;
                (TagKind::Video, form.sequence(new))
            }
            Op::Frame { form, flags, units } => (TagKind::Video, form.frame(flags, &units, size)),
            Op::Tracks { flags, layout, tracks } => ops::tracks(flags, layout, &tracks, LengthSize::Four),
            other => return Err(format!("{other:?} is no tag").into()),
        };
        Tag::new(kind, FlvMillis(0), body.into())?.write_into(&mut out);
    }
    Ok(out.freeze())
}

/// A run (see `harness::ops`) that encrypts these tags, switching and rotating.
fn run(film: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut out = Vec::new();
    for (number, tag) in tags(film)?.iter().enumerate() {
        match number {
            7 => out.extend_from_slice(&[7, 2]),
            9 => out.push(5),
            // Off: what was encrypted before looks forged, and is marked.
            10 => out.extend_from_slice(&[4, 1, 0, 0, 0]),
            12 => out.push(6),
            14 => out.extend_from_slice(&[4, 3, 9, 0, 1]),
            _ => {}
        }
        let kind = match tag.kind {
            TagKind::Audio => 0,
            TagKind::Video => 1,
            TagKind::Script => 2,
        };
        out.extend_from_slice(&[3, kind]);
        out.extend_from_slice(&u16::try_from(tag.body().len())?.to_le_bytes());
        out.extend_from_slice(tag.body());
    }
    Ok(out)
}

/// A run with each form of video in each length size, and slices that need escapes.
fn frames() -> Vec<u8> {
    let mut out = Vec::new();
    for form in 0..4 {
        let (idr, delta, sei) = if form == 1 || form == 2 { (0x26, 0x02, 0x4e) } else { (0x65, 0x41, 0x06) };
        for size in [0, 1, 3] {
            out.extend_from_slice(&[0, form, size]);
            let len = if size == 0 { [180, 0] } else { [88, 2] };
            out.extend_from_slice(&[1, form, 1 + size, 4]);
            for (first, len, given) in [
                (sei, [5, 0], &[5u8, 1, 0xaa][..]),
                (idr, len, &[0, 0, 1]),
                (delta, [34, 0], &[0]),
                (delta, [99, 0], &[0, 5, 0]),
            ] {
                out.extend_from_slice(&[first, len[0], len[1], given.len() as u8]);
                out.extend_from_slice(given);
            }
        }
    }
    out
}

/// A run of bodies of tracks in each layout, with composition times, behind modifiers, of codecs
/// without a rule; and of sound.
fn bodies_of_tracks() -> Vec<u8> {
    let mut out = Vec::new();
    for layout in 0..3u8 {
        for flags in [1, 2, 5, 7] {
            out.extend_from_slice(&[8, flags, layout]);
            let count = if layout == 0 { 1 } else { 3 };
            out.extend((layout > 0).then_some(count));
            for track in 0..count {
                // The last one of many codecs is AV1, once.
                let codec = if layout == 2 && track == 2 && flags == 5 { 3 } else { track };
                let slice = if codec % 2 == 1 { 0x26 } else { 0x65 };
                out.extend_from_slice(&[track, codec, 2]);
                out.extend_from_slice(&[slice, 60 + track, 0, 3, 0, 0, 1]);
                out.extend_from_slice(&[slice, 20, 0, 1, 7]);
            }
        }
        out.extend_from_slice(&[8, 8, layout]);
        out.extend((layout > 0).then_some(2));
        for track in 0..if layout == 0 { 1 } else { 2 } {
            out.extend_from_slice(&[track, 0, 5, 0, 0x21, 0x10, 4, 0x60, track]);
        }
    }
    out
}
