//! A show's texts and keys, fetched from where the show file says they are.

use std::path::{Path, PathBuf};

use crypto::{KeyId, MasterKey, Mode, Sound, TagEncryptor};
use pipeline_dsl::{Encrypt, EncryptMode, EncryptSound, KeyPlace, KeyRing, Text};
use rtmp::RtmpUrl;
use scheduling::KeyIx;
use url::Url;

use crate::key_file::{self, KeyFileError};

/// Why something the show refers to is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// `env:NAME` where NAME is not set.
    #[error("{owner}: the environment variable {name} is not set")]
    Env {
        /// Who refers to it.
        owner: String,
        /// The variable.
        name: String,
    },
    /// A key file that is not taken.
    #[error("{owner}: {why}")]
    KeyFile {
        /// Which key.
        owner: String,
        /// Why not.
        why: KeyFileError,
    },
    /// A variable with something else than 32 hex digits.
    #[error("{owner}: the environment variable {name} holds no key: {why}")]
    Key {
        /// Which key.
        owner: String,
        /// The variable.
        name: String,
        /// What is wrong with it.
        why: crypto::KeyError,
    },
    /// No ring of this name.
    #[error("{owner}: there is no key ring {name}")]
    NoRing {
        /// Which channel.
        owner: String,
        /// The name.
        name: String,
    },
}

/// The text itself.
pub(crate) fn text(text: &Text, owner: &str) -> Result<String, ResolveError> {
    match text {
        Text::Plain(text) => Ok(text.clone()),
        Text::Env(name) => {
            std::env::var(name).map_err(|_| ResolveError::Env { owner: owner.to_owned(), name: name.clone() })
        }
    }
}

/// A path, relative to `base` if it is relative.
pub(crate) fn path(path: &Text, base: &Path, owner: &str) -> Result<PathBuf, ResolveError> {
    Ok(base.join(text(path, owner)?))
}

/// Of an address only what may be seen: `scheme://host:port`. User, path and
/// query may hold a stream key or a passphrase.
pub(crate) fn address_shown(url: &str) -> String {
    const HIDDEN: &str = "(address not shown)";
    let Some((scheme, rest)) = url.trim().split_once("://") else { return HIDDEN.to_owned() };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (place, ""),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
    let named = |c: char| plain(c) || "[]:%".contains(c);
    // What is no scheme, host or port may be the half of a secret that has a `/` or a `:` in it.
    let digits = port.chars().all(|c| c.is_ascii_digit());
    if scheme.is_empty() || !scheme.chars().all(plain) || !host.chars().all(named) || !digits {
        return HIDDEN.to_owned();
    }
    format!("{scheme}://{place}")
}

/// Of an RTMP server only what may be seen, as [`address_shown`] has it.
pub(crate) fn server_shown(url: &RtmpUrl) -> String {
    address_shown(&format!("rtmp://{}:{}", url.host(), url.port()))
}

/// The shortest part of an address that is taken for a secret; shorter ones are words.
const SHORTEST_SECRET: usize = 4;

/// Somebody else's words about an address, without what the address holds that must not be seen.
pub(crate) fn without_secrets(words: &str, url: &Url) -> String {
    let mut words = words.replace(url.as_str(), &address_shown(url.as_str()));
    let values: Vec<String> = url.query_pairs().map(|(_, value)| value.into_owned()).collect();
    // A playlist may be called after its stream.
    let stem = |part: &str| part.rsplit_once('.').map(|(stem, _)| stem.to_owned());
    let path = url.path().split('/').flat_map(|part| [Some(part.to_owned()), stem(part)]).flatten();
    let user = [url.username().to_owned(), url.password().unwrap_or_default().to_owned()];
    let query = url.query().map(str::to_owned);
    for secret in query.into_iter().chain(values).chain(path).chain(user) {
        if secret.len() >= SHORTEST_SECRET {
            words = words.replace(&secret, "…");
        }
    }
    words
}

/// The keys of one channel, in the ring's order. `Debug` is left out on purpose.
pub(crate) struct ChannelKeys {
    keys: Vec<(KeyId, MasterKey)>,
    mode: Mode,
    sound: Sound,
}

