//! What went wrong with TLS, in the words of whoever has to mend it.

use std::io;
use std::net::IpAddr;

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error};

use super::trust::Roots;

/// So many names of a stranger's certificate are told, each so long at the most.
const NAMES: usize = 3;
const LONGEST_NAME: usize = 64;

/// A stranger's word, made fit to be shown.
pub(super) fn is_name(name: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-._:*[]".contains(*c);
    name.chars().filter(plain).take(LONGEST_NAME).collect()
}

fn inside(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// Why we do not go on with a server.
pub(super) fn failure(host: &str, error: &io::Error, roots: Roots) -> String {
    let host = is_name(host);
    match inside(error) {
        Some(Error::InvalidCertificate(why)) => certificate(&host, why, roots),
        Some(Error::InvalidMessage(_)) => format!("{host} speaks no TLS on this port"),
        Some(Error::AlertReceived(alert)) => format!("{host} refuses TLS: {alert:?}"),
        Some(Error::PeerIncompatible(why)) => format!("{host} has no TLS that we have: {why:?}"),
        Some(other) => format!("TLS with {host}: {other}"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("{host} closed the connection before TLS was agreed on")
        }
        None => format!("TLS with {host}: {error}"),
    }
}

fn certificate(host: &str, why: &CertificateError, roots: Roots) -> String {
    use CertificateError as C;
    match why {
        C::Expired | C::ExpiredContext { .. } => format!("the certificate of {host} has expired"),
        C::NotValidYet | C::NotValidYetContext { .. } => {
            format!("the certificate of {host} is not valid yet: is this machine's clock right?")
        }
        C::Revoked => format!("the certificate of {host} was revoked"),
        C::UnknownIssuer => match roots {
            Roots::System => format!(
                "the certificate of {host} is signed by nobody this system trusts; a CA of your own: ca=\"file.pem\""
            ),
            Roots::File => format!("the certificate of {host} is signed by none of those in ca="),
            Roots::Nowhere => format!(
                "the certificate of {host} cannot be checked: this system has no root certificates \
                (Debian has them in ca-certificates); a CA of your own: ca=\"file.pem\""
            ),
        },
        C::BadSignature => {
            format!(
                "the certificate of {host} is not signed by the CA that it names: is it an older one of that name?"
            )
        }
        C::NotValidForName => format!("the certificate of {host} is for other names"),
        C::NotValidForNameContext { presented, .. } => {
            // `DnsName("a.example")`
            let name = |text: &String| is_name(text.split('"').nth(1).unwrap_or(text));
            let names: Vec<String> = presented.iter().take(NAMES).map(name).collect();
            let more = if presented.len() > NAMES { ", …" } else { "" };
            format!("the certificate of {host} is for other names: {}{more}", names.join(", "))
        }
        C::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            let kind = if host.parse::<IpAddr>().is_ok() { "IP" } else { "DNS" };
            format!(
                "the certificate of {host} is one to sign others with (CA:TRUE), and may not be a server's own; \
                this makes one that may, and that ca=\"self.pem\" trusts: \
                openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN={host} \
                -addext basicConstraints=critical,CA:FALSE -addext subjectAltName={kind}:{host} \
                -keyout self.key -out self.pem"
            )
        }
        other => format!("the certificate of {host} is no good: {other}"),
    }
}

/// Why somebody who connected to us speaks no TLS with us.
pub(crate) fn refusal(error: &io::Error) -> String {
    use AlertDescription as A;
    match inside(error) {
        Some(Error::InvalidMessage(_)) => "speaks no TLS: is it rtmp:// at the rtmps port?".to_owned(),
        Some(Error::AlertReceived(alert @ (A::UnknownCA | A::BadCertificate | A::CertificateUnknown))) => {
            format!("does not trust our certificate: {alert:?}")
        }
        Some(Error::AlertReceived(alert)) => format!("refuses TLS: {alert:?}"),
        Some(Error::PeerIncompatible(why)) => format!("has no TLS that we have: {why:?}"),
        Some(other) => format!("TLS: {other}"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => "left before TLS was agreed on".to_owned(),
        None => format!("TLS: {error}"),
    }
}
