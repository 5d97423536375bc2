//! Bodies of video tags.

use bytes::{BufMut, Bytes, BytesMut};
use media::OutOfRange;

use super::FrameType;

/// A body that holds an `avcC`: see [`crate::avc::DecoderConfig`].
pub fn avc_sequence_header(config: &[u8]) -> Bytes {
    [&[0x17, 0, 0, 0, 0], config].concat().into()
}

/// A body that says no more AVC frames come.
pub fn avc_end_of_sequence() -> Bytes {
    Bytes::from_static(&[0x17, 2, 0, 0, 0])
}

/// Appends a body of one AVC frame: `nalus` are its length-prefixed NAL units.
///
/// # Errors
/// A composition time outside -8388608 to 8388607; nothing is written.
pub fn write_avc_frame(
    frame_type: FrameType,
    composition_ms: i32,
    nalus: &[u8],
    out: &mut BytesMut,
) -> Result<(), OutOfRange> {
    let composition = composition_bytes(composition_ms)?;
    out.reserve(5 + nalus.len());
    out.put_slice(&[(frame_type as u8) << 4 | 7, 1]);
    out.put_slice(&composition);
    out.put_slice(nalus);
    Ok(())
}

/// An enhanced body that holds an `hvcC`: see [`crate::hevc::DecoderConfig`].
pub fn hevc_sequence_header(config: &[u8]) -> Bytes {
    [b"\x90hvc1", config].concat().into()
}

/// An enhanced body that says no more HEVC frames come.
pub fn hevc_end_of_sequence() -> Bytes {
    Bytes::from_static(b"\x92hvc1")
}

/// Appends an enhanced body of one HEVC frame: `nalus` are its length-prefixed
/// NAL units. A composition time of 0 is left out (CodedFramesX).
///
/// # Errors
/// A composition time outside -8388608 to 8388607; nothing is written.
pub fn write_hevc_frame(
    frame_type: FrameType,
    composition_ms: i32,
    nalus: &[u8],
    out: &mut BytesMut,
) -> Result<(), OutOfRange> {
    let composition = composition_bytes(composition_ms)?;
    out.reserve(8 + nalus.len());
    let packet_type = if composition_ms == 0 { 3 } else { 1 };
    out.put_u8(0x80 | (frame_type as u8) << 4 | packet_type);
    out.put_slice(b"hvc1");
    if composition_ms != 0 {
        out.put_slice(&composition);
    }
    out.put_slice(nalus);
    Ok(())
}

fn composition_bytes(ms: i32) -> Result<[u8; 3], OutOfRange> {
    if !(-(1 << 23)..1 << 23).contains(&ms) {
        return Err(OutOfRange {
            what: "composition time",
            got: format!("{ms}ms"),
            legal: "-8388608ms to 8388607ms",
        });
    }
    let [_, a, b, c] = ms.to_be_bytes();
    Ok([a, b, c])
}
