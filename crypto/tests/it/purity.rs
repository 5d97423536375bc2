//! The crate asks the system for random bits in one place, and for nothing else.

use std::path::Path;

#[test]
fn only_salts_come_from_the_system() {
    let mut files = 0;
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let path = entry.unwrap().path();
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
