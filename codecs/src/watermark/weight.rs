//! What drawing an SVG would take, told before it is drawn.
//!
//! A few lines of SVG can ask for hours and for all memory there is: a filter of a million octaves, a
//! window of thousands of pixels around each pixel, layers within layers, a pattern's tile as large
//! as a city. So a drawing is walked through first, and one that would take too much is refused.
//! Steps are near to nanoseconds of one core, by what resvg does for a pixel; reading is bounded by
//! usvg (a million elements, 1024 levels).

use media::Size;
use resvg::tiny_skia::{NonZeroRect, Rect, Transform};
use resvg::usvg::filter::{Filter, Kind};
use resvg::usvg::{ClipPath, Group, ImageKind, Mask, Node, Paint, Path, Pattern, Tree};

use super::WatermarkError;

/// The most that drawing may take, in seconds.
pub(super) const MOST_SECONDS: u64 = 10;
/// The most memory for layers at a time, in MiB.
pub(super) const MOST_MIB: u64 = 1024;

/// Whatever is drawn.
const NODE: f64 = 1000.0;
/// A pixel of a path; a point of one.
const FILLED: f64 = 4.0;
const POINT: f64 = 50.0;
/// A dash of a stroke, and how many tiny-skia draws at the most.
const DASH: f64 = 300.0;
const MOST_DASHES: f64 = 1e6;
/// A pixel of a layer: made, and laid over what is below it.
const LAYER: f64 = 6.0;
/// A pixel of a filter that looks at each pixel once or a few times; blurs are not slower.
const FILTER: f64 = 60.0;
/// A pixel's neighbour.
const NEIGHBOUR: f64 = 3.0;
/// A pixel of turbulence, for one octave of all four channels.
const OCTAVE: f64 = 100.0;
/// Layers reach beyond the picture by twice its sides to each side.
const REACH: f64 = 25.0;
/// Bytes of a pixel.
const PIXEL: f64 = 4.0;

/// Whether a drawing can be drawn in this size.
///
/// # Errors
/// [`WatermarkError::Heavy`].
pub(super) fn check(tree: &Tree, size: Size) -> Result<(), WatermarkError> {
    let (across, down) = (f64::from(tree.size().width()), f64::from(tree.size().height()));
    let scale = (f64::from(size.width) / across, f64::from(size.height) / down);
    let view = f64::from(size.width) * f64::from(size.height);
    let mut weight = Weight { scale, view, steps: 0.0, bytes: 0.0 };
    weight.group(tree.root(), 0.0);
    if !weight.is_too_much() {
        return Ok(());
    }
    let whole = |value: f64| value.min(1e15).ceil() as u64;
    let (seconds, mib) = (whole(weight.steps / 1e9), whole(weight.bytes / f64::from(1 << 20)));
    Err(WatermarkError::Heavy { size, seconds, mib })
}

struct Weight {
    /// From the drawing's units to pixels.
    scale: (f64, f64),
    /// Pixels of the picture.
    view: f64,
    steps: f64,
    /// The most at a time.
    bytes: f64,
}

impl Weight {
    fn is_too_much(&self) -> bool {
        self.steps > MOST_SECONDS as f64 * 1e9 || self.bytes > (MOST_MIB << 20) as f64
    }

    fn pixels(&self, width: f32, height: f32, most: f64) -> f64 {
        let (across, down) = self.scale;
        // What antialiasing adds to each edge, too.
        ((f64::from(width) * across + 4.0) * (f64::from(height) * down + 4.0)).min(most)
    }

    fn layer_of(&self, rect: NonZeroRect) -> f64 {
        self.pixels(rect.width(), rect.height(), self.view * REACH)
    }

    fn seen_of(&self, rect: Rect) -> f64 {
        self.pixels(rect.width(), rect.height(), self.view)
    }

    /// So much is held while what lies within is drawn.
    fn holds(&mut self, bytes: f64) {
        self.bytes = self.bytes.max(bytes);
    }

