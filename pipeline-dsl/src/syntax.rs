//! The syntax tree: what stands in a show file, with its comments and its
//! blank lines, before anything is known about its meaning.
//!
//! [`parse`] never fails. What it cannot read becomes a diagnostic, and the
//! node it stood in is marked [`Reading::Broken`], so that a later look at the
//! tree does not complain about the same thing twice.

use crate::diagnostic::{Diagnostic, Span};
pub use crate::parser::{MOST_BYTES, MOST_DEPTH, parse};

/// A parsed file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Syntax {
    /// What stands on the top level.
    pub root: Block,
    /// What could not be read, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// What stands between `{` and `}`, or in the whole file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Block {
    /// A comment on the line of the `{`.
    pub comment: Option<Comment>,
    /// Nodes and comments in order.
    pub items: Vec<Item>,
    /// How it was laid out.
    pub layout: BlockLayout,
}

impl Block {
    /// Its nodes without the comments between them.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.items.iter().filter_map(|item| match &item.content {
            Content::Node(node) => Some(node),
            Content::Comment(_) => None,
        })
    }
}

/// Whether `{` and `}` stand on one line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BlockLayout {
    /// On two lines.
    #[default]
    Tall,
    /// On one.
    Flat,
}

/// A node or a comment of its own, and whether a blank line goes before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// What is before it.
    pub gap: Gap,
    /// What it is.
    pub content: Content,
}

/// What stands between an item and the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gap {
    /// Nothing.
    None,
    /// One blank line or more.
    Blank,
}

/// A node, or a comment that is not at the end of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// A node.
    Node(Node),
    /// A comment on a line of its own.
    Comment(Comment),
}

/// A comment, with its `//`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// Its text, without space at the end.
    pub text: String,
}

/// `word argument… key=value… [{ children }]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Its first word.
    pub word: Atom,
    /// The arguments.
    pub args: Vec<Atom>,
    /// The keys.
    pub keys: Vec<Pair>,
    /// What it holds.
    pub block: Option<Block>,
    /// A comment on its last line.
    pub comment: Option<Comment>,
    /// From its word to its last key.
    pub span: Span,
    /// Whether all of it could be read.
    pub reading: Reading,
}

/// `key=value`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pair {
    /// The key.
    pub key: Atom,
    /// The value.
    pub value: Atom,
}

/// A bare run or a string.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Atom {
    /// What it says, escapes undone.
    pub text: String,
    /// How it was written.
    pub quoting: Quoting,
    /// Where.
    pub span: Span,
}

/// How an atom was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quoting {
    /// Without quotes.
    Bare,
    /// As a string.
    Quoted,
}

/// Whether a node could be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// Yes.
    Whole,
    /// Some of its line is missing; a diagnostic says so.
    Broken,
}
