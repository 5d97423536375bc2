//! Tags that carry a marker though they are clear, and markers inside markers.

use crypto::{CryptoError, Encryption, Marking, Mode, TagEncryptor, Verdict, inspect};
use flv::Tag;
use flv::nalu::LengthSize;
use proptest::prelude::*;

use crate::bodies::*;

const READ: Verdict = Verdict::Encrypted { key: crypto::KeyId(1) };
const UUID: [u8; 16] =
    [0x26, 0x67, 0x10, 0x3b, 0x55, 0x5d, 0x48, 0xaf, 0xbf, 0x1f, 0x03, 0x94, 0xc2, 0x18, 0x5a, 0x34];

fn off(mode: Mode) -> TagEncryptor {
    let mut lock = encryptor(mode);
    lock.set_encryption(Encryption::Off).unwrap();
    lock
}

/// A unit that is taken for a marker, or nearly so.
fn forged(form: Form, header: &[u8]) -> Vec<u8> {
    let lead = if form.is_hevc() { &[0x4e, 1, 5, 32][..] } else { &[6, 5, 32] };
    [lead, &UUID, header].concat()
}

fn forged_frame() -> impl Strategy<Value = Frame> {
    let header = prop_oneof![
        // Any mode and version, whole.
        (any::<u8>(), prop::collection::vec(1u8.., 15)).prop_map(|(lead, rest)| [
            &[lead],
            &rest[..],
            &[0x80]
        ]
        .concat()),
        // Escaped, mangled, cut.
        prop::collection::vec(0u8..5, 0..24),
    ];
    (any_frame(), header, any::<prop::sample::Index>()).prop_map(|(mut frame, header, at)| {
        let at = at.index(frame.units.len() + 1);
        frame.units.insert(at, forged(frame.form, &header));
        frame
    })
}

fn goes_through(
    lock: &mut TagEncryptor,
    tag: &Tag,
    frame: &Frame,
    want: &[Verdict],
) -> Result<(), TestCaseError> {
    let mut unlock = decryptor();
    let header = frame.form.sequence_header(frame.size);
    lock.encrypt(header.clone()).unwrap();
    unlock.decrypt(header);
    let wire = lock.encrypt(tag.clone()).unwrap();
    let (back, verdict) = unlock.decrypt(wire);
    prop_assert!(want.contains(&verdict), "{verdict}");
    prop_assert_eq!(&back, tag);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn off_means_bit_for_bit(frame in any_frame(), sound in sound()) {
        let mut lock = off(Mode::Nalu);
        lock.encrypt(frame.form.sequence_header(frame.size)).unwrap();
        prop_assert_eq!(lock.encrypt(frame.tag()).unwrap(), frame.tag());
        prop_assert_eq!(lock.encrypt(sound.clone()).unwrap(), sound.clone());
        prop_assert_eq!(decryptor().decrypt(sound.clone()), (sound, Verdict::Clear));
    }

    #[test]
    fn forged_pictures_come_back_clear_or_encrypted(frame in forged_frame()) {
        goes_through(&mut off(Mode::Nalu), &frame.tag(), &frame, &[Verdict::Clear, Verdict::Literal])?;
        goes_through(&mut encryptor(Mode::Nalu), &frame.tag(), &frame, &[READ])?;
    }

    /// Torn framing behind a forged marker: marked where the marker was seen.
    #[test]
    fn forged_and_cut_pictures_come_back(frame in forged_frame(), cut in any::<prop::sample::Index>()) {
        let body = frame.body();
        let cut = video(body[..cut.index(body.len() + 1)].to_vec());
        let mut lock = off(Mode::Nalu);
        lock.encrypt(frame.form.sequence_header(frame.size)).unwrap();
        let mut unlock = decryptor();
        unlock.decrypt(frame.form.sequence_header(frame.size));
        match lock.encrypt(cut.clone()) {
            Ok(wire) => {
                let (back, verdict) = unlock.decrypt(wire);
                prop_assert!(matches!(verdict, Verdict::Clear | Verdict::Literal | Verdict::Exempt), "{verdict}");
                prop_assert_eq!(back, cut);
            }
            Err(err) => prop_assert!(matches!(err, CryptoError::Ambiguous { .. }), "{err}"),
        }
    }

    #[test]
    fn forged_sound_comes_back(header in prop::collection::vec(any::<u8>(), 0..40), mode in 0u8..3) {
        let mut body = [&b"\xaf\x01\x9e\x12YX"[..], &header].concat();
        if let Some(lead) = body.get_mut(6) {
            *lead = 0x10 | mode;
        }
        let tag = audio(body);
        let marked = off(Mode::Nalu).encrypt(tag.clone()).unwrap();
        prop_assert_eq!(inspect(&marked), Marking::Literal);
        prop_assert_eq!(marked.body().len(), tag.body().len() + 20);
        prop_assert_eq!(decryptor().decrypt(marked), (tag.clone(), Verdict::Literal));
        let wire = encryptor(Mode::Nalu).encrypt(tag.clone()).unwrap();
        prop_assert_eq!(decryptor().decrypt(wire), (tag, READ));
    }

    /// Encrypted by one, carried by another who encrypts or passes it on.
    #[test]
    fn nested_tags_come_back_layer_by_layer(
        frame in frame(Form::Avc, LengthSize::Four), sound in sound(),
        layers in prop::collection::vec(0u8..4, 1..6),
    ) {
        let mut frame = frame;
        frame.units.push(vec![0x41; 40]);
        for clear in [frame.tag(), sound] {
            let mut stack = vec![clear];
            for layer in &layers {
                let mut lock = match layer {
                    0 => off(Mode::Nalu),
                    1 => encryptor(Mode::Capsule),
                    _ => encryptor(Mode::Nalu),
                };
                let inner = stack.last().unwrap().clone();
                stack.push(lock.encrypt(inner).unwrap());
            }
            let mut wire = stack.pop().unwrap();
            while let Some(inner) = stack.pop() {
                // A clear tag that carries no marker was passed as it is.
                if wire != inner {
                    let (back, verdict) = decryptor().decrypt(wire);
                    prop_assert!(matches!(verdict, READ | Verdict::Literal), "{verdict}");
                    prop_assert_eq!(&back, &inner);
                }
                wire = inner;
            }
        }
    }
}

