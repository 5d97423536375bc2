//! The committed header is what cbindgen makes of the sources.

use std::path::{Path, PathBuf};

use cbindgen::{Builder, Config};

/// Makes the header anew. `OBVAN_WRITE=1` also writes it, where it is to be changed.
#[test]
fn the_header_is_up_to_date() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources: Vec<PathBuf> =
        home.join("src").read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    sources.sort();
    let config = Config::from_file(home.join("cbindgen.toml")).unwrap();
    let builder = sources.iter().fold(Builder::new().with_config(config), Builder::with_src);
    let mut made = Vec::new();
    builder.generate().unwrap().write(&mut made);
    let made = String::from_utf8(made).unwrap();
    let path = home.join("include/obvan_crypto.h");
    if std::env::var_os("OBVAN_WRITE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        made == committed,
        "the header does not go with the sources; write it with\n  \
         OBVAN_WRITE=1 cargo test -p crypto-capi header\nIt would be:\n{made}"
    );
}
