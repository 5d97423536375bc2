//! Lines that wait for datagrams: which port of this machine each of them takes.

/// A UDP port of this machine that a pulled line takes for itself: of MPEG-TS in datagrams, or of
/// an SRT listener.
///
/// ```
/// use pipeline_dsl::Bound;
///
/// let all = Bound::of("udp://:5000").expect("it waits there");
/// let one = Bound::of("srt://127.0.0.1:5000?mode=listener").expect("so does it");
/// assert!(all.clashes(&one));
/// assert_eq!(Bound::of("srt://10.0.0.7:5000"), None, "it calls");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    /// None for every address of this machine.
    host: Option<String>,
    port: u16,
}

impl Bound {
    /// What a line pulled from this address takes, if it takes any.
    pub fn of(address: &str) -> Option<Self> {
        let (scheme, rest) = address.split_once("://")?;
        let rest = rest.split('#').next()?;
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let place = before.split('/').next()?;
        let place = place.rsplit('@').next()?;
        let (host, port) = place.rsplit_once(':')?;
        let mode = query.split('&').find_map(|pair| pair.strip_prefix("mode="));
        let waits = match scheme.to_ascii_lowercase().as_str() {
            "udp" => true,
            // `srt://:9001` listens.
            "srt" => mode == Some("listener") || (mode.is_none() && host.is_empty()),
            _ => false,
        };
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let host = match host.trim_matches(['[', ']']).to_ascii_lowercase().as_str() {
            "" | "0.0.0.0" | "::" => None,
            "localhost" => Some("127.0.0.1".to_owned()),
            host => Some(host.to_owned()),
        };
        waits.then_some(Self { host, port })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether both cannot be had at one time.
    pub fn clashes(&self, other: &Self) -> bool {
        let same_host = self.host.is_none() || other.host.is_none() || self.host == other.host;
        self.port == other.port && same_host
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_takes_a_port_and_who_calls_does_not() {
        for (address, host, port) in [
            ("udp://:5000", None, 5000),
            ("UDP://@:5000", None, 5000),
            ("udp://@239.1.1.1:5000", Some("239.1.1.1"), 5000),
            ("udp://[::]:5000", None, 5000),
            ("srt://:9001", None, 9001),
            ("srt://:9001?latency=80&mode=listener", None, 9001),
            ("srt://localhost:9001?mode=listener", Some("127.0.0.1"), 9001),
        ] {
            let expected = Bound { host: host.map(str::to_owned), port };
            assert_eq!(Bound::of(address), Some(expected), "{address}");
        }
        for address in [
            "srt://10.0.0.7:9001",
            "srt://:9001?mode=rendezvous",
            "srt://a:1?mode=caller",
            "udp://a",
            "udp://a:0",
            "rtmp://a:1/b",
            "",
        ] {
            assert_eq!(Bound::of(address), None, "{address}");
        }
    }

    #[test]
    fn one_port_on_two_addresses_is_two() {
        let bound = |address| Bound::of(address).unwrap();
        let group = bound("udp://239.1.1.1:5000");
        assert!(!group.clashes(&bound("udp://239.1.1.2:5000")));
        assert!(!group.clashes(&bound("udp://239.1.1.1:5001")));
        assert!(group.clashes(&bound("udp://239.1.1.1:5000")));
        assert!(group.clashes(&bound("udp://:5000")) && bound("udp://:5000").clashes(&group));
    }
}
