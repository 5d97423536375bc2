//! Publishes an FLV file, in its own time or as fast as the network goes.
//!
//! `cargo run -p rtmp --example push -- FILE.flv rtmp://127.0.0.1/live/x [fast]`

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use flv::{Item, Tag, TagReader};
use media::{Span, Time};
use rtmp::session::Intent;
use rtmp::{ClientConfig, ClientEvent, ClientSession, RtmpUrl};

/// More than this on its way out, and the file waits.
const MOST_QUEUED: usize = 1 << 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: push FILE.flv rtmp://HOST/APP/STREAM [fast]";
    let (file, url) = (args.next().ok_or(usage)?, args.next().ok_or(usage)?);
    let fast = args.next().is_some();
    let mut reader = TagReader::new();
    reader.push(std::fs::read(file)?.into());
    let mut next_tag = move || -> Result<Option<Tag>, flv::ReadError> {
        loop {
            match reader.next()? {
                Some(Item::Tag(tag)) => return Ok(Some(tag)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    };

    let url: RtmpUrl = url.parse()?;
    let mut socket = TcpStream::connect((url.host(), url.port()))?;
    socket.set_nodelay(true)?;
    let begun = Instant::now();
    let now = || Time::ZERO + Span::from_duration(begun.elapsed());
    let mut session = ClientSession::new(ClientConfig::new(url, Intent::Publish, [0x42; 1528]), now());
    let mut buffer = vec![0; 16 << 10];
    let mut input = Bytes::new();
    let mut started = None;
    let mut tag = next_tag()?;
    while !session.is_closed() {
        session.handle_input(&mut input, now())?;
        while let Some(event) = session.poll_event() {
            println!("{event:?}");
            if event == ClientEvent::Started {
                started = Some(now());
            }
        }
        if let Some(started) = started {
            let due =
                |tag: &Tag| fast || Time::from_millis(tag.timestamp.0.into()) - Time::ZERO <= now() - started;
            while tag.as_ref().is_some_and(due) && session.output().len() < MOST_QUEUED {
                if let Some(due) = tag.take() {
                    session.send(&due)?;
                }
                tag = next_tag()?;
            }
            if tag.is_none() {
                session.finish();
            }
        }
        let output = session.output();
        while output.has_remaining() {
            let mut slices = [IoSlice::new(&[]); 32];
            let filled = output.chunks_vectored(&mut slices);
            let written = socket.write_vectored(&slices[..filled])?;
            output.advance(written);
        }
        // A millisecond's wait for the server is also the file's.
        socket.set_read_timeout(Some(Duration::from_millis(1)))?;
        match socket.read(&mut buffer) {
            Ok(0) => session.handle_close(),
            Ok(read) => input = Bytes::copy_from_slice(&buffer[..read]),
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                session.handle_timeout(now())?;
            }
            Err(err) => return Err(err.into()),
        }
    }
    // Closing with the server's last words unread may take back ours.
    socket.shutdown(std::net::Shutdown::Write)?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    while matches!(socket.read(&mut buffer), Ok(1..)) {}
    Ok(())
}
