//! A show's texts and keys, fetched from where the show file says they are.

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use crypto::{KeyId, MasterKey, Mode, Sound, TagEncryptor};
use percent_encoding::percent_decode_str;
pub(crate) use pipeline_dsl::address_shown;
use pipeline_dsl::{Encrypt, EncryptMode, EncryptSound, KeyPlace, KeyRing, SecureListen, Text};
use rtmp::RtmpUrl;
use scheduling::KeyIx;
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::key_file::{self, KeyFileError};
use crate::secure::{self, PemError, Trust};

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
    /// Certificates or a private key that are not taken.
    #[error("{owner}: {why}")]
    Pem {
        /// Who needs them.
        owner: String,
        /// Why not.
        why: PemError,
    },
    /// What is to be a stream key and cannot be sent as one.
    #[error(
        "{owner}: {place} holds no stream key: legal are 1 to 256 letters, digits and marks, without space and / ? # & % \\ \""
    )]
    StreamKey {
        /// Which line.
        owner: String,
        /// The variable or file.
        place: String,
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

/// Of an RTMP server only what may be seen, as [`address_shown`] has it.
pub(crate) fn server_shown(url: &RtmpUrl) -> String {
    let host = url.host();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    address_shown(&format!("{}://{host}:{}", url.scheme().name(), url.port()))
}

/// Whom to trust, by what a `ca=` says.
pub(crate) fn trust(ca: Option<&Text>, base: &Path, owner: &str) -> Result<Trust, ResolveError> {
    let Some(ca) = ca else { return Ok(Trust::SYSTEM) };
    let path = path(ca, base, owner)?;
    Trust::file(&path).map_err(|why| ResolveError::Pem { owner: owner.to_owned(), why })
}

/// What turns connections into TLS, by what a listener's `cert=` and `key=` say.
pub(crate) fn acceptor(listen: &SecureListen, base: &Path) -> Result<TlsAcceptor, ResolveError> {
    let owner = "listen rtmps";
    let (cert, key) = (path(&listen.cert, base, owner)?, path(&listen.key, base, owner)?);
    secure::acceptor(&cert, &key).map_err(|why| ResolveError::Pem { owner: owner.to_owned(), why })
}

/// What is odd about a listener's certificate at this time of day.
pub(crate) fn untimely(listen: &SecureListen, base: &Path, now: SystemTime) -> Option<String> {
    let cert = path(&listen.cert, base, "listen rtmps").ok()?;
    // What is wrong with the file itself has been said.
    secure::untimely(&cert, now).ok().flatten()
}

/// The shortest part of an address that is taken for a secret; shorter ones are words.
const SHORTEST_SECRET: usize = 4;

/// Somebody else's words about an address, without what the address holds that must not be seen.
pub(crate) fn without_secrets(words: &str, url: &Url) -> String {
    let mut words = words.replace(url.as_str(), &address_shown(url.as_str()));
    // A playlist may be called after its stream.
    let stem = |part| Some(str::rsplit_once(part, '.')?.0);
    let path = url.path().split('/').flat_map(|part| [Some(part), stem(part)]).flatten();
    let query = url.query().unwrap_or_default();
    let values = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1));
    let parts = path.chain(values).chain([query, url.username(), url.password().unwrap_or_default()]);
    // As they stand there, and as others read them.
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let mut secrets: Vec<String> = parts.flat_map(|part| [part.to_owned(), decoded(part)]).collect();
    secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
    // The longest first: none is left cut behind a part of it.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST_SECRET) {
        words = words.replace(secret.as_str(), "…");
    }
    words
}

/// The keys of one channel, in the ring's order. `Debug` is left out on purpose.
pub(crate) struct ChannelKeys {
    /// Never empty; it only grows.
    keys: RwLock<Vec<(KeyId, MasterKey)>>,
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
        Ok(Self { keys: RwLock::new(keys), mode, sound })
    }

    /// A new encryptor, with a new salt, under the key of this place in the ring.
    pub(crate) fn encryptor(&self, ix: KeyIx) -> Result<TagEncryptor, crypto::CryptoError> {
        // The scheduler was planned with this very ring: its places are legal.
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let (id, key) = &keys[ix.0.min(keys.len() - 1)];
        Ok(TagEncryptor::new(key.clone(), *id, self.mode)?.with_sound(self.sound))
    }

    /// The id viewers know the key of this place by.
    pub(crate) fn id(&self, ix: KeyIx) -> Option<u8> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(ix.0).map(|(id, _)| id.0)
    }

    /// Has those keys of a longer ring that it does not have yet.
    pub(crate) fn grow(&self, longer: Self) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let have = keys.len();
        let more = longer.keys.into_inner().unwrap_or_else(PoisonError::into_inner);
        keys.extend(more.into_iter().skip(have));
    }
}

#[cfg(test)]
mod tests {
    use super::without_secrets;
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
        // As they stand in the address, and as somebody reads them; one is a part of another.
        let url = Url::parse("http://us%65r:p%40ss%2Fword@cdn.example/p%40ss.m3u8?token=a%2Bb+c&n=p@ss-more")
            .unwrap();
        for said in
            ["us%65r", "user", "p%40ss%2Fword", "p@ss/word", "p@ss.m3u8", "p@ss-more", "a%2Bb+c", "a+b c"]
        {
            let shown = without_secrets(&format!("no <{said}>"), &url);
            assert!(["no <…>", "no <….m3u8>"].contains(&shown.as_str()), "{said}: {shown}");
        }
    }
}
