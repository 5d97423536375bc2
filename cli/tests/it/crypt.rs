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
    let why = "warning: 72 tag(s) dropped: clear, as --allow-clear no refuses";
    assert!(said.stderr.contains(why), "{}", said.stderr);
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
    assert!(said.stderr.contains("`--unknown clear`"), "{}", said.stderr);
    // What was written before it stays.
    assert!(said.stderr.contains("sealed.flv stays, whole as far as it goes: 75 tag(s)"), "{}", said.stderr);
    decrypt(folder.path(), &[]).exits(0);
    assert_eq!(fs::read(folder.path().join("clear.flv")).unwrap(), flv());
    fs::remove_file(folder.path().join("clear.flv")).unwrap();
    let said = encrypt(folder.path(), &["--unknown", "clear", "--force"]).exits(0);
    assert!(said.stderr.contains("3 as they were, 1 CLEAR for want of a rule"), "{}", said.stderr);
    decrypt(folder.path(), &[]).exits(0);
    assert_eq!(fs::read(folder.path().join("clear.flv")).unwrap(), file);
}

#[test]
fn a_damaged_body_is_dropped_and_told_and_never_goes_out_clear() {
    let folder = folder();
    let mut tags = crate::stream::tags();
    let at = tags.iter().rposition(|tag| tag.kind == flv::TagKind::Video).unwrap();
    let mut body = tags[at].body().to_vec();
    body[5] ^= 0x40;
    let damaged = flv::Tag::new(flv::TagKind::Video, tags[at].timestamp, body.into()).unwrap();
    let write = |tags: &[flv::Tag]| {
        let mut out = bytes::BytesMut::from(&flv()[..13]);
        tags.iter().for_each(|tag| tag.write_into(&mut out));
        out.to_vec()
    };
    let offset = write(&tags[..at]).len();
    tags[at] = damaged;
    fs::write(folder.path().join("in.flv"), write(&tags)).unwrap();
    tags.remove(at);
    for unknown in ["refuse", "clear"] {
        let said = encrypt(folder.path(), &["--unknown", unknown, "--force"]).exits(1);
        for words in [
            &format!("in.flv: tag {at} at byte {offset} is damaged, and dropped: NAL unit"),
            "71 of 75 tags encrypted, 3 as they were, 1 dropped",
            "in.flv was damaged in 1 place(s)",
        ] {
            assert!(said.stderr.contains(words), "{words}: {}", said.stderr);
        }
        decrypt(folder.path(), &["--force"]).exits(0);
        assert_eq!(fs::read(folder.path().join("clear.flv")).unwrap(), write(&tags));
    }
}

#[test]
fn a_picture_behind_the_end_of_a_sequence_is_damage_and_never_goes_out_clear() {
    let folder = folder();
    let body = bytes::Bytes::from_static(b"\x17\x02\0\0\0\0\0\0\x05\x65secr");
    let end = flv::Tag::new(flv::TagKind::Video, flv::FlvMillis(2000), body).unwrap();
    let mut file = bytes::BytesMut::from(&flv()[..]);
    end.write_into(&mut file);
    for tag in crate::stream::tags() {
        tag.write_into(&mut file);
    }
    fs::write(folder.path().join("in.flv"), file).unwrap();
    for unknown in ["refuse", "clear"] {
        let said = encrypt(folder.path(), &["--unknown", unknown, "--force"]).exits(1);
        for words in [
            "tag 75 at byte",
            "is damaged, and dropped: there is no rule for 9 bytes in an end of sequence",
            "144 of 151 tags encrypted, 6 as they were, 1 dropped",
            "in.flv was damaged in 1 place(s)",
        ] {
            assert!(said.stderr.contains(words), "{words}: {}", said.stderr);
        }
        let sealed = fs::read(folder.path().join("sealed.flv")).unwrap();
        assert!(!sealed.windows(4).any(|four| four == b"secr"));
    }
    let help = obvan(folder.path(), &["encrypt", "--help"]).exits(0);
    assert!(help.text().contains("is dropped whatever --unknown says"), "{}", help.text());
}

