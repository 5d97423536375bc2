//! Tags of all kinds through switches and rotations: what is encrypted is decrypted bit by
//! bit, by a reader that saw all before as by one that comes late, and nothing goes out
//! clear that was to be hidden. The input is a [`Run`].
#![no_main]

use bytes::{Bytes, BytesMut};
use crypto::{
    CryptoError, Encryption, Gate, Inspector, KeyId, KeyRing, Marking, Mode, Sound, TagDecryptor,
    TagEncryptor, Transcoder, UnknownBody, Verdict,
};
use flv::audio::{AudioHeader, AudioPacket};
use flv::nalu::{self, LengthSize};
use flv::video::{VideoHeader, VideoPacket};
use flv::{FlvMillis, MAX_BODY, Tag, TagKind, Tracks};
use harness::ops::{self, Op, Run};
use harness::{key, pieces};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|run: Run| check(run));

fn check(run: Run) {
    let mut lock = TagEncryptor::new(key(1), KeyId(1), run.mode).unwrap().with_sound(run.sound);
    // Stereo, until the run says otherwise: there is a silence to put sound behind.
    let config = Bytes::from_static(&[0xaf, 0, 0x11, 0x90]);
    lock.encrypt(Tag::new(TagKind::Audio, FlvMillis(0), config).unwrap()).unwrap();
    if run.pass_unknown {
        lock = lock.with_unknown_body(UnknownBody::PassClear);
    }
    let ring: KeyRing = (0..=255).map(|id| (KeyId(id), key(id))).collect();
    let mut unlock = TagDecryptor::new(ring.clone());
    let mut inspector = Inspector::new();
    let (mut size, mut own_heads) = (LengthSize::Four, true);
    let (mut sent, mut heads): (Vec<Tag>, Vec<Tag>) = Default::default();
    let (mut clear, mut wires) = (BytesMut::new(), BytesMut::new());
    for file in [&mut clear, &mut wires] {
        flv::write_file_header(file, Tracks::Both);
    }
    for (step, op) in run.ops.into_iter().enumerate() {
        let is_frame = matches!(op, Op::Frame { .. });
        own_heads &= !matches!(op, Op::Raw(..) | Op::Again { .. });
        let (kind, body) = match op {
            Op::Off => {
                lock.set_encryption(Encryption::Off).unwrap();
                continue;
            }
            Op::On => {
                lock.set_encryption(Encryption::On).unwrap();
                continue;
            }
            Op::Rotate(id) => {
                lock.rotate(key(id), KeyId(id)).unwrap();
                continue;
            }
            Op::Sequence(form, new) => {
                size = new;
                (TagKind::Video, form.sequence(new))
            }
            Op::Frame { form, flags, units } => (TagKind::Video, form.frame(flags, &units, size)),
            // Tracks other than 0 have had no sequence header: their lengths are of 4 bytes.
            Op::Tracks { flags, layout, tracks } => ops::tracks(flags, layout, &tracks, LengthSize::Four),
            Op::Sound(raw) => (TagKind::Audio, [&[0xaf, 1], &raw[..]].concat()),
            Op::Raw(kind, body) => (kind, body),
            Op::Again { back, at, xor } => {
                let Some(old) = sent.len().checked_sub(1 + usize::from(back)).map(|i| &sent[i]) else {
                    continue;
                };
                let mut body = old.body().to_vec();
                if let Some(byte) = body.get_mut(usize::from(at)) {
                    *byte ^= xor;
                }
                (old.kind, body)
            }
        };
        let tag = Tag::new(kind, FlvMillis(step as u32 * 40), body.into()).unwrap();
        let wire = match lock.encrypt(tag.clone()) {
            Ok(wire) => wire,
            Err(err) => {
                refused(&err, &lock, run.pass_unknown, &tag);
                continue;
            }
        };
        let is_head = |header: VideoHeader| header.is_sequence_start();
        if tag.kind == TagKind::Video && VideoHeader::parse(tag.body()).is_ok_and(is_head) {
            assert_eq!(wire, tag);
            heads.push(tag.clone());
        }
        let (back, verdict) = unlock.decrypt(wire.clone());
        assert_eq!(back, tag, "{verdict:?}");
        // Lengths as our own headers have them, not one that came in as raw bytes.
        if own_heads && is_frame {
            no_start_codes(&tag, &wire, size);
        }
        judge(&tag, &wire, verdict, inspector.inspect(&wire), &lock, run.pass_unknown);

        let mut late = TagDecryptor::new(ring.clone());
        let mut keyless = TagDecryptor::default();
        for head in &heads {
            late.decrypt(head.clone());
            keyless.decrypt(head.clone());
        }
        assert_eq!(late.decrypt(wire.clone()), (tag.clone(), verdict));
        match verdict {
            // Some of its tracks were encrypted, and others were not.
            Verdict::Clear | Verdict::Literal if has_tracks(&wire) => {
                let (out, verdict) = keyless.decrypt(wire.clone());
                match verdict {
                    Verdict::UnknownKey { .. } => assert_eq!(out, wire),
                    _ => assert_eq!(out, tag),
                }
            }
            Verdict::Encrypted { key } => {
                assert_eq!(keyless.decrypt(wire.clone()), (wire.clone(), Verdict::UnknownKey { id: key }));
            }
            verdict => assert_eq!(keyless.decrypt(wire.clone()), (tag.clone(), verdict)),
        }
        tag.write_into(&mut clear);
        wire.write_into(&mut wires);
        sent.push(wire);
    }
    let mut work = Transcoder::decrypting(TagDecryptor::new(ring), Gate::default());
    let mut out = BytesMut::new();
    for piece in pieces(&wires, clear.len() as u8) {
        work.push(piece).unwrap();
        out.extend_from_slice(&work.take());
    }
    let (rest, counts) = work.finish().unwrap();
    out.extend_from_slice(&rest);
    assert_eq!(out, clear);
    assert!(counts.is_whole() && counts.tags == sent.len() as u64, "{counts}");
}

