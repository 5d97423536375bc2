//! What `run` would refuse, `check` says: addresses, certificates, and keys in the wrong place,
//! which neither shows.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use crate::live_show::{events, report};
use crate::obvan::obvan;

const SHOW: &str = r#"show "night" {
  video 160x90 25fps
  camera a { LINE }
  ladder one { rung r 160x90 100k }
  LISTEN
  channel program {
    sources a
    ladder one
    egress disk record "{channel}.flv"
  }
}
"#;

fn folder(line: &str, listen: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let show = SHOW.replace("LINE", line).replace("LISTEN", listen);
    fs::write(folder.path().join("night.show"), show).unwrap();
    folder
}

const RUN: [&str; 8] = ["run", "night.show", "--for", "200ms", "--http", "127.0.0.1:0", "--report", "-"];

/// What is said, whatever lines it was broken into.
fn unwrapped(said: &str) -> String {
    said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

#[test]
fn a_key_in_the_wrong_place_is_shown_nowhere() {
    for line in [
        r#"line m push "rtmp:live/x?key=hunter2""#,
        r#"line m push "rtmp:live/x" key="hunter2""#,
        r#"line m push "rtmp:live/x" key=hunter2"#,
    ] {
        let folder = folder(line, "");
        for args in [&["check", "night.show"][..], &["check", "night.show", "--format", "json"], &RUN] {
            let said = obvan(folder.path(), args).exits(2);
            assert!(!format!("{said:?}").contains("hunter2"), "{said:?}");
        }
    }
    let key = "0123456789abcdef0123456789abcdef";
    let folder = folder("line m test bars", &format!("key tour {{ id 1 env={key} }}"));
    let said = obvan(folder.path(), &["check", "night.show"]).exits(2);
    assert!(said.stderr.contains("never the key itself"), "{}", said.stderr);
    assert!(!said.stderr.contains(key), "{}", said.stderr);
}

#[test]
fn addresses_that_run_refuses_are_errors_with_their_place() {
    for (url, words) in [
        ("http://h:99999/x", "invalid port number"),
        ("rtmp://h", "names no application"),
        ("srt://h:9000?passphrase=short", "not 10 to 79 bytes"),
    ] {
        let folder = folder(&format!("line m pull \"{url}\""), "");
        let said = obvan(folder.path(), &["check", "night.show"]).exits(2);
        let said = unwrapped(&said.stderr);
        assert!(said.contains(words) && said.contains("night.show:3:26"), "{said}");
        assert!(said.contains("it does not run"), "{said}");
        let found = obvan(folder.path(), &["check", "night.show", "--format", "json"]).exits(2).json();
        assert_eq!((&found["show"], &found["errors"]), (&serde_json::Value::Null, &1.into()), "{found}");
        obvan(folder.path(), &RUN).exits(2);
    }
}

/// A certificate, and its key, from and to these years.
fn papers(folder: &Path, name: &str, years: [i32; 2]) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
    let key = KeyPair::generate().unwrap();
    let write = |end: &str, text: &str| {
        let path = folder.join(format!("{name}.{end}"));
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("pem", &params.self_signed(&key).unwrap().pem());
    write("key", &key.serialize_pem());
}

#[test]
fn papers_are_looked_at_before_the_show_runs() {
    let listen = |cert: &str, key: &str| {
        let listen = format!("listen {{ rtmps \"127.0.0.1:0\" cert=\"{cert}\" key=\"{key}\" }}");
        let folder = folder("line m test bars", &listen);
        papers(folder.path(), "good", [1990, 2999]);
        papers(folder.path(), "old", [1990, 2001]);
        papers(folder.path(), "new", [2990, 2999]);
        fs::write(folder.path().join("torn.pem"), "nothing").unwrap();
        folder
    };
    for (cert, key, words) in [
        ("good.pem", "old.key", "does not belong to the certificate"),
        ("torn.pem", "good.key", "holds no certificates"),
    ] {
        let folder = listen(cert, key);
        let said = unwrapped(&obvan(folder.path(), &["check", "night.show"]).exits(2).stderr);
        assert!(said.contains(words) && said.contains("1 error, 0 warn"), "{said}");
        obvan(folder.path(), &RUN).exits(2);
    }
    let said = obvan(listen("none.pem", "good.key").path(), &["check", "night.show"]).exits(0);
    assert!(said.stderr.contains("0 errors, 1 warning"), "{}", said.stderr);
    let said = obvan(listen("good.pem", "good.key").path(), &["check", "night.show"]).exits(0);
    assert!(said.stderr.contains("0 errors, 0 warnings"), "{}", said.stderr);
    for (name, words) in [("old", "has expired at"), ("new", "is not valid before")] {
        let folder = listen(&format!("{name}.pem"), &format!("{name}.key"));
        let said = obvan(folder.path(), &["check", "night.show"]).exits(0);
        let said = unwrapped(&said.stderr);
        assert!(said.contains(words) && said.contains("0 errors, 1 warning"), "{said}");
        let ran = obvan(folder.path(), &[&RUN[..6], &["--report", "report.json"]].concat());
        assert!(unwrapped(&ran.stderr).contains(words), "{}", ran.stderr);
        let told = events(&report(folder.path()));
        let event = ("certificate".to_owned(), "listen rtmps".to_owned());
        assert!(told.contains(&event), "{told:?}");
    }
}