#[test]
fn pictures_that_need_unread_ones_wait_for_a_key_frame_and_that_is_told() {
    let folder = folder();
    key(folder.path(), "next.hex", "ff0102030405060708090a0b0c0d0e0f", 0o600);
    encrypt(folder.path(), &[]).exits(0);
    let tags_of = |args: &[&str]| {
        let sealed = obvan(folder.path(), args).exits(0).stdout;
        let mut reader = flv::TagReader::new();
        reader.push(sealed.into());
        let items = std::iter::from_fn(|| reader.next().unwrap());
        items
            .filter_map(|item| if let flv::Item::Tag(tag) = item { Some(tag) } else { None })
            .collect::<Vec<_>>()
    };
    let first = tags_of(&["encrypt", "in.flv", "-", "--key-file", "next.hex", "--key-id", "2"]);
    let second = tags_of(&["encrypt", "in.flv", "-", "--key-file", "key.hex"]);
    // From the fifth picture on under the key that is there: the next key frame is the eleventh.
    let is_picture = |tag: &&flv::Tag| tag.kind == flv::TagKind::Video && tag.body()[1] == 1;
    let change = second.iter().position(|tag| Some(tag) == second.iter().filter(is_picture).nth(4)).unwrap();
    let opens = second.iter().position(|tag| Some(tag) == second.iter().filter(is_picture).nth(10)).unwrap();
    let mut file = bytes::BytesMut::from(&flv()[..13]);
    first[..change].iter().chain(&second[change..]).for_each(|tag| tag.write_into(&mut file));
    fs::write(folder.path().join("sealed.flv"), file).unwrap();
    let said = decrypt(folder.path(), &["--key-id", "1"]).exits(1);
    let waited = format!("warning: {} tag(s) dropped: no key frame since others were", opens - change);
    assert!(said.stderr.contains(&waited), "{waited}: {}", said.stderr);
    let unread = format!("error: {} tag(s) could not be read: encrypted under key 2", change - 3);
    assert!(said.stderr.contains(&unread), "{unread}: {}", said.stderr);
    let mut open = bytes::BytesMut::from(&flv()[..13]);
    let tags = crate::stream::tags();
    tags[..3].iter().chain(&tags[opens..]).for_each(|tag| tag.write_into(&mut open));
    assert_eq!(fs::read(folder.path().join("clear.flv")).unwrap(), open);
}

/// As a shell has it; `$0` is the command.
fn bash(folder: &Path, script: &str) -> (Option<i32>, String) {
    let mut bash = std::process::Command::new("bash");
    let output = bash.args(["-c", script, env!("CARGO_BIN_EXE_obvan")]).current_dir(folder).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_is_whole_stays_when_nothing_more_can_be_written() {
    let folder = folder();
    let script = r#"trap '' XFSZ; ulimit -f 8; "$0" encrypt - sealed.flv --key-file key.hex <in.flv"#;
    let (code, said) = bash(folder.path(), script);
    assert!(code == Some(1) && said.contains("writing sealed.flv: "), "{said}");
    assert!(said.contains("sealed.flv stays, whole as far as it goes: "), "{said}");
    decrypt(folder.path(), &[]).exits(0);
    let clear = fs::read(folder.path().join("clear.flv")).unwrap();
    assert!(clear.len() > 4000 && flv().starts_with(&clear), "{} bytes", clear.len());
    // Not a byte fits: nothing stays.
    let (code, said) = bash(folder.path(), &script.replace("-f 8", "-f 0").replace("sealed", "none"));
    assert!(code == Some(1) && !folder.path().join("none.flv").exists(), "{said}");
}

#[test]
fn a_file_is_replaced_only_by_tags_and_never_by_itself() {
    let folder = folder();
    let script = r#""$0" encrypt - in.flv --key-file key.hex --force <in.flv"#;
    let (code, said) = bash(folder.path(), script);
    assert!(code == Some(2) && said.contains("is the input itself"), "{said}");
    assert_eq!(fs::read(folder.path().join("in.flv")).unwrap(), flv());
    fs::write(folder.path().join("sealed.flv"), "precious").unwrap();
    let args = ["encrypt", "-", "sealed.flv", "--key-file", "key.hex", "--force"];
    for bad in [&b""[..], b"hello there", &flv()[..9], &flv()[..40]] {
        obvan_fed(folder.path(), &args, bad).exits(1);
        assert_eq!(fs::read(folder.path().join("sealed.flv")).unwrap(), b"precious");
    }
    obvan_fed(folder.path(), &args, &flv()).exits(0);
    decrypt(folder.path(), &[]).exits(0);
    assert_eq!(fs::read(folder.path().join("clear.flv")).unwrap(), flv());
}
