//! A GET to a server: whatever its length, read piece by piece, and never for ever.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

use crate::dial::{self, Cover, DialError};
use crate::keys;
use crate::secure::Trust;

/// So often in a row a server may send us elsewhere.
const MOST_MOVES: u32 = 3;
/// How long a server may take for its header.
const HEADER: Duration = Duration::from_secs(5);
/// What of a header is read.
const LONGEST_HEADER: usize = 64 << 10;

/// Why there is nothing to read, or no more. No message repeats the address, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("{0}:// cannot be fetched; legal: http, https")]
    Scheme(String),
    #[error("the address has no host")]
    Host,
    #[error("the header did not come within {} s", HEADER.as_secs())]
    Slow,
    #[error("the server says {0}")]
    Status(StatusCode),
    #[error("the server sends us on to what is no address")]
    Nowhere,
    #[error("the server sends us elsewhere again and again")]
    Moved,
    #[error("the server sends us from https:// to {0}, out of TLS: refused")]
    Downgrade(String),
    #[error("the user or the password cannot be sent")]
    Credentials,
    #[error("{}", said(.0))]
    Http(#[from] hyper::Error),
}

/// hyper's words, with the system's behind them where there are some.
fn said(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(why) => format!("{error}: {why}"),
        None => error.to_string(),
    }
}

/// What a server answers, when its body begins.
pub(crate) struct Fetched {
    /// Where it was found.
    pub(crate) url: Url,
    status: StatusCode,
    headers: HeaderMap,
    body: Incoming,
    /// The body comes only while somebody attends to the connection.
    connection: JoinHandle<()>,
}

impl Drop for Fetched {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Fetched {
    /// What kind of thing it is, in lower case and without parameters; empty where that is not said.
    pub(crate) fn kind(&self) -> String {
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
        kind.trim().to_ascii_lowercase()
    }

    /// In what it is packed, by the server's word, though that was not asked for.
    pub(crate) fn packed(&self) -> Option<String> {
        let packed = self.headers.get(header::CONTENT_ENCODING)?.to_str().ok()?.trim().to_ascii_lowercase();
        (!packed.is_empty() && packed != "identity").then_some(packed)
    }

    /// How long it is, by the server's word: then it was there before we asked.
    pub(crate) fn length(&self) -> Option<u64> {
        self.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// Whether it is the part that was asked for, and not all.
    pub(crate) fn is_part(&self) -> bool {
        self.status == StatusCode::PARTIAL_CONTENT
    }

    /// The next piece; `None` at the end. May be dropped and asked again.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, FetchError> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => match frame?.into_data() {
                    Ok(data) if !data.is_empty() => return Ok(Some(data)),
                    // Nothing, or trailers.
                    Ok(_) | Err(_) => {}
                },
            }
        }
    }
}

/// Bytes of what is at an address: the first, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) from: u64,
    pub(crate) len: u64,
}

/// Asks for what is at `url`, wherever the server sends us for it.
pub(crate) async fn get(url: &Url, trust: &Trust) -> Result<Fetched, FetchError> {
    get_part(url, trust, None).await
}

/// As [`get`], for a part of it; a server may send all, see [`Fetched::is_part`].
pub(crate) async fn get_part(url: &Url, trust: &Trust, part: Option<Part>) -> Result<Fetched, FetchError> {
    let mut url = url.clone();
    for _ in 0..=MOST_MOVES {
        let (response, connection) = ask(&url, trust, part).await?;
        let status = response.status();
        let (head, body) = response.into_parts();
        // From here on it is let go with the answer.
        let fetched = Fetched { url, status, headers: head.headers, body, connection };
        if status.is_success() {
            return Ok(fetched);
        }
        if !status.is_redirection() {
            return Err(FetchError::Status(status));
        }
        url = moved(&fetched.url, fetched.headers.get(header::LOCATION))?;
    }
    Err(FetchError::Moved)
}

/// Where a server sends us from `url`.
fn moved(url: &Url, location: Option<&HeaderValue>) -> Result<Url, FetchError> {
    beside(url, location.and_then(|to| to.to_str().ok()).ok_or(FetchError::Nowhere)?)
}

