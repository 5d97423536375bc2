//! A time code: digits drawn once, and put side by side in every frame.

use media::Size;

use super::{Art, Laid, Lettering, Sprite, WatermarkError};
use crate::picture::PictureMut;

/// What a time code is written with.
const LETTERS: [char; 11] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':'];

/// The letters of a time code, before they have a size.
pub struct TimeStrip {
    letters: Vec<Art>,
    /// Widths of a digit and of a colon, and the height, in pixels.
    cell: (f32, f32),
    height: f32,
}

/// The letters in one size.
pub struct DrawnStrip {
    letters: Vec<Sprite>,
}

impl TimeStrip {
    /// Its letters in this look. All digits are as wide as the widest, so that nothing jumps.
    ///
    /// # Errors
    /// A font without digits.
    pub fn new(lettering: &Lettering) -> Result<Self, WatermarkError> {
        let gap = lettering.em() * 0.12;
        let mut digit = 0f32;
        for letter in '0'..='9' {
            digit = digit.max(lettering.width(letter)? + gap);
        }
        let colon = lettering.width(':')? + 2.0 * gap;
        let (digit, colon) = (digit.ceil(), colon.ceil());
        let letters = LETTERS
            .iter()
            .map(|&letter| lettering.letter(letter, if letter == ':' { colon } else { digit }))
            .collect::<Result<_, _>>()?;
        Ok(Self { letters, cell: (digit, colon), height: lettering.size as f32 })
    }

    /// The size of a text like this one, `scale` times as large as it is.
    pub fn size(&self, like: &str, scale: f64) -> Size {
        let (digit, colon) = self.cell;
        let width: u32 = like.chars().map(|c| pixels(if c == ':' { colon } else { digit }, scale)).sum();
        Size::new(width, pixels(self.height, scale))
    }

    /// Drawn `scale` times as large as it is.
    ///
    /// # Errors
    /// A size that cannot be drawn.
    pub fn draw(&self, scale: f64) -> Result<DrawnStrip, WatermarkError> {
        let letters = LETTERS.iter().zip(&self.letters).map(|(&letter, art)| {
            let (digit, colon) = self.cell;
            let width = pixels(if letter == ':' { colon } else { digit }, scale);
            art.draw(Size::new(width, pixels(self.height, scale)))
        });
        Ok(DrawnStrip { letters: letters.collect::<Result<_, _>>()? })
    }
}

fn pixels(length: f32, scale: f64) -> u32 {
    ((f64::from(length) * scale).round() as u32).max(1)
}

impl DrawnStrip {
    fn laid<'a>(&'a self, text: &'a str, laid: Laid) -> impl Iterator<Item = (&'a Sprite, Laid)> {
        text.chars()
            .scan(laid.x, move |x, c| {
                let sprite =
                    LETTERS.iter().position(|letter| *letter == c).and_then(|at| self.letters.get(at));
                let here = Laid { x: *x, ..laid };
                *x = x.saturating_add(sprite.map_or(0, |sprite| sprite.size().width as i32));
                Some(sprite.map(|sprite| (sprite, here)))
            })
            .flatten()
    }

    /// Lays this text over `picture`; what is neither digit nor colon is left out.
    pub fn blend(&self, picture: &mut PictureMut, text: &str, laid: Laid) {
        self.laid(text, laid).for_each(|(sprite, laid)| sprite.blend(picture, laid));
    }

    /// The twin of [`blend`](Self::blend) by the sprites' twins.
    pub fn blend_scalar(&self, picture: &mut PictureMut, text: &str, laid: Laid) {
        self.laid(text, laid).for_each(|(sprite, laid)| sprite.blend_scalar(picture, laid));
    }
}
