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

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads bits as ITU-T H.264, 7.2 says; the inverse of [`Bits`].
    struct Reader<'a>(&'a [u8], usize);

    impl Reader<'_> {
        fn bits(&mut self, count: u32) -> u32 {
            (0..count).fold(0, |value, _| {
                let bit = self.0[self.1 / 8] >> (7 - self.1 % 8) & 1;
                self.1 += 1;
                value << 1 | u32::from(bit)
            })
        }
        fn ue(&mut self) -> u32 {
            let mut zeros = 0;
            while self.bits(1) == 0 {
                zeros += 1;
            }
            (1 << zeros) - 1 + self.bits(zeros)
        }
    }

    #[test]
    fn the_sps_says_size_and_rate() {
        let rate = FrameRate::new(30_000, 1001).unwrap();
        for size in [Size::new(64, 36), Size::new(1920, 1080), Size::new(854, 480), Size::new(2, 2)] {
            let config = config(size, rate, 2);
            let length = usize::from(u16::from_be_bytes([config[6], config[7]]));
            let mut sps = Vec::new();
            // Without emulation prevention.
            for &byte in &config[9..8 + length] {
                if !(byte == 3 && sps.ends_with(&[0, 0])) {
                    sps.push(byte);
                }
            }
            let mut read = Reader(&sps, 24);
            let start: Vec<u32> = (0..5).map(|_| read.ue()).collect();
            assert_eq!(start, [0, 0, 0, 4, 4]);
            assert_eq!(read.bits(1), 0);
            let (across, down) = (read.ue() + 1, read.ue() + 1);
            assert_eq!(read.bits(2), 3);
            let crop = if read.bits(1) == 1 { [0; 4].map(|_| read.ue()) } else { [0; 4] };
            assert_eq!((across * 16 - 2 * crop[1], down * 16 - 2 * crop[3]), (size.width, size.height));
            assert_eq!((read.bits(5), read.bits(1)), (0b10000, 1));
            assert_eq!((read.bits(32), read.bits(32)), (1001, 60_000));
            assert_eq!((read.bits(4), read.bits(2)), (0b1000, 3));
            assert_eq!([0; 6].map(|_| read.ue()), [2, 1, 10, 10, 2, 4]);
            assert_eq!(read.bits(1), 1);
            assert!(read.1.div_ceil(8) == sps.len());
        }
    }
}
