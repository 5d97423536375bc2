//! What a container says of colours, for pictures that do not say it themselves.

use ffmpeg_next::ffi;
use ffmpeg_next::ffi::AVColorPrimaries as Primaries;
use ffmpeg_next::ffi::AVColorSpace as Space;
use ffmpeg_next::ffi::AVColorTransferCharacteristic as Transfer;

use super::frame::AvFrame;
use crate::colour::{ColourTags, Range};

impl AvFrame {
    /// Says what `tags` say, where the picture says nothing: its own word was written by who made it, and
    /// a container's by who packed it. Players do the same.
    pub(crate) fn tell_untold(&mut self, tags: ColourTags) {
        let is_rgb = self.is_rgb();
        let raw = self.raw_mut();
        if raw.color_primaries == Primaries::AVCOL_PRI_UNSPECIFIED
            || raw.color_primaries == Primaries::AVCOL_PRI_RESERVED0
        {
            raw.color_primaries = tags.primaries.and_then(primaries).unwrap_or(raw.color_primaries);
        }
        if raw.color_trc == Transfer::AVCOL_TRC_UNSPECIFIED || raw.color_trc == Transfer::AVCOL_TRC_RESERVED0
        {
            raw.color_trc = tags.transfer.and_then(transfer).unwrap_or(raw.color_trc);
        }
        // RGB has neither.
        if is_rgb {
            return;
        }
        if raw.colorspace == Space::AVCOL_SPC_UNSPECIFIED || raw.colorspace == Space::AVCOL_SPC_RGB {
            raw.colorspace = tags.matrix.and_then(matrix).unwrap_or(raw.colorspace);
        }
        if raw.color_range == ffi::AVColorRange::AVCOL_RANGE_UNSPECIFIED {
            raw.color_range = match tags.range {
                Some(Range::Limited) => ffi::AVColorRange::AVCOL_RANGE_MPEG,
                Some(Range::Full) => ffi::AVColorRange::AVCOL_RANGE_JPEG,
                None => raw.color_range,
            };
        }
    }
}

/// H.273, table 2.
const fn primaries(code: u8) -> Option<Primaries> {
    Some(match code {
        1 => Primaries::AVCOL_PRI_BT709,
        4 => Primaries::AVCOL_PRI_BT470M,
        5 => Primaries::AVCOL_PRI_BT470BG,
        6 => Primaries::AVCOL_PRI_SMPTE170M,
        7 => Primaries::AVCOL_PRI_SMPTE240M,
        8 => Primaries::AVCOL_PRI_FILM,
        9 => Primaries::AVCOL_PRI_BT2020,
        10 => Primaries::AVCOL_PRI_SMPTE428,
        11 => Primaries::AVCOL_PRI_SMPTE431,
        12 => Primaries::AVCOL_PRI_SMPTE432,
        22 => Primaries::AVCOL_PRI_EBU3213,
        _ => return None,
    })
}

/// H.273, table 3.
const fn transfer(code: u8) -> Option<Transfer> {
    Some(match code {
        1 => Transfer::AVCOL_TRC_BT709,
        4 => Transfer::AVCOL_TRC_GAMMA22,
        5 => Transfer::AVCOL_TRC_GAMMA28,
        6 => Transfer::AVCOL_TRC_SMPTE170M,
        7 => Transfer::AVCOL_TRC_SMPTE240M,
        8 => Transfer::AVCOL_TRC_LINEAR,
        11 => Transfer::AVCOL_TRC_IEC61966_2_4,
        13 => Transfer::AVCOL_TRC_IEC61966_2_1,
        14 => Transfer::AVCOL_TRC_BT2020_10,
        15 => Transfer::AVCOL_TRC_BT2020_12,
        16 => Transfer::AVCOL_TRC_SMPTE2084,
        17 => Transfer::AVCOL_TRC_SMPTE428,
        18 => Transfer::AVCOL_TRC_ARIB_STD_B67,
        _ => return None,
    })
}

/// H.273, table 4. That of RGB is none of YCbCr's.
const fn matrix(code: u8) -> Option<Space> {
    Some(match code {
        1 => Space::AVCOL_SPC_BT709,
        4 => Space::AVCOL_SPC_FCC,
        5 => Space::AVCOL_SPC_BT470BG,
        6 => Space::AVCOL_SPC_SMPTE170M,
        7 => Space::AVCOL_SPC_SMPTE240M,
        9 => Space::AVCOL_SPC_BT2020_NCL,
        10 => Space::AVCOL_SPC_BT2020_CL,
        _ => return None,
    })
}
