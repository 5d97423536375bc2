//! The example in C: built with the system's compiler against the library, and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use bytes::Bytes;
use crypto::Mode;
use fixtures::tags::Stream;
use tempfile::TempDir;

use crate::player::encrypted;

const HOME: &str = env!("CARGO_MANIFEST_DIR");
const KEY: &str = "07070707070707070707070707070707\n";

/// The folder of this test's binary, where cargo puts the libraries of this package
/// too when it builds its tests.
fn deps() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

/// The newest file there of this name up to its hash.
fn newest(start: &str, end: &str) -> Option<PathBuf> {
    let fits = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(start) && name.ends_with(end)
    };
    let found = deps().read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(fits);
    found.max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap())
}

fn shared_library() -> PathBuf {
    let found = newest("libobvan_crypto", ".so").or_else(|| newest("libobvan_crypto", ".dylib"));
    found.unwrap_or_else(|| panic!("cargo built no shared library in {}", deps().display()))
}

fn static_library() -> PathBuf {
    newest("libobvan_crypto", ".a")
        .unwrap_or_else(|| panic!("cargo built no static library in {}", deps().display()))
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|err| panic!("{command:?}: {err}"))
}

#[track_caller]
fn ok(command: &mut Command) {
    let output = run(command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{command:?}: {}\n{said}", output.status);
}

/// The compiler, as strict as it gets.
fn cc() -> Command {
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-g", "-I"]);
    cc.arg(Path::new(HOME).join("include"));
    cc
}

/// Folders for what a test writes, in cargo's own.
fn folder() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Builds the example in `folder`, against the shared library.
fn build(folder: &Path, options: &[&str]) -> PathBuf {
    let (program, library) = (folder.join("decrypt"), shared_library());
    let rpath = format!("-Wl,-rpath,{}", library.parent().unwrap().display());
    ok(cc()
        .args(options)
        .arg(Path::new(HOME).join("examples/decrypt.c"))
        .args([&library, Path::new("-o"), &program])
        .arg(rpath));
    program
}

/// Options that make memory errors and leaks end the program, if the compiler has them here.
static SANITIZE: LazyLock<&[&str]> = LazyLock::new(|| {
    const OPTIONS: &[&str] = &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let folder = folder();
    let (source, program) = (folder.path().join("probe.c"), folder.path().join("probe"));
    fs::write(&source, "int main(void) { return 0; }\n").unwrap();
    let built = cc().args(OPTIONS).arg(&source).arg("-o").arg(&program).output();
    let works = built.is_ok_and(|output| output.status.success())
        && Command::new(&program).output().is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("no sanitizers here: the example runs without them");
    }
    if works { OPTIONS } else { &[] }
});

/// The example built once with sanitizers, and files to run it on.
struct Bench {
    folder: TempDir,
    program: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = folder();
        let program = build(folder.path(), &SANITIZE);
        fs::write(folder.path().join("key"), KEY).unwrap();
        Self { folder, program }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    /// Decrypts `wire`: the exit code, what came out, and what was said.
    fn decrypt(&self, wire: &[u8], more: &[&str]) -> (Option<i32>, Vec<u8>, String) {
        fs::write(self.path("in.flv"), wire).unwrap();
        let _ = fs::remove_file(self.path("out.flv"));
        let names = ["key", "in.flv", "out.flv"].map(|name| self.path(name));
        let output = run(Command::new(&self.program).args(names).args(more));
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), fs::read(self.path("out.flv")).unwrap_or_default(), said)
    }
}

fn film() -> Bytes {
    Stream::new(1).file(4000)
}

#[test]
fn the_example_decrypts_bit_by_bit() {
    let (bench, film) = (Bench::new(), film());
    assert!(film.len() > 4 << 16, "several pieces: {}", film.len());
    for mode in [Mode::Nalu, Mode::Capsule] {
        let (code, out, said) = bench.decrypt(&encrypted(&film, mode), &[]);
        assert_eq!(code, Some(0), "{said}");
        assert!(out == film, "the result differs from the original");
        assert!(said.contains(" decrypted, 0 clear, 3 headers\n"), "{said}");
    }
    let (code, out, said) = bench.decrypt(&film, &[]);
    assert_eq!((code, out == film), (Some(0), true), "{said}");
    assert!(said.contains(" 0 decrypted, "), "{said}");
}

