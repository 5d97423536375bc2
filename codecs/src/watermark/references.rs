//! What an SVG comes to once all that its elements refer to is followed, told before it is read.
//!
//! A mask may be drawn with masks, of which each may be drawn with masks. Whoever reads or draws that
//! goes through a mask once for each use of it: with two uses on each of 24 levels, 16 million times. Of
//! all references usvg counts those of `use` alone; and of elements that refer to one another in a ring
//! of three it finds no end, but that of the stack. So references are followed here first, each as often
//! as it is met, and no further than is legal: the work of telling is bounded by what is told.

mod declared;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use resvg::usvg::roxmltree::{Document, Node, NodeId};

use declared::{Declared, Sheet, names};

/// The most elements, each counted as often as something refers to it.
pub(super) const MOST_ELEMENTS: u64 = 1_000_000;
/// The most nodes of its XML, texts and attributes apart.
pub(super) const MOST_NODES: u32 = 4_000_000;
/// A reference counts as so many: what is made of it is compared with all others of its kind.
const REFERENCE: u64 = 32;
/// The most references that lie within one another.
pub(super) const MOST_NESTED: usize = 16;
/// The most elements that lie within one another, with those that are referred to.
pub(super) const MOST_LEVELS: usize = 1024;
/// Rules of a style sheet that are compared with an element while another is read.
const RULES: u64 = 16;
/// Bytes of a picture within the drawing that are copied while an element is read.
const BYTES: u64 = 256;

/// Why the references of a drawing are not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// An element is part of what it is made of.
    #[error(
        "line {line}: what the element {name:?} is made of refers to that element itself: no ring of references \
         is legal"
    )]
    Ring {
        /// Where the element begins, from 1.
        line: u32,
        /// Its `id`.
        name: String,
    },
    /// What is referred to refers to what refers to more.
    #[error(
        "line {line}: the element {name:?} is referred to from within more than {MOST_NESTED} references: up to \
         {MOST_NESTED} masks, clips, patterns, filters, markers and uses within one another are legal"
    )]
    Nested {
        /// Where the element begins, from 1.
        line: u32,
        /// Its `id`.
        name: String,
    },
    /// Elements within elements.
    #[error(
        "line {line}: elements lie within more than {MOST_LEVELS} others, with those that refer to them: up to \
         {MOST_LEVELS} are legal"
    )]
    Levels {
        /// Where the innermost element begins, from 1.
        line: u32,
    },
    /// Too many, counted as often as they are referred to.
    #[error(
        "line {line}: counted as often as something refers to them, the drawing comes to more than {MOST_ELEMENTS} \
         elements there (a reference counts as {REFERENCE}): up to {MOST_ELEMENTS} are legal"
    )]
    Many {
        /// Where the element begins at which there are too many, from 1.
        line: u32,
    },
}

/// What a drawing and the drawings within it may come to together.
#[derive(Debug)]
pub(super) struct Allowance(Mutex<Result<u64, ReferenceError>>);

impl Allowance {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Ok(MOST_ELEMENTS)))
    }

    /// Takes from it what a drawing comes to.
    ///
    /// # Errors
    /// That is too much, or one before it was.
    pub(super) fn take(&self, drawing: &Document<'_>) -> Result<(), ReferenceError> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.clone().and_then(|left| Ok(left - followed(drawing, left)?));
        left.clone().map(|_| ())
    }

    /// Whether it was enough for all that was taken.
    pub(super) fn was_enough(&self) -> Result<(), ReferenceError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().map(|_| ())
    }
}

/// How many elements a drawing comes to, if that is legal and no more than `most`.
fn followed(drawing: &Document<'_>, most: u64) -> Result<u64, ReferenceError> {
    let sheet = Sheet::of(drawing);
    let (mut first, mut last) = (HashMap::new(), HashMap::new());
    for node in drawing.descendants() {
        if let Some(id) = node.attribute("id") {
            first.entry(id).or_insert(node);
            last.insert(id, node);
        }
    }
    let each = 1 + sheet.rules() as u64 / RULES;
    let root = drawing.root_element();
    let mut walk = Walk {
        sheet,
        first,
        last,
        declared: HashMap::new(),
        within: Vec::new(),
        each,
        most,
        elements: 0,
        levels: 0,
        place: root,
    };
    walk.element(root, Declared::default())?;
    Ok(walk.elements)
}

/// An element that refers to another, by what it does with that.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Marker,
    Other,
}

/// How a drawing is gone through.
struct Walk<'a, 'i> {
    sheet: Sheet<'a>,
    /// Elements by name. Where several have one `use` takes the first, all others the last.
    first: HashMap<&'a str, Node<'a, 'i>>,
    last: HashMap<&'a str, Node<'a, 'i>>,
    declared: HashMap<NodeId, Declared<'a>>,
    /// What is being followed, outermost first.
    within: Vec<(NodeId, By)>,
    /// What an element counts as.
    each: u64,
    most: u64,
    elements: u64,
    levels: usize,
    /// Where the drawing itself has been gone through to.
    place: Node<'a, 'i>,
}

