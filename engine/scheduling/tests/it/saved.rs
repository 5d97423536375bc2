//! A stored state goes on where it fits, and only there.

use pipeline_dsl::Show;
use scheduling::{ChannelScheduler, SavedChannel};

use crate::rig::{Rig, cut, mix, show};

fn stored() -> String {
    let mut rig = Rig::new(&[(1000, cut("karry"))]).hole(2, 100, 9000);
    rig.run(1200);
    rig.ask(&mix("main", 400)).unwrap();
    rig.run(1320);
    serde_json::to_string(&rig.program.save()).unwrap()
}

fn resume(stored: &str, change: impl FnOnce(&mut Show)) -> Result<(), String> {
    let mut show = show(&[(1000, cut("karry"))]);
    change(&mut show);
    let saved: SavedChannel = serde_json::from_str(stored).unwrap();
    let fresh = ChannelScheduler::new(&show, &show.channels[0]).unwrap();
    fresh.resume(saved).map(drop).map_err(|error| error.to_string())
}

#[test]
fn a_state_of_another_show_is_refused() {
    let stored = stored();
    resume(&stored, |_| ()).unwrap();
    let differs = |change: fn(&mut Show)| resume(&stored, change).unwrap_err();
    assert_eq!(
        differs(|show| show.channels[0].sources.reverse()),
        "the stored state of channel program does not fit the show: its sources differ; start it anew"
    );
    assert!(differs(|show| show.channels[0].filler = None).contains("fillers"));
    assert!(differs(|show| show.channels[0].encrypt = None).contains("keys"));
    assert!(differs(|show| show.rundowns.clear()).contains("cues"));
    let other = |show: &mut Show| {
        show.channels[0].name = "other".into();
        show.rundowns[0].channel = "other".into();
    };
    assert!(differs(other).contains("channels"));
}

#[test]
fn a_state_with_a_source_out_of_range_is_refused() {
    let stored = stored();
    assert!(stored.contains(r#""from":{"source":1}"#), "{stored}");
    let broken = stored.replace(r#""from":{"source":1}"#, r#""from":{"source":7}"#);
    assert!(resume(&broken, |_| ()).unwrap_err().contains("sources"));
}