#[test]
fn the_example_recovers_from_damage() {
    let (bench, film) = (Bench::new(), film());
    let whole = encrypted(&film, Mode::Nalu);
    let mut wire = whole.to_vec();
    let mut at = flv::FILE_HEADER_LEN;
    while at < wire.len() / 2 {
        at += flv::TAG_HEADER_LEN
            + u32::from_be_bytes([0, wire[at + 1], wire[at + 2], wire[at + 3]]) as usize
            + flv::TRAILER_LEN;
    }
    wire[at] = 0x77;
    let (code, out, said) = bench.decrypt(&wire, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(" bytes skipped in 1 places"), "{said}");
    assert!(film.ends_with(&out[out.len() - 1000..]) && out.len() < film.len());

    let (code, out, said) = bench.decrypt(&whole[..whole.len() - 30], &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the stream ends within a tag"), "{said}");
    assert!(film.starts_with(&out) && out.len() > film.len() * 9 / 10);

    let (code, out, said) = bench.decrypt(b"RIFF....AVI ", &[]);
    assert_eq!((code, out.len()), (Some(1), 0), "{said}");
    assert!(said.contains("in.flv: FLV damaged at byte 0, tag 0: signature RIF is not FLV"), "{said}");
}

#[test]
fn the_example_names_the_key_it_lacks() {
    let (bench, film) = (Bench::new(), film());
    let wire = encrypted(&film, Mode::Nalu);
    // There under another id, and another one under this id.
    let (code, out, said) = bench.decrypt(&wire, &["2"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no key 1, or a wrong one, for "), "{said}");
    assert!(film.starts_with(&out[..40]) && out.len() < 2000);
    fs::write(bench.path("key"), "08".repeat(16)).unwrap();
    let (code, _, said) = bench.decrypt(&wire, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no key 1, or a wrong one, for "), "{said}");
}

#[test]
fn the_example_refuses_wrong_usage() {
    let bench = Bench::new();
    for more in [&["256"][..], &["x"], &[""], &["1", "2"]] {
        let (code, _, said) = bench.decrypt(b"", more);
        assert_eq!(code, Some(2), "{more:?}: {said}");
        assert!(said.starts_with("usage: "), "{said}");
    }
    fs::write(bench.path("key"), "no key").unwrap();
    let (code, _, said) = bench.decrypt(b"", &[]);
    assert_eq!(code, Some(2));
    assert!(said.contains("key: a key is 32 hex digits; character 1 is none"), "{said}");
    fs::remove_file(bench.path("key")).unwrap();
    let (code, _, said) = bench.decrypt(b"", &[]);
    assert_eq!(code, Some(2), "{said}");
}

#[test]
fn the_static_library_links_too() {
    let folder = folder();
    let program = folder.path().join("decrypt");
    ok(cc()
        .arg(Path::new(HOME).join("examples/decrypt.c"))
        .args([&static_library(), Path::new("-o"), &program])
        .args(["-lpthread", "-ldl", "-lm"]));
    let bench = Bench { program, folder };
    fs::write(bench.path("key"), KEY).unwrap();
    let film = film();
    let (code, out, said) = bench.decrypt(&encrypted(&film, Mode::Nalu), &[]);
    assert_eq!((code, out == film), (Some(0), true), "{said}");
}

#[test]
fn the_header_is_c_plus_plus_too() {
    let folder = folder();
    let source = folder.path().join("player.cpp");
    fs::write(
        &source,
        "#include <obvan_crypto.h>\nint main() { return obvan_abi() == OBVAN_ABI ? 0 : 1; }\n",
    )
    .unwrap();
    let (program, library) = (folder.path().join("player"), shared_library());
    let rpath = format!("-Wl,-rpath,{}", library.parent().unwrap().display());
    ok(Command::new("c++")
        .args(["-std=c++11", "-pedantic", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(Path::new(HOME).join("include"))
        .args([&source, &library, Path::new("-o"), &program])
        .arg(rpath));
    ok(&mut Command::new(&program));
}
