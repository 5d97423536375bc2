//! The words of a fault script on one page, from the tables they are read by.

use std::fmt::Write;

use super::table::{AT, Amount, FAULTS, FaultSpec, Lines, Of};
use crate::grammar::{Need, Slot};
use crate::reference::usage;

/// Every fault and every command, in Markdown.
pub fn fault_reference() -> String {
    let mut out = String::new();
    let groups: [(&str, &dyn Fn(Of) -> bool); 4] = [
        ("Lines: `CAMERA/LINE`, or `CAMERA` for all of its lines", &|of| matches!(of, Of::Line(_))),
        ("Pushes: `CHANNEL/EGRESS`, or `CHANNEL/EGRESS/RUNG` for one of its rungs", &|of| of == Of::Push),
        ("The disk", &|of| of == Of::Disk),
        ("The engine", &|of| of == Of::Engine),
    ];
    for (title, is_of) in groups {
        let _ = writeln!(out, "### {title}\n\n| fault | what happens |\n|---|---|");
        FAULTS.iter().filter(|spec| is_of(spec.of)).for_each(|spec| fault(&mut out, spec));
        out.push('\n');
        if is_of(Of::Line(Lines::Every)) {
            let words = FAULTS.iter().filter(|spec| spec.of == Of::Line(Lines::Every));
            let words: Vec<_> = words.map(|spec| format!("`{}`", spec.word)).collect();
            let _ = writeln!(out, "Fillers: `filler/NAME` has {}.\n", words.join(", "));
        }
    }
    let _ = writeln!(
        out,
        "### Commands: `at TIME COMMAND… [channel=NAME]`\n\n| command | what it asks for |\n|---|---|"
    );
    for form in AT.forms {
        let words = usage(&AT, Some(form));
        let words = words.strip_prefix("at TIME ").unwrap_or(&words).replace(" [channel=NAME]", "");
        let _ = write!(out, "| `{}` | {}", words.replace('|', "\\|"), form.about);
        form.args.iter().for_each(|slot| default(&mut out, slot, ""));
        form.keys.iter().for_each(|slot| default(&mut out, slot, "="));
        out.push_str(" |\n");
    }
    out
}

fn fault(out: &mut String, spec: &FaultSpec) {
    let _ = write!(out, "| `{}` | {}", spec.example(), spec.about);
    let _ = match spec.amount {
        Amount::None => Ok(()),
        // What its words do is said before.
        Amount::May(_) => Ok(()),
        Amount::Must(ty) => write!(out, " `{}=` is {}: {}.", spec.word, ty.noun(), ty.legal()),
        Amount::Usual(ty, usual) => {
            write!(out, " `{}=` is {}: {}; {usual} where it is not said.", spec.word, ty.noun(), ty.legal())
        }
    };
    out.push_str(" |\n");
}

fn default(out: &mut String, slot: &Slot, equals: &str) {
    if let Need::Default(text) = slot.need {
        let _ = write!(out, " `{}{equals}`: {text} where it is not said.", slot.name);
    }
}
