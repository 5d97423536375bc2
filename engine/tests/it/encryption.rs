//! An encrypted channel: clean after decryption, noise before it, switched while it runs.

use std::os::unix::fs::PermissionsExt;

use crypto::{KeyId, KeyRing, Marking, MasterKey, Mode, TagDecryptor, Verdict, inspect};
use flv::{Tag, TagKind};
use pipeline_dsl::Switch;

use crate::support::{Ran, decode, ffmpeg, offline, psnr, tags};

const FIRST: &str = "000102030405060708090a0b0c0d0e0f";
const SECOND: &str = "f0e0d0c0b0a090807060504030201000";

fn run(mode: &str, rundown: &str) -> (Ran, tempfile::TempDir) {
    let keys = tempfile::tempdir().unwrap();
    for (name, digits) in [("first.key", FIRST), ("second.key", SECOND)] {
        let path = keys.path().join(name);
        std::fs::write(&path, digits).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let at = keys.path().display();
    let ran = offline(
        &format!(
            r#"
show "secret" {{
  video 640x360 25fps
  audio 48kHz stereo
  camera main {{ line gen test "motion" tone=440 }}
  key tour {{ id 1 file="{at}/first.key"; id 2 file="{at}/second.key" }}
  ladder two {{
    preset veryfast; keyframe 1s; audio 96k
    rung 360p 640x360 1500k
    rung 180p 320x180 500k
  }}
  channel program {{
    sources main
    ladder two
    encrypt tour mode={mode}
    egress disk record "{{rung}}.flv"
    egress safe record "{{rung}}-clear.flv" clear=true
  }}
  rundown program {{
    {rundown}
    at 0:05 end
  }}
}}"#
        ),
        ffmpeg(),
    );
    (ran, keys)
}

fn decryptor() -> TagDecryptor {
    let ring = [(KeyId(1), FIRST), (KeyId(2), SECOND)];
    let ring: KeyRing = ring.into_iter().map(|(id, key)| (id, key.parse::<MasterKey>().unwrap())).collect();
    TagDecryptor::new(ring)
}

/// A coded tag's time in seconds, its kind, and the key it was under.
type Carried = (f64, TagKind, Option<u8>);

/// The decrypted tags, and how each coded one was carried.
fn read(ran: &Ran, rung: &str) -> (Vec<Tag>, Vec<Carried>) {
    let mut decryptor = decryptor();
    let (mut clear, mut keys) = (Vec::new(), Vec::new());
    for tag in tags(&ran.out.path().join(format!("{rung}.flv"))) {
        let at = f64::from(tag.timestamp.0) / 1000.0;
        let kind = tag.kind;
        let (tag, verdict) = decryptor.decrypt(tag);
        match verdict {
            Verdict::Encrypted { key } => keys.push((at, kind, Some(key.0))),
            Verdict::Clear => keys.push((at, kind, None)),
            // Headers and metadata: never encrypted.
            Verdict::Exempt => {}
            other => panic!("{at}: {other:?}"),
        }
        clear.push(tag);
    }
    (clear, keys)
}

#[test]
fn noise_before_decryption_and_the_very_tags_after_it() {
    let (ran, _keys) = run("nalu", "");
    for rung in ["360p", "180p"] {
        let (decrypted, _) = read(&ran, rung);
        let clear = tags(&ran.out.path().join(format!("{rung}-clear.flv")));
        // The metadata's duration is written at the end, in both alike.
        assert!(decrypted == clear, "{rung}: decrypted tags differ from the clear egress");
        let encrypted = tags(&ran.out.path().join(format!("{rung}.flv")));
        let marked = |tag: &&Tag| matches!(inspect(tag), Marking::Encrypted { .. });
        assert!(encrypted.iter().filter(marked).count() > 300, "{rung}");
        let sent: usize = encrypted.iter().skip(3).map(Tag::wire_len).sum();
        let told = ran.report.channels[0].rungs.iter().find(|r| r.name == rung).unwrap().bytes;
        assert_eq!(told, sent as u64, "{rung}: bytes are counted as they leave, headers aside");
        let (good, noise) = (decode(&clear), decode(&encrypted));
        assert_eq!(good.len(), 125);
        assert!(!noise.is_empty(), "a decoder gets something to show");
        for frame in &noise {
            let same = good.iter().min_by_key(|g| (g.pts - frame.pts).abs()).unwrap();
            let psnr = psnr(frame, same);
            assert!(psnr < 20.0, "{rung} at {}: {psnr:.1} dB is no noise", frame.pts);
        }
    }
}

#[test]
fn off_on_and_rotation_take_effect_at_once_at_a_key_frame_and_lose_nothing() {
    let rundown = "at 0:01.200 encrypt off; at 0:02.400 encrypt on; at 0:03.600 encrypt rotate";
    let (ran, _keys) = run("nalu", rundown);
    let (decrypted, keys) = read(&ran, "180p");
    assert!(decrypted == tags(&ran.out.path().join("180p-clear.flv")));
    let lead = keys.iter().find(|k| k.1 == TagKind::Video && k.2.is_some()).unwrap().0;
    for (at, _, key) in keys.iter().filter(|k| k.1 == TagKind::Video).skip(1) {
        // DTS of a key frame lies up to three frames before its PTS.
        let expected: &[Option<u8>] = match at - lead {
            t if t < 1.05 => &[Some(1)],
            t if t < 1.25 => &[Some(1), None],
            t if t < 2.25 => &[None],
            t if t < 2.45 => &[None, Some(1)],
            t if t < 3.45 => &[Some(1)],
            t if t < 3.65 => &[Some(1), Some(2)],
            _ => &[Some(2)],
        };
        assert!(expected.contains(key), "at {:.3}: {key:?}, expected {expected:?}", at - lead);
    }
    for rung in ["360p", "180p"] {
        let subject = format!("program/{rung}");
        let said = ran.report.events.iter().filter(|e| e.code == "encryption" && e.subject == subject);
        let said: Vec<_> = said.map(|e| e.message.split(" from").next().unwrap()).collect();
        assert_eq!(
            said,
            ["encrypted under key 1", "clear", "encrypted under key 1", "encrypted under key 2"]
        );
    }
    let told: Vec<_> = ran.report.channels[0].encryption.iter().map(|e| (e.t, e.state, e.key_id)).collect();
    let (on, off) = (Switch::On, Switch::Off);
    // At once: the key frame comes with the command.
    assert_eq!(told, [(0.0, on, Some(1)), (1.2, off, None), (2.4, on, Some(1)), (3.6, on, Some(2))]);
}

#[test]
fn a_capsule_show_is_noise_before_decryption_and_the_very_tags_after_it() {
    let (ran, _keys) = run("capsule", "at 0:02 encrypt rotate");
    for rung in ["360p", "180p"] {
        let (decrypted, keys) = read(&ran, rung);
        let clear = tags(&ran.out.path().join(format!("{rung}-clear.flv")));
        assert!(decrypted == clear, "{rung}: decrypted tags differ from the clear egress");
        assert!(keys.iter().all(|(_, _, key)| key.is_some()), "{rung}: all is encrypted");
        let encrypted = tags(&ran.out.path().join(format!("{rung}.flv")));
        let modes: Vec<_> = encrypted
            .iter()
            .filter(|tag| tag.kind == TagKind::Video)
            .filter_map(|tag| match inspect(tag) {
                Marking::Encrypted { mode, .. } => Some(mode),
                _ => None,
            })
            .collect();
        assert!(modes.len() == 125 && modes.iter().all(|mode| *mode == Mode::Capsule), "{rung}: {modes:?}");
        // Slice headers are hidden too: a decoder shows noise, if anything.
        let good = decode(&clear);
        for frame in decode(&encrypted) {
            let same = good.iter().min_by_key(|g| (g.pts - frame.pts).abs()).unwrap();
            let psnr = psnr(&frame, same);
            assert!(psnr < 20.0, "{rung} at {}: {psnr:.1} dB is no noise", frame.pts);
        }
    }
}

#[test]
fn sound_goes_out_behind_silence_where_the_show_says_so() {
    let (ran, _keys) = run("nalu sound=silence", "at 0:01.200 encrypt off; at 0:02.400 encrypt on");
    let (decrypted, keys) = read(&ran, "180p");
    assert!(decrypted == tags(&ran.out.path().join("180p-clear.flv")));
    let encrypted = tags(&ran.out.path().join("180p.flv"));
    let sealed = |tag: &&Tag| tag.kind == TagKind::Audio && matches!(inspect(tag), Marking::Encrypted { .. });
    let sounds: Vec<_> = encrypted.iter().filter(sealed).collect();
    assert_eq!(sounds.len(), keys.iter().filter(|k| k.1 == TagKind::Audio && k.2.is_some()).count());
    assert!(sounds.len() > 100);
    // A silent frame in stereo ends each.
    assert!(sounds.iter().all(|tag| tag.body().ends_with(&[0x21, 0, 0, 0, 0, 0x1c])));
}

#[test]
fn a_key_that_is_not_there_keeps_the_show_from_starting_and_says_which() {
    let text = r#"
show "x" {
  video 320x180 25fps
  camera main { line gen test "bars" }
  key tour { id 1 file="/nowhere/at/all.key" }
  ladder one { rung 180p 320x180 500k }
  channel program { sources main; ladder one; encrypt tour; egress disk record "x.flv" }
  rundown program { at 0:01 end }
}"#;
    let options = engine::RunOptions::new(engine::Mode::Offline);
    let error = engine::Engine::start(crate::support::show(text), options).err().unwrap().to_string();
    assert!(error.contains("key tour id 1") && error.contains("/nowhere/at/all.key"), "{error}");
}