/// What MPEG-TS puts in front of each picture.
fn through_ts(tag: &Tag) -> Tag {
    let mut list = units(tag.body(), 5, LengthSize::Four);
    list.splice(0..0, [vec![9, 0x10], vec![0x67, 0x64, 0, 0x28], vec![0x68, 0xee]]);
    tag.with_body(prefixed(&tag.body()[..5], &list, LengthSize::Four).into()).unwrap()
}

#[test]
fn units_put_in_front_by_a_relay_hide_no_marker() {
    let tag = video(prefixed(&[0x17, 1, 0, 0, 0], &[vec![0x65; 60], vec![0x65; 70]], LengthSize::Four));
    let inner = encryptor(Mode::Nalu).encrypt(tag.clone()).unwrap();
    assert_eq!(decryptor().decrypt(through_ts(&inner)), (through_ts(&tag), READ));
    // A capsule holds the whole body, so what was put around it falls away.
    let inner = encryptor(Mode::Capsule).encrypt(tag.clone()).unwrap();
    assert_eq!(decryptor().decrypt(through_ts(&inner)), (tag, READ));
    // And between two layers.
    let outer = encryptor(Mode::Nalu).encrypt(through_ts(&inner)).unwrap();
    assert_eq!(decryptor().decrypt(through_ts(&outer)), (through_ts(&through_ts(&inner)), READ));
}

#[test]
fn an_off_capsule_is_marked_too() {
    let tag = video(prefixed(&[0x17, 1, 0, 0, 0], &[vec![0x65; 60]], LengthSize::Four));
    let inner = encryptor(Mode::Capsule).encrypt(tag.clone()).unwrap();
    let outer = off(Mode::Capsule).encrypt(inner.clone()).unwrap();
    assert_eq!(inspect(&outer), Marking::Literal);
    let mut unlock = decryptor();
    let (back, verdict) = unlock.decrypt(outer);
    assert_eq!((&back, verdict), (&inner, Verdict::Literal));
    assert_eq!(unlock.decrypt(back), (tag, READ));
}
