//! A fault script against the show it is for.

use serde::Serialize;

use super::line::{Piece, lines, pieces, split_at_time};
use super::model::{DiskFault, Drift, Fault, FaultKind, FaultScript, LineFault, Restart, Share, SinkFault};
use super::subject::{Seems, Subject};
use super::table::{Amount, DISK, ENGINE, FAULTS, FaultSpec, Lines, Of, SHOW_FILE};
use super::{RELOAD, orders};
use crate::check::values::{Value, read, shown};
use crate::diagnostic::{Diagnostic, Sink, Span};
use crate::grammar::Type;
use crate::lexer::lex;
use crate::literal::write_time;
use crate::model::{Show, Text};
use crate::suggest::{did_you_mean, nearest};
use crate::syntax::{Atom, MOST_BYTES, Quoting};

/// What a fault script says, and what there is to say about it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CheckedFaults {
    /// The script; there is one exactly if no diagnostic is an error.
    pub script: Option<FaultScript>,
    /// Errors and warnings, in the order of the script.
    pub diagnostics: Vec<Diagnostic>,
}

/// The word before a command and its time.
const AT_WORD: &str = "at";
/// The word that stands before a duration.
const FOR: &str = "for";
/// How long a fault lasts, if it ends.
const LASTS: Type = Type::Duration { least_ms: 1, most_ms: 86_400_000 };

/// Reads a fault script and checks it against a show. Never fails: what is wrong is in the
/// diagnostics.
pub fn check_faults(source: &str, show: &Show) -> CheckedFaults {
    check_faults_among(source, show, &[])
}

/// The same for a show that becomes others while it is rehearsed, by `reload`: a name may be that of
/// any of them. A camera's name stands for the lines that it has in any.
pub fn check_faults_among(source: &str, show: &Show, later: &[Show]) -> CheckedFaults {
    let mut sink = Sink::default();
    let mut script = FaultScript::default();
    if source.len() > MOST_BYTES {
        let span = Span { start: 0, len: 0, line: 1, column: 1 };
        let message = format!("the fault script has {} bytes; legal: up to {MOST_BYTES}", source.len());
        sink.push(Diagnostic::error("file-too-large", span, message));
    } else {
        let tokens = lex(source, &mut sink);
        for line in lines(&tokens) {
            let Some(pieces) = pieces(source, &line, &mut sink) else { continue };
            line_among(show, later, &pieces, &mut script, &mut sink);
        }
    }
    let script = (sink.errors() == 0).then_some(script);
    CheckedFaults { script, diagnostics: sink.finish() }
}

/// The show files that a script's reloads name, each once, for whoever is to read them before the
/// script is [checked](check_faults_among): there it is said what is wrong with it.
pub fn reloaded_files(source: &str) -> Vec<Text> {
    let (mut files, mut sink) = (Vec::new(), Sink::default());
    if source.len() > MOST_BYTES {
        return files;
    }
    let tokens = lex(source, &mut sink);
    for line in lines(&tokens) {
        let Some(pieces) = pieces(source, &line, &mut sink) else { continue };
        let [Piece::Word(at), Piece::Word(_), Piece::Word(what), Piece::Word(file), ..] = &pieces[..] else {
            continue;
        };
        if at.text == AT_WORD
            && what.text == RELOAD
            && let Ok(Value::Text(file)) = read(RELOAD, SHOW_FILE, file)
            && !files.contains(&file)
        {
            files.push(file);
        }
    }
    files
}

/// A line that one of the shows has the names of; what is wrong with it is told by the first.
fn line_among(show: &Show, later: &[Show], pieces: &[Piece], script: &mut FaultScript, sink: &mut Sink) {
    let mut told: Option<Vec<Diagnostic>> = None;
    let mut known = FaultScript::default();
    for show in std::iter::once(show).chain(later) {
        let (mut own, mut said) = (FaultScript::default(), Sink::default());
        if let Err(wrong) = line(show, pieces, &mut own, &mut said) {
            said.push(*wrong);
        }
        let is_right = said.errors() == 0;
        let said = said.finish();
        let was_right = told.as_ref().is_some_and(|told| !told.iter().any(Diagnostic::is_error));
        // Of two that have it, the one that warns of less.
        let is_better = told.as_ref().is_none_or(|told| is_right && (!was_right || said.len() < told.len()));
        if is_better {
            told = Some(said);
        }
        if is_right {
            known.faults.extend(
                own.faults.into_iter().filter(|fault| !known.faults.contains(fault)).collect::<Vec<_>>(),
            );
            if known.orders.is_empty() {
                known.orders = own.orders;
            }
        }
    }
    told.into_iter().flatten().for_each(|said| sink.push(said));
    script.extend(known);
}

