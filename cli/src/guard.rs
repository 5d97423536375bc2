//! Who may ask a running show for what.
//!
//! `Host` and `Origin` are checked on every request, also on loopback, so that
//! a page from elsewhere can neither rebind a name to us nor post commands.
//! Beyond loopback all but `/live` and `/healthz` wants the token; those two
//! are public there, for viewers and CDNs that come under any name.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, ORIGIN, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The environment variable that holds the token.
pub const TOKEN_VARIABLE: &str = "OBVAN_TOKEN";
const TOKEN_COOKIE: &str = "obvan_token";

/// The rules of one listener.
#[derive(Clone, Debug)]
pub struct Guard {
    bound: SocketAddr,
    /// Further names this listener is reached by.
    names: Vec<String>,
    token: Option<String>,
}

/// A listener beyond loopback has no token.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} can be reached from other machines, so {TOKEN_VARIABLE} must be set (at least {MIN_TOKEN} characters); or listen on 127.0.0.1"
)]
pub struct NoToken(SocketAddr);

/// A shorter token is a typing slip, not a secret.
const MIN_TOKEN: usize = 8;

/// Why a request is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

/// What the rules read of a request.
#[derive(Clone, Copy, Debug, Default)]
struct Asked<'a> {
    path: &'a str,
    host: Option<&'a str>,
    origin: Option<&'a str>,
    token: Option<&'a str>,
}

impl Guard {
    /// The rules for a listener on `bound`, reached also as `names`.
    ///
    /// # Errors
    /// An address beyond loopback and no token (or one of under 8 characters).
    pub fn new(bound: SocketAddr, names: Vec<String>, token: Option<String>) -> Result<Self, NoToken> {
        let token = token.filter(|t| t.len() >= MIN_TOKEN);
        if !bound.ip().is_loopback() && token.is_none() {
            return Err(NoToken(bound));
        }
        let names = names.iter().map(|n| n.trim_end_matches('.').to_ascii_lowercase()).collect();
        Ok(Self { bound, names, token })
    }

    fn judge(&self, asked: Asked<'_>) -> Result<(), Refusal> {
        let local = self.bound.ip().is_loopback();
        if !local && is_public(asked.path) {
            return Ok(());
        }
        let Some(host) = asked.host.and_then(Authority::parse) else {
            return Err(self.forbidden("host", "the request has no Host that can be read".to_owned()));
        };
        if !self.knows(&host) {
            return Err(self.forbidden("host", format!("this show is not reached as {:?}", host.name)));
        }
        if let Some(origin) = asked.origin {
            let from = origin.strip_prefix("http://").and_then(Authority::parse);
            if from.as_ref() != Some(&host) {
                return Err(self.forbidden("origin", format!("pages from {origin:?} may not ask this show")));
            }
        }
        match &self.token {
            Some(token) if !local && !asked.token.is_some_and(|t| same(t.as_bytes(), token.as_bytes())) => {
                let message =
                    format!("send the token of {TOKEN_VARIABLE} as `Authorization: Bearer …` or `?token=…`");
                Err(Refusal { status: StatusCode::UNAUTHORIZED, code: "token", message })
            }
            _ => Ok(()),
        }
    }

    fn judge_request(&self, request: &Request) -> Result<(), Refusal> {
        let text = |name: HeaderName| request.headers().get(name).and_then(|v| v.to_str().ok());
        let bearer = text(AUTHORIZATION).and_then(|v| v.strip_prefix("Bearer ")).map(str::trim);
        let query = query_token(request.uri());
        let cookie = text(COOKIE).and_then(cookie_token);
        self.judge(Asked {
            path: request.uri().path(),
            host: text(HOST).or_else(|| request.uri().authority().map(|a| a.as_str())),
            // An Origin that is not text is not ours either.
            origin: request.headers().get(ORIGIN).map(|v| v.to_str().unwrap_or("?")),
            token: bearer.or(query.as_deref()).or(cookie.as_deref()),
        })
    }

