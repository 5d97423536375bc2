//! A show pushes its rungs to nginx-rtmp itself.

use std::fs;

use super::film::{Sealing, opened};
use super::frames::{Times, frames, part, whole};
use super::nginx::{App, Nginx};
use super::rtmp::Player;
use super::tool::wait_until;
use crate::live_show::{LiveShow, SHOW, events, folder, report};
use crate::stream::KEY;

pub const RUNGS: [&str; 2] = ["180p", "90p"];

/// A show that is encrypted, pushes to `url`, and records clear.
pub fn show(url: &str) -> String {
    SHOW.replace("record \"{rung}.flv\"", "record \"{rung}.flv\" clear=true")
        .replace(
            "  channel program {\n",
            "  key tour { id 1 env=OBVAN_KEY }\n  channel program {\n    encrypt tour mode=nalu\n",
        )
        .replace("    egress web", &format!("    egress cdn push \"{url}\"\n    egress web"))
}

/// The report's row of the push of this rung.
pub fn pushed(report: &serde_json::Value, rung: &str) -> serde_json::Value {
    let rows = report["channels"][0]["egress"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == "cdn" && row["rung"] == rung).unwrap().clone()
}

#[test]
fn every_rung_of_an_encrypted_show_arrives_and_opens_to_its_clear_record() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(nginx) = Nginx::start(scratch.path()) else { return };
    let folder = folder(&show(&nginx.stream(App::Live, "{channel}_{rung}")));
    let folder = folder.path();
    crate::keys::write(&folder.join("key.hex"), KEY, 0o600);
    let play = |rung: &str| {
        Player::of(&format!("program_{rung}"), &nginx, App::Live, folder, &format!("{rung}-played.flv"))
    };
    let players = RUNGS.map(play);
    let live = LiveShow::start(folder, &[]);
    wait_until("two seconds of each rung", || players.iter().all(|player| player.pictures() >= 50));
    live.signal("TERM");
    assert_eq!(live.ended().0, Some(0));
    let report = report(folder);
    for (rung, player) in RUNGS.into_iter().zip(players) {
        let record = frames(fs::read(folder.join(format!("out/{rung}.flv"))).unwrap());
        let got = opened(&player.ended(), Sealing::Nalu);
        assert_eq!(part(&record, &got, Times::Exact), whole(&record), "{rung}");
        let row = pushed(&report, rung);
        assert_eq!((&row["state"], &row["reconnects"]), (&"closed".into(), &0.into()), "{row}");
        assert!(row["bytes"].as_u64().unwrap() > 10_000, "{row}");
    }
}

#[test]
fn a_server_that_dies_is_pushed_to_again_and_nothing_else_minds() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(mut nginx) = Nginx::start(scratch.path()) else { return };
    let folder = folder(&show(&nginx.stream(App::Live, "{channel}_{rung}")));
    let folder = folder.path();
    let live = LiveShow::start(folder, &[]);
    wait_until("the pushes", || nginx.clients(App::Live) == 2);
    nginx.die();
    let lost = || live.status()["channels"][0]["egress"].to_string().contains("connecting");
    wait_until("the show to notice", lost);
    nginx.come_back();
    wait_until("the pushes again", || nginx.clients(App::Live) == 2);
    live.signal("TERM");
    assert_eq!(live.ended().0, Some(0));
    let report = report(folder);
    for rung in RUNGS {
        let row = pushed(&report, rung);
        assert!(row["state"] == "closed" && row["reconnects"].as_u64().unwrap() >= 1, "{row}");
        // The record has every picture, whatever became of the push.
        let record = frames(fs::read(folder.join(format!("out/{rung}.flv"))).unwrap());
        let pictures = whole(&record).pictures.len() as u64;
        assert_eq!(report["channels"][0]["frames"].as_u64(), Some(pictures));
    }
    let told = events(&report).into_iter().filter(|(code, _)| code == "egress-lost").count();
    assert!((2..=6).contains(&told), "{:?}", events(&report));
}

#[test]
fn a_server_that_is_never_there_fails_its_push_alone() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = folder(&show(&format!("rtmp://{nobody}/live/{{rung}}?key=SECRET")));
    let live = LiveShow::start(folder.path(), &[]);
    live.reaches(1.0);
    assert_eq!(live.status()["channels"][0]["egress"][0]["state"], "connecting");
    live.signal("TERM");
    let (code, said) = live.ended();
    assert_eq!(code, Some(1), "{said}");
    let report = report(folder.path());
    assert_eq!(pushed(&report, "180p")["state"], "failed");
    let all = report.to_string() + &said;
    assert!(all.contains("cannot connect: Connection refused") && !all.contains("SECRET"), "{all}");
    assert!(whole(&frames(fs::read(folder.path().join("out/180p.flv")).unwrap())).pictures.len() >= 25);
}
