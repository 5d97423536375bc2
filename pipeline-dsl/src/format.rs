//! Canonical formatting: two spaces a level, one space between words, one node
//! a line. A block that stood on one line stays there while it fits.
//!
//! Comments and single blank lines are kept; nothing is aligned.

use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::parser::parse_into;
use crate::syntax::{Block, BlockLayout, Comment, Content, Gap, Node};

/// How many characters a block may take on one line, indentation included.
const WIDTH: usize = 100;

/// A show file in canonical form.
///
/// # Errors
/// What could not be read; a file with such an error is not touched. A file
/// that reads well but is no valid show is formatted all the same.
///
/// ```
/// let tidy = pipeline_dsl::format("camera  a {line x   test bars}").map_err(|_| "unreadable")?;
/// assert_eq!(tidy, "camera a { line x test bars }\n");
/// # Ok::<(), &str>(())
/// ```
pub fn format(source: &str) -> Result<String, Vec<Diagnostic>> {
    let mut sink = Sink::default();
    let root = parse_into(source, &mut sink);
    if sink.errors() > 0 {
        return Err(sink.finish());
    }
    let mut printer = Printer { source, out: String::with_capacity(source.len()) };
    printer.items(&root, 0);
    Ok(printer.out)
}

struct Printer<'s> {
    source: &'s str,
    out: String,
}

impl Printer<'_> {
    fn items(&mut self, block: &Block, depth: usize) {
        for (i, item) in block.items.iter().enumerate() {
            if i > 0 && item.gap == Gap::Blank {
                self.out.push('\n');
            }
            self.indent(depth);
            match &item.content {
                Content::Comment(comment) => self.out.push_str(&comment.text),
                Content::Node(node) => self.node(node, depth),
            }
            self.out.push('\n');
        }
    }

    fn indent(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n("  ", depth));
    }

    fn trailing(&mut self, comment: Option<&Comment>) {
        if let Some(comment) = comment {
            self.out.push(' ');
            self.out.push_str(&comment.text);
        }
    }

    fn node(&mut self, node: &Node, depth: usize) {
        if let Some(flat) = self.flat(node).filter(|flat| 2 * depth + flat.chars().count() <= WIDTH) {
            self.out.push_str(&flat);
        } else {
            let line = self.line(node);
            self.out.push_str(&line);
            if let Some(block) = &node.block {
                self.out.push_str(" {");
                self.trailing(block.comment.as_ref());
                self.out.push('\n');
                self.items(block, depth + 1);
                self.indent(depth);
                self.out.push('}');
            }
        }
        self.trailing(node.comment.as_ref());
    }

    fn raw(&self, span: Span) -> &str {
        span.of(self.source)
    }

    /// The node's own words.
    fn line(&self, node: &Node) -> String {
        let mut line = self.raw(node.word.span).to_owned();
        for arg in &node.args {
            line.push(' ');
            line.push_str(self.raw(arg.span));
        }
        for pair in &node.keys {
            line.push(' ');
            line.push_str(self.raw(pair.key.span));
            line.push('=');
            line.push_str(self.raw(pair.value.span));
        }
        line
    }

    /// The node on one line, if it was so and nothing in it asks for more.
    fn flat(&self, node: &Node) -> Option<String> {
        let mut line = self.line(node);
        let Some(block) = &node.block else { return Some(line) };
        let nothing = block.items.is_empty() && block.comment.is_none();
        if nothing {
            line.push_str(" {}");
            return Some(line);
        }
        if block.layout != BlockLayout::Flat {
            return None;
        }
        line.push_str(" { ");
        for (i, item) in block.items.iter().enumerate() {
            let Content::Node(child) = &item.content else { return None };
            if i > 0 {
                line.push_str("; ");
            }
            line.push_str(&self.flat(child)?);
        }
        line.push_str(" }");
        Some(line)
    }
}
