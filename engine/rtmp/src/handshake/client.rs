//! The client's half of the handshake.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::digest::{self, Signer};
use super::{BLOCK, DigestScheme, Filling, Handshake, HandshakeError, RANDOM, VERSION, own_block};

/// Bytes 4 to 8 of a C1 with a digest: the Flash Player that FFmpeg claims too.
const FLASH_VERSION: [u8; 4] = [9, 0, 124, 2];

/// How a client opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Opening {
    /// As specified: every server understands it but a few of the Flash era.
    #[default]
    Simple,
    /// With a digest, for servers that want one. Others echo it like anything else.
    Digest(DigestScheme),
}

/// Sends C0 and C1, waits for S0, S1 and S2, and answers with C2.
#[derive(Debug)]
pub struct ClientHandshake {
    state: State,
    received: u64,
}

#[derive(Debug)]
enum State {
    S0 { random: Box<[u8; RANDOM]>, opening: Opening },
    S1 { random: Box<[u8; RANDOM]>, opening: Opening, block: Filling },
    S2 { missing: usize },
    Done,
}

impl ClientHandshake {
    /// Appends C0 and C1 to `out`. `random` need not be secret; `clock` is the
    /// client's time in milliseconds.
    pub fn new(random: [u8; RANDOM], opening: Opening, clock: u32, out: &mut BytesMut) -> Self {
        let c1 = match opening {
            Opening::Simple => own_block(clock, [0; 4], &random),
            Opening::Digest(scheme) => {
                let mut block = own_block(clock, FLASH_VERSION, &random);
                digest::sign(&mut block, scheme, Signer::Client);
                block
            }
        };
        out.put_u8(VERSION);
        out.put_slice(&c1);
        Self { state: State::S0 { random: Box::new(random), opening }, received: 0 }
    }

    /// Whether S2 has come: the next byte is the first chunk's.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// How many of the server's bytes were taken; 3073 in the end.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Takes what it can use off the front of `input`, appends the answer to `out`.
    ///
    /// # Errors
    /// If the first byte is not version 3.
    pub fn read(&mut self, input: &mut Bytes, out: &mut BytesMut) -> Result<(), HandshakeError> {
        let before = input.len();
        let result = self.step(input, out);
        self.received += (before - input.len()) as u64;
        result
    }

    fn step(&mut self, input: &mut Bytes, out: &mut BytesMut) -> Result<(), HandshakeError> {
        while !input.is_empty() {
            match &mut self.state {
                State::S0 { random, opening } => {
                    let got = input.get_u8();
                    if got != VERSION {
                        return Err(HandshakeError { got });
                    }
                    let random = std::mem::replace(random, Box::new([0; RANDOM]));
                    self.state = State::S1 { random, opening: *opening, block: Filling::new() };
                }
                State::S1 { random, opening, block } => {
                    let Some(s1) = block.take(input) else { break };
                    let theirs = match opening {
                        Opening::Simple => None,
                        Opening::Digest(_) => digest::find(s1, Signer::Server),
                    };
                    match theirs {
                        Some((_, theirs)) => {
                            let mut c2 = own_block(0, FLASH_VERSION, random);
                            digest::sign_answer(&mut c2, &theirs, Signer::Client);
                            out.put_slice(&c2);
                        }
                        None => out.put_slice(s1),
                    }
                    self.state = State::S2 { missing: BLOCK };
                }
                State::S2 { missing } => {
                    let taken = input.len().min(*missing);
                    input.advance(taken);
                    *missing -= taken;
                    if *missing == 0 {
                        self.state = State::Done;
                    }
                }
                State::Done => break,
            }
        }
        Ok(())
    }
}

impl Handshake for ClientHandshake {
    fn read(&mut self, input: &mut Bytes, _clock: u32, out: &mut BytesMut) -> Result<(), HandshakeError> {
        self.read(input, out)
    }

    fn is_done(&self) -> bool {
        self.is_done()
    }

    fn received(&self) -> u64 {
        self.received()
    }
}
