//! What each stage of a running show costs, as a table.

use serde_json::Value;

use super::status::{list, word};
use crate::table::{Side, Table};

/// The stages of a status: lines first, as pictures go, and thumbnails beside them.
pub fn text(status: &Value) -> String {
    let mut stages = Table::new(&[
        ("stage", Side::Left),
        ("of", Side::Left),
        ("CPU ms/s", Side::Right),
        ("queue", Side::Right),
        ("at most", Side::Right),
        ("latency ms", Side::Right),
        ("at most", Side::Right),
    ]);
    let mut row = |what: &str, of: String, stage: &Value| {
        let figure = |name: &str| stage[name].as_f64().map_or_else(|| "-".to_owned(), |n| format!("{n:.0}"));
        let tenths = |name: &str| stage[name].as_f64().map_or_else(|| "-".to_owned(), |n| format!("{n:.1}"));
        if !stage.is_null() {
            let [queue, queue_max] = ["queue", "queue_max"].map(figure);
            let [latency, latency_max] = ["latency_ms", "latency_max_ms"].map(tenths);
            stages.row([what.to_owned(), of, tenths("cpu_ms"), queue, queue_max, latency, latency_max]);
        }
    };
    for camera in list(&status["cameras"]) {
        for line in list(&camera["lines"]) {
            row("line", format!("{}/{}", word(&camera["name"]), word(&line["name"])), &line["stage"]);
        }
    }
    for channel in list(&status["channels"]) {
        row("channel", word(&channel["name"]), &channel["stage"]);
        for rung in list(&channel["rungs"]) {
            row("rung", format!("{}/{}", word(&channel["name"]), word(&rung["name"])), &rung["stage"]);
        }
    }
    let thumbnails = &status["load"]["thumbnails"];
    row("thumbnails", format!("{} made", word(&thumbnails["made"])), &thumbnails["stage"]);
    if stages.is_empty() {
        return "no figures yet: they come with the show's first second\n".to_owned();
    }
    stages.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn stages_stand_one_below_the_other() {
        let status = json!({
            "channels": [{
                "name": "program",
                "stage": { "cpu_ms": 61.27, "queue": 0, "queue_max": 2, "latency_ms": 3.5, "latency_max_ms": 11.0 },
                "rungs": [
                    { "name": "720p", "stage": { "cpu_ms": 412.0, "queue": 1, "queue_max": 3, "latency_ms": 84.04, "latency_max_ms": 120.96 } },
                    { "name": "360p", "stage": null },
                ],
            }],
            "cameras": [{ "name": "main", "lines": [
                { "name": "fiber", "stage": { "cpu_ms": 102.0, "queue": 4, "queue_max": 9, "latency_ms": null, "latency_max_ms": null } },
                { "name": "gen" },
            ] }],
            "load": { "thumbnails": { "asked": true, "made": 12, "stage": {
                "cpu_ms": 6.6, "queue": 0, "queue_max": 2, "latency_ms": 3.1, "latency_max_ms": 7.0 } } },
        });
        insta::assert_snapshot!(text(&status), @r"
        stage       of            CPU ms/s  queue  at most  latency ms  at most
        line        main/fiber       102.0      4        9           -        -
        channel     program           61.3      0        2         3.5     11.0
        rung        program/720p     412.0      1        3        84.0    121.0
        thumbnails  12 made            6.6      0        2         3.1      7.0
        ");
        assert!(text(&json!({})).starts_with("no figures yet"));
    }
}
