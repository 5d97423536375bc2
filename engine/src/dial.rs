//! A connection to a server, in the clear or inside TLS.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::secure::{SecureError, Trust};

/// How long a connection may take, and as long again TLS on it.
const CONNECTING: Duration = Duration::from_secs(5);

/// What carries a connection's bytes: a socket, or TLS on one.
pub(crate) trait Carrier: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Carrier for T {}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    #[error("no connection within {} s", CONNECTING.as_secs())]
    Slow,
    #[error(transparent)]
    Secure(#[from] SecureError),
    #[error("no TLS within {} s", CONNECTING.as_secs())]
    SecureSlow,
}

/// Whether what is sent can be read on its way.
#[derive(Clone, Copy)]
pub(crate) enum Cover<'a> {
    Clear,
    /// Inside TLS, with whom we trust.
    Tls(&'a Trust),
}

/// Connects to a server.
pub(crate) async fn dial(host: &str, port: u16, cover: Cover<'_>) -> Result<Box<dyn Carrier>, DialError> {
    let stream = timeout(CONNECTING, TcpStream::connect((host, port))).await;
    let stream = stream.map_err(|_| DialError::Slow)?.map_err(DialError::Connect)?;
    // What we write is whole messages: no gathering.
    stream.set_nodelay(true).map_err(DialError::Connect)?;
    match cover {
        Cover::Clear => Ok(Box::new(stream)),
        Cover::Tls(trust) => {
            let secured = timeout(CONNECTING, trust.secure(host, stream)).await;
            Ok(Box::new(secured.map_err(|_| DialError::SecureSlow)??))
        }
    }
}
