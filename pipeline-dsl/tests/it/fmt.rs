//! Canonical formatting.

use pipeline_dsl::{EXAMPLE, check, format};

#[test]
fn the_example_in_canonical_form() {
    let tidy = format(EXAMPLE).unwrap();
    insta::assert_snapshot!(tidy);
    assert_eq!(check(&tidy).show, check(EXAMPLE).show);
}

#[test]
fn comments_and_blank_lines_stay() {
    let source = "\n\n// head\n\n\n\ncamera   a{// open\n\n  line x test bars;// one\n // own\n\n\n line y   test motion   }  // end\ncamera b { }\n\n// tail";
    let tidy = "// head\n\ncamera a { // open\n  line x test bars // one\n  // own\n\n  line y test motion\n} // end\ncamera b {}\n\n// tail\n";
    assert_eq!(format(source).unwrap(), tidy);
}

#[test]
fn a_block_on_one_line_stays_there_while_it_fits() {
    let short = "listen { http \"a\"; rtmp \"b\" }\n";
    assert_eq!(format(short).unwrap(), short);
    let long = format!("a {{ b \"{}\"; c {{ d e }} }}\n", "x".repeat(100));
    let tall = format!("a {{\n  b \"{}\"\n  c {{ d e }}\n}}\n", "x".repeat(100));
    assert_eq!(format(&long).unwrap(), tall);
}

#[test]
fn strings_are_left_as_they_are() {
    let source = "a \"x\\\"y\\\\ //z\" k=\"  \"\n";
    assert_eq!(format(source).unwrap(), source);
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let refused = format("show t {\n  camera a { line l file \"x }\n}\n").unwrap_err();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].code, "unterminated-string");
    assert_eq!((refused[0].span.line, refused[0].span.column), (2, 26));
}

#[test]
fn a_file_with_wrong_words_is_formatted() {
    assert_eq!(format("nonsense  1   k = 2").unwrap(), "nonsense 1 k=2\n");
}