    /// `held` is what all layers around it hold.
    fn group(&mut self, group: &Group, held: f64) {
        self.steps += NODE;
        let mut held = held;
        if group.should_isolate() {
            let pixels = self.layer_of(group.abs_layer_bounding_box());
            self.steps += pixels * LAYER;
            held += pixels * PIXEL;
            self.holds(held);
            group.filters().iter().for_each(|filter| self.filter(filter, pixels, held));
            if let Some(clip) = group.clip_path() {
                self.clip(clip, pixels, held);
            }
            if let Some(mask) = group.mask() {
                self.mask(mask, pixels, held);
            }
        }
        for node in group.children() {
            if self.is_too_much() {
                return;
            }
            self.node(node, held);
        }
    }

    fn node(&mut self, node: &Node, held: f64) {
        match node {
            Node::Group(group) => self.group(group, held),
            Node::Path(path) => self.path(path, held),
            Node::Text(text) => self.group(text.flattened(), held),
            Node::Image(image) => {
                self.steps += NODE;
                // Others are left out.
                if let ImageKind::SVG(tree) = image.kind() {
                    let pixels = self.seen_of(image.abs_bounding_box());
                    self.steps += pixels * LAYER;
                    self.holds(held + pixels * PIXEL);
                    self.group(tree.root(), held + pixels * PIXEL);
                }
            }
        }
    }

    fn path(&mut self, path: &Path, held: f64) {
        let points = path.data().len() as f64;
        let seen = self.seen_of(path.abs_stroke_bounding_box());
        self.steps += NODE + points * POINT;
        if let Some(fill) = path.fill() {
            self.steps += seen * FILLED;
            self.paint(fill.paint(), path.abs_transform(), held);
        }
        if let Some(stroke) = path.stroke() {
            self.steps += seen * FILLED;
            if let Some(dashes) = stroke.dasharray() {
                let (one, around) = (dashes.iter().sum::<f32>(), path.bounding_box());
                let long = f64::from(around.width() + around.height()) * points;
                let count = long / f64::from(one.max(f32::MIN_POSITIVE)) * dashes.len() as f64;
                self.steps += count.min(MOST_DASHES) * DASH;
            }
            self.paint(stroke.paint(), path.abs_transform(), held);
        }
    }

    fn paint(&mut self, paint: &Paint, transform: Transform, held: f64) {
        if let Paint::Pattern(pattern) = paint {
            self.pattern(pattern, transform.pre_concat(pattern.transform()), held);
        }
    }

    /// A pattern's tile is drawn whole, however little of it is seen.
    fn pattern(&mut self, pattern: &Pattern, transform: Transform, held: f64) {
        let (across, down) = transform.get_scale();
        let rect = pattern.rect();
        let pixels = self.pixels(rect.width() * across, rect.height() * down, f64::INFINITY);
        self.steps += pixels * LAYER;
        let held = held + pixels * PIXEL;
        self.holds(held);
        self.group(pattern.root(), held);
    }

    fn clip(&mut self, clip: &ClipPath, pixels: f64, held: f64) {
        let held = self.stencil(clip.root(), pixels, held);
        if let Some(outer) = clip.clip_path().filter(|_| !self.is_too_much()) {
            self.clip(outer, pixels, held);
        }
    }

    fn mask(&mut self, mask: &Mask, pixels: f64, held: f64) {
        let held = self.stencil(mask.root(), pixels, held);
        if let Some(outer) = mask.mask().filter(|_| !self.is_too_much()) {
            self.mask(outer, pixels, held);
        }
    }

    /// What is drawn of a layer, and the mask that is made of it. Gives what is held with both.
    fn stencil(&mut self, root: &Group, pixels: f64, held: f64) -> f64 {
        self.steps += NODE + 2.0 * pixels * LAYER;
        let held = held + 2.0 * pixels * PIXEL;
        self.holds(held);
        self.group(root, held);
        held
    }

