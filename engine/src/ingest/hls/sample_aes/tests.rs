use proptest::prelude::*;

use super::*;

#[path = "../../../../tests/it/sealing.rs"]
mod sealing;

const KEY: [u8; 16] = *b"sixteen bytes of";
const IV: [u8; 16] = [9; 16];

/// Packets of one PID, which begin with a section or a PES packet.
fn packets(pid: u16, mut bytes: &[u8], count: &mut u8, adapted: &mut impl FnMut() -> u8) -> Vec<u8> {
    let mut out = Vec::new();
    let mut begins = 0x40;
    while !bytes.is_empty() {
        let mut packet = vec![0x47, begins | (pid >> 8) as u8, pid as u8, 0x10 | *count];
        *count = (*count + 1) % 16;
        let wanted = usize::from(adapted()).max(PACKET.saturating_sub(4 + bytes.len()));
        if wanted > 0 {
            packet[3] |= 0x20;
            packet.push((wanted - 1) as u8);
            packet.extend([0].iter().chain([0xff; PACKET].iter()).take(wanted - 1));
        }
        let (now, rest) = bytes.split_at(bytes.len().min(PACKET - packet.len()));
        packet.extend(now);
        assert_eq!(packet.len(), PACKET);
        out.extend(packet);
        (bytes, begins) = (rest, 0);
    }
    out
}

/// A section as it stands in a payload, stuffed to the packet's end.
fn table(id: u8, body: &[u8]) -> Vec<u8> {
    let len = body.len() + 9;
    let mut section = vec![0, id, 0xb0 | (len >> 8) as u8, len as u8, 0, 1, 0xc1, 0, 0];
    section.extend(body);
    let sum = crc(&section[1..]).to_be_bytes();
    section.extend(sum);
    section.resize(PACKET - 4, 0xff);
    section
}

/// A film of these pictures, each its units, and of frames of sound of these lengths.
fn film(pictures: &[Vec<Vec<u8>>], sound: &[usize], mut adapted: impl FnMut() -> u8) -> Vec<u8> {
    let mut none = || 0;
    let mut film = packets(0, &table(0, &[0, 1, 0xf0, 0x00]), &mut 0, &mut none);
    // Its first stream has a descriptor.
    let streams = [0xe1, 0x00, 0xf0, 0, 0x1b, 0xe1, 0x00, 0xf0, 2, 0x52, 0, 0x0f, 0xe1, 0x01, 0xf0, 0];
    film.extend(packets(0x1000, &table(2, &streams), &mut 0, &mut none));
    let (mut count, mut sounds) = (0, 0);
    for units in pictures {
        let units = units.iter().flat_map(|unit| [&[0, 0, 0, 1][..], unit].concat());
        let pes: Vec<u8> =
            [0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1].into_iter().chain(units).collect();
        film.extend(packets(0x100, &pes, &mut count, &mut adapted));
    }
    let mut frames = Vec::new();
    for &len in sound {
        frames.extend([
            0xff,
            0xf1,
            0x50,
            0x80 | (len >> 11) as u8,
            (len >> 3) as u8,
            (len << 5) as u8 | 0x1f,
            0xfc,
        ]);
        frames.extend((7..len).map(|n| n as u8));
    }
    let len = (frames.len() + 8) as u16;
    let pes = [&[0, 0, 1, 0xc0, (len >> 8) as u8, len as u8, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1][..], &frames]
        .concat();
    film.extend(packets(0x101, &pes, &mut sounds, &mut adapted));
    film
}

