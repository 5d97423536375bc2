use proptest::prelude::*;
use resvg::usvg::{Group, Node, Options, Tree};

use super::*;
use crate::watermark::{Art, Fonts, WatermarkError};

fn svg(body: &str) -> String {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' \
         width='40' height='20'>\n{body}</svg>"
    )
}

fn counted(svg: &str) -> Result<u64, ReferenceError> {
    followed(&Document::parse(svg).unwrap(), MOST_ELEMENTS)
}

fn of(body: &str) -> Result<u64, ReferenceError> {
    counted(&svg(body))
}

/// So many levels, each drawn with two uses of the one before it.
fn twice_within(levels: usize, element: &str, property: &str) -> String {
    let level = |n: usize| {
        let below = if n == 0 { String::new() } else { format!("{property}='url(#r{})'", n - 1) };
        let shape = format!("<path d='M0 0h9v9z' {below}/>");
        format!("<{element} id='r{n}' width='1' height='1'>{shape}{shape}</{element}>\n")
    };
    let all: String = (0..levels).map(level).collect();
    format!("{all}<path d='M0 0h9v9z' {property}='url(#r{})'/>", levels - 1)
}

const KINDS: [(&str, &str); 5] = [
    ("mask", "mask"),
    ("clipPath", "clip-path"),
    ("pattern", "fill"),
    ("pattern", "stroke"),
    ("marker", "marker-start"),
];

#[test]
fn what_doubles_with_each_level_is_told_at_once() {
    for (element, property) in KINDS {
        let few = of(&twice_within(4, element, property)).unwrap();
        assert!(few < 10_000, "{element}: {few}");
        let error = of(&twice_within(15, element, property)).unwrap_err();
        assert!(matches!(error, ReferenceError::Many { .. }), "{element}: {error}");
        let error = of(&twice_within(24, element, property)).unwrap_err();
        assert!(!matches!(error, ReferenceError::Ring { .. }), "{element}: {error}");
    }
}

#[test]
fn a_use_of_uses_is_counted_as_often_as_it_is_met() {
    let level = |n: usize| format!("<g id='u{}'><use href='#u{n}'/><use xlink:href='#u{n}'/></g>", n + 1);
    let some: String = (0..8).map(level).collect();
    let body = |some: &str| format!("<defs><rect id='u0' width='4' height='4'/>{some}</defs>");
    let count = of(&body(&some)).unwrap();
    assert!((16_000..64_000).contains(&count), "{count}");
    let many: String = (0..15).map(level).collect();
    assert!(matches!(of(&body(&many)), Err(ReferenceError::Many { .. })));
}

#[test]
fn a_ring_is_told_wherever_it_is_closed() {
    let part = |of: &str, to: &str| format!("<mask id='{of}'><rect width='4' height='4' {to}/></mask>\n");
    let ring = |a: &str, b: &str, c: &str| [part("a", a), part("b", b), part("c", c)].concat();
    for (body, name, line) in [
        (part("a", "mask='url(#a)'"), "a", 2),
        (ring("mask='url(#b)'", "mask='url(#c)'", "mask='url(#a)'"), "b", 3),
        (
            ring("mask='url( &quot;#b&quot; )'", "style='mask:url(#c)'", "style='MASK:none;mask:url(#b)'"),
            "b",
            3,
        ),
        // By way of a fill that is inherited, of a filter's picture, and of a style sheet.
        ("<g fill='url(#p)'><pattern id='p'><rect/></pattern></g>".to_owned(), "p", 2),
        (
            "<g id='g' filter='blur(2) url(#f)'/><filter id='f'><feImage href='#g'/></filter>".to_owned(),
            "f",
            2,
        ),
        (
            "<style>.m rect { mask: url(#m) }</style><g class='m'><mask id='m'><rect/></mask></g>".to_owned(),
            "m",
            2,
        ),
        ("<g id='g'><use href='#g'/></g>".to_owned(), "g", 2),
    ] {
        let told = of(&body).unwrap_err();
        assert_eq!(told, ReferenceError::Ring { line, name: name.to_owned() }, "{body}");
    }
    // Whatever is declared last counts, unless something before it is important.
    let styled = |style: &str| format!("<mask id='m'><rect mask='url(#m)' style='{style}'/></mask>");
    of(&styled("mask: none")).unwrap();
    let sheet = "<style>rect { mask: url(#m) !important }</style>";
    of(&format!("{sheet}{}", styled("mask: none"))).unwrap_err();
}

#[test]
fn a_marker_within_itself_is_left_out() {
    let marked = "<g marker-end='url(#m)'><marker id='m'><path d='M0 0h4'/></marker><path d='M0 0h4'/></g>";
    assert!(of(marked).unwrap() < 500);
}

#[test]
fn nesting_is_bounded() {
    let chain = |levels: usize| -> String {
        let level = |n| format!("<mask id='m{}'><rect mask='url(#m{n})'/></mask>", n + 1);
        (0..levels).map(level).collect()
    };
    of(&chain(MOST_NESTED + 1)).unwrap();
    let error = of(&chain(MOST_NESTED + 2)).unwrap_err();
    assert_eq!(error, ReferenceError::Nested { line: 2, name: "m1".to_owned() });
    let deep = format!("{}{}", "<g>".repeat(600), "</g>".repeat(600));
    of(&deep).unwrap();
    let twice = format!(
        "<defs><g id='d'>{deep}</g></defs>{}<use href='#d'/>{}",
        "<g>".repeat(600),
        "</g>".repeat(600)
    );
    assert_eq!(of(&twice), Err(ReferenceError::Levels { line: 2 }));
}

