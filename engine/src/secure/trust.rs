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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;
    use crate::secure::papers::{Papers, Valid};
    use crate::secure::{acceptor, refusal};

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    /// What both sides say of a handshake with `host` by these papers.
    fn meet(
        trust: &Trust,
        host: &str,
        (cert, key): &(std::path::PathBuf, std::path::PathBuf),
    ) -> [String; 2] {
        let acceptor = acceptor(cert, key).unwrap();
        run(async {
            let (ours, theirs) = duplex(16 << 10);
            let server = async {
                let mut stream = acceptor.accept(theirs).await.map_err(|error| refusal(&error))?;
                stream.write_all(b"well").await.map_err(|error| error.to_string())?;
                // It hangs up without TLS's farewell.
                stream.flush().await.map_err(|error| error.to_string())
            };
            let client = async {
                let mut stream = trust.secure(host, ours).await.map_err(|error| error.to_string())?;
                let mut said = String::new();
                stream.read_to_string(&mut said).await.map_err(|error| error.to_string())?;
                Ok::<_, String>(said)
            };
            let (server, client) = tokio::join!(server, client);
            [client.unwrap_or_else(|e| e), server.map_or_else(|e| e, |()| String::new())]
        })
    }

    #[test]
    fn a_server_is_trusted_by_its_ca_and_its_name_and_what_is_wrong_is_said_plainly() {
        let papers = Papers::new();
        let trust = Trust::file(&papers.ca()).unwrap();
        let own = papers.server("cam.example", Valid::Now);
        assert_eq!(meet(&trust, "cam.example", &own), ["well", ""]);
        let [said, server] = meet(&trust, "other.example", &own);
        assert_eq!(said, "the certificate of other.example is for other names: cam.example");
        assert!(server.starts_with("does not trust our certificate"), "{server}");
        let namesake = Trust::file(&Papers::new().ca()).unwrap();
        let [said, _] = meet(&namesake, "cam.example", &own);
        assert!(
            said.starts_with("the certificate of cam.example is not signed by the CA that it names"),
            "{said}"
        );
        let stranger = Trust::file(&Papers::by("somebody else").ca()).unwrap();
        let [said, server] = meet(&stranger, "cam.example", &own);
        assert_eq!(said, "the certificate of cam.example is signed by none of those in ca=");
        assert_eq!(server, "does not trust our certificate: UnknownCA");
        let [said, _] = meet(&Trust::SYSTEM, "cam.example", &own);
        assert!(said.contains("ca=\"file.pem\""), "{said}");
        let [said, _] = meet(&Trust(Some(system(Vec::new()).0)), "cam.example", &own);
        assert!(said.starts_with("the certificate of cam.example is signed by"), "{said}");
        for (papers, said) in [
            (papers.server("127.0.0.1", Valid::NoLonger), "the certificate of 127.0.0.1 has expired"),
            (papers.server("127.0.0.1", Valid::NotYet), "the certificate of 127.0.0.1 is not valid yet"),
            (papers.of_the_ca(), "the certificate of 127.0.0.1 is one to sign others with (CA:TRUE)"),
        ] {
            let [told, _] = meet(&trust, "127.0.0.1", &papers);
            assert!(told.starts_with(said), "{told}");
        }
    }

    #[test]
    fn what_is_said_about_a_certificate_of_a_ca_makes_one_that_works() {
        let papers = Papers::new();
        let trust = Trust::file(&papers.ca()).unwrap();
        for host in ["127.0.0.1", "cam.example"] {
            let [told, _] = meet(&trust, host, &papers.of_the_ca());
            let (_, command) = told.split_once("trusts: openssl ").unwrap();
            let folder = tempfile::tempdir().unwrap();
            let mut openssl = std::process::Command::new("openssl");
            let made = openssl.args(command.split(' ')).current_dir(folder.path()).output().unwrap();
            assert!(made.status.success(), "{made:?}");
            let [cert, key] = ["self.pem", "self.key"].map(|name| folder.path().join(name));
            let told = meet(&Trust::file(&cert).unwrap(), host, &(cert, key));
            assert_eq!(told, ["well", ""], "{host}");
        }
    }

    #[test]
    fn who_speaks_no_tls_is_told_from_who_leaves() {
        let says = |bytes: &'static [u8]| {
            run(async {
                let (ours, mut theirs) = duplex(16 << 10);
                let server = async {
                    theirs.write_all(bytes).await.unwrap();
                    let mut hello = [0; 64];
                    let _ = theirs.read(&mut hello).await;
                    drop(theirs);
                };
                let (_, client) = tokio::join!(server, Trust::SYSTEM.secure("cam.example", ours));
                client.map(|_| ()).unwrap_err().to_string()
            })
        };
        assert_eq!(says(b"\x03HTTP/1.1 400 Bad Request"), "cam.example speaks no TLS on this port");
        assert_eq!(says(b""), "cam.example closed the connection before TLS was agreed on");
        let name = run(Trust::SYSTEM.secure("no name", duplex(1).0)).map(|_| ()).unwrap_err().to_string();
        assert_eq!(name, "noname cannot be the name of a certificate");
    }
}
