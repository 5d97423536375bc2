//! Where MPEG-TS begins: the first time stamp in it. GStreamer's demuxer counts from there, so that
//! what comes apart is put side by side by it.

const PACKET: usize = 188;
/// Ticks of 90 kHz until a stamp begins anew.
const WRAP: i64 = 1 << 33;

/// The first stamp of decoding in a segment, in ticks of 90 kHz.
pub(super) fn first_stamp(segment: &[u8]) -> Option<u64> {
    segment.chunks_exact(PACKET).find_map(in_packet)
}

/// The stamp of a packet (ISO/IEC 13818-1, 2.4.3) with which a PES packet begins.
fn in_packet(packet: &[u8]) -> Option<u64> {
    let &[0x47, flags, _, control, ..] = packet else { return None };
    let (begins, has_payload, is_adapted) = (flags & 0x40 != 0, control & 0x10 != 0, control & 0x20 != 0);
    if !begins || !has_payload {
        return None;
    }
    let skipped = if is_adapted { 1 + usize::from(*packet.get(4)?) } else { 0 };
    let pes = packet.get(4 + skipped..)?;
    let is_film = pes.starts_with(&[0, 0, 1]) && matches!(pes.get(3)?, 0xbd | 0xc0..=0xef);
    let stamps = pes.get(7)? >> 6;
    match (is_film, stamps) {
        (true, 2) => stamp(pes.get(9..14)?),
        (true, 3) => stamp(pes.get(14..19)?),
        _ => None,
    }
}

/// 33 bits, with a marker behind each part.
fn stamp(bytes: &[u8]) -> Option<u64> {
    let &[a, b, c, d, e] = bytes else { return None };
    let [a, b, c, d, e] = [a, b, c, d, e].map(u64::from);
    Some((a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1)
}

/// How much later a stamp is than another, in ticks; less than half a round either way.
pub(super) fn later(stamp: u64, than: u64) -> i64 {
    let difference = (stamp as i64 - than as i64).rem_euclid(WRAP);
    if difference >= WRAP / 2 { difference - WRAP } else { difference }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A packet in which a PES packet of a stream begins, behind so many bytes of adaptation.
    fn packet(stream: u8, stamps: &[u64], adaptation: u8) -> Vec<u8> {
        let mut packet = vec![0x47, 0x40, 0x00, if adaptation > 0 { 0x30 } else { 0x10 }];
        if adaptation > 0 {
            packet.push(adaptation);
            packet.extend(vec![0; adaptation.into()]);
        }
        packet.extend([0, 0, 1, stream, 0, 0, 0x80, [0, 0x80, 0xc0][stamps.len()], 10]);
        for t in stamps {
            packet.extend([
                0x21 | (t >> 30 << 1) as u8,
                (t >> 22) as u8,
                (t >> 15 << 1) as u8 | 1,
                (t >> 7) as u8,
                (t << 1) as u8 | 1,
            ]);
        }
        packet.resize(PACKET, 0xff);
        packet
    }

    #[test]
    fn the_first_stamp_is_of_decoding() {
        let tables = packet(0, &[], 0);
        let (pictures, sound) = (packet(0xe0, &[9_000, 5_400], 7), packet(0xc0, &[(1 << 33) - 1], 0));
        assert_eq!(first_stamp(&[tables.clone(), pictures.clone(), sound.clone()].concat()), Some(5_400));
        assert_eq!(first_stamp(&[tables.clone(), sound, pictures].concat()), Some((1 << 33) - 1));
        assert_eq!(first_stamp(&tables), None);
        assert_eq!((later(5_400, (1 << 33) - 1), later((1 << 33) - 1, 5_400)), (5_401, -5_401));
    }

    proptest! {
        #[test]
        fn nothing_panics(data in prop::collection::vec(any::<u8>(), 0..400), at in 4usize..190) {
            let mut data = [packet(0xe0, &[1, 2], 0), data].concat();
            data[3] = 0x30;
            data[at] ^= 0xff;
            let _ = first_stamp(&data);
        }
    }
}
