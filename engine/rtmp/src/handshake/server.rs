//! The server's half of the handshake.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::digest::{self, Signer};
use super::{BLOCK, Filling, Handshake, HandshakeError, RANDOM, VERSION, own_block};

/// Bytes 4 to 8 of an S1 with a digest. Players check digests only from a
/// server of version 3 or more.
const SERVER_VERSION: [u8; 4] = [4, 5, 0, 1];

/// Waits for C0 and C1, answers with S0, S1 and S2, waits for C2.
#[derive(Debug)]
pub struct ServerHandshake {
    random: Box<[u8; RANDOM]>,
    state: State,
    received: u64,
}

#[derive(Debug)]
enum State {
    C0,
    C1(Filling),
    C2 { missing: usize },
    Done,
}

impl ServerHandshake {
    /// `random` goes into S1; the protocol needs it to differ from connection
    /// to connection, not to be secret.
    pub fn new(random: [u8; RANDOM]) -> Self {
        Self { random: Box::new(random), state: State::C0, received: 0 }
    }

    /// Whether C2 has come: the next byte is the first chunk's.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// How many of the client's bytes were taken; 3073 in the end.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Takes what it can use off the front of `input`, appends the answer to
    /// `out`. `clock` is the server's time in milliseconds, sent as S1's time.
    ///
    /// # Errors
    /// If the first byte is not version 3.
    pub fn read(&mut self, input: &mut Bytes, clock: u32, out: &mut BytesMut) -> Result<(), HandshakeError> {
        let before = input.len();
        let result = self.step(input, clock, out);
        self.received += (before - input.len()) as u64;
        result
    }

