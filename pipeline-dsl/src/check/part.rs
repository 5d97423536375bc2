//! Parts: nodes whose values have been read, before they become the model.

use crate::check::values::{Value, read};
use crate::diagnostic::Span;
use crate::grammar::{Form, Need, NodeSpec, Slot};
use crate::model::Text;
use crate::syntax::{Atom, Quoting};

/// A node whose values have been read.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) spec: &'static NodeSpec,
    pub(crate) form: Option<&'static Form>,
    /// Its word.
    pub(crate) word: Span,
    pub(crate) values: Vec<(&'static str, Value, Span)>,
    pub(crate) parts: Vec<Part>,
}

macro_rules! getters {
    ($($name:ident $variant:ident $type:ty;)*) => {$(
        pub(crate) fn $name(&self, slot: &str) -> Option<$type> {
            match self.find(slot) {
                Some((Value::$variant(value), _)) => Some(value.clone()),
                _ => None,
            }
        }
    )*};
}

impl Part {
    /// What a node that is not there stands for.
    pub(crate) fn absent(spec: &'static NodeSpec) -> Self {
        let mut part =
            Self { spec, form: None, word: Span::default(), values: Vec::new(), parts: Vec::new() };
        part.fill(spec.args);
        part.fill(spec.keys);
        part
    }

    /// Adds the defaults of slots that have no value.
    pub(crate) fn fill(&mut self, slots: &[Slot]) {
        for slot in slots {
            if let (Need::Default(text), None) = (slot.need, self.find(slot.name)) {
                let atom = Atom { text: text.to_owned(), quoting: Quoting::Bare, span: self.word };
                if let Ok(value) = read(slot.name, slot.ty, &atom) {
                    self.values.push((slot.name, value, self.word));
                }
            }
        }
    }

    pub(crate) fn find(&self, slot: &str) -> Option<(&Value, Span)> {
        self.values.iter().find(|(name, ..)| *name == slot).map(|(_, value, span)| (value, *span))
    }

    /// Where a slot's value stands, else the word.
    pub(crate) fn span_of(&self, slot: &str) -> Span {
        self.find(slot).map_or(self.word, |(_, span)| span)
    }

    /// Its own name, where it has one.
    pub(crate) fn called(&self) -> Option<&str> {
        self.names("name").next().map(|(name, _)| name)
    }

    /// Every name a slot has, with its place.
    pub(crate) fn names(&self, slot: &str) -> impl Iterator<Item = (&str, Span)> {
        self.values.iter().filter_map(move |(name, value, span)| match value {
            Value::Name(text) if *name == slot => Some((text.as_str(), *span)),
            _ => None,
        })
    }

    pub(crate) fn all<'p>(&'p self, word: &str) -> impl Iterator<Item = &'p Part> {
        self.parts.iter().filter(move |part| part.spec.word == word)
    }

    pub(crate) fn one(&self, word: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.spec.word == word)
    }

    getters! {
        name Name String;
        text Text Text;
        point Point crate::model::PushPoint;
        pattern Pattern crate::model::Pattern;
        word Word &'static str;
        words Words Vec<&'static str>;
        list Names Vec<String>;
        limit Limit Option<media::Span>;
        span Span media::Span;
        time Time media::Time;
        time_of_day TimeOfDay crate::model::TimeOfDay;
        zone Zone crate::model::Zone;
        color Color crate::model::Rgb;
        size Size media::Size;
        rate Rate media::FrameRate;
        sample_rate SampleRate media::SampleRate;
        number Number u32;
        ratio Ratio f32;
        lengths Lengths (crate::model::Length, crate::model::Length);
        place Place crate::model::At;
        crop Crop crate::model::Crop;
        level Level crate::model::Gain;
        address Address std::net::SocketAddr;
        secret Secret crate::model::KeyPlace;
    }
}
