//! Fonts, and words drawn in them.

use std::fmt::Write;
use std::sync::Arc;

use resvg::usvg::fontdb::{self, Database, Family, Query};

use super::{Art, WatermarkError};
use crate::colour::Rgb;

/// The family that is taken where none is named.
pub const DEFAULT_FAMILY: &str = "DejaVu Sans";
/// What else will do, in this order, before any other family.
const ALSO: [&str; 6] = ["Noto Sans", "Liberation Sans", "Cantarell", "FreeSans", "Ubuntu", "Arial"];
/// So many families are named where one is not there.
const NAMED: usize = 12;

/// The fonts there are.
#[derive(Clone)]
pub struct Fonts {
    database: Arc<Database>,
    default: String,
}

/// One of them: a family in one weight and slant.
#[derive(Clone)]
pub struct Face {
    fonts: Fonts,
    family: String,
    weight: u16,
    slant: &'static str,
}

/// How words look.
#[derive(Clone)]
pub struct Lettering {
    /// The font.
    pub face: Face,
    /// A line's height in pixels.
    pub size: u32,
    /// The letters' colour.
    pub colour: Rgb,
    /// The colour of a line around them.
    pub outline: Option<Rgb>,
}

impl Fonts {
    /// None at all.
    pub fn none() -> Self {
        Self::from_database(Database::new())
    }

    /// Those that the system has; reads the head of each, which may take a moment.
    pub fn system() -> Self {
        let mut database = Database::new();
        database.load_system_fonts();
        Self::from_database(database)
    }

    fn from_database(mut database: Database) -> Self {
        let has = |family: &str| {
            let families = [Family::Name(family)];
            database.query(&Query { families: &families, ..Query::default() }).is_some()
        };
        let known = std::iter::once(DEFAULT_FAMILY).chain(ALSO).find(|family| has(family)).map(str::to_owned);
        let first = || database.faces().find_map(|face| face.families.first().map(|(name, _)| name.clone()));
        let default = known.or_else(first).unwrap_or_else(|| DEFAULT_FAMILY.to_owned());
        // What an SVG calls by kind only.
        database.set_sans_serif_family(&default);
        database.set_serif_family(&default);
        Self { database: Arc::new(database), default }
    }

    pub(super) const fn database(&self) -> &Arc<Database> {
        &self.database
    }

    pub(super) fn default_family(&self) -> &str {
        &self.default
    }

    /// The names of the families, in order.
    pub fn families(&self) -> Vec<String> {
        let faces = self.database.faces();
        let mut names: Vec<_> =
            faces.filter_map(|face| face.families.first().map(|(name, _)| name.clone())).collect();
        names.sort();
        names.dedup();
        names
    }

    /// [`DEFAULT_FAMILY`], or another without serifs where that is not there.
    ///
    /// # Errors
    /// [`WatermarkError::NoFont`] if there is no font at all.
    pub fn face(&self) -> Result<Face, WatermarkError> {
        self.named(&self.default)
    }

    /// The font of this name: a family, with `Bold`, `Italic` or both behind it.
    ///
    /// # Errors
    /// [`WatermarkError::NoFont`], with what there is.
    pub fn named(&self, name: &str) -> Result<Face, WatermarkError> {
        let styles = [
            ("", 400, "normal"),
            (" Bold", 700, "normal"),
            (" Italic", 400, "italic"),
            (" Oblique", 400, "oblique"),
            (" Bold Italic", 700, "italic"),
            (" Bold Oblique", 700, "oblique"),
        ];
        for (end, weight, slant) in styles {
            let Some(family) = strip_end(name, end) else { continue };
            let is_it = |known: &String| known.eq_ignore_ascii_case(family);
            if let Some(family) = self.families().into_iter().find(is_it) {
                return Ok(Face { fonts: self.clone(), family, weight, slant });
            }
        }
        let mut families = self.families();
        let like = |family: &String| {
            let pairs = family.chars().zip(name.chars());
            pairs.take_while(|(a, b)| a.to_lowercase().eq(b.to_lowercase())).count()
        };
        families.sort_by_key(|family| std::cmp::Reverse(like(family)));
        families.truncate(NAMED);
        Err(WatermarkError::NoFont { name: name.to_owned(), families })
    }

