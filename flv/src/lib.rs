//! FLV tags, codec headers and AMF0: read incrementally, written without copies.
//!
//! This room knows the file format and the codec headers inside its tags, and
//! does no I/O: bytes are pushed in, items come out. Encryption is not known here.
//!
//! ```
//! use bytes::{Bytes, BytesMut};
//! use flv::{FlvMillis, Item, Tag, TagKind, TagReader, Tracks};
//!
//! // Write a file: header, then tags.
//! let mut file = BytesMut::new();
//! flv::write_file_header(&mut file, Tracks::Both);
//! let tag = Tag::new(TagKind::Audio, FlvMillis(40), Bytes::from_static(&[0xaf, 1, 0x21]))?;
//! tag.write_into(&mut file);
//!
//! // Read it back, in pieces of any size.
//! let mut reader = TagReader::new();
//! let mut tags = Vec::new();
//! for piece in file.chunks(5) {
//!     reader.push_slice(piece);
//!     while let Some(item) = reader.next()? {
//!         if let Item::Tag(tag) = item {
//!             tags.push(tag);
//!         }
//!     }
//! }
//! assert_eq!(tags, [tag]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod aac;
pub mod amf0;
pub mod audio;
pub mod avc;
mod body;
pub mod hevc;
mod millis;
mod modex;
pub mod nalu;
mod reader;
pub mod script;
pub mod summary;
mod tag;
mod tag_buf;
pub mod video;

pub use body::{BodyError, FourCc, Problem};
pub use millis::FlvMillis;
pub use reader::{Cut, Damage, Ending, Gap, Item, ReadError, TagReader};
pub use tag::{
    BodyTooLong, FILE_HEADER_LEN, FileHeader, MAX_BODY, TAG_HEADER_LEN, TRAILER_LEN, Tag, TagKind, Tracks,
    write_file_header,
};
pub use tag_buf::{Room, TagBuf};
