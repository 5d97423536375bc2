//! `encrypt` and `decrypt`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::obvan::{Said, obvan, obvan_fed};
use crate::stream::{KEY, flv};

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.flv"), flv()).unwrap();
    key(folder.path(), "key.hex", KEY, 0o600);
    folder
}

fn key(folder: &Path, name: &str, text: &str, mode: u32) {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn encrypt(folder: &Path, more: &[&str]) -> Said {
    obvan(folder, &[&["encrypt", "in.flv", "sealed.flv", "--key-file", "key.hex"], more].concat())
}

fn decrypt(folder: &Path, more: &[&str]) -> Said {
    obvan(folder, &[&["decrypt", "sealed.flv", "clear.flv", "--key-file", "key.hex"], more].concat())
}

#[test]
fn decrypt_undoes_encrypt_bit_for_bit() {
    let folder = folder();
    let said = encrypt(folder.path(), &[]).exits(0);
    assert!(
        said.stderr.starts_with("72 of 75 tags encrypted, 3 as they were (key id 1, mode nalu)"),
        "{}",
        said.stderr
    );
    assert!(said.stdout.is_empty());
    let sealed = fs::read(folder.path().join("sealed.flv")).unwrap();
    assert!(sealed.len() > flv().len());
    let said = decrypt(folder.path(), &[]).exits(0);
    assert!(said.stderr.starts_with("72 of 75 tags decrypted"), "{}", said.stderr);
    assert_eq!(fs::read(folder.path().join("clear.flv")).unwrap(), flv());
}

#[test]
fn sound_behind_silence_comes_back_bit_for_bit() {
    let folder = folder();
    let said = encrypt(folder.path(), &["--sound", "silence"]).exits(0);
    assert!(said.stderr.contains("(key id 1, mode nalu, sound silence)"), "{}", said.stderr);
    let probe = obvan(folder.path(), &["probe", "sealed.flv", "--format", "json"]).exits(0).json();
    assert_eq!(probe["encryption"]["state"], "all", "{probe}");
    decrypt(folder.path(), &["--allow-clear", "no"]).exits(0);
    assert_eq!(fs::read(folder.path().join("clear.flv")).unwrap(), flv());
}

#[test]
fn both_stream_from_stdin_to_stdout() {
    let folder = folder();
    let args = |verb| [verb, "-", "-", "--key-file", "key.hex", "--key-id", "7"];
    let sealed = obvan_fed(folder.path(), &args("encrypt"), &flv()).exits(0).stdout;
    assert_ne!(sealed, flv());
    assert_eq!(obvan_fed(folder.path(), &args("decrypt"), &sealed).exits(0).stdout, flv());
}

#[test]
fn clear_tags_pass_through_decrypt_unless_refused() {
    let folder = folder();
    let args = ["decrypt", "in.flv", "-", "--key-file", "key.hex"];
    assert_eq!(obvan(folder.path(), &args).exits(0).stdout, flv());
    let said = obvan(folder.path(), &[&args[..], &["--allow-clear", "no"]].concat()).exits(0);
    assert!(said.stderr.contains("72 dropped"), "{}", said.stderr);
}

#[test]
fn another_key_or_id_is_named_and_nothing_unreadable_is_written() {
    let folder = folder();
    encrypt(folder.path(), &[]).exits(0);
    key(folder.path(), "key.hex", "ff0102030405060708090a0b0c0d0e0f", 0o600);
    let said = decrypt(folder.path(), &[]).exits(1);
    assert!(said.stderr.contains("encrypted under another key 1"), "{}", said.stderr);
    assert!(said.stderr.contains("72 dropped"), "{}", said.stderr);
    let said = decrypt(folder.path(), &["--key-id", "2", "--force"]).exits(1);
    assert!(said.stderr.contains("encrypted under key 1, which is not there"), "{}", said.stderr);
}

#[test]
fn each_key_of_several_needs_an_id_of_its_own() {
    let folder = folder();
    encrypt(folder.path(), &[]).exits(0);
    key(folder.path(), "next.hex", "ff0102030405060708090a0b0c0d0e0f", 0o600);
    let next = ["--key-file", "next.hex"];
    for (ids, words) in [
        (&[][..], "2 --key-file and 0 --key-id: each key needs its id"),
        (&["--key-id", "1"], "2 --key-file and 1 --key-id"),
        (&["--key-id", "1", "--key-id", "1"], "--key-id 1 is there twice"),
    ] {
        let said = decrypt(folder.path(), &[&next, ids].concat()).exits(2);
        assert!(said.stderr.contains(words), "{}", said.stderr);
    }
    decrypt(folder.path(), &[&next[..], &["--key-id", "1", "--key-id", "2"]].concat()).exits(0);
    assert_eq!(fs::read(folder.path().join("clear.flv")).unwrap(), flv());
}

#[test]
fn nothing_that_is_there_is_overwritten_unasked() {
    let folder = folder();
    fs::write(folder.path().join("sealed.flv"), "precious").unwrap();
    let said = encrypt(folder.path(), &[]).exits(2);
    assert!(said.stderr.contains("sealed.flv is there already"), "{}", said.stderr);
    assert_eq!(fs::read(folder.path().join("sealed.flv")).unwrap(), b"precious");
    encrypt(folder.path(), &["--force"]).exits(0);
    let same =
        obvan(folder.path(), &["encrypt", "in.flv", "./in.flv", "--key-file", "key.hex", "--force"]).exits(2);
    assert!(same.stderr.contains("is the input itself"), "{}", same.stderr);
    assert_eq!(fs::read(folder.path().join("in.flv")).unwrap(), flv());
    // A device holds nothing.
    obvan(folder.path(), &["encrypt", "in.flv", "/dev/null", "--key-file", "key.hex"]).exits(0);
}

#[test]
fn damage_is_skipped_counted_and_told() {
    let folder = folder();
    encrypt(folder.path(), &[]).exits(0);
    let path = folder.path().join("sealed.flv");
    let mut sealed = fs::read(&path).unwrap();
    let middle = sealed.len() / 2;
    sealed[middle..middle + 1000].fill(0xee);
    fs::write(&path, &sealed).unwrap();
    let said = decrypt(folder.path(), &[]).exits(1);
    assert!(said.stderr.contains("FLV damaged at byte"), "{}", said.stderr);
    assert!(said.stderr.contains("damaged in 1 place(s)"), "{}", said.stderr);
    let probe = obvan(folder.path(), &["probe", "clear.flv", "--format", "json"]).exits(0).json();
    assert_eq!(probe["encryption"]["state"], "none");
    assert!(probe["tags"].as_u64().unwrap() > 40, "{probe}");

    // Cut off in the middle of a tag: what is whole before it is kept.
    sealed.truncate(middle);
    fs::write(&path, &sealed).unwrap();
    let said = decrypt(folder.path(), &["--force"]).exits(1);
    assert!(
        said.stderr.contains("bytes are missing") || said.stderr.contains("are missing"),
        "{}",
        said.stderr
    );
}

#[test]
fn what_is_no_flv_is_named_and_leaves_no_output() {
    let folder = folder();
    fs::write(folder.path().join("in.flv"), b"\0\0\0\x20ftypisom and so on").unwrap();
    let said = encrypt(folder.path(), &[]).exits(1);
    assert!(said.stderr.contains("in.flv is no FLV stream; it looks like MP4"), "{}", said.stderr);
    assert!(!folder.path().join("sealed.flv").exists());
}

#[test]
fn a_codec_without_a_rule_is_refused_or_passes_where_asked() {
    let folder = folder();
    // MP3 sound.
    let mut file = flv();
    let tag =
        flv::Tag::new(flv::TagKind::Audio, flv::FlvMillis(2000), bytes::Bytes::from_static(&[0x2f, 1, 2, 3]));
    let mut more = bytes::BytesMut::new();
    tag.unwrap().write_into(&mut more);
    file.extend_from_slice(&more);
    fs::write(folder.path().join("in.flv"), &file).unwrap();
    let said = encrypt(folder.path(), &[]).exits(1);
    assert!(said.stderr.contains("there is no rule for MP3 audio"), "{}", said.stderr);
    assert!(!folder.path().join("sealed.flv").exists());
    encrypt(folder.path(), &["--unknown", "clear"]).exits(0);
    decrypt(folder.path(), &[]).exits(0);
    assert_eq!(fs::read(folder.path().join("clear.flv")).unwrap(), file);
}
