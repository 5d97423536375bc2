//! The crate asks the system for random bits in one place, and for nothing else.

use std::path::Path;

#[test]
fn only_salts_come_from_the_system() {
    let mut files = 0;
    let mut left = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["std::time", "std::net", "std::fs", "std::env", "std::thread", "SystemTime", "Instant"] {
            assert!(!text.contains(word), "{} uses {word}", path.display());
        }
        let draws = text.contains("getrandom::");
        assert_eq!(draws, path.ends_with("salt.rs"), "{}", path.display());
        files += 1;
    }
    assert!(files > 10);
}
