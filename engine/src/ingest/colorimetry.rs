//! GStreamer's word on colours, in the numbers that all others use.

use codecs::{ColourTags, Range};
use gstreamer as gst;

/// What caps say of colours. Of pictures that are not coded they say it in any case: primaries that are
/// only guessed would be painted over.
pub(crate) fn tags(caps: &gst::CapsRef) -> ColourTags {
    let Some(s) = caps.structure(0) else { return ColourTags::NONE };
    let said = s.get::<&str>("colorimetry").map_or(ColourTags::NONE, read);
    match s.name().as_str() {
        "video/x-raw" => ColourTags { primaries: None, transfer: None, ..said },
        _ => said,
    }
}

/// A name, or range, matrix, transfer and primaries, each as GStreamer numbers it. Of some 0 is written
/// for what is not known.
fn read(said: &str) -> ColourTags {
    let limited = |primaries, transfer, matrix| ColourTags {
        primaries: Some(primaries),
        transfer: Some(transfer),
        matrix: Some(matrix),
        range: Some(Range::Limited),
    };
    match said {
        "bt601" => return limited(6, 6, 6),
        "bt709" => return limited(1, 1, 1),
        "smpte240m" => return limited(7, 7, 7),
        "bt2020" => return limited(9, 15, 9),
        "bt2020-10" => return limited(9, 14, 9),
        "bt2100-pq" => return limited(9, 16, 9),
        "bt2100-hlg" => return limited(9, 18, 9),
        "sRGB" => {
            let range = Some(Range::Full);
            return ColourTags { primaries: Some(1), transfer: Some(13), matrix: Some(0), range };
        }
        _ => {}
    }
    let mut parts = said.split(':').map(|part| part.parse::<usize>().ok());
    let mut next = |codes: &[u8]| {
        let code = parts.next().flatten().and_then(|at| codes.get(at)).copied();
        code.filter(|code| *code != UNTOLD)
    };
    let range = match next(&RANGES) {
        Some(1) => Some(Range::Full),
        Some(_) => Some(Range::Limited),
        None => None,
    };
    let (matrix, transfer, primaries) = (next(&MATRICES), next(&TRANSFERS), next(&PRIMARIES));
    ColourTags { primaries, transfer, matrix, range }
}

const UNTOLD: u8 = 2;
/// Whether `GstVideoColorRange` is full.
const RANGES: [u8; 3] = [UNTOLD, 1, 0];
/// H.273's numbers of `GstVideoColorMatrix`.
const MATRICES: [u8; 7] = [UNTOLD, 0, 4, 1, 6, 7, 9];
/// H.273's numbers of `GstVideoTransferFunction`; some have none.
const TRANSFERS: [u8; 17] = [UNTOLD, 8, UNTOLD, UNTOLD, 4, 1, 7, 13, 5, 9, 10, 15, UNTOLD, 14, 16, 18, 6];
/// H.273's numbers of `GstVideoColorPrimaries`; one has none.
const PRIMARIES: [u8; 13] = [UNTOLD, 1, 4, 5, 6, 7, 8, 9, UNTOLD, 10, 11, 12, 22];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_say_the_same() {
        let tags = |primaries, transfer, matrix, range| ColourTags { primaries, transfer, matrix, range };
        let (limited, full) = (Some(Range::Limited), Some(Range::Full));
        for (said, want) in [
            ("bt709", tags(Some(1), Some(1), Some(1), limited)),
            ("2:3:5:1", tags(Some(1), Some(1), Some(1), limited)),
            ("2:4:16:4", tags(Some(6), Some(6), Some(6), limited)),
            ("1:6:14:7", tags(Some(9), Some(16), Some(9), full)),
            // What Matroska and QuickTime say of some alone.
            ("0:3:0:0", tags(None, None, Some(1), None)),
            ("0:0:0:11", tags(Some(12), None, None, None)),
            ("0:0:0:8", ColourTags::NONE),
            ("7:99:-1", ColourTags::NONE),
            ("", ColourTags::NONE),
        ] {
            assert_eq!(read(said), want, "{said}");
        }
    }
}
