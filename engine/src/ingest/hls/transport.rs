//! The time stamps in MPEG-TS, by which what comes apart is put side by side: GStreamer's demuxer
//! counts from the first one of decoding.

use std::ops::Range;

/// The length of a packet.
pub(super) const PACKET: usize = 188;
/// Ticks of 90 kHz until a stamp begins anew.
const WRAP: i64 = 1 << 33;
/// Nobody's sound lies further from its pictures: an hour.
const MOST_APART: i64 = 3600 * 90_000;

/// Whether MPEG-TS begins here.
pub(super) fn is_transport(segment: &[u8]) -> bool {
    segment.first() == Some(&0x47) && segment.get(PACKET).is_none_or(|byte| *byte == 0x47)
}

/// The first stamp of decoding in a segment, in ticks of 90 kHz.
pub(super) fn first_stamp(segment: &[u8]) -> Option<u64> {
    headers(segment).find(Pes::is_film).and_then(|pes| pes.decoded.or(pes.shown))
}

/// When the first picture in a segment is shown, or its first sound where it has no pictures.
pub(super) fn first_shown(segment: &[u8]) -> Option<u64> {
    let of = |wanted: fn(&Pes) -> bool| headers(segment).find(wanted).and_then(|pes| pes.shown);
    of(Pes::is_pictures).or_else(|| of(Pes::is_film))
}

/// The head of a PES packet.
struct Pes {
    stream: u8,
    shown: Option<u64>,
    decoded: Option<u64>,
}

impl Pes {
    fn is_pictures(&self) -> bool {
        matches!(self.stream, 0xe0..=0xef) && self.shown.is_some()
    }

    fn is_film(&self) -> bool {
        matches!(self.stream, 0xbd | 0xc0..=0xef) && self.shown.is_some()
    }

    /// What a payload begins with (ISO/IEC 13818-1, 2.4.3.7).
    fn read(pes: &[u8]) -> Option<Self> {
        let &[0, 0, 1, stream, _, _, _, flags, ..] = pes else { return None };
        let shown = (flags & 0x80 != 0).then(|| stamp(pes.get(9..14)?)).flatten();
        let decoded = (flags & 0xc0 == 0xc0).then(|| stamp(pes.get(14..19)?)).flatten();
        Some(Self { stream, shown, decoded })
    }
}

/// The PES packets that begin in a segment.
fn headers(segment: &[u8]) -> impl Iterator<Item = Pes> {
    segment.chunks_exact(PACKET).filter_map(|packet| {
        let head = Head::read(packet)?;
        if head.begins { Pes::read(packet.get(head.payload)?) } else { None }
    })
}

/// What a packet says of itself (ISO/IEC 13818-1, 2.4.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) pid: u16,
    /// A PES packet or a section begins in it.
    pub(super) begins: bool,
    /// Where its payload lies.
    pub(super) payload: Range<usize>,
}

impl Head {
    /// `None` of what is no packet, or has no payload.
    pub(super) fn read(packet: &[u8]) -> Option<Self> {
        let &[0x47, high, low, control, ..] = packet else { return None };
        let (has_payload, is_adapted) = (control & 0x10 != 0, control & 0x20 != 0);
        let from = if is_adapted { 5 + usize::from(*packet.get(4)?) } else { 4 };
        (has_payload && from < PACKET && packet.len() == PACKET).then(|| Self {
            pid: u16::from_be_bytes([high & 0x1f, low]),
            begins: high & 0x40 != 0,
            payload: from..PACKET,
        })
    }
}

/// 33 bits, with a marker behind each part.
fn stamp(bytes: &[u8]) -> Option<u64> {
    let &[a, b, c, d, e] = bytes else { return None };
    let [a, b, c, d, e] = [a, b, c, d, e].map(u64::from);
    Some((a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1)
}

/// How much later a stamp is than another, in ticks; less than half a round either way.
fn later(stamp: u64, than: u64) -> i64 {
    let difference = (stamp as i64 - than as i64).rem_euclid(WRAP);
    if difference >= WRAP / 2 { difference - WRAP } else { difference }
}

/// Stamps of one stream without their rounds.
#[derive(Debug, Default)]
pub(super) struct Unfolded(Option<(u64, i64)>);

impl Unfolded {
    /// How much later a stamp is than `first`, in ticks, however many rounds lie between; it is less
    /// than half a round from the one that was asked for before.
    pub(super) fn since(&mut self, first: u64, stamp: u64) -> i64 {
        let ticks = match self.0 {
            None => later(stamp, first).clamp(-MOST_APART, MOST_APART),
            Some((last, ticks)) => ticks.saturating_add(later(stamp, last)),
        };
        self.0 = Some((stamp, ticks));
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A time stamp as it is written.
    fn written(t: u64) -> [u8; 5] {
        [
            0x21 | (t >> 30 << 1) as u8,
            (t >> 22) as u8,
            (t >> 15 << 1) as u8 | 1,
            (t >> 7) as u8,
            (t << 1) as u8 | 1,
        ]
    }

    /// A packet in which a PES packet of a stream begins, behind so many bytes of adaptation.
    fn packet(stream: u8, stamps: &[u64], adaptation: u8) -> Vec<u8> {
        let mut packet = vec![0x47, 0x40, 0x00, if adaptation > 0 { 0x30 } else { 0x10 }];
        if adaptation > 0 {
            packet.push(adaptation);
            packet.extend(vec![0; adaptation.into()]);
        }
        packet.extend([0, 0, 1, stream, 0, 0, 0x80, [0, 0x80, 0xc0][stamps.len()], 10]);
        stamps.iter().for_each(|t| packet.extend(written(*t)));
        packet.resize(PACKET, 0xff);
        packet
    }

    #[test]
    fn the_first_stamps_are_found() {
        let tables = packet(0, &[], 0);
        let (pictures, sound) = (packet(0xe0, &[9_000, 5_400], 7), packet(0xc0, &[(1 << 33) - 1], 0));
        let film = [tables.clone(), pictures.clone(), sound.clone()].concat();
        assert_eq!((first_stamp(&film), first_shown(&film)), (Some(5_400), Some(9_000)));
        let film = [tables.clone(), sound.clone(), pictures].concat();
        assert_eq!((first_stamp(&film), first_shown(&film)), (Some((1 << 33) - 1), Some(9_000)));
        assert_eq!(first_shown(&sound), Some((1 << 33) - 1));
        assert_eq!((first_stamp(&tables), first_shown(&tables)), (None, None));
        assert!(is_transport(&film) && is_transport(&sound) && !is_transport(b"ID3") && !is_transport(&[]));
    }

    #[test]
    fn stamps_go_on_round_after_round() {
        assert_eq!((later(5_400, (1 << 33) - 1), later((1 << 33) - 1, 5_400)), (5_401, -5_401));
        let mut unfolded = Unfolded::default();
        // Four days of hours: a round is 26.5 hours.
        for hour in 0..96 {
            let ticks = hour * 3600 * 90_000;
            assert_eq!(unfolded.since(77, ((77 + ticks) % WRAP) as u64), ticks);
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(data in prop::collection::vec(any::<u8>(), 0..400), at in 4usize..190) {
            let mut data = [packet(0xe0, &[1, 2], 0), data].concat();
            data[3] = 0x30;
            let at = at % data.len();
            data[at] ^= 0xff;
            let _ = (first_stamp(&data), first_shown(&data));
        }
    }
}
