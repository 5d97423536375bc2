//! A running show, joined late, goes on to nginx-rtmp by ffmpeg.

use std::fs;

use super::film::{Sealing, opened};
use super::frames::{Times, frames, part};
use super::nginx::{App, Nginx};
use super::rtmp::{LIVE, Player};
use super::tool::{Tool, ffmpeg, quiet, wait_until};
use crate::live_show::{LiveShow, SHOW, folder};
use crate::stream::KEY;

#[test]
fn a_late_viewer_and_a_relay_of_a_show_open_to_its_clear_record() {
    let show = SHOW.replace("record \"{rung}.flv\"", "record \"{rung}.flv\" clear=true").replace(
        "  channel program {\n",
        "  key tour { id 1 env=OBVAN_KEY }\n  channel program {\n    encrypt tour mode=nalu\n",
    );
    let folder = folder(&show);
    let Some(nginx) = Nginx::start(folder.path()) else { return };
    let folder = folder.path();
    crate::keys::write(&folder.join("key.hex"), KEY, 0o600);
    let live = LiveShow::start(folder, &[]);
    let player = Player::start(&nginx, App::Live, folder, "relayed.flv");
    live.reaches(1.3);
    let url = format!("{}/live/program/180p.flv", live.url());
    let viewer = Tool::spawn("curl", &mut quiet(folder, "curl", &["-sN", "-o", "viewed.flv", &url]));
    let words = format!("{LIVE} -i {url} -c copy -f flv {}", nginx.url(App::Live));
    let relay = Tool::spawn("ffmpeg", &mut ffmpeg(folder, &words));
    wait_until("two seconds of the show at the relay's player", || player.pictures() >= 50);
    live.signal("TERM");
    assert_eq!(live.ended().0, Some(0));
    assert!(viewer.ended().success());
    assert!(relay.ended().success());

    let record = frames(fs::read(folder.join("out/180p.flv")).unwrap());
    for path in [folder.join("viewed.flv"), player.ended()] {
        let got = opened(&path, Sealing::Nalu);
        let part = part(&record, &got, Times::Exact);
        assert!(part.pictures.start > 0 && part.pictures.len() >= 50, "{part:?}");
        assert!(got.iter().find(|frame| frame.kind == flv::TagKind::Video).unwrap().key, "{part:?}");
    }
}