/// What is wrong with a line; boxed, for a diagnostic is large.
pub(super) type Wrong<T> = Result<T, Box<Diagnostic>>;

fn line(show: &Show, pieces: &[Piece], script: &mut FaultScript, sink: &mut Sink) -> Wrong<()> {
    let subject = match pieces.first() {
        Some(Piece::Word(atom)) if atom.quoting == Quoting::Bare => atom,
        Some(other) => {
            let message = "a line begins with what breaks, or with `at` before a command";
            let said = Diagnostic::error("not-a-word", other.span(), message);
            return Err(Box::new(said.help("for example `main/fiber lost@10s for 5s`, `at 12s cut karry`")));
        }
        None => return Ok(()),
    };
    if subject.text == AT_WORD {
        if let Some(order) = orders::order(show, subject, pieces.get(1..).unwrap_or(&[]), sink) {
            past_the_end(show, order.at, subject.span, sink);
            script.orders.push(order);
        }
        return Ok(());
    }
    let said = Said::read(show, subject, pieces)?;
    past_the_end(show, said.at, said.place, sink);
    let Said { at, lasts, .. } = said;
    script.faults.extend(said.whats.into_iter().map(|what| Fault { at, lasts, what }));
    Ok(())
}

/// A rundown that ends the show ends its rehearsal, too.
fn past_the_end(show: &Show, at: media::Time, place: Span, sink: &mut Sink) {
    if let Some(end) = show.end().filter(|end| at >= *end) {
        let message = format!("this never happens: the show ends before it, at {}", write_time(end));
        sink.push(Diagnostic::warning("past-the-end", place, message));
    }
}

/// A line about a fault; several faults where it is of a whole camera.
struct Said {
    at: media::Time,
    lasts: Option<media::Span>,
    whats: Vec<FaultKind>,
    place: Span,
}

impl Said {
    fn read(show: &Show, subject: &Atom, pieces: &[Piece]) -> Wrong<Self> {
        let named = Subject { show, text: &subject.text, span: subject.span };
        let (word, value, time) = match pieces.get(1) {
            None => return Err(Box::new(nothing_said(&named))),
            Some(Piece::Word(atom)) => {
                let (word, time) = split_at_time(atom);
                (word, None, time)
            }
            Some(Piece::Pair(pair)) => {
                let (value, time) = split_at_time(&pair.value);
                let (word, early) = split_at_time(&pair.key);
                if let Some(early) = early {
                    let message = "the time comes last";
                    let help = format!(
                        "write `{}={}@{}`",
                        shown(&word.text),
                        shown(&value.text),
                        shown(&early.text)
                    );
                    return Err(Box::new(Diagnostic::error("bad-order", pair.key.span, message).help(help)));
                }
                (word, Some(value), time)
            }
        };
        let spec = spec(&word, &named)?;
        let value = value.as_ref();
        let amount = amount(spec, &word, value)?;
        let place = pieces.get(1).map_or(word.span, Piece::span);
        let Some(time) = time else {
            let value = value.map_or(String::new(), |value| format!("={}", shown(&value.text)));
            let message = format!("`{}` does not say when", spec.word);
            let help = format!("write `{}{value}@10s`, without spaces", spec.word);
            return Err(Box::new(Diagnostic::error("missing-time", place, message).help(help)));
        };
        let at = match read(&format!("`{}@`", spec.word), Type::Time, &time)? {
            Value::Time(time) => time,
            _ => return Err(Box::new(mismatch(time.span))),
        };
        let lasts = lasts(pieces.get(2..).unwrap_or(&[]))?;
        Ok(Self { at, lasts, whats: whats(spec, &named, amount.as_ref())?, place })
    }
}

/// A value of another type than its table says: no input makes one.
fn mismatch(span: Span) -> Diagnostic {
    Diagnostic::error("wrong-type", span, "this value is of another type than its word takes")
}

