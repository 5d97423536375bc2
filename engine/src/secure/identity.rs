//! Who we are to those that connect to us.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{Error, ServerConfig};

use super::pem::{self, PemError};
use super::provider;

/// What turns a connection into TLS, by a certificate and its private key.
///
/// # Errors
/// Whatever is wrong with the files.
pub(crate) fn acceptor(cert: &Path, key: &Path) -> Result<TlsAcceptor, PemError> {
    let unfit = |why: Error| PemError::Unfit { path: cert.to_owned(), why: why.to_string() };
    let chain = pem::certificates(cert)?;
    let private = pem::private_key(key)?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| match error {
            Error::InconsistentKeys(_) => PemError::Strangers { cert: cert.to_owned(), key: key.to_owned() },
            error => unfit(error),
        })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;

    fn refusal(cert: &Path, key: &Path) -> String {
        acceptor(cert, key).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn papers_are_looked_at_closely() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str, mode| -> PathBuf {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let ours = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let theirs = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let cert = file("cert.pem", &ours.cert.pem(), 0o644);
        let key = file("key.pem", &ours.signing_key.serialize_pem(), 0o600);
        assert!(acceptor(&cert, &key).is_ok());
        let open = file("open.pem", &ours.signing_key.serialize_pem(), 0o640);
        let other = file("other.pem", &theirs.signing_key.serialize_pem(), 0o600);
        let none = folder.path().join("none.pem");
        for (cert, key, said) in [
            (&none, &key, "No such file"),
            (&cert, &none, "No such file"),
            (&key, &key, "holds no certificates"),
            (&cert, &cert, "so everyone on this machine can read"),
            (&cert, &open, "chmod 600 it"),
            (&cert, &other, "does not belong to the certificate"),
            (&cert, &file("x.pem", &ours.cert.pem(), 0o600), "holds no private key"),
            (
                &file("y.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0o600),
                &key,
                "no good",
            ),
        ] {
            let told = refusal(cert, key);
            assert!(told.contains(said), "{told}");
        }
    }
}
