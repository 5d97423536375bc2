//! What a call answers, and which library this is.

use std::ffi::{CStr, c_char};

/// What became of a call. Anything but OBVAN_STATUS_OK changed nothing, if not said otherwise.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[must_use]
pub enum Status {
    /// Done.
    Ok = 0,
    /// A pointer is null or misaligned.
    Pointer = 1,
    /// A length is out of its range: a key has 16 bytes, a tag's body at most 2^24 - 1.
    Length = 2,
    /// A number is none of those that are known: a tag's kind, a flag.
    Argument = 3,
    /// A key's text is not 32 hex digits.
    KeyText = 4,
    /// The stream is not FLV from its first bytes on. Feeding on gives the same again.
    NotFlv = 5,
    /// Too much decrypted data is waiting; take it and feed the same bytes again.
    Full = 6,
    /// The stream was finished; nothing more goes in.
    Finished = 7,
    /// A handle works on a stream or on single tags, whichever came first, never on both.
    Mixed = 8,
    /// A defect of the library. The handle only answers this from now on, and can be freed.
    Internal = 9,
}

impl Status {
    const ALL: [(Self, &'static CStr); 10] = [
        (Self::Ok, c"done"),
        (Self::Pointer, c"a pointer is null or misaligned"),
        (Self::Length, c"a length is out of its range"),
        (Self::Argument, c"a number is none of those that are known"),
        (Self::KeyText, c"a key is 32 hex digits"),
        (Self::NotFlv, c"the stream is not FLV"),
        (Self::Full, c"decrypted data is waiting to be taken"),
        (Self::Finished, c"the stream was finished before"),
        (Self::Mixed, c"a handle works on a stream or on single tags, not on both"),
        (Self::Internal, c"a defect of the library"),
    ];
}

/// A status in words: a static text, never null. Takes any number.
#[unsafe(no_mangle)]
pub extern "C" fn obvan_status_text(status: i32) -> *const c_char {
    text_of(&Status::ALL.map(|(status, text)| (status as i32, text)), status)
}

pub(crate) fn text_of(texts: &[(i32, &'static CStr)], number: i32) -> *const c_char {
    let known = texts.iter().find(|(own, _)| *own == number);
    known.map_or(c"a number that is not known", |(_, text)| text).as_ptr()
}

/// Grows when something is changed that a program built with an older header would trip over.
pub const OBVAN_ABI: u32 = 1;

/// The OBVAN_ABI that the library was built with: compare it with the header's.
#[unsafe(no_mangle)]
pub extern "C" fn obvan_abi() -> u32 {
    OBVAN_ABI
}

/// The library's version, as in "1.2.3": a static text.
#[unsafe(no_mangle)]
pub extern "C" fn obvan_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}
