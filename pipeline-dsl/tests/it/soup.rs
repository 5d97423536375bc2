//! Any text at all, and texts made of the language's own tokens.

use std::fmt::Write;

use pipeline_dsl::syntax::{Block, Content, Gap, parse};
use pipeline_dsl::{check, format};
use proptest::prelude::*;

/// Tokens in any order: most are near enough to the language to get far into the checker.
fn soup() -> impl Strategy<Value = String> {
    let tokens = vec![
        "show",
        "video",
        "audio",
        "listen",
        "http",
        "rtmp",
        "camera",
        "line",
        "failover",
        "filler",
        "watermark",
        "image",
        "file",
        "test",
        "device",
        "push",
        "pull",
        "ladder",
        "rung",
        "preset",
        "keyframe",
        "key",
        "id",
        "channel",
        "sources",
        "encrypt",
        "egress",
        "serve",
        "record",
        "http-flv",
        "rtmp",
        "rundown",
        "at",
        "clock",
        "next",
        "cut",
        "mix",
        "wipe",
        "dip",
        "end",
        "on",
        "rotate",
        "a",
        "b",
        "720p",
        "1280x720",
        "30fps",
        "2500k",
        "48kHz",
        "stereo",
        "400ms",
        "0:10",
        "lost",
        "loop",
        "true",
        "after",
        "over",
        "clear",
        "env",
        "env:A",
        "=",
        "=",
        "{",
        "{",
        "}",
        "}",
        ";",
        "\n",
        "\n",
        " ",
        "\"",
        "\"x.mp4\"",
        "\"{rung}\"",
        "\"rtmp:a/b\"",
        "\"rtmp://h/{channel}\"",
        "\\",
        "//",
        "// c\n",
        "\"\\q\"",
        "é",
        "\u{0}",
        "\r\n",
        "\u{feff}",
        "srt://x",
        "color:#ff",
        "bars",
        "99999999999999999999s",
    ];
    let spaced = prop::collection::vec((prop::sample::select(tokens), any::<bool>()), 0..60);
    spaced.prop_map(|list| {
        list.into_iter().fold(String::new(), |mut out, (token, space)| {
            out.push_str(token);
            out.push_str(if space { " " } else { "" });
            out
        })
    })
}

/// The example with one piece of it taken out, doubled or replaced.
fn bruised() -> impl Strategy<Value = String> {
    let lines: Vec<String> = pipeline_dsl::EXAMPLE.lines().map(str::to_owned).collect();
    let count = lines.len();
    (prop::collection::vec((0..count, 0..4u8), 0..5), soup()).prop_map(move |(edits, soup)| {
        let mut lines = lines.clone();
        for (at, edit) in edits {
            let line = lines[at].clone();
            lines[at] = match edit {
                0 => String::new(),
                1 => format!("{line}\n{line}"),
                2 => line.chars().filter(|c| !matches!(c, '{' | '"')).collect(),
                _ => format!("{line} {soup}"),
            };
        }
        lines.join("\n")
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![1 => any::<String>(), 4 => soup(), 4 => bruised()]
}

/// A tree without its places and its layout.
fn shape(block: &Block) -> String {
    let mut out = String::new();
    if let Some(comment) = &block.comment {
        writeln!(out, "open {}", comment.text).unwrap();
    }
    for (i, item) in block.items.iter().enumerate() {
        if i > 0 && item.gap == Gap::Blank {
            out.push('\n');
        }
        match &item.content {
            Content::Comment(comment) => writeln!(out, "own {}", comment.text).unwrap(),
            Content::Node(node) => {
                let atom = |a: &pipeline_dsl::syntax::Atom| format!("{:?}{:?}", a.quoting, a.text);
                let args: Vec<_> = node.args.iter().map(atom).collect();
                let keys: Vec<_> = node.keys.iter().map(|p| atom(&p.key) + "=" + &atom(&p.value)).collect();
                writeln!(out, "{} {args:?} {keys:?} {:?}", atom(&node.word), node.comment).unwrap();
                if let Some(block) = &node.block {
                    write!(out, "{{\n{}}}\n", shape(block)).unwrap();
                }
            }
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_place_is_in_the_text(source in text()) {
        let checked = check(&source);
        prop_assert_eq!(checked.show.is_none(), checked.has_errors());
        for d in &checked.diagnostics {
            for span in std::iter::once(d.span).chain(d.labels.iter().map(|(span, _)| *span)) {
                prop_assert!(source.get(span.start..span.end()).is_some(), "{:?} in {:?}", d, source);
                let before = &source[..span.start];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
                prop_assert_eq!((span.line as usize, span.column as usize), (line, column), "{:?}", d);
            }
        }
        prop_assert!(checked.diagnostics.is_sorted_by_key(|d| d.span.start));
    }

    #[test]
    fn what_is_formatted_stays_and_says_the_same(source in text()) {
        let Ok(tidy) = format(&source) else { return Ok(()) };
        prop_assert_eq!(format(&tidy).unwrap(), tidy.as_str());
        prop_assert_eq!(shape(&parse(&tidy).root), shape(&parse(&source).root), "{}", tidy);
        prop_assert_eq!(check(&tidy).show, check(&source).show);
    }

    #[test]
    fn formatting_refuses_just_what_cannot_be_read(source in text()) {
        let read = parse(&source).diagnostics;
        prop_assert_eq!(format(&source).err().unwrap_or_default(), read);
    }
}