    fn forbidden(&self, code: &'static str, why: String) -> Refusal {
        let mut message = format!("{why}; use http://{}/", self.bound);
        if code == "host" {
            let _ = write!(message, ", or start the show with --allow-host NAME");
        }
        Refusal { status: StatusCode::FORBIDDEN, code, message }
    }

    fn knows(&self, host: &Authority) -> bool {
        if self.names.contains(&host.name) {
            return true;
        }
        if host.port != self.bound.port() {
            return false;
        }
        let ip = self.bound.ip();
        match host.ip() {
            // A page cannot rebind an address, only a name: with every address bound, any will do.
            Some(asked) => asked == ip || (asked.is_loopback() && ip.is_loopback()) || ip.is_unspecified(),
            None => host.name == "localhost" && (ip.is_loopback() || ip.is_unspecified()),
        }
    }
}

/// What viewers and load balancers may ask without a token.
fn is_public(path: &str) -> bool {
    path == "/healthz" || path.starts_with("/live/")
}

/// Host and port as a client wrote them; the port is 80 where none is said.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Authority {
    name: String,
    port: u16,
}

impl Authority {
    fn parse(text: &str) -> Option<Self> {
        let uri: axum::http::uri::Authority = text.parse().ok()?;
        if text.contains('@') {
            return None;
        }
        let after = text.strip_prefix(uri.host())?;
        let port = match after.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None => 80,
        };
        Some(Self { name: uri.host().trim_end_matches('.').to_ascii_lowercase(), port })
    }

    fn ip(&self) -> Option<IpAddr> {
        self.name.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

/// Compares without telling by its time where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
}

/// The middleware: put it around every route.
pub async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    if let Err(refusal) = guard.judge_request(&request) {
        let body = json!({ "code": refusal.code, "message": refusal.message, "legal": [] });
        return (refusal.status, Json(body)).into_response();
    }
    // A page opened with `?token=` needs it for its script and its commands too.
    let keep = query_token(request.uri()).filter(|token| guard.token.as_ref() == Some(token));
    let cookie = keep.and_then(|token| set_cookie(&token));
    let mut answer = next.run(request).await;
    if let Some(cookie) = cookie {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    answer
}

