//! Logos and drawings, before they have a size.

use std::sync::Arc;

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Rgba, RgbaImage};
use media::Size;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::roxmltree::{Document, Error, ParsingOptions};
use resvg::usvg::{ImageHrefResolver, Options, Tree};

use super::references::{Allowance, MOST_NODES};
use super::{Fonts, Sprite, WatermarkError, weight};
use crate::still;

/// The longest side that is drawn, in pixels.
pub const MOST_SIDE: u32 = 8192;
/// The longest SVG, in bytes.
const MOST_SVG: usize = 16 << 20;

/// Something that can be drawn in any size.
pub struct Art(Kind);

enum Kind {
    Raster(RgbaImage),
    Vector(Box<Tree>),
}

impl Art {
    /// Reads a PNG, JPEG or SVG, whichever it is; an SVG's text is drawn in `fonts`. What an SVG
    /// refers to outside itself is left out.
    ///
    /// # Errors
    /// [`WatermarkError::Image`] for a file that cannot be read, [`WatermarkError::References`] for an SVG
    /// whose elements refer to one another too often, too deep, or in a ring.
    pub fn read(bytes: &[u8], fonts: &Fonts) -> Result<Self, WatermarkError> {
        if !looks_like_svg(bytes) {
            return Ok(Self(Kind::Raster(still::read(bytes).map_err(WatermarkError::Image)?)));
        }
        let wrong = |what: String| WatermarkError::Image(what);
        if bytes.len() > MOST_SVG {
            return Err(wrong(format!("an SVG of {} bytes, more than {MOST_SVG}", bytes.len())));
        }
        let text = std::str::from_utf8(bytes).map_err(|err| wrong(err.to_string()))?;
        roomy(|| Self::vector(text, fonts)).map_err(wrong)?
    }

    /// An SVG's text.
    pub(super) fn vector(svg: &str, fonts: &Fonts) -> Result<Self, WatermarkError> {
        let drawing = drawing(svg).map_err(|err| WatermarkError::Image(err.to_string()))?;
        let allowance = Arc::new(Allowance::new());
        allowance.take(&drawing)?;
        let tree = Tree::from_xmltree(&drawing, &options(fonts, &allowance))
            .map_err(|err| WatermarkError::Image(err.to_string()))?;
        // A drawing within it that came to too much was left out.
        allowance.was_enough()?;
        Ok(Self(Kind::Vector(Box::new(tree))))
    }

    /// Its own size, in pixels; fractions are rounded up.
    pub fn size(&self) -> Size {
        match &self.0 {
            Kind::Raster(image) => Size::new(image.width(), image.height()),
            Kind::Vector(tree) => {
                let side = |length: f32| (length.ceil() as u32).clamp(1, MOST_SIDE);
                Size::new(side(tree.size().width()), side(tree.size().height()))
            }
        }
    }

    /// Of a drawing, the part that is seen: left, top, right, bottom.
    pub(super) fn ink(&self) -> Option<[f32; 4]> {
        let Kind::Vector(tree) = &self.0 else { return None };
        let seen = tree.root().abs_layer_bounding_box();
        // A drawing without anything in it has a box of next to nothing.
        tree.root().has_children().then_some([seen.left(), seen.top(), seen.right(), seen.bottom()])
    }

    /// Drawn in this size, stretched to it.
    ///
    /// # Errors
    /// [`WatermarkError::Size`] for a side of 0 or above [`MOST_SIDE`]; [`WatermarkError::Heavy`] for
    /// an SVG that would take too long or too much memory.
    pub fn draw(&self, size: Size) -> Result<Sprite, WatermarkError> {
        let legal = 1..=MOST_SIDE;
        if !legal.contains(&size.width) || !legal.contains(&size.height) {
            return Err(WatermarkError::Size(size));
        }
        let pixels = match &self.0 {
            Kind::Raster(image) if size == self.size() => image.clone(),
            Kind::Raster(image) => resized(image, size),
            Kind::Vector(tree) => roomy(|| {
                weight::check(tree, size)?;
                rendered(tree, size).ok_or(WatermarkError::Size(size))
            })
            .map_err(WatermarkError::Image)??,
        };
        Ok(Sprite::new(&pixels))
    }
}

/// Whether these bytes are to be read as SVG: markup, after a byte order mark and space.
fn looks_like_svg(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.trim_ascii_start().starts_with(b"<")
}

