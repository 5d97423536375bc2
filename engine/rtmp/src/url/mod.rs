//! Where a stream is published or played: `rtmp://host/app/stream`.

use std::fmt;
use std::str::FromStr;

use crate::session::{AppName, StreamName};

/// In clear, or inside TLS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scheme {
    /// `rtmp`, port 1935.
    Rtmp,
    /// `rtmps`, port 443.
    Rtmps,
}

impl Scheme {
    /// As URLs have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::Rtmps => "rtmps",
        }
    }

    /// The port where none is named.
    pub const fn port(self) -> u16 {
        match self {
            Self::Rtmp => 1935,
            Self::Rtmps => 443,
        }
    }
}

/// A user and a password, which only [`user`](Self::user) and
/// [`password`](Self::password) show.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    /// The user, percent-decoded.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password, percent-decoded; may be empty.
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// A text that is no URL of a stream. It never repeats the text, which may hold secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another scheme, or none.
    #[error("no RTMP URL: it must begin with rtmp:// or rtmps://")]
    Scheme,
    /// A host that is empty or has characters no host has.
    #[error("the URL has no legal host: a name, an IPv4 address, or an IPv6 address in brackets")]
    Host,
    /// A port that is none.
    #[error("the URL's port is not a number from 1 to 65535")]
    Port,
    /// No path.
    #[error("the URL names no application: rtmp://host/app/stream is legal")]
    App,
    /// Nothing behind the application.
    #[error("the URL names no stream: rtmp://host/app/stream is legal")]
    Stream,
    /// Longer than any real one, or with control characters.
    #[error("the URL is longer than {MAX_URL} bytes or has control characters")]
    Text,
}

/// The longest URL that is read, in bytes.
pub const MAX_URL: usize = 4096;

/// Where a stream is published or played.
///
/// `rtmp://user:password@host:port/app/stream?query`. How the path is shared
/// between application and stream, nothing in it says; the rules here are those
/// of FFmpeg and librtmp, with one more for queries:
/// - one segment before the stream is the application, `live/main`;
/// - of three and more the first two are, application and instance as Wowza has
///   them, `app/inst/stream`, also `app/inst/a/b` with the stream `a/b`;
/// - unless the second has a prefix as in `vod/mp4:a/b`: it begins the stream;
/// - a query behind one segment only is the application's, `live?token=x/main`;
///   any other is the stream's, slashes in it too: `live/main?key=a/b`.
///
/// Where a service gives a server URL and a stream key, nothing is to be
/// guessed: [`with_key`](Self::with_key).
///
/// [`Display`](fmt::Display) and [`Debug`] leave out credentials and queries.
/// For some services the stream's name itself is the secret;
/// [`server`](Self::server) shows all but that.
///
/// ```
/// use rtmp::RtmpUrl;
///
/// let url: RtmpUrl = "rtmp://me:secret@live.example/app/inst/main?key=a/b".parse()?;
/// assert_eq!((url.app().raw(), url.stream().raw()), ("app/inst", "main?key=a/b"));
/// assert_eq!(url.to_string(), "rtmp://live.example/app/inst/main");
/// # Ok::<(), rtmp::UrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RtmpUrl {
    server: Server,
    app: AppName,
    stream: StreamName,
}

#[derive(Clone, PartialEq, Eq)]
struct Server {
    scheme: Scheme,
    credentials: Option<Credentials>,
    /// An IPv6 address without its brackets.
    host: String,
    port: u16,
}

impl RtmpUrl {
    /// A server URL, whose whole path is the application, and a stream key.
    ///
    /// # Errors
    /// Whatever is wrong with the URL, or an empty key.
    pub fn with_key(server: &str, key: &str) -> Result<Self, UrlError> {
        let (server, path) = split_server(server)?;
        let app = path.trim_matches('/');
        let key = key.trim_start_matches('/');
        match (app, key) {
            ("", _) => Err(UrlError::App),
            (_, "") => Err(UrlError::Stream),
            _ if !is_text(key) => Err(UrlError::Text),
            _ => Ok(Self { server, app: AppName::new(app), stream: StreamName::new(key) }),
        }
    }

    /// In clear or inside TLS.
    pub fn scheme(&self) -> Scheme {
        self.server.scheme
    }

