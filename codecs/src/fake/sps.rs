//! A true `avcC` with an SPS and a PPS that say the size and the rate.

use bytes::Bytes;
use media::{FrameRate, Size};

use crate::avc;

/// Bits, the highest first (ITU-T H.264, 7.2).
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn put(&mut self, count: u32, value: u32) {
        for bit in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (7 - self.used);
            }
            self.used = (self.used + 1) % 8;
        }
    }
    /// An Exp-Golomb number, ue(v).
    fn ue(&mut self, value: u32) {
        let code = value + 1;
        let length = 32 - code.leading_zeros();
        self.put(length - 1, 0);
        self.put(length, code);
    }
    /// With the stop bit, and with emulation prevention.
    fn unit(mut self, header: u8) -> Vec<u8> {
        self.put(1, 1);
        let mut unit = vec![header];
        let mut zeros = 0;
        for byte in self.bytes {
            if zeros >= 2 && byte <= 3 {
                unit.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            unit.push(byte);
        }
        unit
    }
}

/// The configuration of a fake stream: Main profile, level 4.0.
pub(super) fn config(size: Size, rate: FrameRate, reordered: u32) -> Bytes {
    let mut sps = Bits::default();
    sps.put(8, 77);
    sps.put(8, 0);
    sps.put(8, 40);
    sps.ue(0); // seq_parameter_set_id
    sps.ue(0); // log2_max_frame_num - 4
    sps.ue(0); // pic_order_cnt_type
    sps.ue(4); // log2_max_pic_order_cnt_lsb - 4
    sps.ue(4); // max_num_ref_frames
    sps.put(1, 0);
    let (across, down) = (size.width.div_ceil(16).max(1), size.height.div_ceil(16).max(1));
    sps.ue(across - 1);
    sps.ue(down - 1);
    sps.put(1, 1); // frame_mbs_only_flag
    sps.put(1, 1); // direct_8x8_inference_flag
    let (right, bottom) =
        ((across * 16).saturating_sub(size.width) / 2, (down * 16).saturating_sub(size.height) / 2);
    sps.put(1, u32::from(right + bottom > 0));
    if right + bottom > 0 {
        for edge in [0, right, 0, bottom] {
            sps.ue(edge);
        }
    }
    sps.put(1, 1); // vui_parameters_present_flag
    sps.put(4, 0); // aspect, overscan, video signal, chroma location
    sps.put(1, 1); // timing_info_present_flag: two fields a frame
    sps.put(32, rate.den());
    sps.put(32, rate.num().saturating_mul(2));
    sps.put(1, 1);
    sps.put(3, 0); // no HRD, no pic_struct
    sps.put(1, 1); // bitstream_restriction_flag
    sps.put(1, 1);
    for value in [2, 1, 10, 10, reordered, 4] {
        sps.ue(value);
    }
    let mut pps = Bits::default();
    for value in [0, 0] {
        pps.ue(value);
    }
    pps.put(2, 0);
    pps.ue(0); // one slice group
    pps.ue(0);
    pps.ue(0);
    pps.put(3, 0); // no weighted prediction
    pps.ue(0);
    pps.ue(0);
    pps.ue(0);
    pps.put(3, 0b100);
    avc::config(&sps.unit(0x67), &pps.unit(0x68))
}
