//! Makes sure the folder of the built page exists, so that the crate also
//! builds where the page was not built; `page.rs` then says how to get it.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let dist = Path::new("../player/dist/page");
    std::fs::create_dir_all(dist)?;
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../player/dist/page");
    Ok(())
}