/// The units of a film's pictures, its sound, and the types of its streams.
fn read(film: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>, Vec<u8>) {
    let (mut pictures, mut sound, mut types) = (Vec::new(), Vec::new(), Vec::new());
    let mut counts = [None::<u8>; 2];
    for packet in film.chunks(PACKET) {
        let head = Head::read(packet).unwrap();
        let payload = &packet[head.payload.clone()];
        let from = if head.begins && head.pid < 0x1000 { 14 } else { 0 };
        match head.pid {
            0x100 => pictures.extend(&payload[from.min(payload.len())..]),
            0x101 => sound.extend(&payload[from.min(payload.len())..]),
            0x1000 => {
                let section = section(&mut payload.to_vec(), 2).unwrap().to_vec();
                assert_eq!(crc(&section), 0, "its sum");
                types = vec![section[12], section[19]];
            }
            _ => {}
        }
        if let Some(count) = counts.get_mut(usize::from(head.pid).wrapping_sub(0x100)) {
            assert!(count.is_none_or(|count| packet[3] & 0x0f == (count + 1) % 16), "a packet is missing");
            *count = Some(packet[3] & 0x0f);
        }
    }
    (nalu::annex_b(&pictures).map(<[u8]>::to_vec).collect(), sound, types)
}

/// A unit that has no start code in it, nor ends with a zero.
fn unit() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::collection::vec(prop_oneof![3 => Just(0u8), 1 => 0u8..4, 4 => any::<u8>()], 0..700);
    (prop_oneof![Just(0x65u8), Just(0x41), Just(0x06)], bytes).prop_map(|(head, bytes)| {
        let mut unit = vec![head];
        for byte in bytes {
            if byte <= 3 && unit.ends_with(&[0, 0]) {
                unit.push(3);
            }
            unit.push(byte);
        }
        unit.push(0x80);
        unit
    })
}

proptest! {
    #[test]
    fn what_was_sealed_is_opened_in_its_place(
        pictures in prop::collection::vec(prop::collection::vec(unit(), 1..4), 1..4),
        sound in prop::collection::vec(7usize..400, 0..4),
        adapted in prop::collection::vec(prop_oneof![2 => Just(0u8), 1 => 0u8..160], 1..20),
    ) {
        let mut adapted = adapted.into_iter().cycle();
        let clear = film(&pictures, &sound, || adapted.next().unwrap());
        let sealed = sealing::Sealer::new(KEY, IV).segment(&clear);
        prop_assert_eq!(read(&sealed).2, vec![PICTURES.0, SOUND.0]);
        let opened = opened(sealed.clone().into(), &KEY, &IV);
        prop_assert_eq!(opened.len(), sealed.len());
        let (units, frames, types) = read(&opened);
        let (all, whole, _) = read(&clear);
        prop_assert_eq!(units, all);
        prop_assert_eq!(frames, whole);
        prop_assert_eq!(types, vec![PICTURES.1, SOUND.1]);
    }

    #[test]
    fn nothing_panics(
        pictures in prop::collection::vec(prop::collection::vec(unit(), 1..3), 1..3),
        wrong in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut film = sealing::Sealer::new(KEY, IV).segment(&film(&pictures, &[200, 90], || 0));
        for (at, byte) in wrong {
            let at = at.index(film.len());
            film[at] = byte;
        }
        film.truncate(cut.index(film.len()));
        let _ = opened(film.into(), &KEY, &IV);
    }
}

#[test]
fn packed_sound_is_opened_behind_its_tag() {
    let tag = b"ID3\x04\0\0\0\0\0\x03abc";
    let frame: Vec<u8> = [0xff, 0xf1, 0x50, 0x80, 0x0c, 0x9f, 0xfc].into_iter().chain(7..100).collect();
    let clear = [&tag[..], &frame, &frame].concat();
    let mut sealed = clear.clone();
    sealing::sealed_sound(&mut sealed[tag.len()..], &KEY, &IV);
    assert_ne!(sealed, clear);
    // Behind the header and 16 bytes, four blocks; a rest of 13 is clear.
    assert_eq!(sealed[tag.len()..][..23], frame[..23]);
    assert_eq!(sealed[tag.len()..][87..100], frame[87..]);
    assert_eq!(opened(sealed.into(), &KEY, &IV), clear);
}
