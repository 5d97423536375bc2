//! Lines: what they record, the sources they take, and what they are left for.

use std::collections::HashMap;

use crate::check::build;
use crate::check::egresses::{By, Output, normal};
use crate::check::names::Index;
use crate::check::part::Part;
use crate::check::values::shown;
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::model::Text;
use crate::template::{expand_line, has};

/// Says what is wrong with them, and gives the files that lines write.
pub(crate) fn check(index: &Index<'_>, sink: &mut Sink) -> Vec<Output> {
    let mut outputs = Vec::new();
    let mut sources: HashMap<String, Span> = HashMap::new();
    for camera in index.show.all("camera") {
        camera.all("line").for_each(|line| source(line, &mut sources, sink));
        recordings(camera, &mut outputs, sink);
        camera.all("failover").for_each(|failover| left_on(failover, sink));
    }
    outputs
}

/// What a source hands in goes to one line.
fn source(line: &Part, sources: &mut HashMap<String, Span>, sink: &mut Sink) {
    let Some(name) = line.name("source") else { return };
    let span = line.span_of("source");
    match sources.get(&name) {
        None => _ = sources.insert(name, span),
        Some(first) => {
            let message = format!("another line takes the source `{}` too", shown(&name));
            sink.push(
                Diagnostic::error("same-source", span, message)
                    .label(*first, "the first one is here")
                    .help("the program registers one for each line"),
            );
        }
    }
}

/// A line is not left for what is not looked at.
fn left_on(failover: &Part, sink: &mut Sink) {
    for symptom in failover.words("on").unwrap_or_default() {
        if failover.limit(symptom) == Some(None) {
            let message = format!("`on=` names `{symptom}`, which is not looked at");
            sink.push(
                Diagnostic::error("check-off", failover.span_of("on"), message)
                    .label(failover.span_of(symptom), "it is off here")
                    .help("take it out of `on=`, or say how long it may last"),
            );
        }
    }
}

fn recordings(camera: &Part, outputs: &mut Vec<Output>, sink: &mut Sink) {
    let whole = camera.text("record").map(|path| (path, camera.span_of("record")));
    let mut of_camera = 0;
    for line in camera.all("line") {
        let own = line.text("record").map(|path| (path, line.span_of("record")));
        let said = own.is_some();
        let Some((path, span)) = own.or_else(|| whole.clone()) else { continue };
        let why = build::line_input(line).and_then(|input| input.unrecordable());
        match why {
            None => {}
            Some(why) if said => {
                let message = format!("this line cannot be recorded: {why}");
                let help =
                    "take `record=` out; lines that push, pull, or come from a device or a source have one";
                sink.push(Diagnostic::error("not-recordable", span, message).help(help));
                continue;
            }
            Some(_) => continue,
        }
        of_camera += usize::from(!said);
        let Text::Plain(template) = &path else { continue };
        let names = [camera, line].map(|part| part.called().unwrap_or_default().to_owned());
        let place = normal(&expand_line(template, &names[0], &names[1]));
        let [camera, line] = names;
        let by = By::Line(camera, line);
        outputs.push(Output { channel: String::new(), place, span, kind: "writes", by });
    }
    let Some((path, span)) = whole else { return };
    if of_camera == 0 && camera.all("line").next().is_some() {
        let message = "none of this camera's lines takes its `record=`";
        let help = "test patterns and files are not recorded, and a line may have a `record=` of its own";
        sink.push(Diagnostic::warning("unused", span, message).help(help));
    }
    let Text::Plain(template) = path else { return };
    if of_camera > 1 && !has(&template, "line") {
        let message = format!("{of_camera} lines of this camera are recorded, so the path needs `{{line}}`");
        let example = match template.strip_suffix(".flv") {
            Some(stem) => format!("{stem}-{{line}}.flv"),
            None => template,
        };
        sink.push(
            Diagnostic::error("needs-line", span, message).help(format!("write `\"{}\"`", shown(&example))),
        );
    }
}