    /// The host, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.server.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// The user and the password.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.server.credentials.as_ref()
    }

    /// The application.
    pub fn app(&self) -> &AppName {
        &self.app
    }

    /// The stream.
    pub fn stream(&self) -> &StreamName {
        &self.stream
    }

    /// What `connect` sends as `tcUrl`: all but stream and credentials. It holds
    /// the application's query.
    pub fn tc_url(&self) -> String {
        format!("{}/{}", self.server, self.app.raw())
    }

    /// Scheme, host, port and application, for logs.
    pub fn server(&self) -> impl fmt::Display + '_ {
        struct Shown<'a>(&'a RtmpUrl);
        impl fmt::Display for Shown<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}/{}", self.0.server, self.0.app)
            }
        }
        Shown(self)
    }

    /// The same with another application.
    pub(crate) fn with_app(&self, app: AppName) -> Self {
        Self { app, ..self.clone() }
    }

    /// The same stream where a server points to: `target` is a whole URL, or
    /// relative to this one, `//host/app` or `/app`. Its path is the application,
    /// with or without the stream behind it, which stays the same. Credentials
    /// go along to the same host only.
    ///
    /// # Errors
    /// If the target is no URL.
    pub fn moved_to(&self, target: &str) -> Result<Self, UrlError> {
        let (mut server, path) = if let Some(rest) = target.strip_prefix("//") {
            split_authority(self.server.scheme, rest)?
        } else if target.starts_with('/') {
            if !is_text(target) {
                return Err(UrlError::Text);
            }
            (self.server.clone(), target)
        } else {
            split_server(target)?
        };
        if server.credentials.is_none() && server.host == self.server.host {
            server.credentials.clone_from(&self.server.credentials);
        }
        let mut app = path.trim_matches('/');
        if let Some((before, last)) = app.rsplit_once('/')
            && (last == self.stream.raw() || last == self.stream.name())
        {
            app = before;
        }
        let app = if app.is_empty() { self.app.clone() } else { AppName::new(app) };
        Ok(Self { server, app, stream: self.stream.clone() })
    }
}

impl FromStr for RtmpUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (server, path) = split_server(text)?;
        let path = path.trim_start_matches('/');
        let (before, query) =
            path.split_once('?').map_or((path, None), |(before, query)| (before, Some(query)));
        let (app, stream) = match before.split_once('/') {
            None if before.is_empty() => return Err(UrlError::App),
            None if query.is_none() => return Err(UrlError::Stream),
            // `live?token=x/main`: the stream is what follows the last slash.
            None => path.rsplit_once('/').ok_or(UrlError::Stream)?,
            Some((app, rest)) => match rest.split_once('/') {
                Some((instance, more))
                    if !instance.is_empty() && !instance.contains(':') && !more.is_empty() =>
                {
                    path.split_at(app.len() + 1 + instance.len())
                }
                _ => path.split_at(app.len()),
            },
        };
        let stream = stream.trim_start_matches('/');
        if stream.is_empty() || stream.starts_with('?') {
            return Err(UrlError::Stream);
        }
        Ok(Self { server, app: AppName::new(app), stream: StreamName::new(stream) })
    }
}

fn is_text(text: &str) -> bool {
    text.len() <= MAX_URL && !text.contains(char::is_control)
}

fn split_server(text: &str) -> Result<(Server, &str), UrlError> {
    let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "rtmp" => Scheme::Rtmp,
        "rtmps" => Scheme::Rtmps,
        _ => return Err(UrlError::Scheme),
    };
    split_authority(scheme, rest)
}

fn split_authority(scheme: Scheme, rest: &str) -> Result<(Server, &str), UrlError> {
    if !is_text(rest) {
        return Err(UrlError::Text);
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (credentials, place) = match authority.rsplit_once('@') {
        Some((credentials, place)) => {
            let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
            (Some(Credentials { user: decoded(user), password: decoded(password) }), place)
        }
        None => (None, authority),
    };
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(UrlError::Host)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| UrlError::Host)?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or(UrlError::Port)?) })
        }
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let legal = |c: char| !c.is_whitespace() && !"<>\"\\^`{|}%#[]".contains(c);
    if host.is_empty() || !host.chars().all(legal) {
        return Err(UrlError::Host);
    }
    let port = match port {
        None => scheme.port(),
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => match port.parse() {
            Ok(0) | Err(_) => return Err(UrlError::Port),
            Ok(port) => port,
        },
        Some(_) => return Err(UrlError::Port),
    };
    Ok((Server { scheme, credentials, host: host.to_owned(), port }, path))
}

/// Percent-decoded; a percent sign that begins no code stays.
pub(crate) fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Scheme, host, and the port unless it is the usual one.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.name())?;
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?
        } else {
            f.write_str(&self.host)?
        }
        if self.port == self.scheme.port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// Without credentials and queries.
impl fmt::Display for RtmpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.server, self.app, self.stream)
    }
}

/// As [`Display`](fmt::Display).
impl fmt::Debug for RtmpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RtmpUrl({self})")
    }
}

/// A URL as it may be shown: without user, password and query.
pub(crate) fn shown(text: &str) -> String {
    let text = text.split_once('?').map_or(text, |(before, _)| before);
    match text.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
            format!("{scheme}://{place}{path}")
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
