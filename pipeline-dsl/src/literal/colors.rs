//! Colours by name and by number.

use crate::model::Rgb;

/// The basic colours of CSS.
pub(crate) const COLORS: [(&str, Rgb); 16] = [
    ("black", rgb(0x00_00_00)),
    ("silver", rgb(0xc0_c0_c0)),
    ("gray", rgb(0x80_80_80)),
    ("white", rgb(0xff_ff_ff)),
    ("maroon", rgb(0x80_00_00)),
    ("red", rgb(0xff_00_00)),
    ("purple", rgb(0x80_00_80)),
    ("fuchsia", rgb(0xff_00_ff)),
    ("green", rgb(0x00_80_00)),
    ("lime", rgb(0x00_ff_00)),
    ("olive", rgb(0x80_80_00)),
    ("yellow", rgb(0xff_ff_00)),
    ("navy", rgb(0x00_00_80)),
    ("blue", rgb(0x00_00_ff)),
    ("teal", rgb(0x00_80_80)),
    ("aqua", rgb(0x00_ff_ff)),
];

const fn rgb(hex: u32) -> Rgb {
    Rgb { r: (hex >> 16) as u8, g: (hex >> 8) as u8, b: hex as u8 }
}

/// `green` or `#rrggbb`.
pub(crate) fn color(text: &str) -> Option<Rgb> {
    if let Some(hex) = text.strip_prefix('#') {
        let legal = hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        return legal.then(|| u32::from_str_radix(hex, 16).ok().map(rgb)).flatten();
    }
    COLORS.iter().find(|(name, _)| *name == text).map(|(_, color)| *color)
}

/// A colour by its name, if it has one.
pub(crate) fn write_color(color: Rgb) -> String {
    match COLORS.iter().find(|(_, rgb)| *rgb == color) {
        Some((name, _)) => (*name).to_owned(),
        None => format!("#{:02x}{:02x}{:02x}", color.r, color.g, color.b),
    }
}
