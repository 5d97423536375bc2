//! The house rules, checked by machine: which room may know which, which rooms are pure,
//! where `unsafe` may stand, and what the front page of a room looks like.
//!
//! Each rule is a function from facts to findings, and has a test beside it that it finds something.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, TargetKind};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Which rooms a room may know, besides the leaf that all may know.
const ARROWS: &[(&str, &[&str])] = &[
    ("media", &[]),
    ("flv", &[]),
    ("rtmp", &["flv"]),
    ("crypto", &["flv"]),
    ("crypto-capi", &["crypto", "flv"]),
    ("codecs", &[]),
    ("pipeline-dsl", &[]),
    ("scheduling", &["pipeline-dsl"]),
    ("engine", &["scheduling", "rtmp", "crypto", "codecs", "pipeline-dsl", "flv"]),
    ("obvan", &["engine", "scheduling", "rtmp", "crypto", "codecs", "pipeline-dsl", "flv"]),
    ("fixtures", &["flv"]),
    ("benches", &["engine", "scheduling", "rtmp", "crypto", "codecs", "pipeline-dsl", "flv", "fixtures"]),
];
const LEAF: &str = "media";

/// The rooms that read no clock, socket, file or random source.
const PURE: &[&str] = &["media", "flv", "crypto", "rtmp", "scheduling", "pipeline-dsl"];

/// Parts of the standard library that reach outside the process, and the plain data within them.
const IMPURE_STD: &[(&str, &[&str])] = &[
    ("time", &["Duration"]),
    (
        "net",
        &["SocketAddr", "SocketAddrV4", "SocketAddrV6", "IpAddr", "Ipv4Addr", "Ipv6Addr", "AddrParseError"],
    ),
    ("fs", &[]),
    ("env", &[]),
    ("process", &[]),
    ("thread", &[]),
    ("os", &[]),
];

/// Crates that do so.
const IMPURE_CRATES: &[&str] = &[
    "tokio",
    "mio",
    "socket2",
    "smol",
    "rand",
    "rand_core",
    "getrandom",
    "fastrand",
    "oorandom",
    "chrono",
    "web-time",
    "instant",
    "ffmpeg-next",
    "ffmpeg-sys-next",
    "gstreamer",
    "gstreamer-app",
];

/// The one room that may ask the system for random bytes, from one file: salts are drawn there.
const SALT: (&str, &str) = ("crypto", "getrandom");

/// Lines a source file may have outside its tests.
const LONGEST_FILE: usize = 600;

fn house() -> Metadata {
    MetadataCommand::new().no_deps().exec().unwrap()
}

/// Fails with one finding a line.
#[track_caller]
fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// Every `.rs` file under `dir`, in order; none if there is no such folder.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Visits each source in the given folders of each room: the room, the file's name, what it says.
fn each_source(folders: &[&str], mut visit: impl FnMut(&str, &str, &Code)) {
    let house = house();
    for package in house.workspace_packages() {
        let home = package.manifest_path.parent().unwrap();
        for path in folders.iter().flat_map(|f| sources(home.join(f).as_std_path())) {
            let name = path.strip_prefix(&house.workspace_root).unwrap().display().to_string();
            let code = Code::read(&fs::read_to_string(&path).unwrap())
                .unwrap_or_else(|err| panic!("{name} is not Rust: {err}"));
            visit(package.name.as_str(), &name, &code);
        }
    }
}

// --- Reading sources: paths in code, not words in comments and strings. ---

/// What a source file says outside its `#[cfg(test)]` items.
#[derive(Default)]
struct Code {
    /// Each path with its line, `use` trees unfolded: `std::time::Instant`.
    paths: Vec<(usize, String)>,
    /// Lines outside tests.
    lines: usize,
}

impl Code {
    fn read(source: &str) -> Result<Self, proc_macro2::LexError> {
        let mut code = Self { lines: source.lines().count(), ..Self::default() };
        code.walk(source.parse()?, &[]);
        Ok(code)
    }

