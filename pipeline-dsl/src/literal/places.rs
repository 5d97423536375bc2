//! Lengths of the canvas, and what is made of them.

use super::{Miss, exact};
use crate::model::{Crop, Length};

/// The most pixels a length has.
const MOST_PIXELS: u32 = 8192;

/// `960`, `50%`, `33.333%`: a length of the canvas.
fn length(text: &str) -> Result<Length, Miss> {
    match text.strip_suffix('%') {
        Some(number) => {
            let thousandths = exact(number, 1000)?;
            if thousandths <= 100_000 { Ok(Length::Percent(thousandths)) } else { Err(Miss::Range) }
        }
        None => {
            let pixels = exact(text, 1)?;
            if pixels <= MOST_PIXELS { Ok(Length::Pixels(pixels)) } else { Err(Miss::Range) }
        }
    }
}

fn write_length(length: Length) -> String {
    match length {
        Length::Pixels(pixels) => pixels.to_string(),
        Length::Percent(thousandths) => match thousandths % 1000 {
            0 => format!("{}%", thousandths / 1000),
            rest => {
                let digits = format!("{rest:03}");
                format!("{}.{}%", thousandths / 1000, digits.trim_end_matches('0'))
            }
        },
    }
}

/// `50%,0`: from the left, from the top.
pub(crate) fn corner(text: &str) -> Result<(Length, Length), Miss> {
    let (x, y) = text.split_once(',').ok_or(Miss::Other)?;
    Ok((length(x)?, length(y)?))
}

/// A corner as one writes it.
pub(crate) fn write_corner((x, y): (Length, Length)) -> String {
    format!("{},{}", write_length(x), write_length(y))
}

/// `50%x100%`: width and height.
pub(crate) fn extent(text: &str) -> Result<(Length, Length), Miss> {
    let (width, height) = text.split_once('x').ok_or(Miss::Other)?;
    Ok((length(width)?, length(height)?))
}

/// An extent as one writes it.
pub(crate) fn write_extent((width, height): (Length, Length)) -> String {
    format!("{}x{}", write_length(width), write_length(height))
}

/// `10%,0,10%,0`: from the left, the top, the right and the bottom.
pub(crate) fn crop(text: &str) -> Result<Crop, Miss> {
    let mut sides = text.split(',').map(length);
    let mut next = || sides.next().unwrap_or(Err(Miss::Other));
    let crop = Crop { left: next()?, top: next()?, right: next()?, bottom: next()? };
    if sides.next().is_some() { Err(Miss::Other) } else { Ok(crop) }
}

/// A crop as one writes it.
pub(crate) fn write_crop(crop: Crop) -> String {
    let Crop { left, top, right, bottom } = crop;
    [left, top, right, bottom].map(write_length).join(",")
}
