//! Key files: made, taken, and refused.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::obvan::{Said, obvan, obvan_fed};
use crate::stream::{KEY, flv};

/// A file of this mode.
pub fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.flv"), flv()).unwrap();
    folder
}

fn encrypt(folder: &Path) -> Said {
    obvan(folder, &["encrypt", "in.flv", "-", "--key-file", "key.hex"])
}

#[test]
fn a_new_key_goes_to_a_file_of_its_own_and_into_a_show() {
    let folder = folder();
    let said = obvan(folder.path(), &["key", "new", "key.hex", "--id", "7"]).exits(0);
    assert!(said.stdout.is_empty(), "a key that goes to a file is shown nowhere");
    assert_eq!(said.stderr, "in a show: key tour { id 7 file=\"key.hex\" }\n");
    let path = folder.path().join("key.hex");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read_to_string(&path).unwrap();
    assert!(key.len() == 33 && !said.stderr.contains(key.trim()));
    encrypt(folder.path()).exits(0);

    let again = obvan(folder.path(), &["key", "new", "key.hex"]).exits(2);
    assert!(again.stderr.contains("key.hex is there already"), "{}", again.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), key);
    obvan(folder.path(), &["key", "new", "none/key.hex"]).exits(1);
    obvan(folder.path(), &["key", "new", "x.hex", "--id", "256"]).exits(2);

    // The line it says is one that a show takes.
    let line = said.stderr.trim().strip_prefix("in a show: ").unwrap();
    let show = format!(
        "show \"x\" {{\n{line}\ncamera a {{ line l test bars }}\nladder l {{ rung r 320x180 400k }}\n\
        channel c {{ sources a; ladder l; encrypt tour; egress d record \"x.flv\" }}\n}}\n"
    );
    let checked = |folder: &Path| obvan(folder, &["check", "x.show"]).exits(0).stderr;
    fs::write(folder.path().join("x.show"), &show).unwrap();
    assert!(checked(folder.path()).contains("0 errors, 0 warnings"), "{}", checked(folder.path()));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let said = checked(folder.path());
    assert!(said.contains("exposed-key") && said.contains("mode is 0640"), "{said}");
    assert!(said.contains("1 warning"), "{said}");
    fs::remove_file(&path).unwrap();
    let said = checked(folder.path());
    assert!(said.contains("missing-file") && said.contains("`obvan key new FILE` makes one"), "{said}");
    fs::create_dir(&path).unwrap();
    let said = obvan(folder.path(), &["check", "x.show"]).exits(2).stderr;
    assert!(said.contains("the key file \"key.hex\" of key tour, id 7 is a folder"), "{said}");
    assert!(said.contains("1 error"), "{said}");
}

#[test]
fn a_new_key_goes_to_stdout_where_no_file_is_named() {
    let folder = folder();
    let [one, two] =
        [&["key", "new"][..], &["key", "new", "-"]].map(|args| obvan(folder.path(), args).exits(0));
    for said in [&one, &two] {
        assert!(said.text().len() == 33 && said.text().trim().bytes().all(|b| b.is_ascii_hexdigit()));
        assert!(said.stderr.contains("key tour { id 1 env=OBVAN_KEY }"), "{}", said.stderr);
        assert!(!said.stderr.contains(said.text().trim()));
    }
    assert_ne!(one.stdout, two.stdout);
}

#[test]
fn a_bad_key_file_is_wrong_usage_and_its_text_is_not_repeated() {
    let folder = folder();
    let path = folder.path().join("key.hex");
    let refused = |words: &str| {
        let said = encrypt(folder.path()).exits(2);
        assert!(said.stderr.contains("key.hex") && said.stderr.contains(words), "{words}: {}", said.stderr);
        assert!(!said.stderr.contains("secret") && !said.stderr.contains("0102"), "{}", said.stderr);
        assert!(said.stdout.is_empty());
    };
    refused("No such file");
    for (text, words) in [
        ("", "this has 0 characters"),
        ("secretsecret", "character 1 is none"),
        (&KEY[1..], "this has 31 characters"),
        (&"0".repeat(2000), "more than 1024 bytes"),
    ] {
        write(&path, text, 0o600);
        refused(words);
    }
    for mode in [0o644, 0o640, 0o606] {
        write(&path, KEY, mode);
        refused(&format!("its mode is {mode:04o}"));
        refused("chmod 600 it");
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused("is a folder");
}

#[test]
fn a_link_a_pipe_and_stdin_will_do() {
    let folder = folder();
    let real = folder.path().join("real.hex");
    write(&real, &format!("  {KEY}\r\n"), 0o600);
    symlink("real.hex", folder.path().join("key.hex")).unwrap();
    encrypt(folder.path()).exits(0);
    write(&real, KEY, 0o644);
    encrypt(folder.path()).exits(2);

    let args = ["encrypt", "in.flv", "-", "--key-file", "/dev/stdin"];
    obvan_fed(folder.path(), &args, KEY.as_bytes()).exits(0);
    let dash = ["encrypt", "in.flv", "sealed.flv", "--key-file", "-"];
    obvan_fed(folder.path(), &dash, KEY.as_bytes()).exits(0);
    let open = ["decrypt", "sealed.flv", "-", "--key-file", "-"];
    assert_eq!(obvan_fed(folder.path(), &open, KEY.as_bytes()).exits(0).stdout, flv());
    let said = obvan_fed(folder.path(), &["encrypt", "-", "-", "--key-file", "-"], KEY.as_bytes()).exits(2);
    assert!(said.stderr.contains("IN and --key-file are both stdin"), "{}", said.stderr);
    let twice = ["--key-id", "1", "--key-file", "-", "--key-id", "2"];
    let said = obvan_fed(folder.path(), &[&open[..], &twice].concat(), KEY.as_bytes()).exits(2);
    assert!(said.stderr.contains("--key-file - is there twice"), "{}", said.stderr);
    fs::remove_file(folder.path().join("key.hex")).unwrap();
    let pipe = folder.path().join("key.hex");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let feeder = std::thread::spawn(move || fs::write(pipe, KEY));
    encrypt(folder.path()).exits(0);
    feeder.join().unwrap().unwrap();
}
