use super::*;
use proptest::prelude::*;

fn url(text: &str) -> RtmpUrl {
    text.parse().unwrap()
}

#[test]
fn paths_come_apart_by_the_rules() {
    for (text, app, stream) in [
        ("rtmp://h/live/main", "live", "main"),
        ("rtmp://h//live/main", "live", "main"),
        ("rtmp://h/app/inst/main", "app/inst", "main"),
        ("rtmp://h/app/inst/a/b", "app/inst", "a/b"),
        ("rtmp://h/app/_definst_/main?x=1", "app/_definst_", "main?x=1"),
        ("rtmp://h/vod/mp4:a/b.mp4", "vod", "mp4:a/b.mp4"),
        ("rtmp://h/vod/inst/mp4:a/b.mp4", "vod/inst", "mp4:a/b.mp4"),
        ("rtmp://h/live?token=x/main", "live?token=x", "main"),
        ("rtmp://h/live/main?key=a/b&c=d", "live", "main?key=a/b&c=d"),
        ("rtmp://h/app/inst/main?key=a/b", "app/inst", "main?key=a/b"),
        ("rtmp://h/live/main/", "live", "main/"),
    ] {
        let url = url(text);
        assert_eq!((url.app().raw(), url.stream().raw()), (app, stream), "{text}");
    }
}

#[test]
fn servers_come_apart() {
    for (text, scheme, host, port, tc_url) in [
        ("rtmp://h/a/b", Scheme::Rtmp, "h", 1935, "rtmp://h/a"),
        ("RTMPS://h:443/a/b", Scheme::Rtmps, "h", 443, "rtmps://h/a"),
        ("rtmps://h:1935/a/b", Scheme::Rtmps, "h", 1935, "rtmps://h:1935/a"),
        ("rtmp://[::1]:1/a/b", Scheme::Rtmp, "::1", 1, "rtmp://[::1]:1/a"),
        ("rtmp://10.0.0.1/a?q/b", Scheme::Rtmp, "10.0.0.1", 1935, "rtmp://10.0.0.1/a?q"),
    ] {
        let url = url(text);
        assert_eq!((url.scheme(), url.host(), url.port()), (scheme, host, port), "{text}");
        assert_eq!(url.tc_url(), tc_url);
    }
}

#[test]
fn faults_are_named_without_the_text() {
    for (text, error) in [
        ("http://h/a/b", UrlError::Scheme),
        ("h/a/b", UrlError::Scheme),
        ("rtmp:///a/b", UrlError::Host),
        ("rtmp://a b/c/d", UrlError::Host),
        ("rtmp://[::1/c/d", UrlError::Host),
        ("rtmp://[zz]/c/d", UrlError::Host),
        ("rtmp://h:0/a/b", UrlError::Port),
        ("rtmp://h:65536/a/b", UrlError::Port),
        ("rtmp://h:+1/a/b", UrlError::Port),
        ("rtmp://[::1]1/a/b", UrlError::Port),
        ("rtmp://h", UrlError::App),
        ("rtmp://h/", UrlError::App),
        ("rtmp://h/live", UrlError::Stream),
        ("rtmp://h/live/", UrlError::Stream),
        ("rtmp://h/live/?k", UrlError::Stream),
        ("rtmp://h/live?k", UrlError::Stream),
        ("rtmp://h/live/a\nb", UrlError::Text),
    ] {
        assert_eq!(text.parse::<RtmpUrl>(), Err(error), "{text:?}");
    }
    assert!(RtmpUrl::from_str(&format!("rtmp://h/a/{}", "x".repeat(MAX_URL))).is_err());
    assert_eq!(RtmpUrl::with_key("rtmp://h/app", ""), Err(UrlError::Stream));
    assert_eq!(RtmpUrl::with_key("rtmp://h", "k"), Err(UrlError::App));
}

#[test]
fn a_key_is_taken_as_it_is() {
    let url = RtmpUrl::with_key("rtmps://h/a/b/c?d=e", "key/x?y=z").unwrap();
    assert_eq!((url.app().raw(), url.stream().raw()), ("a/b/c?d=e", "key/x?y=z"));
    assert_eq!(url.tc_url(), "rtmps://h/a/b/c?d=e");
}

#[test]
fn secrets_stay_inside() {
    let url = url("rtmp://joe%40x:s%3Acret@h/live?token=hidden/main?key=hidden");
    let credentials = url.credentials().unwrap();
    assert_eq!((credentials.user(), credentials.password()), ("joe@x", "s:cret"));
    let shown = format!(
        "{url} {url:?} {credentials:?} {:?} {:?} {}",
        url.app(),
        url.stream(),
        super::shown("rtmp://me:cret@h/live?token=hidden")
    );
    for secret in ["hidden", "cret", "joe", "%40"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(url.server().to_string(), "rtmp://h/live");
    assert!(!url.tc_url().contains("cret"));
}

#[test]
fn a_stream_moves_with_its_server() {
    let old = url("rtmp://me:pw@h:99/live/main?key=x");
    for (target, shown, credentials) in [
        ("rtmp://other/app", "rtmp://other/app/main", false),
        ("rtmps://h/app/inst", "rtmps://h/app/inst/main", true),
        ("//other:5/app", "rtmp://other:5/app/main", false),
        ("/app", "rtmp://h:99/app/main", true),
        ("rtmp://other", "rtmp://other/live/main", false),
        ("rtmp://other/app/inst/main", "rtmp://other/app/inst/main", false),
        ("rtmp://other/app/main?key=x", "rtmp://other/app/main", false),
    ] {
        let new = old.moved_to(target).unwrap();
        assert_eq!((new.to_string().as_str(), new.credentials().is_some()), (shown, credentials));
        assert_eq!(new.stream().raw(), "main?key=x");
    }
    assert_eq!(old.moved_to("other/app"), Err(UrlError::Scheme));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(rtmps?://)?[a-c:@/?\\[\\]%=.0-9]{0,30}") {
        if let Ok(url) = text.parse::<RtmpUrl>() {
            prop_assert!(!url.stream().raw().is_empty());
            prop_assert!(!url.host().is_empty());
            prop_assert!(url.moved_to(&url.tc_url()).is_ok());
        }
    }
}