/// A drawing's levels, of which usvg takes 1024, are as many calls within calls: more than the
/// stack of any thread has room for.
const ROOM: usize = 256 << 20;

/// Has it done on a thread of its own, which has room for it, and waits. An error if there is no
/// thread, or a drawing nobody thought of makes its reader panic.
fn roomy<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("drawing".to_owned()).stack_size(ROOM);
        let thread = thread.spawn_scoped(scope, work).map_err(|err| err.to_string())?;
        thread.join().map_err(|_| "its reader panicked".to_owned())
    })
}

/// An SVG as XML.
fn drawing(svg: &str) -> Result<Document<'_>, Error> {
    Document::parse_with_options(
        svg,
        ParsingOptions { allow_dtd: true, nodes_limit: MOST_NODES, ..ParsingOptions::default() },
    )
}

/// How an SVG is read; drawings within it take from the same allowance.
fn options(fonts: &Fonts, allowance: &Arc<Allowance>) -> Options<'static> {
    let (allowance, read) = (Arc::clone(allowance), ImageHrefResolver::default_data_resolver());
    Options {
        font_family: fonts.default_family().to_owned(),
        fontdb: Arc::clone(fonts.database()),
        // A drawing brings all it needs: other files are not opened for it.
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(move |kind, data, options| {
                // Whatever is no picture is read as a drawing.
                if let Some(svg) = std::str::from_utf8(&data).ok().filter(|_| looks_like_svg(&data)) {
                    allowance.take(&drawing(svg).ok()?).ok()?;
                }
                read(kind, data, options)
            }),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    }
}

fn rendered(tree: &Tree, size: Size) -> Option<RgbaImage> {
    let mut pixmap = Pixmap::new(size.width, size.height)?;
    let (across, down) = (tree.size().width(), tree.size().height());
    let scale = Transform::from_scale(size.width as f32 / across, size.height as f32 / down);
    resvg::render(tree, scale, &mut pixmap.as_mut());
    RgbaImage::from_raw(size.width, size.height, pixmap.take_demultiplied())
}

/// Pixels from 0 to 1, beyond which `image` cuts them off, with colours weighted by how much they
/// show.
type Weighted = ImageBuffer<Rgba<f32>, Vec<f32>>;

/// In this size, which is no larger: each pixel is the mean of those it stands for.
fn weighted(image: &RgbaImage, size: Size) -> Weighted {
    // Edges fall between pixels.
    let part = |at: u32, whole: u32, from: u32| (u64::from(at) * u64::from(from) / u64::from(whole)) as u32;
    Weighted::from_fn(size.width, size.height, |x, y| {
        let across = part(x, size.width, image.width())..part(x + 1, size.width, image.width());
        let down = part(y, size.height, image.height())..part(y + 1, size.height, image.height());
        let share = 1.0 / (across.len() * down.len()) as f32;
        let mut sum = [0.0; 4];
        for (x, y) in down.flat_map(|y| across.clone().map(move |x| (x, y))) {
            let [r, g, b, a] = image.get_pixel(x, y).0.map(|part| f32::from(part) / 255.0);
            let pixel = [r * a, g * a, b * a, a];
            sum.iter_mut().zip(pixel).for_each(|(sum, part)| *sum += part * share);
        }
        Rgba(sum)
    })
}

/// Scaled with colours weighted by how much they show, so that what is transparent has no say.
fn resized(image: &RgbaImage, size: Size) -> RgbaImage {
    // What becomes much smaller is made smaller by means first: in floats a large picture takes four
    // times its memory. An eighth of a pixel is all that its edges move by.
    let side = |from: u32, to: u32| if from / 8 >= to { 4 * to } else { from };
    let size_of_means = Size::new(side(image.width(), size.width), side(image.height(), size.height));
    let weighted = weighted(image, size_of_means);
    let scaled = imageops::resize(&weighted, size.width, size.height, FilterType::Lanczos3);
    RgbaImage::from_fn(size.width, size.height, |x, y| {
        let [r, g, b, a] = scaled.get_pixel(x, y).0;
        let whole = |part: f32| if a > 0.0 { (part * 255.0 / a).round() as u8 } else { 0 };
        Rgba([whole(r), whole(g), whole(b), (a.clamp(0.0, 1.0) * 255.0).round() as u8])
    })
}
