//! What the types rule out: copies of an encryptor, and secrets that print.

use crypto::{KeyId, KeyRing, MasterKey, Mode, Salt, TagDecryptor, TagEncryptor, Transcoder};

/// Does not compile if the type has the trait: two candidates then answer to `probe`.
macro_rules! has_not {
    ($type:ty, $($trait:tt)+) => {{
        trait Probe<Which> {
            fn probe() {}
        }
        struct Has;
        impl<T: ?Sized> Probe<()> for T {}
        impl<T: ?Sized + $($trait)+> Probe<Has> for T {}
        <$type as Probe<_>>::probe();
    }};
}

#[test]
fn no_encryptor_can_be_doubled_and_no_secret_stored() {
    has_not!(TagEncryptor, Clone);
    has_not!(Transcoder, Clone);
    has_not!(TagEncryptor, serde::Serialize);
    has_not!(Transcoder, serde::Serialize);
    has_not!(MasterKey, serde::Serialize);
    has_not!(KeyRing, serde::Serialize);
    has_not!(MasterKey, std::fmt::Display);
    has_not!(MasterKey, PartialEq);
    // Nor can a salt be made outside, from anything.
    has_not!(Salt, From<[u8; 8]>);
    has_not!(Salt, From<u64>);
    has_not!(Salt, Default);
    has_not!(Salt, std::str::FromStr);
}

#[test]
fn nothing_that_holds_a_key_prints_it() {
    let key = MasterKey::from_bytes([0xab; 16]);
    let encryptor = TagEncryptor::new(key.clone(), KeyId(7), Mode::Nalu).unwrap();
    let ring = KeyRing::from_iter([(KeyId(7), key.clone())]);
    let decryptor = TagDecryptor::new(ring.clone());
    let shown = format!("{key:?} {encryptor:?} {ring:#?} {decryptor:#?}");
    for digits in ["ab", "AB", "171"] {
        assert!(!shown.contains(digits), "{shown}");
    }
    assert!(shown.contains("KeyId(7)") || shown.contains("KeyId(\n"), "{shown}");
}
