//! How many threads an encoder gets: one where rungs are many, since that costs the least CPU, and
//! more where a rung by itself would take longer than all cores together need for the rest.

use std::num::NonZeroU8;

use codecs::EncoderThreads;
use pipeline_dsl::{self as dsl, Encoder, Preset};

/// Threads beyond these gain little, and each holds pictures and costs quality.
const MOST: f64 = 8.0;
/// What one thread is enough for, whatever the machine: 960x540 at 30 pictures a second, at veryfast.
const SMALL: f64 = 960.0 * 540.0 * 30.0;

/// How many times as long a preset of x264's takes as its veryfast; measured by `scripts/presets.sh`.
fn x264(preset: Preset) -> f64 {
    match preset {
        Preset::Ultrafast => 0.3,
        Preset::Superfast => 0.6,
        Preset::Veryfast => 1.0,
        Preset::Faster => 1.7,
        Preset::Fast => 2.2,
        Preset::Medium => 2.7,
        Preset::Slow => 4.2,
        Preset::Slower => 7.5,
        Preset::Veryslow => 13.0,
    }
}

/// The same of x265's; the last two by what they are beside `slow` as a rule.
fn x265(preset: Preset) -> f64 {
    match preset {
        Preset::Ultrafast => 2.0,
        Preset::Superfast => 3.5,
        Preset::Veryfast | Preset::Faster => 4.2,
        Preset::Fast => 5.0,
        Preset::Medium => 5.5,
        Preset::Slow => 14.0,
        Preset::Slower => 30.0,
        Preset::Veryslow => 50.0,
    }
}

/// What encoding this rung takes, in pixels a second at x264's veryfast.
fn cost(show: &dsl::Show, ladder: &dsl::Ladder, rung: &dsl::Rung) -> f64 {
    let preset = ladder.preset_of(rung);
    let encoder = match ladder.encoder_of(rung) {
        Encoder::X264 => x264(preset),
        Encoder::X265 => x265(preset),
        // The machine's cores have nothing to do with these.
        Encoder::H264Nvenc
        | Encoder::HevcNvenc
        | Encoder::H264Qsv
        | Encoder::HevcQsv
        | Encoder::H264Vaapi
        | Encoder::HevcVaapi
        | Encoder::H264V4l2
        | Encoder::HevcV4l2 => 0.0,
    };
    f64::from(rung.size.width) * f64::from(rung.size.height) * show.video.rate.as_f64() * encoder
}

/// For a rung of a show on so many cores.
pub(super) fn threads(
    show: &dsl::Show,
    ladder: &dsl::Ladder,
    rung: &dsl::Rung,
    cores: usize,
) -> EncoderThreads {
    let alone = alone(ladder.encoder_of(rung), cores);
    // Frame threads hold pictures back.
    if ladder.latency == dsl::Latency::Low {
        return alone;
    }
    let of_channel = |channel: &dsl::Channel| {
        let ladder = show.ladder(&channel.ladder);
        ladder
            .into_iter()
            .flat_map(|ladder| ladder.rungs.iter().map(|rung| cost(show, ladder, rung)))
            .sum::<f64>()
    };
    let own = cost(show, ladder, rung);
    // What stands in for a copied rung is idle as a rule, and not among all.
    let all = show.channels.iter().map(of_channel).sum::<f64>().max(own);
    let wanted = (own / all * cores as f64).ceil().min(MOST);
    match NonZeroU8::new(wanted as u8) {
        Some(many) if many.get() > 1 && own > SMALL => EncoderThreads::Many(many),
        _ => alone,
    }
}

/// Whether an encoder that `has` so many threads has as good as what is `due` to it by now. With one
/// less or more it goes on; with half as many a rung may be late on a machine that has idle cores, since
/// those it was shared out beside are gone, and twice as many cost CPU that others need.
pub(super) fn is_about(has: EncoderThreads, due: EncoderThreads) -> bool {
    let [has, due] = [has, due].map(|threads| match threads {
        EncoderThreads::One => 1,
        EncoderThreads::Many(many) => u16::from(many.get()),
    });
    2 * has > due && 2 * due > has
}

