//! What goes in comes out, and what goes between is what relays can carry.

use crypto::{Marking, Mode, Verdict, inspect};
use flv::FlvMillis;
use flv::nalu::LengthSize;
use proptest::prelude::*;

use crate::bodies::*;

const READ: Verdict = Verdict::Encrypted { key: crypto::KeyId(1) };

/// Three empty units behind one-byte lengths read like the front of a four-byte
/// length. A reader who missed the sequence header takes the size that adds up.
#[test]
fn without_a_sequence_header_sound_framing_decides() {
    let clear = prefixed(&[0x17, 1, 0, 0, 0], &[vec![], vec![], vec![], vec![0x65; 60]], LengthSize::One);
    let mut lock = encryptor(Mode::Nalu);
    lock.encrypt(Form::Avc.sequence_header(LengthSize::One)).unwrap();
    let wire = lock.encrypt(video(clear.clone())).unwrap();
    assert_eq!(decryptor().decrypt(wire), (video(clear), READ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn frames_come_back_bit_for_bit(frame in any_frame()) {
        let (mut lock, mut unlock) = (encryptor(Mode::Nalu), decryptor());
        let header = frame.form.sequence_header(frame.size);
        prop_assert_eq!(&lock.encrypt(header.clone()).unwrap(), &header);
        prop_assert_eq!(unlock.decrypt(header.clone()), (header, Verdict::Exempt));

        let wire = lock.encrypt(frame.tag()).unwrap();
        prop_assert_eq!(unlock.decrypt(wire.clone()), (frame.tag(), READ));
        // Without the sequence header too, where lengths have their usual size.
        if frame.size == LengthSize::Four {
            prop_assert_eq!(decryptor().decrypt(wire), (frame.tag(), READ));
        }
    }

    /// Headers, framing, parameter sets, short slices, the lead and the last
    /// byte of each slice: all as they were, and nothing new that ends a unit.
    #[test]
    fn relays_find_what_they_look_for(frame in any_frame()) {
        let mut lock = encryptor(Mode::Nalu);
        lock.encrypt(frame.form.sequence_header(frame.size)).unwrap();
        let wire = lock.encrypt(frame.tag()).unwrap();
        let head = frame.head.len();
        prop_assert_eq!(&wire.body()[..head], &frame.head[..]);
        let mut sealed = units(wire.body(), head, frame.size);
        let at = frame.units.iter().position(|unit| is_slice(unit, frame.form)).unwrap_or(frame.units.len());
        let sei = sealed.remove(at);
        let first = if frame.form.is_hevc() { &[0x4e, 1, 5, 32][..] } else { &[6, 5, 32] };
        prop_assert_eq!(&sei[..first.len()], first);
        prop_assert_eq!(sealed.len(), frame.units.len());
        for (sealed, clear) in sealed.iter().zip(&frame.units) {
            if is_slice(clear, frame.form) && clear.len() >= 34 {
                prop_assert_eq!(&sealed[..32], &clear[..32]);
                prop_assert_eq!(sealed.last(), clear.last());
                prop_assert!(sealed.len() >= clear.len());
            } else {
                prop_assert_eq!(sealed, clear);
            }
        }
        for unit in sealed.iter().chain([&sei]) {
            let start = unit.windows(3).find(|w| w[..2] == [0, 0] && w[2] < 3);
            prop_assert_eq!(start, None);
        }
    }

    #[test]
    fn sound_comes_back_bit_for_bit(tag in sound()) {
        for mode in [Mode::Nalu, Mode::Capsule] {
            let wire = encryptor(mode).encrypt(tag.clone()).unwrap();
            prop_assert_eq!(wire.body().len(), tag.body().len() + 20);
            prop_assert_eq!(&wire.body()[..6], b"\xaf\x01\x9e\x12YX");
            prop_assert_eq!(decryptor().decrypt(wire), (tag.clone(), READ));
        }
    }

    #[test]
    fn capsules_come_back_bit_for_bit(frame in frame(Form::Avc, LengthSize::Four)) {
        let wire = encryptor(Mode::Capsule).encrypt(frame.tag());
        if !frame.units.iter().any(|unit| is_slice(unit, frame.form)) {
            prop_assert!(matches!(wire, Err(crypto::CryptoError::Unsupported { .. })), "{wire:?}");
            return Ok(());
        }
        let wire = wire.unwrap();
        let sealed = units(wire.body(), 5, LengthSize::Four);
        prop_assert_eq!(sealed.len(), 1);
        prop_assert_eq!(sealed[0].windows(3).find(|w| w[..2] == [0, 0] && w[2] < 3), None);
        prop_assert_eq!(decryptor().decrypt(wire), (frame.tag(), READ));
    }

    #[test]
    fn what_is_exempt_is_not_touched(tag in exempt()) {
        for mode in [Mode::Nalu, Mode::Capsule] {
            prop_assert_eq!(&encryptor(mode).encrypt(tag.clone()).unwrap(), &tag);
        }
        prop_assert_eq!(inspect(&tag), Marking::Exempt);
        prop_assert_eq!(decryptor().decrypt(tag.clone()), (tag, Verdict::Exempt));
    }

    /// A late joiner, a relay that drops and reorders, a server that re-stamps.
    #[test]
    fn any_tags_in_any_order_under_any_timestamp(
        frames in prop::collection::vec(frame(Form::Avc, LengthSize::Four), 1..12),
        sounds in prop::collection::vec(sound(), 0..6),
        order in prop::collection::vec((any::<prop::sample::Index>(), any::<u32>()), 0..40),
    ) {
        let mut lock = encryptor(Mode::Nalu);
        let clear: Vec<_> = frames.iter().map(Frame::tag).chain(sounds).collect();
        let wire: Vec<_> = clear.iter().map(|tag| lock.encrypt(tag.clone()).unwrap()).collect();
        let mut unlock = decryptor();
        for (at, ms) in order {
            let at = at.index(clear.len());
            let (mut tag, mut want) = (wire[at].clone(), clear[at].clone());
            (tag.timestamp, want.timestamp) = (FlvMillis(ms), FlvMillis(ms));
            prop_assert_eq!(unlock.decrypt(tag), (want, READ));
        }
    }

    /// The same picture twice looks different, also at the same time.
    #[test]
    fn timestamps_play_no_part_and_nothing_repeats(raw in prop::collection::vec(any::<u8>(), 16..200)) {
        let tag = audio([&[0xaf, 1], &raw[..]].concat());
        let mut lock = encryptor(Mode::Nalu);
        let (one, two) = (lock.encrypt(tag.clone()).unwrap(), lock.encrypt(tag.clone()).unwrap());
        let three = encryptor(Mode::Nalu).encrypt(tag).unwrap();
        let cipher = |tag: &flv::Tag| tag.body().slice(22..);
        prop_assert!(cipher(&one) != cipher(&two) && cipher(&one) != cipher(&three));
        prop_assert_eq!(one.timestamp, two.timestamp);
    }
}
