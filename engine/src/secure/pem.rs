//! PEM files: certificates and private keys, looked at closely before a show starts.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::key_file::{self, Exposure};

/// All roots of a system together are a quarter of it.
const MOST_BYTES: u64 = 1 << 20;

/// Why a file of certificates or a private key is not taken. No message repeats what is in a file.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// It cannot be opened or read.
    #[error("{}: {why}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        why: std::io::Error,
    },
    /// Longer than any such file.
    #[error("{} is no PEM file: it has more than {MOST_BYTES} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// Others may read or change a private key.
    #[error("the private key {}: {exposure}; chmod 600 it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Who may, and by which mode.
        exposure: Exposure,
    },
    /// No certificate in it, or one that cannot be read.
    #[error("{} holds no certificates: what is wanted is PEM, `-----BEGIN CERTIFICATE-----`", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// No private key in it.
    #[error(
        "{} holds no private key: what is wanted is PEM without a passphrase, `-----BEGIN PRIVATE KEY-----`",
        path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Certificates that TLS does not take.
    #[error("the certificates in {} are no good: {why}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        why: String,
    },
    /// A certificate and a key that do not belong together.
    #[error("the private key {} does not belong to the certificate {}", key.display(), cert.display())]
    Strangers {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
}

/// Whether a file may be seen by others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Secrecy {
    Open,
    Secret,
}

fn bytes(path: &Path, secrecy: Secrecy) -> Result<Zeroizing<Vec<u8>>, PemError> {
    let io = |why| PemError::Io { path: path.to_owned(), why };
    let file = File::open(path).map_err(io)?;
    if secrecy == Secrecy::Secret {
        // Asked of what was opened: a path may lead elsewhere a moment later.
        let meta = file.metadata().map_err(io)?;
        if let Some(exposure) = key_file::exposed(&meta) {
            return Err(PemError::Exposed { path: path.to_owned(), exposure });
        }
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(PemError::TooLong { path: path.to_owned() });
    }
    Ok(bytes)
}

/// All certificates of a file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let bytes = bytes(path, Secrecy::Open)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(PemError::NoCertificate { path: path.to_owned() }),
    }
}

/// The private key of a file that nobody but its owner can read.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    let bytes = bytes(path, Secrecy::Secret)?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| PemError::NoKey { path: path.to_owned() })
}
