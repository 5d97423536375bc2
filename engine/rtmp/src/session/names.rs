//! Application and stream names, which carry more than a name.

use std::fmt;

/// The application a client connects to: in `rtmp://host/live/inst?a=b/main`,
/// `live/inst?a=b`.
///
/// It can hold a secret: [`Debug`] and [`Display`](fmt::Display) leave out the query.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AppName {
    raw: String,
}

impl AppName {
    /// As it came.
    pub fn new(raw: impl Into<String>) -> Self {
        Self { raw: raw.into() }
    }

    /// As it came.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Application and instance without the query and without slashes around: `live/inst`.
    pub fn path(&self) -> &str {
        split_query(&self.raw).0.trim_matches('/')
    }

    /// Up to the first slash: `live`.
    pub fn application(&self) -> &str {
        self.path().split('/').next().unwrap_or_default()
    }

    /// What follows it: `inst`.
    pub fn instance(&self) -> Option<&str> {
        let (_, instance) = self.path().split_once('/')?;
        Some(instance.trim_start_matches('/'))
    }

    /// Behind the first `?`.
    pub fn query(&self) -> Option<&str> {
        split_query(&self.raw).1
    }

    /// The value of a parameter in the query, as for [`StreamName::param`].
    pub fn param(&self, key: &str) -> Option<&str> {
        param(self.query()?, key)
    }
}

/// As the path.
impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

/// The path.
impl fmt::Debug for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.query() {
            Some(_) => write!(f, "AppName({:?} and a query)", self.path()),
            None => write!(f, "AppName({:?})", self.path()),
        }
    }
}

/// The name a client publishes under: `main?key=secret`. Encoders call all of
/// it the stream key.
///
/// It can hold a secret: [`Debug`] and [`Display`](fmt::Display) leave out the query.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StreamName {
    raw: String,
}

impl StreamName {
    /// As it came.
    pub fn new(raw: impl Into<String>) -> Self {
        Self { raw: raw.into() }
    }

    /// As it came, with the query.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Up to the first `?`, without slashes around.
    pub fn name(&self) -> &str {
        split_query(&self.raw).0.trim_matches('/')
    }

    /// Behind the first `?`.
    pub fn query(&self) -> Option<&str> {
        split_query(&self.raw).1
    }

    /// The value of a parameter in the query, as it came (nothing is decoded);
    /// the first one if there are several.
    pub fn param(&self, key: &str) -> Option<&str> {
        param(self.query()?, key)
    }

    /// The parameter `key`.
    pub fn key(&self) -> Option<&str> {
        self.param("key")
    }
}

/// The name without the query.
impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name without the query.
impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.query() {
            Some(_) => write!(f, "StreamName({:?} and a query)", self.name()),
            None => write!(f, "StreamName({:?})", self.name()),
        }
    }
}

fn param<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| match pair.split_once('=') {
        Some((name, value)) => (name == key).then_some(value),
        None => (pair == key).then_some(""),
    })
}

/// The values of a query, as they came.
pub(super) fn values(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value)
}

fn split_query(raw: &str) -> (&str, Option<&str>) {
    match raw.split_once('?') {
        Some((name, query)) => (name, Some(query)),
        None => (raw, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applications_come_apart() {
        for raw in ["live", "live/", "/live", "live?token=a/b"] {
            let app = AppName::new(raw);
            assert_eq!((app.path(), app.application(), app.instance()), ("live", "live", None), "{raw}");
        }
        let app = AppName::new("live/inst/?token=a");
        assert_eq!((app.path(), app.application(), app.instance()), ("live/inst", "live", Some("inst")));
        assert_eq!((app.query(), app.param("token")), (Some("token=a"), Some("a")));
        assert_eq!(format!("{app} {app:?}"), "live/inst AppName(\"live/inst\" and a query)");
        assert_eq!(AppName::new("").application(), "");
    }

    #[test]
    fn stream_keys_come_apart_and_stay_out_of_logs() {
        let name = StreamName::new("main?user=x&key=a=b&flag&key=c");
        assert_eq!(name.raw(), "main?user=x&key=a=b&flag&key=c");
        assert_eq!(name.name(), "main");
        assert_eq!(name.key(), Some("a=b"));
        assert_eq!(name.param("flag"), Some(""));
        assert_eq!(name.param("nothing"), None);
        assert_eq!(format!("{name} {name:?}"), "main StreamName(\"main\" and a query)");
        let bare = StreamName::new("main");
        assert_eq!((bare.name(), bare.key()), ("main", None));
    }
}
