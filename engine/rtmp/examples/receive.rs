//! Takes one publisher and says what it sends.
//!
//! `cargo run -p rtmp --example receive -- 127.0.0.1:1935 [FILE]`, then publish
//! to `rtmp://127.0.0.1:1935/live/x`. With FILE, the client's bytes are written
//! there: so are the captures made that the tests read.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::{Span, Time};
use rtmp::{Event, ServerConfig, ServerSession};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let address = args.next().ok_or("usage: receive ADDRESS [FILE]")?;
    let mut capture = args.next().map(std::fs::File::create_new).transpose()?;

    let (mut socket, peer) = TcpListener::bind(address)?.accept()?;
    println!("{peer} connected");
    let started = Instant::now();
    let now = || Time::ZERO + Span::from_duration(started.elapsed());
    let mut session = ServerSession::new(ServerConfig::new([0x42; 1528]), now());
    let mut buffer = vec![0; 64 << 10];
    let mut input = Bytes::new();
    loop {
        let handled = session.handle_input(&mut input, now());
        while let Some(event) = session.poll_event() {
            match event {
                Event::PublishRequested(request) => {
                    println!("{request:#?}");
                    session.accept(request.request, now())?;
                }
                event => println!("{event:?}"),
            }
        }
        while let Some(output) = session.poll_output() {
            // A publisher that is done does not wait for our last words; its
            // own may still be unread.
            socket.write_all(&output).ok();
        }
        handled?;
        if session.is_closed() {
            return Ok(());
        }
        if input.is_empty() {
            let patience = session.next_deadline().map_or(Span::ZERO, |at| at - now());
            socket.set_read_timeout(Some(patience.as_duration().max(Duration::from_millis(1))))?;
            match socket.read(&mut buffer) {
                Ok(0) => session.handle_close(),
                Ok(read) => {
                    input = Bytes::copy_from_slice(&buffer[..read]);
                    if let Some(capture) = &mut capture {
                        capture.write_all(&input)?;
                    }
                }
                Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    session.handle_timeout(now())?;
                }
                Err(err) => return Err(err.into()),
            }
        }
    }
}
