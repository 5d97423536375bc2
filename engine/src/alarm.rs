//! Alarms and warnings that stand until they are cleared, declared once: for whoever keeps a list
//! of what is wrong now.
//!
//! Between what begins and what ends it, of one subject, it stands. Every alarm does, or it is
//! about something that has ended for good.
//!
//! ```
//! use engine::alarm::{Standing, clears, standing};
//!
//! assert_eq!(standing("line-lost"), Some(Standing::Until("line-recovered")));
//! assert_eq!(clears("line-recovered"), Some("line-lost"));
//! assert_eq!(standing("rung-failed"), Some(Standing::ForGood));
//! assert_eq!(standing("cue"), None);
//! ```

use scheduling::Code;

use crate::show::checks::Amiss;

/// How long what an event tells of stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Until an event of this code tells of the same subject.
    Until(&'static str),
    /// What it tells of has ended for this show.
    ForGood,
}

/// What begins in the engine itself, and what ends it. That of the decisions is declared
/// [with them](scheduling::Code::clears).
const OWN: [(&str, &str); 11] = [
    ("line-lost", "line-recovered"),
    Amiss::Black.codes(),
    Amiss::Frozen.codes(),
    Amiss::Silent.codes(),
    ("egress-lost", "egress-live"),
    ("iso-failed", "iso-started"),
    ("rungs-apart", "rungs-together"),
    ("overload", "overload-over"),
    ("rung-shed", "rung-back"),
    ("thumbnails-shed", "thumbnails-back"),
    ("state-failed", "state-kept"),
];

/// What nothing ends while the show runs.
const FOR_GOOD: [&str; 7] = [
    "rung-failed",
    "channel-failed",
    "egress-failed",
    "encoder-fallback",
    "line-error",
    "line-stalled",
    "line-stuck",
];

/// The code of what an event of this code puts an end to, if it does to anything. Some, as
/// `egress-live`, are told as well when nothing was wrong.
pub fn clears(code: &str) -> Option<&'static str> {
    let decided = Code::ALL.into_iter().find(|one| one.as_str() == code).and_then(Code::clears);
    let own = || OWN.into_iter().find(|(_, ends)| *ends == code).map(|(begins, _)| begins);
    decided.map(Code::as_str).or_else(own)
}

/// How long what an event of this code tells of stands; `None` for news that stands for nothing.
pub fn standing(code: &str) -> Option<Standing> {
    if FOR_GOOD.contains(&code) {
        return Some(Standing::ForGood);
    }
    let decided = || {
        let ends = Code::ALL.into_iter().find(|one| one.clears().is_some_and(|begun| begun.as_str() == code));
        ends.map(Code::as_str)
    };
    let own = OWN.into_iter().find(|(begins, _)| *begins == code).map(|(_, ends)| ends);
    own.or_else(decided).map(Standing::Until)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn what_begins_is_ended_by_what_ends_it_and_by_nothing_else() {
        let own = OWN.iter().flat_map(|(begins, ends)| [*begins, ends]);
        let codes: BTreeSet<_> = own.chain(Code::ALL.map(Code::as_str)).chain(FOR_GOOD).collect();
        let mut pairs = 0;
        for code in &codes {
            if let Some(Standing::Until(end)) = standing(code) {
                assert_eq!((clears(end), standing(end), clears(code)), (Some(*code), None, None));
                pairs += 1;
            }
            if let Some(begun) = clears(code) {
                assert_eq!(standing(begun), Some(Standing::Until(code)));
            }
        }
        assert_eq!(pairs, OWN.len() + Code::ALL.iter().filter(|code| code.clears().is_some()).count());
        for code in Code::ALL.iter().filter(|code| code.level() == scheduling::Level::Alarm) {
            assert!(standing(code.as_str()).is_some(), "nothing ends {code:?}");
        }
    }

    /// The words that follow an alarm's level, or go before it, in a source text.
    fn alarms(source: &str, found: &mut BTreeSet<String>) {
        let is_code =
            |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        for (at, _) in source.match_indices("Level::Alarm") {
            let after = source[at..].trim_start_matches("Level::Alarm").trim_start_matches([',', ' ', '\n']);
            let after = after.strip_prefix('"').and_then(|text| text.split('"').next());
            let before = source[..at].trim_end_matches([',', ' ', '\n']);
            let before = before.strip_suffix('"').and_then(|text| text.rsplit('"').next());
            found.extend([after, before].into_iter().flatten().filter(is_code).map(str::to_owned));
        }
    }

    fn read(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                alarms(&std::fs::read_to_string(path).unwrap(), found);
            }
        }
    }

    /// No alarm is sounded that nobody has declared here.
    #[test]
    fn every_alarm_of_the_sources_is_declared() {
        let mut found = BTreeSet::new();
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.contains("line-lost") && found.contains("egress-failed"), "{found:?}");
        let unknown: Vec<_> = found.iter().filter(|code| standing(code).is_none()).collect();
        assert!(unknown.is_empty(), "say in `alarm` what ends them: {unknown:?}");
    }
}
