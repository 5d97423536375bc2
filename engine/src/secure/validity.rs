//! From when to when a server's own certificate is good, and whether it can be used at all.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::identity::acceptor;
use super::pem::{self, PemError};
use super::trust::Trust;

/// Who renews certificates does so well before.
const SOON: Duration = Duration::from_secs(24 * 60 * 60);

/// What there is to say about a certificate of our own at this time of day: that it has expired,
/// will within a day, or is not valid yet.
///
/// # Errors
/// Whatever is wrong with the file.
pub(crate) fn untimely(cert: &Path, now: SystemTime) -> Result<Option<String>, PemError> {
    let chain = pem::certificates(cert)?;
    let Some((_, leaf)) = chain.first().and_then(|leaf| X509Certificate::from_der(leaf).ok()) else {
        return Ok(None);
    };
    let seconds = |time: SystemTime| {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    };
    let (from, to) = (leaf.validity().not_before, leaf.validity().not_after);
    let shown = cert.display();
    Ok(if seconds(now) < from.timestamp() {
        Some(format!("the certificate {shown} is not valid before {from}: is this machine's clock right?"))
    } else if seconds(now) > to.timestamp() {
        Some(format!("the certificate {shown} has expired at {to}: nobody trusts it any more"))
    } else if seconds(now + SOON) > to.timestamp() {
        Some(format!("the certificate {shown} expires within a day, at {to}"))
    } else {
        None
    })
}

/// Looks at a server's certificate and private key as a show does that listens by them, and says
/// what is odd about the certificate at this time of day.
///
/// # Errors
/// What keeps a show from starting: a file that is no good, or a key of another certificate.
pub fn server_papers(cert: &Path, key: &Path, now: SystemTime) -> Result<Option<String>, PemError> {
    acceptor(cert, key)?;
    untimely(cert, now)
}

/// Looks at the certificates of a `ca=` as a show does that trusts them.
///
/// # Errors
/// What keeps a show from starting.
pub fn trusted_papers(ca: &Path) -> Result<(), PemError> {
    Trust::file(ca).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secure::papers::{Papers, Valid};

    #[test]
    fn a_certificate_is_told_that_is_not_for_now() {
        let papers = Papers::new();
        let day = |days: u64| UNIX_EPOCH + Duration::from_secs(days * 24 * 60 * 60);
        // 2020-01-01 is 18262 days after 1970-01-01.
        let (old, key) = papers.server("localhost", Valid::NoLonger);
        for (now, said) in [
            (day(18_000), None),
            (day(18_261) + Duration::from_secs(1), Some("expires within a day")),
            (day(18_263), Some("has expired at")),
        ] {
            let told = server_papers(&old, &key, now).unwrap();
            assert_eq!(told.is_some(), said.is_some(), "{told:?}");
            assert!(told.unwrap_or_default().contains(said.unwrap_or_default()));
        }
        let (new, key) = papers.server("localhost", Valid::NotYet);
        let told = server_papers(&new, &key, day(20_000)).unwrap().unwrap();
        assert!(told.contains("is not valid before"), "{told}");
        assert!(trusted_papers(&papers.ca()).is_ok());
        assert!(matches!(trusted_papers(&key), Err(PemError::NoCertificate { .. })));
        assert!(matches!(server_papers(&old, &key, day(1)), Err(PemError::Strangers { .. })));
    }
}
