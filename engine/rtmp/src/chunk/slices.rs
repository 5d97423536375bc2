//! Bytes on their way out, payloads shared and not copied.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

/// From this length on a part of a payload is shared; a shorter one is cheaper
/// to copy than to name.
const SHARED_FROM: usize = 512;

/// What is to be sent, as slices in their order.
///
/// Headers and small messages are gathered; payloads are slices of the caller's
/// own buffers. It is a [`Buf`]: [`chunks_vectored`](Buf::chunks_vectored) fills
/// a vectored write, [`advance`](Buf::advance) takes off what was written.
#[derive(Debug, Default)]
pub struct Slices {
    whole: VecDeque<Bytes>,
    whole_len: usize,
    /// What comes behind them, still growing.
    tail: BytesMut,
}

impl Slices {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.whole_len + self.tail.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The room for small things, behind all there is.
    pub(crate) fn tail(&mut self) -> &mut BytesMut {
        &mut self.tail
    }

    /// Appends `part`: shared, or copied if it is short.
    pub fn push(&mut self, part: Bytes) {
        if part.len() < SHARED_FROM {
            self.tail.extend_from_slice(&part);
            return;
        }
        self.settle();
        self.whole_len += part.len();
        self.whole.push_back(part);
    }

    /// The first slice.
    pub fn pop(&mut self) -> Option<Bytes> {
        if self.whole.is_empty() {
            self.settle();
        }
        let first = self.whole.pop_front()?;
        self.whole_len -= first.len();
        Some(first)
    }

    fn settle(&mut self) {
        if !self.tail.is_empty() {
            let tail = self.tail.split().freeze();
            self.whole_len += tail.len();
            self.whole.push_back(tail);
        }
    }
}

impl Buf for Slices {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        self.whole.front().map_or(&self.tail, |first| first)
    }

    fn chunks_vectored<'a>(&'a self, to: &mut [IoSlice<'a>]) -> usize {
        let tail = Some(&self.tail[..]).filter(|tail| !tail.is_empty());
        let all = self.whole.iter().map(|part| &part[..]).chain(tail);
        let mut filled = 0;
        for (place, part) in to.iter_mut().zip(all) {
            *place = IoSlice::new(part);
            filled += 1;
        }
        filled
    }

    /// # Panics
    /// If there are fewer than `count` bytes, as [`Buf`] wants it.
    fn advance(&mut self, mut count: usize) {
        while let Some(first) = self.whole.front_mut() {
            if count < first.len() {
                first.advance(count);
                self.whole_len -= count;
                return;
            }
            count -= first.len();
            self.whole_len -= first.len();
            self.whole.pop_front();
        }
        self.tail.advance(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_is_lost_however_it_is_taken(
            parts in prop::collection::vec((0usize..1200, any::<bool>()), 0..20),
            takes in prop::collection::vec(prop::option::of(0usize..2000), 1..20),
        ) {
            let mut slices = Slices::new();
            let mut expected = Vec::new();
            for (number, &(length, small)) in parts.iter().enumerate() {
                let part = vec![number as u8; length];
                expected.extend(&part);
                if small { slices.tail().extend_from_slice(&part) } else { slices.push(part.into()) }
                prop_assert_eq!(slices.remaining(), expected.len());
            }
            let mut got = Vec::new();
            for take in takes.into_iter().cycle() {
                let mut io = [IoSlice::new(&[]); 64];
                let filled = slices.chunks_vectored(&mut io);
                let joined: Vec<u8> = io[..filled].iter().flat_map(|part| part.to_vec()).collect();
                prop_assert_eq!(&joined[..], &expected[got.len()..]);
                match take {
                    None => got.extend(slices.pop().unwrap_or_default()),
                    Some(count) => {
                        let count = count.min(slices.len());
                        got.extend(slices.copy_to_bytes(count));
                    }
                }
                prop_assert_eq!(slices.len(), expected.len() - got.len());
                if slices.is_empty() { break }
                if got.len() == expected.len() { break }
            }
            while let Some(part) = slices.pop() {
                got.extend(part);
            }
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn long_parts_are_shared() {
        let body = Bytes::from(vec![7; SHARED_FROM]);
        let mut slices = Slices::new();
        slices.tail().extend_from_slice(b"header");
        slices.push(body.clone());
        assert_eq!(slices.pop().unwrap(), "header");
        assert_eq!(slices.pop().unwrap().as_ptr(), body.as_ptr());
        assert_eq!(slices.pop(), None);
    }
}
