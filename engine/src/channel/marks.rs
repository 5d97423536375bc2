//! The watermarks of a channel: drawn when the show starts, laid tick by tick.
//!
//! What is drawn once lies on the canvas, below what is drawn on each rung.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use codecs::watermark::forensic::{Message, Pattern};
use codecs::watermark::{DrawnStrip, Face, Fonts, Lettering, TimeStrip};
use codecs::{Art, CodecError, Finish, Laid, Opacity, Picture, PictureMut, Rgb, Sprite, WatermarkError};
use media::{FrameRate, Size, Time};
use pipeline_dsl as dsl;
use pipeline_dsl::{Draw, MarkFade, MarkMove, TimeOf, TimeOfDay};

use crate::{keys, small_file};

/// How a channel's graphics are to be at a tick, in the order of the channel.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct MarkStates {
    /// The time of day at show time zero, where time is real.
    pub(crate) day_at_zero: Option<TimeOfDay>,
    pub(crate) graphics: Vec<MarkState>,
}

/// What a director has made of a graphic.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct MarkState {
    pub(crate) name: String,
    /// Whether it is shown, and how far it has come or gone.
    pub(crate) fade: MarkFade,
    /// What a text says instead of the show file's words.
    pub(crate) text: Option<String>,
    /// Where it was put.
    pub(crate) put: MarkMove,
}

impl MarkStates {
    /// As the show file has them.
    pub(crate) fn new(show: &dsl::Show, channel: &dsl::Channel) -> Self {
        let graphics = graphics(show, channel).map(|(name, graphic)| MarkState {
            name: name.to_owned(),
            fade: MarkFade::new(graphic.state),
            text: None,
            put: MarkMove::default(),
        });
        Self { day_at_zero: None, graphics: graphics.collect() }
    }
}

/// What is seen of a channel's graphics at a tick: the same in two channels if that looks the same.
#[derive(Clone, Debug)]
pub(crate) struct SeenMarks {
    states: Arc<MarkStates>,
    at: Time,
}

impl SeenMarks {
    pub(crate) const fn new(states: Arc<MarkStates>, at: Time) -> Self {
        Self { states, at }
    }

    /// A path may hide one, too; that is not looked into.
    fn seen(&self) -> impl Iterator<Item = &MarkState> {
        self.states.graphics.iter().filter(|graphic| graphic.fade.level(self.at) > 0)
    }
}

impl PartialEq for SeenMarks {
    fn eq(&self, other: &Self) -> bool {
        self.states.day_at_zero == other.states.day_at_zero && self.seen().eq(other.seen())
    }
}

/// A channel's graphics, in its order.
fn graphics<'s>(
    show: &'s dsl::Show,
    channel: &'s dsl::Channel,
) -> impl Iterator<Item = (&'s str, &'s dsl::Graphic)> {
    marks(show, channel).filter_map(|(name, mark)| match mark {
        dsl::Mark::Graphic(graphic) => Some((name, graphic)),
        dsl::Mark::Forensic { .. } => None,
    })
}

fn marks<'s>(
    show: &'s dsl::Show,
    channel: &'s dsl::Channel,
) -> impl Iterator<Item = (&'s str, &'s dsl::Mark)> {
    let named = |name: &'s String| show.watermarks.iter().find(|mark| mark.name == *name);
    channel.watermarks.iter().filter_map(named).map(|mark| (mark.name.as_str(), &mark.mark))
}

/// The channel's marks, ready.
pub(crate) struct Marks {
    canvas: Size,
    rate: FrameRate,
    rungs: Arc<[Size]>,
    graphics: Vec<Ready>,
    patterns: Arc<[Option<Pattern>]>,
    /// Why something is not shown as it was asked for; told once.
    complaint: Option<String>,
}

/// A graphic and its drawings.
struct Ready {
    name: String,
    model: dsl::Graphic,
    art: Source,
    /// Drawn on the canvas, or on each rung.
    drawn: Vec<Arc<Drawn>>,
    /// What the drawings say.
    says: Option<String>,
}

enum Source {
    Art(Art),
    Words { lettering: Lettering, art: Art },
    Strip(TimeStrip),
}

enum Drawn {
    Sprite(Box<Sprite>),
    Strip(DrawnStrip),
}

/// A drawing where it lies in one picture.
#[derive(Clone)]
pub(crate) struct Placed {
    drawn: Arc<Drawn>,
    /// What a time code says.
    text: String,
    laid: Laid,
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.drawn, &other.drawn) && self.text == other.text && self.laid == other.laid
    }
}