fn nothing_said(subject: &Subject<'_>) -> Diagnostic {
    let words = legal_words(subject.seems());
    let example = FAULTS.iter().find(|spec| words.contains(&spec.word)).map_or_else(String::new, |spec| {
        format!("for example `{} {}@10s for 5s`", shown(subject.text), spec.word)
    });
    let message =
        format!("nothing is said to happen to `{}`; legal: {}", shown(subject.text), words.join(", "));
    Diagnostic::error("missing-fault", subject.span, message).help(example)
}

/// The words that what a subject seems to be can have; all if it seems to be nothing.
fn legal_words(seems: Seems) -> Vec<&'static str> {
    let fits = |spec: &&FaultSpec| match seems {
        Seems::Line => matches!(spec.of, Of::Line(_)),
        Seems::Filler => spec.of == Of::Line(Lines::Every),
        Seems::Push => spec.of == Of::Push,
        Seems::Disk => spec.of == Of::Disk,
        Seems::Engine => spec.of == Of::Engine,
        Seems::Nothing => true,
    };
    FAULTS.iter().filter(fits).map(|spec| spec.word).collect()
}

fn spec(word: &Atom, subject: &Subject<'_>) -> Wrong<&'static FaultSpec> {
    let text = word.text.as_str();
    if let Some(spec) = FAULTS.iter().find(|spec| spec.word == text) {
        return Ok(spec);
    }
    let legal = legal_words(subject.seems());
    let message = format!(
        "`{}` is nothing that happens to `{}`; legal: {}",
        shown(text),
        shown(subject.text),
        legal.join(", ")
    );
    let near = did_you_mean(text, legal.iter().copied()).or_else(|| {
        nearest(text, FAULTS.iter().map(|spec| spec.word)).map(|w| format!("did you mean `{w}`?"))
    });
    Err(Box::new(Diagnostic::error("unknown-fault", word.span, message).help_if(near)))
}

/// The value of a fault's word, or the usual one.
fn amount(spec: &FaultSpec, word: &Atom, value: Option<&Atom>) -> Wrong<Option<Value>> {
    let subject = format!("`{}=`", spec.word);
    match (spec.amount, value) {
        (Amount::None | Amount::May(_), None) => Ok(None),
        (Amount::None, Some(value)) => {
            let message = format!("`{}` takes no value", spec.word);
            let said = Diagnostic::error("extra-argument", value.span, message);
            Err(Box::new(said.help(format!("for example `{}`", spec.example()))))
        }
        (Amount::Must(ty) | Amount::Usual(ty, _) | Amount::May(ty), Some(value)) => {
            Ok(Some(read(&subject, ty, value)?))
        }
        (Amount::Usual(ty, usual), None) => {
            let usual = Atom { text: usual.to_owned(), ..word.clone() };
            Ok(Some(read(&subject, ty, &usual)?))
        }
        (Amount::Must(ty), None) => {
            let message = format!("`{}` needs {} ({})", spec.word, ty.noun(), ty.legal());
            let said = Diagnostic::error("missing-value", word.span, message);
            Err(Box::new(said.help(format!("for example `{}`", spec.example()))))
        }
    }
}

/// `for 5s`, or nothing.
fn lasts(rest: &[Piece]) -> Wrong<Option<media::Span>> {
    let stray = |piece: &Piece| {
        let message = "only `for DURATION` stands behind a fault's time";
        let help = match piece {
            Piece::Word(atom) if atom.text.starts_with('@') => "write `WORD@TIME`, without spaces".to_owned(),
            Piece::Word(atom) if atom.text.parse::<f64>().is_ok() => format!("write `for {}s`", atom.text),
            _ => {
                "for example `lost@10s for 5s`; the next fault goes on its own line, or behind `;`".to_owned()
            }
        };
        Box::new(Diagnostic::error("extra-argument", piece.span(), message).help(help))
    };
    match rest {
        [] => Ok(None),
        [Piece::Word(word)] if word.text == FOR => {
            let said = Diagnostic::error("missing-argument", word.span, "`for` does not say how long");
            Err(Box::new(said.help("for example `for 5s`; without `for` a fault stays until the end")))
        }
        [Piece::Word(word), Piece::Word(length), more @ ..] if word.text == FOR => {
            if let Some(extra) = more.first() {
                return Err(stray(extra));
            }
            match read("`for`", LASTS, length)? {
                Value::Span(lasts) => Ok(Some(lasts)),
                _ => Err(Box::new(mismatch(length.span))),
            }
        }
        [other, ..] => Err(stray(other)),
    }
}

/// What a fault's word means for its subject.
fn whats(spec: &FaultSpec, subject: &Subject<'_>, amount: Option<&Value>) -> Wrong<Vec<FaultKind>> {
    let of_one = |name: &str| {
        let message = format!("`{}` is of `{name}`, not of `{}`", spec.word, shown(subject.text));
        let said = Diagnostic::error("bad-subject", subject.span, message);
        let near = did_you_mean(subject.text, [name]);
        Box::new(said.help(near.unwrap_or_else(|| format!("for example `{}`", spec.example()))))
    };
    let seems = subject.seems();
    let is = match (spec.of, seems) {
        (Of::Line(_), Seems::Push) => Some("a way out"),
        (Of::Push, Seems::Line) => Some("a line"),
        (Of::Push, Seems::Filler) => Some("a filler"),
        _ => None,
    };
    if let Some(is) = is {
        let found = shown(subject.text);
        let message = format!("`{}` does not happen to {is}, which `{found}` is", spec.word);
        let legal = format!("legal there: {}", legal_words(seems).join(", "));
        return Err(Box::new(Diagnostic::error("bad-subject", subject.span, message).help(legal)));
    }
    Ok(match spec.of {
        Of::Disk if subject.text == DISK => {
            let fault = disk_fault(spec.word, amount).ok_or_else(|| mismatch(subject.span))?;
            vec![FaultKind::Disk { fault }]
        }
        Of::Disk => return Err(of_one(DISK)),
        Of::Engine if subject.text == ENGINE => vec![match spec.word {
            "overload" => FaultKind::EngineOverload,
            _ => FaultKind::EngineKill(restart(amount)),
        }],
        Of::Engine => return Err(of_one(ENGINE)),
        Of::Push => {
            let fault = if spec.word == "wedge" { SinkFault::Wedge } else { SinkFault::Refuse };
            vec![FaultKind::Sink { sink: subject.sink(spec.word)?, fault }]
        }
        Of::Line(which) => {
            let fault = || line_fault(spec.word, amount).ok_or_else(|| mismatch(subject.span));
            if seems == Seems::Filler {
                let filler = subject.filler(which, spec.word)?;
                return Ok(vec![FaultKind::Filler { filler, fault: fault()? }]);
            }
            let lines = subject.lines(which, spec.word)?;
            let fault = fault()?;
            lines.into_iter().map(|line| FaultKind::Line { line, fault }).collect()
        }
    })
}

fn restart(amount: Option<&Value>) -> Restart {
    let is = |(_, word): &(Restart, &str)| matches!(amount, Some(Value::Word(said)) if said == word);
    Restart::SAID.into_iter().zip(Restart::WORDS).find(is).map_or(Restart::Usual, |(restart, _)| restart)
}

fn disk_fault(word: &str, amount: Option<&Value>) -> Option<DiskFault> {
    Some(match (word, amount) {
        ("full", None) => DiskFault::Full,
        ("slow", Some(Value::Number(millionths))) => DiskFault::Slow(Share::from_millionths(*millionths)?),
        ("broken", None) => DiskFault::Broken,
        _ => return None,
    })
}

fn line_fault(word: &str, amount: Option<&Value>) -> Option<LineFault> {
    Some(match (word, amount) {
        ("lost", None) => LineFault::Lost,
        ("stall", None) => LineFault::Stall,
        ("drip", Some(Value::Number(millionths))) => LineFault::Drip(Share::from_millionths(*millionths)?),
        ("corrupt", Some(Value::Number(millionths))) => {
            LineFault::Corrupt(Share::from_millionths(*millionths)?)
        }
        ("jump", Some(Value::Span(by))) => LineFault::Jump(*by),
        ("drift", Some(Value::Signed(ppm))) => LineFault::Drift(Drift::from_ppm(*ppm)?),
        ("freeze", None) => LineFault::Freeze,
        ("black", None) => LineFault::Black,
        ("silence", None) => LineFault::Silence,
        ("resolution", Some(Value::Size(size))) => LineFault::Resolution(*size),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No word of the table is forgotten above.
    #[test]
    fn every_example_of_the_table_is_read() {
        let show = crate::parse_show(crate::EXAMPLE).unwrap();
        for spec in FAULTS {
            let checked = check_faults(&spec.example(), &show);
            assert!(checked.script.is_some(), "{}: {:#?}", spec.example(), checked.diagnostics);
        }
    }
}
