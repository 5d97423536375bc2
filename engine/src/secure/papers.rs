//! Certificates for tests: a CA of our own, and what it signs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

/// A CA and a server's papers in a folder.
pub(crate) struct Papers {
    pub(crate) folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// Until when a certificate is valid.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Valid {
    Now,
    NoLonger,
    NotYet,
}

impl Papers {
    pub(crate) fn new() -> Self {
        Self::by("obvan test CA")
    }

    /// By a CA of this name.
    pub(crate) fn by(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Certificate and key of a server of this name.
    pub(crate) fn server(&self, name: &str, valid: Valid) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        match valid {
            Valid::Now => {}
            Valid::NoLonger => params.not_after = date_time_ymd(2020, 1, 1),
            Valid::NotYet => params.not_before = date_time_ymd(3020, 1, 1),
        }
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        self.write(&format!("{valid:?}"), &cert.pem(), &key.serialize_pem())
    }

    fn write(&self, of: &str, cert: &str, key: &str) -> (PathBuf, PathBuf) {
        let path = |name: &str| self.folder.path().join(format!("{of}-{name}"));
        fs::write(path("cert.pem"), cert).unwrap();
        fs::write(path("key.pem"), key).unwrap();
        fs::set_permissions(path("key.pem"), fs::Permissions::from_mode(0o600)).unwrap();
        (path("cert.pem"), path("key.pem"))
    }

    /// The CA's own papers, as a server's.
    pub(crate) fn of_the_ca(&self) -> (PathBuf, PathBuf) {
        self.write("CA", &self.issuer.pem(), &self.issuer.key().serialize_pem())
    }
}
