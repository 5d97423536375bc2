//! Source text into tokens.
//!
//! A token is a string, a bare run, one of `{ } ; =`, a newline or a comment.
//! What a bare run means is not decided here: its place decides.
//!
//! `//` starts a comment at the start of a token only: after a space, a string
//! or one of `{ } ; =`. Within a bare run it is part of the run, so that an
//! unquoted `srt://10.0.0.7:9001` is not cut off in silence.

use crate::diagnostic::{Diagnostic, Sink, Span};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A run without space, quote or `{ } ; =`.
    Bare,
    /// A string, its escapes undone.
    Text(String),
    /// A string that could not be read; said already.
    Broken,
    Open,
    Close,
    Semicolon,
    Equals,
    Newline,
    Comment,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    /// Whether only space stands before it on its line.
    pub(crate) first: bool,
}

/// Whether `c` ends a bare run.
pub(crate) fn ends_bare(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}' || matches!(c, '"' | '{' | '}' | ';' | '=')
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    line: u32,
    column: u32,
    /// Up to here no quote is left that could close a string.
    unclosed: usize,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn here(&self) -> Span {
        Span { start: self.at, len: 0, line: self.line, column: self.column }
    }

    /// Goes past `text`, which is what comes next, and gives its span.
    fn take(&mut self, text: &str) -> Span {
        let span = Span { len: text.len(), ..self.here() };
        self.at += text.len();
        if text == "\n" {
            self.line = self.line.saturating_add(1);
            self.column = 1;
        } else {
            let chars = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            self.column = self.column.saturating_add(chars);
        }
        span
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> Span {
        let rest = self.rest();
        let len = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.take(rest.get(..len).unwrap_or(""))
    }

    /// A string: `self` stands on its opening quote.
    fn string(&mut self, sink: &mut Sink) -> (Kind, Span) {
        let rest = self.rest();
        let mut text = String::new();
        let mut bad = Vec::new();
        // Whether a quote is escaped depends on the backslashes right before it alone. So where
        // one search found none up to the end of the line, a later one need not look again.
        let look = if self.at < self.unclosed { "" } else { rest };
        let mut chars = look.char_indices().enumerate().skip(1).take_while(|(_, (_, c))| *c != '\n');
        while let Some((column, (at, c))) = chars.next() {
            match c {
                '"' => {
                    let span = self.closed(rest.get(..=at).unwrap_or(""), &bad, sink);
                    let kind = if bad.is_empty() { Kind::Text(text) } else { Kind::Broken };
                    return (kind, span);
                }
                '\\' => match chars.next() {
                    Some((_, (_, 'n'))) => text.push('\n'),
                    Some((_, (_, c @ ('"' | '\\')))) => text.push(c),
                    Some((_, (_, c))) => bad.push((column, at, c)),
                    None => {}
                },
                c => text.push(c),
            }
        }
        if !look.is_empty() {
            self.unclosed = self.at + rest.find('\n').unwrap_or(rest.len());
        }
        // Without its closing quote a string would swallow the rest of the line, braces too.
        // It most likely ends where a bare run would; what follows is read as usual.
        let mut ends = rest.char_indices().skip(1).filter(|(_, c)| ends_bare(*c));
        let end = ends.next().map_or(rest.len(), |(at, _)| at);
        let span = self.take(rest.get(..end).unwrap_or(rest));
        sink.push(
            Diagnostic::error("unterminated-string", span, "this string has no closing `\"`")
                .help("a string ends on its own line; write a line break in it as `\\n`"),
        );
        (Kind::Broken, span)
    }

    /// Goes past a string with both its quotes, and says which of its escapes are unknown.
    fn closed(&mut self, string: &str, bad: &[(usize, usize, char)], sink: &mut Sink) -> Span {
        let start = self.here();
        let span = self.take(string);
        for (column, at, c) in bad {
            let escape = Span {
                start: start.start + at,
                len: 1 + c.len_utf8(),
                column: start.column.saturating_add(u32::try_from(*column).unwrap_or(u32::MAX)),
                ..start
            };
            let message = format!("unknown escape `\\{}`", c.escape_default());
            sink.push(
                Diagnostic::error("bad-escape", escape, message)
                    .help("legal: `\\\"`, `\\\\` and `\\n`; a backslash itself is `\\\\`"),
            );
        }
        span
    }
}