impl Placed {
    fn blend(&self, picture: &mut PictureMut) {
        match &*self.drawn {
            Drawn::Sprite(sprite) => sprite.blend(picture, self.laid),
            Drawn::Strip(strip) => strip.blend(picture, &self.text, self.laid),
        }
    }
}

/// Lays them over a picture, in their order.
pub(crate) fn lay(placed: &[Placed], picture: &mut PictureMut) {
    placed.iter().for_each(|placed| placed.blend(picture));
}

/// What is laid over the rungs' own pictures at a tick.
pub(crate) struct RungMarks {
    sizes: Arc<[Size]>,
    placed: Vec<Vec<Placed>>,
    patterns: Arc<[Option<Pattern>]>,
}

impl RungMarks {
    /// The rung of the fewest pixels that is at least so large, else the largest; and its size.
    pub(crate) fn rung_for(&self, picture: Size) -> Option<(usize, Size)> {
        let sizes = || self.sizes.iter().copied().enumerate();
        let enough = sizes().filter(|(_, size)| picture.fits_in(*size)).min_by_key(|(_, size)| size.area());
        enough.or_else(|| sizes().max_by_key(|(_, size)| size.area()))
    }
}

impl Finish for RungMarks {
    fn finish(&self, rung: usize, picture: Picture) -> Result<Picture, CodecError> {
        let placed = self.placed.get(rung).map_or(&[][..], Vec::as_slice);
        let pattern = self.patterns.get(rung).and_then(Option::as_ref);
        if placed.is_empty() && pattern.is_none() {
            return Ok(picture);
        }
        let mut picture = picture.into_mut()?;
        lay(placed, &mut picture);
        if let Some(pattern) = pattern {
            pattern.lay(&mut picture)?;
        }
        Ok(picture.freeze())
    }
}

/// The system's fonts, read when they are needed first.
fn system_fonts() -> &'static Fonts {
    static FONTS: OnceLock<Fonts> = OnceLock::new();
    FONTS.get_or_init(Fonts::system)
}

/// Why the system cannot write in a font of this name; `None` if it can.
pub fn font_problem(name: &str) -> Option<String> {
    system_fonts().named(name).err().map(|error| error.to_string())
}

/// What a graphic is loaded for.
struct Loading<'a> {
    owner: String,
    base: &'a Path,
    canvas: Size,
}

impl Loading<'_> {
    fn file(&self, path: &dsl::Text) -> Result<(String, Vec<u8>), String> {
        let path = keys::path(path, self.base, &self.owner).map_err(|e| e.to_string())?;
        let said = format!("{}: {}", self.owner, path.display());
        let bytes = small_file::read(&path).map_err(|e| format!("{said}: {e}"))?;
        Ok((said, bytes))
    }

    fn face(&self, font: Option<&dsl::Font>) -> Result<Face, String> {
        let told = |said: &str, error: WatermarkError| format!("{said}: {error}");
        match font {
            None => system_fonts().face().map_err(|e| told(&self.owner, e)),
            Some(dsl::Font::Family(name)) => system_fonts().named(name).map_err(|e| told(&self.owner, e)),
            Some(dsl::Font::File(path)) => {
                let (said, bytes) = self.file(path)?;
                Fonts::file(bytes).map_err(|e| told(&said, e))
            }
        }
    }

    fn lettering(&self, style: &dsl::TextStyle) -> Result<Lettering, String> {
        let colour = |color: dsl::Rgb| Rgb::new(color.r, color.g, color.b);
        Ok(Lettering {
            face: self.face(style.font.as_ref())?,
            size: style.size,
            colour: colour(style.color),
            outline: style.outline.map(colour),
        })
    }

    fn source(&self, graphic: &dsl::Graphic) -> Result<Source, String> {
        let told = |error: WatermarkError| format!("{}: {error}", self.owner);
        Ok(match &graphic.art {
            dsl::Art::Image { path } => {
                let (said, bytes) = self.file(path)?;
                // Only a drawing with letters in it needs the fonts, which take a moment to read.
                let has_letters = bytes.windows(5).any(|part| part == b"<text");
                let none = Fonts::none();
                let fonts = if has_letters { system_fonts() } else { &none };
                Source::Art(Art::read(&bytes, fonts).map_err(|e| format!("{said}: {e}"))?)
            }
            dsl::Art::Text { text, style } => {
                let lettering = self.lettering(style)?;
                let art = lettering.words(text).map_err(told)?;
                Source::Words { lettering, art }
            }
            dsl::Art::Timecode { style, .. } => {
                Source::Strip(TimeStrip::new(&self.lettering(style)?).map_err(told)?)
            }
        })
    }

    /// A still graphic against the edges fits between its margins.
    fn fits(&self, graphic: &dsl::Graphic, art: Size) -> Result<(), String> {
        let dsl::At::Anchor(_) = graphic.at else { return Ok(()) };
        let Size { width, height } = self.canvas;
        let both = graphic.margin.saturating_mul(2);
        let room = Size::new(width.saturating_sub(both), height.saturating_sub(both));
        if graphic.path.is_empty() && !art.fits_in(room) {
            return Err(format!(
                "{}: {art} with a margin of {} does not fit on a canvas of {}: at most {room} would; `scale=` makes it smaller",
                self.owner, graphic.margin, self.canvas
            ));
        }
        Ok(())
    }
}

