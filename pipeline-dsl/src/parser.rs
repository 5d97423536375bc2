//! Tokens into a syntax tree, whatever the tokens are.
//!
//! It recovers at line ends and at braces. Where the braces do not pair, it
//! reads the file again and takes the indentation as a witness of where a `}`
//! is missing or too many; the reading with fewer complaints counts.

use crate::check::shown;
use crate::diagnostic::{Diagnostic, MOST_DIAGNOSTICS, Sink, Span};
use crate::lexer::{Kind, Token, lex};
use crate::syntax::{
    Atom, Block, BlockLayout, Comment, Content, Gap, Item, Node, Pair, Quoting, Reading, Syntax,
};

/// The largest show file that is read, in bytes.
pub const MOST_BYTES: usize = 512 << 10;

/// How deep blocks may be nested.
pub const MOST_DEPTH: usize = 16;

/// Reads a show file. Never fails: what cannot be read is in the diagnostics.
pub fn parse(source: &str) -> Syntax {
    let mut sink = Sink::default();
    let root = parse_into(source, &mut sink);
    Syntax { root, diagnostics: sink.finish() }
}

pub(crate) fn parse_into(source: &str, sink: &mut Sink) -> Block {
    if source.len() > MOST_BYTES {
        let span = Span { start: 0, len: 0, line: 1, column: 1 };
        let message = format!("the file has {} bytes; legal: up to {MOST_BYTES}", source.len());
        sink.push(Diagnostic::error("file-too-large", span, message));
        return Block::default();
    }
    let tokens = lex(source, sink);
    let mut reading = Parser::new(source, &tokens, Witness::Braces);
    let mut root = reading.block(None, 0);
    if reading.unpaired {
        let mut second = Parser::new(source, &tokens, Witness::Indentation);
        let block = second.block(None, 0);
        if second.count <= reading.count {
            (reading, root) = (second, block);
        }
    }
    sink.skip(reading.count - reading.said.len());
    for diagnostic in reading.said {
        sink.push(diagnostic);
    }
    root
}

/// What tells where a block ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Witness {
    Braces,
    Indentation,
}

/// The `{` a block began with.
#[derive(Clone, Copy)]
struct Opening {
    brace: Span,
    /// The column of its node's word, where that is first on its line.
    indent: Option<u32>,
}

struct Parser<'t> {
    source: &'t str,
    tokens: &'t [Token],
    at: usize,
    witness: Witness,
    said: Vec<Diagnostic>,
    /// How many were said, kept or not.
    count: usize,
    unpaired: bool,
}

