//! The show language from outside.
#![allow(clippy::unwrap_used)]

#[test]
fn the_example_has_nothing_wrong() {
    let checked = pipeline_dsl::check(pipeline_dsl::EXAMPLE);
    assert_eq!(checked.diagnostics, []);
    assert!(checked.show.is_some());
}