/// How large a graphic's art is on a picture.
fn scaled(art: Size, graphic: &dsl::Graphic, canvas: Size, picture: Size) -> Size {
    let side = |own: u32, picture: u32, canvas: u32| {
        let whole = u64::from(own) * u64::from(graphic.scale) * u64::from(picture);
        let per = 100 * u64::from(canvas.max(1));
        u32::try_from((whole + per / 2) / per).unwrap_or(u32::MAX).max(1)
    };
    Size::new(side(art.width, picture.width, canvas.width), side(art.height, picture.height, canvas.height))
}

/// How many times larger a strip is drawn on a picture.
fn strip_scale(graphic: &dsl::Graphic, canvas: Size, picture: Size) -> f64 {
    f64::from(graphic.scale) / 100.0 * f64::from(picture.height) / f64::from(canvas.height.max(1))
}

impl Marks {
    /// Loads and draws the channel's watermarks, relative to `base`, for rungs of these sizes.
    pub(crate) fn new(show: &dsl::Show, channel: &dsl::Channel, base: &Path) -> Result<Self, String> {
        let canvas = show.video.size;
        let ladder = show.ladder(&channel.ladder);
        let rungs: Vec<Size> = ladder.map_or_else(Vec::new, |l| l.rungs.iter().map(|r| r.size).collect());
        let mut patterns: Vec<Option<Pattern>> = rungs.iter().map(|_| None).collect();
        let mut graphics = Vec::new();
        if let Some(name) =
            channel.watermarks.iter().find(|name| show.watermarks.iter().all(|w| w.name != **name))
        {
            return Err(format!("there is no watermark {name}"));
        }
        for (name, mark) in marks(show, channel) {
            let graphic = match mark {
                dsl::Mark::Graphic(graphic) => graphic,
                dsl::Mark::Forensic { id, strength } => {
                    for (rung, (pattern, size)) in patterns.iter_mut().zip(&rungs).enumerate() {
                        let rung = u8::try_from(rung).unwrap_or(u8::MAX);
                        *pattern = Pattern::new(Message { id: *id, rung }, *strength, *size);
                    }
                    continue;
                }
            };
            let loading = Loading { owner: format!("watermark {name}"), base, canvas };
            let mut ready = Ready {
                name: name.to_owned(),
                model: graphic.clone(),
                art: loading.source(graphic)?,
                drawn: Vec::new(),
                says: None,
            };
            loading.fits(graphic, ready.size("00:00:00:00", canvas, canvas))?;
            ready.drawn = ready.draw(canvas, &rungs).map_err(|e| format!("{}: {e}", loading.owner))?;
            graphics.push(ready);
        }
        Ok(Self {
            canvas,
            rate: show.video.rate,
            rungs: rungs.into(),
            graphics,
            patterns: patterns.into(),
            complaint: None,
        })
    }

    /// None of the channel's, for pictures that nobody looks at.
    pub(crate) fn undrawn(show: &dsl::Show, channel: &dsl::Channel) -> Self {
        let ladder = show.ladder(&channel.ladder);
        let rungs: Vec<Size> = ladder.map_or_else(Vec::new, |l| l.rungs.iter().map(|r| r.size).collect());
        Self {
            canvas: show.video.size,
            rate: show.video.rate,
            patterns: rungs.iter().map(|_| None).collect(),
            rungs: rungs.into(),
            graphics: Vec::new(),
            complaint: None,
        }
    }

    /// The name of one that shows the time of day.
    pub(crate) fn needs_day(&self) -> Option<&str> {
        let is_clock =
            |ready: &&Ready| matches!(ready.model.art, dsl::Art::Timecode { of: TimeOf::Clock, .. });
        self.graphics.iter().find(is_clock).map(|ready| ready.name.as_str())
    }

    /// Why something is not shown as it was asked for, once.
    pub(crate) fn complaint(&mut self) -> Option<String> {
        self.complaint.take()
    }