#[test]
fn what_repeats_without_nesting_counts_too() {
    // A marker at each point of a path, a picture copied for each use, and rules for each element.
    let points = format!("<marker id='m'>{}</marker>", "<path d='M0 0h4'/>".repeat(100));
    of(&format!("{points}<path d='M0 0{}' marker-mid='url(#m)'/>", "h1".repeat(1_000))).unwrap();
    let many = format!("{points}<path d='M0 0{}' marker-mid='url(#m)'/>", "h1".repeat(20_000));
    assert!(matches!(of(&many), Err(ReferenceError::Many { .. })));
    let picture = format!("<image id='i' href='data:image/png;base64,{}'/>", "A".repeat(1 << 20));
    of(&format!("{picture}{}", "<use href='#i'/>".repeat(100))).unwrap();
    assert!(of(&format!("{picture}{}", "<use href='#i'/>".repeat(300))).is_err());
    let rules: String = (0..1_600).map(|n| format!(".c{n}{{fill:red}}")).collect();
    let ruled = |elements| svg(&format!("<style>{rules}</style>{}", "<rect/>".repeat(elements)));
    let within = |elements, most| followed(&Document::parse(&ruled(elements)).unwrap(), most);
    within(90, 10_000).unwrap();
    assert!(within(110, 10_000).is_err());
}

#[test]
fn it_is_told_where_and_what_is_legal() {
    let body = format!("<rect width='4' height='4'/>\n{}", twice_within(15, "mask", "mask"));
    let error = Art::read(svg(&body).as_bytes(), &Fonts::none()).err().unwrap();
    assert!(matches!(error, WatermarkError::References(_)));
    let said = error.to_string();
    assert!(said.contains("line 1") && said.contains("up to 1000000 are legal"), "{said}");
}

/// A drawing within a drawing takes from the same allowance, and so does one within that.
#[test]
fn a_drawing_within_is_followed_as_well() {
    let within = |inner: &str| {
        let text = inner.replace('%', "%25").replace('#', "%23").replace('\n', " ");
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        svg(&format!("<image width='9' height='9' href=\"data:image/svg+xml,{text}\"/>"))
    };
    let read = |text: &str| Art::read(text.as_bytes(), &Fonts::none()).map(|_| ());
    let (fine, bomb) = (svg(&twice_within(3, "mask", "mask")), svg(&twice_within(20, "mask", "mask")));
    read(&within(&fine)).unwrap();
    assert!(matches!(read(&within(&bomb)), Err(WatermarkError::References(_))));
    read(&within(&within(&fine))).unwrap();
    assert!(matches!(read(&within(&within(&bomb))), Err(WatermarkError::References(_))));
}

/// What a tree holds, counted as often as it is met, as whoever draws it goes through it.
fn met(group: &Group, most: u64) -> u64 {
    let mut all = 0;
    for node in group.children() {
        all += 1;
        if let Node::Group(group) = node {
            all += met(group, most);
        }
        node.subroots(|root| {
            if all <= most {
                all += met(root, most);
            }
        });
        if all > most {
            break;
        }
    }
    all
}

/// Drawings whose elements refer to one another as chance will have it.
fn drawings() -> impl Strategy<Value = String> {
    let reference = (0usize..7, 0usize..12);
    let shape = prop::collection::vec(reference, 0..3);
    let element = (0usize..6, prop::collection::vec(shape, 1..4), prop::option::weighted(0.3, 0usize..12));
    prop::collection::vec(element, 1..12).prop_map(|elements| {
        let properties = ["mask", "clip-path", "fill", "stroke", "filter", "marker-start", "marker-mid"];
        let mut body = String::new();
        for (n, (kind, shapes, link)) in elements.iter().enumerate() {
            let tag = ["mask", "clipPath", "pattern", "marker", "g", "symbol"][*kind];
            body += &format!("<{tag} id='e{n}' width='1' height='1'>");
            for references in shapes {
                body += "<path d='M0 0h9v9z'";
                let mut used = Vec::new();
                for (property, to) in references {
                    if !used.contains(property) {
                        body += &format!(" {}='url(#e{to})'", properties[*property]);
                        used.push(*property);
                    }
                }
                body += "/>";
            }
            if let Some(to) = link {
                body += &format!("<use href='#e{to}'/>");
            }
            body += &format!("</{tag}>");
        }
        svg(&format!("{body}<path d='M0 0h9v9z' mask='url(#e0)' fill='url(#e1)'/><use href='#e2'/>"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What is let through is read, and what is read comes to no more than was counted.
    #[test]
    fn no_drawing_comes_to_more_than_was_counted(svg in drawings()) {
        if let Ok(count) = counted(&svg) {
            prop_assert!(count <= MOST_ELEMENTS);
            let tree = Tree::from_str(&svg, &Options::default()).unwrap();
            let met = met(tree.root(), 8 * count);
            prop_assert!(met <= 8 * count, "{met} of {count}");
        }
    }
}
