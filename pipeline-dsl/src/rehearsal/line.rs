//! One line of a fault script: its words, before anything is known about their meaning.

use crate::check::values::shown;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::lexer::{Kind, Token};
use crate::syntax::{Atom, Pair, Quoting};

/// A word, or a word with a value.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Word(Atom),
    Pair(Pair),
}

impl Piece {
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Word(atom) => atom.span,
            Self::Pair(pair) => pair.key.span.to(pair.value.span),
        }
    }
}

/// The lines of a script: what stands between newlines and `;`, without comments.
pub(super) fn lines(tokens: &[Token]) -> impl Iterator<Item = Vec<&Token>> {
    let ends = |token: &Token| matches!(token.kind, Kind::Newline | Kind::Semicolon);
    let said = |line: &&Token| line.kind != Kind::Comment;
    tokens.split(ends).map(move |line| line.iter().filter(said).collect::<Vec<_>>()).filter(|l| !l.is_empty())
}

/// The pieces of a line; `None` if it cannot be read, which has been said.
pub(super) fn pieces(source: &str, line: &[&Token], sink: &mut Sink) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut tokens = line.iter().peekable();
    while let Some(token) = tokens.next() {
        let word = match &token.kind {
            Kind::Bare | Kind::Text(_) => atom(source, token),
            Kind::Broken => return None,
            Kind::Equals => {
                let said = Diagnostic::error("missing-key", token.span, "this `=` has no word before it");
                sink.push(said.help("legal: `WORD=VALUE`, without spaces"));
                return None;
            }
            _ => {
                let message = "a fault script has no blocks: one fault or command a line";
                sink.push(Diagnostic::error("no-block", token.span, message));
                return None;
            }
        };
        let Some(equals) = tokens.next_if(|token| token.kind == Kind::Equals) else {
            pieces.push(Piece::Word(word));
            continue;
        };
        match tokens.next() {
            Some(token) if matches!(token.kind, Kind::Bare | Kind::Text(_)) => {
                pieces.push(Piece::Pair(Pair { key: word, value: atom(source, token) }));
            }
            Some(token) if token.kind == Kind::Broken => return None,
            _ => {
                let message = format!("`{}=` has no value", shown(&word.text));
                sink.push(Diagnostic::error("missing-value", word.span.to(equals.span), message));
                return None;
            }
        }
    }
    Some(pieces)
}

fn atom(source: &str, token: &Token) -> Atom {
    let (text, quoting) = match &token.kind {
        Kind::Text(text) => (text.clone(), Quoting::Quoted),
        _ => (token.span.of(source).to_owned(), Quoting::Bare),
    };
    Atom { text, quoting, span: token.span }
}

/// What stands before and behind the `@` of `lost@10s`, each with its place.
pub(super) fn split_at_time(atom: &Atom) -> (Atom, Option<Atom>) {
    // A string's place in the source is not that of its text.
    let cut = atom.text.find('@').filter(|_| atom.quoting == Quoting::Bare);
    let Some(cut) = cut else { return (atom.clone(), None) };
    let (before, behind) = (&atom.text[..cut], &atom.text[cut + 1..]);
    let chars = u32::try_from(before.chars().count()).unwrap_or(u32::MAX).saturating_add(1);
    let span = Span {
        start: atom.span.start + cut + 1,
        len: behind.len(),
        column: atom.span.column.saturating_add(chars),
        ..atom.span
    };
    let part = |text: &str, span| Atom { text: text.to_owned(), quoting: Quoting::Bare, span };
    (part(before, Span { len: cut, ..atom.span }), Some(part(behind, span)))
}
