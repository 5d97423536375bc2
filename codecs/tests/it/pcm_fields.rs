//! H.264 whose fields are pictures of their own (PAFF), written by hand: no
//! encoder at hand makes such streams, and broadcasters send them. Every
//! macroblock is I_PCM, so what goes in is what must come out.

use bytes::Bytes;
use codecs::{Cadence, Deinterlacer, Plane, Scan};
use media::{Key, Packet, Size, Time, Track, VideoCodec, VideoParams};

use crate::decode::decode;

const SIZE: Size = Size::new(64, 64);

/// Bits, the highest first (ITU-T H.264, 7.2).
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, count: u32, value: u32) -> &mut Self {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }
    /// ue(v), 9.1.
    fn ue(&mut self, value: u32) -> &mut Self {
        let length = 32 - (value + 1).leading_zeros();
        self.put(length - 1, 0).put(length, value + 1)
    }
    fn align(&mut self) -> &mut Self {
        while !self.0.len().is_multiple_of(8) {
            self.0.push(false);
        }
        self
    }
    /// Annex B, with the stop bit and emulation prevention.
    fn unit(&mut self, header: u8) -> Vec<u8> {
        self.put(1, 1).align();
        let mut unit = vec![0, 0, 0, 1, header];
        let mut zeros = 0;
        for byte in self.0.chunks(8).map(|bits| bits.iter().fold(0u8, |byte, &bit| byte << 1 | u8::from(bit)))
        {
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

/// Baseline's tools in Main profile, with fields allowed (7.3.2.1, 7.3.2.2).
fn parameter_sets() -> Vec<u8> {
    let mut sps = Bits::default();
    sps.put(8, 77).put(8, 0).put(8, 30).ue(0);
    sps.ue(0).ue(0).ue(4); // frame_num of 4 bits, the order of output told in 8
    sps.ue(1).put(1, 0);
    sps.ue(SIZE.width / 16 - 1).ue(SIZE.height / 32 - 1);
    sps.put(1, 0).put(1, 0).put(1, 1); // frame_mbs_only_flag, MBAFF, direct_8x8
    sps.put(1, 0).put(1, 0);
    let mut pps = Bits::default();
    pps.ue(0).ue(0).put(1, 0).put(1, 0).ue(0).ue(0).ue(0).put(1, 0).put(2, 0);
    pps.ue(0).ue(0).ue(0).put(1, 1).put(1, 0).put(1, 0);
    [sps.unit(0x67), pps.unit(0x68)].concat()
}

/// One field as a slice of I_PCM (7.3.3, 7.3.5); `first` is an IDR's.
fn field(order: u32, bottom: bool, idr: bool, luma: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let mut slice = Bits::default();
    slice.ue(0).ue(7).ue(0).put(4, order / 2 % 16);
    slice.put(1, 1).put(1, u32::from(bottom)); // field_pic_flag, bottom_field_flag
    if idr {
        slice.ue(0); // idr_pic_id
    }
    slice.put(8, order); // pic_order_cnt_lsb
    slice.put(if idr { 2 } else { 1 }, 0); // dec_ref_pic_marking: nothing particular
    slice.ue(0); // slice_qp_delta, se(v) of 0
    slice.ue(1); // no deblocking
    for mb in 0..SIZE.area() as u32 / 2 / 256 {
        let (left, top) = (mb % (SIZE.width / 16) * 16, mb / (SIZE.width / 16) * 16);
        slice.ue(25).align();
        for y in 0..16 {
            for x in 0..16 {
                slice.put(8, luma(left + x, top + y).into());
            }
        }
        for _ in 0..128 {
            slice.put(8, 128);
        }
    }
    slice.unit(if idr { 0x65 } else { 0x61 })
}

/// A bar whose edge moves from field to field.
fn edge(frame: u32, later: bool) -> u32 {
    8 + 4 * (2 * frame + u32::from(later))
}

/// `apart`: each field in a packet of its own, as some multiplexers cut them.
fn stream(bottom_first: bool, apart: bool) -> Vec<Packet> {
    let mut packets = Vec::new();
    for n in 0..5u32 {
        let lit = |later: bool| move |x: u32, _: u32| if x < edge(n, later) { 190 } else { 50 };
        let first = field(2 * n, bottom_first, n == 0, lit(false));
        let second = field(2 * n + 1, !bottom_first, false, lit(true));
        let head = if n == 0 { parameter_sets() } else { Vec::new() };
        let data =
            if apart { vec![[head, first].concat(), second] } else { vec![[head, first, second].concat()] };
        for (i, data) in data.into_iter().enumerate() {
            let at = Time::from_millis(i64::from(n) * 40 + i as i64 * 20);
            let key = if n == 0 && i == 0 { Key::Frame } else { Key::Delta };
            let data = Bytes::from(data);
            packets.push(Packet { track: Track::Video, pts: at, dts: at, duration: None, key, data });
        }
    }
    packets
}

#[test]
fn fields_that_are_pictures_of_their_own_become_whole_ones() {
    let params = VideoParams { codec: VideoCodec::Avc, size: Some(SIZE), config: Bytes::new() };
    for (bottom_first, apart) in [(false, false), (true, false), (false, true), (true, true)] {
        let what = format!("bottom first: {bottom_first}, apart: {apart}");
        let frames = decode(&params, &stream(bottom_first, apart));
        assert_eq!(frames.len(), 5, "{what}");
        for (n, frame) in frames.iter().enumerate() {
            assert_eq!(frame.pts, Time::from_millis(n as i64 * 40), "{what}");
            let scan = if bottom_first { Scan::BottomFirst } else { Scan::TopFirst };
            assert_eq!(frame.picture.scan(), scan, "{what}");
            for (y, row) in frame.picture.plane(Plane::Y).rows().enumerate() {
                let later = (y % 2 == 0) == bottom_first;
                let lit = row.iter().take_while(|&&p| p == 190).count();
                assert_eq!(lit as u32, edge(n as u32, later), "{what}: frame {n}, line {y}");
            }
        }
        let mut deinterlacer = Deinterlacer::new(Cadence::Fields);
        let mut out = Vec::new();
        for frame in frames {
            deinterlacer.push(frame, &mut |frame| out.push(frame)).unwrap();
        }
        deinterlacer.flush(&mut |frame| out.push(frame)).unwrap();
        assert_eq!(out.len(), 10, "{what}");
        for (n, frame) in out.iter().enumerate() {
            assert_eq!(frame.pts, Time::from_millis(n as i64 * 20), "{what}");
            let luma = frame.picture.plane(Plane::Y);
            let lit: usize = luma.rows().map(|row| row.iter().filter(|&&p| p > 120).count()).sum();
            let mean = lit as f64 / 64.0;
            assert!((mean - (8.0 + 4.0 * n as f64)).abs() < 2.5, "{what}: picture {n} has {mean}");
        }
    }
}
