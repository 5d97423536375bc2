//! Help, versions and wrong usage.

use std::path::Path;

use crate::obvan::{Said, obvan};

fn here(args: &[&str]) -> Said {
    obvan(Path::new("."), args)
}

#[test]
fn help_shows_every_command_and_examples() {
    insta::assert_snapshot!("help", here(&["--help"]).exits(0).text());
    insta::assert_snapshot!("help_run", here(&["run", "--help"]).exits(0).text());
    insta::assert_snapshot!("help_ctl", here(&["ctl", "--help"]).exits(0).text());
    insta::assert_snapshot!("help_decrypt", here(&["decrypt", "--help"]).exits(0).text());
    for command in [&["check"][..], &["fmt"], &["encrypt"], &["probe"], &["key", "new"]] {
        let said = here(&[command, &["--help"]].concat()).exits(0);
        assert!(said.text().contains("Examples:"), "{command:?}: {}", said.text());
    }
}

#[test]
fn wrong_usage_exits_2_with_a_reason_on_stderr() {
    let cases: [&[&str]; 8] = [
        &[],
        &["fly"],
        &["run"],
        &["run", "x.show", "--for", "5"],
        &["run", "x.show", "--http", "8080"],
        &["probe", "x.flv", "--format", "xml"],
        &["encrypt", "a.flv", "b.flv"],
        &["encrypt", "a.flv", "b.flv", "--key-file", "k", "--key-id", "256"],
    ];
    for args in cases {
        let said = here(args).exits(2);
        assert!(said.stdout.is_empty() && !said.stderr.is_empty(), "{args:?}: {said:?}");
    }
}

#[test]
fn what_is_not_built_yet_says_so() {
    let args = ["ctl", "egress", "cdn-a", "off"];
    let said = here(&args).exits(2);
    assert!(said.stderr.contains("not available yet"), "{args:?}: {}", said.stderr);
}

#[test]
fn the_version_is_told() {
    assert_eq!(here(&["--version"]).exits(0).text(), format!("obvan {}\n", env!("CARGO_PKG_VERSION")));
}
