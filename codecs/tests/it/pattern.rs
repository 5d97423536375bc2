//! A moving picture that compresses, and how near two pictures are.

use codecs::{Frame, Picture, PictureMut, Plane};
use media::{FrameRate, Size, Tick};

/// The samples of frame `n` at (x, y) of a plane of this size: soft waves that
/// move, and a bright square that moves faster.
pub fn sample(plane: Plane, size: Size, x: u32, y: u32, n: u32) -> u8 {
    let wave = |p: f64| (p * std::f64::consts::TAU).sin();
    let (u, v) = (f64::from(x) / f64::from(size.width), f64::from(y) / f64::from(size.height));
    let t = f64::from(n) / 50.0;
    match plane {
        Plane::Y => {
            let (cx, cy) = ((0.1 + t * 1.3) % 0.8, (0.2 + t * 0.7) % 0.7);
            if (cx..cx + 0.15).contains(&u) && (cy..cy + 0.15).contains(&v) {
                220
            } else {
                (110.0 + 50.0 * wave(u * 2.0 + t) + 30.0 * wave(v * 3.0 - t)) as u8
            }
        }
        Plane::U => (128.0 + 60.0 * wave(u + t)) as u8,
        Plane::V => (128.0 + 60.0 * wave(v - t)) as u8,
    }
}

pub fn picture(size: Size, n: u32) -> PictureMut {
    let mut picture = PictureMut::new(size).unwrap();
    for plane in Plane::ALL {
        let of = plane.size_in(size);
        for (y, row) in picture.plane_mut(plane).rows_mut().enumerate() {
            for (x, out) in row.iter_mut().enumerate() {
                *out = sample(plane, of, x as u32, y as u32, n);
            }
        }
    }
    picture
}

pub fn frame(size: Size, rate: FrameRate, n: u32) -> Frame {
    Frame { pts: rate.time_of(Tick(n.into())), picture: picture(size, n).freeze() }
}

/// The least PSNR of the three planes, in dB.
pub fn psnr(a: &Picture, b: &Picture) -> f64 {
    assert_eq!(a.size(), b.size());
    Plane::ALL.map(|plane| plane_psnr(a, b, plane)).into_iter().fold(f64::INFINITY, f64::min)
}

fn plane_psnr(a: &Picture, b: &Picture, plane: Plane) -> f64 {
    let (a, b) = (a.plane(plane), b.plane(plane));
    let squares: f64 = a
        .rows()
        .flatten()
        .zip(b.rows().flatten())
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum();
    let mean = squares / (a.width * a.height) as f64;
    assert!(a.width > 0);
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

/// All samples that count, plane after plane.
pub fn pixels(picture: &Picture) -> Vec<u8> {
    Plane::ALL
        .into_iter()
        .flat_map(|plane| picture.plane(plane).rows().flatten().copied().collect::<Vec<_>>())
        .collect()
}
