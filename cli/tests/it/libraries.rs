//! What a start of the binary loads before it does anything.

use std::process::Command;

/// Of a library that few shows need, and that brings seventy others along.
#[test]
fn filters_are_not_loaded_by_every_start() {
    // The loader lists what it would load, and goes no further.
    let told =
        Command::new(env!("CARGO_BIN_EXE_obvan")).env("LD_TRACE_LOADED_OBJECTS", "1").output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("libavcodec.so"), "{told}");
    for library in ["libavfilter", "libavformat", "libavdevice"] {
        assert!(!told.contains(library), "{told}");
    }
}
