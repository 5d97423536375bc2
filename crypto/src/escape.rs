//! ESC: emulation prevention over ciphertext.
//!
//! Inside a NALU, `00 00` followed by 00, 01, 02 or 03 would be taken for a
//! start code or for an escape, so `03` goes in between (ITU-T H.264, 7.4.1).
//! Ciphertext is random: a zero pair comes once in 64 KiB, an escape once in
//! 4 MiB. So what must be fast is to see that there is nothing to do; where there
//! is, time does not matter, and bytes move only there.

use std::ops::Range;
use std::sync::LazyLock;

use bytes::BytesMut;
use flv::{BodyTooLong, TagBuf};
use memchr::memmem::Finder;
use pulp::Arch;

pub(crate) const ESCAPE: u8 = 3;
/// Built once: that takes longer than to look a small slice through.
static PAIR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(&[0, 0]));
/// So much is looked through before anything is asked.
const CHUNK: usize = 512;
/// Bytes of a vector, where the machine has long ones.
const ALIGNED: usize = 32;

/// The place of the first zero pair in `bytes[from..]`.
fn pair(bytes: &[u8], from: usize) -> Option<usize> {
    PAIR.find(bytes.get(from..)?).map(|found| from + found)
}

/// The place of the first byte up to 3 behind a zero pair that lies, as the byte
/// does, in `bytes[from..]`.
pub(crate) fn next(bytes: &[u8], from: usize) -> Option<usize> {
    // Loads that do not cross a cache line take half the time. What comes before `from` may
    // raise suspicion, but is not taken.
    let mut start = from.saturating_sub(bytes.as_ptr().addr().wrapping_add(from) % ALIGNED);
    while bytes.len().saturating_sub(start) >= CHUNK {
        let suspect = Arch::new().dispatch(Suspect { bytes, start })?;
        // What is sought may begin with the last byte before, and end two bytes behind.
        let upto = bytes.len().min(suspect + CHUNK + 2);
        if let Some(found) = exact(&bytes[..upto], from.max(suspect.saturating_sub(1))) {
            return Some(found);
        }
        start = suspect + CHUNK;
    }
    exact(bytes, from.max(start.saturating_sub(1)))
}

/// As [`next`], by way of all zero pairs.
fn exact(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let third = pair(bytes, at)? + 2;
        if *bytes.get(third)? <= ESCAPE {
            return Some(third);
        }
        at = third + 1;
    }
}

/// Where in `bytes[start..]`, which is a chunk long or longer, the first chunk begins in which
/// there may be something to escape, or with the byte before it.
struct Suspect<'a> {
    bytes: &'a [u8],
    start: usize,
}

impl pulp::NullaryFnOnce for Suspect<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn call(self) -> Option<usize> {
        let (chunks, rest) = self.bytes[self.start..].as_chunks();
        if let Some(at) = chunks.iter().position(is_suspect) {
            return Some(self.start + at * CHUNK);
        }
        // What is left is seen through a chunk that begins before it.
        let last = self.bytes.last_chunk().filter(|last| !rest.is_empty() && is_suspect(last));
        last.map(|_| self.bytes.len() - CHUNK)
    }
}

/// Of two zeros and a byte up to 3, either the zeros are one of the chunk's 16-bit numbers, or
/// the second zero and the byte are: without the byte's two lowest bits, such a number is 0.
/// One in 16384 is by chance. Written so that it becomes a few vector instructions.
#[inline(always)]
fn is_suspect(chunk: &[u8; CHUNK]) -> bool {
    let numbers = chunk.as_chunks::<2>().0.iter();
    numbers.fold(u16::MAX, |least, number| least.min(u16::from_le_bytes(*number) & 0xfcff)) == 0
}

/// Where the zero run of what is escaped from `clear` on may begin.
pub(crate) const fn run_start(clear: usize) -> usize {
    clear.saturating_sub(2)
}