    fn step(&mut self, input: &mut Bytes, clock: u32, out: &mut BytesMut) -> Result<(), HandshakeError> {
        while !input.is_empty() {
            match &mut self.state {
                State::C0 => {
                    let got = input.get_u8();
                    if got != VERSION {
                        return Err(HandshakeError { got });
                    }
                    self.state = State::C1(Filling::new());
                }
                State::C1(block) => {
                    let Some(c1) = block.take(input) else { break };
                    out.reserve(1 + 2 * BLOCK);
                    out.put_u8(VERSION);
                    // A version in its bytes 4 to 8 announces a digest.
                    let announced = c1[4..8] != [0; 4];
                    match announced.then(|| digest::find(c1, Signer::Client)).flatten() {
                        Some((scheme, theirs)) => {
                            let mut s1 = own_block(clock, SERVER_VERSION, &self.random);
                            digest::sign(&mut s1, scheme, Signer::Server);
                            out.put_slice(&s1);
                            let mut s2 = own_block(clock, SERVER_VERSION, &self.random);
                            digest::sign_answer(&mut s2, &theirs, Signer::Server);
                            out.put_slice(&s2);
                        }
                        None => {
                            out.put_slice(&own_block(clock, [0; 4], &self.random));
                            // An exact echo: some clients compare all of it, also
                            // the four bytes where a time of reading may stand.
                            out.put_slice(c1);
                        }
                    }
                    self.state = State::C2 { missing: BLOCK };
                }
                State::C2 { missing } => {
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

impl Handshake for ServerHandshake {
    fn read(&mut self, input: &mut Bytes, clock: u32, out: &mut BytesMut) -> Result<(), HandshakeError> {
        self.read(input, clock, out)
    }

    fn is_done(&self) -> bool {
        self.is_done()
    }

    fn received(&self) -> u64 {
        self.received()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ClientHandshake, DigestScheme, Opening};
    use super::*;
    use proptest::prelude::*;

    fn client(version_bytes: [u8; 4]) -> Vec<u8> {
        let mut bytes = vec![3, 0, 0, 0, 9];
        bytes.extend(version_bytes);
        bytes.extend((0..RANDOM).map(|i| (i * 7) as u8));
        bytes
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_answer(
            cuts in prop::collection::vec(1usize..2000, 0..20),
            version in prop::sample::select(vec![[0; 4], [9, 0, 124, 2], [128, 0, 7, 2]]),
        ) {
            let mut sent = client(version);
            let c1 = sent[1..].to_vec();
            sent.extend([0x55; BLOCK]);
            sent.extend(b"chunks");
            let mut rest = Bytes::from(sent);

            let mut handshake = ServerHandshake::new([7; RANDOM]);
            let mut out = BytesMut::new();
            let mut left = Bytes::new();
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let mut part = rest.split_to(cut.min(rest.len()));
                handshake.read(&mut part, 0x0102_0304, &mut out).unwrap();
                if !part.is_empty() {
                    left = [left, part].concat().into();
                }
            }
            prop_assert!(handshake.is_done());
            prop_assert_eq!(handshake.received(), 3073);
            prop_assert_eq!(&left[..], &b"chunks"[..]);
            prop_assert_eq!(out.len(), 3073);
            prop_assert_eq!(&out[..9], &[3, 1, 2, 3, 4, 0, 0, 0, 0]);
            prop_assert_eq!(&out[9..1537], &[7; RANDOM]);
            prop_assert_eq!(&out[1537..], &c1[..]);
        }
    }

    #[test]
    fn another_version_is_refused_and_named() {
        let mut out = BytesMut::new();
        let mut input = Bytes::from_static(b"GET / HTTP/1.1");
        let err = ServerHandshake::new([0; RANDOM]).read(&mut input, 0, &mut out).unwrap_err();
        assert_eq!(err.to_string(), "byte 0 asks for RTMP version 71; legal is 3 (this is HTTP)");
        let mut greeting = Bytes::from_static(b"\x16\x03\x01");
        let err = ServerHandshake::new([0; RANDOM]).read(&mut greeting, 0, &mut out).unwrap_err();
        let told = "byte 0 asks for RTMP version 22; legal is 3 (this is TLS, as rtmps:// speaks it)";
        assert_eq!(err.to_string(), told);
        assert!(out.is_empty());
    }

    #[test]
    fn a_digest_is_answered_with_digests() {
        for opening in
            [Opening::Simple, Opening::Digest(DigestScheme::Zero), Opening::Digest(DigestScheme::One)]
        {
            let (mut to_server, mut to_client) = (BytesMut::new(), BytesMut::new());
            let mut client = ClientHandshake::new([3; RANDOM], opening, 5, &mut to_server);
            let mut server = ServerHandshake::new([9; RANDOM]);
            let c1: [u8; BLOCK] = to_server[1..].try_into().unwrap();
            server.read(&mut to_server.split().freeze(), 6, &mut to_client).unwrap();
            let said = to_client.split().freeze();
            let s1: [u8; BLOCK] = said[1..=BLOCK].try_into().unwrap();
            let s2: [u8; BLOCK] = said[1 + BLOCK..].try_into().unwrap();
            client.read(&mut said.clone(), &mut to_server).unwrap();
            let c2: [u8; BLOCK] = to_server[..].try_into().unwrap();
            match opening {
                Opening::Simple => assert_eq!((s2, c2), (c1, s1)),
                Opening::Digest(scheme) => {
                    let (at, own) = digest::find(&s1, Signer::Server).unwrap();
                    assert_eq!(at, scheme);
                    let (_, theirs) = digest::find(&c1, Signer::Client).unwrap();
                    let (mut wanted_s2, mut wanted_c2) = (s2, c2);
                    digest::sign_answer(&mut wanted_s2, &theirs, Signer::Server);
                    digest::sign_answer(&mut wanted_c2, &own, Signer::Client);
                    assert_eq!((s2, c2), (wanted_s2, wanted_c2));
                }
            }
            server.read(&mut to_server.split().freeze(), 6, &mut to_client).unwrap();
            assert!(client.is_done() && server.is_done());
            assert_eq!((client.received(), server.received()), (3073, 3073));
        }
    }
}
