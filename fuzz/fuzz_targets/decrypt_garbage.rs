//! Noise and damaged encrypted streams through the decryptor: no panic, little memory, sound
//! figures, a sound file whatever went in, and the same however it is cut.
//!
//! Input: flags (1 refuses clear frames), how it is cut, the stream. Seeds are under key 1.
#![no_main]

use bytes::{Bytes, BytesMut};
use crypto::{AllowClear, Counts, Gate, TagDecryptor, TranscodeError, Transcoder, Verdict, inspect};
use flv::{Ending, FlvMillis, Item, Tag, TagKind, TagReader};
use harness::{heap, pieces, ring};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&[flags, how], stream)) = data.split_first_chunk() else { return };
    let clear = if flags & 1 == 0 { AllowClear::Yes } else { AllowClear::No };
    let bound = (2 << 20) + 64 * stream.len();
    let whole = heap::bounded(bound, || transcode(pieces(stream, 0), clear));
    let cut = heap::bounded(bound, || transcode(pieces(stream, how), clear));
    assert_eq!(whole, cut);
    match &whole {
        (out, Ok(counts)) => figures(counts, stream.len(), out),
        (_, Err(err)) => assert!(matches!(err, TranscodeError::NotFlv(_)), "{err}"),
    }
    let by_hand = sound_file(&whole.0);
    assert!(by_hand <= stream.len());
    one_tag(stream);
});

fn transcode(
    pieces: impl Iterator<Item = Bytes>,
    clear: AllowClear,
) -> (BytesMut, Result<Counts, TranscodeError>) {
    let mut work = Transcoder::decrypting(TagDecryptor::new(ring()), Gate::new(clear));
    let mut out = BytesMut::new();
    for piece in pieces {
        let pushed = work.push(piece);
        out.extend_from_slice(&work.take());
        if let Err(err) = pushed {
            return (out, Err(err));
        }
    }
    match work.finish() {
        Ok((rest, counts)) => {
            out.extend_from_slice(&rest);
            (out, Ok(counts))
        }
        Err(err) => (out, Err(err)),
    }
}

fn figures(counts: &Counts, len: usize, out: &[u8]) {
    assert_eq!((counts.bytes_in, counts.bytes_out), (len as u64, out.len() as u64));
    // A header may be made where the stream's own was lost.
    assert!(out.len() <= len + flv::FILE_HEADER_LEN);
    assert!(counts.skipped <= counts.bytes_in && counts.dropped <= counts.tags);
    let locked: u64 = counts.locked.values().sum();
    assert_eq!(counts.exempt + counts.clear + counts.decrypted + locked + counts.damaged, counts.tags);
    assert!(counts.encrypted == 0 && locked + counts.damaged <= counts.dropped, "{counts}");
}

/// What came out is FLV without a fault; how many tags.
fn sound_file(out: &[u8]) -> usize {
    let mut reader = TagReader::new();
    reader.push_slice(out);
    let mut tags = 0;
    while let Some(item) = reader.next().unwrap() {
        assert!(!matches!(item, Item::Resumed(_)));
        tags += usize::from(matches!(item, Item::Tag(_)));
    }
    assert_eq!(reader.finish(), Ending::Whole);
    tags
}

/// The stream's bytes as a single body of each kind, and each of its tags by itself.
fn one_tag(stream: &[u8]) {
    let mut unlock = TagDecryptor::new(ring());
    let mut try_it = |tag: Tag| {
        let _ = inspect(&tag);
        let (out, verdict) = unlock.decrypt(tag.clone());
        assert_eq!((out.kind, out.timestamp), (tag.kind, tag.timestamp));
        match verdict {
            Verdict::Encrypted { .. } | Verdict::Literal => assert!(out.body().len() < tag.body().len()),
            // Of several tracks, where others were encrypted.
            Verdict::Clear => assert!(out == tag || out.body().len() < tag.body().len()),
            _ => assert_eq!(out, tag),
        }
    };
    for kind in [TagKind::Audio, TagKind::Video, TagKind::Script] {
        try_it(Tag::new(kind, FlvMillis(0), Bytes::copy_from_slice(stream)).unwrap());
    }
    let mut reader = TagReader::new();
    reader.push_slice(stream);
    while let Ok(Some(item)) = reader.next() {
        if let Item::Tag(tag) = item {
            try_it(tag);
        }
    }
}
