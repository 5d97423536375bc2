//! Colours, and how a picture's numbers stand for them.

use media::Size;

/// The matrix between YCbCr and RGB.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Matrix {
    /// ITU-R BT.601: standard definition.
    Bt601,
    /// ITU-R BT.709: high definition, and everything the engine makes.
    Bt709,
    /// ITU-R BT.2020; constant luminance is read as the other one.
    Bt2020,
    /// SMPTE 240M: early analogue high definition.
    Smpte240,
    /// Not YCbCr but RGB.
    Rgb,
    /// Untagged, or one not known here: see [`Matrix::or_by_size`].
    Unknown,
}

impl Matrix {
    /// The matrix, where it is unknown the one that pictures of this size
    /// usually have: BT.709 from 1280 pixels on the long side or above 576 on
    /// the short one, BT.601 below. Players guess alike, but for upright
    /// pictures, whose sides they do not exchange.
    #[must_use]
    pub fn or_by_size(self, size: Size) -> Self {
        let (long, short) = (size.width.max(size.height), size.width.min(size.height));
        match self {
            Self::Unknown if long >= 1280 || short > 576 => Self::Bt709,
            Self::Unknown => Self::Bt601,
            told => told,
        }
    }
}

/// How light becomes numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Transfer {
    /// BT.709's curve or one near it, and what is untagged.
    Sdr,
    /// SMPTE ST 2084, for high dynamic range.
    Pq,
    /// ARIB STD-B67 (hybrid log-gamma), for high dynamic range.
    Hlg,
}

/// How far red, green and blue reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Gamut {
    /// BT.709's or BT.601's, which are near each other, and what is untagged.
    Standard,
    /// BT.2020's or DCI P3's: on the canvas what lies outside BT.709's is clipped.
    Wide,
}

/// Which red, green and blue the numbers are parts of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Primaries {
    /// BT.709's, and what is untagged.
    Bt709,
    /// BT.601's of 625 lines (EBU Tech. 3213, BT.470 B and G).
    Bt601Lines625,
    /// BT.601's of 525 lines (SMPTE 170M and 240M).
    Bt601Lines525,
    /// BT.2020's.
    Bt2020,
    /// DCI P3's, with the white of a cinema.
    DciP3,
    /// The same with the white of a display.
    DisplayP3,
}

impl Primaries {
    /// FFmpeg's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bt709 => "bt709",
            Self::Bt601Lines625 => "bt470bg",
            Self::Bt601Lines525 => "smpte170m",
            Self::Bt2020 => "bt2020",
            Self::DciP3 => "smpte431",
            Self::DisplayP3 => "smpte432",
        }
    }

    /// How far they reach.
    pub const fn gamut(self) -> Gamut {
        match self {
            Self::Bt709 | Self::Bt601Lines625 | Self::Bt601Lines525 => Gamut::Standard,
            Self::Bt2020 | Self::DciP3 | Self::DisplayP3 => Gamut::Wide,
        }
    }
}

/// The curve between light and numbers, by which light of other primaries is mixed.
///
/// It is the same before and after, so that a grey stays what it is: whatever it is tagged with, a
/// picture that is not of high dynamic range is seen on a display that has one curve for all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(crate) enum Curve {
    /// BT.709's, which BT.601 and BT.2020 share, and what is untagged. So are BT.470's powers of 2.2 and
    /// 2.8, which tell what a display of the time was taken for: PAL and NTSC were never coded by them.
    /// Those of high dynamic range are taken as if they were it.
    Bt709,
    /// sRGB's.
    Srgb,
}

impl Curve {
    /// FFmpeg's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bt709 => "bt709",
            Self::Srgb => "srgb",
        }
    }
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

/// What a container says of its pictures' colours, in the numbers of ITU-T H.273.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct ColourTags {
    /// Which red, green and blue; `None` if it does not say.
    pub primaries: Option<u8>,
    /// The curve between light and numbers; `None` if it does not say.
    pub transfer: Option<u8>,
    /// The matrix between YCbCr and RGB; `None` if it does not say.
    pub matrix: Option<u8>,
    /// Which numbers stand for black and white; `None` if it does not say.
    pub range: Option<Range>,
}

impl ColourTags {
    /// Nothing is said.
    pub const NONE: Self = Self { primaries: None, transfer: None, matrix: None, range: None };
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

    #[test]
    fn an_untagged_matrix_is_guessed_by_size() {
        let guess = |w, h| Matrix::Unknown.or_by_size(Size::new(w, h));
        for (w, h) in [(720, 576), (720, 480), (854, 480), (480, 854), (1024, 576), (1, 1)] {
            assert_eq!(guess(w, h), Matrix::Bt601, "{w}x{h}");
        }
        for (w, h) in [(1280, 720), (720, 1280), (1280, 544), (1440, 1080), (7680, 4320)] {
            assert_eq!(guess(w, h), Matrix::Bt709, "{w}x{h}");
        }
        assert_eq!(Matrix::Bt2020.or_by_size(Size::new(64, 64)), Matrix::Bt2020);
    }
}