fn query_token(uri: &Uri) -> Option<String> {
    let pair = uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="))?;
    percent_decoded(pair)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Any token fits into a cookie as hex digits.
fn set_cookie(token: &str) -> Option<HeaderValue> {
    let mut value = format!("{TOKEN_COOKIE}=");
    for byte in token.bytes() {
        let _ = write!(value, "{byte:02x}");
    }
    value.push_str("; Path=/; HttpOnly; SameSite=Strict");
    HeaderValue::try_from(value).ok()
}

fn cookie_token(header: &str) -> Option<String> {
    let pairs = header.split(';').map(str::trim);
    let hex = pairs.filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == TOKEN_COOKIE)?.1;
    let digits = hex.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> =
        digits.map(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok()).collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(bound: &str) -> Guard {
        let names = vec!["Truck.example.".to_owned()];
        Guard::new(bound.parse().unwrap(), names, Some("a-long-token".to_owned())).unwrap()
    }

    fn code(guard: &Guard, asked: Asked<'_>) -> Option<&'static str> {
        guard.judge(asked).err().map(|r| r.code)
    }

    fn host(name: &str) -> Asked<'_> {
        Asked { path: "/api/status", host: Some(name), ..Asked::default() }
    }

    #[test]
    fn loopback_answers_to_its_own_names_only() {
        let guard = guard("127.0.0.1:8080");
        for name in [
            "127.0.0.1:8080",
            "localhost:8080",
            "LOCALHOST:8080",
            "[::1]:8080",
            "127.0.0.2:8080",
            "truck.example",
        ] {
            assert_eq!(code(&guard, host(name)), None, "{name}");
        }
        for name in [
            "evil.example:8080",
            "127.0.0.1:9",
            "127.0.0.1",
            "10.0.0.7:8080",
            "user@localhost:8080",
            "",
            "localhost:8080:1",
        ] {
            assert_eq!(code(&guard, host(name)), Some("host"), "{name}");
        }
        assert_eq!(code(&guard, Asked { host: None, ..host("") }), Some("host"));
        let rebound = Asked { path: "/live/program/360p.flv", ..host("evil.example:8080") };
        assert_eq!(code(&guard, rebound), Some("host"), "also for viewers");
    }

    #[test]
    fn an_origin_must_be_our_own() {
        let guard = guard("127.0.0.1:8080");
        let from = |origin| Asked { origin: Some(origin), ..host("localhost:8080") };
        assert_eq!(code(&guard, from("http://localhost:8080")), None);
        for origin in ["http://evil.example", "https://localhost:8080", "http://localhost:9", "null", "?"] {
            assert_eq!(code(&guard, from(origin)), Some("origin"), "{origin}");
        }
    }

    #[test]
    fn beyond_loopback_all_but_viewers_want_the_token() {
        let guard = guard("0.0.0.0:8080");
        let asked = host("10.0.0.7:8080");
        assert_eq!(code(&guard, asked), Some("token"));
        assert_eq!(code(&guard, Asked { token: Some("a-long-tokem"), ..asked }), Some("token"));
        assert_eq!(code(&guard, Asked { token: Some("a-long-token"), ..asked }), None);
        assert_eq!(
            code(&guard, Asked { token: Some("a-long-token"), ..host("evil.example:8080") }),
            Some("host")
        );
        for path in ["/healthz", "/live/program/360p.flv"] {
            assert_eq!(code(&guard, Asked { path, ..host("cdn.example") }), None, "{path}");
        }
        let thumbs = ["/thumb/main.jpg", "/thumb/", "/thumb", "//thumb/main.jpg", "/thumb/../live/x.flv"];
        for path in thumbs.into_iter().chain(["/live", "/liveliness", "/healthz/x", "/", "/metrics"]) {
            assert_eq!(code(&guard, Asked { path, ..asked }), Some("token"), "{path}");
        }
    }

    #[test]
    fn beyond_loopback_needs_a_token_to_begin_with() {
        let bound: SocketAddr = "0.0.0.0:8080".parse().unwrap();
        for token in [None, Some(String::new()), Some("short".to_owned())] {
            assert!(Guard::new(bound, vec![], token).is_err());
        }
        assert!(Guard::new("[::1]:0".parse().unwrap(), vec![], None).is_ok());
    }

    #[tokio::test]
    async fn the_middleware_refuses_and_hands_out_the_cookie() {
        let guard = Arc::new(guard("0.0.0.0:8080"));
        let layer = axum::middleware::from_fn_with_state(guard, check);
        let routes = axum::Router::new().fallback(|| async { "in" }).layer(layer);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let get = move |path: &'static str, cookie: &'static str| {
            let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
            let host = "10.0.0.7:8080";
            agent
                .get(format!("http://{addr}{path}"))
                .header("Host", host)
                .header("Cookie", cookie)
                .call()
                .unwrap()
        };
        let answers = tokio::task::spawn_blocking(move || {
            [get("/", ""), get("/?token=a-long-token", ""), get("/", "obvan_token=612d6c6f6e672d746f6b656e")]
        });
        let [bare, query, cookie] = answers.await.unwrap();
        assert_eq!([&bare, &query, &cookie].map(|a| a.status().as_u16()), [401, 200, 200]);
        let kept = query.headers()["set-cookie"].to_str().unwrap();
        assert_eq!(kept, "obvan_token=612d6c6f6e672d746f6b656e; Path=/; HttpOnly; SameSite=Strict");
        assert!(bare.headers().get("set-cookie").is_none() && cookie.headers().get("set-cookie").is_none());
    }

    #[test]
    fn a_token_survives_query_and_cookie() {
        let token = "p=a;s s%&é";
        let cookie = set_cookie(token).unwrap();
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        assert_eq!(cookie_token(&format!("a=b; {pair}")).as_deref(), Some(token));
        let uri: Uri = "/?x=1&token=p%3Da%3Bs+s%25%26%C3%A9".parse().unwrap();
        assert_eq!(query_token(&uri).as_deref(), Some(token));
        assert_eq!(query_token(&"/?token=%4".parse().unwrap()), None);
        assert_eq!(cookie_token("obvan_token=xyz"), None);
    }
}
