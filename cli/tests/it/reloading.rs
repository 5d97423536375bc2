//! The show file changed while the show runs: by signal, and by `ctl`.

use std::fs;

use crate::live_show::{LiveShow, RECORDINGS, SHOW, folder, report};

#[test]
fn a_show_file_is_read_again_by_signal_and_by_command() {
    let folder = folder(SHOW);
    let file = folder.path().join("night.show");
    let live = LiveShow::start(folder.path(), &[]);
    let revision = |live: &LiveShow| live.status()["show_revision"].as_u64();
    assert_eq!(revision(&live), Some(1));

    let drone = SHOW
        .replace("  filler green {", "  camera drone { line gen test \"color:red\" }\n  filler green {")
        .replace("sources stage bars", "sources stage bars drone");
    fs::write(&file, &drone).unwrap();
    live.wait_until("the word that it has changed", |live| live.said().contains("[show-file-changed]"));
    let dry = live.ctl(&["reload", "--dry-run"]).exits(0);
    let steps = "camera drone is added\nchannel program: its sources are stage, bars, drone\n";
    assert_eq!(dry.text(), format!("{steps}nothing was done yet\n"));
    assert_eq!(revision(&live), Some(1));
    live.signal("HUP");
    live.wait_until("the file to be in force", |live| revision(live) == Some(2));
    let cut = live.ctl(&["cut", "drone"]).exits(0);
    assert!(cut.text().starts_with("program: drone on air"), "{}", cut.text());

    // A file that does not run changes nothing, and says where.
    fs::write(&file, drone.replace("color:red", "color:nothing")).unwrap();
    let wrong = live.ctl(&["reload"]).exits(2);
    assert!(wrong.stderr.contains("show:6:"), "{}", wrong.stderr);
    live.signal("HUP");
    live.wait_until("the word about it", |live| live.said().contains("not reloaded"));
    // What cannot be now is another matter: what is on air stays.
    let other = folder.path().join("other.show");
    fs::write(&other, SHOW).unwrap();
    let refused = live.ctl(&["reload", other.to_str().unwrap()]).exits(1);
    assert!(refused.stderr.contains("on-air") && refused.stderr.contains("cut stage"), "{}", refused.stderr);
    let fixed = SHOW.replace("25fps", "30fps");
    fs::write(&other, fixed).unwrap();
    let refused = live.ctl(&["reload", other.to_str().unwrap(), "--dry-run"]).exits(1);
    assert!(refused.stderr.contains("other.show:2:3: the canvas"), "{}", refused.stderr);
    assert_eq!(revision(&live), Some(2));

    // The same command again gets the same answer, and the file is given by hand.
    live.ctl(&["cut", "stage"]).exits(0);
    fs::write(&other, SHOW).unwrap();
    let args = ["reload", other.to_str().unwrap(), "--id", "back"];
    let twice: Vec<_> = (0..2).map(|_| live.ctl(&args).exits(0).text().to_owned()).collect();
    assert_eq!(twice[0], twice[1]);
    assert!(twice[0].contains("revision 3 of the show file is in force"), "{}", twice[0]);
    live.signal("TERM");
    assert_eq!(live.ended().0, Some(0));
    let report = report(folder.path());
    let told = report["events"].as_array().unwrap().iter().filter(|e| e["code"] == "reloaded").count();
    assert_eq!(told, 6, "two reloads of two steps each");
    for name in RECORDINGS {
        assert!(folder.path().join("out").join(name).exists());
        assert!(!folder.path().join("out").join(name.replace(".flv", "-2.flv")).exists());
    }
}
