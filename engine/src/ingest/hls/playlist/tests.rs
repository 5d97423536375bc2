use super::*;
use proptest::prelude::*;

fn media(text: &str) -> Media {
    match parse(text).unwrap() {
        Playlist::Media(media) => media,
        Playlist::Master(master) => panic!("{master:?}"),
    }
}

const LIVE: &str = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n\
    #EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"700@0\"\n#EXTINF:2.0,\na.m4s\n#EXTINF:2.0,x,y\n#EXT-X-BYTERANGE:10@5\nb.m4s\n\
    #EXTINF:2,\n#EXT-X-BYTERANGE:20\nb.m4s\r\n#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=AES-128,URI=\"k?a=b,c\",IV=0x0F\n\
    #EXTINF:1.5,\nhttps://h/d.m4s\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-GAP\n#EXTINF:2.0,\ne.m4s\n";

#[test]
fn what_is_said_once_is_in_force_until_it_is_said_otherwise() {
    let live = media(LIVE);
    assert_eq!((live.target, live.first, live.ending), (Span::from_secs(2), 7, Ending::Open));
    let uris: Vec<_> = live.segments.iter().map(|s| s.uri.as_str()).collect();
    assert_eq!(uris, ["a.m4s", "b.m4s", "b.m4s", "https://h/d.m4s", "e.m4s"]);
    let parts: Vec<_> = live.segments.iter().map(|s| s.part.map(|p| (p.from, p.len))).collect();
    assert_eq!(parts, [None, Some((5, 10)), Some((15, 20)), None, None]);
    let anew: Vec<_> = live.segments.iter().map(|s| s.joins == Joins::Anew).collect();
    assert_eq!(anew, [false, false, false, true, false]);
    let (uri, iv) = ("k?a=b,c".to_owned(), Some(15u128.to_be_bytes()));
    let key = Key { sealed: Sealed::Whole, uri, iv };
    let keys: Vec<_> = live.segments.iter().map(|s| s.key.clone()).collect();
    assert_eq!(keys, [None, None, None, Some(key), None]);
    assert!(live.segments.iter().all(|s| s.init.as_ref().unwrap().part.unwrap().len == 700));
    assert_eq!(live.segments[4].there, There::Gap);
    // Six seconds before its end: 2 + 1.5 + 2 are too few, 2 more are enough.
    assert_eq!(live.begins(), 8);
    assert_eq!(live.segment(8).unwrap().part.unwrap().from, 5);
    assert!(live.segment(6).is_none() && live.segment(12).is_none());
    assert_eq!(media(&format!("{LIVE}#EXT-X-ENDLIST")).begins(), 7);
}

#[test]
fn dates_go_on_by_the_segments_lengths_until_the_programme_is_another() {
    let date = |at: &str| format!("#EXT-X-PROGRAM-DATE-TIME:2026-11-21T20:00:{at}\n");
    let list = media(&format!(
        "#EXTM3U\n#EXTINF:2.5,\na\n{}#EXTINF:2.5,\nb\n#EXT-X-GAP\n#EXTINF:2,\nc\n#EXTINF:0,\nd\n#EXTINF:2,\ne\n\
         #EXT-X-PROGRAM-DATE-TIME:soon\n#EXTINF:2,\nf\n{}#EXT-X-DISCONTINUITY\n#EXTINF:2,\ng\n\
         #EXT-X-DISCONTINUITY\n#EXTINF:2,\nh\n",
        date("10.250+00:00"),
        date("50Z"),
    ));
    let day = date::read("2026-11-21T20:00:00Z").unwrap().0;
    let dates: Vec<_> =
        list.segments.iter().map(|s| s.date.map(|at| (at.0 - day).as_millis_rounded())).collect();
    let known = [None, Some(10_250), Some(12_750), Some(14_750), None, None, Some(50_000), None];
    assert_eq!(dates, known);
}

#[test]
fn samples_are_sealed_in_transport_streams_alone() {
    let key = "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k\",KEYFORMAT=\"identity\"\n#EXTINF:2,\na\n";
    let list = media(&format!("#EXTM3U\n{key}"));
    let sealed = Key { sealed: Sealed::Samples, uri: "k".to_owned(), iv: None };
    assert_eq!(list.segments[0].key, Some(sealed));
    // Beside the keys of systems that we do not know.
    let others =
        "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://1\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n";
    for both in [format!("{others}{key}"), key.replacen("#EXTINF", &format!("{others}#EXTINF"), 1)] {
        assert_eq!(media(&format!("#EXTM3U\n{both}")).segments, list.segments);
    }
    assert!(parse(&format!("#EXTM3U\n{key}#EXT-X-KEY:METHOD=NONE\n{others}#EXTINF:2,\nb\n")).is_err());
    let clear = format!("#EXTM3U\n{others}#EXT-X-KEY:METHOD=NONE\n#EXTINF:2,\nb\n");
    assert_eq!(media(&clear).segments[0].key, None);
    let said = "line 5 of the playlist: its segments are sealed with SAMPLE-AES in fragmented MP4; legal: NONE, \
        AES-128, and SAMPLE-AES of MPEG-TS and packed sound, each with KEYFORMAT=\"identity\" or none";
    let fragments = parse(&format!("#EXTM3U\n#EXT-X-MAP:URI=\"SECRET\"\n{key}"));
    assert_eq!(fragments.unwrap_err().to_string(), said);
}

#[test]
fn the_best_quality_that_can_be_played_is_taken_with_its_sound() {
    let text = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"hi\",NAME=\"b\",URI=\"other.m3u8\"\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"hi\",NAME=\"a\",DEFAULT=YES,URI=\"sound.m3u8\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=900,CODECS=\"vp09.00\"\nbest.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=800,CODECS=\"avc1.64001f,mp4a.40.2\",AUDIO=\"hi\"\ngood.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=100\nlow.m3u8\n";
    let Playlist::Master(master) = parse(text).unwrap() else { panic!("segments") };
    assert_eq!(master.best(), Some(("good.m3u8", Some("sound.m3u8"))));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (text, said) in [
        ("<html>", "what comes is no playlist: it does not begin with #EXTM3U"),
        ("#EXTM3U\n#EXT-X-ENDLIST", "the playlist is empty: neither variants nor segments"),
        ("#EXTM3U\n#EXTINF:-1,\nSECRET", "line 2 of the playlist: #EXTINF without a length of 0 to 600 s"),
        (
            "#EXTM3U\n\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"SECRET\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n#EXTINF:2,\na",
            "line 3 of the playlist: its segments are sealed with SAMPLE-AES; legal: NONE, AES-128, and SAMPLE-AES \
             of MPEG-TS and packed sound, each with KEYFORMAT=\"identity\" or none",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), said);
    }
    assert!(media("#EXTM3U\n#EXT-X-TARGETDURATION:4\n").segments.is_empty(), "it has not begun");
}

proptest! {
    #[test]
    fn nothing_in_a_playlist_panics(lines in prop::collection::vec(
        prop_oneof![
            "#(EXTINF|EXT-X-(KEY|MAP|PROGRAM-DATE-TIME|BYTERANGE|MEDIA-SEQUENCE|TARGETDURATION|MEDIA|STREAM-INF)):[A-Z0-9@=,\"x.-]{0,24}",
            "[a-z]{0,5}", ".{0,12}",
        ], 0..30,
    )) {
        if let Ok(Playlist::Media(media)) = parse(&format!("#EXTM3U\n{}", lines.join("\n"))) {
            let begins = media.begins();
            prop_assert!(begins >= media.first && begins <= media.first + media.segments.len() as u64);
        }
    }
}
