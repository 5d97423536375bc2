//! Colours, and how a picture's numbers stand for them.

/// The matrix between YCbCr and RGB.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Matrix {
    /// ITU-R BT.601: standard definition.
    Bt601,
    /// ITU-R BT.709: high definition, and everything the engine makes.
    Bt709,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020,
    /// Not YCbCr but RGB.
    Rgb,
    /// Untagged: taken as BT.601 up to 576 lines, as BT.709 above.
    Unknown,
}

/// Which numbers stand for black and white.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Range {
    /// 16 to 235 (luma) and 16 to 240 (chroma).
    Limited,
    /// 0 to 255.
    Full,
}

/// How a picture's numbers stand for colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Colour {
    /// The matrix.
    pub matrix: Matrix,
    /// The range.
    pub range: Range,
}

impl Colour {
    /// BT.709, limited: what every picture of the canvas has.
    pub const CANVAS: Self = Self { matrix: Matrix::Bt709, range: Range::Limited };
}

/// An sRGB colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Rgb {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

impl Rgb {
    /// `r`, `g`, `b` from 0 to 255.
    pub const fn new(r: u8, g: u8, b: u8) -> Self {
        Self { r, g, b }
    }
}

/// A colour in BT.709, limited range.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Yuv {
    /// Luma, 16 to 235.
    pub y: u8,
    /// Blue difference, 16 to 240.
    pub u: u8,
    /// Red difference, 16 to 240.
    pub v: u8,
}

impl Yuv {
    /// Black.
    pub const BLACK: Self = Self { y: 16, u: 128, v: 128 };
    /// White.
    pub const WHITE: Self = Self { y: 235, u: 128, v: 128 };

    /// `y`, `u`, `v` as they lie in the planes.
    pub const fn new(y: u8, u: u8, v: u8) -> Self {
        Self { y, u, v }
    }
}

/// By BT.709 (Kr 0.2126, Kb 0.0722) in 16-bit fixed point.
impl From<Rgb> for Yuv {
    fn from(Rgb { r, g, b }: Rgb) -> Self {
        let (r, g, b) = (i32::from(r), i32::from(g), i32::from(b));
        let half = 1 << 15;
        let y = (16 << 16) + 11_966 * r + 40_254 * g + 4_064 * b + half;
        let u = (128 << 16) - 6_596 * r - 22_189 * g + 28_784 * b + half;
        let v = (128 << 16) + 28_784 * r - 26_145 * g - 2_639 * b + half;
        let byte = |wide: i32| (wide >> 16).clamp(0, 255) as u8;
        Self { y: byte(y), u: byte(u), v: byte(v) }
    }
}

/// The inverse, clipped to what RGB can show.
impl From<Yuv> for Rgb {
    fn from(Yuv { y, u, v }: Yuv) -> Self {
        let (y, u, v) = (i32::from(y) - 16, i32::from(u) - 128, i32::from(v) - 128);
        let luma = 76_309 * y + (1 << 15);
        let byte = |wide: i32| (wide >> 16).clamp(0, 255) as u8;
        Self {
            r: byte(luma + 117_489 * v),
            g: byte(luma - 13_975 * u - 34_925 * v),
            b: byte(luma + 138_438 * u),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rgb_comes_back() {
        for r in (0..=255).step_by(15) {
            for g in (0..=255).step_by(17) {
                for b in (0..=255).step_by(51) {
                    let there = Rgb::new(r, g, b);
                    let back = Rgb::from(Yuv::from(there));
                    let off = [(r, back.r), (g, back.g), (b, back.b)].map(|(a, b)| a.abs_diff(b));
                    assert!(off.iter().all(|&off| off <= 3), "{there:?} came back as {back:?}");
                }
            }
        }
    }

    #[test]
    fn the_corners_are_those_of_bt709() {
        assert_eq!(Yuv::from(Rgb::new(0, 0, 0)), Yuv::BLACK);
        assert_eq!(Yuv::from(Rgb::new(255, 255, 255)), Yuv::WHITE);
        assert_eq!(Yuv::from(Rgb::new(255, 0, 0)), Yuv::new(63, 102, 240));
        assert_eq!(Yuv::from(Rgb::new(0, 255, 0)), Yuv::new(173, 42, 26));
        assert_eq!(Yuv::from(Rgb::new(0, 0, 255)), Yuv::new(32, 240, 118));
    }
}
