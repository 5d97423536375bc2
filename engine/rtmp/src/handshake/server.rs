//! The server's half of the handshake.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{BLOCK, RANDOM, VERSION};

/// A first byte that is not RTMP in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte 0 asks for RTMP version {got}; legal is 3")]
pub struct HandshakeError {
    /// The version the client asked for; 6 is encrypted RTMP.
    pub got: u8,
}

/// Waits for C0 and C1, answers with S0, S1 and S2, waits for C2.
#[derive(Debug)]
pub struct ServerHandshake {
    random: [u8; RANDOM],
    state: State,
    received: u64,
}

#[derive(Debug)]
enum State {
    C0,
    C1(BytesMut),
    C2 { missing: usize },
    Done,
}

impl ServerHandshake {
    /// `random` goes into S1; the protocol needs it to differ from connection
    /// to connection, not to be secret.
    pub fn new(random: [u8; RANDOM]) -> Self {
        Self { random, state: State::C0, received: 0 }
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
                    self.state = State::C1(BytesMut::with_capacity(BLOCK));
                }
                State::C1(block) => {
                    let taken = input.len().min(BLOCK - block.len());
                    block.extend_from_slice(&input.split_to(taken));
                    if block.len() == BLOCK {
                        out.reserve(1 + 2 * BLOCK);
                        out.put_u8(VERSION);
                        out.put_u32(clock);
                        out.put_u32(0);
                        out.put_slice(&self.random);
                        // An exact echo: some clients compare all of it, also
                        // the four bytes where a time of reading may stand.
                        out.put_slice(block);
                        self.state = State::C2 { missing: BLOCK };
                    }
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

#[cfg(test)]
mod tests {
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
        assert_eq!(err.to_string(), "byte 0 asks for RTMP version 71; legal is 3");
        assert!(out.is_empty());
    }
}