/// Escapes `buf[nal + clear..]`; the zero run starts with the `clear` bytes
/// before, as they stand. `nal` is where the NALU begins.
pub(crate) fn escape(buf: &mut BytesMut, nal: usize, clear: usize) {
    let mut from = nal + run_start(clear);
    while let Some(at) = next(buf, from) {
        let end = buf.len();
        buf.resize(end + 1, 0);
        buf.copy_within(at..end, at + 1);
        buf[at] = ESCAPE;
        // The inserted 03 ends the run; the byte behind it may start another.
        from = at + 1;
    }
}

/// Escapes the bytes of `range` in a tag's body, for which a zero run may begin at `*from`.
/// Says where the range ends then, and in `from` where to go on with what follows it.
pub(crate) fn escape_in_place(
    tag: &mut TagBuf,
    range: Range<usize>,
    from: &mut usize,
) -> Result<usize, BodyTooLong> {
    let mut end = range.end;
    while let Some(at) = next(&tag.body()[..end], *from) {
        tag.insert(at, &[ESCAPE])?;
        *from = at + 1;
        end += 1;
    }
    *from = (*from).max(run_start(end));
    Ok(end)
}

/// A sequence that [`escape`] never writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BadEscape;

/// The first inserted byte in `wire[from..]`, where `from` is as for [`next`].
///
/// # Errors
/// A start code, or an escape with nothing behind it that needs one.
pub(crate) fn next_escape(wire: &[u8], from: usize) -> Result<Option<usize>, BadEscape> {
    match next(wire, from) {
        None => Ok(None),
        Some(at) if wire[at] == ESCAPE && wire.get(at + 1).is_some_and(|next| *next <= ESCAPE) => {
            Ok(Some(at))
        }
        Some(_) => Err(BadEscape),
    }
}

/// How many bytes were inserted into `wire` from `clear` on.
///
/// # Errors
/// See [`next_escape`].
pub(crate) fn count(wire: &[u8], clear: usize) -> Result<usize, BadEscape> {
    let (mut from, mut count) = (run_start(clear), 0);
    while let Some(at) = next_escape(wire, from)? {
        from = at + 1;
        count += 1;
    }
    Ok(count)
}

/// Appends `wire[clear..]`, which [`count`] has looked at, without the inserted bytes.
pub(crate) fn append_unescaped(out: &mut BytesMut, wire: &[u8], clear: usize) {
    let (mut from, mut at) = (run_start(clear), clear);
    while let Some(escape) = next(wire, from) {
        out.extend_from_slice(&wire[at..escape]);
        at = escape + 1;
        from = at;
    }
    out.extend_from_slice(&wire[at..]);
}

/// Takes the inserted bytes out of a short piece that has a known length without them
/// and is not preceded by zeros.
pub(crate) fn unescape_exactly(wire: &[u8], plain: &mut [u8]) -> Result<(), BadEscape> {
    unescape_behind(0, wire, plain)
}