impl<'t> Parser<'t> {
    fn new(source: &'t str, tokens: &'t [Token], witness: Witness) -> Self {
        Self { source, tokens, at: 0, witness, said: Vec::new(), count: 0, unpaired: false }
    }

    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    fn kind(&self) -> Option<&'t Kind> {
        self.peek().map(|t| &t.kind)
    }

    fn bump(&mut self) -> Option<&'t Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    fn eat(&mut self, kind: &Kind) -> bool {
        let there = self.kind() == Some(kind);
        self.at += usize::from(there);
        there
    }

    fn comment(&mut self) -> Option<Comment> {
        let token = self.peek().filter(|t| t.kind == Kind::Comment)?;
        self.at += 1;
        Some(Comment { text: token.span.of(self.source).trim_end().to_owned() })
    }

    fn say(&mut self, diagnostic: Diagnostic) {
        self.count += 1;
        if self.said.len() <= MOST_DIAGNOSTICS {
            self.said.push(diagnostic);
        }
    }

    /// Items up to the block's end. `open` is none for the file itself.
    fn block(&mut self, open: Option<Opening>, depth: usize) -> Block {
        let mut block = Block::default();
        if open.is_some() {
            block.comment = self.comment();
        }
        let mut newlines = 0;
        loop {
            let Some(token) = self.peek() else {
                if let Some(open) = open {
                    self.unclosed(open, None);
                }
                return block;
            };
            let gap = if newlines > 1 { Gap::Blank } else { Gap::None };
            match &token.kind {
                Kind::Newline => {
                    newlines += 1;
                    self.at += 1;
                    continue;
                }
                Kind::Semicolon => self.at += 1,
                Kind::Comment => {
                    if let Some(comment) = self.comment() {
                        block.items.push(Item { gap, content: Content::Comment(comment) });
                    }
                }
                Kind::Close => match open {
                    Some(open) if self.closes(open, token) => {
                        self.at += 1;
                        if token.span.line == open.brace.line {
                            block.layout = BlockLayout::Flat;
                        }
                        return block;
                    }
                    Some(open) if self.belongs_further_out(open, token) => {
                        self.unclosed(open, Some(token.span));
                        return block;
                    }
                    _ => {
                        self.at += 1;
                        self.unpaired = true;
                        let message = "this `}` has no `{`";
                        self.say(
                            Diagnostic::error("stray-brace", token.span, message)
                                .help("take it out, or look for a `{` that is missing above"),
                        );
                    }
                },
                Kind::Open => {
                    let last = block.items.last_mut().and_then(|item| match &mut item.content {
                        Content::Node(node) if node.block.is_none() => Some(node),
                        _ => None,
                    });
                    self.stray_open(last, token, depth);
                }
                Kind::Equals | Kind::Broken => {
                    if token.kind == Kind::Equals {
                        self.say(Diagnostic::error(
                            "missing-key",
                            token.span,
                            "a line begins with a word; legal: `word argument… key=value…`",
                        ));
                    }
                    self.skip_line(depth);
                }
                Kind::Bare | Kind::Text(_) => {
                    if let Some(open) = open.filter(|open| self.ends_by_indent(*open, token)) {
                        self.unclosed(open, Some(token.span));
                        return block;
                    }
                    let node = self.node(token, depth);
                    block.items.push(Item { gap, content: Content::Node(node) });
                }
            }
            newlines = 0;
        }
    }

    fn unclosed(&mut self, open: Opening, before: Option<Span>) {
        self.unpaired = true;
        let mut said = Diagnostic::error("unclosed-block", open.brace, "this `{` is never closed");
        said = match before {
            Some(span) => said.label(span, "a `}` is missing before this"),
            None => said.help("a `}` is missing before the end of the file"),
        };
        self.say(said);
    }

    fn indent_of(&self, open: Opening, token: &Token) -> Option<(u32, u32)> {
        let told = self.witness == Witness::Indentation && token.first;
        told.then(|| open.indent.map(|indent| (token.span.column, indent))).flatten()
    }

    /// Whether `token`, a `}`, closes `open`.
    fn closes(&self, open: Opening, token: &Token) -> bool {
        self.indent_of(open, token).is_none_or(|(column, indent)| column == indent)
    }

    fn belongs_further_out(&self, open: Opening, token: &Token) -> bool {
        self.indent_of(open, token).is_some_and(|(column, indent)| column < indent)
    }

    /// Whether a node that starts with `token` cannot be within `open`, by its indentation.
    fn ends_by_indent(&self, open: Opening, token: &Token) -> bool {
        self.indent_of(open, token).is_some_and(|(column, indent)| column <= indent)
    }

    /// A `{` where none may be: most often it was put on the line below its node.
    fn stray_open(&mut self, node: Option<&mut Node>, token: &Token, depth: usize) {
        let said = Diagnostic::error("stray-brace", token.span, "a `{` needs its word on the same line");
        self.say(said.help("write `word argument… {` on one line"));
        self.at += 1;
        // Its indentation is not to be trusted, so it is closed by its brace alone.
        let open = Opening { brace: token.span, indent: None };
        let block = self.nested(open, depth);
        if let Some(node) = node {
            node.block = Some(block);
            self.tail(node);
        }
    }

    /// The block after a `{` that has just been read.
    fn nested(&mut self, open: Opening, depth: usize) -> Block {
        if depth < MOST_DEPTH {
            return self.block(Some(open), depth + 1);
        }
        let message = format!("blocks are nested too deep; legal: up to {MOST_DEPTH} levels");
        self.say(Diagnostic::error("too-deep", open.brace, message));
        let mut depth = 1;
        while depth > 0
            && let Some(token) = self.bump()
        {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth -= 1,
                _ => {}
            }
        }
        Block::default()
    }

    fn skip_line(&mut self, depth: usize) {
        while let Some(kind) = self.kind() {
            if matches!(kind, Kind::Newline | Kind::Semicolon | Kind::Open | Kind::Close | Kind::Comment) {
                break;
            }
            self.at += 1;
        }
        if self.kind() == Some(&Kind::Open) {
            // The block of a line that could not be read: its braces pair, nothing else is known.
            if let Some(token) = self.bump() {
                self.nested(Opening { brace: token.span, indent: None }, depth);
            }
        }
    }

    fn atom(&self, token: &Token) -> Atom {
        let (text, quoting) = match &token.kind {
            Kind::Text(text) => (text.clone(), Quoting::Quoted),
            _ => (token.span.of(self.source).to_owned(), Quoting::Bare),
        };
        Atom { text, quoting, span: token.span }
    }

    /// A node that starts with `start`, which is a bare run or a string.
    fn node(&mut self, start: &Token, depth: usize) -> Node {
        self.at += 1;
        let mut node = Node {
            word: self.atom(start),
            args: Vec::new(),
            keys: Vec::new(),
            block: None,
            comment: None,
            span: start.span,
            reading: Reading::Whole,
        };
        if node.word.quoting == Quoting::Quoted {
            self.say(
                Diagnostic::error("not-a-word", start.span, "a line begins with a word, not with a string")
                    .help("legal: `word argument… key=value…`"),
            );
            node.reading = Reading::Broken;
        }
        while let Some(token) = self.peek() {
            match &token.kind {
                Kind::Bare | Kind::Text(_) => {
                    self.at += 1;
                    node.span = node.span.to(token.span);
                    if self.kind() == Some(&Kind::Equals) {
                        self.pair(&mut node, token);
                    } else {
                        self.argument(&mut node, token);
                    }
                }
                Kind::Broken => {
                    self.at += 1;
                    node.span = node.span.to(token.span);
                    node.reading = Reading::Broken;
                }
                Kind::Equals => {
                    self.at += 1;
                    node.reading = Reading::Broken;
                    self.say(
                        Diagnostic::error("missing-key", token.span, "this `=` has no key before it")
                            .help("legal: `key=value` after the arguments"),
                    );
                    if matches!(self.kind(), Some(Kind::Bare | Kind::Text(_) | Kind::Broken)) {
                        self.at += 1;
                    }
                }
                Kind::Open => {
                    self.at += 1;
                    let indent = start.first.then_some(start.span.column);
                    node.block = Some(self.nested(Opening { brace: token.span, indent }, depth));
                    break;
                }
                Kind::Close | Kind::Semicolon | Kind::Newline | Kind::Comment => break,
            }
        }
        self.tail(&mut node);
        node
    }

    /// `;` and a comment after a node.
    fn tail(&mut self, node: &mut Node) {
        self.eat(&Kind::Semicolon);
        node.comment = self.comment();
    }

    fn argument(&mut self, node: &mut Node, token: &Token) {
        if node.keys.is_empty() {
            node.args.push(self.atom(token));
        } else if node.reading == Reading::Whole {
            node.reading = Reading::Broken;
            let message = format!("`{}` stands after a key", shown(token.span.of(self.source)));
            self.say(
                Diagnostic::error("argument-after-key", token.span, message)
                    .help("legal: `word argument… key=value…`, the arguments first"),
            );
        }
    }

    /// `key=value`; `self` stands on the `=`.
    fn pair(&mut self, node: &mut Node, key: &Token) {
        let equals = self.bump().map_or(key.span, |t| t.span);
        let written = key.span.of(self.source);
        match self.peek() {
            Some(token) if matches!(token.kind, Kind::Bare | Kind::Text(_)) => {
                self.at += 1;
                node.span = node.span.to(token.span);
                if written.contains("://") {
                    node.reading = Reading::Broken;
                    let message = format!("`{}=…` is not a key", shown(written));
                    self.say(
                        Diagnostic::error("not-a-word", key.span, message)
                            .help("a URL with `=` in it goes in quotes"),
                    );
                } else if matches!(key.kind, Kind::Text(_)) {
                    node.reading = Reading::Broken;
                    let message = "a key is a word, not a string";
                    self.say(Diagnostic::error("not-a-word", key.span, message));
                } else {
                    node.keys.push(Pair { key: self.atom(key), value: self.atom(token) });
                }
            }
            Some(token) if token.kind == Kind::Broken => {
                self.at += 1;
                node.reading = Reading::Broken;
            }
            _ => {
                node.reading = Reading::Broken;
                let message = format!("`{}=` has no value", shown(written));
                self.say(Diagnostic::error("missing-value", key.span.to(equals), message));
            }
        }
    }
}