/// One thread. Where a rung could have more, as in real time, nobody is promised the same bytes again,
/// and x264 may take all of the vector code that it has.
fn alone(encoder: Encoder, cores: usize) -> EncoderThreads {
    match encoder {
        Encoder::X264 if cores > 1 => EncoderThreads::Many(NonZeroU8::MIN),
        _ => EncoderThreads::One,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The threads of a show's rungs, one channel after the other.
    fn placed(show: &str, cores: usize) -> Vec<u8> {
        let show = dsl::parse_show(show).unwrap();
        let of_rung = |ladder, rung| match threads(&show, ladder, rung, cores) {
            EncoderThreads::One => 1,
            EncoderThreads::Many(n) => n.get(),
        };
        let ladders = show.channels.iter().filter_map(|channel| show.ladder(&channel.ladder));
        ladders.flat_map(|ladder| ladder.rungs.iter().map(move |rung| of_rung(ladder, rung))).collect()
    }

    fn show(channels: usize, head: &str, rungs: &str) -> String {
        let channel =
            |n| format!("channel c{n} {{ sources a; ladder l; egress d record \"{n}{{rung}}.flv\" }}\n");
        let channels: String = (0..channels).map(channel).collect();
        format!(
            "show s {{ video 1920x1080 25fps\n audio 48kHz stereo\n camera a {{ line b test \"bars\" }}\n\
             ladder l {{ {head}; keyframe 2s; audio 64k; {rungs} }}\n{channels} }}"
        )
    }

    #[test]
    fn the_same_bytes_are_promised_where_no_rung_has_more_than_one() {
        for (cores, low) in [(1, ""), (1, "; latency low"), (16, "; latency low")] {
            let text = show(
                1,
                &format!("preset veryfast{low}"),
                "rung a 640x360 700k; rung b 64x36 70k encoder=x265",
            );
            let show = dsl::parse_show(&text).unwrap();
            let [avc, hevc] =
                [0, 1].map(|rung| threads(&show, &show.ladders[0], &show.ladders[0].rungs[rung], cores));
            assert_eq!(avc == EncoderThreads::One, cores == 1, "{cores} cores{low}");
            // To x265 it would be another way to work.
            assert_eq!(hevc, EncoderThreads::One, "{cores} cores{low}");
        }
    }

    const FOUR: &str =
        "rung a 1920x1080 4500k; rung b 1280x720 2500k; rung c 854x480 1200k; rung d 640x360 700k";

    #[test]
    fn an_encoder_goes_on_with_about_its_share() {
        let about = |has, due| {
            let many = |n| NonZeroU8::new(n).map_or(EncoderThreads::One, EncoderThreads::Many);
            is_about(many(has), many(due))
        };
        assert!(
            [(1, 1), (2, 3), (3, 2), (5, 8), (8, 5), (0, 1)].into_iter().all(|(has, due)| about(has, due))
        );
        assert!([(1, 2), (2, 1), (0, 2), (4, 8), (8, 3)].into_iter().all(|(has, due)| !about(has, due)));
    }

    #[test]
    fn only_what_would_hold_up_the_rest_is_made_by_more_than_one() {
        // Of two cores the largest rung would keep one longer than the other is busy with the rest.
        assert_eq!(placed(&show(1, "preset veryfast", FOUR), 2), [2, 1, 1, 1]);
        assert_eq!(placed(&show(2, "preset veryfast", FOUR), 2), [1; 8]);
        assert_eq!(placed(&show(5, "preset medium", FOUR), 4), [1; 20]);
        assert_eq!(placed(&show(1, "preset veryfast", FOUR), 1), [1; 4]);
        // A small one is quick enough, however idle the machine is.
        assert_eq!(placed(&show(1, "preset veryfast", FOUR), 16), [8, 5, 1, 1]);
        assert_eq!(placed(&show(1, "preset veryfast", "rung a 640x360 700k"), 16), [1]);
        // Threads hold pictures back.
        assert_eq!(placed(&show(1, "preset veryfast; latency low", FOUR), 16), [1; 4]);
        // x265 takes four times as long at the same preset.
        let hevc = FOUR.replace("1200k", "1200k encoder=x265");
        assert_eq!(placed(&show(1, "preset veryfast", &hevc), 4), [2, 1, 2, 1]);
        // The card makes the large one.
        let card = FOUR.replace("4500k", "4500k encoder=h264-nvenc");
        assert_eq!(placed(&show(1, "preset veryfast", &card), 2), [1, 2, 1, 1]);
    }
}