/// Where what is at `url` points by `reference`: not out of TLS, and to no other server with our
/// password.
pub(crate) fn beside(url: &Url, reference: &str) -> Result<Url, FetchError> {
    let to = url.join(reference).map_err(|_| FetchError::Nowhere)?;
    if url.scheme() == "https" && to.scheme() == "http" {
        return Err(FetchError::Downgrade(keys::address_shown(to.as_str())));
    }
    let mut to = to;
    if to.username().is_empty()
        && (to.host(), to.port_or_known_default()) == (url.host(), url.port_or_known_default())
    {
        // To a place of the same server who we are goes along, and nowhere else.
        let _ = to.set_username(url.username());
        let _ = to.set_password(url.password());
    }
    Ok(to)
}

async fn ask(
    url: &Url,
    trust: &Trust,
    part: Option<Part>,
) -> Result<(Response<Incoming>, JoinHandle<()>), FetchError> {
    let cover = match url.scheme() {
        "http" => Cover::Clear,
        "https" => Cover::Tls(trust),
        other => return Err(FetchError::Scheme(other.to_owned())),
    };
    let (host, port) = url.host_str().zip(url.port_or_known_default()).ok_or(FetchError::Host)?;
    let carrier = dial::dial(host.trim_matches(['[', ']']), port, cover).await?;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(LONGEST_HEADER)
        .handshake(TokioIo::new(carrier))
        .await?;
    let connection = tokio::spawn(async move {
        // What goes wrong is told to whoever reads the body.
        let _ = connection.await;
    });
    let result = match request(url, part) {
        Ok(request) => match timeout(HEADER, sender.send_request(request)).await {
            Ok(answer) => answer.map_err(FetchError::from),
            Err(_) => Err(FetchError::Slow),
        },
        Err(error) => Err(error),
    };
    match result {
        Ok(response) => Ok((response, connection)),
        Err(error) => {
            connection.abort();
            Err(error)
        }
    }
}

fn request(url: &Url, part: Option<Part>) -> Result<Request<Empty<Bytes>>, FetchError> {
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let place = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut request = Request::get(path)
        .header(header::HOST, place)
        .header(header::USER_AGENT, concat!("obvan/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT, "*/*")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close");
    if let Some(Part { from, len }) = part {
        let last = from.saturating_add(len.saturating_sub(1));
        request = request.header(header::RANGE, format!("bytes={from}-{last}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let plain = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
        let pair = [plain(url.username()), plain(url.password().unwrap_or_default())].join(&b':');
        let value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)));
        let mut value = value.map_err(|_| FetchError::Credentials)?;
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    request.body(Empty::new()).map_err(|_| FetchError::Host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(from: &str, location: &'static str) -> String {
        let from = Url::parse(from).unwrap();
        moved(&from, Some(&HeaderValue::from_static(location)))
            .map_or_else(|e| e.to_string(), |to| to.to_string())
    }

    #[test]
    fn who_we_are_goes_along_to_the_same_server_only() {
        let from = "http://me:SECRET@cam.example:81/a/b.flv";
        assert_eq!(to(from, "c.flv?x"), "http://me:SECRET@cam.example:81/a/c.flv?x");
        assert_eq!(to(from, "/c.flv"), "http://me:SECRET@cam.example:81/c.flv");
        assert_eq!(to(from, "https://cam.example:82/c.flv"), "https://cam.example:82/c.flv");
        assert_eq!(to(from, "//other.example/c.flv"), "http://other.example/c.flv");
        let refused = "the server sends us from https:// to http://cam.example, out of TLS: refused";
        assert_eq!(to("https://cam.example/a", "http://cam.example/SECRET"), refused);
        assert_eq!(to("https://cam.example/a", "http://[/"), "the server sends us on to what is no address");
    }

    #[test]
    fn a_request_says_who_we_are_without_showing_it() {
        let url = Url::parse("http://me:p%40ss@[::1]:81/a%20b.flv?x=y#z").unwrap();
        let request = request(&url, Some(Part { from: 10, len: 5 })).unwrap();
        assert_eq!(request.headers()[header::RANGE], "bytes=10-14");
        assert_eq!(request.uri().to_string(), "/a%20b.flv?x=y");
        assert_eq!(request.headers()[header::HOST], "[::1]:81");
        assert_eq!(request.headers()[header::ACCEPT_ENCODING], "identity");
        assert_eq!(request.headers()[header::AUTHORIZATION], "Basic bWU6cEBzcw==");
        assert!(!format!("{request:?}").contains("bWU6"));
    }
}
