//! What a line is pulled from: a URL, and the protocol that speaks it.

use url::Url;

/// A protocol that GStreamer speaks for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// MPEG-TS over SRT, calling or listening.
    Srt,
    /// RTP by RTSP.
    Rtsp,
    /// MPEG-TS in UDP datagrams, to one or to many.
    Udp,
}

/// Why a line cannot be pulled. No message repeats the address, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("the address is no URL: {0}")]
    Url(#[from] url::ParseError),
    #[error("{scheme}:// cannot be pulled; legal: rtmp, rtmps, srt, rtsp, rtspt, rtspu, udp, http, https")]
    Scheme { scheme: String },
    #[error("{scheme}:// needs a port: {scheme}://HOST:PORT")]
    Port { scheme: &'static str },
    #[error("unknown {key}= in an srt:// address; legal: {}", SRT_KEYS.join("=, ") + "=")]
    SrtKey { key: String },
    #[error("mode={mode} in an srt:// address; legal: caller, listener, rendezvous")]
    SrtMode { mode: String },
    #[error("{key}= in an srt:// address is {why}")]
    SrtValue { key: &'static str, why: &'static str },
}

/// What may be asked for in an `srt://` address.
const SRT_KEYS: [&str; 7] =
    ["mode", "latency", "passphrase", "pbkeylen", "streamid", "localaddress", "localport"];

impl Wire {
    /// The protocol an address names, and the address as a URL.
    ///
    /// `srt://:PORT` listens on every interface, `udp://:PORT` and `udp://@:PORT` receive there:
    /// usual ways to write it, which are no URLs.
    pub(crate) fn parse(address: &str) -> Result<(Self, Url), AddressError> {
        // Read in any case, as schemes are.
        let scheme_end = address.find("://").unwrap_or_default();
        let address = &format!("{}{}", address[..scheme_end].to_ascii_lowercase(), &address[scheme_end..]);
        let everywhere = |scheme: &str, rest: &str| format!("{scheme}://0.0.0.0:{rest}");
        let mut url = match address.split_once("://:") {
            Some((scheme @ ("srt" | "udp"), rest)) => Url::parse(&everywhere(scheme, rest))?,
            _ => match address.strip_prefix("udp://@") {
                Some(rest) if rest.starts_with(':') => Url::parse(&everywhere("udp", &rest[1..]))?,
                Some(rest) => Url::parse(&format!("udp://{rest}"))?,
                None => Url::parse(address)?,
            },
        };
        if address.starts_with("srt://:") && !url.query_pairs().any(|(key, _)| key == "mode") {
            url.query_pairs_mut().append_pair("mode", "listener");
        }
        Ok((Self::of(&url)?, url))
    }

    /// The protocol of a URL, whose parts are looked at closely where GStreamer would
    /// take anything and say nothing.
    fn of(url: &Url) -> Result<Self, AddressError> {
        match url.scheme() {
            "srt" => {
                // Without a host it listens.
                url.port().ok_or(AddressError::Port { scheme: "srt" })?;
                url.query_pairs().try_for_each(|(key, value)| srt_key(&key, &value))?;
                Ok(Self::Srt)
            }
            "rtsp" | "rtspt" | "rtspu" => Ok(Self::Rtsp),
            "udp" => url.port().map(|_| Self::Udp).ok_or(AddressError::Port { scheme: "udp" }),
            scheme => Err(AddressError::Scheme { scheme: scheme.to_owned() }),
        }
    }
}

fn srt_key(key: &str, value: &str) -> Result<(), AddressError> {
    let bad = |key, why| Err(AddressError::SrtValue { key, why });
    match key {
        "mode" if matches!(value, "caller" | "listener" | "rendezvous") => Ok(()),
        "mode" => Err(AddressError::SrtMode { mode: value.to_owned() }),
        "latency" if value.parse::<u16>().is_err() => bad("latency", "no number of milliseconds up to 65535"),
        "passphrase" if !(10..=79).contains(&value.len()) => bad("passphrase", "not 10 to 79 bytes long"),
        "pbkeylen" if !matches!(value, "16" | "24" | "32") => bad("pbkeylen", "not 16, 24 or 32"),
        "streamid" if value.len() > 512 => bad("streamid", "over 512 bytes long"),
        _ if SRT_KEYS.contains(&key) => Ok(()),
        _ => Err(AddressError::SrtKey { key: key.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Result<Wire, String> {
        Wire::parse(url).map(|(wire, _)| wire).map_err(|e| e.to_string())
    }

    #[test]
    fn an_address_without_a_host_listens() {
        for (address, url) in [
            ("srt://:9001", "srt://0.0.0.0:9001?mode=listener"),
            ("srt://:9001?latency=80", "srt://0.0.0.0:9001?latency=80&mode=listener"),
            ("srt://:9001?mode=rendezvous", "srt://0.0.0.0:9001?mode=rendezvous"),
            ("udp://:5000", "udp://0.0.0.0:5000"),
            ("udp://@:5000", "udp://0.0.0.0:5000"),
            ("udp://@239.1.1.1:5000", "udp://239.1.1.1:5000"),
            ("SRT://:9001", "srt://0.0.0.0:9001?mode=listener"),
            ("Udp://@:5000", "udp://0.0.0.0:5000"),
        ] {
            assert_eq!(Wire::parse(address).unwrap().1.as_str(), url);
        }
    }

    #[test]
    fn every_protocol_is_known_by_its_address() {
        for (url, wire) in [
            ("srt://10.0.0.7:9001?mode=caller&latency=200&passphrase=0123456789&streamid=a/b", Wire::Srt),
            ("srt://:9001?mode=listener", Wire::Srt),
            ("rtsp://user:pass@cam.example/ch1", Wire::Rtsp),
            ("rtspt://cam.example:8554/ch1", Wire::Rtsp),
            ("udp://239.1.1.1:5000", Wire::Udp),
        ] {
            assert_eq!(of(url), Ok(wire), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_address() {
        for (url, said) in [
            ("srt://SECRET", "srt:// needs a port"),
            ("udp://SECRET", "udp:// needs a port"),
            ("srt://a:1?mod=caller", "unknown mod= in an srt:// address; legal: mode=, latency="),
            ("srt://a:1?mode=server", "legal: caller, listener, rendezvous"),
            ("srt://a:1?passphrase=SECRET", "passphrase= in an srt:// address is not 10 to 79"),
            ("srt://a:1?latency=-1", "no number of milliseconds"),
            ("ftp://SECRET/x", "ftp:// cannot be pulled; legal: rtmp, rtmps, srt"),
        ] {
            let error = of(url).unwrap_err();
            assert!(error.contains(said) && !error.contains("SECRET"), "{url}: {error}");
        }
    }
}