    /// The first font of a TrueType or OpenType file.
    ///
    /// # Errors
    /// [`WatermarkError::FontFile`] if it is none.
    pub fn file(bytes: Vec<u8>) -> Result<Face, WatermarkError> {
        let mut database = Database::new();
        database.load_font_data(bytes);
        let face = database.faces().next().ok_or(WatermarkError::FontFile)?;
        let (family, _) = face.families.first().ok_or(WatermarkError::FontFile)?.clone();
        let weight = face.weight.0;
        let slant = match face.style {
            fontdb::Style::Normal => "normal",
            fontdb::Style::Italic => "italic",
            fontdb::Style::Oblique => "oblique",
        };
        Ok(Face { fonts: Self::from_database(database), family, weight, slant })
    }
}

fn strip_end<'a>(name: &'a str, end: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(end.len())?;
    let (head, tail) = name.split_at_checked(at)?;
    tail.eq_ignore_ascii_case(end).then_some(head)
}

impl Lettering {
    /// These words, in lines parted by `\n`, drawn from the left.
    ///
    /// # Errors
    /// [`WatermarkError::NoLetters`] if the font has none of them.
    pub fn words(&self, text: &str) -> Result<Art, WatermarkError> {
        let nothing = || WatermarkError::NoLetters(text.to_owned());
        if text.trim().is_empty() {
            return Err(nothing());
        }
        let lines: Vec<&str> = text.split('\n').collect();
        let height = self.size as f32 * lines.len() as f32;
        // First as wide as it may come, to see how wide it is.
        let wide = self.size as f32 * (text.chars().count() as f32 + 2.0) * 2.0;
        let draft = self.art(&lines, [0.0, 0.0, wide, height], "start", 0.0).ok_or_else(nothing)?;
        let [left, _, right, _] = draft.ink().ok_or_else(nothing)?;
        let (left, width) = (left.floor(), (right.ceil() - left.floor()).max(1.0));
        self.art(&lines, [left, 0.0, width, height], "start", 0.0).ok_or_else(nothing)
    }

    /// One letter, in the middle of a cell so wide.
    pub(super) fn letter(&self, letter: char, width: f32) -> Result<Art, WatermarkError> {
        let text = letter.to_string();
        let cell = [0.0, 0.0, width, self.size as f32];
        self.art(&[&text], cell, "middle", width / 2.0).ok_or(WatermarkError::NoLetters(text))
    }

    /// How wide a letter's ink is, with its outline.
    pub(super) fn width(&self, letter: char) -> Result<f32, WatermarkError> {
        let nothing = || WatermarkError::NoLetters(letter.to_string());
        let wide = self.size as f32 * 4.0;
        let [left, _, right, _] = self.letter(letter, wide)?.ink().ok_or_else(nothing)?;
        Ok(right - left)
    }

    /// How large the letters are, so that a line with all that hangs down is `size` high.
    pub(super) fn em(&self) -> f32 {
        self.size as f32 / 1.2
    }

    fn art(&self, lines: &[&str], [x, y, width, height]: [f32; 4], anchor: &str, at: f32) -> Option<Art> {
        let em = self.em();
        let Face { fonts, family, weight, slant } = &self.face;
        let Rgb { r, g, b } = self.colour;
        let mut svg = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' \
             viewBox='{x} {y} {width} {height}'><g font-family=\"'{}'\" font-weight='{weight}' \
             font-style='{slant}' font-size='{em}' text-anchor='{anchor}' fill='rgb({r},{g},{b})'",
            escaped(&family.replace('\'', "")),
        );
        if let Some(Rgb { r, g, b }) = self.outline {
            let line = em / 10.0;
            let _ = write!(
                svg,
                " stroke='rgb({r},{g},{b})' stroke-width='{line}' stroke-linejoin='round' paint-order='stroke'"
            );
        }
        svg.push('>');
        for (n, line) in lines.iter().enumerate() {
            let base = n as f32 * self.size as f32 + em * 0.95;
            let line = escaped(line);
            let _ = write!(svg, "<text x='{at}' y='{base}' xml:space='preserve'>{line}</text>");
        }
        svg.push_str("</g></svg>");
        Art::vector(&svg, fonts).ok()
    }
}

/// Text within markup; what markup cannot say is a space.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
