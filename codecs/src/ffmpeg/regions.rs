//! What an encoder is told of the parts of a picture: FFmpeg's regions of interest.

use ffmpeg_next::ffi;

use super::AvFrame;
use super::call::error;
use crate::error::{CodecError, Step};
use crate::lookahead::QpOffsets;

/// Pixels a side of a macroblock.
const SIDE: u32 = 16;
/// Offsets are told in so many parts of a step of QP. What is told alike becomes one region.
const PARTS: f32 = 4.0;
/// All of QP's steps, of which FFmpeg takes an offset as a fraction.
const STEPS: i32 = 51;

/// Macroblocks of a row from `from` to before `to` that have the same offset, in parts of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Run {
    row: u32,
    from: u32,
    to: u32,
    offset: i32,
}

/// Has an encoder of H.264 write the frame's parts as much finer as these say.
pub(super) fn tell(frame: &mut AvFrame, offsets: &QpOffsets) -> Result<(), CodecError> {
    let size = frame.size();
    let runs = runs(offsets, size.width, size.height);
    let regions: Vec<ffi::AVRegionOfInterest> = runs.iter().copied().map(region).collect();
    let bytes = std::mem::size_of_val(regions.as_slice());
    let kind = ffi::AVFrameSideDataType::AV_FRAME_DATA_REGIONS_OF_INTEREST;
    // SAFETY: the frame is live; what comes back is null, or belongs to it and holds as many bytes as
    // were asked for, aligned for any of FFmpeg's structs.
    let data = unsafe {
        let side = ffi::av_frame_new_side_data(frame.as_mut_ptr(), kind, bytes);
        side.as_mut().map(|side| side.data.cast::<ffi::AVRegionOfInterest>())
    };
    let data = data
        .filter(|data| !data.is_null())
        .ok_or_else(|| error("picture", Step::Allocate, None, -ffmpeg_next::error::ENOMEM))?;
    // SAFETY: there is room for all of them, the two do not overlap, and a region is plain numbers.
    unsafe { std::ptr::copy_nonoverlapping(regions.as_ptr(), data, regions.len()) };
    Ok(())
}

fn region(run: Run) -> ffi::AVRegionOfInterest {
    let pixels = |blocks: u32| (blocks * SIDE) as i32;
    ffi::AVRegionOfInterest {
        self_size: size_of::<ffi::AVRegionOfInterest>() as u32,
        top: pixels(run.row),
        bottom: pixels(run.row + 1),
        left: pixels(run.from),
        right: pixels(run.to),
        qoffset: ffi::AVRational { num: run.offset, den: STEPS * PARTS as i32 },
    }
}

/// All macroblocks of a picture, row by row.
fn runs(offsets: &QpOffsets, width: u32, height: u32) -> Vec<Run> {
    let (columns, rows) = (width.div_ceil(SIDE), height.div_ceil(SIDE));
    // The middle of one.
    let middle = |block: u32, pixels: u32| (block * SIDE + SIDE / 2) as f32 / pixels as f32;
    let most = STEPS * PARTS as i32;
    let mut runs: Vec<Run> = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let qp = offsets.at(middle(column, width), middle(row, height));
            let offset = ((qp * PARTS).round() as i32).clamp(-most, most);
            match runs.last_mut() {
                Some(run) if run.row == row && run.offset == offset => run.to = column + 1,
                _ => runs.push(Run { row, from: column, to: column + 1, offset }),
            }
        }
    }
    runs
}
