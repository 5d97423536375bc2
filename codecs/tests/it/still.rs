//! Slates and thumbnails.

use std::io::Cursor;

use codecs::{CodecError, PictureMut, Plane, Rgb, Yuv, still};
use image::{ImageFormat, Rgba, RgbaImage};
use media::Size;

use crate::pattern;

#[test]
fn a_slate_is_fitted_on_the_canvas() {
    let mut bytes = Cursor::new(Vec::new());
    let image = RgbaImage::from_fn(101, 101, |x, _| Rgba([0, 0, 255, if x < 50 { 255 } else { 0 }]));
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    let slate = still::load(&bytes.into_inner(), Size::new(320, 180)).unwrap();
    assert_eq!(slate.size(), Size::new(320, 180));
    let blue = Yuv::from(Rgb::new(0, 0, 255));
    let luma = slate.plane(Plane::Y).row(90);
    // A bar, the blue half, the transparent half, a bar.
    assert!([10, 240, 310].iter().all(|&x| luma[x] == 16));
    assert!(luma[110].abs_diff(blue.y) <= 1);
    assert!(slate.plane(Plane::U).row(45)[55].abs_diff(blue.u) <= 1);
    assert!(matches!(still::load(b"GIF89a", Size::new(16, 16)), Err(CodecError::Image(_))));
}

#[test]
fn a_thumbnail_reads_back_as_the_picture() {
    let size = Size::new(160, 90);
    let picture = pattern::picture(size, 4).freeze();
    let bytes = still::jpeg(&picture, 95).unwrap();
    assert_eq!(&bytes[..3], [0xff, 0xd8, 0xff]);
    let back = still::load(&bytes, size).unwrap();
    let db = pattern::psnr(&picture, &back);
    assert!(db > 28.0, "{db} dB");
    let odd = PictureMut::filled(Size::new(33, 17), Yuv::WHITE).unwrap().freeze();
    assert!(still::jpeg(&odd, 0).is_ok());
}
