//! `probe`.

use std::fs;

use crate::obvan::{obvan, obvan_fed};
use crate::stream::{KEY, flv};

#[test]
fn a_clear_stream_in_words() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.flv"), flv()).unwrap();
    let said = obvan(folder.path(), &["probe", "in.flv"]).exits(0);
    assert!(said.stderr.is_empty(), "{}", said.stderr);
    insta::assert_snapshot!(said.text());
}

#[test]
fn an_encrypted_stream_as_json() {
    let folder = tempfile::tempdir().unwrap();
    crate::keys::write(&folder.path().join("key.hex"), KEY, 0o600);
    let args = ["encrypt", "-", "-", "--key-file", "key.hex", "--key-id", "9"];
    let sealed = obvan_fed(folder.path(), &args, &flv()).exits(0).stdout;
    let probe = obvan_fed(folder.path(), &["probe", "-", "--format", "json"], &sealed).exits(0).json();
    assert_eq!(probe["tags"], 75);
    assert_eq!(probe["video"]["codecs"], serde_json::json!(["AVC"]));
    assert_eq!(probe["video"]["sizes"], serde_json::json!(["640x360"]));
    assert_eq!(probe["video"]["key_frames"], 3);
    assert_eq!(probe["video"]["key_frame_pts_ms"], serde_json::json!([0, 400, 800]));
    assert_eq!(probe["audio"]["sample_rate"], 48000);
    let encryption = &probe["encryption"];
    assert_eq!(encryption["state"], "all");
    assert_eq!(encryption["modes"], serde_json::json!(["nalu"]));
    assert_eq!(encryption["key_ids"], serde_json::json!([9]));
    assert_eq!(encryption["video"]["encrypted"], 25);
    assert_eq!(encryption["audio"]["encrypted"], 47);
    // Half of it clear: both are said.
    let mixed = [sealed, flv()[13..].to_vec()].concat();
    let probe = obvan_fed(folder.path(), &["probe", "-", "--format", "json"], &mixed).exits(0).json();
    assert_eq!(probe["encryption"]["state"], "mixed");
}

#[test]
fn a_stream_without_a_mark_says_so_and_exits_1() {
    let folder = tempfile::tempdir().unwrap();
    let said = obvan_fed(folder.path(), &["probe", "--mark", "-"], &flv()).exits(1);
    // Its pictures are made up: nothing can be decoded.
    assert!(said.text().contains("\nmark        none in 0 pictures\n"), "{}", said.text());
    let json = ["probe", "--mark", "-", "--format", "json"];
    let probe = obvan_fed(folder.path(), &json, &flv()).exits(1).json();
    assert_eq!(
        probe["mark"],
        serde_json::json!({"id": null, "rung": null, "confidence": 0.0, "pictures": 0})
    );
}

#[test]
fn damage_is_said_and_exits_1() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = flv();
    file.truncate(file.len() - 10);
    let probe = obvan_fed(folder.path(), &["probe", "-", "--format", "json"], &file).exits(1).json();
    assert_eq!(probe["damage"]["places"], 1);
    assert_eq!(probe["tags"], 74);
    let said = obvan_fed(folder.path(), &["probe", "-"], b"").exits(1);
    assert!(said.stderr.contains("it is empty"), "{}", said.stderr);
}

#[test]
fn other_containers_are_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.mkv"), [0x1a, 0x45, 0xdf, 0xa3, 1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap();
    let said = obvan(folder.path(), &["probe", "in.mkv"]).exits(1);
    assert!(
        said.stderr.contains("in.mkv is no FLV stream; it looks like Matroska or WebM"),
        "{}",
        said.stderr
    );
    assert!(said.stdout.is_empty());
    obvan(folder.path(), &["probe", "missing.flv"]).exits(2);
    obvan(folder.path(), &["probe", "."]).exits(2);
}

/// What is wrong with parameter sets is said in words, whatever the parser calls it.
#[test]
fn a_damaged_parameter_set_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let head = bytes::BytesMut::from(&flv()[..13]);
    let mut told = String::new();
    // The SPS lies at byte 13 of the body: cut short, of an impossible depth, and cropped away.
    for sps in ["6742c0", "676400280000", "67640028ac000000000000", "67ff"] {
        let sps = crate::stream::hex(sps);
        let config =
            [&[1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, sps.len() as u8][..], &sps, &[1, 0, 1, 0x68]].concat();
        let body = flv::video::avc_sequence_header(&config);
        let mut file = head.clone();
        flv::Tag::new(flv::TagKind::Video, flv::FlvMillis(0), body).unwrap().write_into(&mut file);
        let said = obvan_fed(folder.path(), &["probe", "-"], &file);
        told += said.text().split_once("damage").map_or("fine\n", |(_, damage)| damage);
    }
    for debug in ["Error", "(", "{", "::"] {
        assert!(!told.contains(debug), "{told}");
    }
    insta::assert_snapshot!(told);
}