    /// Collects paths; `prefix` is what stands before a brace in a `use` tree.
    fn walk(&mut self, tokens: TokenStream, prefix: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            if is_test_attribute(&tokens[at..]) {
                let end = end_of_item(&tokens, at);
                self.lines -= tokens[end - 1].span().end().line - tokens[at].span().start().line + 1;
                at = end;
                continue;
            }
            match &tokens[at] {
                TokenTree::Ident(word) if word == "as" => at += 2, // the new name is not a path
                TokenTree::Ident(first) => {
                    let line = first.span().start().line;
                    let mut path = prefix.to_vec();
                    if first != "self" || prefix.is_empty() {
                        path.push(first.to_string());
                    }
                    at += 1;
                    while let Some(next) = after_colons(&tokens[at..]) {
                        match next {
                            TokenTree::Ident(part) => path.push(part.to_string()),
                            TokenTree::Punct(star) if star.as_char() == '*' => path.push("*".into()),
                            TokenTree::Group(tree) if tree.delimiter() == Delimiter::Brace => {
                                self.walk(tree.stream(), &path);
                                path.clear();
                            }
                            _ => break,
                        }
                        at += 3;
                    }
                    if !path.is_empty() {
                        self.paths.push((line, path.join("::")));
                    }
                }
                TokenTree::Group(group) => {
                    self.walk(group.stream(), &[]);
                    at += 1;
                }
                _ => at += 1,
            }
        }
    }
}

/// The token behind a leading `::`.
fn after_colons(tokens: &[TokenTree]) -> Option<&TokenTree> {
    let colon = |t: &TokenTree| matches!(t, TokenTree::Punct(p) if p.as_char() == ':');
    (tokens.len() > 2 && colon(&tokens[0]) && colon(&tokens[1])).then(|| &tokens[2])
}

/// Whether `#[cfg(test)]` (or `all(test, …)`) stands here.
fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    match tokens {
        [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] if hash.as_char() == '#' => {
            let text: String = attribute.stream().to_string().split_whitespace().collect();
            text.starts_with("cfg(test") || text.starts_with("cfg(all(test")
        }
        _ => false,
    }
}

/// The index behind the item whose first attribute stands at `at`: behind its braces or its semicolon.
fn end_of_item(tokens: &[TokenTree], at: usize) -> usize {
    let ends = |t: &TokenTree| match t {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    tokens[at..].iter().position(ends).map_or(tokens.len(), |i| at + i + 1)
}

// --- Arrows ---

/// A dependency of one room on another.
struct Arrow<'a> {
    from: &'a str,
    to: &'a str,
    kind: DependencyKind,
}

