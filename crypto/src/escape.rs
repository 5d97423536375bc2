//! ESC: emulation prevention over ciphertext.
//!
//! Inside a NALU, `00 00` followed by 00, 01, 02 or 03 would be taken for a
//! start code or for an escape, so `03` goes in between (ITU-T H.264, 7.4.1).
//! Ciphertext is random: a zero pair comes once in 64 KiB, an escape once in
//! 4 MiB. Pairs are therefore searched for with `memmem`, which costs next to
//! nothing, and bytes move only where there is something to insert.

use bytes::BytesMut;
use memchr::memmem::Finder;

const PAIR: &[u8; 2] = &[0, 0];
const ESCAPE: u8 = 3;

/// Walks the zero pairs whose following byte is in `bytes[from..]`, the zeros
/// themselves may lie before. `visit` gets the place of that byte and says
/// where to go on.
fn each_pair(bytes: &[u8], from: usize, mut visit: impl FnMut(usize) -> Option<usize>) {
    let finder = Finder::new(PAIR);
    let mut at = from.saturating_sub(2);
    while let Some(pair) = bytes.get(at..).and_then(|rest| finder.find(rest)) {
        let third = at + pair + 2;
        if third >= bytes.len() {
            break;
        }
        match visit(third) {
            Some(next) => at = next,
            None => break,
        }
    }
}

/// Escapes `buf[nal + clear..]` in place; the zero run starts with the `clear`
/// bytes before, as they stand. `nal` is where the NALU begins.
pub(crate) fn escape(buf: &mut BytesMut, nal: usize, clear: usize) {
    let mut inserts = Vec::new();
    each_pair(&buf[nal..], clear, |third| {
        if buf[nal + third] <= ESCAPE {
            inserts.push(nal + third);
            // The inserted 03 ends the run; the byte itself may start another.
            Some(third)
        } else {
            Some(third + 1)
        }
    });
    if inserts.is_empty() {
        return;
    }
    // From the back, each piece moves once, by the number of escapes before it.
    let mut end = buf.len();
    buf.resize(end + inserts.len(), 0);
    for (before, &at) in inserts.iter().enumerate().rev() {
        buf.copy_within(at..end, at + before + 1);
        buf[at + before] = ESCAPE;
        end = at;
    }
}

/// A sequence that [`escape`] never writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BadEscape;

/// Where `wire` holds inserted bytes from `clear` on, in rising order.
///
/// # Errors
/// A start code, or an escape with nothing behind it that needs one.
pub(crate) fn escapes(wire: &[u8], clear: usize) -> Result<Vec<usize>, BadEscape> {
    let mut found = Vec::new();
    let mut bad = false;
    each_pair(wire, clear, |third| match wire[third] {
        ESCAPE if wire.get(third + 1).is_some_and(|&next| next <= ESCAPE) => {
            found.push(third);
            Some(third + 1)
        }
        0..=ESCAPE => {
            bad = true;
            None
        }
        _ => Some(third + 1),
    });
    if bad { Err(BadEscape) } else { Ok(found) }
}

/// Appends `wire[clear..]` without the bytes at `escapes`.
pub(crate) fn append_unescaped(out: &mut BytesMut, wire: &[u8], clear: usize, escapes: &[usize]) {
    let mut at = clear;
    for &escape in escapes {
        out.extend_from_slice(&wire[at..escape]);
        at = escape + 1;
    }
    out.extend_from_slice(&wire[at..]);
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
    use proptest::prelude::*;

    /// Something that must stay untouched, then the NALU.
    fn escaped(clear: &[u8], plain: &[u8]) -> Vec<u8> {
        let before = [0, 0, 0, 9];
        let mut buf = BytesMut::from(&[&before, clear, plain].concat()[..]);
        escape(&mut buf, before.len(), clear.len());
        assert_eq!(buf[..before.len() + clear.len()], [&before, clear].concat());
        buf[before.len() + clear.len()..].to_vec()
    }
    fn unescaped(clear: &[u8], wire: &[u8]) -> Option<Vec<u8>> {
        let nal = [clear, wire].concat();
        let places = escapes(&nal, clear.len()).ok()?;
        let mut out = BytesMut::new();
        append_unescaped(&mut out, &nal, clear.len(), &places);
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
            if let Some(plain) = plain {
                prop_assert_eq!(escaped(&clear, &plain), wire);
            }
        }
    }
}
