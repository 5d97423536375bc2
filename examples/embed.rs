//! A show built in code, run, commanded, its events read, its report printed.
//!
//! `cargo run -p engine --example embed`
use engine::{Command, Engine, Mode, RunOptions};
use media::Span;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Text is the shortest way to build a `Show`; each of its parts is a plain struct, too.
    let show = pipeline_dsl::parse_show(
        r#"show "embedded" {
             video 640x360 25fps
             camera wide  { line gen test "motion" tone=440 }
             camera close { line gen test "bars" }
             ladder one { rung 360p 640x360 800k }
             channel program { sources wide close; ladder one; egress disk record "{channel}.flv" }
           }"#,
    )
    .map_err(|errors| format!("{errors:?}"))?;
    let out = std::env::temp_dir().join("obvan-embed");
    let options = RunOptions { limit: Some(Span::from_secs(3)), out, ..RunOptions::new(Mode::RealTime) };
    let engine = Engine::start(show, options)?;
    let handle = engine.handle();
    let (past, mut events) = handle.history();
    let ack = handle.command(Command::cut("close"))?;
    println!("{} is on air since frame {}", ack.on_air.unwrap_or_default(), ack.frame);
    let report = engine.wait();
    let live = std::iter::from_fn(|| events.try_recv().ok());
    for event in past.into_iter().chain(live) {
        println!("{:.2} s {}: {}", event.t, event.subject, event.message);
    }
    println!("{}", serde_json::to_string_pretty(&report.channels)?);
    Ok(())
}