/// Arrows that the plan does not draw. A room's tests may use the fixtures too.
fn wrong_arrows(rooms: &BTreeSet<&str>, arrows: &[Arrow<'_>]) -> Vec<String> {
    let plan: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let mut findings = Vec::new();
    for room in rooms.iter().filter(|r| !plan.contains_key(*r)) {
        findings.push(format!("the plan has no room {room}: draw its arrows here and in ARCHITECTURE.md"));
    }
    for Arrow { from, to, kind } in arrows.iter().filter(|a| rooms.contains(a.to)) {
        let drawn = plan.get(from).is_some_and(|known| known.contains(to));
        let for_tests = *kind == DependencyKind::Development && *to == "fixtures";
        let to_leaf = *to == LEAF && *from != LEAF;
        if !(drawn || for_tests || to_leaf) {
            findings.push(format!("{from} → {to} ({kind}) is not in the plan"));
        }
    }
    findings
}

#[test]
fn arrows_point_where_the_plan_draws_them() {
    let house = house();
    let packages = house.workspace_packages();
    let rooms: BTreeSet<&str> = packages.iter().map(|p| p.name.as_str()).collect();
    let mut arrows = Vec::new();
    for package in &packages {
        let from = package.name.as_str();
        arrows.extend(package.dependencies.iter().map(|d| Arrow { from, to: &d.name, kind: d.kind }));
    }
    assert!(arrows.iter().any(|a| (a.from, a.to) == ("obvan", "engine")), "no arrows were read at all");
    assert_none(&wrong_arrows(&rooms, &arrows));
}

#[test]
fn a_wrong_arrow_is_found() {
    let rooms = BTreeSet::from(["media", "flv", "crypto", "engine", "fixtures", "shed"]);
    let (normal, dev, build) = (DependencyKind::Normal, DependencyKind::Development, DependencyKind::Build);
    let arrow = |from, to, kind| Arrow { from, to, kind };
    let good = [
        arrow("engine", "crypto", normal),
        arrow("crypto", "flv", normal),
        arrow("flv", "media", normal),
        arrow("flv", "fixtures", dev),
        arrow("flv", "bytes", normal),
    ];
    let bad = [
        arrow("flv", "fixtures", normal),
        arrow("crypto", "engine", normal),
        arrow("flv", "crypto", build),
        arrow("media", "media", normal),
    ];
    assert_eq!(
        wrong_arrows(&rooms, &good),
        ["the plan has no room shed: draw its arrows here and in ARCHITECTURE.md"]
    );
    assert_eq!(
        wrong_arrows(&rooms, &bad)[1..],
        [
            "flv → fixtures (normal) is not in the plan",
            "crypto → engine (normal) is not in the plan",
            "flv → crypto (build) is not in the plan",
            "media → media (normal) is not in the plan",
        ]
    );
}

// --- Purity ---

/// What a path reaches outside the process, if it does.
fn impure(path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.split("::").collect();
    match parts[..] {
        ["std" | "core", module, ref rest @ ..] => {
            let (name, data) = IMPURE_STD.iter().find(|(name, _)| *name == module)?;
            (!rest.first().is_some_and(|item| data.contains(item))).then_some(*name)
        }
        [first, _, ..] => IMPURE_CRATES.iter().copied().find(|c| c.replace('-', "_") == first),
        _ => None,
    }
}

#[test]
fn pure_rooms_reach_nothing_outside() {
    let mut findings = Vec::new();
    let mut salt_files = BTreeSet::new();
    let mut rooms = BTreeSet::new();
    each_source(&["src"], |room, name, code| {
        if !PURE.contains(&room) {
            return;
        }
        rooms.insert(room.to_owned());
        for (line, path) in &code.paths {
            match impure(path) {
                Some(what) if (room, what) == SALT => drop(salt_files.insert(name.to_owned())),
                Some(what) => {
                    findings.push(format!("{name}:{line}: `{path}` reaches {what}; {room} is pure"))
                }
                None => {}
            }
        }
    });
    if salt_files.len() > 1 {
        findings.push(format!("random bytes are drawn in more than one file: {salt_files:?}"));
    }
    assert_eq!(rooms.len(), PURE.len(), "not every pure room was read: {rooms:?}");
    assert_none(&findings);
}

#[test]
fn pure_rooms_depend_on_nothing_that_reaches_outside() {
    let mut findings = Vec::new();
    for package in house().workspace_packages() {
        let room = package.name.as_str();
        for dependency in package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal) {
            let to = dependency.name.as_str();
            if PURE.contains(&room) && IMPURE_CRATES.contains(&to) && (room, to) != SALT {
                findings.push(format!("{room} depends on {to}; {room} is pure"));
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn an_impure_path_is_found_however_it_is_written() {
    let found = |source: &str| -> Vec<(usize, &'static str)> {
        let code = Code::read(source).unwrap();
        code.paths.iter().filter_map(|(line, path)| Some((*line, impure(path)?))).collect()
    };
    assert_eq!(found("fn f() {\n std::time::Instant::now(); }"), [(2, "time")]);
    assert_eq!(found("use std::{fmt, time::{Duration, SystemTime}};"), [(1, "time")]);
    assert_eq!(found("use std::time;"), [(1, "time")]);
    assert_eq!(found("use std::time as clock;"), [(1, "time")]);
    assert_eq!(found("use std::time::*;"), [(1, "time")]);
    assert_eq!(found("use std::{fs::{self, File}, io};"), [(1, "fs"), (1, "fs")]);
    assert_eq!(found("fn f() { ::std::thread::sleep(d) }"), [(1, "thread")]);
    assert_eq!(found("m!{ std::env::var(\"X\") }"), [(1, "env")]);
    assert_eq!(found("use std::net::{SocketAddr, TcpStream};"), [(1, "net")]);
    assert_eq!(found("fn f() { getrandom::fill(&mut b) }"), [(1, "getrandom")]);
    assert_eq!(found("#[tokio::main] async fn f() {}"), [(1, "tokio")]);
    assert_eq!(found("#[cfg(not(test))] use std::env;"), [(1, "env")]);
    // What is only data, a comment, a string, a test or a room's own word is none of it.
    assert_eq!(found("use std::time::Duration; use std::net::SocketAddr; use crate::time::Time;"), []);
    assert_eq!(found("// std::time::Instant\n/// std::fs\nconst A: &str = \"std::env::var\";"), []);
    assert_eq!(found("#[cfg(test)]\nmod tests { use std::fs; }\n#[cfg(test)] use std::env;"), []);
}

// --- `unsafe` ---

/// Whether a source, named from the root of the house, may say `unsafe`: the FFmpeg wrapper,
/// the C face, and allocators that count for tests and benches.
fn may_be_unsafe(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let of_tests = name.contains("/tests/") || name.starts_with("benches/");
    name.starts_with("codecs/src/ffmpeg/")
        || name == "codecs/src/ffmpeg.rs"
        || name.starts_with("crypto/capi/")
        || (of_tests && file.starts_with("alloc"))
}

#[test]
fn unsafe_stands_only_where_the_plan_allows_it() {
    let mut findings = Vec::new();
    each_source(&["src", "tests", "benches", "examples"], |_, name, code| {
        let says_unsafe = code.paths.iter().find(|(_, path)| path == "unsafe");
        if let Some((line, _)) = says_unsafe.filter(|_| !may_be_unsafe(name)) {
            findings.push(format!("{name}:{line}: `unsafe` has no place here"));
        }
    });
    assert_none(&findings);
}

#[test]
fn unsafe_is_found_and_its_places_are_few() {
    let says = |source| Code::read(source).unwrap().paths.iter().any(|(_, p)| p == "unsafe");
    assert!(says("fn f() { unsafe { g() } }"));
    assert!(says("unsafe impl Send for A {}"));
    assert!(!says("#![forbid(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";"));
    assert!(may_be_unsafe("codecs/src/ffmpeg/frame.rs"));
    assert!(may_be_unsafe("engine/tests/it/allocations.rs"));
    assert!(may_be_unsafe("crypto/capi/src/border.rs"));
    assert!(!may_be_unsafe("crypto/src/capi.rs"));
    assert!(!may_be_unsafe("codecs/src/ladder.rs"));
    assert!(!may_be_unsafe("engine/src/alloc.rs"));
    assert!(!may_be_unsafe("engine/src/codecs/src/ffmpeg/a.rs"));
}

// --- Front pages ---

/// What is wrong with a library's or a binary's root.
fn root_findings(room: &str, kind: &str, source: &str) -> Vec<String> {
    let compact: String = source.split_whitespace().collect();
    let mut findings = Vec::new();
    let mut expect = |holds: bool, what: &str| {
        if !holds {
            findings.push(format!("the {kind} root of {room} {what}"));
        }
    };
    expect(source.starts_with("//!"), "does not begin by saying what the room is for (`//!`)");
    if !matches!(room, "codecs" | "crypto-capi") {
        expect(compact.contains("#![forbid(unsafe_code)]"), "lacks #![forbid(unsafe_code)]");
    }
    if kind == "lib" && room != "benches" {
        expect(source.lines().any(|l| l.starts_with("//! ```")), "shows no example on its front page");
    }
    findings
}

#[test]
fn every_room_has_a_front_page_and_the_house_lints() {
    let mut findings = Vec::new();
    for package in house().workspace_packages() {
        let room = package.name.as_str();
        for target in &package.targets {
            let source = || fs::read_to_string(&target.src_path).unwrap();
            if target.kind.contains(&TargetKind::Lib) {
                findings.extend(root_findings(room, "lib", &source()));
            } else if target.kind.contains(&TargetKind::Bin) {
                findings.extend(root_findings(room, "bin", &source()));
            }
        }
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        let compact: String = manifest.split_whitespace().collect();
        if !compact.contains("[lints]workspace=true") {
            findings.push(format!("{room} does not take the lints of the workspace"));
        }
    }
    assert_none(&findings);
}

#[test]
fn a_bare_root_is_found() {
    assert_eq!(root_findings("flv", "lib", "pub mod tag;").len(), 3);
    assert_eq!(root_findings("codecs", "lib", "pub mod frame;").len(), 2);
    assert_eq!(root_findings("crypto-capi", "lib", "mod border;").len(), 2);
    assert_eq!(root_findings("obvan", "bin", "//! The commands.\n#![forbid(unsafe_code)]\n"), [""; 0]);
    assert_eq!(
        root_findings("flv", "lib", "//! Tags.\n//! ```\n//! ```\n#![forbid( unsafe_code )]"),
        [""; 0]
    );
}

// --- Length ---

#[test]
fn no_source_is_a_whole_floor() {
    let mut findings = Vec::new();
    each_source(&["src"], |_, name, code| {
        let lines = code.lines;
        if lines > LONGEST_FILE {
            findings.push(format!(
                "{name}: {lines} lines outside its tests, {LONGEST_FILE} at most: two rooms in one?"
            ));
        }
    });
    assert_none(&findings);
}

#[test]
fn the_length_leaves_tests_out() {
    let source = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n\n    fn b() {}\n}\nfn c() {}\n";
    assert_eq!(Code::read(source).unwrap().lines, 3);
    assert_eq!(Code::read(&"fn f() {}\n".repeat(700)).unwrap().lines, 700);
}

// --- Examples ---

#[test]
fn the_example_shows_are_valid_and_in_canonical_form() {
    let folder = house().workspace_root.join("examples");
    let mut seen = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "show") {
            let source = fs::read_to_string(&path).unwrap();
            assert_eq!(pipeline_dsl::check(&source).diagnostics, [], "{}", path.display());
            assert_eq!(
                pipeline_dsl::format(&source).unwrap(),
                source,
                "{}: obvan fmt --write",
                path.display()
            );
            seen.push(path.file_name().unwrap().to_owned());
        }
    }
    assert!(seen.iter().any(|name| name == "demo.show"), "{seen:?}");
}
