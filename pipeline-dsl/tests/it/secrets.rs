//! What is said about a show, and the text that is shown around it, holds none of its secrets.

use miette::{GraphicalReportHandler, GraphicalTheme, MietteDiagnostic, NamedSource};
use pipeline_dsl::{check, exposed_keys, masked, missing_files};

/// Wrong in every way that has to do with addresses, each with `SECRET` where a secret may stand.
const WRONG: &str = r#"show night {
  listen { rtmps "127.0.0.1:1936" cert="https://me:SECRET@h/SECRET" key="https://h/SECRET" }
  camera c { line a pull "me:SECRET@h/SECRET"; line b pull "rtmp:SECRET"; line d "rtsp://me:SECRET@h/x" }
  camera d { line a file "http://me:SECRET@h/x.mp4"; line b pull "SECRET123456789://h" }
  camera e { line a push "rtmp://h/SECRET"; line b pull "srt://:1/SECRET x"; line f device "rtsp://me:SECRET@h" }
  camera g { line a pull env:SECRET@h://x; line b pull srt://h:1?passphrase=SECRET; line d pull "srt://:1" "udp://:1?SECRET" }
  camera h { line a pull "udp://:7?SECRET"; line b pull "udp://:7?x=SECRET"; line d pull "srt://h:1?SECRET" ca="own.pem" }
  camera i { line a push "rtmp:live/x_720p"; line b key="a" "rtmp://me:SECRET@h"; line d pull "rtmp://me:SEC/SECRET@h:x/y" }
  camera j { line a test bars tone="rtmp://SECRET@h/x" tine="rtmp://SECRET@h/x"; "rtmp://SECRET@h" = }
  camera k { line a push "rtmp:live/k?key=SECRET"; line b push "rtmp:live/l" key="SECRET"; line d push "rtmp:live/m" key=SECRET }
  camera n { line a push "rtmp:live/n" kye="SECRET" pass=SECRET; line b push rtmp:live/n?SECRET=; line d psuh "rtmp:live/o?key=SECRET" }
  camera o { line a push "SECRET" key= SECRET; line b push "rtmp:live/p" key=env:SECRET+; line d push "rtmp:live/q" key = "SECRET" }
  camera p { line a push "rtmp:live/r" key="SECRET://SECRET"; line d push "rtmp:live/s" "key=SECRET" }
  key r { id 1 env="SECRET key"; id 2 env=SECRET-key; id 3 file="" }
  filler f { image "https://me:SECRET@h/x.png" }
  ladder l { rung 720p 1280x720 1M; rung 360p 640x360 1M }
  channel x {
    sources c i "rtmp://SECRET@h/x"; ladder l
    egress a push "rtmp://me:SECRET@h/live/SECRET"
    egress b push "rtmp://me:SECRET@h/live/{rung}SECRET?SECRET"
    egress c push "RTMP://me:SECRET@h/live/{rung}SECRET?SECRET"
    egress d push "rtmp://me:SECRET@h/live/{SECRE"
    egress e push "rtmp://me:SECRET@h/live/{ring}"
    egress f push "h/live/SECRET"
    egress g push "rtmp://127.0.0.1/live/{channel}_{rung}"
    egress i push "rtmp://127.0.0.1/live/x_{rung}" // not "rtmp://me:SECRET@h/live/SECRET"
    egress j record "rtmp://me:SECRET@h/live/SECRET"
    egress k push "ftp://me:SECRET@h/live/SECRET" clear="rtmp://SECRET@h/x"
  }
  channel y { sources i; ladder l; encrypt k; egress a push "srt://h:1?passphrase=SECRET{rung}" }
}
"#;

/// A master key wherever somebody may put it.
#[test]
fn thirty_two_hex_digits_are_a_key_wherever_they_stand() {
    let key = "a123456789abcdef0123456789ABCDEF";
    for place in [
        "key tour { id 1 env=KEY }",
        "key tour { id 1 env=\"KEY\" }",
        "key tour { id 1 file=KEY }",
        "key tour { id 1 file=\"KEY\" }",
        "key tour { id 1 KEY }",
        "key tour { id KEY env=A }",
        "key tour { id 1 key=KEY }",
        "camera a { line m push \"rtmp:live/x\" key=KEY }",
        "camera a { line m push \"rtmp:live/x\" key=\"file:KEY\" }",
        "camera a { line m push \"rtmp:live/x\" key=env:KEY }",
        "listen { rtmps \"127.0.0.1:1936\" cert=\"a.pem\" key=\"KEY\" }",
        "channel p { encrypt KEY }",
        "channel p { encrypt \"KEY!\" }",
    ] {
        let source = format!("show t {{ {} }}", place.replace("KEY", key));
        let checked = check(&source);
        assert!(checked.has_errors(), "{place}");
        let json = serde_json::to_string(&(&checked.diagnostics, &checked.files)).unwrap();
        assert!(!json.contains(key), "{json}");
        assert!(!masked(&source).contains(key), "{}", masked(&source));
    }
}

#[test]
fn no_diagnostic_holds_a_secret_and_no_line_shown_with_it() {
    let checked = check(WRONG);
    assert!(checked.diagnostics.len() > 40, "{:#?}", checked.diagnostics);
    let mut all = checked.diagnostics.clone();
    all.extend(missing_files(&checked.files, |_| false));
    all.extend(exposed_keys(&checked.files, |_| Some("anybody can read it".to_owned())));
    let json = serde_json::to_string(&all).unwrap();
    assert!(!json.contains("SECRE"), "{json}");
    let files = serde_json::to_string(&checked.files).unwrap();
    assert!(!files.contains("SECRE"), "{files}");

    let source = masked(WRONG);
    assert_eq!(source.len(), WRONG.len());
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    for diagnostic in all {
        let mut shown = MietteDiagnostic::new(&diagnostic.message).with_code(diagnostic.code);
        shown.labels = miette::Diagnostic::labels(&diagnostic).map(Iterator::collect);
        shown.help.clone_from(&diagnostic.help);
        let mut out = String::new();
        let report =
            miette::Report::new(shown).with_source_code(NamedSource::new("night.show", source.clone()));
        handler.render_report(&mut out, report.as_ref()).unwrap();
        for line in out.lines() {
            assert!(!line.contains("SECRET"), "{out}");
        }
    }
}
