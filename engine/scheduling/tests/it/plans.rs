//! Shows that cannot be scheduled say why.

use pipeline_dsl::Show;
use scheduling::ChannelScheduler;

use crate::rig::{FILLER_ON, cut, show};

fn error(change: impl FnOnce(&mut Show)) -> String {
    let mut show = show(&[(1000, cut("karry")), (2500, FILLER_ON)]);
    change(&mut show);
    ChannelScheduler::new(&show, &show.channels[0]).unwrap_err().to_string()
}

#[test]
fn errors_name_the_place_and_what_is_legal() {
    assert_eq!(
        error(|show| show.channels[0].sources.clear()),
        "channel program has no sources: give it at least one camera"
    );
    assert_eq!(
        error(|show| show.channels[0].ladder = "four".into()),
        "channel program asks for ladder four, which the show does not have; it has: one"
    );
    assert_eq!(
        error(|show| show.fillers.clear()),
        "channel program asks for filler standby, which the show does not have; it has: nothing"
    );
    assert_eq!(
        error(|show| show.keys[0].name = "other".into()),
        "channel program asks for key tour, which the show does not have; it has: other"
    );
    assert_eq!(
        error(|show| show.keys[0].keys.clear()),
        "key ring tour of channel program is empty: give it at least one key"
    );
    assert_eq!(
        error(|show| show.channels[0].sources.truncate(1)),
        "cue 1 of channel program, at 0:01: channel program has no source \"karry\"; legal: main"
    );
    assert_eq!(
        error(|show| show.channels[0].filler = None),
        "cue 2 of channel program, at 0:02.500: channel program has no filler; legal: nothing"
    );
}
