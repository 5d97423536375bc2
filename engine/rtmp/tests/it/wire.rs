//! Sessions on real sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use media::{Span, Time};
use rtmp::{ClientEvent, ClientSession};

/// How long anything here may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What both kinds of sockets can do.
pub trait Wire: Read + Write {
    fn patience(&self, patience: Duration);
    fn shut_down_writing(&self);
}

impl Wire for TcpStream {
    fn patience(&self, patience: Duration) {
        self.set_read_timeout(Some(patience)).unwrap();
    }

    fn shut_down_writing(&self) {
        self.shutdown(std::net::Shutdown::Write).ok();
    }
}

impl Wire for UnixStream {
    fn patience(&self, patience: Duration) {
        self.set_read_timeout(Some(patience)).unwrap();
    }

    fn shut_down_writing(&self) {
        self.shutdown(std::net::Shutdown::Write).ok();
    }
}

/// A client session on a socket.
pub struct Client<W> {
    pub session: ClientSession,
    socket: W,
    begun: Instant,
    input: Bytes,
    buffer: Vec<u8>,
}

impl<W: Wire> Client<W> {
    pub fn new(config: rtmp::ClientConfig, socket: W) -> Self {
        Self {
            session: ClientSession::new(config, Time::ZERO),
            socket,
            begun: Instant::now(),
            input: Bytes::new(),
            buffer: vec![0; 64 << 10],
        }
    }

    pub fn now(&self) -> Time {
        Time::ZERO + Span::from_duration(self.begun.elapsed())
    }

    /// Writes with vectored writes all there is to write.
    pub fn flush(&mut self) -> std::io::Result<()> {
        let output = self.session.output();
        while output.has_remaining() {
            let mut io = [std::io::IoSlice::new(&[]); 64];
            let filled = output.chunks_vectored(&mut io);
            let written = self.socket.write_vectored(&io[..filled])?;
            output.advance(written);
        }
        Ok(())
    }

    /// Writes and reads until an event comes; none when the server has closed.
    pub fn event(&mut self) -> Option<ClientEvent> {
        loop {
            assert!(self.begun.elapsed() < PATIENCE, "nothing more came");
            self.flush().ok();
            let now = self.now();
            self.session.handle_input(&mut self.input, now).unwrap();
            if let Some(event) = self.session.poll_event() {
                return Some(event);
            }
            if self.session.is_closed() {
                return None;
            }
            self.session.handle_timeout(now).unwrap();
            if self.input.is_empty() {
                self.socket.patience(Duration::from_millis(50));
                match self.socket.read(&mut self.buffer) {
                    Ok(0) => self.session.handle_close(),
                    Ok(read) => self.input = Bytes::copy_from_slice(&self.buffer[..read]),
                    Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                    Err(_) => self.session.handle_close(),
                }
            }
        }
    }

    /// Up to the start.
    pub fn start(&mut self) {
        while self.event().expect("a start") != ClientEvent::Started {}
    }

    /// Says farewell and waits for the server to close.
    pub fn finish(mut self) {
        self.session.finish();
        self.flush().unwrap();
        self.socket.shut_down_writing();
        self.socket.patience(PATIENCE);
        std::io::copy(&mut self.socket, &mut std::io::sink()).ok();
    }
}
