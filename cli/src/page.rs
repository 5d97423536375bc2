//! The page at `/`, built in from `player/dist/page`.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../player/dist/page"]
struct Dist;

/// Nothing from elsewhere: the page works in a truck without internet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     media-src 'self' blob:; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>obvan</title>\
     <h1>The page is not built in</h1><p>Run <code>make web</code>, then build obvan again. \
     The show runs all the same: <a href=\"/api/status\">/api/status</a>, <code>obvan ctl status</code>.</p></html>";

/// Answers what no route of the engine answered.
pub async fn serve(uri: Uri) -> Response {
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => "application/octet-stream",
    };
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    match Dist::get(path) {
        Some(file) => (headers, file.data).into_response(),
        None if path == "index.html" => (headers, NOT_BUILT).into_response(),
        None => (StatusCode::NOT_FOUND, format!("there is nothing at {}\n", uri.path())).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &'static str) -> (StatusCode, String) {
        let answer = serve(Uri::from_static(path)).await;
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), 4 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_front_is_always_there() {
        let (status, body) = get("/").await;
        assert_eq!(status, StatusCode::OK);
        let built = Dist::get("index.html").is_some();
        assert!(body.contains(if built { "page.js" } else { "make web" }), "{body}");
        assert_eq!(get("/../Cargo.toml").await.0, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn the_browser_is_told_to_load_nothing_from_elsewhere() {
        let answer = serve(Uri::from_static("/")).await;
        let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("http") && !policy.contains('*'), "{policy}");
    }
}