/// Whether a tag is of several tracks, or of one that is not the default.
fn has_tracks(tag: &Tag) -> bool {
    match tag.kind {
        TagKind::Audio => AudioHeader::parse(tag.body())
            .is_ok_and(|header| matches!(header.packet, AudioPacket::Multitrack { .. })),
        TagKind::Video => VideoHeader::parse(tag.body())
            .is_ok_and(|header| matches!(header.packet, VideoPacket::Multitrack { .. })),
        TagKind::Script => false,
    }
}

/// Whether the encryptor may refuse this tag so.
fn refused(err: &CryptoError, lock: &TagEncryptor, pass_unknown: bool, tag: &Tag) {
    let on = lock.encryption() == Encryption::On;
    let fits = match err {
        CryptoError::NoRule { .. } => on && !pass_unknown,
        CryptoError::Unsupported { mode, .. } => on && *mode == Mode::Capsule,
        CryptoError::UnitTooLong { len, max, .. } => on && len > max,
        CryptoError::TooManyUnits { .. } => on && tag.body().len() > usize::from(u16::MAX),
        CryptoError::TooLong { len, .. } => *len > MAX_BODY,
        CryptoError::NoSilence { .. } => on && lock.sound() == Sound::Silence,
        CryptoError::Ambiguous { .. } => !on || pass_unknown,
        _ => false,
    };
    assert!(fits, "{err}");
}

/// A stream that a transmuxer could take apart stays one: where no unit held a start code,
/// none does afterwards.
fn no_start_codes(tag: &Tag, wire: &Tag, size: LengthSize) {
    let head = VideoHeader::parse(tag.body()).unwrap().payload_offset;
    let has = |tag: &Tag| {
        let body = tag.body();
        nalu::units(body, head, size)
            .any(|unit| body[unit.unwrap()].windows(3).any(|three| matches!(three, [0, 0, 0..=2])))
    };
    assert!(has(tag) || !has(wire), "encryption made a start code");
}

/// Whether this verdict is right, and the tag on the wire is such that a relay takes it.
fn judge(tag: &Tag, wire: &Tag, verdict: Verdict, marking: Marking, lock: &TagEncryptor, pass_unknown: bool) {
    let on = lock.encryption() == Encryption::On;
    assert_eq!((tag.kind, tag.timestamp), (wire.kind, wire.timestamp));
    match verdict {
        Verdict::Exempt => assert!(wire == tag && marking == Marking::Exempt),
        Verdict::Clear => {
            assert!((wire == tag || has_tracks(tag)) && (!on || pass_unknown) && marking == Marking::Clear)
        }
        Verdict::Literal => {
            assert!(wire.body().len() > tag.body().len() && (!on || pass_unknown));
            assert_eq!(marking, Marking::Literal);
        }
        Verdict::Encrypted { key } => {
            assert!(on && key == lock.key_id());
            assert!(wire.body().len() >= tag.body().len() + 20);
            assert!(matches!(marking, Marking::Encrypted { key: own, .. } if own == key), "{marking:?}");
        }
        other => panic!("{other:?}"),
    }
    if tag.kind == TagKind::Video
        && let Ok(header) = VideoHeader::parse(tag.body())
    {
        let head = header.payload_offset;
        assert_eq!(tag.body()[..head], wire.body()[..head], "the codec header was touched");
        // Whatever length size the units add up in, they do so afterwards.
        let adds_up = |body, size| nalu::units(body, head, size).all(|unit| unit.is_ok());
        if has_tracks(tag) {
            let known = |tag: &Tag| -> Vec<_> {
                let parts = header.tracks(tag.body());
                parts.map(|part| part.map(|part| (part.track, part.codec)).ok()).collect()
            };
            assert_eq!(known(tag), known(wire), "the tracks are others");
        } else if matches!(verdict, Verdict::Encrypted { .. }) {
            let sizes = [LengthSize::One, LengthSize::Two, LengthSize::Three, LengthSize::Four];
            assert!(sizes.into_iter().any(|size| adds_up(wire.body(), size)), "the framing is torn");
        }
    }
}
