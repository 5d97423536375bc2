//! What an encoder pushes is received, unpacked and recorded as it comes, and nothing is decoded: codecs
//! that do nothing stand in. What this process costs is the cost of taking in.
//!
//! `cargo run -p engine --example ingest_only -- FOLDER SECONDS` prints the address to push to, then
//! the report's row of the line. `scripts/versus-ingest.sh` measures it.
use std::sync::Arc;

use codecs::{
    AudioDecoder, AudioEncoder, AudioEncoderSettings, CodecError, CodecKit, Fake, Frame, Pcm, VideoDecoder,
    VideoEncoder, VideoEncoderSettings,
};
use engine::{Engine, Mode, RunOptions};
use media::{AudioParams, Packet, Span, VideoParams};

/// Takes every packet and gives nothing.
struct Nothing;

impl VideoDecoder for Nothing {
    fn send(&mut self, _: &Packet) -> Result<(), CodecError> {
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<Frame>, CodecError> {
        Ok(None)
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}

impl AudioDecoder for Nothing {
    fn send(&mut self, _: &Packet) -> Result<(), CodecError> {
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<Pcm>, CodecError> {
        Ok(None)
    }
    fn flush(&mut self) -> Result<(), CodecError> {
        Ok(())
    }
}

#[derive(Default)]
struct NoDecoders(Fake);

impl CodecKit for NoDecoders {
    fn video_decoder(&self, _: &VideoParams) -> Result<Box<dyn VideoDecoder>, CodecError> {
        Ok(Box::new(Nothing))
    }
    fn audio_decoder(&self, _: &AudioParams) -> Result<Box<dyn AudioDecoder>, CodecError> {
        Ok(Box::new(Nothing))
    }
    fn video_encoder(&self, settings: &VideoEncoderSettings) -> Result<Box<dyn VideoEncoder>, CodecError> {
        self.0.video_encoder(settings)
    }
    fn audio_encoder(&self, settings: &AudioEncoderSettings) -> Result<Box<dyn AudioEncoder>, CodecError> {
        self.0.audio_encoder(settings)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(folder), Some(seconds)) = (words.next(), words.next().and_then(|word| word.parse().ok()))
    else {
        return Err("say a folder and how many seconds".into());
    };
    let mut show = pipeline_dsl::parse_show(
        r#"show "ingest" {
             video 64x36 25fps
             camera main { line cable push "rtmp:live/main" record="{camera}.flv" }
             ladder one { rung tiny 64x36 100k }
             channel program { sources main; ladder one; egress web serve rtmp }
           }"#,
    )
    .map_err(|errors| format!("{errors:?}"))?;
    show.listen.rtmp.set_port(0);
    let limit = Some(Span::from_secs(seconds));
    let kit = Arc::new(NoDecoders::default());
    let options = RunOptions { limit, out: folder.into(), kit, ..RunOptions::new(Mode::RealTime) };
    let engine = Engine::start(show, options)?;
    if let Some(addr) = engine.rtmp_addr() {
        println!("rtmp://{addr}/live/main");
    }
    let report = engine.wait();
    println!("{}", serde_json::to_string(&report.cameras[0].lines[0])?);
    Ok(())
}
