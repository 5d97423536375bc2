//! What is declared for an SVG's elements that refers to others: by attributes, style sheets and
//! `style`, in usvg's order.

use resvg::usvg::roxmltree::{Document, Node};
use simplecss::{AttributeOperator, Declaration, DeclarationTokenizer, Element, PseudoClass, StyleSheet};

/// Properties that may refer to an element.
#[derive(Clone, Copy, Default)]
pub(super) struct Declared<'a> {
    pub(super) fill: Option<&'a str>,
    pub(super) stroke: Option<&'a str>,
    pub(super) marker_start: Option<&'a str>,
    pub(super) marker_mid: Option<&'a str>,
    pub(super) marker_end: Option<&'a str>,
    pub(super) clip_path: Option<&'a str>,
    pub(super) mask: Option<&'a str>,
    pub(super) filter: Option<&'a str>,
}

impl<'a> Declared<'a> {
    /// Where a property of this name is kept; a short name stands for several.
    fn of(&mut self, property: &str) -> [Option<&mut Option<&'a str>>; 3] {
        match property {
            "fill" => [Some(&mut self.fill), None, None],
            "stroke" => [Some(&mut self.stroke), None, None],
            "marker-start" => [Some(&mut self.marker_start), None, None],
            "marker-mid" => [Some(&mut self.marker_mid), None, None],
            "marker-end" => [Some(&mut self.marker_end), None, None],
            "marker" => {
                [Some(&mut self.marker_start), Some(&mut self.marker_mid), Some(&mut self.marker_end)]
            }
            "clip-path" => [Some(&mut self.clip_path), None, None],
            "mask" => [Some(&mut self.mask), None, None],
            "filter" => [Some(&mut self.filter), None, None],
            _ => [None, None, None],
        }
    }

    fn set(&mut self, property: &str, value: &'a str) {
        self.of(property).into_iter().flatten().for_each(|place| *place = Some(value));
    }

    /// What holds for an element of which this is declared, within one for which `around` holds.
    pub(super) fn over(self, around: Self) -> Self {
        let inherited = |own: Option<&'a str>, around| own.filter(|own| *own != "inherit").or(around);
        let own = |own: Option<&'a str>, around| {
            own.and_then(|own| if own == "inherit" { around } else { Some(own) })
        };
        Self {
            fill: inherited(self.fill, around.fill),
            stroke: inherited(self.stroke, around.stroke),
            marker_start: inherited(self.marker_start, around.marker_start),
            marker_mid: inherited(self.marker_mid, around.marker_mid),
            marker_end: inherited(self.marker_end, around.marker_end),
            clip_path: own(self.clip_path, around.clip_path),
            mask: own(self.mask, around.mask),
            filter: own(self.filter, around.filter),
        }
    }
}

/// The elements that a value refers to: each `url(#name)` in it.
pub(super) fn names(value: &str) -> impl Iterator<Item = &str> {
    value.split("url(").skip(1).filter_map(|rest| {
        let inside = rest.split(')').next()?;
        inside.trim().trim_matches(['\'', '"']).trim().strip_prefix('#')
    })
}

/// A drawing's style sheets.
pub(super) struct Sheet<'a>(StyleSheet<'a>);

impl<'a> Sheet<'a> {
    pub(super) fn of(drawing: &'a Document<'_>) -> Self {
        let mut sheet = StyleSheet::new();
        for node in drawing.descendants().filter(|node| node.has_tag_name("style")) {
            let is_css = node.attribute("type").is_none_or(|kind| kind == "text/css");
            if let Some(text) = node.text().filter(|_| is_css) {
                sheet.parse_more(text);
            }
        }
        Self(sheet)
    }

    pub(super) fn rules(&self) -> usize {
        self.0.rules.len()
    }

    /// What is declared for an element itself.
    pub(super) fn declared(&self, node: Node<'a, '_>) -> Declared<'a> {
        let (mut declared, mut important) = (Declared::default(), Declared::default());
        for attribute in node.attributes().filter(|attribute| attribute.namespace().is_none()) {
            declared.set(attribute.name(), attribute.value().trim());
        }
        let mut add = |Declaration { name, value, important: is_important }: Declaration<'a>| {
            if is_important {
                important.set(name, value.trim());
            }
            declared.set(name, value.trim());
        };
        for rule in self.0.rules.iter().filter(|rule| rule.selector.matches(&Styled(node))) {
            rule.declarations.iter().for_each(|declaration| add(*declaration));
        }
        if let Some(style) = node.attribute("style") {
            DeclarationTokenizer::from(style).for_each(add);
        }
        // What is important stands, whatever comes after it.
        Declared {
            fill: important.fill.or(declared.fill),
            stroke: important.stroke.or(declared.stroke),
            marker_start: important.marker_start.or(declared.marker_start),
            marker_mid: important.marker_mid.or(declared.marker_mid),
            marker_end: important.marker_end.or(declared.marker_end),
            clip_path: important.clip_path.or(declared.clip_path),
            mask: important.mask.or(declared.mask),
            filter: important.filter.or(declared.filter),
        }
    }
}

/// An element as selectors look at it.
struct Styled<'a, 'i>(Node<'a, 'i>);

impl Element for Styled<'_, '_> {
    fn parent_element(&self) -> Option<Self> {
        self.0.parent_element().map(Styled)
    }
    fn prev_sibling_element(&self) -> Option<Self> {
        self.0.prev_sibling_element().map(Styled)
    }
    fn has_local_name(&self, name: &str) -> bool {
        self.0.tag_name().name() == name
    }
    fn attribute_matches(&self, name: &str, operator: AttributeOperator<'_>) -> bool {
        self.0.attribute(name).is_some_and(|value| operator.matches(value))
    }
    fn pseudo_class_matches(&self, class: PseudoClass<'_>) -> bool {
        class == PseudoClass::FirstChild && self.prev_sibling_element().is_none()
    }
}