    /// What lies on the canvas, and on the rungs if anything does, at `time`.
    pub(crate) fn at(&mut self, time: Time, states: &MarkStates) -> (Vec<Placed>, Option<Arc<RungMarks>>) {
        let mut on_canvas = Vec::new();
        let mut on_rungs: Vec<Vec<Placed>> = vec![Vec::new(); self.rungs.len()];
        let mut is_on_rungs = self.patterns.iter().any(Option::is_some);
        for (ready, state) in self.graphics.iter_mut().zip(&states.graphics) {
            let level = u32::from(state.fade.level(time));
            if level == 0 {
                continue;
            }
            if let Err(error) = ready.says(state.text.as_deref(), self.canvas, &self.rungs) {
                self.complaint = Some(format!("watermark {} keeps its text: {error}", ready.name));
            }
            let Some(text) = ready.time_code(time, self.rate, states.day_at_zero) else { continue };
            let once = [self.canvas];
            let pictures = if ready.model.draw == Draw::Once { &once[..] } else { &self.rungs };
            for (ix, (drawn, picture)) in ready.drawn.iter().zip(pictures).enumerate() {
                let art = match &**drawn {
                    Drawn::Sprite(sprite) => sprite.size(),
                    Drawn::Strip(_) => ready.size(&text, self.canvas, *picture),
                };
                let frame = dsl::Frame { time, canvas: self.canvas, picture: *picture, art, put: None };
                let dsl::Standing { x, y, opacity } = state.put.standing(&ready.model, frame);
                let opacity = u16::try_from((u32::from(opacity) * level + 128) / 256).unwrap_or(opacity);
                if opacity == 0 {
                    continue;
                }
                let laid = Laid { x, y, opacity: Opacity::of_256(opacity) };
                let placed = Placed { drawn: Arc::clone(drawn), text: text.clone(), laid };
                if ready.model.draw == Draw::Once {
                    on_canvas.push(placed);
                } else if let Some(rung) = on_rungs.get_mut(ix) {
                    rung.push(placed);
                    is_on_rungs = true;
                }
            }
        }
        let rungs = is_on_rungs.then(|| {
            let (sizes, patterns) = (Arc::clone(&self.rungs), Arc::clone(&self.patterns));
            Arc::new(RungMarks { sizes, placed: on_rungs, patterns })
        });
        (on_canvas, rungs)
    }
}

impl Ready {
    /// How large it is on a picture; a time code that says as much as `like`.
    fn size(&self, like: &str, canvas: Size, picture: Size) -> Size {
        match &self.art {
            Source::Art(art) | Source::Words { art, .. } => scaled(art.size(), &self.model, canvas, picture),
            Source::Strip(strip) => strip.size(like, strip_scale(&self.model, canvas, picture)),
        }
    }

    fn draw(&self, canvas: Size, rungs: &[Size]) -> Result<Vec<Arc<Drawn>>, WatermarkError> {
        let once = [canvas];
        let pictures = if self.model.draw == Draw::Once { &once[..] } else { rungs };
        let drawn = pictures.iter().map(|&picture| {
            Ok(Arc::new(match &self.art {
                Source::Art(art) | Source::Words { art, .. } => {
                    Drawn::Sprite(Box::new(art.draw(scaled(art.size(), &self.model, canvas, picture))?))
                }
                Source::Strip(strip) => {
                    Drawn::Strip(strip.draw(strip_scale(&self.model, canvas, picture))?)
                }
            }))
        });
        drawn.collect()
    }

    /// Draws other words, if it says others now. What cannot be drawn changes nothing, and is
    /// told once.
    fn says(&mut self, text: Option<&str>, canvas: Size, rungs: &[Size]) -> Result<(), WatermarkError> {
        if self.says.as_deref() == text {
            return Ok(());
        }
        self.says = text.map(str::to_owned);
        let (Source::Words { lettering, art }, dsl::Art::Text { text: own, .. }) =
            (&mut self.art, &self.model.art)
        else {
            return Ok(());
        };
        let words = lettering.words(text.unwrap_or(own))?;
        let before = std::mem::replace(art, words);
        match self.draw(canvas, rungs) {
            Ok(drawn) => self.drawn = drawn,
            Err(error) => {
                if let Source::Words { art, .. } = &mut self.art {
                    *art = before;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// What a time code says, nothing for all else; `None` where it cannot say anything.
    fn time_code(&self, at: Time, rate: FrameRate, day_at_zero: Option<TimeOfDay>) -> Option<String> {
        match &self.model.art {
            dsl::Art::Timecode { of, zone, units, .. } => {
                dsl::time_code(*of, *zone, *units, at, rate, day_at_zero)
            }
            dsl::Art::Image { .. } | dsl::Art::Text { .. } => Some(String::new()),
        }
    }
}
