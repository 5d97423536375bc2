//! Whom we trust when we connect to somebody.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore};

use super::pem::{self, PemError};
use super::words::{failure, is_name};
use super::{Secured, provider};

/// Why there is no TLS with a server, in plain words that name it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SecureError(pub(super) String);

/// Where the certificates that we trust come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Roots {
    System,
    /// There are none on this system.
    Nowhere,
    /// The show's own (`ca=`), and nobody else.
    File,
}

/// Whom we trust: cheap to clone.
#[derive(Clone)]
pub(crate) struct Trust(Option<TlsConnector>);

impl Trust {
    /// The system's roots, looked up when they are needed first.
    pub(crate) const SYSTEM: Self = Self(None);

    /// The certificates of a file, and nobody else.
    pub(crate) fn file(path: &Path) -> Result<Self, PemError> {
        let mut roots = RootCertStore::empty();
        for cert in pem::certificates(path)? {
            let unfit = |why: Error| PemError::Unfit { path: path.to_owned(), why: why.to_string() };
            roots.add(cert).map_err(unfit)?;
        }
        Ok(Self(Some(connector(roots))))
    }

    fn get(&self) -> (&TlsConnector, Roots) {
        static SYSTEM: OnceLock<(TlsConnector, Roots)> = OnceLock::new();
        if let Some(own) = &self.0 {
            return (own, Roots::File);
        }
        let (connector, roots) = SYSTEM.get_or_init(|| {
            // One that cannot be read is one that is not trusted.
            system(rustls_native_certs::load_native_certs().certs)
        });
        (connector, *roots)
    }

    /// Makes a connection to `host` one inside TLS.
    pub(crate) async fn secure<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
    ) -> Result<Secured<TlsStream<S>>, SecureError> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| SecureError(format!("{} cannot be the name of a certificate", is_name(host))))?;
        let (connector, roots) = self.get();
        let stream = connector.connect(name, stream).await;
        stream.map(Secured).map_err(|error| SecureError(failure(host, &error, roots)))
    }
}

fn system(certs: Vec<CertificateDer<'static>>) -> (TlsConnector, Roots) {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certs);
    let roots = if store.is_empty() { Roots::Nowhere } else { Roots::System };
    (connector(store), roots)
}

fn connector(roots: RootCertStore) -> TlsConnector {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers for TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}
