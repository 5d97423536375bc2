//! The state that an engine leaves when it dies: taken up or left alone, and said.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use engine::resume::{Choice, KeptShow, StateError, StateFile, Wanted, Why};
use pipeline_dsl::Show;

use crate::exit::{Result, wrong};
use crate::term;

/// What a show is run with.
#[derive(Default)]
pub struct Found {
    /// Where its state is kept; none if another engine has that.
    pub state: Option<StateFile>,
    /// What it goes on from.
    pub goes_on: Option<Arc<KeptShow>>,
}

/// What came of looking.
pub enum Look {
    /// The show is run.
    Show(Found),
    /// It had its end while no engine ran.
    Over,
}

/// By the flags `--resume` and `--fresh`, of which there is one at the most.
pub fn wanted(resume: bool, fresh: bool) -> Wanted {
    match (resume, fresh) {
        (true, _) => Wanted::Resume,
        (false, true) => Wanted::Fresh,
        (false, false) => Wanted::Usual,
    }
}

/// Where a show's state is unless somebody says otherwise.
pub fn beside(out: &Path, show: &str) -> PathBuf {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = show.chars().take(100).map(plain).collect();
    // Nothing that begins with a dot: it would be hidden, or another folder.
    out.join(format!("{}.state", name.trim_start_matches('.')))
}

/// Looks what is there, and says what is made of it and how to have it otherwise.
pub fn look(path: &Path, wanted: Wanted, show: &Show) -> Result<Look> {
    let file = match StateFile::open(path) {
        Ok(file) => file,
        Err(error @ StateError::Busy { .. }) if wanted == Wanted::Resume => return wrong(error),
        Err(error) => {
            // A show that cannot be kept is a show all the same.
            term::say("warning", format_args!("{error}: the show begins anew, and its state is not kept"));
            return Ok(Look::Show(Found::default()));
        }
    };
    let shown = path.display();
    let begins_with = |goes_on| Look::Show(Found { state: Some(file.clone()), goes_on });
    let kept = match file.read() {
        Ok(Some(kept)) => kept,
        Ok(None) => {
            if wanted == Wanted::Resume {
                term::line(format_args!("state   there is none in {shown}: the show begins anew"));
            }
            return Ok(begins_with(None));
        }
        Err(error) => {
            file.put_aside();
            let old = file.aside();
            term::say(
                "warning",
                format_args!("{error}: the show begins anew, and the file is put aside as {}", old.display()),
            );
            return Ok(begins_with(None));
        }
    };
    if wanted != Wanted::Fresh
        && let Some(why) = kept.problem(show)
    {
        file.put_aside();
        let old = file.aside();
        term::say(
            "warning",
            format_args!(
                "{shown}: {why}: the show begins anew, and the file is put aside as {}",
                old.display()
            ),
        );
        return Ok(begins_with(None));
    }
    let now = SystemTime::now();
    let (ago, reached) = (ago(kept.age(now)), kept.reached());
    match kept.choice(wanted, show, now) {
        Choice::TakeUp => {
            term::line(format_args!(
                "state   {shown}: the show goes on at {}; its engine died {ago} ago, at {reached}. \
                 To begin it anew: --fresh",
                kept.time_at(now)
            ));
            Ok(begins_with(Some(Arc::new(kept))))
        }
        Choice::Leave(why) => {
            file.put_aside();
            let why = match why {
                Why::Asked => format!("it died {ago} ago at {reached}"),
                Why::Old => format!("it died {ago} ago at {reached}, which is long"),
                Why::OtherShow => format!("it is of show {:?}", kept.show_name()),
            };
            let old = file.aside();
            let old = old.display();
            term::line(format_args!(
                "state   {shown} is left alone ({why}): the show begins anew. It is put aside as {old}; \
                 to go on from it after all: --resume --state {old}"
            ));
            Ok(begins_with(None))
        }
        Choice::Over(end) => {
            let gone = file.remove();
            term::line(format_args!(
                "state   {shown}: the show is over; its end, {end}, passed while no engine ran: it died {ago} \
                 ago at {reached}. The same command again begins it anew"
            ));
            match gone {
                Ok(()) => Ok(Look::Over),
                Err(error) => wrong(format_args!("{shown}: {error}")),
            }
        }
    }
}

/// `5 s`, `12 min`, `14 h`, `3 days`.
fn ago(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_ago_it_was_is_said_in_words() {
        assert_eq!(
            [5, 119, 720, 50_400, 259_200].map(|s| ago(Duration::from_secs(s))),
            ["5 s", "119 s", "12 min", "14 h", "3 days"]
        );
    }

    #[test]
    fn a_state_has_a_plain_name_in_the_folder_of_the_recordings() {
        let name = |show| beside(Path::new("out"), show).display().to_string();
        assert_eq!(name("sunlight-tour"), "out/sunlight-tour.state");
        assert_eq!(name("../Die Nacht/2"), "out/-Die-Nacht-2.state");
    }
}
