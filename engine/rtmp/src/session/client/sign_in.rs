//! Signing in to servers that want a user and a password ("authmod=adobe").
//!
//! Nothing of it is in the specification; this is what FMLE, FFmpeg and
//! GStreamer do. The server refuses `connect` in words that ask for a user, the
//! client connects anew and names it, the server refuses again with a salt and
//! a challenge, and the client connects a third time with the answer. All of it
//! goes into the application's query. MD5 it is; only TLS makes it safe.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::session::names::AppName;
use crate::url::{Credentials, RtmpUrl};

/// Where to connect next, if a server's words ask to sign in and there is
/// something to answer. `nonce` is the client's own challenge.
pub(super) fn next(words: &str, url: &RtmpUrl, nonce: [u8; 4]) -> Option<RtmpUrl> {
    let credentials = url.credentials()?;
    if !words.contains("authmod=adobe") {
        return None;
    }
    let (app, told) = match url.app().raw().split_once("?authmod=adobe") {
        Some((app, told)) => (app, Some(told)),
        None => (url.app().raw(), None),
    };
    let user = encoded(credentials.user());
    let query = if let Some((_, asked)) = words.split_once("?reason=needauth") {
        // Who is asked again after the answer has given a wrong one.
        if told.is_some_and(|told| told.contains("&response=")) {
            return None;
        }
        answer(asked, credentials, &user, nonce)
    } else if words.contains("need auth") && told.is_none() {
        format!("?authmod=adobe&user={user}")
    } else {
        return None;
    };
    Some(url.with_app(AppName::new(format!("{app}{query}"))))
}

fn answer(asked: &str, credentials: &Credentials, user: &str, nonce: [u8; 4]) -> String {
    let asked = AppName::new(format!("?{}", asked.trim()));
    let salt = asked.param("salt").unwrap_or_default();
    let opaque = asked.param("opaque");
    let challenge = opaque.or(asked.param("challenge")).unwrap_or_default();
    let nonce = format!("{:08x}", u32::from_be_bytes(nonce));
    let secret = hash(&[credentials.user(), salt, credentials.password()]);
    let response = hash(&[&secret, challenge, &nonce]);
    let back = opaque.map_or(String::new(), |opaque| format!("&opaque={opaque}"));
    format!("?authmod=adobe&user={user}&challenge={nonce}&response={response}{back}")
}

fn hash(parts: &[&str]) -> String {
    let digest = parts.iter().fold(Md5::new(), |md5, part| md5.chain_update(part));
    STANDARD.encode(digest.finalize())
}

/// What would end the parameter is percent-encoded.
fn encoded(user: &str) -> String {
    let mut out = String::new();
    for c in user.chars() {
        match c {
            '%' | '&' | '=' | '?' | '/' | '#' | ' ' => out.push_str(&format!("%{:02X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEED: &str = "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ";
    const ASKED: &str = "[ AccessManager.Reject ] : [ authmod=adobe ] : \
        ?reason=needauth&user=joe&salt=c2FsdA==&challenge=Y2hhbA==&opaque=b3BhcQ==";

    fn apps(url: &str, words: &[&str]) -> Vec<String> {
        let mut url: RtmpUrl = url.parse().unwrap();
        let mut apps = Vec::new();
        for words in words {
            match next(words, &url, [0, 0, 0, 0xAB]) {
                Some(next) => url = next,
                None => break,
            }
            apps.push(url.app().raw().to_owned());
        }
        apps
    }

    #[test]
    fn a_user_is_named_and_a_challenge_answered_once() {
        let said = apps("rtmp://joe:secret@h/live/main", &[NEED, ASKED, ASKED]);
        assert_eq!(said.len(), 2);
        assert_eq!(said[0], "live?authmod=adobe&user=joe");
        let (front, response) = said[1].split_once("&response=").unwrap();
        assert_eq!(front, "live?authmod=adobe&user=joe&challenge=000000ab");
        assert!(response.ends_with("==&opaque=b3BhcQ=="), "{response}");
        assert!(!said[1].contains("secret"));
    }

    #[test]
    fn nothing_is_answered_without_need() {
        assert!(apps("rtmp://h/live/main", &[NEED]).is_empty());
        let url = "rtmp://joe:secret@h/live/main";
        assert_eq!(apps(url, &[NEED, NEED]).len(), 1);
        for words in
            ["", "authmod=adobe", "[ authmod=llnw ] : ?reason=needauth&nonce=1", "?reason=authfailed"]
        {
            assert!(apps(url, &[words]).is_empty(), "{words}");
        }
        assert_eq!(apps("rtmp://a%26b%2Fc:x@h/live/main", &[NEED])[0], "live?authmod=adobe&user=a%26b%2Fc");
    }
}
