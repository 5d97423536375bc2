//! The show language from outside.
#![allow(clippy::unwrap_used)]

mod corpus;
mod difference;
mod fmt;
mod properties;
mod rehearsal;
mod render;
mod secrets;
mod shows;
mod soup;

#[test]
fn the_example_has_nothing_wrong() {
    let checked = pipeline_dsl::check(pipeline_dsl::EXAMPLE);
    assert_eq!(checked.diagnostics, []);
    let show = checked.show.unwrap();
    assert_eq!(pipeline_dsl::parse_show(&show.to_source()).unwrap(), show);
}