    fn filter(&mut self, filter: &Filter, pixels: f64, held: f64) {
        for primitive in filter.primitives() {
            self.steps += NODE + pixels * self.each(primitive.kind(), pixels);
            // What each of them gives is kept for those that follow.
            if let Kind::Image(image) = primitive.kind() {
                self.group(image.root(), held);
            }
        }
        self.holds(held + pixels * PIXEL * (filter.primitives().len() as f64 + 2.0));
    }

    /// Steps for a pixel of so many.
    fn each(&self, kind: &Kind, pixels: f64) -> f64 {
        let (across, down) = self.scale;
        // A window is no larger than its picture.
        let window = |wide: f64, high: f64| (wide.max(1.0) * high.max(1.0)).min(pixels) * NEIGHBOUR;
        match kind {
            Kind::Turbulence(turbulence) => f64::from(turbulence.num_octaves()) * OCTAVE,
            Kind::Morphology(morphology) => {
                let (x, y) = (f64::from(morphology.radius_x().get()), f64::from(morphology.radius_y().get()));
                window(2.0 * x * across + 1.0, 2.0 * y * down + 1.0)
            }
            Kind::ConvolveMatrix(convolve) => {
                window(f64::from(convolve.matrix().columns()), f64::from(convolve.matrix().rows()))
            }
            _ => FILTER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watermark::{Art, Fonts};

    fn drawn(body: &str) -> Result<(), WatermarkError> {
        let svg = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' \
             width='400' height='200'>{body}</svg>"
        );
        Art::read(svg.as_bytes(), &Fonts::none()).unwrap().draw(Size::new(400, 200)).map(|_| ())
    }

    #[track_caller]
    fn is_too_heavy(body: &str) {
        let error = drawn(body).unwrap_err();
        assert!(matches!(error, WatermarkError::Heavy { .. }), "{error}");
    }

    fn filtered(primitives: &str) -> String {
        format!(
            "<filter id='f' x='0' y='0' width='1' height='1'>{primitives}</filter>\
             <rect filter='url(#f)' width='400' height='200'/>"
        )
    }

    #[test]
    fn what_logos_are_made_of_is_drawn() {
        for body in [
            filtered("<feGaussianBlur stdDeviation='12'/><feOffset dx='4'/>"),
            filtered("<feTurbulence baseFrequency='0.05' numOctaves='5'/>"),
            filtered("<feMorphology operator='dilate' radius='4'/>"),
            filtered("<feDropShadow dx='4' dy='4' stdDeviation='3'/>"),
            "<rect width='9' height='9'/>".repeat(5_000),
            format!("{}<rect width='400' height='200'/>{}", "<g opacity='.9'>".repeat(20), "</g>".repeat(20)),
            "<pattern id='p' width='10' height='10' patternUnits='userSpaceOnUse'><circle r='4'/></pattern>\
             <rect fill='url(#p)' width='400' height='200' stroke='red' stroke-dasharray='4 2'/>"
                .to_owned(),
        ] {
            drawn(&body).unwrap();
        }
    }

    #[test]
    fn what_would_take_hours_or_all_memory_is_refused() {
        is_too_heavy(&filtered("<feTurbulence baseFrequency='0.05' numOctaves='100000000'/>"));
        is_too_heavy(&filtered("<feMorphology operator='dilate' radius='300'/>"));
        is_too_heavy(&filtered(&"<feGaussianBlur stdDeviation='20'/>".repeat(5_000)));
        is_too_heavy(&format!(
            "{}<rect width='4000' height='2000'/>{}",
            "<g opacity='.9'>".repeat(900),
            "</g>".repeat(900)
        ));
        is_too_heavy(
            "<pattern id='p' width='90000' height='90000' patternUnits='userSpaceOnUse'><circle r='4'/></pattern>\
             <rect fill='url(#p)' width='400' height='200'/>",
        );
    }
}
