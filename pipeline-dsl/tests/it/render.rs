//! What people and programs get to see.

use miette::{GraphicalReportHandler, GraphicalTheme, NamedSource, NarratableReportHandler};
use pipeline_dsl::{Diagnostic, FileKind, Text, check, missing_files, reference};

const WRONG: &str = r#"show "night" {
  camera stage { line gen test bars }
  camera stage { line gen test motion }
  ladder one { rung 720p 1280x720 2500 }
  channel program {
    sources stge
    ladder one
    egress disk record "{channel}.flv" clear=true
  }
"#;

/// As the command line shows it: the diagnostic over its named source.
#[derive(Debug)]
struct Shown(Diagnostic, NamedSource<&'static str>);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
impl std::error::Error for Shown {}
impl miette::Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.0.code()
    }
    fn severity(&self) -> Option<miette::Severity> {
        self.0.severity()
    }
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        miette::Diagnostic::help(&self.0)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        self.0.labels()
    }
    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.1)
    }
}

fn shown(source: &'static str) -> Vec<Shown> {
    let diagnostics = check(source).diagnostics;
    diagnostics.into_iter().map(|d| Shown(d, NamedSource::new("night.show", source))).collect()
}

#[test]
fn over_its_source() {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut out = String::new();
    for diagnostic in shown(WRONG) {
        handler.render_report(&mut out, &diagnostic).unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn told_in_words_and_at_the_edges() {
    let mut out = String::new();
    // At the very start, at the very end, and in a file of nothing.
    for source in ["", "camera", "show t {", "show \"ü"] {
        for diagnostic in shown(source) {
            NarratableReportHandler::new().render_report(&mut out, &diagnostic).unwrap();
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn as_json() {
    let diagnostics = check(WRONG).diagnostics;
    insta::assert_snapshot!(serde_json::to_string_pretty(&diagnostics).unwrap());
}

#[test]
fn the_reference_page() {
    insta::assert_snapshot!(reference());
}

#[test]
fn files_are_named_with_their_owners() {
    let checked = check(pipeline_dsl::EXAMPLE);
    let files: Vec<_> =
        checked.files.iter().map(|f| (f.path.to_string(), f.kind, f.owner.as_str())).collect();
    assert_eq!(
        files,
        [
            ("\"karry.mp4\"".to_owned(), FileKind::Media, "camera karry, line disk"),
            ("\"standby.mp4\"".to_owned(), FileKind::Media, "filler standby"),
            ("\"logo.png\"".to_owned(), FileKind::Image, "watermark bug"),
            ("\"next.key\"".to_owned(), FileKind::Key, "key tour, id 2"),
        ]
    );
    let there = |path: &Text| *path != Text::Plain("logo.png".into());
    let missing = missing_files(&checked.files, there);
    assert_eq!(missing.len(), 1);
    assert!(!missing[0].is_error());
    assert_eq!(missing[0].message, "the image \"logo.png\" of watermark bug is not there");
    assert_eq!(missing[0].span.of(pipeline_dsl::EXAMPLE), "\"logo.png\"");
}

#[test]
fn a_flood_of_problems_is_cut_off() {
    let source = format!("show t {{ {} }}", "nonsense; ".repeat(5000));
    let diagnostics = check(&source).diagnostics;
    assert_eq!(diagnostics.len(), pipeline_dsl::MOST_DIAGNOSTICS + 1);
    assert_eq!(diagnostics.last().unwrap().message, "4800 more problems are not shown");
    let diagnostics = check(&"} ".repeat(5000)).diagnostics;
    assert_eq!(diagnostics.len(), pipeline_dsl::MOST_DIAGNOSTICS + 1);
    assert_eq!(diagnostics.last().unwrap().message, "4800 more problems are not shown");
}

#[test]
fn a_file_too_large_is_not_read() {
    let source = "x\n".repeat(1 << 20);
    let diagnostics = check(&source).diagnostics;
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].message, "the file has 2097152 bytes; legal: up to 524288");
}

/// Shows of the largest size, each made to grow some table; none may take long.
#[test]
fn large_files_are_checked_in_proportion() {
    let many = |frame: &str, part: &dyn Fn(usize) -> String| {
        let mut parts = String::new();
        for i in 0.. {
            let part = part(i);
            if parts.len() + part.len() + frame.len() > pipeline_dsl::syntax::MOST_BYTES - 8 {
                break;
            }
            parts.push_str(&part);
        }
        frame.replace("@", &parts)
    };
    let sources = [
        many("show t { @ }", &|i| format!("camera c{i} {{ line l push \"rtmp:a/{i}\" }}\n")),
        many("show t { @ }", &|i| {
            format!("channel c{i} {{ sources x{i}; ladder y{i}; egress e push \"rtmp://h/{i}\" }}\n")
        }),
        many("show t { rundown c { @ } }", &|i| format!("at {i}s cut c{i}\n")),
        many("show t { ladder l { @ } }", &|i| format!("rung r{i} 64x64 1M\n")),
        many("@", &|_| "\" \\".to_owned()),
        many("@", &|_| "\"\\q\" ".to_owned()),
        many("@", &|_| "x { ".to_owned()),
        many("@", &|_| "} ".to_owned()),
        many("@", &|_| "a{\n{\n".to_owned()),
    ];
    for source in sources {
        let diagnostics = check(&source).diagnostics;
        assert!((1..=pipeline_dsl::MOST_DIAGNOSTICS + 1).contains(&diagnostics.len()));
    }
}
