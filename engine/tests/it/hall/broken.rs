//! Encoders that break the protocol.

use std::io::Write;

use crate::hall::idle::{is_closed, publish_with};
use crate::live::{start_with, wait_for};

#[test]
fn the_line_of_an_encoder_that_breaks_a_limit_is_told_which() {
    let live = start_with(r#"push "rtmp:live/main""#);
    let handle = live.engine.handle();
    let mut encoder = publish_with("", live.engine.rtmp_addr().unwrap());
    // The head of a picture of 16 MiB.
    encoder.write_all(b"\x06\0\0\0\xff\xff\xff\x09\x01\0\0\0").unwrap();
    assert!(is_closed(&mut encoder));
    let is_told = |e: &&engine::Event| e.code == "line-disconnected" && e.subject == "main/fiber";
    let status = wait_for(&handle, "word of it", |s| s.events.iter().any(|e| is_told(&e)));
    let told = &status.events.iter().find(is_told).unwrap().message;
    assert!(told.contains("has 16777215 bytes; legal are 0 to 8388608"), "{told}");
}