impl ChannelKeys {
    pub(crate) fn load(ring: &KeyRing, encrypt: &Encrypt, base: &Path) -> Result<Self, ResolveError> {
        let mode = match encrypt.mode {
            EncryptMode::Nalu => Mode::Nalu,
            EncryptMode::Capsule => Mode::Capsule,
        };
        let sound = match encrypt.sound {
            EncryptSound::Noise => Sound::Noise,
            EncryptSound::Silence => Sound::Silence,
        };
        let mut keys = Vec::new();
        for source in &ring.keys {
            let owner = format!("key {} id {}", ring.name, source.id);
            let key = match &source.place {
                KeyPlace::Env(name) => {
                    let digits = text(&Text::Env(name.clone()), &owner)?;
                    let digits = zeroize::Zeroizing::new(digits);
                    digits.parse().map_err(|why| ResolveError::Key { owner, name: name.clone(), why })?
                }
                KeyPlace::File(file) => {
                    let path = path(file, base, &owner)?;
                    key_file::read(&path).map_err(|why| ResolveError::KeyFile { owner, why })?
                }
            };
            keys.push((KeyId(source.id), key));
        }
        Ok(Self { keys, mode, sound })
    }

    /// A new encryptor, with a new salt, under the key of this place in the ring.
    pub(crate) fn encryptor(&self, ix: KeyIx) -> Result<TagEncryptor, crypto::CryptoError> {
        // The scheduler was planned with this very ring: its places are legal.
        let (id, key) = &self.keys[ix.0.min(self.keys.len() - 1)];
        Ok(TagEncryptor::new(key.clone(), *id, self.mode)?.with_sound(self.sound))
    }

    /// The id viewers know the key of this place by.
    pub(crate) fn id(&self, ix: KeyIx) -> Option<u8> {
        self.keys.get(ix.0).map(|(id, _)| id.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{address_shown, without_secrets};
    use url::Url;

    #[test]
    fn what_others_say_is_shown_without_the_secrets_of_an_address() {
        let url = Url::parse("srt://user:PASS1@cdn.example:9000/STREAMKEY?passphrase=SECRET99&mode=caller")
            .unwrap();
        for (said, shown) in [
            (format!("cannot open {url}"), "cannot open srt://cdn.example:9000"),
            ("no STREAMKEY there; SECRET99 was wrong".to_owned(), "no … there; … was wrong"),
            ("user PASS1: refused".to_owned(), "… …: refused"),
            ("connection timed out".to_owned(), "connection timed out"),
        ] {
            assert_eq!(without_secrets(&said, &url), shown);
        }
    }

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        let shapes = [
            ("rtmp://live.example.com/app/SECRET", "rtmp://live.example.com"),
            ("rtmp://live.example.com:1936/app/SECRET", "rtmp://live.example.com:1936"),
            ("rtmp://user:SECRET@live.example.com/app", "rtmp://live.example.com"),
            ("rtmp://user:SECRET@x@live.example.com:1935/app", "rtmp://live.example.com:1935"),
            ("srt://cdn.example.com:9000?streamid=SECRET&passphrase=SECRET", "srt://cdn.example.com:9000"),
            ("srt://cdn.example.com?passphrase=a@SECRET", "srt://cdn.example.com"),
            ("srt://:9000?passphrase=SECRET", "srt://:9000"),
            ("rtmps://[2001:db8::1]:443/app/SECRET", "rtmps://[2001:db8::1]:443"),
            ("rtmps://[2001:db8::1]#SECRET", "rtmps://[2001:db8::1]"),
            // A password with a slash in it is no host and port.
            ("rtmp://user:SEC/RET@live.example.com/app", "(address not shown)"),
            ("SECRET", "(address not shown)"),
            ("SECRET key://live.example.com", "(address not shown)"),
            ("", "(address not shown)"),
        ];
        for (url, shown) in shapes {
            assert_eq!(address_shown(url), shown, "{url}");
        }
    }
}