/// As [`unescape_exactly`], with so many zeros before.
pub(crate) fn unescape_behind(zeros: u32, wire: &[u8], plain: &mut [u8]) -> Result<(), BadEscape> {
    let (mut wire, mut zeros) = (wire.iter().copied(), zeros);
    for byte in plain {
        *byte = wire.next().ok_or(BadEscape)?;
        if zeros >= 2 && *byte <= ESCAPE {
            let escaped = wire.next().filter(|next| *byte == ESCAPE && *next <= ESCAPE);
            *byte = escaped.ok_or(BadEscape)?;
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
    }
    if wire.next().is_none() { Ok(()) } else { Err(BadEscape) }
}

/// Moves `body[*read..end]` to `*write`, which is not behind it, without the inserted
/// bytes; a zero run may begin at `from`.
pub(crate) fn close_up(body: &mut [u8], read: &mut usize, end: usize, write: &mut usize, from: usize) {
    let mut from = from;
    loop {
        // Looked for before anything moves: the run may lie in what moves.
        let escape = next(&body[..end], from);
        let upto = escape.unwrap_or(end);
        body.copy_within(*read..upto, *write);
        *write += upto - *read;
        *read = end;
        let Some(escape) = escape else { return };
        *read = escape + 1;
        from = escape + 1;
    }
}

#[cfg(test)]
pub(crate) mod slow {
    //! The obvious twins, byte by byte.

    /// Zeros at the end of `clear`, counted up to two.
    fn run(clear: &[u8]) -> u8 {
        clear.iter().rev().take_while(|b| **b == 0).take(2).count() as u8
    }

    pub(crate) fn escape(clear: &[u8], plain: &[u8]) -> Vec<u8> {
        let (mut zeros, mut out) = (run(clear), Vec::new());
        for &byte in plain {
            if zeros >= 2 && byte <= 3 {
                out.push(3);
                zeros = 0;
            }
            out.push(byte);
            zeros = if byte == 0 { zeros + 1 } else { 0 };
        }
        out
    }

    pub(crate) fn unescape(clear: &[u8], wire: &[u8]) -> Option<Vec<u8>> {
        let (mut zeros, mut out) = (run(clear), Vec::new());
        let mut bytes = wire.iter().copied().peekable();
        while let Some(mut byte) = bytes.next() {
            if zeros >= 2 && byte <= 3 {
                if byte < 3 {
                    return None;
                }
                byte = bytes.next().filter(|next| *next <= 3)?;
                zeros = 0;
            }
            out.push(byte);
            zeros = if byte == 0 { zeros + 1 } else { 0 };
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flv::{FlvMillis, Room, TagKind};
    use proptest::prelude::*;

    /// Something that must stay untouched, then the NALU.
    fn escaped(clear: &[u8], plain: &[u8]) -> Vec<u8> {
        let before = [0, 0, 0, 9];
        let mut buf = BytesMut::from(&[&before, clear, plain].concat()[..]);
        escape(&mut buf, before.len(), clear.len());
        assert_eq!(buf[..before.len() + clear.len()], [&before, clear].concat());

        // In place, in strides that follow one another as the cipher does.
        for stride in [1, 2, 3, 7, 1000] {
            let body = BytesMut::from(&[&before, clear, plain, &[0, 0, 1]].concat()[..]);
            let mut tag = TagBuf::new(TagKind::Video, FlvMillis(0), body, Room::NONE).unwrap();
            let nal = before.len();
            let mut from = nal + run_start(clear.len());
            let (mut at, mut left) = (nal + clear.len(), plain.len());
            while left > 0 {
                let len = left.min(stride);
                at = escape_in_place(&mut tag, at..at + len, &mut from).unwrap();
                left -= len;
            }
            assert_eq!(tag.body()[..at], buf[..], "strides of {stride}");
            assert_eq!(tag.body()[at..], [0, 0, 1]);
        }
        buf[before.len() + clear.len()..].to_vec()
    }
    fn unescaped(clear: &[u8], wire: &[u8]) -> Option<Vec<u8>> {
        let nal = [clear, wire].concat();
        let count = count(&nal, clear.len()).ok()?;
        let mut out = BytesMut::new();
        append_unescaped(&mut out, &nal, clear.len());
        assert_eq!(out.len() + count, wire.len());
        // In place, as one of several pieces, of which the ones before have shrunk.
        for shift in [0, 1, 5] {
            let mut body = [&vec![0xee; shift], &nal[..], &[0, 0]].concat();
            let (mut read, mut write, end) = (shift, 0, shift + nal.len());
            close_up(&mut body, &mut read, end, &mut write, shift + run_start(clear.len()));
            assert_eq!((read, &body[clear.len()..write]), (end, &out[..]));
        }
        Some(out.to_vec())
    }

    #[test]
    fn the_vectors_of_the_format_page() {
        for (clear, plain, wire) in [
            (&[][..], &[0, 0, 1][..], &[0, 0, 3, 1][..]),
            (&[], &[0, 0, 0, 0], &[0, 0, 3, 0, 0]),
            (&[0, 0], &[1, 2], &[3, 1, 2]),
            (&[], &[0, 0, 3, 0, 0, 3], &[0, 0, 3, 3, 0, 0, 3, 3]),
        ] {
            assert_eq!(escaped(clear, plain), wire);
            assert_eq!(unescaped(clear, wire).unwrap(), plain);
        }
    }

    #[test]
    fn what_escape_never_writes_is_refused() {
        for wire in [&[0, 0, 1][..], &[0, 0, 0], &[0, 0, 2, 9], &[0, 0, 3], &[0, 0, 3, 4]] {
            assert_eq!(unescaped(&[9], wire), None, "{wire:?}");
        }
        assert_eq!(unescaped(&[9], &[0, 0]).unwrap(), [0, 0]);
    }

    /// Mostly the bytes that matter.
    fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![6 => Just(0u8), 3 => 0u8..5, 1 => any::<u8>()];
        prop::collection::vec(byte, 0..max)
    }

    /// The obvious twin of [`next`].
    fn next_slowly(bytes: &[u8], from: usize) -> Option<usize> {
        let mut triples = (from..bytes.len().saturating_sub(2)).map(|at| (at, &bytes[at..at + 3]));
        triples.find(|(_, triple)| matches!(triple, [0, 0, 0..=3])).map(|(at, _)| at + 2)
    }

    /// Wherever a chunk begins in memory, and wherever in it the zeros are.
    #[test]
    fn what_is_to_be_escaped_is_found_everywhere() {
        for third in [0, 3, 4] {
            let mut memory = vec![0xff; 2 * CHUNK + 2 * ALIGNED];
            for zeros in 0..memory.len() - 2 {
                memory[zeros..zeros + 3].copy_from_slice(&[0, 0, third]);
                for (skipped, from) in [(0, 0), (1, 0), (3, 35), (30, 1), (64, 41)] {
                    let bytes = &memory[skipped..];
                    let want = (third < 4 && zeros >= skipped + from).then(|| zeros - skipped + 2);
                    assert_eq!(next(bytes, from), want, "{zeros}, {skipped}, {from}");
                }
                memory[zeros..zeros + 3].fill(0xff);
            }
        }
    }

    proptest! {
        #[test]
        fn next_is_its_twin(
            bytes in prop::collection::vec(prop_oneof![30 => 4u8..8, 2 => Just(0u8), 1 => 0u8..4], 0..3 * CHUNK),
            from in 0usize..3 * CHUNK,
        ) {
            prop_assert_eq!(next(&bytes, from), next_slowly(&bytes, from));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn fast_and_slow_agree_and_invert(clear in bytes(6), plain in bytes(80)) {
            let wire = escaped(&clear, &plain);
            prop_assert_eq!(&wire, &slow::escape(&clear, &plain));
            prop_assert_eq!(unescaped(&clear, &wire), Some(plain));
            // No start code, whatever the clear bytes end with.
            let tail = [&clear[clear.len().saturating_sub(2)..], &wire].concat();
            let start = tail.windows(3).position(|w| w[..2] == [0, 0] && w[2] < 3);
            prop_assert!(start.is_none_or(|at| at + 2 < clear.len().min(2)));
        }

        #[test]
        fn fast_and_slow_agree_on_any_wire(clear in bytes(6), wire in bytes(80)) {
            let plain = unescaped(&clear, &wire);
            prop_assert_eq!(&plain, &slow::unescape(&clear, &wire));
            let short = slow::unescape(&[], &wire);
            let mut exact = vec![0; short.as_ref().map_or(wire.len(), Vec::len)];
            prop_assert_eq!(unescape_exactly(&wire, &mut exact).is_ok(), short.is_some());
            prop_assert!(short.is_none_or(|short| short == exact));
            if let Some(plain) = plain {
                prop_assert_eq!(escaped(&clear, &plain), wire);
            }
        }
    }
}