impl<'a, 'i> Walk<'a, 'i> {
    fn count(&mut self, elements: u64) -> Result<(), ReferenceError> {
        self.elements = self.elements.saturating_add(elements);
        match self.elements <= self.most {
            true => Ok(()),
            false => Err(ReferenceError::Many { line: line(self.place) }),
        }
    }

    /// An element, and all that is within it; `around` holds for what it lies in.
    fn element(&mut self, node: Node<'a, 'i>, around: Declared<'a>) -> Result<(), ReferenceError> {
        if self.within.is_empty() {
            self.place = node;
        }
        self.count(self.each)?;
        if self.levels >= MOST_LEVELS {
            return Err(ReferenceError::Levels { line: line(node) });
        }
        self.levels += 1;
        let holds = self.declared(node).over(around);
        self.references(node, &holds)?;
        for child in node.children().filter(Node::is_element) {
            self.element(child, holds)?;
        }
        self.levels -= 1;
        Ok(())
    }

    fn declared(&mut self, node: Node<'a, 'i>) -> Declared<'a> {
        let sheet = &self.sheet;
        *self.declared.entry(node.id()).or_insert_with(|| sheet.declared(node))
    }

    /// What holds for an element wherever it is referred to from.
    fn around(&mut self, node: Node<'a, 'i>) -> Result<Declared<'a>, ReferenceError> {
        let mut ancestors: Vec<_> = node.ancestors().skip(1).filter(Node::is_element).collect();
        self.count(ancestors.len() as u64)?;
        let mut around = Declared::default();
        while let Some(ancestor) = ancestors.pop() {
            around = self.declared(ancestor).over(around);
        }
        Ok(around)
    }

    /// Follows all that an element refers to.
    fn references(&mut self, node: Node<'a, 'i>, holds: &Declared<'a>) -> Result<(), ReferenceError> {
        for name in [holds.clip_path, holds.mask, holds.filter].into_iter().flatten().flat_map(names) {
            self.follow(self.last.get(name).copied(), None, By::Other)?;
        }
        let tag = node.tag_name().name();
        if is_painted(tag) {
            for name in [holds.fill, holds.stroke].into_iter().flatten().flat_map(names) {
                self.follow(self.last.get(name).copied(), None, By::Other)?;
            }
            self.markers(node, holds)?;
        }
        let Some(link) = link(node) else { return Ok(()) };
        match (tag, link.strip_prefix('#')) {
            ("use", Some(name)) => self.follow(self.first.get(name).copied(), Some(*holds), By::Other),
            ("a" | "image", Some(_)) => Ok(()),
            (_, Some(name)) => self.follow(self.last.get(name).copied(), None, By::Other),
            (_, None) => self.count(link.len() as u64 / BYTES),
        }
    }

    /// Markers are drawn at the points of a path: those between its ends at each.
    fn markers(&mut self, node: Node<'a, 'i>, holds: &Declared<'a>) -> Result<(), ReferenceError> {
        // A point takes two bytes at the least.
        let points = ["d", "points"].into_iter().filter_map(|name| node.attribute(name)).map(str::len).max();
        let points = points.unwrap_or(0) as u64 / 2 + 4;
        for (marker, times) in [(holds.marker_start, 1), (holds.marker_mid, points), (holds.marker_end, 1)] {
            for name in marker.into_iter().flat_map(names) {
                let before = self.elements;
                self.follow(self.last.get(name).copied(), None, By::Marker)?;
                let one = self.elements - before;
                self.count(one.saturating_mul(times - 1))?;
            }
        }
        Ok(())
    }

    /// An element that is referred to, where `around` holds, or else what holds where it stands.
    fn follow(
        &mut self,
        to: Option<Node<'a, 'i>>,
        around: Option<Declared<'a>>,
        by: By,
    ) -> Result<(), ReferenceError> {
        let Some(to) = to else { return Ok(()) };
        // Markers within themselves are left out.
        if by == By::Marker && self.within.contains(&(to.id(), By::Marker)) {
            return Ok(());
        }
        let name = || to.attribute("id").unwrap_or_default().to_owned();
        if self.within.iter().any(|(within, _)| *within == to.id()) {
            return Err(ReferenceError::Ring { line: line(to), name: name() });
        }
        if self.within.len() >= MOST_NESTED {
            return Err(ReferenceError::Nested { line: line(to), name: name() });
        }
        self.count(REFERENCE)?;
        let around = match around {
            Some(around) => around,
            None => self.around(to)?,
        };
        self.within.push((to.id(), by));
        self.element(to, around)?;
        self.within.pop();
        Ok(())
    }
}

/// Whether elements of this name are filled and stroked.
fn is_painted(tag: &str) -> bool {
    const PAINTED: [&str; 12] = [
        "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "textPath",
        "tref", "use",
    ];
    PAINTED.contains(&tag)
}

/// What an element links to; of two the one without a prefix.
fn link<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    const XLINK: &str = "http://www.w3.org/1999/xlink";
    let plain = node.attributes().find(|link| link.name() == "href" && link.namespace().is_none());
    let prefixed = || node.attributes().find(|link| link.name() == "href" && link.namespace() == Some(XLINK));
    plain.or_else(prefixed).map(|link| link.value().trim())
}

fn line(node: Node<'_, '_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}

#[cfg(test)]
mod tests;
