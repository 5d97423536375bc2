//! Addresses, looked at before a show runs: what the parts that use them would refuse.

use crate::egress::push::{self, TargetError};
use crate::ingest::flv_pull;
use crate::ingest::play;
use crate::ingest::wire::{AddressError, Wire};

/// Why no line can pull from this address; `None` where one can, or where the show runs without it.
/// The address, which may hold a password, is not repeated.
///
/// ```
/// assert_eq!(engine::pull_problem("rtmp://cam.example/live/a"), None);
/// assert!(engine::pull_problem("srt://cam.example:9001?passphrase=short").is_some());
/// ```
pub fn pull_problem(address: &str) -> Option<String> {
    if play::is_played(address) {
        return address.parse::<rtmp::RtmpUrl>().err().map(|error| error.to_string());
    }
    match flv_pull::asked(address) {
        Err(error) => Some(error.to_string()),
        Ok(Some(_)) => None,
        Ok(None) => match Wire::parse(address) {
            Ok(_) | Err(AddressError::Scheme { .. }) => None,
            Err(error) => Some(error.to_string()),
        },
    }
}

/// Why nothing can be pushed to this address, whose placeholders are filled in; `None` where it can,
/// or where the show runs without it. The address is not repeated.
pub fn push_problem(address: &str) -> Option<String> {
    match push::target(address) {
        Ok(_) | Err(TargetError::Unbuilt(_)) => None,
        Err(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_show_would_refuse_is_told_without_the_address() {
        for address in [
            "http://h:99999/SECRET",
            "http://h:99999/SECRET.m3u8",
            "HTTPS://u:SECRET@h:99999/x",
            "rtmp://h",
            "rtmp://h:99999/live/SECRET",
            "srt://h:5000?passphrase=SECRET",
            "srt://h",
        ] {
            let told = pull_problem(address).unwrap_or_else(|| panic!("{address} is fine?"));
            assert!(!told.contains("SECRET"), "{told}");
        }
        for address in ["http://h/x", "rtmp://h/live/x", "srt://h:1?passphrase=0123456789", "udp://:5000"] {
            assert_eq!(pull_problem(address), None, "{address}");
        }
        for address in ["rtmp://h", "rtmps://h:99999/live/SECRET"] {
            assert!(!push_problem(address).unwrap_or_else(|| panic!("{address}?")).contains("SECRET"));
        }
        assert_eq!(push_problem("rtmp://h/live/x"), None);
    }
}
