//! What became of a tag, as C sees it.

use std::ffi::c_char;

use crate::status::text_of;

/// What became of a tag.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum VerdictKind {
    /// Clear by the rules, whatever the stream: script tags, sequence headers and the like.
    #[default]
    Exempt = 0,
    /// A coded frame that was never encrypted; as it came.
    Clear = 1,
    /// A clear coded frame whose literal mark was taken off.
    Literal = 2,
    /// Decrypted with key key_id: as it was before encryption, bit for bit.
    Decrypted = 3,
    /// There is no key of id key_id; as it came.
    UnknownKey = 4,
    /// The key of id key_id is another one than the tag was encrypted under; as it came.
    WrongKey = 5,
    /// Encrypted in a version or mode that this library does not know; as it came.
    Unsupported = 6,
    /// Encrypted, but torn on the way, see damage; as it came.
    Damaged = 7,
}

/// How an encrypted tag is damaged.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum DamageKind {
    /// It is not.
    #[default]
    None = 0,
    /// The marker is cut or not as it is written.
    Marker = 1,
    /// The marker's mode does not go with the place it is in.
    Mode = 2,
    /// The NAL unit lengths do not add up to the body.
    Framing = 3,
    /// A start code or a lost escape in the ciphertext.
    Escape = 4,
    /// More encrypted units than there are counters.
    TooManyUnits = 5,
    /// In a way that this header has no name for.
    Other = 6,
}

/// What became of a tag, and what to do with it.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Verdict {
    /// What became of it.
    pub kind: VerdictKind,
    /// How it is damaged, if it is.
    pub damage: DamageKind,
    /// The id of its key, where kind speaks of one.
    pub key_id: u8,
    /// The version in its marker, of an unsupported one; known are 1 and, of sound, 2.
    pub version: u8,
    /// The mode in its marker, of an unsupported one.
    pub mode: u8,
    /// Whether a decoder should see it. Not what could not be read, nor pictures that need one
    /// of those: false up to the next readable key frame.
    pub pass: bool,
}

impl Verdict {
    pub(crate) fn new(verdict: crypto::Verdict, pass: bool) -> Self {
        use crypto::Verdict as V;
        let of = |kind| Self { kind, pass, ..Self::default() };
        match verdict {
            V::Exempt => of(VerdictKind::Exempt),
            V::Clear => of(VerdictKind::Clear),
            V::Literal => of(VerdictKind::Literal),
            V::Encrypted { key } => Self { key_id: key.0, ..of(VerdictKind::Decrypted) },
            V::UnknownKey { id } => Self { key_id: id.0, ..of(VerdictKind::UnknownKey) },
            V::WrongKey { id } => Self { key_id: id.0, ..of(VerdictKind::WrongKey) },
            V::Unsupported { version, mode } => Self { version, mode, ..of(VerdictKind::Unsupported) },
            V::Damaged { why } => Self { damage: why.into(), ..of(VerdictKind::Damaged) },
        }
    }
}

impl From<crypto::Damage> for DamageKind {
    fn from(damage: crypto::Damage) -> Self {
        match damage {
            crypto::Damage::Marker => Self::Marker,
            crypto::Damage::Mode => Self::Mode,
            crypto::Damage::Framing => Self::Framing,
            crypto::Damage::Escape => Self::Escape,
            crypto::Damage::TooManyUnits => Self::TooManyUnits,
            _ => Self::Other,
        }
    }
}

/// A verdict's kind in words: a static text, never null. Takes any number.
#[unsafe(no_mangle)]
pub extern "C" fn obvan_verdict_text(kind: i32) -> *const c_char {
    use VerdictKind as K;
    let texts = [
        (K::Exempt, c"clear by the rules"),
        (K::Clear, c"clear"),
        (K::Literal, c"clear, marked as literal"),
        (K::Decrypted, c"decrypted"),
        (K::UnknownKey, c"encrypted under a key which is not there"),
        (K::WrongKey, c"encrypted under another key of this id"),
        (K::Unsupported, c"encrypted in a version or mode which is not known"),
        (K::Damaged, c"damaged"),
    ];
    text_of(&texts.map(|(kind, text)| (kind as i32, text)), kind)
}

/// A verdict's damage in words: a static text, never null. Takes any number.
#[unsafe(no_mangle)]
pub extern "C" fn obvan_damage_text(damage: i32) -> *const c_char {
    use DamageKind as K;
    let texts = [
        (K::None, c"not damaged"),
        (K::Marker, c"the marker is mangled"),
        (K::Mode, c"the marker's mode does not go with its place"),
        (K::Framing, c"the NAL unit lengths do not add up"),
        (K::Escape, c"the ciphertext holds what would have been escaped"),
        (K::TooManyUnits, c"there are more NAL units than counters"),
        (K::Other, c"damaged"),
    ];
    text_of(&texts.map(|(damage, text)| (damage as i32, text)), damage)
}