/// Every token of `source`, with newlines and comments.
pub(crate) fn lex(source: &str, sink: &mut Sink) -> Vec<Token> {
    let mut lexer = Lexer { source, at: 0, line: 1, column: 1, unclosed: 0 };
    let mut tokens: Vec<Token> = Vec::new();
    let mut first = true;
    while let Some(c) = lexer.rest().chars().next() {
        let (kind, span) = match c {
            '\n' => (Kind::Newline, lexer.take("\n")),
            '{' => (Kind::Open, lexer.take("{")),
            '}' => (Kind::Close, lexer.take("}")),
            ';' => (Kind::Semicolon, lexer.take(";")),
            '=' => (Kind::Equals, lexer.take("=")),
            '"' => lexer.string(sink),
            '/' if lexer.rest().starts_with("//") => (Kind::Comment, lexer.take_while(|c| c != '\n')),
            c if ends_bare(c) => {
                lexer.take_while(|c| c != '\n' && (c.is_whitespace() || c == '\u{feff}'));
                continue;
            }
            c if c.is_control() => {
                let span = lexer.take_while(|c| c.is_control() && !ends_bare(c));
                let message = format!("unexpected character `{}`", c.escape_default());
                sink.push(
                    Diagnostic::error("unexpected-character", span, message)
                        .help("a show file is plain text in UTF-8"),
                );
                (Kind::Broken, span)
            }
            _ => (Kind::Bare, lexer.take_while(|c| !ends_bare(c) && !c.is_control())),
        };
        let newline = kind == Kind::Newline;
        tokens.push(Token { kind, span, first });
        first = newline;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<(Kind, &str)> {
        let mut sink = Sink::default();
        let tokens = lex(source, &mut sink);
        tokens.into_iter().map(|t| (t.kind, t.span.of(source))).collect()
    }

    #[test]
    fn a_comment_starts_at_a_token_start_only() {
        let got = kinds("pull srt://a:1 // one\nx{}//two");
        let comments: Vec<_> = got.iter().filter(|(k, _)| *k == Kind::Comment).collect();
        assert_eq!(comments.len(), 2);
        assert_eq!(comments[0].1, "// one");
        assert!(got.contains(&(Kind::Bare, "srt://a:1")));
    }

    #[test]
    fn escapes_are_undone() {
        let got = kinds(r#""a\"b\\c\nd""#);
        assert_eq!(got[0].0, Kind::Text("a\"b\\c\nd".into()));
    }

    #[test]
    fn an_open_string_does_not_swallow_the_brace() {
        let mut sink = Sink::default();
        let source = "line a file \"b.mp4 loop=true }\n";
        let tokens = lex(source, &mut sink);
        assert!(tokens.iter().any(|t| t.kind == Kind::Close));
        assert_eq!(sink.errors(), 1);
    }

    #[test]
    fn a_later_string_is_not_looked_for_twice() {
        let got = kinds("\" \\\" \\\" x\n\"closed\"");
        assert_eq!(got.iter().filter(|(k, _)| *k == Kind::Broken).count(), 3);
        assert_eq!(got.last().map(|(k, _)| k.clone()), Some(Kind::Text("closed".into())));
    }

    #[test]
    fn columns_count_characters_and_lines_newlines() {
        let mut sink = Sink::default();
        let tokens = lex("é \"ü\" x\r\n  y", &mut sink);
        let at: Vec<_> = tokens.iter().map(|t| (t.span.line, t.span.column, t.first)).collect();
        assert_eq!(at, [(1, 1, true), (1, 3, false), (1, 7, false), (1, 9, false), (2, 3, true)]);
    }
}
