//! TLS, for what is pushed, pulled and listened for: whom we trust, who we are, and what
//! went wrong in plain words.

mod identity;
#[cfg(test)]
pub(crate) mod papers;
mod pem;
mod trust;
mod validity;
mod words;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

pub(crate) use identity::acceptor;
pub use pem::PemError;
pub(crate) use trust::{SecureError, Trust};
pub(crate) use validity::untimely;
pub use validity::{server_papers, trusted_papers};
pub(crate) use words::refusal;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// A stream inside TLS. Peers that hang up without TLS's farewell are as usual as those that do
/// so without TLS: that is the stream's end, and what it carries says itself whether it was whole.
pub(crate) struct Secured<S>(pub(crate) S);

impl<S: AsyncRead + Unpin> AsyncRead for Secured<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer).map(|read| match read {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            read => read,
        })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Secured<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
